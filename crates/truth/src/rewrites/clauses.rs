//! Clauses in another order, halves, the passive, and what a reporter puts around a sentence.

use crate::{
    lies::doing,
    make::{Draft, Ground},
    rng::Rng,
    text,
};

/// `A if B.` is `If B, A.`
pub fn order(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let rules = &ground.language.rules;
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        let body = text::without_end(&sentence.text);
        for marker in rules.list("clauses") {
            let Some(at) = text::find(body, marker, 0) else { continue };
            if at == 0 {
                if let Some((clause, main)) = body.split_once(", ")
                    && !main.contains(',')
                {
                    let text = format!("{} {}.", text::capitalised(main), text::uncapitalised(clause));
                    out.push(Draft::of(sentence, text));
                }
            } else {
                let main = body[..at].trim_end_matches([' ', ',']);
                let clause = &body[at..];
                // A clause has a verb, `after the operation` has none; a pronoun would come before its noun.
                let has_verb = rules.list("verbs").iter().any(|verb| text::find(clause, verb, 0).is_some());
                let pronoun = rules.starts("pronouns", clause[marker.len()..].trim());
                let has_verb = has_verb && rules.has("verbs", main);
                if has_verb && !pronoun && !main.contains(',') && !clause.contains(',') && !main.ends_with(" than") {
                    let text = format!("{}, {}.", text::capitalised(clause), ground.language.lowered(main));
                    out.push(Draft::of(sentence, text));
                }
            }
            break;
        }
    }
    out
}

/// One of two main clauses.
pub fn half(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let rules = &ground.language.rules;
    let has_verb = |part: &str| rules.list("verbs").iter().any(|verb| text::find(part, verb, 1).is_some());
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        let body = text::without_end(&sentence.text);
        for joint in rules.list("split") {
            let Some((first, second)) = body.split_once(&format!("{joint} ")) else { continue };
            let whole = !first.contains([',', ';']) && !second.contains([',', ';']);
            if whole && has_verb(first) && has_verb(second) {
                out.push(Draft::of(sentence, format!("{first}.")));
                if !rules.starts("pronouns", second) {
                    out.push(Draft::of(sentence, format!("{}.", text::capitalised(second))));
                }
            }
        }
    }
    out
}

/// Where the rules have the forms: `A built B in May.` is `B was built by A in May.`
pub fn passive(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        let Some(parts) = doing(ground, &sentence.text) else { continue };
        if ground.language.rules.starts("degree", parts.object) {
            continue;
        }
        let mut forms = parts.rule.split(" > ").skip(1);
        let Some((one, many)) = forms.next().zip(forms.next()) else { continue };
        let head = parts.object.split([',']).next().unwrap_or("");
        let head = head.split(" of ").next().and_then(|head| head.split(" except ").next()).unwrap_or("");
        let last = head.rsplit(' ').next().unwrap_or("");
        let is_many = last.ends_with('s') && !last.ends_with("ss");
        let subject = ground.language.lowered(parts.subject);
        let object = text::capitalised(parts.object);
        let verb = if is_many { many } else { one };
        out.push(Draft::of(sentence, format!("{object} {verb} {subject}{}", parts.rest)));
    }
    out
}

/// `According to the source, A.`; `A, according to the report.`
pub fn reported(ground: &Ground, rng: &mut Rng) -> Vec<Draft> {
    let rules = &ground.language.rules;
    let (starts, ends) = (rules.list("report"), rules.list("report-end"));
    let mut out = Vec::new();
    let free = |text: &str| !rules.starts("openers", text) && !rules.starts("pronouns", text);
    for sentence in ground.source.sentences.iter().filter(|s| free(&s.text)) {
        let lowered = ground.language.lowered(&sentence.text);
        let which = rng.below(starts.len() + ends.len());
        if let Some(start) = starts.get(which) {
            // Behind a colon a sentence keeps its capital.
            let said = if start.ends_with(':') { &sentence.text } else { &lowered };
            out.push(Draft::of(sentence, format!("{start} {said}")));
        } else if let Some(end) = ends.get(which - starts.len()) {
            out.push(Draft::of(sentence, format!("{}{end}.", text::without_end(&sentence.text))));
        }
    }
    out
}

/// Without a word that adds nothing, or without a clause that only tells more about a thing.
pub fn left_out(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let rules = &ground.language.rules;
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        for word in rules.list("drop") {
            if let Some(at) = text::find(&sentence.text, word, 0) {
                let dropped = text::put(&sentence.text, at, word.len(), "");
                let dropped = text::capitalised(dropped.trim_start_matches([',', ' ']));
                out.push(Draft::of(sentence, dropped));
            }
        }
        let body = text::without_end(&sentence.text);
        for marker in rules.list("relative") {
            if let Some((main, _)) = body.split_once(&format!("{marker} "))
                && main.split(' ').count() >= 5
            {
                out.push(Draft::of(sentence, format!("{main}.")));
            }
        }
    }
    out
}

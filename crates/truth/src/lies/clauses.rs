//! Clauses dropped, added, joined and turned.

use crate::make::{Draft, Ground};
use crate::{rng::Rng, text};

/// A sentence without the condition under which it holds.
pub fn condition(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    dropped(ground, "condition")
}

/// A sentence without its exception.
pub fn exception(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    dropped(ground, "exception")
}

fn dropped(ground: &Ground, section: &str) -> Vec<Draft> {
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        let body = text::without_end(&sentence.text);
        for marker in ground.language.rules.list(section) {
            let Some(at) = text::find(body, marker, 0) else { continue };
            let rest = &body[at + marker.len()..];
            let made = if at == 0 {
                // `If it rains, the walk is off.` In other orders of words than this the rest would be no sentence.
                let Some((_, main)) = rest.split_once(", ").filter(|_| ground.language.code != "de") else { continue };
                text::capitalised(main)
            } else {
                let after = rest.find([',', ';']).map_or("", |comma| &rest[comma..]);
                // What is told of the exception goes with it.
                let after = if section == "exception" { "" } else { after };
                format!("{}{after}", body[..at].trim_end_matches([' ', ',']))
            };
            // A shorter rest says too little to be false.
            let cut_short = ["auch", "but", "aber", "pero", "mais", "ma", "mas", "но"].contains(&last(&made));
            if made.split(' ').count() >= 5 && !cut_short {
                out.push(Draft::of(sentence, format!("{made}.")));
                break;
            }
        }
    }
    out
}

/// Something at the end that no source says.
pub fn addition(ground: &Ground, rng: &mut Rng) -> Vec<Draft> {
    let additions = ground.language.rules.list("addition");
    let sentences = ground.source.sentences.iter().filter(|s| s.text.split(' ').count() <= 18);
    sentences
        .filter(|_| !additions.is_empty())
        .map(|s| {
            let addition = &additions[rng.below(additions.len())];
            Draft::of(s, format!("{}{addition}.", text::without_end(&s.text)))
        })
        .collect()
}

/// Subject and predicate of a sentence, parted at its first verb of the list. Not where a pronoun is the subject: that
/// would leave open about whom the lie is.
fn parted<'a>(ground: &Ground, sentence: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let rules = &ground.language.rules;
    let verbs = rules.list("verbs").iter();
    let (at, verb) =
        verbs.filter_map(|verb| text::find(sentence, verb, 0).map(|at| (at, verb.len()))).min_by_key(|(at, _)| *at)?;
    let subject = sentence[..at].trim();
    let hangs = rules.starts("pronouns", subject) || rules.starts("clauses", subject);
    let plain = !subject.is_empty() && !subject.contains([',', ';']) && !hangs;
    plain.then(|| (subject, &sentence[at..at + verb], sentence[at + verb..].trim()))
}

/// `Every batch` and `A batch` are the same thing.
fn last(subject: &str) -> &str {
    subject.rsplit(' ').next().unwrap_or(subject)
}

/// The subject of one sentence with what another says of something else.
pub fn halves(ground: &Ground, rng: &mut Rng) -> Vec<Draft> {
    let sentences = &ground.source.sentences;
    let mut out = Vec::new();
    for (i, first) in sentences.iter().enumerate() {
        let Some((subject, verb, own)) = parted(ground, &first.text) else { continue };
        let mut others: Vec<&str> = sentences
            .iter()
            .enumerate()
            .filter(|(j, _)| *j != i)
            .filter_map(|(_, other)| parted(ground, &other.text))
            .filter(|(other, same, rest)| last(other) != last(subject) && *same == verb && *rest != own)
            .map(|(_, _, rest)| rest)
            .collect();
        rng.shuffle(&mut others);
        out.extend(others.first().map(|rest| Draft::of(first, format!("{subject} {verb} {rest}"))));
    }
    out
}

/// A cause put between two sentences, two sides of a cause changed about, or another word for the cause.
pub fn cause(ground: &Ground, rng: &mut Rng) -> Vec<Draft> {
    let rules = &ground.language.rules;
    let sentences = &ground.source.sentences;
    let mut out = Vec::new();
    for sentence in sentences {
        out.extend(
            crate::rules::replaced(&sentence.text, rules.pairs("cause-word"))
                .into_iter()
                .map(|t| Draft::of(sentence, t)),
        );
        let body = text::without_end(&sentence.text);
        if let [marker] = rules.list("cause")
            && let Some((effect, cause)) = body.split_once(&format!(" {marker} "))
            && !rules.starts("pronouns", cause)
            && !rules.starts("pronouns", effect)
            && !effect.contains(',')
        {
            let lowered = ground.language.lowered(effect);
            out.push(Draft::of(sentence, format!("{} {marker} {lowered}.", text::capitalised(cause))));
        }
    }
    let Some(marker) = rules.list("join-cause").first() else { return out };
    let fits = |s: &str| {
        s.split(' ').count() <= 12 && !s.contains([',', ';']) && !rules.starts("pronouns", s) && !rules.has("cause", s)
    };
    let short: Vec<_> = sentences.iter().filter(|s| fits(&s.text)).collect();
    for (i, sentence) in short.iter().enumerate() {
        // Not the neighbour: that one may well be the cause.
        let far = (i + 2 + rng.below(short.len())) % short.len();
        if far.abs_diff(i) > 1 {
            let cause = ground.language.lowered(text::without_end(&short[far].text));
            let joint = if marker.starts_with(',') { "" } else { " " };
            let joined = format!("{}{joint}{marker} {cause}.", text::without_end(&sentence.text));
            out.push(Draft::of(sentence, joined));
        }
    }
    out
}

/// Who did it and whom it was done to change places. Only where the order of words tells them apart: `Den Chlor misst der
/// Bademeister` and `Ocho autobuses compró la empresa` are true.
pub fn roles(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        if let Some(parts) = doing(ground, &sentence.text) {
            let subject = ground.language.lowered(parts.subject);
            let made = format!("{} {} {subject}{}", text::capitalised(parts.object), parts.verb, parts.rest);
            out.push(Draft::of(sentence, made));
        }
    }
    out
}

/// A sentence of somebody who does something to something.
pub struct Doing<'a> {
    pub subject: &'a str,
    pub verb: &'a str,
    /// The line of the rules that the verb stands in.
    pub rule: &'a str,
    pub object: &'a str,
    /// With the full stop.
    pub rest: &'a str,
}

pub fn doing<'a>(ground: &'a Ground, sentence: &'a str) -> Option<Doing<'a>> {
    let rules = &ground.language.rules;
    let (at, verb, rule) = rules
        .list("swap")
        .iter()
        .filter_map(|rule| {
            let verb = rule.split(" > ").next()?;
            text::find(sentence, verb, 0).map(|at| (at, verb, rule))
        })
        .min_by_key(|(at, ..)| *at)?;
    let subject = sentence[..at].trim();
    let plain = !subject.contains([',', ';']) && !rules.starts("pronouns", subject) && !rules.has("verbs", subject);
    if !plain || !(1..=6).contains(&subject.split(' ').filter(|word| !word.is_empty()).count()) {
        return None;
    }
    let start = at + verb.len() + 1;
    let ends = rules.list("prepositions").iter().filter_map(|word| {
        let found = text::find(sentence, word, start + 1)?;
        (found > start).then(|| found - 1)
    });
    let comma = [", ", "; "].iter().filter_map(|mark| sentence.get(start..)?.find(mark)).min().map(|at| start + at);
    let end = ends.chain(comma).chain([text::without_end(sentence).len()]).min()?;
    let object = sentence.get(start..end)?;
    let sound = !object.is_empty()
        && !object.ends_with(" of")
        && !object.starts_with(|c: char| c.is_ascii_digit())
        && !rules.starts("prepositions", object)
        && !rules.starts("pronouns", object)
        && !rules.list("split").iter().any(|joint| sentence[end..].starts_with(joint.trim_start_matches(',')));
    sound.then(|| Doing { subject, verb, rule, object, rest: &sentence[end..] })
}

//! The topic within an order, and a title made of it.

use galley_domain::writing::{Brief, Snapshot};
use galley_text::word;

use crate::{
    lexicon::{self, Language},
    request,
    table::capitalised,
};

/// What search engines show in full.
pub(crate) const MAX_CHARS: usize = 60;

/// The title for an order: its topic, shortened to 60 characters where a natural place is found, with the first
/// keyword where it fits.
pub(crate) fn title(brief: &Brief, sources: &[Snapshot]) -> String {
    let language = lexicon::of(&brief.language).or_else(|| lexicon::of("en"));
    let keyword = brief.keywords.first().map(|k| k.trim()).filter(|k| !k.is_empty());
    let topic = shortened(&topic(&brief.prompt, language), language);
    let base = if topic.chars().any(char::is_alphabetic) {
        topic
    } else {
        keyword.map(str::to_owned).or_else(|| sources.first().map(|s| s.title.clone())).unwrap_or_default()
    };
    let base = capitalised(base.trim());
    let Some(keyword) = keyword else { return base };
    let with = format!("{}: {}", capitalised(keyword), base);
    if has_all_words(&base, keyword, &brief.language) || with.chars().count() > MAX_CHARS { base } else { with }
}

/// Whether every word of `keyword` is in `text`, in any inflection.
pub(crate) fn has_all_words(text: &str, keyword: &str, lang: &str) -> bool {
    let lang = lexicon::primary(lang);
    let stems: Vec<String> = word::iter(text).map(|w| word::stem(w, lang)).collect();
    let mut wanted = word::iter(keyword).filter(|w| !word::is_stopword(&lexicon::lower(w), lang)).peekable();
    wanted.peek().is_some() && wanted.all(|w| stems.contains(&word::stem(w, lang)))
}

/// What an order asks to write about: `Write an article about X for Y` is about `X for Y`.
pub(crate) fn topic(prompt: &str, language: Option<&Language>) -> String {
    let line = prompt.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("");
    // Only the first sentence names the topic; what follows are wishes.
    let first = galley_text::sentence::split(line).into_iter().next().map_or(line, |range| &line[range]);
    let first = first.trim_end_matches(['.', '!', ':', ';', ',', ' ']);
    let first = first.trim_start_matches(['#', '-', '*', ' ', '"', '“']);
    let Some(language) = language else { return first.to_owned() };
    let subject = request::subject(first, language.table.code);
    let rest = without_instruction(&subject, language);
    let rest = without_trailers(rest, language);
    rest.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '“' | '”' | ':' | ',' | '.')).to_owned()
}

/// Strips the lead-in: verbs of writing, the kind of text with its adjectives, and the preposition behind it.
pub(crate) fn without_instruction<'a>(text: &'a str, language: &Language) -> &'a str {
    let tokens = lexicon::tokens(text);
    let lower: Vec<String> = tokens.iter().map(|(_, t)| lexicon::lower(t)).collect();
    let mut at = 0;
    let mut kind_seen = false;
    let Some(mut taken) = language.instructions.match_len(&lower) else { return text };
    while taken > 0 {
        at += taken;
        let rest = &lower[at..];
        let behind_kind = language.text_kinds.is(&lower[at - 1..at]);
        taken = if rest.is_empty() {
            0
        } else if let Some(n) = kind_len(rest, language, kind_seen) {
            kind_seen = true;
            n
        } else if behind_kind && language.kind_adjectives.is(&rest[..1]) && !language.instructions.is(&rest[..1]) {
            // `un article détaillé sur …`
            1
        } else if is_length(rest) && !kind_seen {
            1
        } else {
            language.instructions.match_len(rest).unwrap_or(0)
        };
    }
    if at == tokens.len() {
        return "";
    }
    tokens.get(at).map_or(text, |(start, _)| &text[*start..])
}

/// Words of `a short and friendly blog post`, but not the article that belongs to the topic.
fn kind_len(rest: &[String], language: &Language, kind_seen: bool) -> Option<usize> {
    if let Some(n) = language.text_kinds.match_len(rest) {
        return (!kind_seen || language.text_kinds.starts(&rest[..1])).then_some(n);
    }
    if kind_seen {
        return None;
    }
    // Adjectives only count on the way to a kind of text.
    let ahead = rest.iter().take(8).position(|w| language.text_kinds.is(std::slice::from_ref(w)))?;
    let all = rest[..ahead].iter().all(|w| {
        let one = std::slice::from_ref(w);
        language.kind_adjectives.is(one) || language.instructions.is(one) || w == language.table.and || is_length(one)
    });
    all.then_some(ahead)
}

/// `500`, `1000-word`.
fn is_length(rest: &[String]) -> bool {
    rest.first().is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit()) && w.len() > 2 && !is_year(w))
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && (word.starts_with("19") || word.starts_with("20"))
}

fn without_trailers<'a>(text: &'a str, language: &Language) -> &'a str {
    let lower = text.to_lowercase();
    if lower.len() != text.len() {
        return text;
    }
    let cut = language.table.trailers.iter().filter_map(|t| lower.find(t)).filter(|at| *at > 10).min();
    cut.and_then(|at| text.get(..at)).unwrap_or(text)
}

/// A topic and those it is written for: `parcel lockers`, `small online shops`.
pub(crate) fn without_audience<'a>(topic: &'a str, language: Option<&Language>) -> (&'a str, &'a str) {
    let marks = language.map_or(&[][..], |l| l.table.audience);
    let cut = marks.iter().filter_map(|mark| topic.rfind(mark).map(|at| (at, at + mark.len()))).max();
    cut.map_or((topic, ""), |(end, start)| (&topic[..end], &topic[start..]))
}

/// Cuts at the audience, a comma, a colon or a conjunction, in this order, until the topic is short enough.
pub(crate) fn shortened(topic: &str, language: Option<&Language>) -> String {
    if topic.chars().count() <= MAX_CHARS {
        return topic.to_owned();
    }
    if let Some(rest) = topic.strip_prefix("The ") {
        return shortened(rest, language);
    }
    let audience = language.map_or(&[][..], |l| l.table.audience);
    let and = language.map_or(String::new(), |l| format!(" {} ", l.table.and));
    let cuts = audience.iter().copied().chain([" – ", " — ", ": ", "; ", ", ", " (", " that ", " which ", " with "]);
    for mark in cuts.chain([and.as_str()]).filter(|m| !m.is_empty()) {
        if let Some(at) = topic.rfind(mark).filter(|at| (15..=MAX_CHARS).contains(at)) {
            return topic[..at].trim_end().to_owned();
        }
    }
    galley_text::seo::fit_title(topic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::brief;

    #[test]
    fn orders_become_titles() {
        for (lang, prompt, expected) in [
            (
                "en",
                "Write an article about parcel lockers for small online shops",
                "Parcel lockers for small online shops",
            ),
            (
                "en",
                "Please write a short, friendly blog post about how parcel lockers change delivery.",
                "How parcel lockers change delivery",
            ),
            (
                "en",
                "Explain how returns work in the Baltic states. Use a calm tone.",
                "How returns work in the Baltic states",
            ),
            (
                "en",
                "Write an article for beginners about lime plaster, covering tools, mixing and repairs",
                "Lime plaster",
            ),
            ("en", "Write about heat pumps: how they work, costs and noise, in a friendly tone", "Heat pumps"),
            ("en", "Describe the causes and symptoms of gout as a checklist", "The causes and symptoms of gout"),
            ("de", "Schreibe über Wärmepumpen: Funktionsweise, Kosten und Wartung.", "Wärmepumpen"),
            (
                "en",
                "Could you create a comprehensive guide on the history of lighthouses in about 800 words",
                "The history of lighthouses",
            ),
            ("en", "I need a 1000-word article on PostgreSQL backups", "PostgreSQL backups"),
            ("en", "Parcel lockers in the Baltics", "Parcel lockers in the Baltics"),
            ("en", "The overview effect in space travel", "The overview effect in space travel"),
            ("en", "Why do customers return shoes?", "Why do customers return shoes?"),
            ("de", "Schreibe einen ausführlichen Artikel über Paketautomaten in Leipzig", "Paketautomaten in Leipzig"),
            ("fr", "Rédigez un article détaillé sur les consignes à colis", "Les consignes à colis"),
            ("es", "Escribe un artículo sobre las taquillas de paquetes", "Las taquillas de paquetes"),
            ("it", "Scrivi un articolo dettagliato sui punti di ritiro", "Punti di ritiro"),
            ("pt", "Escreva um artigo sobre os armários de encomendas", "Os armários de encomendas"),
            ("ru", "Напишите статью о постаматах в городах", "Постаматах в городах"),
        ] {
            let mut b = brief(prompt, &[]);
            b.language = lang.to_owned();
            assert_eq!(title(&b, &[]), expected, "{prompt}");
        }
    }

    #[test]
    fn long_topics_are_cut_at_a_natural_place() {
        let b = brief(
            "Write an article about choosing between parcel lockers and home delivery for small online shops in the Baltic states",
            &[],
        );
        assert_eq!(title(&b, &[]), "Choosing between parcel lockers and home delivery");
    }

    #[test]
    fn the_first_keyword_is_added_where_it_fits() {
        assert_eq!(title(&brief("Write about returns", &["parcel lockers"]), &[]), "Parcel lockers: Returns");
        assert_eq!(title(&brief("Write about a parcel locker", &["parcel lockers"]), &[]), "A parcel locker");
        assert_eq!(title(&brief("Write an article", &["parcel lockers"]), &[]), "Parcel lockers");
    }
}

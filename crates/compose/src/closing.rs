//! What the last section of an article is made of.

use std::{collections::HashSet, sync::LazyLock};

use crate::lexicon::{self, List};

/// The heading of the last section.
const HEADINGS: [(&str, &str); 7] = [
    ("en", "Conclusion"),
    ("de", "Fazit"),
    ("fr", "Conclusion"),
    ("es", "Conclusión"),
    ("it", "Conclusione"),
    ("pt", "Conclusão"),
    ("ru", "Заключение"),
];
/// Headings below which sources draw their conclusions.
const ENDS: List = "
    conclusion, conclusions, summary, outlook, in short, key takeaways, takeaways, final thoughts, wrapping up, next steps,
    what comes next, the future, future, fazit, ausblick, zusammenfassung, schluss, bilan, perspectives, résumé,
    conclusión, conclusiones, resumen, perspectivas, futuro, conclusione, conclusioni, riepilogo, prospettive, conclusão,
    conclusões, resumo, заключение, вывод, выводы, итоги, перспективы";
/// Words of sentences that look ahead; those of `WILL` only with a year: `will open in 2027`.
const AHEAD: List = "
    future, plans, planned, expects, expected, aims, zukunft, künftig, geplant, avenir, prévu, prévoit, futuro, previsto,
    prevede, planeia, планирует, планируется, будущем";
const WILL: List = "
    will, wird, werden, soll, sollen, sera, seront, será, serán, sarà, saranno, serão, будет, будут, откроет";

static END_HEADINGS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| lexicon::entries(ENDS).collect());
static AHEAD_WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| lexicon::entries(AHEAD).collect());
static WILL_WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| lexicon::entries(WILL).collect());

pub(crate) fn heading(language: &str) -> Option<&'static str> {
    HEADINGS.iter().find(|(code, _)| *code == language).map(|(_, heading)| *heading)
}

pub(crate) fn is_heading(text: &str, language: &str) -> bool {
    heading(language).is_some() && END_HEADINGS.contains(lexicon::lower_tokens(text).join(" ").as_str())
}

pub(crate) fn looks_ahead(text: &str, language: &str) -> bool {
    let words = lexicon::lower_tokens(text);
    let has = |list: &HashSet<&'static str>| words.iter().any(|word| list.contains(word.as_str()));
    let year = || {
        words.iter().any(|word| word.len() == 4 && word.starts_with("20") && word.bytes().all(|b| b.is_ascii_digit()))
    };
    heading(language).is_some() && (has(&AHEAD_WORDS) || has(&WILL_WORDS) && year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_known_by_their_heading_or_by_looking_ahead() {
        assert!(is_heading("Conclusions", "en") && is_heading("Ausblick", "de") && !is_heading("Costs", "en"));
        assert!(looks_ahead("The board will publish the first results in 2026.", "en"));
        assert!(!looks_ahead("Beans that will not be used within a month can be frozen.", "en"));
    }
}

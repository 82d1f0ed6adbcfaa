//! Sources that are all in another language than the ordered one: without a model, the text is in theirs.

use galley_domain::writing::{Brief, Snapshot};

use crate::{lexicon, snapshot::language_of, subject, title};

/// The order as the built-in writer can follow it, where every source is in one other language than ordered: written in that
/// language, about the topic alone. `None` where it can be followed as it is.
///
/// Of a source whose language cannot be told it is taken that it is in the ordered one.
pub fn in_language_of_sources(brief: &Brief, sources: &[Snapshot]) -> Option<Brief> {
    let ordered = lexicon::primary(&brief.language);
    let mut languages = sources.iter().map(language_of);
    let first = languages.next()?;
    let is_foreign = !first.is_empty() && !galley_text::language::is_near(first, ordered);
    if !is_foreign || languages.any(|other| other != first) {
        return None;
    }
    // The words of the order that ask for a text are in the order's own language.
    let prompt = title::topic(&brief.prompt, lexicon::of(&subject::language_of_order(brief)));
    Some(Brief { language: first.to_owned(), prompt, ..brief.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{brief, source};

    #[test]
    fn a_text_is_in_the_language_of_its_sources_where_none_is_in_the_ordered_one() {
        let order = brief("Write an article about parcel lockers in Leipzig", &[]);
        let german = |n| source(n, "de", "Der Automat steht am Markt.");
        let found = in_language_of_sources(&order, &[german(1), german(2)]).expect("another language");
        assert_eq!((found.language.as_str(), found.prompt.as_str()), ("de", "parcel lockers in Leipzig"));
        let english = source(3, "en", "The locker stands at the market.");
        let unknown = source(4, "", "Q1 | Q2");
        let french = source(5, "fr", "La consigne se trouve au marché.");
        for sources in [vec![german(1), english], vec![german(1), unknown], vec![german(1), french], Vec::new()] {
            assert_eq!(in_language_of_sources(&order, &sources), None);
        }
    }
}

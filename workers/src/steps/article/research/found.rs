//! What searches found: judged before anything of it is read.

use std::collections::HashSet;

use galley_compose::searches::HitJudge;
use galley_domain::writing::Brief;
use galley_fetch::search::Hit;

/// Reasons that are told one by one; of more, the number is told.
const MAX_REASONS: usize = 8;

/// A page that is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub url: String,
    pub query: String,
}

/// At most `count` pages, taken from the lists of the queries in turn, and why others are not read. What the order names
/// itself is read anyway.
pub(super) fn choose(
    lists: &[(String, Vec<Hit>)],
    brief: &Brief,
    given: &[String],
    count: usize,
) -> (Vec<Chosen>, Vec<String>) {
    let judge = HitJudge::new(brief);
    let mut seen: HashSet<&str> = given.iter().map(String::as_str).collect();
    let (mut chosen, mut reasons) = (Vec::new(), Vec::new());
    let longest = lists.iter().map(|(_, hits)| hits.len()).max().unwrap_or(0);
    for (query, hit) in
        (0..longest).flat_map(|rank| lists.iter().filter_map(move |(query, hits)| Some((query, hits.get(rank)?))))
    {
        if chosen.len() == count {
            break;
        }
        if !seen.insert(&hit.url) {
            continue;
        }
        match judge.judge(&hit.title, &hit.snippet) {
            Ok(()) => chosen.push(Chosen { url: hit.url.clone(), query: query.clone() }),
            Err(why) => reasons.push(format!("{} was found but not read: {why}", hit.url)),
        }
    }
    if reasons.len() > MAX_REASONS {
        let more = reasons.len() - MAX_REASONS;
        reasons.truncate(MAX_REASONS);
        reasons.push(format!("{more} more pages were found but not read, because they share no words with the order"));
    }
    (chosen, reasons)
}

#[cfg(test)]
mod tests {
    use galley_domain::writing::{Tone, WordRange};

    use super::*;

    fn hit(url: &str, title: &str) -> Hit {
        Hit { url: url.into(), title: title.into(), snippet: String::new() }
    }

    #[test]
    fn queries_take_turns_and_hits_about_something_else_are_told() {
        let brief = Brief {
            prompt: "Write about growing tomatoes on a balcony".into(),
            language: "en".into(),
            tone: Tone::default(),
            words: WordRange { min: 100, max: 200 },
            keywords: Vec::new(),
            instructions: String::new(),
        };
        let lists = [
            ("a".to_owned(), vec![hit("u1", "Tomatoes"), hit("u2", "Heat pumps"), hit("u3", "Balcony plants")]),
            ("b".to_owned(), vec![hit("u1", "Tomatoes"), hit("given", "Tomatoes"), hit("u4", "Growing tomatoes")]),
        ];
        let (chosen, reasons) = choose(&lists, &brief, &["given".to_owned()], 3);
        let urls: Vec<_> = chosen.iter().map(|one| (one.url.as_str(), one.query.as_str())).collect();
        assert_eq!(urls, [("u1", "a"), ("u3", "a"), ("u4", "b")]);
        assert_eq!(reasons, ["u2 was found but not read: its title and summary have no word of the order"]);
        let many: Vec<Hit> = (0..30).map(|n| hit(&format!("v{n}"), "Heat pumps")).collect();
        let (chosen, reasons) = choose(&[("a".to_owned(), many)], &brief, &[], 3);
        assert_eq!((chosen.len(), reasons.len()), (0, MAX_REASONS + 1));
        assert!(reasons[MAX_REASONS].starts_with("22 more pages"), "{reasons:?}");
    }
}

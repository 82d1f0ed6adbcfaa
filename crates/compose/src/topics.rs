//! What the sections of an article are about: the sources' own headings, and where these do not suffice, clusters of
//! passages named by their key terms.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use galley_domain::writing::{Brief, Snapshot};
use galley_text::word;

use crate::{
    lexicon::{self, Language},
    plan::terms_of,
    pool::{Piece, Pool, affinity, pieces},
    similar::jaccard,
    table::capitalised,
    usable,
};

const MAX_HEADING_CHARS: usize = 60;
const MAX_HEADING_WORDS: usize = 9;
/// Terms that describe a topic.
const PROFILE: usize = 24;
/// Topics closer than this are one.
const ONE_TOPIC: f32 = 0.42;

#[derive(Debug, Clone)]
pub(crate) struct Topic {
    pub heading: String,
    /// Sorted content terms.
    pub profile: Vec<u32>,
    /// Sentences that belong to it.
    pub home: BTreeSet<usize>,
    /// Words of usable sentences.
    pub words: u32,
    relevance: f32,
    /// Where in its source it stands, 0.0..=1.0.
    depth: f32,
}

/// A heading of a source with the passages below it.
struct Group {
    heading: String,
    pieces: Vec<Piece>,
}

/// Up to `wanted` topics with headings, in reading order, each with room for about `budget` words.
///
/// Headings of every level compete, the titles of sources too, so that a long section is named after something wide
/// enough for it. A passage belongs to one topic.
pub(crate) fn topics(brief: &Brief, sources: &[Snapshot], pool: &Pool, wanted: usize, budget: u32) -> Vec<Topic> {
    let all = pieces(pool, &|_| true);
    let mut groups = by_heading(brief, sources, pool, &all);
    let mut chosen: Vec<Topic> = Vec::new();
    while chosen.len() < wanted {
        let best = groups
            .iter()
            .enumerate()
            .map(|(i, group)| (i, describe(pool, &group.heading, &group.pieces)))
            .map(|(i, topic)| (i, worth(pool, &topic, &chosen, budget), topic))
            .filter(|(_, value, _)| *value > 0.03)
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let Some((index, _, mut topic)) = best else { break };
        groups.remove(index);
        // What says the same under another heading belongs here too.
        for group in &groups {
            let other = describe(pool, &group.heading, &group.pieces);
            if same_topic(pool, &topic, &other) {
                topic.words += other.words;
                topic.home.extend(other.home);
            }
        }
        for group in &mut groups {
            group.pieces.retain(|piece| !topic.home.contains(&piece.first));
        }
        groups.retain(|group| !group.pieces.is_empty());
        chosen.push(topic);
    }
    while chosen.len() < wanted {
        let Some(topic) = cluster(brief, pool, &all, &chosen) else { break };
        chosen.push(topic);
    }
    chosen.sort_by(|a, b| a.depth.total_cmp(&b.depth).then_with(|| a.heading.cmp(&b.heading)));
    chosen
}

fn worth(pool: &Pool, topic: &Topic, chosen: &[Topic], budget: u32) -> f32 {
    let room = (topic.words as f32 / budget.max(1) as f32).min(1.0).powf(0.75);
    let near = chosen.iter().map(|c| likeness(pool, c, topic)).fold(0.0, f32::max);
    topic.relevance * room - 0.3 * near
}

fn likeness(pool: &Pool, a: &Topic, b: &Topic) -> f32 {
    heading_likeness(pool, a, b).max(affinity(pool, &a.profile, &b.profile))
}

fn heading_likeness(pool: &Pool, a: &Topic, b: &Topic) -> f32 {
    let (x, y) = (pool.vocabulary.find(&a.heading, "").0, pool.vocabulary.find(&b.heading, "").0);
    jaccard(&x.content, &y.content)
}

fn same_topic(pool: &Pool, a: &Topic, b: &Topic) -> bool {
    heading_likeness(pool, a, b) >= 0.6 || affinity(pool, &a.profile, &b.profile) >= ONE_TOPIC
}

/// The passages below each usable heading of each source in the ordered language.
fn by_heading(brief: &Brief, sources: &[Snapshot], pool: &Pool, all: &[Piece]) -> Vec<Group> {
    let Some(language) = lexicon::of(&brief.language) else { return Vec::new() };
    let title = crate::title::title(brief, sources);
    let mut groups: BTreeMap<(usize, usize, String), Vec<Piece>> = BTreeMap::new();
    for piece in all {
        let sentence = &pool.sentences[piece.first];
        if sentence.foreign {
            continue;
        }
        for (level, text) in sentence.source.headings.iter().enumerate() {
            let Some(heading) = clean_heading(text, language) else { continue };
            // A title that names its kind of text or the whole topic heads no part of another text.
            let whole = level == 0
                && (same_words(&heading, &title) || language.text_kinds.anywhere(&lexicon::lower_tokens(&heading)));
            if !whole {
                groups.entry((sentence.rank, level, heading)).or_default().push(*piece);
            }
        }
    }
    groups.into_iter().map(|((_, _, heading), pieces)| Group { heading, pieces }).collect()
}

fn same_words(a: &str, b: &str) -> bool {
    let words = |t: &str| lexicon::lower_tokens(t).into_iter().collect::<BTreeSet<_>>();
    let (a, b) = (words(a), words(b));
    !a.is_empty() && (a == b || a.len() > 2 && a.is_subset(&b) && a.len() + 2 >= b.len())
}

fn describe(pool: &Pool, heading: &str, pieces: &[Piece]) -> Topic {
    let (mut words, mut relevance, mut depth) = (0, 0.0, 0.0);
    let mut home = BTreeSet::new();
    for piece in pieces {
        for i in piece.range() {
            let s = &pool.sentences[i];
            words += s.words;
            relevance += s.relevance * s.words as f32;
            depth += s.depth * s.words as f32;
            home.insert(i);
        }
    }
    let weight = words.max(1) as f32;
    let profile = profile(pool, &home, heading);
    Topic { heading: heading.to_owned(), profile, home, words, relevance: relevance / weight, depth: depth / weight }
}

/// The most telling terms of some sentences, those of the heading included.
fn profile(pool: &Pool, sentences: &BTreeSet<usize>, heading: &str) -> Vec<u32> {
    let mut counts: BTreeMap<u32, f32> = BTreeMap::new();
    for i in sentences {
        for id in &pool.sentences[*i].terms.content {
            *counts.entry(*id).or_default() += pool.rarity(*id);
        }
    }
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let lang = sentences.first().map_or("", |i| &pool.sentences[*i].lang);
    let mut ids: Vec<u32> = ranked.into_iter().take(PROFILE).map(|(id, _)| id).collect();
    ids.extend(pool.vocabulary.find(heading, lang).0.content);
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A heading as it can stand in another text; `None` where it says nothing there.
pub(crate) fn clean_heading(text: &str, language: &Language) -> Option<String> {
    let mut bare = text.trim().trim_end_matches([':', '.', '¶', '#', ' ']);
    // `3.2.`, `Chapter 4:` and the like are numbers of another document.
    bare = bare.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ')' | ' ' | '\u{a0}' | '–' | '-'));
    if text.chars().filter(|c| c.is_ascii_digit()).count() > 0 && bare.len() + 8 < text.len() {
        return None;
    }
    for site in [" | ", " :: "] {
        bare = bare.split_once(site).map_or(bare, |(first, _)| first);
    }
    for mark in [" – ", " — ", ": "] {
        if bare.chars().count() > MAX_HEADING_CHARS
            && let Some((first, _)) = bare.split_once(mark)
        {
            bare = first;
        }
    }
    let lower = lexicon::lower_tokens(bare);
    let numbered = lower.len() > 1 && lower[1].starts_with(|c: char| c.is_ascii_digit());
    let part = ["chapter", "step", "part", "section", "appendix", "kapitel", "teil", "schritt", "chapitre", "étape"];
    let refused = lower.is_empty()
        || lower.len() > MAX_HEADING_WORDS
        || bare.chars().count() > MAX_HEADING_CHARS
        || bare.chars().filter(|c| c.is_alphabetic()).count() < 4
        || bare.contains(['<', '>', '{', '}', '=', '`', '\\', '|', '_', '@', '/', '*', '#', '!', '…'])
        || bare.contains("()")
        || numbered && part.contains(&lower[0].as_str())
        || language.generic_headings.is(&lower)
        || language.boilerplate.anywhere(&lower)
        || language.first_person.anywhere(&lower)
        || language.pointing.anywhere(&lower)
        || usable::hangs(bare, language)
        || !bare.starts_with(|c: char| c.is_alphanumeric());
    if refused {
        return None;
    }
    let shouted = bare.chars().filter(|c| c.is_alphabetic()).all(char::is_uppercase) && bare.len() > 6;
    Some(capitalised(&if shouted { bare.to_lowercase() } else { bare.to_owned() }))
}

/// A topic among the passages that no topic has yet.
fn cluster(brief: &Brief, pool: &Pool, all: &[Piece], chosen: &[Topic]) -> Option<Topic> {
    let language = lexicon::of(&brief.language)?;
    let free =
        |piece: &Piece| !pool.sentences[piece.first].foreign && !chosen.iter().any(|t| t.home.contains(&piece.first));
    let mut seeds: Vec<(f32, Piece)> = all
        .iter()
        .filter(|piece| free(piece))
        .map(|piece| {
            let terms = terms_of(pool, *piece);
            let near = chosen.iter().map(|t| affinity(pool, &terms, &t.profile)).fold(0.0, f32::max);
            let s = &pool.sentences[piece.range()];
            (s.iter().map(|s| s.relevance).sum::<f32>() / s.len() as f32 - near, *piece)
        })
        .collect();
    seeds.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.first.cmp(&b.1.first)));
    seeds.into_iter().take(6).find_map(|(_, seed)| {
        let terms = terms_of(pool, seed);
        let mut near: Vec<(f32, Piece)> = all
            .iter()
            .filter(|piece| free(piece))
            .map(|piece| (affinity(pool, &terms, &terms_of(pool, *piece)), *piece))
            .filter(|(value, _)| *value >= 0.1)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.first.cmp(&b.1.first)));
        let members: Vec<Piece> = near.into_iter().take(8).map(|(_, piece)| piece).collect();
        let heading = name(pool, &members, chosen, language)?;
        Some(describe(pool, &heading, &members))
    })
}

/// Names a cluster by its one or two most telling phrases: `Return rates and parcel lockers`.
fn name(pool: &Pool, members: &[Piece], chosen: &[Topic], language: &Language) -> Option<String> {
    let mut phrases: HashMap<String, (f32, u32, String)> = HashMap::new();
    for s in members.iter().flat_map(|m| &pool.sentences[m.range()]) {
        for phrase in phrases_of(&s.source.text, &s.lang) {
            let key = phrase.iter().map(|w| word::stem(w, &s.lang)).collect::<Vec<_>>().join(" ");
            let (set, _) = pool.vocabulary.find(&key, "");
            let rarity: f32 = phrase
                .iter()
                .filter_map(|w| pool.vocabulary.find(w, &s.lang).0.content.first().map(|id| pool.rarity(*id)))
                .sum();
            let told = chosen.iter().any(|t| set.content.iter().all(|id| t.profile.contains(id)));
            if told {
                continue;
            }
            let entry = phrases.entry(key).or_insert_with(|| (rarity, 0, phrase.join(" ")));
            entry.1 += 1;
        }
    }
    let mut ranked: Vec<(f32, String)> = phrases
        .into_values()
        .filter(|(.., text)| text.chars().count() >= 4)
        .map(|(rarity, count, text)| (rarity.min(9.0) * (count as f32).sqrt(), text))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let first = ranked.first()?.1.clone();
    let own: BTreeSet<String> = lexicon::lower_tokens(&first).into_iter().collect();
    let second = ranked
        .iter()
        .skip(1)
        .map(|(_, text)| text)
        .find(|text| lexicon::lower_tokens(text).iter().all(|w| !own.contains(w)));
    let heading = match second {
        Some(second) => format!("{first} {} {second}", language.table.and),
        None => first.clone(),
    };
    let heading = if heading.chars().count() > MAX_HEADING_CHARS { first } else { heading };
    clean_heading(&capitalised(&heading), language).filter(|h| chosen.iter().all(|t| t.heading != *h))
}

/// Two or three content words that stand side by side, without digits.
fn phrases_of<'a>(text: &'a str, lang: &str) -> Vec<Vec<&'a str>> {
    let tokens = lexicon::tokens(text);
    let mut out = Vec::new();
    let mut run: Vec<(usize, &str)> = Vec::new();
    for (at, token) in tokens.into_iter().chain([(usize::MAX, "")]) {
        let plain = at != usize::MAX
            && token.chars().all(|c| c.is_alphabetic() || c == '-')
            && token.chars().count() > 2
            && !word::is_stopword(&lexicon::lower(token), lang);
        let adjacent = run.last().is_some_and(|(start, last)| start + last.len() + 1 == at);
        if !(run.is_empty() || plain && adjacent) {
            for len in 2..=3_usize.min(run.len()) {
                out.extend(run.windows(len).map(|w| w.iter().map(|(_, t)| *t).collect::<Vec<_>>()));
            }
            run.clear();
        }
        if plain {
            run.push((at, token));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_made_fit_for_another_text() {
        let en = lexicon::of("en").expect("English");
        for (text, expected) in [
            ("How parcel lockers work", Some("How parcel lockers work")),
            ("3.2. Costs of returns", Some("Costs of returns")),
            ("RETURN RATES BY COUNTRY", Some("Return rates by country")),
            ("Introduction", None),
            ("Our results", None),
            ("This is why", None),
            ("Chapter 4", None),
            ("Subscribe to the newsletter", None),
            ("getLocker()", None),
        ] {
            assert_eq!(clean_heading(text, en).as_deref(), expected, "{text}");
        }
    }
}

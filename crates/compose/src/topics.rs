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
    title, usable,
    vocabulary::shared,
};

const MAX_HEADING_CHARS: usize = 60;
const MAX_HEADING_WORDS: usize = 9;
/// Terms that describe a topic.
const PROFILE: usize = 24;
/// What it is worth that a heading names the subject of the article.
const NAMED: f32 = 0.06;
/// Topics closer than this are one.
const ONE_TOPIC: f32 = 0.42;

#[derive(Debug, Clone, Default)]
pub(crate) struct Topic {
    pub heading: String,
    /// Sorted content terms.
    pub profile: Vec<u32>,
    /// Sentences that belong to it.
    pub home: BTreeSet<usize>,
    /// Words of usable sentences.
    pub words: u32,
    /// The words of the order that name it.
    pub asked: Option<String>,
    /// Its heading is made of words of its passages.
    pub is_cluster: bool,
    /// By the first sentence of a passage, how well that fits what the order named, 0.0..=1.0.
    pub fit: BTreeMap<usize, f32>,
    relevance: f32,
    /// Where in its source it stands, 0.0..=1.0.
    depth: f32,
}

/// A heading of a source with the passages below it.
struct Group {
    heading: String,
    pieces: Vec<Piece>,
}

/// Up to `wanted` topics with headings: those that the order names, `asked`, and behind them others in reading order,
/// each with room for about `budget` words.
///
/// Headings of every level compete, the titles of sources too, so that a long section is named after something wide
/// enough for it. A passage belongs to one topic.
pub(crate) fn topics(
    brief: &Brief,
    sources: &[Snapshot],
    pool: &Pool,
    asked: Vec<Topic>,
    wanted: usize,
    budget: u32,
) -> Vec<Topic> {
    let all = pieces(pool, &|_| true);
    let lang = lexicon::primary(&brief.language);
    let subject = brief.keywords.first().cloned().unwrap_or_else(|| title::topic(&brief.prompt, lexicon::of(lang)));
    let subject = pool.vocabulary.find(&subject, lang).0.content;
    let named = asked.len();
    let mut chosen = asked;
    let mut groups = Vec::new();
    if named < wanted {
        groups = by_heading(brief, sources, pool, &all);
        for group in &mut groups {
            let told = |piece: &Piece| chosen.iter().any(|topic| topic.home.contains(&piece.first));
            group.0.pieces.retain(|piece| !told(piece));
        }
        groups.retain(|(group, _)| !group.pieces.is_empty());
        for (group, topic) in &mut groups {
            *topic = describe(pool, &group.heading, &group.pieces);
        }
    }
    while chosen.len() < wanted {
        let best = groups
            .iter()
            .enumerate()
            .filter(|(_, (_, topic))| chosen.iter().all(|other| other.heading != topic.heading))
            .map(|(i, (_, topic))| {
                let names_it = shared(&pool.vocabulary.find(&topic.heading, lang).0.content, &subject) > 0;
                (i, worth(pool, topic, &chosen, budget) + if names_it { NAMED } else { 0.0 })
            })
            .filter(|(_, value)| *value > 0.03)
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let Some((index, _)) = best else { break };
        let (_, mut topic) = groups.remove(index);
        // What says the same under another heading belongs here too.
        for (_, other) in &groups {
            if same_topic(pool, &topic, other) {
                topic.words += other.words;
                topic.home.extend(other.home.iter().copied());
            }
        }
        groups.retain_mut(|(group, description)| {
            let before = group.pieces.len();
            group.pieces.retain(|piece| !topic.home.contains(&piece.first));
            if group.pieces.len() < before {
                *description = describe(pool, &group.heading, &group.pieces);
            }
            !group.pieces.is_empty()
        });
        chosen.push(topic);
    }
    while chosen.len() < wanted {
        let Some(topic) = cluster(brief, pool, &all, &chosen) else { break };
        chosen.push(topic);
    }
    chosen[named..].sort_by(|a, b| a.depth.total_cmp(&b.depth).then_with(|| a.heading.cmp(&b.heading)));
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
fn by_heading(brief: &Brief, sources: &[Snapshot], pool: &Pool, all: &[Piece]) -> Vec<(Group, Topic)> {
    let Some(language) = lexicon::of(&brief.language) else { return Vec::new() };
    let title = title::title(brief, sources);
    // The title of the only source is about all of the article.
    let from = usize::from(sources.len() == 1 && pool.sentences.iter().any(|s| s.source.headings.len() > 1));
    let mut groups: BTreeMap<(usize, usize, String), Vec<Piece>> = BTreeMap::new();
    for piece in all {
        let sentence = &pool.sentences[piece.first];
        if sentence.foreign {
            continue;
        }
        for (level, text) in sentence.source.headings.iter().enumerate().skip(from) {
            let Some(heading) = clean_heading(text, language) else { continue };
            // A title that names its kind of text or the whole topic heads no part of another text.
            let whole = level == 0
                && (same_words(&heading, &title) || language.text_kinds.anywhere(&lexicon::lower_tokens(&heading)));
            if !whole {
                groups.entry((sentence.rank, level, heading)).or_default().push(*piece);
            }
        }
    }
    groups.into_iter().map(|((_, _, heading), pieces)| (Group { heading, pieces }, Topic::default())).collect()
}

fn same_words(a: &str, b: &str) -> bool {
    let words = |t: &str| lexicon::lower_tokens(t).into_iter().collect::<BTreeSet<_>>();
    let (a, b) = (words(a), words(b));
    !a.is_empty() && (a == b || a.len() > 2 && a.is_subset(&b) && a.len() + 2 >= b.len())
}

pub(crate) fn describe(pool: &Pool, heading: &str, pieces: &[Piece]) -> Topic {
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
    Topic {
        heading: heading.to_owned(),
        profile,
        home,
        words,
        relevance: relevance / weight,
        depth: depth / weight,
        ..Topic::default()
    }
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
        Some(Topic { is_cluster: true, ..describe(pool, &heading, &members) })
    })
}

/// Names a cluster by its most telling noun phrase: one that stands in several of its sentences, at times behind an
/// article or a preposition. Two phrases in a row would be a salad.
fn name(pool: &Pool, members: &[Piece], chosen: &[Topic], language: &Language) -> Option<String> {
    let mut phrases: HashMap<String, Phrase> = HashMap::new();
    for s in members.iter().flat_map(|m| &pool.sentences[m.range()]) {
        for (phrase, is_noun) in phrases_of(&s.source.text, &s.lang) {
            let key = phrase.iter().map(|w| word::stem(w, &s.lang)).collect::<Vec<_>>().join(" ");
            let entry = phrases.entry(key).or_insert_with(|| Phrase { text: phrase.join(" "), count: 0, nouns: 0 });
            entry.count += 1;
            entry.nouns += u32::from(is_noun);
        }
    }
    let mut ranked: Vec<(f32, String)> = phrases
        .into_values()
        .filter(|phrase| phrase.count > 1 && phrase.nouns > 0 && phrase.text.chars().count() >= 4)
        .filter(|phrase| phrase.text.contains(' ') || phrase.nouns > 1)
        .filter_map(|phrase| {
            let terms = pool.vocabulary.find(&phrase.text, language.table.code).0.content;
            let told = chosen.iter().any(|t| terms.iter().all(|id| t.profile.contains(id)));
            let rarity: f32 = terms.iter().map(|id| pool.rarity(*id)).sum();
            (!told).then(|| (rarity.min(9.0) * (phrase.count as f32).sqrt(), phrase.text))
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    ranked
        .into_iter()
        .filter_map(|(_, text)| clean_heading(&capitalised(&text), language))
        .find(|heading| chosen.iter().all(|t| t.heading != *heading))
}

struct Phrase {
    text: String,
    count: u32,
    /// How often it stood where nouns stand.
    nouns: u32,
}

/// One to three content words that stand side by side, without digits, and whether they stand where nouns do.
fn phrases_of<'a>(text: &'a str, lang: &str) -> Vec<(Vec<&'a str>, bool)> {
    let tokens = lexicon::tokens(text);
    let mut out = Vec::new();
    let mut run: Vec<usize> = Vec::new();
    for at in 0..=tokens.len() {
        let plain = tokens.get(at).is_some_and(|(_, token)| {
            token.chars().all(|c| c.is_alphabetic() || c == '-')
                && token.chars().count() > 2
                && !word::is_stopword(&lexicon::lower(token), lang)
        });
        let adjacent = run.last().is_some_and(|last| {
            tokens.get(at).is_some_and(|(start, _)| tokens[*last].0 + tokens[*last].1.len() + 1 == *start)
        });
        if !(run.is_empty() || plain && adjacent) {
            for len in 1..=3_usize.min(run.len()) {
                out.extend(run.windows(len).filter_map(|window| noun_phrase(&tokens, window, lang)));
            }
            run.clear();
        }
        if plain {
            run.push(at);
        }
    }
    out
}

fn noun_phrase<'a>(tokens: &[(usize, &'a str)], window: &[usize], lang: &str) -> Option<(Vec<&'a str>, bool)> {
    const BEFORE: &[&str] = &[
        "the", "a", "an", "of", "for", "with", "from", "by", "about", "between", "its", "their", "these", "many",
        "most", "le", "la", "les", "des", "du", "de", "un", "une", "el", "los", "las", "del", "il", "lo", "gli",
        "della", "dei", "delle", "os", "as", "do", "da", "dos", "das", "o", "в", "на", "для", "о", "с", "из",
    ];
    let (first, last) = (*window.first()?, tokens[*window.last()?].1);
    let verbal = lang == "en" && (last.ends_with("ly") || last.ends_with("ed") || last.ends_with("ing"));
    if verbal || lang == "de" && !last.starts_with(char::is_uppercase) {
        return None;
    }
    let before = first.checked_sub(1).map(|i| lexicon::lower(tokens[i].1));
    let behind = before.is_some_and(|word| BEFORE.contains(&word.as_str()));
    let noun = if lang == "de" { first > 0 && tokens[first].1.starts_with(char::is_uppercase) } else { behind };
    Some((window.iter().map(|i| tokens[*i].1).collect(), noun))
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

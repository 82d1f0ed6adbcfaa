//! The topics that an order names, with what the sources have on them.

use std::collections::BTreeMap;

use galley_domain::writing::Brief;
use galley_text::word;

use crate::{
    bm25::{Group, Hit, Index},
    lexicon,
    likeness::Near,
    pool::{Piece, Pool, pieces},
    related,
    request::{self, Asked},
    title,
    topics::{Topic, clean_heading, describe},
    vocabulary::TermSet,
};

/// A passage is on a topic when it has this share of the topic's words, by rarity.
const COVERED: f32 = 0.42;
/// What a passage has of a topic at least, when all words of its heading are words of the topic.
const HEADED: f32 = 0.5;
/// What a form of a word and a word of the same field are worth beside the word itself.
const KIN: f32 = 0.7;
const FIELD: f32 = 0.6;
/// What an order says in brackets about a topic.
const HINT: f32 = 0.3;
/// What the whole article is about.
const WEAK: f32 = 0.05;
/// What an embedding model says beside the words, and how near it must see a passage that has none of them.
const NEARNESS: f32 = 0.6;
const NEAR: f32 = 0.6;
/// Words such as `rules` and `types`.
const VAGUE: f32 = 0.35;
/// Passages that fit the topic less than this beside its best one are taken only while it has fewer words than that.
const STRONG: f32 = 0.5;
const ENOUGH_WORDS: u32 = 160;
/// A heading counts like this many sentences below it.
const HEADING: f32 = 3.0;
/// Fewer words are no section.
const LEAST_WORDS: u32 = 10;
/// An article of so many words has room for a topic more.
const ROOM: u32 = 22;

/// The topics of the order that the sources tell something about, in the order's sequence. A passage belongs to one of
/// them; `words` is what the article has for all of them.
pub(crate) fn topics(brief: &Brief, pool: &Pool, words: u32) -> Vec<Topic> {
    let most = usize::try_from(words / ROOM).unwrap_or(usize::MAX).max(1);
    let asked = &pool.request.topics;
    if asked.is_empty() {
        return Vec::new();
    }
    let lang = lexicon::primary(&brief.language);
    let all: Vec<Piece> = pieces(pool, &|_| true).into_iter().filter(|p| !pool.sentences[p.first].foreign).collect();
    let index = index(pool, &all);
    let subject = subject(brief, pool, lang);
    let headed = headed(pool, &all, &subject);
    let found: Vec<BTreeMap<usize, Hit>> = asked
        .iter()
        .map(|asked| {
            let own = pool.vocabulary.find(&asked.words, lang).0.content;
            let hits = index.find(&query(pool, &index, asked, &subject, lang));
            hits.into_iter()
                .map(|(i, hit)| {
                    // Below `Figures` stands something on the figures of the last years.
                    let within = headed.get(&all[i].first).is_some_and(|terms| terms.iter().all(|id| own.contains(id)));
                    (i, if within { Hit { coverage: hit.coverage.max(HEADED), ..hit } } else { hit })
                })
                .filter(|(_, hit)| hit.coverage >= COVERED)
                .collect()
        })
        .zip(asked)
        .map(|(hits, asked)| match pool.near(&asked.words) {
            Some(near) => joined(hits, &all, &near),
            None => hits,
        })
        .collect();
    let owners = owners(&found, all.len());
    let mut out: Vec<Topic> = Vec::new();
    for (number, asked) in asked.iter().enumerate() {
        let best = found[number].values().map(|hit| hit.score).fold(f32::MIN_POSITIVE, f32::max);
        let own = strongest(pool, &all, &owners, number, &found[number], best);
        let mut topic = describe(pool, &asked.words, &own);
        if topic.words < LEAST_WORDS || out.len() == most {
            continue;
        }
        topic.heading = heading(brief, pool, asked, &own, &out);
        topic.asked = Some(asked.words.clone());
        let fit = |hit: &Hit| 0.8 * hit.score / best + 0.2 * hit.coverage;
        topic.fit = found[number].iter().map(|(i, hit)| (all[*i].first, fit(hit))).collect();
        out.push(topic);
    }
    out
}

/// What words in common say of a topic's passages, with what an embedding model says. A passage without the topic's
/// words is on the topic when the model sees it as near as sources' passages are to their own headings.
fn joined(hits: BTreeMap<usize, Hit>, all: &[Piece], near: &[Near]) -> BTreeMap<usize, Hit> {
    let best = hits.values().map(|hit| hit.score).fold(f32::MIN_POSITIVE, f32::max);
    let join = |(i, piece): (usize, &Piece)| {
        let (hit, near) = (hits.get(&i).copied(), near[piece.first]);
        let stands_out = near.stands_out && near.value >= NEAR;
        let coverage = if stands_out { COVERED + 0.4 * near.value } else { 0.0 };
        let words = hit.unwrap_or_default();
        let joined = Hit { score: words.score / best + NEARNESS * near.value, coverage: words.coverage.max(coverage) };
        (hit.is_some() || stands_out).then_some((i, joined))
    };
    all.iter().enumerate().filter_map(join).collect()
}

/// The passages of a topic: those that fit nearly as well as its best one, and others until there are words enough.
fn strongest(
    pool: &Pool,
    all: &[Piece],
    owners: &[Option<usize>],
    topic: usize,
    hits: &BTreeMap<usize, Hit>,
    best: f32,
) -> Vec<Piece> {
    let mut own: Vec<(f32, usize)> =
        hits.iter().filter(|(i, _)| owners[**i] == Some(topic)).map(|(i, hit)| (hit.score / best, *i)).collect();
    own.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut words = 0;
    let mut kept: Vec<usize> = Vec::new();
    for (score, i) in own {
        if score < STRONG && words >= ENOUGH_WORDS {
            break;
        }
        words += pool.sentences[all[i].range()].iter().map(|s| s.words).sum::<u32>();
        kept.push(i);
    }
    kept.sort_unstable();
    kept.into_iter().map(|i| all[i]).collect()
}

fn index(pool: &Pool, all: &[Piece]) -> Index {
    let mut index = Index::default();
    let mut last: (Option<std::sync::Arc<[String]>>, TermSet) = (None, TermSet::default());
    for piece in all {
        let sentences = &pool.sentences[piece.range()];
        let headings = &sentences[0].source.headings;
        if last.0.as_ref().is_none_or(|same| !std::sync::Arc::ptr_eq(same, headings)) {
            // The title of a source is about all of it.
            let inner = if headings.len() > 1 { &headings[1..] } else { &headings[..] };
            let terms = pool.vocabulary.find(&inner.join("\n"), &sentences[0].lang).0;
            last = (Some(std::sync::Arc::clone(headings)), terms);
        }
        index.add(sentences.iter().map(|s| (&s.terms, 1.0)).chain([(&last.1, HEADING)]));
    }
    index
}

/// By the first sentence of a passage, what its heading says beside the subject; none where that is nothing.
fn headed(pool: &Pool, all: &[Piece], subject: &[u32]) -> BTreeMap<usize, Vec<u32>> {
    let mut out = BTreeMap::new();
    for piece in all {
        let sentence = &pool.sentences[piece.first];
        // The title of a source is about all of it.
        if let Some(heading) = sentence.source.headings.iter().skip(1).next_back() {
            let (found, unknown) = pool.vocabulary.find(heading, &sentence.lang);
            let terms: Vec<u32> = found.content.into_iter().filter(|id| !subject.contains(id)).collect();
            if unknown.is_empty() && !terms.is_empty() {
                out.insert(piece.first, terms);
            }
        }
    }
    out
}

/// The words that the order and the title of a source have in common: what all of it is about.
fn subject(brief: &Brief, pool: &Pool, lang: &str) -> Vec<u32> {
    let named = title::topic(&brief.prompt, lexicon::of(lang));
    let mut titled: Vec<u32> = Vec::new();
    let mut last = None;
    for sentence in pool.sentences.iter().filter(|s| last.replace(s.source.span.source) != Some(s.source.span.source)) {
        let title = sentence.source.headings.first().map_or("", String::as_str);
        titled.extend(pool.vocabulary.find(title, &sentence.lang).0.content);
    }
    let mut subject = pool.vocabulary.find(&named, lang).0.content;
    subject.retain(|id| titled.contains(id));
    subject
}

/// The words of a topic with those that may stand in their place.
fn query(pool: &Pool, index: &Index, asked: &Asked, subject: &[u32], lang: &str) -> Vec<Group> {
    let asks = request::asks(&asked.words, lang);
    let groups = |text: &str, weight: f32| {
        let mut stems: Vec<String> = word::iter(text)
            .flat_map(|word| word.split(['-', '\u{2010}', '\u{2011}']))
            .map(lexicon::lower)
            .filter(|word| !word.is_empty() && !word::is_stopword(word, lang))
            .map(|word| word::stem(&word, lang))
            .collect();
        stems.dedup();
        let weigh = |stem: &String| {
            let id = pool.vocabulary.of_stem(stem);
            match () {
                () if id.is_some_and(|id| subject.contains(&id)) => weight * WEAK,
                () if related::is_weak(stem, lang) => weight * VAGUE,
                () => weight,
            }
        };
        let alone = stems.iter().all(|stem| weigh(stem) < weight);
        let weighed = |stem: String| {
            let mut group = group(pool, &stem, if alone { weight } else { weigh(&stem) }, lang);
            // Sources put verbs of a question in other words.
            if asks && !group.terms.iter().any(|(id, _)| index.has(*id)) {
                group.weight *= VAGUE;
            }
            group
        };
        stems.into_iter().map(weighed).collect::<Vec<Group>>()
    };
    let mut out = groups(&asked.words, 1.0);
    // Hints help to find more, and are not asked of every passage.
    out.extend(groups(&asked.hints, HINT));
    out
}

fn group(pool: &Pool, stem: &str, weight: f32, lang: &str) -> Group {
    let mut terms: BTreeMap<u32, f32> = BTreeMap::new();
    let mut add = |id: u32, worth: f32| {
        let entry = terms.entry(id).or_default();
        *entry = entry.max(worth);
    };
    if let Some(id) = pool.vocabulary.of_stem(stem) {
        add(id, 1.0);
    }
    pool.vocabulary.kin(stem, lang).into_iter().for_each(|id| add(id, KIN));
    related::of_one_field(stem, lang).filter_map(|other| pool.vocabulary.of_stem(other)).for_each(|id| add(id, FIELD));
    Group { terms: terms.into_iter().collect(), weight }
}

/// By passage, the topic that it belongs to. Topics with little to choose from choose first, so that each has something.
fn owners(found: &[BTreeMap<usize, Hit>], passages: usize) -> Vec<Option<usize>> {
    let best: Vec<f32> =
        found.iter().map(|hits| hits.values().map(|h| h.score).fold(f32::MIN_POSITIVE, f32::max)).collect();
    let value = |topic: usize, hit: &Hit| hit.score / best[topic] + hit.coverage;
    let mut owners: Vec<Option<usize>> = vec![None; passages];
    let mut poorest: Vec<usize> = (0..found.len()).collect();
    poorest.sort_by_key(|topic| (found[*topic].len(), *topic));
    for topic in poorest {
        let free = found[topic].iter().filter(|(passage, _)| owners[**passage].is_none());
        let own = free.max_by(|a, b| value(topic, a.1).total_cmp(&value(topic, b.1)).then(b.0.cmp(a.0)));
        if let Some((passage, _)) = own {
            owners[*passage] = Some(topic);
        }
    }
    for (passage, owner) in owners.iter_mut().enumerate().filter(|(_, owner)| owner.is_none()) {
        let claims =
            found.iter().enumerate().filter_map(|(topic, hits)| Some((topic, value(topic, hits.get(&passage)?))));
        *owner = claims.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|(topic, _)| topic);
    }
    owners
}

/// The sources' own heading where that has the words of the topic and hardly any others, else the words of the topic.
fn heading(brief: &Brief, pool: &Pool, asked: &Asked, own: &[Piece], before: &[Topic]) -> String {
    let lang = lexicon::primary(&brief.language);
    let language = lexicon::of(lang);
    let terms = |text: &str| pool.vocabulary.find(text, lang).0.content;
    let wanted = terms(&asked.words);
    let subject = terms(&title::topic(&brief.prompt, language));
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for piece in own {
        for text in pool.sentences[piece.first].source.headings.iter() {
            let Some(clean) = language.and_then(|language| clean_heading(text, language)) else { continue };
            let has = terms(&clean);
            let more = has.iter().filter(|id| !wanted.contains(id));
            let foreign = more.clone().filter(|id| !subject.contains(id)).count();
            let unknown = word::iter(&clean).count() > has.len() * 2 + 3;
            if !wanted.is_empty()
                && wanted.iter().all(|id| has.contains(id))
                && foreign <= 1
                && more.count() <= 3
                && !unknown
            {
                *counts.entry(clean).or_default() += 1;
            }
        }
    }
    let is_new = |heading: &String| before.iter().all(|topic| topic.heading != *heading);
    let of_source = counts.into_iter().filter(|(heading, _)| is_new(heading)).max_by_key(|(_, count)| *count);
    of_source.map_or_else(|| request::heading(&asked.words, language), |(heading, _)| heading)
}

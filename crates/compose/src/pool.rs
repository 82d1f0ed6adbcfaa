//! Everything that an article may be composed of: usable sentences of all sources, each once, with their relevance.

use std::{collections::HashMap, sync::Arc};

use galley_domain::writing::{Brief, Snapshot};
use galley_text::word;

use crate::{
    dispute::View,
    lexicon,
    likeness::{self, Likeness, Near},
    rank::{self, Ranked},
    request::{self, Request},
    similar,
    snapshot::{BlockKind, Shapes, SourceSentence, sentences_in},
    title, usable,
    vocabulary::{TermSet, Vocabulary, idf, shared},
};

/// All sources together give at most this many sentences, each source its share: enough for the longest article
/// twenty times over, and it bounds time.
const MAX_SENTENCES: usize = 6_000;
/// A source gives at least this many, however many sources there are.
const MIN_SHARE: usize = 200;
/// A sentence that reads so much like a definition opens the article.
const DEFINED: f32 = 0.5;
/// A paragraph of an article has no more sentences.
pub(crate) const PARAGRAPH: usize = 5;

/// How much each view of a sentence weighs in its relevance.
mod weight {
    /// It has the words of the order.
    pub const QUERY: f32 = 0.40;
    /// It has the words that all sources share.
    pub const CENTRAL: f32 = 0.30;
    /// Its headings have the words of the order.
    pub const HEADING: f32 = 0.10;
    /// It opens its paragraph, its source.
    pub const POSITION: f32 = 0.08;
    /// Its source is the best one.
    pub const SOURCE: f32 = 0.12;
    /// An embedding model sees it near to the order.
    pub const NEAR: f32 = 0.30;
}

#[derive(Debug)]
pub(crate) struct Sentence {
    pub source: SourceSentence,
    pub terms: TermSet,
    pub words: u32,
    /// About 0.0..=1.0.
    pub relevance: f32,
    /// It is in another language than the ordered one.
    pub foreign: bool,
    /// It repeats another one, or the order wants it left out: it must not be used.
    pub duplicate: bool,
    /// The rank of its source, 0 is best.
    pub rank: usize,
    /// How far down in its source it stands, 0.0..=1.0.
    pub depth: f32,
    /// How much it reads like the definition of what was ordered, 0.0..=1.0.
    pub defines: f32,
    /// Its paragraph may only be used whole.
    pub whole: bool,
    /// ISO 639-1, empty where unknown.
    pub lang: Arc<str>,
}

#[derive(Debug)]
pub(crate) struct Pool {
    /// By rank of the source, then in the order of its text.
    pub sentences: Vec<Sentence>,
    pub vocabulary: Vocabulary,
    /// By term id.
    pub idf: Vec<f32>,
    /// What the order asks for.
    pub request: Request,
    likeness: Likeness,
    /// Where an abbreviation is explained: by source and abbreviation, indices into `sentences`.
    explained: HashMap<(u32, String), Vec<usize>>,
    lead: Option<usize>,
}

impl Pool {
    pub fn new(brief: &Brief, sources: &[Snapshot], likeness: &Likeness) -> Self {
        Self::with(brief, sources, likeness, Shapes::ListsAndTables)
    }

    /// The same, with what is in none of the shapes sentence by sentence.
    pub fn with(brief: &Brief, sources: &[Snapshot], likeness: &Likeness, shapes: Shapes) -> Self {
        let ranked = Ranked::new(brief, sources);
        let best = ranked.iter().map(|ranked| ranked.score).fold(f32::MIN_POSITIVE, f32::max);
        let share = (MAX_SENTENCES / sources.len().max(1)).max(MIN_SHARE);
        let mut vocabulary = Vocabulary::default();
        let query = rank::query(brief, &mut vocabulary);
        let request = request::read(brief);
        for words in request.topics.iter().flat_map(|asked| [&asked.words, &asked.hints]).chain(&request.avoid) {
            vocabulary.add(words, lexicon::primary(&brief.language));
        }
        let mut all = Vec::new();
        for (rank, &Ranked { source, language: lang, is_foreign: foreign, score }) in ranked.iter().enumerate() {
            let length = source.text.len().max(1) as f32;
            let code: Arc<str> = Arc::from(lang);
            let mut above: Option<Arc<[String]>> = None;
            for sentence in sentences_in(source, lang, shapes).into_iter().take(share) {
                // What an order names may stand in a heading alone.
                if above.as_ref().is_none_or(|above| !Arc::ptr_eq(above, &sentence.headings)) {
                    sentence.headings.last().into_iter().for_each(|heading| drop(vocabulary.add(heading, lang)));
                    above = Some(Arc::clone(&sentence.headings));
                }
                all.push(Sentence {
                    terms: vocabulary.add(&sentence.text, lang),
                    words: word::count(&sentence.text),
                    relevance: weight::SOURCE * score / best,
                    foreign,
                    defines: 0.0,
                    duplicate: false,
                    rank,
                    depth: sentence.span.start as f32 / length,
                    whole: matches!(sentence.kind, BlockKind::Listed | BlockKind::Table)
                        || lexicon::of(lang).is_none() && !word::is_unspaced(lang),
                    lang: Arc::clone(&code),
                    source: sentence,
                });
            }
        }
        let idf = idf(vocabulary.len(), all.iter().map(|s| s.terms.content.as_slice()));
        let mut explained: HashMap<_, Vec<_>> = HashMap::new();
        for (i, sentence) in all.iter().enumerate() {
            for short in usable::explained_abbreviations(&sentence.source.text) {
                explained.entry((sentence.source.span.source, short.to_owned())).or_default().push(i);
            }
        }
        let likeness = likeness.clone();
        let mut pool = Self { sentences: all, vocabulary, idf, request, likeness, explained, lead: None };
        pool.score(&query);
        pool.score_nearness(brief);
        pool.mark_duplicates();
        pool.mark_avoided(brief);
        let first = pool.sentences.iter().position(|s| !s.duplicate && !s.source.hangs);
        pool.lead = first.filter(|first| {
            let s = &pool.sentences[*first];
            let opens = s.rank == 0 && !s.foreign && s.source.kind == BlockKind::Paragraph;
            opens && pool.sentences.iter().all(|s| s.defines < DEFINED)
        });
        pool
    }

    /// Whether the best source begins with this sentence, which is prose, and none defines what was ordered.
    pub fn begins_source(&self, index: usize) -> bool {
        self.lead == Some(index)
    }

    pub fn rarity(&self, id: u32) -> f32 {
        self.idf.get(id as usize).copied().unwrap_or(0.0)
    }

    fn score(&mut self, query: &[(u32, f32)]) {
        let rarity = |idf: &[f32], id: u32| idf.get(id as usize).copied().unwrap_or(0.0);
        let whole: f32 = query.iter().map(|(id, w)| w * rarity(&self.idf, *id)).sum::<f32>().max(f32::MIN_POSITIVE);
        let asked = |idf: &[f32], terms: &[u32]| {
            let hit: f32 = query
                .iter()
                .filter(|(id, _)| terms.binary_search(id).is_ok())
                .map(|(id, w)| w * rarity(idf, *id))
                .sum();
            (hit / whole).sqrt()
        };
        let mut last: Option<(Arc<[String]>, f32)> = None;
        let mut centre = vec![0.0_f32; self.vocabulary.len()];
        let mut matches = Vec::with_capacity(self.sentences.len());
        for i in 0..self.sentences.len() {
            let sentence = &self.sentences[i];
            let hit = asked(&self.idf, &sentence.terms.content);
            for id in &sentence.terms.content {
                // What stands beside the words of the order belongs to the topic.
                centre[*id as usize] += (0.2 + hit) * rarity(&self.idf, *id);
            }
            matches.push(hit);
        }
        let closeness: Vec<f32> = self.sentences.iter().map(|s| self.closeness(&s.terms.content, &centre)).collect();
        let most = closeness.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        for i in 0..self.sentences.len() {
            let headings = Arc::clone(&self.sentences[i].source.headings);
            let heading = match &last {
                Some((same, value)) if Arc::ptr_eq(same, &headings) => *value,
                _ => asked(&self.idf, &self.vocabulary.find(&headings.join(" "), &self.sentences[i].lang).0.content),
            };
            last = Some((headings, heading));
            let defines = self.defines(i, query);
            let sentence = &mut self.sentences[i];
            sentence.defines = defines;
            let opens = if sentence.source.position == 0 { 0.5 } else { 0.0 };
            sentence.relevance += weight::QUERY * matches[i]
                + weight::CENTRAL * closeness[i] / most
                + weight::HEADING * heading
                + weight::POSITION * (opens + 0.5 * (1.0 - sentence.depth))
                - form_penalty(sentence);
        }
    }

    fn score_nearness(&mut self, brief: &Brief) {
        let Some(near) = self.near(&likeness::subject(brief)) else { return };
        for (sentence, near) in self.sentences.iter_mut().zip(near) {
            sentence.relevance += weight::NEAR * near.value;
        }
    }

    /// By sentence, how near it is to a query; `None` where no embedding model was asked.
    pub fn near(&self, query: &str) -> Option<Vec<Near>> {
        let places = self.likeness.of(query)?;
        let place = |s: &Sentence| (s.source.span.source, s.source.span.start);
        Some(self.sentences.iter().map(|s| places.get(&place(s)).copied().unwrap_or_default()).collect())
    }

    /// A definition names what it defines first and says what that is: how much of the first words was ordered, less
    /// where no copula follows.
    fn defines(&self, index: usize, query: &[(u32, f32)]) -> f32 {
        const COPULAS: &[&str] =
            &["is", "are", "was", "were", "ist", "sind", "est", "sont", "es", "son", "è", "sono", "é", "são", "это"];
        let sentence = &self.sentences[index];
        let start: Vec<&str> = word::iter(&sentence.source.text).take(6).collect();
        let named = start[..start.len().min(4)].join(" ");
        let found = self.vocabulary.find(&named, &sentence.lang).0.content;
        let wanted = query.iter().filter(|(id, weight)| *weight >= 1.0 && found.contains(id)).count();
        let says = if start.iter().any(|w| COPULAS.contains(w)) { 1.0 } else { 0.4 };
        (wanted as f32 / 2.0).min(1.0) * says
    }

    /// The share of the topic's weight in a sentence, tempered by its length.
    fn closeness(&self, terms: &[u32], centre: &[f32]) -> f32 {
        let sum: f32 = terms.iter().map(|id| centre[*id as usize].ln_1p() * self.rarity(*id).min(4.0)).sum();
        sum / (terms.len() as f32 + 3.0)
    }

    /// A list is one: it repeats what is told when most of it does.
    fn mark_duplicates(&mut self) {
        let mut kept = similar::Kept::default();
        let mut at = 0;
        while at < self.sentences.len() {
            let end = list_end(&self.sentences, at).max(at + 1);
            let told = self.sentences[at..end].iter().filter(|s| kept.has(&s.terms, Some(&self.idf))).count();
            let repeats = told * 2 > end - at;
            for sentence in &mut self.sentences[at..end] {
                sentence.duplicate = repeats;
                if !repeats {
                    kept.add(sentence.terms.clone(), Some(&self.idf));
                }
            }
            at = end;
        }
    }

    /// Whether the order asks for a list.
    pub fn wants_lists(&self) -> bool {
        self.request.wishes.iter().any(request::asks_for_list)
    }

    /// Whether the order asks for a table.
    pub fn wants_tables(&self) -> bool {
        self.request.wishes.iter().any(request::asks_for_table)
    }

    pub fn has(&self, kind: BlockKind) -> bool {
        self.sentences.iter().any(|s| s.source.kind == kind)
    }

    /// Leaves out what the order wants left out, unless too little would be left.
    fn mark_avoided(&mut self, brief: &Brief) {
        let lang = lexicon::primary(&brief.language);
        let subject = self.vocabulary.find(&title::topic(&brief.prompt, lexicon::of(lang)), lang).0.content;
        let avoided: Vec<Vec<u32>> = (self.request.avoid.iter())
            .map(|words| self.vocabulary.find(words, lang).0.content)
            .filter(|terms| terms.iter().any(|id| !subject.contains(id)))
            .collect();
        if avoided.is_empty() {
            return;
        }
        let told = |terms: &[u32]| avoided.iter().any(|avoided| shared(avoided, terms) == avoided.len());
        let hit: Vec<usize> = (0..self.sentences.len())
            .filter(|i| {
                let s = &self.sentences[*i];
                let heading = s.source.headings.last().map(|h| self.vocabulary.find(h, &s.lang).0.content);
                !s.duplicate && (told(&s.terms.content) || heading.is_some_and(|heading| told(&heading)))
            })
            .collect();
        hit.iter().for_each(|i| self.sentences[*i].duplicate = true);
        let (own, foreign) = self.usable_words();
        if own + foreign < brief.words.with_tolerance().min {
            hit.iter().for_each(|i| self.sentences[*i].duplicate = false);
        }
    }

    /// The sentences as they are compared with each other.
    pub fn views(&self) -> Vec<View<'_>> {
        self.sentences.iter().map(|s| View { source: &s.source, terms: &s.terms, lang: &s.lang }).collect()
    }

    /// The words that may be used: of own and of foreign language. Sentences that hang on an unusable one do not count.
    pub fn usable_words(&self) -> (u32, u32) {
        let mut words = (0, 0);
        for i in pieces(self, &|_| true).iter().flat_map(|p| p.range()) {
            let s = &self.sentences[i];
            *(if s.foreign { &mut words.1 } else { &mut words.0 }) += s.words;
        }
        words
    }
}

/// Very long, very short, and talking to the reader: fine, but others are better.
fn form_penalty(sentence: &Sentence) -> f32 {
    if sentence.source.kind == BlockKind::Table {
        return 0.0;
    }
    let length = match sentence.words {
        0..=7 => 0.06,
        8..=32 => 0.0,
        33..=42 => 0.04,
        _ => 0.1,
    };
    let table = if sentence.source.kind == BlockKind::TableRow { 0.05 } else { 0.0 };
    length + table
}

/// Consecutive sentences of one paragraph that may stand alone as they are, also when cut short at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Index into [`Pool::sentences`].
    pub first: usize,
    pub len: usize,
}

impl Piece {
    pub fn range(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.len
    }
}

/// The pieces made of those sentences that `free` allows, longest runs first cut into readable paragraphs.
pub(crate) fn pieces(pool: &Pool, free: &dyn Fn(usize) -> bool) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < pool.sentences.len() {
        let list = list_end(&pool.sentences, at);
        if list > at {
            if (at..list).all(|i| !pool.sentences[i].duplicate && free(i)) {
                out.push(Piece { first: at, len: list - at });
            }
            at = list;
            continue;
        }
        if pool.sentences[at].duplicate || !free(at) || pool.sentences[at].source.hangs {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while end < pool.sentences.len() && !pool.sentences[end].duplicate && free(end) && follows(pool, end) {
            end += 1;
        }
        cut(pool, at..end, &mut out);
        at = end;
    }
    out
}

/// Behind the last part of the list that begins here; `at` where none does.
fn list_end(sentences: &[Sentence], at: usize) -> usize {
    let first = &sentences[at].source;
    let same = |s: &Sentence| {
        let own = &s.source;
        own.kind == BlockKind::Listed && own.span.source == first.span.source && own.paragraph == first.paragraph
    };
    at + sentences[at..].iter().take_while(|s| same(s)).count()
}

/// Whether a sentence stands directly behind the one before it in its paragraph.
pub(crate) fn follows(pool: &Pool, index: usize) -> bool {
    let (Some(before), Some(own)) =
        (index.checked_sub(1).map(|i| &pool.sentences[i].source), pool.sentences.get(index))
    else {
        return false;
    };
    let own = &own.source;
    before.span.source == own.span.source && before.paragraph == own.paragraph && before.position + 1 == own.position
}

/// Cuts a run where a sentence can open a paragraph; rows of a table in threes, because few of them are wanted.
fn cut(pool: &Pool, run: std::ops::Range<usize>, out: &mut Vec<Piece>) {
    let sentences = &pool.sentences;
    if sentences[run.start].whole {
        // Abbreviated it would no longer be a whole paragraph.
        out.push(Piece { first: run.start, len: run.len() });
        return;
    }
    let mut first = run.start;
    while first < run.end {
        let is_row = sentences[first].source.kind == BlockKind::TableRow;
        let mut len = 1;
        while first + len < run.end {
            let left = run.end - first - len;
            let next_hangs = sentences[first + len].source.hangs;
            let full = 3;
            if !next_hangs && len >= full && (left > 1 || len >= PARAGRAPH || is_row) {
                break;
            }
            len += 1;
        }
        // A chain of hanging sentences may be longer than a paragraph should be; its rest is lost with its antecedent.
        out.push(Piece { first, len: len.min(PARAGRAPH) });
        first += len;
    }
}

/// Whether an abbreviation of a sentence is explained in its source, but not in `told`, what comes before it.
pub(crate) fn has_unexplained(pool: &Pool, index: usize, told: &dyn Fn(usize) -> bool) -> bool {
    let sentence = &pool.sentences[index].source;
    usable::abbreviations(&sentence.text).into_iter().any(|short| {
        let places = pool.explained.get(&(sentence.span.source, short.to_owned()));
        places.is_some_and(|places| !places.iter().any(|i| *i == index || told(*i)))
    })
}

/// How alike two sets of terms are, weighted by rarity, 0.0..=1.0.
pub(crate) fn affinity(pool: &Pool, a: &[u32], b: &[u32]) -> f32 {
    if shared(a, b) == 0 {
        return 0.0;
    }
    let weigh = |ids: &[u32]| ids.iter().map(|id| pool.rarity(*id).powi(2)).sum::<f32>();
    let both: f32 = a.iter().filter(|id| b.binary_search(id).is_ok()).map(|id| pool.rarity(*id).powi(2)).sum();
    both / (weigh(a) * weigh(b)).sqrt().max(f32::MIN_POSITIVE)
}

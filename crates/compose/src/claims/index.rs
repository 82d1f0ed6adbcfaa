//! The index over all sources, and the search for the span that supports a sentence.

use std::{collections::HashMap, sync::OnceLock};

use galley_domain::writing::{Claim, Snapshot, Span, Verdict};
use galley_text::word;

use super::{
    Told,
    facts::{ClaimFacts, SpanFacts},
    names::Corpus,
    nothing_claimed, reported,
    statement::Statement,
    states_nothing,
};
use crate::{
    attribution, lexicon,
    snapshot::{BlockKind, blocks, language_of},
    table,
    transcript::Transcript,
    vocabulary::{TermSet, Vocabulary, idf},
};

mod look;
mod tables;

/// Spans of so many sentences at most.
const WINDOW: usize = 3;
/// A span with so much more of a sentence is the one that the sentence is about.
const NEARER: u16 = 100;
/// Sentences that are looked at closely, by overlap.
const CANDIDATES: usize = 8;
/// Below this a span is no help to anybody who looks for what was meant.
const NEAR_PERMILLE: u16 = 250;
/// Words that stand in more than this share of all sentences find nothing.
const COMMON: usize = 10;

/// A sentence or a table row of a source.
#[derive(Debug)]
struct Entry {
    /// Index into `Checker::sources`.
    source: usize,
    /// Index into `Checker::languages`.
    language: usize,
    start: usize,
    end: usize,
    block: usize,
    position: usize,
    kind: BlockKind,
    content: Vec<u32>,
    /// For rows: header and cells.
    row: Option<(Vec<String>, Vec<String>)>,
}

/// Finds what supports a sentence. Build once for all sentences of an article.
#[derive(Debug)]
pub struct Checker<'a> {
    sources: &'a [Snapshot],
    languages: Vec<String>,
    entries: Vec<Entry>,
    /// By term, the entries that have it.
    postings: Vec<Vec<u32>>,
    idf: Vec<f32>,
    vocabulary: Vocabulary,
    /// By spelling, for sentences that are taken over as they are.
    exact: HashMap<String, Vec<Span>>,
    corpus: Corpus,
    titles: Vec<(u32, String)>,
    facts: Vec<OnceLock<SpanFacts>>,
}

/// A claim as read in one language.
struct View {
    terms: TermSet,
    /// Σ idf of all its content, that of words no source has included.
    weight: f32,
    facts: ClaimFacts,
    statement: Statement,
    /// The words, where they stand without spaces.
    unspaced: Option<String>,
}

/// A span that was looked at.
#[derive(Clone)]
struct Found {
    first: usize,
    len: usize,
    coverage: u16,
    missing: Vec<String>,
    verdict: Verdict,
    /// Supported only because it is put freely.
    is_free: bool,
}

impl<'a> Checker<'a> {
    /// Indexes the sources: time and space in proportion to their length.
    pub fn new(sources: &'a [Snapshot]) -> Self {
        let mut checker = Self {
            sources,
            languages: Vec::new(),
            entries: Vec::new(),
            postings: Vec::new(),
            idf: Vec::new(),
            vocabulary: Vocabulary::default(),
            exact: HashMap::new(),
            corpus: Corpus::default(),
            titles: attribution::titles(sources),
            facts: Vec::new(),
        };
        for index in 0..sources.len() {
            checker.read(index);
        }
        checker.idf = idf(checker.vocabulary.len(), checker.entries.iter().map(|e| e.content.as_slice()));
        checker.postings = vec![Vec::new(); checker.vocabulary.len()];
        for (i, entry) in checker.entries.iter().enumerate() {
            for id in &entry.content {
                checker.postings[*id as usize].push(u32::try_from(i).unwrap_or(u32::MAX));
            }
        }
        checker.facts = (0..checker.entries.len()).map(|_| OnceLock::new()).collect();
        checker
    }

    fn read(&mut self, index: usize) {
        let source = &self.sources[index];
        let lang = language_of(source).to_owned();
        let language = self.languages.iter().position(|l| *l == lang).unwrap_or_else(|| {
            self.languages.push(lang.clone());
            self.languages.len() - 1
        });
        let blocks = blocks(source);
        for table in table::find(&source.text, &blocks, lexicon::of(&lang)) {
            let span = Span { source: source.number, start: table.range.start, end: table.range.end };
            self.exact.entry(key(&table.text)).or_default().push(span);
        }
        for said in Transcript::detect(&source.text, &blocks)
            .map(|transcript| transcript.sentences(source, &blocks, lexicon::of(&lang), |_| true))
            .unwrap_or_default()
        {
            self.exact.entry(key(&said.text)).or_default().push(said.span);
        }
        for (number, block) in blocks.into_iter().enumerate() {
            for (position, range) in block.parts.iter().cloned().enumerate() {
                let text = &source.text[range.clone()];
                let row = (block.kind == BlockKind::TableRow).then(|| (block.header.clone(), block.cells(text)));
                let content = match &row {
                    Some((header, cells)) => {
                        let all = format!("{} | {}", header.join(" | "), cells.join(" | "));
                        self.vocabulary.add(&all, &lang).content
                    }
                    None => self.vocabulary.add(text, &lang).content,
                };
                match &row {
                    Some((header, cells)) => {
                        cells.iter().for_each(|cell| self.corpus.add(&format!("- {cell}")));
                        let is_near = block.is_near_header(&range);
                        for sentence in table::sentences(header, cells, lexicon::of(&lang), is_near) {
                            let start = if sentence.needs_header { block.head } else { range.start };
                            let span = Span { source: source.number, start, end: range.end };
                            self.exact.entry(key(&sentence.text)).or_default().push(span);
                        }
                    }
                    None => {
                        self.corpus.add(text);
                        let span = Span { source: source.number, start: range.start, end: range.end };
                        self.exact.entry(key(text)).or_default().push(span);
                    }
                }
                self.entries.push(Entry {
                    source: index,
                    language,
                    start: range.start,
                    end: range.end,
                    block: number,
                    position,
                    kind: block.kind,
                    content,
                    row,
                });
            }
        }
    }

    /// Judges one sentence of any prose. An attribution in this crate's own words (`According to “TITLE”, …`) is taken
    /// off first; the rest must then be supported by the source of that title.
    pub fn check(&self, sentence: &str) -> Claim {
        let whole = super::body(sentence).trim();
        let (said, only) = match attribution::strip(whole, &self.titles) {
            Some((rest, numbers)) => (rest, Some(numbers)),
            None => (whole, None),
        };
        if states_nothing(said, usize::MAX, Told::More) {
            return nothing_claimed(whole);
        }
        let numbered = |number: u32| only.as_ref().is_none_or(|n| n.contains(&number));
        let verbatim = self.exact.get(&key(said)).and_then(|all| all.iter().find(|span| numbered(span.source)));
        if let Some(span) = verbatim {
            return Claim {
                sentence: whole.to_owned(),
                verdict: Verdict::Supported,
                span: Some(*span),
                coverage_permille: 1000,
                missing: Vec::new(),
            };
        }
        let views: Vec<View> = (0..self.languages.len())
            .map(|l| {
                let rest = lexicon::of(&self.languages[l]).and_then(|language| reported::without(said, language));
                self.view(rest.as_deref().unwrap_or(said), l)
            })
            .collect();
        let content = views.iter().map(|v| v.terms.content.len()).max().unwrap_or(0);
        // Without sources there is no language to read it in.
        let unread = views.is_empty().then(|| ClaimFacts::read(said, "", &self.corpus).told(said));
        let told = views.iter().map(|v| v.facts.told(said)).max().or(unread).unwrap_or(Told::Nothing);
        let unknown = match views.is_empty() {
            true => usize::MAX,
            // Two characters are about a word.
            false if word::is_unspaced_text(said) => said.chars().count() / 2,
            false => said.split_whitespace().count(),
        };
        if states_nothing(said, content.max(unknown.min(9)), told) {
            return nothing_claimed(whole);
        }
        self.judged(whole, &views, &|source| numbered(self.sources[source].number))
    }

    /// The facts of a title, a heading or a description that stand neither in any source nor in the order. In a line of
    /// capitalised words, and in German, names cannot be told from words, so only figures and words like `DHL` count.
    ///
    /// `lang` is the language of the line (ISO 639-1).
    pub fn foreign_facts(&self, line: &str, lang: &str, order: &str) -> Vec<String> {
        let lang = lexicon::primary(lang);
        let mut facts = ClaimFacts::read(line, lang, &self.corpus);
        let telling = |t: &str| t.starts_with(char::is_uppercase) || word::is_stopword(&lexicon::lower(t), lang);
        if lang == "de" || lexicon::tokens(line).iter().all(|(_, token)| telling(token)) {
            facts.keep_marked_names();
        }
        let order = SpanFacts::read(order, lang);
        let all: Vec<&SpanFacts> = (0..self.entries.len()).map(|i| self.facts(i)).chain([&order]).collect();
        facts.missing(&all, lang)
    }

    fn view(&self, said: &str, language: usize) -> View {
        let lang = &self.languages[language];
        let (terms, unknown) = self.vocabulary.find(said, lang);
        let strange = (1.0 + self.entries.len() as f32).ln();
        let weight =
            terms.content.iter().map(|id| self.idf[*id as usize]).sum::<f32>() + strange * unknown.len() as f32;
        let mut statement = Statement::read(said, lang);
        for term in &mut statement.terms {
            term.known = self.vocabulary.id(&term.word, lang).is_some();
        }
        View {
            terms,
            weight,
            unspaced: word::is_unspaced_text(said).then(|| said.to_owned()),
            facts: ClaimFacts::read(said, lang, &self.corpus),
            statement,
        }
    }

    fn judged(&self, whole: &str, views: &[View], allowed: &dyn Fn(usize) -> bool) -> Claim {
        let mut best: Option<Found> = None;
        // The span that has most of the words, whatever it says.
        let mut nearest: Option<Found> = None;
        let candidates = self.candidates(views, allowed);
        for len in 1..=WINDOW {
            for candidate in &candidates {
                for first in candidate.saturating_sub(len - 1)..=*candidate {
                    if !self.is_window(first, len) {
                        continue;
                    }
                    let found = self.look(first, len, &views[self.entries[first].language]);
                    if len == 1 && nearest.as_ref().is_none_or(|n| n.coverage < found.coverage) {
                        nearest = Some(found.clone());
                    }
                    if best.as_ref().is_none_or(|b| is_better(&found, b)) {
                        best = Some(found);
                    }
                }
            }
            // The shortest span that supports is the one to show.
            if best.as_ref().is_some_and(|b| b.verdict == Verdict::Supported) {
                break;
            }
        }
        // Another span has more of it and speaks against it.
        let denied = |b: &Found| {
            nearest.as_ref().is_some_and(|n| n.verdict != Verdict::Supported && n.coverage > b.coverage + NEARER)
        };
        if best.as_ref().is_some_and(|b| b.is_free && denied(b)) {
            best = nearest;
        }
        let near = best.filter(|found| found.coverage >= NEAR_PERMILLE);
        match near {
            Some(found) => Claim {
                sentence: whole.to_owned(),
                verdict: found.verdict,
                span: Some(self.span(found.first, found.len)),
                coverage_permille: found.coverage,
                missing: found.missing,
            },
            None => Claim {
                sentence: whole.to_owned(),
                verdict: Verdict::Unsupported,
                span: None,
                coverage_permille: 0,
                missing: views.first().map_or_else(Vec::new, |v| v.facts.missing(&[], &self.languages[0])),
            },
        }
    }

    /// The entries that share most with the claim, best first.
    fn candidates(&self, views: &[View], allowed: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let common = self.entries.len() / COMMON;
        let mut scores = vec![0.0_f32; self.entries.len()];
        let mut touched = Vec::new();
        for (language, view) in views.iter().enumerate() {
            let rare = view.terms.content.iter().filter(|id| self.postings[**id as usize].len() <= common).count();
            for id in &view.terms.content {
                let postings = &self.postings[*id as usize];
                if rare >= 3 && postings.len() > common {
                    continue;
                }
                for at in postings.iter().map(|at| *at as usize) {
                    let entry = &self.entries[at];
                    if entry.language == language && allowed(entry.source) {
                        if scores[at] == 0.0 {
                            touched.push(at);
                        }
                        scores[at] += self.idf[*id as usize];
                    }
                }
            }
        }
        let order = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
        if touched.len() > CANDIDATES {
            touched.select_nth_unstable_by(CANDIDATES, order);
            touched.truncate(CANDIDATES);
        }
        touched.sort_unstable_by(order);
        touched
    }

    /// Whether `len` entries from `first` on stand together: sentences of a paragraph, items of a list.
    fn is_window(&self, first: usize, len: usize) -> bool {
        let Some(window) = self.entries.get(first..first + len) else { return false };
        window.windows(2).all(|pair| {
            let (a, b) = (&pair[0], &pair[1]);
            let paragraph = a.block == b.block && a.position + 1 == b.position;
            let list = a.block + 1 == b.block && b.kind == BlockKind::ListItem;
            a.source == b.source
                && b.kind != BlockKind::TableRow
                && a.kind != BlockKind::TableRow
                && (paragraph || list)
        })
    }

    fn facts(&self, entry: usize) -> &SpanFacts {
        self.facts[entry].get_or_init(|| {
            let e = &self.entries[entry];
            let lang = &self.languages[e.language];
            match &e.row {
                Some((header, cells)) => SpanFacts::read_row(header, cells, lang),
                None => SpanFacts::read(&self.sources[e.source].text[e.start..e.end], lang),
            }
        })
    }

    fn span(&self, first: usize, len: usize) -> Span {
        let (a, b) = (&self.entries[first], &self.entries[first + len - 1]);
        Span { source: self.sources[a.source].number, start: a.start, end: b.end }
    }
}

fn is_better(a: &Found, b: &Found) -> bool {
    let rank = |f: &Found| match f.verdict {
        Verdict::Supported => 2,
        Verdict::Partly => 1,
        _ => 0,
    };
    let key = |f: &Found| (rank(f), f.coverage, std::cmp::Reverse(f.missing.len()), std::cmp::Reverse(f.len));
    key(a) > key(b)
}

/// A sentence without what differs in typesetting only: quotes, spaces, the capital at its start.
fn key(sentence: &str) -> String {
    let mut out = String::with_capacity(sentence.len());
    for word in sentence.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().map(|c| match c {
            '’' | '‘' => '\'',
            '“' | '”' | '„' => '"',
            c => c,
        }));
    }
    match out.chars().next() {
        Some(first) => first.to_lowercase().chain(out.chars().skip(1)).collect(),
        None => out,
    }
}

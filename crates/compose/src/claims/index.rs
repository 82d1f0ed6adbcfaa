//! The index over all sources, and the search for the span that supports a sentence.

use std::{collections::HashMap, ops::Range, sync::OnceLock};

use galley_domain::writing::{Claim, Snapshot, Span, Verdict};
use galley_text::word;

use super::{
    SHORT_THRESHOLD_PERMILLE, THRESHOLD_PERMILLE, Told,
    compare::{self, Objections},
    cover,
    facts::{ClaimFacts, SpanFacts},
    names::Corpus,
    nothing_claimed, order, polarity, reported,
    statement::{Statement, Term},
    states_nothing, unspaced,
};
use crate::{
    attribution, lexicon,
    snapshot::{BlockKind, blocks, language_of},
    table,
    transcript::Transcript,
    vocabulary::{TermSet, Vocabulary, idf, shared},
};

/// Spans of so many sentences at most.
const WINDOW: usize = 3;
/// A sentence of so few content words, or fewer, is short.
const SHORT: usize = 4;
/// A sentence that is put freely needs so much less of its words in the passage.
const FREE_SHARE: f32 = 0.3;
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

    fn look(&self, first: usize, len: usize, view: &View) -> Found {
        let window = first..first + len;
        let mut content: Vec<u32> =
            self.entries[window.clone()].iter().flat_map(|e| e.content.iter().copied()).collect();
        content.sort_unstable();
        content.dedup();
        let mut coverage = self.coverage(&content, view);
        let mut found =
            Found { first, len, coverage, missing: Vec::new(), verdict: Verdict::Unsupported, is_free: false };
        if coverage < NEAR_PERMILLE {
            return found;
        }
        if let Some(said) = &view.unspaced {
            return self.look_unspaced(said, found);
        }
        let lang = &self.languages[self.entries[first].language];
        let facts: Vec<&SpanFacts> = window.clone().map(|i| self.facts(i)).collect();
        let statements: Vec<&Statement> = facts.iter().map(|f| &f.statement).collect();
        coverage = self.coverage_by_meaning(&statements, view, lang).max(coverage);
        found.coverage = coverage;
        found.missing = view.facts.missing(&facts, lang);
        if !found.missing.is_empty() {
            return found;
        }
        // Three sentences have many words.
        let freedom = if len < WINDOW { cover::freedom(&view.statement, &statements) } else { 0.0 };
        let theirs: Vec<&Term> = statements.iter().flat_map(|s| &s.terms).collect();
        let met = view.statement.terms.iter().filter(|t| compare::has(&theirs, t)).count();
        let enough = coverage >= threshold(view.terms.content.len(), freedom)
            && met.max(shared(&view.terms.content, &content)) >= view.terms.content.len().min(2);
        let objections = self.objections(window, &statements, freedom, view, lang);
        found.verdict = match (enough, objections.against.is_empty(), objections.short.is_empty()) {
            (true, true, true) => Verdict::Supported,
            (_, true, _) if enough || coverage >= THRESHOLD_PERMILLE => Verdict::Partly,
            _ => Verdict::Unsupported,
        };
        found.is_free = freedom > 0.0 && coverage < 1000;
        found.missing.extend(objections.against.into_iter().chain(objections.short));
        found
    }

    fn look_unspaced(&self, said: &str, mut found: Found) -> Found {
        let span = self.span(found.first, found.len);
        let passage = &self.sources[self.entries[found.first].source].text[span.start..span.end];
        let compared = unspaced::compare(said, passage);
        found.coverage = compared.coverage;
        found.verdict = match (compared.against.is_empty(), compared.short.is_empty()) {
            _ if compared.coverage < unspaced::THRESHOLD_PERMILLE => Verdict::Unsupported,
            (true, true) => Verdict::Supported,
            (true, false) => Verdict::Partly,
            _ => Verdict::Unsupported,
        };
        found.missing.extend(compared.against.into_iter().chain(compared.short));
        found
    }

    /// What a window has against a claim whose figures and names it has.
    fn objections(
        &self,
        window: Range<usize>,
        statements: &[&Statement],
        freedom: f32,
        view: &View,
        lang: &str,
    ) -> Objections {
        let context = self.context(&window);
        let context: Vec<&Term> = context.iter().flat_map(|s| &s.terms).collect();
        let mut out = compare::compare(&view.statement, statements, &context, freedom, lexicon::of(lang));
        let Some(language) = lexicon::of(lang) else { return out };
        let claim = &view.statement;
        let one = window.len() == 1;
        let denial = polarity::denial(claim, statements, one && self.is_same(window.start, view), language);
        // A neighbour's negation does not excuse the sentence that says it all by itself.
        let alone = |i: &usize| !one && self.coverage(&self.entries[*i].content, view) >= THRESHOLD_PERMILLE;
        let denial = denial.or_else(|| {
            window
                .clone()
                .filter(alone)
                .find_map(|i| polarity::denial(claim, &[&self.facts(i).statement], self.is_same(i, view), language))
        });
        let denial = denial.filter(|_| !out.agreed);
        let swapped = match &self.entries[window.start].row {
            None => order::swapped(&view.statement, statements),
            Some(_) => order::exchanged(&view.statement, statements),
        };
        out.against.extend(denial.into_iter().chain(swapped));
        let hangs: Vec<bool> = window.map(|i| self.hangs(i, language)).collect();
        out.short.extend(order::halved(&view.statement, statements, &hangs));
        out
    }

    /// What a reader of a window has read just before it: the sentence before, the first one of the source.
    fn context(&self, window: &Range<usize>) -> Vec<&Statement> {
        let source = self.entries[window.start].source;
        let of_source = |i: &usize| self.entries[*i].source == source;
        let before = window.start.checked_sub(1).filter(of_source);
        let first = (0..window.start).rev().take_while(of_source).last();
        before.into_iter().chain(first).map(|i| &self.facts(i).statement).collect()
    }

    /// Whether an entry carries on the one before it.
    fn hangs(&self, entry: usize, language: &lexicon::Language) -> bool {
        let words = &self.facts(entry).statement.lower;
        language.openers.starts(words) && !language.exempt.starts(words)
    }

    /// The share of a claim's content that a window has in these or other words. Figures are compared apart.
    fn coverage_by_meaning(&self, statements: &[&Statement], view: &View, lang: &str) -> u16 {
        let theirs: Vec<&Term> = statements.iter().flat_map(|s| &s.terms).collect();
        let strange = (1.0 + self.entries.len() as f32).ln();
        let (mut met, mut all) = (0.0, 0.0);
        for term in view.statement.terms.iter().filter(|t| !t.figure && !t.unit && !t.light) {
            let weight = self.vocabulary.id(&term.word, lang).map_or(strange, |id| self.idf[id as usize]);
            all += weight;
            met += if compare::has(&theirs, term) { weight } else { 0.0 };
        }
        permille(met, all)
    }

    /// Whether an entry says little more and little less than a claim.
    fn is_same(&self, entry: usize, view: &View) -> bool {
        let content = &self.entries[entry].content;
        self.coverage(content, view) >= 850 && self.met(content, view) / content_weight(content, &self.idf) >= 0.8
    }

    /// The weight of what a claim shares with some content.
    fn met(&self, content: &[u32], view: &View) -> f32 {
        let met = view.terms.content.iter().filter(|id| content.binary_search(id).is_ok());
        met.map(|id| self.idf[*id as usize]).sum()
    }

    fn coverage(&self, content: &[u32], view: &View) -> u16 {
        permille(self.met(content, view), view.weight)
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

fn permille(part: f32, whole: f32) -> u16 {
    let share = if whole > 0.0 { part / whole } else { 0.0 };
    (share * 1000.0).round().clamp(0.0, 1000.0) as u16
}

/// In a short sentence every word decides.
fn threshold(content_words: usize, freedom: f32) -> u16 {
    let strict = if content_words <= SHORT { SHORT_THRESHOLD_PERMILLE } else { THRESHOLD_PERMILLE };
    strict - (f32::from(strict) * FREE_SHARE * freedom) as u16
}

fn content_weight(content: &[u32], idf: &[f32]) -> f32 {
    content.iter().map(|id| idf[*id as usize]).sum::<f32>().max(f32::MIN_POSITIVE)
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

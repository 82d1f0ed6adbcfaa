//! A close look at one span: whether it supports a sentence, and what it has against it.

use std::ops::Range;

use galley_domain::writing::Verdict;

use super::{
    super::{
        SHORT_THRESHOLD_PERMILLE, THRESHOLD_PERMILLE,
        compare::{self, Objections},
        cover,
        facts::SpanFacts,
        order, polarity,
        statement::{Statement, Term},
        unspaced,
    },
    Checker, Found, NEAR_PERMILLE, View, WINDOW,
};
use crate::{lexicon, vocabulary::shared};

/// A sentence of so few content words, or fewer, is short.
const SHORT: usize = 4;
/// A sentence that is put freely needs so much less of its words in the passage.
const FREE_SHARE: f32 = 0.3;

impl Checker<'_> {
    pub(super) fn look(&self, first: usize, len: usize, view: &View) -> Found {
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
        let alone = |i: &usize| !one && self.coverage(&self.entries[*i].content, view) >= SHORT_THRESHOLD_PERMILLE;
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
        // `None of them …`
        let none = words.first().is_some_and(|word| language.negations.is(std::slice::from_ref(word)));
        none || language.openers.starts(words) && !language.exempt.starts(words)
    }

    /// The share of a claim's content that a window has in these or other words. Figures are compared apart.
    fn coverage_by_meaning(&self, statements: &[&Statement], view: &View, lang: &str) -> u16 {
        let theirs: Vec<&Term> = statements.iter().flat_map(|s| &s.terms).collect();
        let strange = (1.0 + self.entries.len() as f32).ln();
        let (mut met, mut all) = (0.0, 0.0);
        // Where words are few, those that say little count too.
        let few = view.statement.terms.iter().filter(|t| !t.light).count() < SHORT;
        for term in view.statement.terms.iter().filter(|t| !t.figure && !t.unit && (few || !t.light)) {
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

//! Writing a section from its passages.

use std::collections::{BTreeMap, BTreeSet};

use galley_domain::writing::{Brief, Outline, SectionText, Snapshot, Span};

use crate::{
    attribution,
    dispute::{self, View},
    lexicon::{self, Language},
    pool::PARAGRAPH,
    snapshot::{BlockKind, SourceSentence, sentences_about},
    vocabulary::{TermSet, Vocabulary},
};

/// Writes section `index` of an outline: the sentences of its passages, verbatim, in paragraphs of two to five. A list
/// or a table stays one. Where another source takes over, its title may be named once. A section without passages, or beyond the
/// last one, gives no paragraphs.
pub fn section(brief: &Brief, outline: &Outline, index: usize, sources: &[Snapshot]) -> SectionText {
    if index >= outline.sections.len() {
        return SectionText::default();
    }
    let language = lexicon::of(&brief.language);
    let mut wanted: BTreeMap<u32, Vec<Span>> = BTreeMap::new();
    for span in outline.sections.iter().take(index + 1).flat_map(|section| &section.passages) {
        wanted.entry(span.source).or_default().push(*span);
    }
    let read: BTreeMap<u32, Vec<SourceSentence>> = sources
        .iter()
        .filter_map(|source| Some((source.number, sentences_about(source, wanted.get(&source.number)?))))
        .collect();
    // Which source was named before can only be told by going through the sections in order.
    let mut named = Named { outline, sources, language, seen: BTreeSet::new(), count: 0 };
    let mut text = SectionText::default();
    for plan in outline.sections.iter().take(index + 1) {
        let paragraphs = paragraphs(&plan.passages, &read);
        text = SectionText { paragraphs: named.write(&paragraphs) };
    }
    text
}

/// The sentences of the passages as paragraphs: a passage is one, single sentences join their neighbours.
fn paragraphs<'a>(passages: &[Span], read: &'a BTreeMap<u32, Vec<SourceSentence>>) -> Vec<Vec<&'a SourceSentence>> {
    let mut out: Vec<Vec<&SourceSentence>> = Vec::new();
    for span in passages {
        let found = read.get(&span.source).map_or(&[][..], Vec::as_slice);
        let from = found.partition_point(|s| s.span.start < span.start);
        let inside: Vec<&SourceSentence> = found[from..].iter().take_while(|s| s.span.end <= span.end).collect();
        for part in safe_runs(&inside) {
            match out.last_mut() {
                Some(last) if joins(last, &part) => last.extend(part),
                _ => out.push(part),
            }
        }
    }
    if let [.., before, last] = out.as_mut_slice()
        && last.len() == 1
        && !keeps_shape(before)
        && !keeps_shape(last)
        && before.len() < PARAGRAPH
    {
        before.append(last);
        out.pop();
    }
    out
}

/// Runs that do not start with a sentence that refers back, none longer than a paragraph where that can be helped.
fn safe_runs<'a>(inside: &[&'a SourceSentence]) -> Vec<Vec<&'a SourceSentence>> {
    let mut out: Vec<Vec<&SourceSentence>> = Vec::new();
    for sentence in inside {
        let follows = out.last().and_then(|run| run.last()).is_some_and(|before: &&SourceSentence| {
            before.paragraph == sentence.paragraph && before.position + 1 == sentence.position
        });
        match out.last_mut() {
            Some(run) if follows && (run.len() < PARAGRAPH || sentence.hangs) => run.push(sentence),
            _ if sentence.hangs => {}
            _ => out.push(vec![sentence]),
        }
    }
    out
}

fn is_list(paragraph: &[&SourceSentence]) -> bool {
    paragraph.first().is_some_and(|s| s.kind == BlockKind::Listed)
}

/// Whether a paragraph is a list or a table, which no sentence joins.
fn keeps_shape(paragraph: &[&SourceSentence]) -> bool {
    paragraph.first().is_some_and(|s| matches!(s.kind, BlockKind::Listed | BlockKind::Table))
}

/// What leads to a list as a paragraph, each item as one.
fn listed(texts: Vec<String>, out: &mut Vec<String>) {
    for (at, text) in texts.into_iter().enumerate() {
        out.push(if at == 0 && text.ends_with([':', '：']) { text } else { format!("- {text}") });
    }
}

/// Whether the next run continues a paragraph rather than opening one.
fn joins(paragraph: &[&SourceSentence], next: &[&SourceSentence]) -> bool {
    let (Some(last), Some(first)) = (paragraph.last(), next.first()) else { return false };
    if paragraph.len() + next.len() > PARAGRAPH || keeps_shape(paragraph) || keeps_shape(next) {
        return false;
    }
    let same_source = last.span.source == first.span.source;
    let rows = last.kind == BlockKind::TableRow && first.kind == BlockKind::TableRow && same_source;
    rows || paragraph.len() == 1 || next.len() == 1 && same_source && last.kind == first.kind
}

/// Names each source at most once, where it takes over from another within a section.
struct Named<'a> {
    outline: &'a Outline,
    sources: &'a [Snapshot],
    language: Option<&'static Language>,
    seen: BTreeSet<u32>,
    count: usize,
}

impl Named<'_> {
    fn write(&mut self, paragraphs: &[Vec<&SourceSentence>]) -> Vec<String> {
        let disputed = self.disputed(paragraphs);
        let mut before = None;
        let mut named_here = !disputed.is_empty();
        let mut out = Vec::with_capacity(paragraphs.len());
        for paragraph in paragraphs {
            let mut texts: Vec<String> = paragraph.iter().map(|s| s.text.clone()).collect();
            let source = paragraph.first().map(|s| s.span.source);
            let takes_over = before.is_some() && before != source;
            if takes_over
                && !named_here
                && let Some(first) = paragraph.first()
                && let Some(named) = self.attributed(first)
            {
                texts[0] = named;
                named_here = true;
            }
            for (text, sentence) in texts.iter_mut().zip(paragraph) {
                if disputed.contains(&sentence.span)
                    && let Some(named) = self.named(sentence)
                {
                    *text = named;
                }
            }
            before = paragraph.last().map(|s| s.span.source);
            if is_list(paragraph) {
                listed(texts, &mut out);
            } else {
                out.push(texts.join(" "));
            }
        }
        out
    }

    /// Where sources contradict each other within these paragraphs: for each of the two the first sentence that it says
    /// without a break, which names it.
    fn disputed(&self, paragraphs: &[Vec<&SourceSentence>]) -> BTreeSet<Span> {
        let all: Vec<(usize, &SourceSentence)> =
            paragraphs.iter().enumerate().flat_map(|(p, sentences)| sentences.iter().map(move |s| (p, *s))).collect();
        let Some(language) = self.language else { return BTreeSet::new() };
        if all.iter().all(|(_, s)| s.span.source == all[0].1.span.source) {
            return BTreeSet::new();
        }
        let lang = language.table.code;
        let mut vocabulary = Vocabulary::default();
        let terms: Vec<TermSet> = all.iter().map(|(_, s)| vocabulary.add(&s.text, lang)).collect();
        all.iter().flat_map(|(_, s)| s.headings.iter()).for_each(|heading| drop(vocabulary.add(heading, lang)));
        let views: Vec<View<'_>> =
            all.iter().zip(&terms).map(|((_, source), terms)| View { source, terms, lang }).collect();
        let opens = |mut i: usize| {
            let same = |a: usize, b: usize| all[a].0 == all[b].0 && all[a].1.span.source == all[b].1.span.source;
            while i > 0 && same(i, i - 1) {
                i -= 1;
            }
            all[i].1.span
        };
        let found = dispute::find(&views, &vocabulary, &|_| true);
        found.into_iter().flat_map(|dispute| [opens(dispute.one), opens(dispute.other)]).collect()
    }

    /// The sentence with its source named, whatever was named before.
    fn named(&mut self, sentence: &SourceSentence) -> Option<String> {
        let source = self.sources.iter().find(|s| s.number == sentence.span.source)?;
        let text = attribution::attribute_surely(&sentence.text, source, self.language?, self.count)?;
        self.seen.insert(source.number);
        self.count += 1;
        Some(text)
    }

    fn attributed(&mut self, sentence: &SourceSentence) -> Option<String> {
        let source = self.sources.iter().find(|s| s.number == sentence.span.source)?;
        let usable = sentence.kind == BlockKind::Paragraph && !self.seen.contains(&source.number);
        let language = self.language.filter(|_| usable)?;
        let title = attribution::name(source)?;
        if title.eq_ignore_ascii_case(&self.outline.title) {
            return None;
        }
        let text = attribution::attribute(&sentence.text, title, language, self.count)?;
        self.seen.insert(source.number);
        self.count += 1;
        Some(text)
    }
}

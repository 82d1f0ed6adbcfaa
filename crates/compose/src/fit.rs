//! Brings a written article to the ordered length without cutting, repeating or orphaning a sentence.

use std::collections::HashSet;

use galley_domain::{
    Fault, FaultCode,
    writing::{Brief, SectionPlan, SectionText, Snapshot, Span},
};
use galley_text::{sentence, word};

use crate::{
    lexicon::{self, Language},
    likeness::Likeness,
    plan::{self, Slot},
    pool::Pool,
    similar::Kept,
    snapshot::{self, Shapes},
    table::Table,
    title, usable,
    vocabulary::{TermSet, Vocabulary},
};

/// How often text is added and cut again before giving up.
const ROUNDS: usize = 4;
/// What an emptied section gets at most, in words.
const REFILL: u32 = 60;

/// Makes the whole article (words of paragraphs and headings as [`galley_text::word::count`] counts them) lie within
/// the ordered range, at worst within its tolerance, and tells nothing twice:
///
/// - sentences that repeat an earlier one, also nearly, go first, with those that hang on them;
/// - too long: trailing sentences of the sections furthest above their budget go, never a section's only sentence;
/// - too short: unused sentences of the sources that suit the section are added as paragraphs at its end.
///
/// The text may come from any writer. Returns the sections in their order.
///
/// # Errors
/// A permanent [`FaultCode::WorkflowError`] when the range cannot be reached.
pub fn fit(
    brief: &Brief,
    sections: Vec<(SectionPlan, SectionText)>,
    sources: &[Snapshot],
) -> Result<Vec<SectionText>, Fault> {
    let mut draft = Draft::read(brief, &sections);
    draft.drop_repetitions();
    let accepted = brief.words.with_tolerance();
    let mut pool = None;
    for _ in 0..ROUNDS {
        draft.cut(brief.words.max, accepted.min);
        let empty = draft.sections.iter().any(|s| s.lines() == 0);
        if draft.words() >= brief.words.min && !empty {
            break;
        }
        let pool = pool.get_or_insert_with(|| Pool::with(brief, sources, &Likeness::default(), Shapes::Nothing));
        if !draft.grow(brief, pool, sources) {
            break;
        }
    }
    draft.cut(brief.words.max, accepted.min);
    let words = draft.words();
    if !accepted.contains(words) {
        return Err(out_of_range(brief, words));
    }
    Ok(draft.into_texts())
}

fn out_of_range(brief: &Brief, words: u32) -> Fault {
    let ordered = brief.words;
    let message = if words < ordered.min {
        format!(
            "The article has {words} words, and its sources hold no more usable text; ordered were {} to {}. \
             Order fewer words, or add sources with more running text about the topic.",
            ordered.min, ordered.max
        )
    } else {
        format!(
            "The article cannot be cut below {words} words without losing a section; ordered were {} to {}. \
             Order more words, or plan fewer sections.",
            ordered.min, ordered.max
        )
    };
    Fault::permanent(FaultCode::WorkflowError, message)
}

#[derive(Debug)]
struct Line {
    text: String,
    terms: TermSet,
    words: u32,
    hangs: bool,
}

#[derive(Debug, Default)]
struct Paragraph {
    /// `- …`
    item: bool,
    /// Its one line is all of a table.
    table: bool,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Section {
    plan: SectionPlan,
    heading_words: u32,
    paragraphs: Vec<Paragraph>,
}

impl Section {
    fn lines(&self) -> usize {
        self.paragraphs.iter().map(|p| p.lines.len()).sum()
    }

    fn words(&self) -> u32 {
        self.paragraphs.iter().flat_map(|p| &p.lines).map(|l| l.words).sum()
    }

    /// What [`Self::pop`] drops: the last sentence, or all of the list at the end.
    fn last_words(&self) -> (usize, u32) {
        let items = self.paragraphs.iter().rev().take_while(|p| p.item);
        let (lines, words) = items.fold((0, 0), |(lines, words), p| {
            (lines + p.lines.len(), words + p.lines.iter().map(|l| l.words).sum::<u32>())
        });
        if lines > 0 {
            return (lines, words);
        }
        (1, self.paragraphs.last().and_then(|p| p.lines.last()).map_or(0, |l| l.words))
    }

    /// Drops the last sentence, the whole list at the end, and a list head or a question that would be left without what belongs to it.
    fn pop(&mut self) {
        if self.paragraphs.last().is_some_and(|p| p.item) {
            let items = self.paragraphs.iter().rev().take_while(|p| p.item).count();
            self.paragraphs.truncate(self.paragraphs.len() - items);
            if self.paragraphs.last().is_some_and(|p| p.lines.len() == 1 && p.lines[0].text.ends_with([':', '：'])) {
                self.paragraphs.pop();
            }
            return;
        }
        let leads = |p: &Paragraph| p.lines.last().is_some_and(|l| l.text.ends_with(':') || usable::asks(&l.text));
        if let Some(last) = self.paragraphs.last_mut() {
            last.lines.pop();
            while leads(last) && last.lines.len() > 1 {
                last.lines.pop();
            }
        }
        self.paragraphs.retain(|p| !p.lines.is_empty());
        if self.lines() > 1
            && let Some(last) = self.paragraphs.last_mut()
            && leads(last)
        {
            last.lines.pop();
            self.paragraphs.retain(|p| !p.lines.is_empty());
        }
    }

    /// A paragraph that cutting left with one sentence joins the one before.
    fn close_up(&mut self) {
        if let [.., before, last] = self.paragraphs.as_mut_slice()
            && last.lines.len() == 1
            && !(last.item || last.table)
            && !(before.item || before.table)
            && before.lines.len() < crate::pool::PARAGRAPH
        {
            before.lines.append(&mut last.lines);
            self.paragraphs.pop();
        }
    }
}

/// Behind the last item of the list that begins with a paragraph, or with the sentence that leads to it.
fn list_end(paragraphs: &[Paragraph], at: usize) -> usize {
    let leads =
        !paragraphs[at].item && matches!(paragraphs[at].lines.as_slice(), [line] if line.text.ends_with([':', '：']));
    let first = at + usize::from(leads);
    let items = paragraphs.get(first..).unwrap_or_default().iter().take_while(|p| p.item).count();
    if items > 0 { first + items } else { at }
}

/// A list stays whole, or goes where most of it is told already. An item that has the same words as another goes.
fn drop_repeated_list(list: &mut [Paragraph], kept: &mut Kept) {
    let mut seen = HashSet::new();
    for paragraph in list.iter_mut().filter(|p| p.item) {
        paragraph.lines.retain(|line| seen.insert(line.text.clone()));
    }
    let items = || list.iter().filter(|p| p.item).flat_map(|p| &p.lines);
    let told = items().filter(|line| kept.has(&line.terms, None)).count();
    if told * 2 > items().count() {
        list.iter_mut().for_each(|p| p.lines.clear());
    } else {
        items().for_each(|line| kept.add(line.terms.clone(), None));
    }
}

struct Draft {
    sections: Vec<Section>,
    vocabulary: Vocabulary,
    lang: String,
    language: Option<&'static Language>,
}

impl Draft {
    fn read(brief: &Brief, sections: &[(SectionPlan, SectionText)]) -> Self {
        let lang = lexicon::primary(&brief.language).to_ascii_lowercase();
        let language = lexicon::of(&lang);
        let mut draft = Self { sections: Vec::new(), vocabulary: Vocabulary::default(), lang, language };
        for (plan, text) in sections {
            let heading_words = plan.heading.as_deref().map_or(0, word::count);
            let paragraphs =
                text.paragraphs.iter().map(|p| draft.paragraph(p)).filter(|p| !p.lines.is_empty()).collect();
            draft.sections.push(Section { plan: plan.clone(), heading_words, paragraphs });
        }
        draft
    }

    fn paragraph(&mut self, text: &str) -> Paragraph {
        let text = text.trim();
        let (item, body) = text.strip_prefix("- ").map_or((false, text), |rest| (true, rest.trim()));
        if Table::parse(text).is_some() {
            return Paragraph { item: false, table: true, lines: vec![self.line(text)] };
        }
        let lines = sentence::split(body).into_iter().map(|range| self.line(&body[range])).collect();
        Paragraph { item, table: false, lines }
    }

    fn line(&mut self, text: &str) -> Line {
        Line {
            text: text.to_owned(),
            terms: self.vocabulary.add(text, &self.lang),
            words: word::count(text),
            hangs: self.language.is_none_or(|l| usable::hangs(text, l)),
        }
    }

    fn words(&self) -> u32 {
        self.sections.iter().map(|s| s.heading_words + s.words()).sum()
    }

    fn drop_repetitions(&mut self) {
        let mut kept = Kept::default();
        let known_language = self.language.is_some();
        for section in &mut self.sections {
            let mut at = 0;
            while at < section.paragraphs.len() {
                let end = list_end(&section.paragraphs, at);
                if end > at {
                    drop_repeated_list(&mut section.paragraphs[at..end], &mut kept);
                    at = end;
                    continue;
                }
                let mut orphaned = false;
                section.paragraphs[at].lines.retain(|line| {
                    let hangs = line.hangs && known_language;
                    if kept.has(&line.terms, None) || orphaned && hangs {
                        orphaned = true;
                        return false;
                    }
                    orphaned = false;
                    kept.add(line.terms.clone(), None);
                    true
                });
                at += 1;
            }
            section.paragraphs.retain(|p| !p.lines.is_empty());
        }
    }

    /// Drops trailing sentences until at most `max` words are left, but not below `floor`.
    fn cut(&mut self, max: u32, floor: u32) {
        let mut touched = vec![false; self.sections.len()];
        while self.words() > max {
            let words = self.words();
            let candidate = (0..self.sections.len())
                .filter(|i| self.sections[*i].lines() > self.sections[*i].last_words().0)
                .filter(|i| words - self.sections[*i].last_words().1 >= floor)
                .max_by_key(|i| {
                    let section = &self.sections[*i];
                    let over = i64::from(section.words()) - i64::from(section.plan.words.target());
                    (over, section.words(), std::cmp::Reverse(*i))
                });
            let Some(index) = candidate else { break };
            self.sections[index].pop();
            touched[index] = true;
        }
        for (section, _) in self.sections.iter_mut().zip(touched).filter(|(_, touched)| *touched) {
            section.close_up();
        }
    }

    /// Adds sentences of the sources where sections are short. Returns whether there were any.
    fn grow(&mut self, brief: &Brief, pool: &Pool, sources: &[Snapshot]) -> bool {
        let mut told = Kept::default();
        let mut seen = Vocabulary::default();
        for line in self.sections.iter().flat_map(|s| &s.paragraphs).flat_map(|p| &p.lines) {
            told.add(seen.add(&line.text, &self.lang), None);
        }
        let mut used: Vec<bool> =
            pool.sentences.iter().map(|s| told.has(&seen.add(&s.source.text, &self.lang), None)).collect();
        // Rows of a table that stands in the article are told.
        let shown = self.tables(sources);
        for (used, sentence) in used.iter_mut().zip(&pool.sentences) {
            let own = sentence.source.span;
            *used |= shown.iter().any(|t| t.source == own.source && t.start <= own.start && own.end <= t.end);
        }
        let missing = brief.words.target().saturating_sub(self.words());
        let mut slots = self.slots(brief, pool, missing);
        for (foreign, lax) in [(false, false), (true, false), (false, true), (true, true)] {
            let added: u32 = slots.iter().map(|s| s.words).sum();
            let enough = self.words() + added >= brief.words.min;
            if !enough || !foreign && !lax {
                plan::fill(pool, &mut slots, &mut used, foreign, lax);
            }
        }
        let mut grown = false;
        for (index, slot) in slots.iter().enumerate() {
            for piece in &slot.chosen {
                let lines = pool.sentences[piece.range()].iter().map(|s| self.line(&s.source.text)).collect();
                self.sections[index].paragraphs.push(Paragraph { lines, ..Paragraph::default() });
                grown = true;
            }
            if !slot.chosen.is_empty() {
                self.sections[index].close_up();
            }
        }
        grown
    }

    /// Where the tables of the article stand in the sources.
    fn tables(&self, sources: &[Snapshot]) -> Vec<Span> {
        let own: Vec<&str> = (self.sections.iter().flat_map(|s| &s.paragraphs))
            .filter(|p| p.table)
            .flat_map(|p| &p.lines)
            .map(|line| line.text.as_str())
            .collect();
        if own.is_empty() {
            return Vec::new();
        }
        let all = sources.iter().flat_map(snapshot::tables);
        all.filter(|(_, text)| own.contains(&text.as_str())).map(|(span, _)| span).collect()
    }

    /// A slot for each section with its part of what is missing.
    fn slots(&self, brief: &Brief, pool: &Pool, missing: u32) -> Vec<Slot> {
        let short: Vec<u32> = self
            .sections
            .iter()
            .map(|s| {
                let lacking = s.plan.words.target().saturating_sub(s.words());
                if s.lines() == 0 { lacking.clamp(20, REFILL.max(20)) } else { lacking }
            })
            .collect();
        let all: u32 = short.iter().sum();
        let count = u32::try_from(self.sections.len()).unwrap_or(1).max(1);
        self.sections
            .iter()
            .zip(short)
            .enumerate()
            .map(|(index, (section, lacking))| {
                let part = (missing * lacking).checked_div(all).unwrap_or(missing / count + 1);
                let budget = if section.lines() == 0 { part.max(lacking) } else { part };
                Slot {
                    profile: self.profile(brief, pool, section),
                    opening: index == 0 && section.plan.heading.is_none(),
                    budget,
                    ..Slot::default()
                }
            })
            .collect()
    }

    fn profile(&self, brief: &Brief, pool: &Pool, section: &Section) -> Vec<u32> {
        let heading = section.plan.heading.as_deref().unwrap_or("");
        let mut wanted = format!("{heading}\n{}", section.plan.points.join("\n"));
        if wanted.trim().is_empty() {
            wanted = title::topic(&brief.prompt, self.language);
        }
        for line in section.paragraphs.iter().flat_map(|p| &p.lines).take(3) {
            wanted.push('\n');
            wanted.push_str(&line.text);
        }
        pool.vocabulary.find(&wanted, &self.lang).0.content
    }

    fn into_texts(self) -> Vec<SectionText> {
        let write = |p: Paragraph| {
            let text = p.lines.into_iter().map(|l| l.text).collect::<Vec<_>>().join(" ");
            if p.item { format!("- {text}") } else { text }
        };
        self.sections
            .into_iter()
            .map(|s| SectionText { paragraphs: s.paragraphs.into_iter().map(write).collect() })
            .collect()
    }
}

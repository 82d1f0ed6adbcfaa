//! Planning: sections with headings, budgets and passages.

use std::collections::BTreeSet;

use galley_domain::{
    Fault, FaultCode,
    writing::{Brief, Outline, SectionPlan, Snapshot, WordRange},
};
use galley_text::word;

use crate::{
    asked, closing, lexicon,
    likeness::{self, Likeness},
    plan::{self, Slot},
    pool::Pool,
    similar,
    snapshot::{BlockKind, Shapes},
    title,
    topics::{self, Topic},
};

/// The share of the opening section, in percent, and its least and most words.
const OPENING_PERCENT: u32 = 11;
const OPENING_WORDS: (u32, u32) = (35, 140);
/// The same of the closing section, which a short text does not need.
const CLOSING_PERCENT: u32 = 7;
const CLOSING_WORDS: (u32, u32) = (30, 90);
const CLOSING_FROM: u32 = 450;
/// A topic with fewer words, a table for example, stays short rather than be filled with what does not belong.
const SMALL_TOPIC: u32 = 90;
/// A long text has a heading about this often, in words.
const WORDS_A_SECTION: u32 = 280;
/// Sections beyond this are too long where the sources have other topics.
const LONG_SECTION: u32 = 380;
const MAX_HEADING_CHARS: usize = 60;
/// The share of a section that a heading made of its passages must speak of.
const LEAST_HOME: f32 = 0.5;
/// What search engine guides ask for: the keyphrase in this share of the headings, in percent.
const KEYPHRASE_PERCENT: usize = 30;

/// Plans an article from nothing but its sources: a title from the prompt, three to eight sections named after the
/// sources' own headings or their key terms, and passages for each, so that all of it comes to the middle of the
/// ordered words.
///
/// Sources in the ordered language are used first; others only where the text would be too short without them.
///
/// # Errors
/// A permanent [`FaultCode::WorkflowError`] when all usable sentences together are fewer words than ordered, less the
/// tolerance.
pub fn outline(brief: &Brief, sources: &[Snapshot]) -> Result<Outline, Fault> {
    outline_with(brief, sources, &Likeness::default())
}

/// [`outline`] with what an embedding model says of the passages.
///
/// # Errors
/// As [`outline`].
pub fn outline_with(brief: &Brief, sources: &[Snapshot], likeness: &Likeness) -> Result<Outline, Fault> {
    let pool = Pool::new(brief, sources, likeness);
    let planned = plan_of(brief, sources, &pool);
    let is_enough = |outline: &Outline| {
        outline.sections.iter().map(|s| s.words.target()).sum::<u32>() >= brief.words.with_tolerance().min
    };
    // A table or a list that is too long for what is ordered is told in sentences.
    let mut best = planned;
    for (kind, shapes) in [(BlockKind::Table, Shapes::Lists), (BlockKind::Listed, Shapes::Nothing)] {
        if best.as_ref().is_ok_and(is_enough) {
            break;
        }
        if pool.has(kind) {
            best = plan_of(brief, sources, &Pool::with(brief, sources, likeness, shapes)).or(best);
        }
    }
    best
}

fn plan_of(brief: &Brief, sources: &[Snapshot], pool: &Pool) -> Result<Outline, Fault> {
    let (own, foreign) = pool.usable_words();
    if own + foreign < brief.words.with_tolerance().min {
        return Err(too_little(brief, own + foreign, sources.len()));
    }
    let target = brief.words.target();
    let closing = closing::heading(lexicon::primary(&brief.language)).filter(|_| target >= CLOSING_FROM);
    let count = section_count(target) - usize::from(closing.is_some());
    let opening = (target * OPENING_PERCENT / 100).clamp(OPENING_WORDS.0, OPENING_WORDS.1);
    let share = (target - opening.min(target)) / u32::try_from(count - 1).unwrap_or(1);
    let asked = asked::topics(brief, pool, target - opening.min(target));
    let wanted = sections_beside(&asked, count - 1, target - opening.min(target));
    let topics = topics::topics(brief, sources, pool, asked, wanted, share);
    let headings = headings(brief, &topics);
    let heading_words: u32 = headings.iter().map(|h| word::count(h)).sum();
    let ending = closing.map_or(0, |_| (target * CLOSING_PERCENT / 100).clamp(CLOSING_WORDS.0, CLOSING_WORDS.1));
    let mut slots = slots(brief, pool, &topics, target.saturating_sub(heading_words + ending), opening);
    if closing.is_some() {
        slots.push(Slot { closing: true, budget: ending, ..Slot::default() });
    }
    let mut slots = filled(brief, pool, slots, heading_words);
    plan::tell_both_sides(pool, &mut slots);
    let closing = closing.filter(|heading| !headings.iter().any(|other| other == heading)).map(str::to_owned);
    // Words of some passages head no section that is mostly about something else.
    let named = headings.into_iter().zip(&topics).zip(slots.iter().skip(1)).map(|((heading, topic), slot)| {
        (!topic.is_cluster || plan::home_share(pool, slot) >= LEAST_HOME).then_some(heading)
    });
    let mut names = std::iter::once(None).chain(named).chain(closing.map(Some));
    let mut points =
        std::iter::once(Vec::new()).chain(topics.iter().map(|topic| topic.asked.iter().cloned().collect()));
    let sections: Vec<SectionPlan> = slots
        .iter()
        .map(|slot| SectionPlan {
            heading: names.next().flatten(),
            points: points.next().unwrap_or_default(),
            words: around(slot.words),
            passages: plan::spans(pool, slot),
        })
        .filter(|plan| !plan.passages.is_empty())
        .collect();
    Ok(Outline { title: title::title(brief, sources), sections })
}

/// Gives every section without passages those that suit its heading and points best, and every section without a
/// budget (`words.max == 0`) an equal share of what is left. Other sections stay as they are, and their passages are
/// given to nobody else.
pub fn assign(brief: &Brief, outline: &Outline, sources: &[Snapshot]) -> Outline {
    assign_with(brief, outline, sources, &Likeness::default())
}

/// [`assign`] with what an embedding model says of the passages.
pub fn assign_with(brief: &Brief, outline: &Outline, sources: &[Snapshot], likeness: &Likeness) -> Outline {
    let mut out = outline.clone();
    set_budgets(brief, &mut out);
    if out.sections.iter().all(|section| !section.passages.is_empty()) {
        // As after `outline`; reading all sources again would be most of its work once more.
        return out;
    }
    let pool = Pool::new(brief, sources, likeness);
    let mut used = vec![false; pool.sentences.len()];
    for span in out.sections.iter().flat_map(|s| &s.passages) {
        for (i, sentence) in pool.sentences.iter().enumerate() {
            let own = sentence.source.span;
            used[i] |= own.source == span.source && own.start < span.end && span.start < own.end;
        }
    }
    let open: Vec<usize> = (0..out.sections.len()).filter(|i| out.sections[*i].passages.is_empty()).collect();
    let mut slots: Vec<Slot> = open.iter().map(|i| wanted(brief, &pool, &out.sections[*i], *i == 0)).collect();
    plan::fill(&pool, &mut slots, &mut used, false, false);
    let words: u32 = slots.iter().map(|s| s.words).sum();
    let budget: u32 = slots.iter().map(|s| s.budget).sum();
    if words * 100 < budget * (100 - WordRange::TOLERANCE_PERCENT) {
        plan::fill(&pool, &mut slots, &mut used, true, false);
    }
    plan::tell_both_sides(&pool, &mut slots);
    for (i, slot) in open.into_iter().zip(&slots) {
        out.sections[i].passages = plan::spans(&pool, slot);
    }
    out
}

fn too_little(brief: &Brief, words: u32, sources: usize) -> Fault {
    let ordered = brief.words;
    Fault::permanent(
        FaultCode::WorkflowError,
        format!(
            "The {sources} source(s) hold {words} usable words, too few for an article of {} to {} words. \
             Order fewer words, or add sources with more running text about the topic.",
            ordered.min, ordered.max
        ),
    )
}

/// Three sections for a short text, eight for a long one, the opening included.
fn section_count(target: u32) -> usize {
    match target {
        0..=320 => 3,
        321..=560 => 4,
        561..=850 => 5,
        851..=1250 => 6,
        1251..=1800 => 7,
        _ => usize::try_from(target / WORDS_A_SECTION).unwrap_or(8) + 1,
    }
}

/// How many topics an article has, those that the order names included: others only where the named ones have too
/// little to tell, or would become long.
fn sections_beside(asked: &[Topic], count: usize, words: u32) -> usize {
    if asked.is_empty() {
        return count;
    }
    let told: u32 = asked.iter().map(|topic| topic.words).sum();
    let long = usize::try_from(words / LONG_SECTION).unwrap_or(count);
    asked.len().max(if told < words * 11 / 10 { count.max(asked.len() + 1) } else { count.min(long) })
}

/// What a section of so many words may have: some play to both sides.
fn around(words: u32) -> WordRange {
    WordRange { min: words * 85 / 100, max: words * 115 / 100 + 1 }
}

/// The headings, distinct, with the whole keyphrase where some have its last word alone: `What lockers cost` becomes
/// `What parcel lockers cost`.
fn headings(brief: &Brief, topics: &[Topic]) -> Vec<String> {
    let mut headings: Vec<String> = topics.iter().map(|t| t.heading.clone()).collect();
    let Some(keyword) = brief.keywords.first().map(|k| k.trim()).filter(|k| !k.is_empty()) else { return headings };
    let has = |heading: &str| title::has_all_words(heading, keyword, &brief.language);
    let wanted = (headings.len() * KEYPHRASE_PERCENT).div_ceil(100);
    let mut have = headings.iter().filter(|h| has(h)).count();
    for i in 0..headings.len() {
        if have >= wanted || has(&headings[i]) {
            continue;
        }
        let fits = |h: &String| h.chars().count() <= MAX_HEADING_CHARS && has(h) && !headings.contains(h);
        if let Some(with) = completed(&headings[i], keyword).filter(fits) {
            headings[i] = with;
            have += 1;
        }
    }
    headings
}

/// The heading with the last word of the keyphrase, where it has that alone, completed to all of it.
fn completed(heading: &str, keyword: &str) -> Option<String> {
    let (_, last) = keyword.rsplit_once(' ')?;
    let small = lexicon::lower(last);
    let (at, word) = lexicon::tokens(heading).into_iter().find(|(_, token)| lexicon::lower(token) == small)?;
    let phrase = if at == 0 { crate::table::capitalised(keyword) } else { keyword.to_owned() };
    Some(format!("{}{phrase}{}", &heading[..at], &heading[at + word.len()..]))
}

fn slots(brief: &Brief, pool: &Pool, topics: &[Topic], target: u32, opening: u32) -> Vec<Slot> {
    let lang = lexicon::primary(&brief.language);
    let topic = title::topic(&brief.prompt, lexicon::of(lang));
    let opening = if topics.is_empty() { target } else { opening };
    let mut slots = vec![Slot {
        profile: pool.vocabulary.find(&topic, lang).0.content,
        opening: true,
        budget: opening,
        ..Slot::default()
    }];
    let body = target.saturating_sub(opening);
    for (topic, budget) in topics.iter().zip(shares(topics, body)) {
        let closed = topic.words < SMALL_TOPIC || topic.asked.is_some();
        slots.push(Slot {
            profile: topic.profile.clone(),
            home: topic.home.clone(),
            asked: topic.asked.as_ref().map(|_| topic.fit.clone()),
            closed,
            budget,
            ..Slot::default()
        });
    }
    slots
}

/// Spreads words over topics: more to those with more to tell, and to none more than it has.
fn shares(topics: &[Topic], words: u32) -> Vec<u32> {
    let weights: Vec<f32> = topics.iter().map(|t| (t.words.clamp(40, 600) as f32).powf(0.35)).collect();
    let room = |i: usize| topics[i].words.max(OPENING_WORDS.0);
    let mut shares = vec![0_u32; topics.len()];
    let mut left = words;
    // Each round fills at least one topic or gives out all that is left.
    for _ in 0..topics.len() {
        let open: Vec<usize> = (0..topics.len()).filter(|i| shares[*i] < room(*i)).collect();
        let all: f32 = open.iter().map(|i| weights[*i]).sum();
        let round = left;
        for i in open {
            let part = ((round as f32 * weights[i] / all) as u32).min(room(i) - shares[i]).min(left);
            shares[i] += part;
            left -= part;
        }
    }
    // What the topics cannot take is for whatever else fits.
    let count = u32::try_from(topics.len()).unwrap_or(1).max(1);
    shares.iter().map(|share| share + left / count).collect()
}

/// Fills in widening circles: own language, other languages where the order would not be met, and at last without the
/// rules of taste.
fn filled(brief: &Brief, pool: &Pool, mut slots: Vec<Slot>, heading_words: u32) -> Vec<Slot> {
    let mut used = vec![false; pool.sentences.len()];
    let short = |slots: &[Slot], floor: u32| slots.iter().map(|s| s.words).sum::<u32>() + heading_words < floor;
    plan::fill(pool, &mut slots, &mut used, false, false);
    plan::drop_unexplained(pool, &mut slots);
    plan::fill(pool, &mut slots, &mut used, false, false);
    plan::drop_unexplained(pool, &mut slots);
    if short(&slots, brief.words.min) {
        plan::fill(pool, &mut slots, &mut used, true, false);
    }
    if short(&slots, brief.words.min) {
        let mut used = vec![false; pool.sentences.len()];
        for i in slots.iter().flat_map(|s| &s.chosen).flat_map(|p| p.range()) {
            used[i] = true;
        }
        plan::fill(pool, &mut slots, &mut used, false, true);
        plan::fill(pool, &mut slots, &mut used, true, true);
    }
    slots
}

fn set_budgets(brief: &Brief, outline: &mut Outline) {
    let headings: u32 = outline.sections.iter().filter_map(|s| s.heading.as_deref()).map(word::count).sum();
    let given: u32 = outline.sections.iter().map(|s| s.words.target()).sum();
    let open = outline.sections.iter().filter(|s| s.words.max == 0).count();
    let left = brief.words.target().saturating_sub(headings + given);
    let share = left / u32::try_from(open).unwrap_or(1).max(1);
    for section in outline.sections.iter_mut().filter(|s| s.words.max == 0) {
        section.words = around(share.max(40));
    }
}

/// What a planned section asks for.
fn wanted(brief: &Brief, pool: &Pool, section: &SectionPlan, first: bool) -> Slot {
    let lang = lexicon::primary(&brief.language);
    let opening = first && section.heading.is_none();
    let heading = section.heading.as_deref().unwrap_or("");
    let asked = pool.vocabulary.find(&format!("{heading}\n{}", section.points.join("\n")), lang).0;
    let own = pool.vocabulary.find(heading, lang).0;
    let home: BTreeSet<usize> = pool
        .sentences
        .iter()
        .enumerate()
        .filter(|(_, s)| {
            s.source
                .headings
                .last()
                .is_some_and(|h| similar::jaccard(&pool.vocabulary.find(h, &s.lang).0.content, &own.content) >= 0.5)
        })
        .map(|(i, _)| i)
        .collect();
    let profile = if asked.content.is_empty() {
        pool.vocabulary.find(&title::topic(&brief.prompt, lexicon::of(lang)), lang).0.content
    } else {
        asked.content
    };
    let near = pool.near(&likeness::of_section(section)).unwrap_or_default();
    Slot { profile, home, near, opening, budget: section.words.target(), ..Slot::default() }
}

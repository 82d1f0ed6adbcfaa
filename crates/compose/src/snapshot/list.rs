//! Lists of a source that can stand in an article as lists.

use std::ops::Range;

use galley_text::word;

use super::{Block, BlockKind};
use crate::{lexicon::Language, usable};

const ITEMS: Range<usize> = 2..15;
/// Longer lists are texts of their own; their sentences are used one by one.
const MAX_WORDS: u32 = 190;
/// The same of a list of nothing but sentences that stand by themselves.
const MAX_LOOSE_WORDS: u32 = 110;
/// Without a sentence in front, shorter items on average are navigation.
const LEAST_AVERAGE: u32 = 4;
const MAX_LEAD_WORDS: u32 = 30;

/// A list with the sentence that leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List {
    /// `The set has:`
    pub lead: Option<Range<usize>>,
    /// The blocks of its items.
    pub blocks: Range<usize>,
}

impl List {
    /// The statements of the list: what leads to it, and one for each item.
    pub fn parts(&self, blocks: &[Block]) -> Vec<Range<usize>> {
        self.lead.iter().cloned().chain(blocks[self.blocks.clone()].iter().filter_map(whole)).collect()
    }
}

/// The lists of a text that can be printed as they are.
pub(super) fn find(text: &str, blocks: &[Block], language: Option<&Language>) -> Vec<List> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < blocks.len() {
        let end = end_of(text, blocks, at);
        let list = List { lead: lead(text, blocks, at, language), blocks: at..end };
        if end > at && is_sound(text, blocks, &list, language) {
            out.push(list);
        }
        at = end.max(at + 1);
    }
    out
}

fn whole(block: &Block) -> Option<Range<usize>> {
    Some(block.parts.first()?.start..block.parts.last()?.end)
}

/// Behind the last item of the list that begins with a block.
fn end_of(text: &str, blocks: &[Block], first: usize) -> usize {
    let mut end = first;
    while let Some(block) = blocks.get(end).filter(|block| block.kind == BlockKind::ListItem && !block.parts.is_empty())
    {
        let before = end.checked_sub(1).filter(|before| *before >= first).and_then(|before| whole(&blocks[before]));
        // An empty line ends a list.
        let goes_on = before.is_none_or(|before| text[before.end..block.head].matches('\n').count() == 1);
        if !goes_on {
            break;
        }
        end += 1;
    }
    end
}

fn lead(text: &str, blocks: &[Block], first: usize, language: Option<&Language>) -> Option<Range<usize>> {
    let before = blocks.get(first.checked_sub(1)?)?;
    let part = before.parts.last()?.clone();
    let lead = &text[part.clone()];
    let leads =
        before.kind == BlockKind::Paragraph && lead.ends_with([':', '：']) && word::count(lead) <= MAX_LEAD_WORDS;
    (leads && lead.starts_with(char::is_uppercase) && usable::is_sound_item(lead, language)).then_some(part)
}

fn is_sound(text: &str, blocks: &[Block], list: &List, language: Option<&Language>) -> bool {
    let items: Vec<&str> = blocks[list.blocks.clone()].iter().filter_map(whole).map(|range| &text[range]).collect();
    let words: u32 = items.iter().map(|item| word::count(item)).sum();
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let stops = items.iter().filter(|item| item.ends_with(['.', '。'])).count();
    let numbered = items.iter().all(|item| number(item).is_some());
    let is_loose = list.lead.is_none() && !numbered && stops == items.len();
    // What nothing leads to must say by itself what it is.
    let told = list.lead.is_some()
        || numbered
        || words >= count * LEAST_AVERAGE && (stops > 0 || items.iter().all(|item| item.contains(": ")));
    let fits = words <= if is_loose { MAX_LOOSE_WORDS } else { MAX_WORDS };
    // `stop 1`, `stop 2`: numbers that do not begin with one are the rest of a list.
    let begins = !numbered || items.first().and_then(|item| number(item)) == Some(1);
    ITEMS.contains(&items.len())
        && (items.len() > 2 || list.lead.is_some())
        && told
        && fits
        && begins
        && items.iter().all(|item| usable::is_sound_item(item, language))
        && (list.lead.is_some() || items.iter().all(|item| item.starts_with(|c: char| !c.is_lowercase())))
}

/// The number that an item has in front.
pub(crate) fn number(item: &str) -> Option<u32> {
    let digits = item.bytes().take_while(u8::is_ascii_digit).count();
    let is_number = (1..=2).contains(&digits) && (item[digits..].starts_with(". ") || item[digits..].starts_with(") "));
    is_number.then(|| item[..digits].parse().ok()).flatten()
}

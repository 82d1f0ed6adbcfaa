//! Citation marks as links to the entries of the list of sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd};

use crate::markdown::{SOURCES_HEADING, citation};

/// The list of sources.
struct Sources {
    /// Where its heading stands; marks are searched before it.
    heading: usize,
    /// Starts and ends of its entries with their numbers.
    entries: BTreeMap<usize, u64>,
    numbers: BTreeSet<u64>,
}

impl Sources {
    /// The last heading of level 2 of that name, if a numbered list follows.
    fn find(events: &[Event]) -> Option<Self> {
        let is_heading = |at: &usize| {
            let rest = &events[*at..];
            matches!(rest.first(), Some(Event::Start(Tag::Heading { level: HeadingLevel::H2, .. })))
                && matches!(rest.get(1), Some(Event::Text(text)) if text.trim().eq_ignore_ascii_case(SOURCES_HEADING))
                && matches!(rest.get(2), Some(Event::End(TagEnd::Heading(_))))
        };
        let heading = (0..events.len()).rev().find(is_heading)?;
        let Some(Event::Start(Tag::List(Some(first)))) = events.get(heading + 3) else { return None };
        let (mut entries, mut numbers) = (BTreeMap::new(), BTreeSet::new());
        let (mut next, mut depth) = (*first, 0_usize);
        for (at, event) in events.iter().enumerate().skip(heading + 3) {
            match event {
                Event::Start(Tag::List(_)) => depth += 1,
                Event::End(TagEnd::List(_)) => depth -= 1,
                Event::Start(Tag::Item) if depth == 1 => {
                    entries.insert(at, next);
                    numbers.insert(next);
                }
                Event::End(TagEnd::Item) if depth == 1 => {
                    entries.insert(at, next);
                    next = next.saturating_add(1);
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        Some(Self { heading, entries, numbers })
    }
}

/// Marks that name an entry become links to it, and entries get an `id`. Without a list of sources nothing changes.
pub(super) fn linked(events: Vec<Event>) -> Vec<Event> {
    let Some(sources) = Sources::find(&events) else { return events };
    let marks = marks(&events[..sources.heading]);
    let mut out = Vec::with_capacity(events.len());
    for (at, event) in events.into_iter().enumerate() {
        match (event, sources.entries.get(&at), marks.get(&at)) {
            (Event::Text(text), _, Some(runs)) => split(&text, runs, &sources.numbers, &mut out),
            (Event::Start(_), Some(number), _) => {
                out.push(Event::Html(format!("<li id=\"source-{number}\">").into()));
            }
            (Event::End(_), Some(_), _) => out.push(Event::Html("</li>\n".into())),
            (event, ..) => out.push(event),
        }
    }
    out
}

/// The marks in each text, found in the plain text of its block: whether `[3]` is a mark depends on what is around it.
fn marks(events: &[Event]) -> BTreeMap<usize, Vec<Range<usize>>> {
    let mut found = BTreeMap::new();
    let mut block = Block::default();
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Text(text) => block.text(at, text),
            Event::Code(code) => block.kept(code),
            Event::SoftBreak | Event::HardBreak => block.kept(" "),
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => block.links += 1,
            Event::End(TagEnd::Link | TagEnd::Image) => block.links = block.links.saturating_sub(1),
            Event::Start(Tag::CodeBlock(_)) => block.is_code = true,
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough)
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_) => {}
            _ => std::mem::take(&mut block).finish(&mut found),
        }
    }
    block.finish(&mut found);
    found
}

/// The plain text of a paragraph, an item, a heading or a cell.
#[derive(Default)]
struct Block {
    plain: String,
    /// Where a text begins in it, and which event it is.
    texts: Vec<(usize, usize)>,
    /// What is not searched for marks.
    keep: Vec<Range<usize>>,
    links: usize,
    is_code: bool,
}

impl Block {
    fn text(&mut self, event: usize, text: &str) {
        if self.links > 0 || self.is_code {
            return self.kept(text);
        }
        self.texts.push((self.plain.len(), event));
        self.plain.push_str(text);
    }

    fn kept(&mut self, text: &str) {
        let start = self.plain.len();
        self.plain.push_str(text);
        self.keep.push(start..self.plain.len());
    }

    fn finish(self, found: &mut BTreeMap<usize, Vec<Range<usize>>>) {
        for run in citation::marks(&self.plain, &self.keep) {
            let text = self.texts.partition_point(|(start, _)| *start <= run.start);
            let Some((start, event)) = text.checked_sub(1).and_then(|text| self.texts.get(text)) else { continue };
            let next = self.texts.get(text).map_or(self.plain.len(), |(start, _)| *start);
            let end = run.end.min(next);
            found.entry(*event).or_default().push(run.start - start..end - start);
        }
    }
}

/// The text with its marks as links.
fn split<'a>(text: &str, runs: &[Range<usize>], known: &BTreeSet<u64>, out: &mut Vec<Event<'a>>) {
    let mut copied = 0;
    let plain = |from: usize, to: usize, out: &mut Vec<Event<'a>>| {
        if from < to
            && let Some(part) = text.get(from..to)
        {
            out.push(Event::Text(part.to_owned().into()));
        }
    };
    for run in runs {
        let mut at = run.start;
        while let Some(mark) = text.get(at..run.end).and_then(next_mark) {
            let (start, end) = (at + mark.start, at + mark.end);
            at = end;
            let Some(link) = text.get(start + 1..end - 1).and_then(|inner| link(inner, known)) else { continue };
            plain(copied, start, out);
            out.push(Event::InlineHtml(link.into()));
            copied = end;
        }
    }
    plain(copied, text.len(), out);
}

fn next_mark(text: &str) -> Option<Range<usize>> {
    let start = text.find('[')?;
    let end = text[start..].find(']')?;
    Some(start..start + end + 1)
}

/// `1` or `1, 2` as links, if each of them is known.
fn link(inner: &str, known: &BTreeSet<u64>) -> Option<String> {
    let numbers: Vec<u64> = inner.split(',').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?;
    if !numbers.iter().all(|number| known.contains(number)) {
        return None;
    }
    let linked = |text: String, number: &u64| format!("<a href=\"#source-{number}\">{text}</a>");
    let inner = match numbers.as_slice() {
        [number] => linked(format!("[{number}]"), number),
        many => {
            let links: Vec<String> = many.iter().map(|number| linked(number.to_string(), number)).collect();
            format!("[{}]", links.join(", "))
        }
    };
    Some(format!("<sup class=\"citation\">{inner}</sup>"))
}

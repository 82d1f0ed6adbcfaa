//! From lines to blocks: running heads dropped, headings told by their size, paragraphs and words joined over line ends.

use std::collections::{BTreeMap, BTreeSet};

use super::lines::Line;
use crate::{
    blocks::Blocks,
    error::FileError,
    hyphens::Hyphens,
    limits::{Budget, Limits},
    plain::{list_item, with_number},
    table::Table,
};

type Page = Vec<Vec<Line>>;

/// How much of the text area, from its top and its bottom, running heads stand in.
const HEAD: f64 = 0.08;
const MAX_HEADING_CHARS: usize = 150;
/// Sizes of headings that are told apart.
const LEVELS: usize = 4;

/// Blocks of text, how many footnotes were left out (they stand where the page ends, not where they belong), and for each
/// page where the last paragraph of it ends.
pub(super) fn blocks(
    pages: &[Page],
    limits: &Limits,
    budget: &Budget,
) -> Result<(Blocks, usize, Vec<usize>), FileError> {
    let mut notes = 0;
    let running = running_heads(pages);
    let style = Style::of(pages);
    let mut flow =
        Flow { out: Blocks::new(limits.text_bytes), open: None, ends: Vec::new(), open_ends: 0, style, limits };
    for (number, page) in pages.iter().enumerate() {
        for region in page {
            budget.check()?;
            // The title of the document often is the running head of its pages.
            let is_title = |line: &Line| number == 0 && flow.style.is_large(line);
            let goes = |line: &Line| !is_title(line) && is_running(line, &running, pages.len());
            let mut lines: Vec<&Line> = region.iter().filter(|line| !goes(line)).collect();
            let text = lines.len() - flow.style.notes(&lines);
            notes += lines.drain(text..).filter(|line| line.is_note).count();
            flow.region(&lines);
            if flow.out.is_full() {
                flow.end_page();
                return Ok((flow.out, notes, flow.ends));
            }
        }
        flow.end_page();
    }
    flow.close();
    Ok((flow.out, notes, flow.ends))
}

/// What the text looks like: its usual size, the sizes of headings from large to small, and its hyphens.
struct Style {
    body: f64,
    headings: Vec<i64>,
    hyphens: Hyphens,
}

impl Style {
    fn of(pages: &[Page]) -> Self {
        let lines = || pages.iter().flatten().flatten();
        let mut sizes: BTreeMap<i64, usize> = BTreeMap::new();
        for line in lines() {
            *sizes.entry(rounded(line.size)).or_default() += line.text.chars().count();
        }
        let body = sizes.iter().max_by_key(|(size, chars)| (**chars, **size)).map_or(0, |(size, _)| *size);
        let mut headings: Vec<i64> = sizes.keys().copied().filter(|size| *size * 100 >= body * 113).collect();
        headings.sort_unstable_by(|a, b| b.cmp(a));
        let hyphens = Hyphens::of(lines().map(|line| line.text.as_str()));
        Self { body: body as f64 / 2.0, headings, hyphens }
    }

    fn is_large(&self, line: &Line) -> bool {
        rounded(line.size) * 100 >= rounded(self.body) * 113
    }

    /// How many of the last lines are footnotes: smaller than the text, low on the page, from one with a mark on.
    fn notes(&self, lines: &[&Line]) -> usize {
        let small = lines.iter().rev().take_while(|line| line.size < 0.94 * self.body && line.depth > 0.5).count();
        let small = &lines[lines.len() - small..];
        small.iter().position(|line| line.is_note).map_or(0, |first| small.len() - first)
    }

    fn level(&self, size: f64) -> u8 {
        let at = self.headings.iter().position(|heading| *heading <= rounded(size)).unwrap_or(LEVELS);
        // The levels of a document with very many sizes end at the same one.
        u8::try_from(at.min(LEVELS - 1) + 1).unwrap_or(1)
    }
}

/// In half points, so that sizes which differ by rounding are the same.
fn rounded(size: f64) -> i64 {
    (size * 2.0).round() as i64
}

struct Paragraph {
    text: String,
    kind: Kind,
    size: f64,
    bold: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Item,
    Heading(u8),
}

struct Flow<'a> {
    out: Blocks,
    /// Not yet written: it may go on in the next line, column or page.
    open: Option<Paragraph>,
    /// Of pages, and how many of the last ones end in the open paragraph.
    ends: Vec<usize>,
    open_ends: usize,
    style: Style,
    limits: &'a Limits,
}

impl Flow<'_> {
    fn region(&mut self, lines: &[&Line]) {
        let left = lines.iter().map(|line| line.x0).fold(f64::MAX, f64::min);
        let right = lines.iter().map(|line| line.x1).fold(f64::MIN, f64::max);
        let pitch = pitch(lines, self.style.body);
        let mut before: Option<&Line> = None;
        let mut at = 0;
        while at < lines.len() {
            let rows = table_rows(&lines[at..]);
            if rows > 0 {
                self.table(&lines[at..at + rows]);
                at += rows;
                before = None;
                continue;
            }
            let line = lines[at];
            self.line(line, before, Area { left, right, pitch });
            before = Some(line);
            at += 1;
        }
    }

    fn line(&mut self, line: &Line, before: Option<&Line>, area: Area) {
        let text = whole(line);
        if is_contents(&text) {
            return self.close();
        }
        let item = list_item(text.trim_start()).filter(|item| !item.trim().is_empty());
        let item = item.map(|item| with_number(text.trim_start(), item));
        let heading = self.heading(line, &text);
        let goes_on = item.is_none() && self.goes_on(line, before, heading, area);
        if goes_on && let Some(open) = &mut self.open {
            self.style.hyphens.join(&mut open.text, text.trim());
            return;
        }
        self.close();
        let kind = match (item, heading) {
            (_, Some(level)) => Kind::Heading(level),
            (Some(_), None) => Kind::Item,
            _ => Kind::Text,
        };
        let text = item.filter(|_| kind == Kind::Item).unwrap_or(&text).trim().to_owned();
        self.open = Some(Paragraph { text, kind, size: line.size, bold: line.bold });
    }

    /// A line in larger letters; or in bold ones, if it is short and does not end like a sentence.
    fn heading(&self, line: &Line, text: &str) -> Option<u8> {
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        if letters < 2 || text.chars().count() > MAX_HEADING_CHARS || !line.right.is_empty() {
            return None;
        }
        if self.style.is_large(line) {
            return Some(self.style.level(line.size));
        }
        let is_label = line.bold && line.size >= self.style.body * 0.95 && text.chars().count() <= 80;
        let ends_open = !text.trim_end().ends_with(['.', ',', ';', ':', '!', '?']);
        let level = self.style.headings.len().min(LEVELS) + 1;
        (is_label && ends_open).then(|| u8::try_from(level).unwrap_or(6))
    }

    /// Whether `line` continues the open paragraph. `before` is the line above it in the same region.
    fn goes_on(&self, line: &Line, before: Option<&Line>, heading: Option<u8>, area: Area) -> bool {
        let Some(open) = &self.open else { return false };
        let same_size = (open.size - line.size).abs() < 0.06 * open.size.max(line.size);
        let ends =
            open.text.trim_end_matches(['"', '”', '“', '’', ')', ']', '»', '«']).ends_with(['.', '!', '?', ':', '…']);
        let Some(before) = before else {
            // Over the end of a column or a page only where the sentence clearly goes on.
            let small = line.text.chars().find(|c| c.is_alphanumeric()).is_some_and(char::is_lowercase);
            return same_size && !matches!(open.kind, Kind::Heading(_)) && heading.is_none() && small && !ends;
        };
        let is_field = |line: &Line| line.is_field || line.right.iter().any(|cell| cell.is_field);
        if is_field(before) || is_field(line) {
            return false;
        }
        let down = line.y - before.y;
        let usual = down > 0.0 && down < area.pitch.max(before.size) * 1.3 + 0.5;
        match (open.kind, heading) {
            (Kind::Heading(level), Some(next)) => {
                let centred = ((line.x0 + line.x1) - (before.x0 + before.x1)).abs() < line.size;
                let full = area.right - before.x1 <= first_word(line);
                level == next && open.bold == line.bold && down < 1.6 * line.size && (centred || full)
            }
            (Kind::Heading(_), None) | (_, Some(_)) => false,
            (Kind::Item, None) => {
                same_size && usual && (line.x0 > area.left + 0.5 * line.size || before.x0 - line.x0 < line.size)
            }
            (Kind::Text, None) => {
                // The next word would have had room: the line was ended, not full.
                let ended = area.right - before.x1 > first_word(line)
                    && (ends || before.x1 - before.x0 < 0.5 * (area.right - area.left));
                let indented = line.x0 > before.x0 + 0.8 * line.size && line.x0 < before.x0 + 6.0 * line.size;
                let was_label = open.bold && !line.bold;
                same_size && usual && !ended && !(indented && ends) && !was_label
            }
        }
    }

    fn table(&mut self, rows: &[&Line]) {
        self.close();
        let mut table = Table::new(self.limits);
        for line in rows {
            let cells = std::iter::once(&line.text).chain(line.right.iter().map(|cell| &cell.text));
            table.push_plain(cells.map(|cell| cell.trim().to_owned()).collect());
        }
        self.out.end();
        table.write(&mut self.out);
        self.out.end();
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        match open.kind {
            Kind::Heading(level) => self.out.heading(level, &open.text),
            Kind::Item => self.out.item(&open.text),
            Kind::Text => self.out.paragraph(&open.text),
        }
        let (at, open) = (self.out.len(), std::mem::take(&mut self.open_ends));
        self.ends.iter_mut().rev().take(open).for_each(|end| *end = at);
    }

    fn end_page(&mut self) {
        self.ends.push(self.out.len());
        self.open_ends += usize::from(self.open.is_some());
    }
}

#[derive(Clone, Copy)]
struct Area {
    left: f64,
    right: f64,
    pitch: f64,
}

/// The usual distance between baselines of text.
fn pitch(lines: &[&Line], body: f64) -> f64 {
    let steps = lines.windows(2).filter(|pair| (pair[0].size - body).abs() < 1.0).map(|pair| pair[1].y - pair[0].y);
    let steps: Vec<f64> = steps.filter(|step| *step > 0.0 && *step < 3.0 * body.max(1.0)).collect();
    // A low quartile: gaps between paragraphs are larger and may be many.
    let mut steps = steps;
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 4).copied().unwrap_or(1.2 * body)
}

/// About how wide the first word of a line is, with a space before it.
fn first_word(line: &Line) -> f64 {
    let chars = line.text.chars().count().max(1) as f64;
    let word = line.text.split_whitespace().next().map_or(0, |word| word.chars().count());
    (word as f64 + 1.5) * (line.x1 - line.x0) / chars
}

/// All cells of a line on one line.
fn whole(line: &Line) -> String {
    let mut text = line.text.clone();
    for cell in &line.right {
        text.push(' ');
        text.push_str(&cell.text);
    }
    text
}

/// How many of the first lines are rows of one table: three at least, of the same number of short cells that begin or
/// end below each other.
fn table_rows(lines: &[&Line]) -> usize {
    let Some(first) = lines.first().filter(|line| !line.right.is_empty()) else { return 0 };
    let fits = |line: &&Line| {
        let aligned = first.right.iter().zip(&line.right).all(|(a, b)| {
            let size = a.size.max(b.size);
            (a.x0 - b.x0).abs() < size
                || (a.x1 - b.x1).abs() < size
                || ((a.x0 + a.x1) - (b.x0 + b.x1)).abs() < 2.0 * size
        });
        line.right.len() == first.right.len()
            && aligned
            && std::iter::once(*line).chain(&line.right).all(|c| c.text.len() <= 120)
    };
    let rows = lines.iter().take_while(|line| fits(line)).count();
    if rows >= 3 { rows } else { 0 }
}

/// A line of a table of contents: dots lead to the number of a page.
fn is_contents(text: &str) -> bool {
    let number = text.trim_end().rsplit(['.', ' ', '\u{2026}']).next().unwrap_or_default();
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || "ivxlc".contains(c));
    is_number && ["....", ". . . .", "\u{2026}\u{2026}"].iter().any(|dots| text.contains(dots))
}

/// Lines at the top or bottom that return on other pages, by their text without figures.
fn running_heads(pages: &[Page]) -> BTreeSet<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for page in pages {
        let heads: BTreeSet<String> =
            page.iter().flatten().filter(|line| is_at_edge(line)).map(|l| pattern(&whole(l))).collect();
        for head in heads {
            *counts.entry(head).or_default() += 1;
        }
    }
    // Left and right pages can have heads of their own, and chapters change them.
    let least = (pages.len() / 4).max(2);
    counts.into_iter().filter(|(_, count)| *count >= least).map(|(head, _)| head).collect()
}

fn is_running(line: &Line, running: &BTreeSet<String>, pages: usize) -> bool {
    if !is_at_edge(line) || pages < 2 {
        return false;
    }
    let text = whole(line);
    let figures = text.trim().trim_matches(|c: char| !c.is_alphanumeric());
    let is_number =
        !figures.is_empty() && figures.len() <= 5 && figures.chars().all(|c| c.is_ascii_digit() || "ivxlc".contains(c));
    is_number || running.contains(&pattern(&text))
}

fn is_at_edge(line: &Line) -> bool {
    !(HEAD..=1.0 - HEAD).contains(&line.depth)
}

fn pattern(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        if c.is_ascii_digit() {
            if !out.ends_with('#') {
                out.push('#');
            }
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

//! The shape of a table: what of its rows is a title, the header, a note; where a sheet has a second table.

use super::Row;
use crate::blocks::Blocks;

/// A cell with this many words, and the end of a sentence, holds prose.
const PROSE_WORDS: usize = 9;
/// Units stand in cells that are no longer than this.
const LONGEST_UNIT: usize = 14;
/// A single cell below a table that has this many characters is a note to it.
const SHORTEST_NOTE: usize = 40;
/// A title that is longer is a paragraph.
const LONGEST_TITLE: usize = 90;

/// Rows, and the columns of them that have text.
pub(super) struct Frame<'a> {
    rows: Vec<&'a Row>,
    columns: Vec<usize>,
}

impl Row {
    fn cell(&self, at: usize) -> &str {
        self.cells.get(at).map_or("", |cell| cell.trim())
    }

    fn filled(&self) -> impl Iterator<Item = (usize, &str)> {
        self.cells.iter().enumerate().map(|(at, cell)| (at, cell.trim())).filter(|(_, cell)| !cell.is_empty())
    }

    /// The text of a row that has one cell only.
    fn single(&self) -> Option<&str> {
        let mut filled = self.filled();
        let (_, text) = filled.next()?;
        filled.next().is_none().then_some(text)
    }

    /// Two cells at least, and none with a number.
    fn is_labels(&self) -> bool {
        self.filled().count() >= 2 && !self.has_number()
    }

    fn has_number(&self) -> bool {
        self.filled().any(|(_, cell)| is_number(cell))
    }
}

/// A quantity or a date; a year is a label too.
fn is_number(cell: &str) -> bool {
    let bare = cell.trim_start_matches(|c: char| !c.is_alphanumeric());
    let is_year = bare.len() == 4 && bare == cell && (bare.starts_with("19") || bare.starts_with("20"));
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    bare.starts_with(|c: char| c.is_numeric()) && letters <= 4 && !(is_year && bare.parse::<u16>().is_ok())
}

fn is_prose(cell: &str) -> bool {
    let ends = cell.ends_with(['.', '!', '?', '”', '"', '。', '！', '？']) || cell.contains(". ");
    let is_dense = cell.contains(['。', '！', '？']) && cell.chars().count() > 3 * PROSE_WORDS;
    is_dense || ends && cell.split_whitespace().nth(PROSE_WORDS - 1).is_some()
}

/// What stands above a row of a sheet, back to where its table begins.
#[derive(Default)]
struct Above {
    rows: usize,
    has_columns: bool,
    has_numbers: bool,
    /// A text of its own, no title.
    has_note: bool,
    /// The first column with text.
    start: Option<usize>,
}

impl Above {
    fn add(&mut self, row: &Row) {
        let single = row.single();
        let start = row.filled().next().map(|(at, _)| at);
        self.rows += 1;
        self.has_columns |= single.is_none();
        self.has_numbers |= row.has_number();
        self.has_note |= is_note(row);
        self.start = self.start.min(start).or(start);
    }

    /// True where another table, or the text between two, begins with `rest`.
    fn ends_before(&self, rest: &[&Row]) -> bool {
        let has_numbers_below = |at: usize| rest.get(at).is_some_and(|row| row.has_number());
        let Some(row) = rest.first().filter(|_| self.rows > 0) else { return false };
        if row.single().is_some() {
            let titled = rest.get(1).is_some_and(|next| next.is_labels() && !next.after_gap);
            let table_follows = titled && (has_numbers_below(2) || row.after_gap);
            let is_apart = if self.has_columns { is_note(row) } else { self.has_note };
            return self.has_columns && table_follows || row.after_gap && is_apart;
        }
        if !row.after_gap || !self.has_columns {
            // A title belongs to what follows it, a text of several paragraphs does not.
            return row.after_gap && self.has_note;
        }
        let moved = self.start > row.filled().next().map(|(at, _)| at);
        moved || row.is_labels() && (has_numbers_below(1) || self.has_numbers)
    }
}

/// The tables of a sheet: a new one begins behind a gap where its own labels or its title follow.
pub(super) fn parts<'r, 'a>(rows: &'r [&'a Row]) -> Vec<&'r [&'a Row]> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut above = Above::default();
    for (at, row) in rows.iter().enumerate() {
        if above.ends_before(&rows[at..]) {
            parts.push(&rows[start..at]);
            start = at;
            above = Above::default();
        }
        above.add(row);
    }
    parts.push(&rows[start..]);
    parts
}

fn is_title(text: &str) -> bool {
    text.chars().count() <= LONGEST_TITLE && !text.ends_with(['.', ')', ':']) && !text.starts_with(['*', '†'])
}

fn is_note(row: &Row) -> bool {
    const WORDS: [&str; 8] = ["*", "†", "source", "note", "quelle", "anmerkung", "nota", "fuente"];
    let Some(text) = row.single() else { return false };
    let start = text.to_lowercase();
    WORDS.iter().any(|word| start.starts_with(word))
        || text.chars().count() >= SHORTEST_NOTE && text.contains(' ')
        || is_prose(text)
}

impl<'a> Frame<'a> {
    pub(super) fn new(rows: &[&'a Row]) -> Self {
        let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let mut used = vec![false; width];
        for row in rows {
            row.filled().for_each(|(at, _)| used[at] = true);
        }
        let columns = used.iter().enumerate().filter(|(_, used)| **used).map(|(at, _)| at).collect();
        Self { rows: rows.to_vec(), columns }
    }

    /// Tables that stand beside each other, with an empty column between them and labels over each column.
    pub(super) fn side_by_side(self) -> Vec<Self> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in &self.columns {
            match groups.last_mut() {
                Some(group) if group.last().is_some_and(|last| last + 1 == *at) => group.push(*at),
                _ => groups.push(vec![*at]),
            }
        }
        let labels = self.rows.iter().find(|row| row.filled().count() >= 2);
        let are_tables = groups.len() > 1
            && groups.iter().all(|group| {
                group.len() > 1 && labels.is_some_and(|row| group.iter().all(|at| !row.cell(*at).is_empty()))
            })
            && labels.is_some_and(|row| row.is_labels());
        if !are_tables {
            return vec![self];
        }
        let of_group = |group: Vec<usize>| {
            let rows = self.rows.iter().copied().filter(|row| group.iter().any(|at| !row.cell(*at).is_empty()));
            Self { rows: rows.collect(), columns: group }
        };
        groups.into_iter().map(of_group).collect()
    }

    pub(super) fn write(&self, head: usize, is_sheet: bool, out: &mut Blocks) {
        if self.columns.is_empty() {
            return;
        }
        let mut rows = self.rows.as_slice();
        let titles = self.titles(head);
        for (at, row) in rows[..titles].iter().enumerate() {
            let text = row.single().unwrap_or_default();
            if is_sheet && at == 0 && is_title(text) {
                out.heading(3, text);
            } else {
                out.paragraph(text);
            }
        }
        rows = &rows[titles..];
        let notes =
            if self.columns.len() < 2 { 0 } else { rows.iter().skip(2).rev().take_while(|row| is_note(row)).count() };
        let (body, notes) = rows.split_at(rows.len() - notes);
        let is_one_text = body.len() == 1 && is_sheet && body[0].single().is_some_and(|text| text.contains(' '));
        if self.columns.len() == 1 && (is_one_text || body.iter().any(|row| row.single().is_some_and(is_prose))) {
            for (at, row) in body.iter().enumerate() {
                let text = row.single().unwrap_or_default();
                if is_sheet && at == 0 && body.len() > 1 && is_title(text) {
                    out.heading(3, text);
                } else {
                    out.paragraph(text);
                }
            }
        } else {
            self.write_body(body, head.saturating_sub(titles), out);
        }
        for row in notes {
            out.paragraph(row.single().unwrap_or_default());
        }
    }

    /// How many rows with a single cell stand above the labels.
    fn titles(&self, head: usize) -> usize {
        let width = self.columns.len();
        let count = self.rows.iter().take_while(|row| row.single().is_some()).count();
        let Some(labels) = self.rows.get(count).filter(|_| width > 1 && count > 0) else { return 0 };
        let has_numbers_below = self.rows.get(count + 1).is_some_and(|row| row.has_number());
        let is_title = |row: &&&Row| {
            let spans = row.wide.iter().any(|(_, columns)| *columns >= width);
            let stands_alone = width > 2 || !labels.has_number() && has_numbers_below;
            (spans || stands_alone && head < 2) && !row.has_number()
        };
        self.rows[..count].iter().take_while(is_title).count()
    }

    fn write_body(&self, rows: &[&Row], head: usize, out: &mut Blocks) {
        let (labels, taken) = self.labels(rows, head);
        let mut prose = Vec::new();
        let mut body: Vec<Vec<String>> = Vec::new();
        for row in &rows[taken.min(rows.len())..] {
            if out.is_full() {
                return;
            }
            let mut cells: Vec<String> = self.columns.iter().map(|at| row.cell(*at).to_owned()).collect();
            let short = || cells.iter().filter(|cell| !cell.is_empty() && !is_prose(cell));
            // A number that only counts the rows names none.
            let named = short().find(|cell| cell.contains(char::is_alphabetic) && !is_number(cell));
            let key = named.or_else(|| short().next()).cloned().unwrap_or_default();
            for (cell, label) in cells.iter_mut().zip(&labels) {
                if is_prose(cell) && self.columns.len() > 1 {
                    prose.push((key.clone(), label.clone(), std::mem::take(cell)));
                }
            }
            body.push(cells);
        }
        // A column of nothing but prose is no column of the table any more.
        let kept: Vec<usize> = (0..self.columns.len())
            .filter(|at| body.is_empty() || prose.is_empty() || body.iter().any(|row| !row[*at].is_empty()))
            .collect();
        let of = |row: &[String]| kept.iter().map(|at| row[*at].clone()).collect::<Vec<_>>();
        if kept.len() > 1 || prose.is_empty() {
            out.row(&of(&labels), kept.len());
            body.iter().for_each(|row| {
                if row.iter().any(|cell| !cell.is_empty()) {
                    out.row(&of(row), kept.len());
                }
            });
        }
        let columns: std::collections::BTreeSet<&str> = prose.iter().map(|(_, label, _)| label.as_str()).collect();
        for (key, label, text) in &prose {
            match (key.as_str(), label.as_str()) {
                ("", _) => out.paragraph(text),
                (key, label) if columns.len() > 1 && !label.is_empty() => {
                    out.paragraph(&format!("{key}, {label}: {text}"));
                }
                (key, _) if key.ends_with(['?', '.', '!', ':']) => out.paragraph(&format!("{key} {text}")),
                (key, _) => out.paragraph(&format!("{key}: {text}")),
            }
        }
    }

    /// The labels of the columns, and how many rows they are made of.
    fn labels(&self, rows: &[&Row], head: usize) -> (Vec<String>, usize) {
        let Some(first) = rows.first() else { return (vec![String::new(); self.columns.len()], 0) };
        let plain: Vec<String> = self.columns.iter().map(|at| first.cell(*at).to_owned()).collect();
        let Some(second) = rows.get(1).filter(|_| rows.len() > 2) else { return (plain, 1) };
        let below = &rows[2..];
        if head > 1 {
            return (self.joined(&rows[..head.min(rows.len())]), head.min(rows.len()));
        }
        if head < 2 && self.is_units(first, second, below) {
            let with_unit = self.columns.iter().zip(plain).map(|(at, label)| match second.cell(*at) {
                "" => label,
                unit => format!("{label} ({})", unit.trim_matches(['(', ')', '[', ']'])),
            });
            return (with_unit.collect(), 2);
        }
        let spans = first.wide.iter().any(|(at, wide)| {
            let under = self.columns.iter().filter(|column| (*at..at + wide).contains(column)).count();
            under > 1 && under < self.columns.len()
        });
        let is_head = !second.has_number() && second.filled().count() > 1;
        if head < 2 && is_head && (spans || head == 0 && self.is_group_row(first, second, below)) {
            return (self.joined(&rows[..2]), 2);
        }
        (plain, 1)
    }

    /// True where a column has text in `row` and numbers in every cell below.
    fn is_above_numbers(&self, row: &Row, below: &[&Row]) -> bool {
        self.columns.iter().any(|at| {
            let mut under = below.iter().map(|row| row.cell(*at)).filter(|cell| !cell.is_empty()).peekable();
            !row.cell(*at).is_empty() && !is_number(row.cell(*at)) && under.peek().is_some() && under.all(is_number)
        })
    }

    /// A second row with the units of the labels above.
    fn is_units(&self, first: &Row, second: &Row, below: &[&Row]) -> bool {
        let units = || second.filled().filter(|(at, _)| self.columns.contains(at));
        let in_brackets = |cell: &str| cell.starts_with(['(', '[']);
        let opens = self.columns.first().is_some_and(|at| second.cell(*at).is_empty());
        (opens || units().all(|(_, cell)| in_brackets(cell)))
            && units().next().is_some()
            && self.columns.iter().skip(1).all(|at| !first.cell(*at).is_empty())
            && units().all(|(_, cell)| cell.chars().count() <= LONGEST_UNIT && !is_number(cell))
            && self.is_above_numbers(second, below)
    }

    /// A first row whose labels each stand over several of the second.
    fn is_group_row(&self, first: &Row, second: &Row, below: &[&Row]) -> bool {
        let has_gaps = self.columns.iter().skip(1).any(|at| first.cell(*at).is_empty());
        let opens = |row: &Row| self.columns.first().is_some_and(|at| row.cell(*at).is_empty());
        has_gaps
            && opens(first) != opens(second)
            && first.filled().count() > 1
            && self.columns.iter().skip(1).all(|at| !second.cell(*at).is_empty())
            && self.is_above_numbers(second, below)
    }

    /// The labels of several rows in one: `2025 Q1`. A label stands over the columns up to the next one.
    fn joined(&self, rows: &[&Row]) -> Vec<String> {
        let mut labels = vec![String::new(); self.columns.len()];
        let last = rows.len().saturating_sub(1);
        for (level, row) in rows.iter().enumerate() {
            let mut over = "";
            for (label, at) in labels.iter_mut().zip(&self.columns) {
                let own = row.cell(*at);
                let ends = level == last || row.wide.iter().any(|(start, wide)| start + wide == *at);
                over = if !own.is_empty() {
                    own
                } else if ends {
                    ""
                } else {
                    over
                };
                if !over.is_empty() && !label.split(' ').eq(over.split(' ')) {
                    if !label.is_empty() {
                        label.push(' ');
                    }
                    label.push_str(over);
                }
            }
        }
        labels
    }
}

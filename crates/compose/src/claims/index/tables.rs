//! A table of an article as one claim.

use galley_domain::writing::{Claim, Span, Verdict};

use super::{Checker, Entry, key};
use crate::table::Table;

impl Checker<'_> {
    /// Judges a table as a whole. One that a source has is supported by all of that. Of any other each row must stand in
    /// a table of one source, with each value below the same label; `missing` names the rows that do not.
    pub(crate) fn check_table(&self, text: &str, table: &Table) -> Claim {
        let claim = |verdict, span, coverage_permille, missing| Claim {
            sentence: text.trim().to_owned(),
            verdict,
            span,
            coverage_permille,
            missing,
        };
        if let Some(span) = self.exact.get(&key(text.trim())).and_then(|all| all.first()) {
            return claim(Verdict::Supported, Some(*span), 1000, Vec::new());
        }
        let found = |source: usize| -> Vec<Option<&Entry>> {
            let own = |entry: &&Entry| entry.source == source;
            table
                .rows
                .iter()
                .map(|row| self.entries.iter().filter(own).find(|e| holds(e, &table.header, row)))
                .collect()
        };
        let count = |rows: &[Option<&Entry>]| rows.iter().flatten().count();
        let all = (0..self.sources.len()).map(found);
        let best =
            all.reduce(|best, other| if count(&other) > count(&best) { other } else { best }).unwrap_or_default();
        let rows: Vec<&Entry> = best.iter().flatten().copied().collect();
        let named = |row: &Vec<String>| row.join(" | ");
        let Some(first) = rows.first() else {
            return claim(Verdict::Unsupported, None, 0, table.rows.iter().map(named).collect());
        };
        let absent = table.rows.iter().zip(&best).filter(|(_, found)| found.is_none());
        let mut missing: Vec<String> = absent.map(|(row, _)| named(row)).collect();
        // What the caption says is a claim as well.
        missing.extend(self.check(&table.caption).missing);
        let start = rows.iter().map(|row| row.start).min().unwrap_or(first.start);
        let end = rows.iter().map(|row| row.end).max().unwrap_or(first.end);
        let span = Span { source: self.sources[first.source].number, start, end };
        let coverage = u16::try_from(rows.len() * 1000 / table.rows.len().max(1)).unwrap_or(1000);
        let verdict = if missing.is_empty() { Verdict::Supported } else { Verdict::Partly };
        claim(verdict, Some(span), coverage, missing)
    }
}

/// Whether a row of a source has each value of a row below the same label.
fn holds(entry: &Entry, header: &[String], row: &[String]) -> bool {
    let Some((labels, cells)) = &entry.row else { return false };
    let has = |(label, value): (&String, &String)| {
        value.is_empty() || labels.iter().zip(cells).any(|(own, cell)| own == label && cell == value)
    };
    row.iter().any(|cell| !cell.is_empty()) && header.iter().zip(row).all(has)
}

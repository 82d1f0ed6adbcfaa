//! Rows of tables with values of another column or another row.

use galley_compose::snapshot::{self, BlockKind};

use crate::make::{Draft, Ground};
use crate::rng::Rng;

/// What the writer makes of a row, with two values changed about, or with one of the row below.
pub fn table(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let at = ground.language.sources.iter().position(|source| source.id == ground.source.id);
    let Some(snapshot) = at.and_then(|at| ground.language.snapshots.get(at)) else { return Vec::new() };
    let sentences: Vec<String> = snapshot::sentences(snapshot)
        .into_iter()
        .filter(|sentence| sentence.kind == BlockKind::TableRow)
        .map(|sentence| sentence.text)
        .collect();
    let mut out = Vec::new();
    for table in &ground.source.tables {
        for (i, row) in table.rows.iter().enumerate() {
            let is_of_row = |s: &&String| row.first().is_some_and(|key| s.contains(key.as_str()));
            let Some(sentence) = sentences.iter().find(is_of_row) else { continue };
            let below = &table.rows[(i + 1) % table.rows.len()];
            for column in 1..row.len() {
                let value = &row[column];
                if let Some(next) = row.get(column + 1).filter(|next| *next != value) {
                    out.extend(changed_about(sentence, value, next));
                }
                if let Some(other) = below.get(column).filter(|other| *other != value && !sentence.contains(*other)) {
                    out.extend(put(sentence, value, other));
                }
            }
        }
    }
    out
}

/// From the end: the name of a row may have the value in it.
fn put(sentence: &str, value: &str, other: &str) -> Option<Draft> {
    let at = sentence.rfind(value)?;
    let text = format!("{}{other}{}", &sentence[..at], &sentence[at + value.len()..]);
    Some(Draft { from: sentence.to_owned(), text })
}

fn changed_about(sentence: &str, a: &str, b: &str) -> Option<Draft> {
    let second = sentence.rfind(b)?;
    let first = sentence[..second].rfind(a)?;
    let text =
        format!("{}{b}{}{a}{}", &sentence[..first], &sentence[first + a.len()..second], &sentence[second + b.len()..]);
    Some(Draft { from: sentence.to_owned(), text })
}

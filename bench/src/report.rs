//! What was measured: the table, the file, and what missed its goal.

use std::{fmt::Write as _, path::Path};

use anyhow::Context;
use serde::Serialize;

use crate::goals::{self, Measure};

/// A measure with its rounds.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub id: &'static str,
    pub unit: &'static str,
    /// The middle of the rounds.
    pub value: f64,
    pub low: f64,
    pub high: f64,
    pub rounds: usize,
    /// What the ceiling is, and its own median in the same run.
    pub ceiling: Option<(&'static str, f64)>,
    /// Value to ceiling.
    pub ratio: Option<f64>,
    pub goal: String,
    /// `None`: there is no goal.
    pub met: Option<bool>,
}

/// All that a run has measured.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub quick: bool,
    pub lines: Vec<Line>,
    /// Sizes and other facts that are no figures.
    pub notes: Vec<String>,
}

impl Report {
    pub fn new(quick: bool) -> Self {
        Self { quick, ..Self::default() }
    }

    /// Adds the rounds of a measure; its ceiling's rounds may be none.
    pub fn add(&mut self, id: &str, rounds: &[f64], ceiling: &[f64]) -> anyhow::Result<()> {
        let value = median(rounds).with_context(|| format!("{id} was not measured"))?;
        self.add_value(id, value, rounds, ceiling)
    }

    /// The same for a value that is not the median of its parts, such as a quantile of all samples.
    pub fn add_value(&mut self, id: &str, value: f64, parts: &[f64], ceiling: &[f64]) -> anyhow::Result<()> {
        let measure: &Measure = goals::find(id).with_context(|| format!("{id} is not in the table of measures"))?;
        let against = median(ceiling);
        let line = Line {
            id: measure.id,
            unit: measure.unit,
            value,
            low: parts.iter().copied().fold(value, f64::min),
            high: parts.iter().copied().fold(value, f64::max),
            rounds: parts.len(),
            ceiling: against.map(|against| (measure.ceiling, against)),
            ratio: against.filter(|against| *against > 0.0).map(|against| value / against),
            goal: measure.goal.shown(),
            met: measure.goal.met(value, against),
        };
        eprintln!("  {} = {} {}", line.id, number(line.value), line.unit);
        self.lines.push(line);
        Ok(())
    }

    pub fn note(&mut self, text: String) {
        eprintln!("  {text}");
        self.notes.push(text);
    }

    /// The names of the measures that missed their goal, with what they reached.
    pub fn missed(&self) -> Vec<String> {
        let missed = self.lines.iter().filter(|line| line.met == Some(false));
        missed.map(|line| format!("{}: {} {}, goal {}", line.id, number(line.value), line.unit, line.goal)).collect()
    }

    /// A Markdown table and the notes.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| figure | unit | median | min–max | ceiling | ratio | goal | met |\n|---|---|--:|--:|---|--:|---|---|\n",
        );
        for line in &self.lines {
            let ceiling = line.ceiling.map_or_else(|| "–".to_owned(), |(what, is)| format!("{} ({what})", number(is)));
            let ratio = line.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            let met = match line.met {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "–",
            };
            let spread = format!("{}–{}", number(line.low), number(line.high));
            let (id, unit, value, goal) = (line.id, line.unit, number(line.value), &line.goal);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {id} | {unit} | {value} | {spread} | {ceiling} | {ratio} | {goal} | {met} |");
        }
        for note in &self.notes {
            let _ = write!(text, "\n- {note}");
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        text
    }

    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| format!("{} cannot be written; use --out FILE", path.display()))
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The middle value; of an even number of values the mean of the middle two.
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => sorted.get(middle).copied(),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The smallest value that at least `share` (0.0 to 1.0) of all values do not exceed.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let sorted = sorted(values);
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// With as many digits as a reader needs.
pub fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.99), Some(99.0));
        assert_eq!(quantile(&values, 0.5), Some(50.0));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn what_missed_its_goal_is_named() {
        let mut report = Report::new(true);
        report.add("latency.one_process_step_p50", &[1.0, 2.0, 9.0], &[]).expect("known");
        report.add("latency.one_process_step_p99", &[16.0], &[]).expect("known");
        report.add("http.get", &[30.0], &[100.0]).expect("known");
        assert_eq!(report.missed(), ["latency.one_process_step_p99: 16.0 ms, goal ≤ 15.0"]);
        assert!(report.table().contains("| http.get | requests/s | 30.0 | 30.0–30.0 | 100 (a constant) | 0.30 |"));
        assert!(report.add("http.unknown", &[1.0], &[]).is_err());
        assert!(report.add("http.get", &[], &[]).is_err());
    }
}

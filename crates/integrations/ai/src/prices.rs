//! What tokens cost.

use rust_decimal::Decimal;
use serde::Deserialize;

/// US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    pub prompt: Decimal,
    pub completion: Decimal,
}

impl Price {
    /// What a call with these counts costs, in US dollars, not rounded.
    pub fn cost(self, prompt_tokens: u64, completion_tokens: u64) -> Decimal {
        let part = |price: Decimal, tokens: u64| price.saturating_mul(Decimal::from(tokens));
        let millionths = part(self.prompt, prompt_tokens).saturating_add(part(self.completion, completion_tokens));
        millionths.checked_div(Decimal::from(1_000_000)).unwrap_or(Decimal::MAX).normalize()
    }
}

/// Prices by model id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTable {
    /// The day on which the figures were read, `YYYY-MM-DD`.
    pub checked: String,
    #[serde(default, rename = "price")]
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    model: String,
    prompt: Decimal,
    completion: Decimal,
}

/// A price table that cannot be used; the message names the entry and the way out.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    #[error("price table: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("price table: entry `{model}`: {problem}")]
    Entry { model: String, problem: &'static str },
}

impl PriceTable {
    /// The table that ships with the program.
    pub fn builtin() -> Self {
        Self::parse(include_str!("../prices.toml")).expect("a test reads the shipped table")
    }

    /// Reads a table in the form of the shipped `prices.toml`.
    ///
    /// # Errors
    /// When the text is no such table, or a price is negative or beyond reason.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let table: Self = toml::from_str(text)?;
        for entry in &table.entries {
            let wrong = |problem| Err(PriceError::Entry { model: entry.model.clone(), problem });
            let start = entry.model.strip_suffix('*').unwrap_or(&entry.model);
            if start.is_empty() || start.contains('*') {
                return wrong("write a model id, or the start of one followed by one `*`");
            }
            let most = Decimal::from(100_000);
            if [entry.prompt, entry.completion].iter().any(|p| p.is_sign_negative() || *p > most) {
                return wrong("prices are dollars for a million tokens, from 0 to 100000");
            }
        }
        Ok(table)
    }

    /// This table, with the entries of `other` before its own wherever both match equally well.
    #[must_use]
    pub fn overridden_by(mut self, other: Self) -> Self {
        let mut entries = other.entries;
        entries.append(&mut self.entries);
        Self { checked: other.checked, entries }
    }

    /// The price of a model, `None` where the table does not know it.
    pub fn find(&self, model: &str) -> Option<Price> {
        let mut best: Option<(usize, &Entry)> = None;
        for entry in &self.entries {
            let weight = match entry.model.strip_suffix('*') {
                Some(start) if model.starts_with(start) => start.len(),
                None if model == entry.model => usize::MAX,
                _ => continue,
            };
            if best.is_none_or(|(before, _)| weight > before) {
                best = Some((weight, entry));
            }
        }
        best.map(|(_, e)| Price { prompt: e.prompt, completion: e.completion })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn cost_is_exact() {
        let price = Price { prompt: dec("0.15"), completion: dec("0.60") };
        assert_eq!(price.cost(1_234, 567), dec("0.0005253"));
        assert_eq!(price.cost(0, 0), Decimal::ZERO);
        assert!(price.cost(u64::MAX, u64::MAX) > Decimal::ZERO);
    }

    #[test]
    fn the_longest_match_wins() {
        let table = PriceTable::builtin();
        assert_eq!(table.find("gpt-4o").unwrap().prompt, dec("2.50"));
        assert_eq!(table.find("gpt-4o-mini").unwrap().prompt, dec("0.15"));
        assert_eq!(table.find("gpt-4o-mini-2024-07-18").unwrap().prompt, dec("0.15"));
        assert_eq!(table.find("gpt-4o-2024-08-06").unwrap().prompt, dec("2.50"));
        assert_eq!(table.find("gpt-5-pro"), None);
        assert_eq!(table.find("smollm2"), None);
    }

    #[test]
    fn the_operators_figures_come_first() {
        let own = "checked = '2026-11-01'\n[[price]]\nmodel = 'gpt-4o-mini*'\nprompt = '0.1'\ncompletion = '0.2'\n";
        let table = PriceTable::builtin().overridden_by(PriceTable::parse(own).unwrap());
        assert_eq!(table.find("gpt-4o-mini").unwrap().completion, dec("0.2"));
        assert_eq!(table.find("gpt-4.1").unwrap().completion, dec("8"));
    }

    #[test]
    fn bad_tables_are_refused_by_name() {
        let entry = |model: &str, price: &str| {
            format!("checked = 'x'\n[[price]]\nmodel = '{model}'\nprompt = '{price}'\ncompletion = '1'\n")
        };
        for (text, part) in [
            ("checked = 1".to_owned(), "checked"),
            ("checked = 'x'\nprices = []".to_owned(), "prices"),
            (entry("m", "-1"), "entry `m`"),
            (entry("*", "1"), "entry `*`"),
            (entry("a*b*", "1"), "entry `a*b*`"),
            (entry("m", "cheap"), "prompt"),
        ] {
            let error = PriceTable::parse(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}

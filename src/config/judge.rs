//! Settings of the judge: a model that is asked whether a passage says what a sentence says.

use galley_domain::Hidden;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Judge {
    /// Any compatible server, with its `/v1`.
    pub base_url: Option<String>,
    pub api_key: Option<Hidden>,
    /// Without it nobody is asked.
    pub model: Option<String>,
    /// What the server is called in usage records.
    pub provider: Option<String>,
    pub max_tokens: Option<u32>,
    pub context_tokens: Option<u32>,
    /// US dollars per million tokens; from the built-in table when not set.
    pub prompt_price: Option<Decimal>,
    pub completion_price: Option<Decimal>,
    /// The most calls for one article; each judges up to twelve sentences.
    pub calls: u32,
    /// No further call begins for an article once its calls have cost so much, in US dollars.
    pub budget_usd: Option<Decimal>,
}

impl Default for Judge {
    fn default() -> Self {
        Self {
            base_url: None,
            api_key: None,
            model: None,
            provider: None,
            max_tokens: None,
            context_tokens: None,
            prompt_price: None,
            completion_price: None,
            calls: 20,
            budget_usd: None,
        }
    }
}

impl Judge {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.base_url.is_some() == self.model.is_some(),
            "judge.base_url and judge.model go together: set both or none"
        );
        anyhow::ensure!(
            !self.base_url.as_deref().is_some_and(super::has_login),
            "judge.base_url holds a login; put the key into judge.api_key or GALLEY_JUDGE__API_KEY"
        );
        anyhow::ensure!((1..=1_000).contains(&self.calls), "judge.calls must be from 1 to 1000");
        anyhow::ensure!(self.budget_usd.is_none_or(|most| most > Decimal::ZERO), "judge.budget_usd must be above zero");
        Ok(())
    }
}

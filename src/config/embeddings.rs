//! Settings of the embedding model: it ranks what sources say by what it means.

use galley_domain::Hidden;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Embeddings {
    /// Any compatible server, with its `/v1`.
    pub base_url: Option<String>,
    pub api_key: Option<Hidden>,
    /// Without it words alone decide.
    pub model: Option<String>,
    /// What the server is called in usage records.
    pub provider: Option<String>,
    /// What the model wants in front of a question and of a passage.
    pub query_prefix: String,
    pub passage_prefix: String,
    /// The longest text; what is longer is cut.
    pub context_tokens: u32,
    /// The most texts of one call.
    pub batch: u32,
    /// US dollars per million tokens; from the built-in table when not set.
    pub price: Option<Decimal>,
    /// The most calls for one article.
    pub calls: u32,
    /// No further call begins for an article once its calls have cost so much, in US dollars.
    pub budget_usd: Option<Decimal>,
}

impl Default for Embeddings {
    fn default() -> Self {
        Self {
            base_url: None,
            api_key: None,
            model: None,
            provider: None,
            query_prefix: String::new(),
            passage_prefix: String::new(),
            context_tokens: 512,
            batch: 64,
            price: None,
            calls: 60,
            budget_usd: None,
        }
    }
}

impl Embeddings {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.base_url.is_some() == self.model.is_some(),
            "embeddings.base_url and embeddings.model go together: set both or none"
        );
        anyhow::ensure!(
            !self.base_url.as_deref().is_some_and(super::has_login),
            "embeddings.base_url holds a login; put the key into embeddings.api_key or GALLEY_EMBEDDINGS__API_KEY"
        );
        anyhow::ensure!((1..=256).contains(&self.batch), "embeddings.batch must be from 1 to 256");
        anyhow::ensure!((1..=1_000).contains(&self.calls), "embeddings.calls must be from 1 to 1000");
        anyhow::ensure!(
            self.budget_usd.is_none_or(|most| most > Decimal::ZERO),
            "embeddings.budget_usd must be above zero"
        );
        Ok(())
    }
}

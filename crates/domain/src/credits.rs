//! What orders cost.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::text_enum;

text_enum! {
    /// Why the balance changed.
    EntryKind { Grant = "grant", Charge = "charge" }
}

text_enum! {
    /// What became of credits that an order reserved.
    HoldState { Open = "open", Settled = "settled", Released = "released" }
}

/// Prices in credits, from configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// One generated article.
    pub generate: Decimal,
}

impl Default for Prices {
    fn default() -> Self {
        Self { generate: Decimal::from(40) }
    }
}

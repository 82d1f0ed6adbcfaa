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
    /// One generated picture.
    pub image: Decimal,
    /// One of high quality.
    pub image_premium: Decimal,
}

impl Default for Prices {
    fn default() -> Self {
        Self { generate: Decimal::from(40), image: Decimal::ONE, image_premium: Decimal::from(4) }
    }
}

/// What an amount of credits looks like.
pub const AMOUNT: &str = "it must be a number above 0 and up to 999999999999, with at most six decimals";

/// The most that a balance may be: more has no place in its column.
pub fn most() -> Decimal {
    Decimal::from(999_999_999_999_u64)
}

/// Whether so much can be granted at once.
///
/// # Errors
/// What is wrong with it.
pub fn check_grant(amount: Decimal) -> Result<(), String> {
    let fits = amount > Decimal::ZERO && amount <= most() && amount.normalize().scale() <= 6;
    if fits { Ok(()) } else { Err(AMOUNT.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_what_a_balance_can_hold() {
        let checked = |text: &str| check_grant(text.parse().expect("a number"));
        for good in ["1", "0.000001", "999999999999", "2.50000000"] {
            assert_eq!(checked(good), Ok(()), "{good}");
        }
        for wrong in ["0", "-1", "0.0000001", "999999999999.1", "99999999999999"] {
            assert!(checked(wrong).is_err_and(|text| text.contains("999999999999")), "{wrong}");
        }
    }
}

//! Credits: what the organization may spend.

use poem_openapi::{Object, OpenApi};

use crate::http::{
    Area,
    kit::{
        auth::{ArticlesRead, Auth},
        reply::{Outcome, Reply},
        scalar::Amount,
    },
};

pub struct Credits;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Credits")]
impl Credits {
    /// Get the credits
    ///
    /// An order needs its price to be available; it is held while the work runs and charged when it succeeds.
    #[oai(path = "/credits", method = "get", operation_id = "get_credits")]
    async fn get(&self, auth: Auth<ArticlesRead>) -> Outcome<Budget> {
        let (balance, held) = auth.services().credits(auth.org()).await?;
        let available = Amount(balance - held);
        Ok(Reply::new(Budget { balance: Amount(balance), held: Amount(held), available }))
    }
}

/// The credits of an organization.
#[derive(Debug, Object)]
#[oai(rename = "Credits")]
pub struct Budget {
    /// What the organization owns, the held part included.
    balance: Amount,
    /// Reserved by tasks that have not ended.
    held: Amount,
    /// What is free for new orders: the balance without the held part.
    available: Amount,
}

//! Settle: finds out what became of a call whose publication or retraction was given up.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::{publishing::SETTLE, task::StepKind};
use galley_engine::{Output, Step, StepContext, StepError};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::steps::Toolbox;

pub(crate) struct Settle(pub(crate) Arc<Toolbox>);

/// What jobs about a publication are given.
#[derive(Debug, Deserialize)]
pub(super) struct Payload {
    pub(super) publication_id: Uuid,
}

/// A retraction that was given up.
#[derive(Debug, Deserialize)]
struct GivenUp {
    retraction: Uuid,
}

#[async_trait]
impl Step for Settle {
    fn kind(&self) -> StepKind {
        SETTLE
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, services) = (cx.org()?, &self.0.services);
        if let Ok(GivenUp { retraction }) = cx.payload() {
            services.settle_retraction(&cx.step, cx.subject()?, retraction).await?;
            return Ok(Output::default());
        }
        let Payload { publication_id } = cx.payload()?;
        let Some(unsettled) = services.unsettled(org, publication_id).await? else { return Ok(Output::default()) };
        let is_there = services.settle(org, &cx.step, unsettled).await?;
        Ok(Output::of(json!({ "is_there": is_there })))
    }
}

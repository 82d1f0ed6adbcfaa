//! Reconcile: looks whether a site has published what it held until its hour.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::{publishing::RECONCILE, task::StepKind};
use galley_engine::{Output, Step, StepContext, StepError};
use serde_json::json;

use super::settle::Payload;
use crate::steps::Toolbox;

pub(crate) struct Reconcile(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Reconcile {
    fn kind(&self) -> StepKind {
        RECONCILE
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, services) = (cx.org()?, &self.0.services);
        let Payload { publication_id } = cx.payload()?;
        let Some(held) = services.held(org, publication_id).await? else { return Ok(Output::default()) };
        let status = services.reconcile(org, &cx.step, held).await?;
        Ok(Output::of(json!({ "status": status })))
    }
}

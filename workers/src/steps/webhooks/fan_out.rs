//! Fan-out: the messages that an event means.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::task::StepKind;
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::pipelines::webhooks::FAN_OUT;

use crate::steps::Toolbox;

pub(super) struct FanOut(pub(super) Arc<Toolbox>);

#[async_trait]
impl Step for FanOut {
    fn kind(&self) -> StepKind {
        FAN_OUT
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, subject, told) = (cx.org()?, cx.subject()?, cx.payload()?);
        let messages = self.0.services.messages(org, cx.step.fence.step, subject, told).await?;
        if messages.rows.is_empty() && messages.progress.is_empty() {
            return Ok(Output::default());
        }
        Ok(Output::bringing(messages))
    }
}

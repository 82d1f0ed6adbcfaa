//! Resume: jobs for endpoints whose messages wait and whose jobs are gone.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::task::StepKind;
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::pipelines::webhooks::RESUME;

use crate::steps::Toolbox;

pub(super) struct Resume(pub(super) Arc<Toolbox>);

#[async_trait]
impl Step for Resume {
    fn kind(&self) -> StepKind {
        RESUME
    }

    async fn run(&self, _: &StepContext) -> Result<Output, StepError> {
        let endpoints = self.0.services.system().resume_deliveries().await?;
        if endpoints > 0 {
            tracing::warn!(endpoints, "messages to endpoints waited without a job");
        }
        Ok(Output::default())
    }
}

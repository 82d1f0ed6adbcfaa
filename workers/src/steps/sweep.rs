//! Sweep: removes what retention no longer keeps, portion by portion.

use async_trait::async_trait;
use galley_domain::task::StepKind;
use galley_services::StepOutput;
use galley_store::Swept;

use crate::engine::{Step, StepContext, StepError};

pub(crate) struct Sweep;

#[async_trait]
impl Step for Sweep {
    fn kind(&self) -> StepKind {
        StepKind::Sweep
    }

    async fn run(&self, cx: &StepContext) -> Result<StepOutput, StepError> {
        let retention = cx.services.settings().retention;
        loop {
            let swept = cx.services.store().system().sweep(&retention).await?;
            if swept == Swept::default() {
                return Ok(StepOutput::Swept);
            }
            tracing::info!(?swept, "swept");
        }
    }
}

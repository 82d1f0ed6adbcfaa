//! Rescue: gives schedules that have lost their pending step a new one.

use async_trait::async_trait;
use galley_domain::task::StepKind;
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::{Services, pipelines::schedules::RESCUE};

use super::fault_of;

pub(crate) struct Rescue(pub(crate) Services);

#[async_trait]
impl Step for Rescue {
    fn kind(&self) -> StepKind {
        RESCUE
    }

    async fn run(&self, _: &StepContext) -> Result<Output, StepError> {
        let rescued = self.0.system().rescue_schedules().await.map_err(fault_of)?;
        if rescued > 0 {
            tracing::warn!(rescued, "schedules had lost their pending step");
        }
        Ok(Output::default())
    }
}

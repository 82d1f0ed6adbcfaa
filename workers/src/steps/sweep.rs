//! Sweep: removes what retention no longer keeps, portion by portion, and what killed processes left on the disk.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::task::StepKind;
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::{BlobError, ServiceError, pipelines::upkeep::SWEEP};
use galley_store::Swept;

use super::{Toolbox, article::store_fault};

pub(crate) struct Sweep(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Sweep {
    fn kind(&self) -> StepKind {
        SWEEP
    }

    async fn run(&self, _: &StepContext) -> Result<Output, StepError> {
        let system = self.0.services.system();
        loop {
            let swept = system.sweep().await?;
            if swept == Swept::default() {
                break;
            }
            tracing::info!(?swept, "swept");
        }
        let bytes = system.sweep_blobs().await.map_err(fault_of)?;
        if bytes > 0 {
            tracing::info!(files = bytes, "removed from the file store what no row names");
        }
        // The last one: a destination that is away must not keep the rest from being swept.
        if let Some(destination) = &self.0.destination {
            destination.tidy().await?;
        }
        Ok(Output::default())
    }
}

pub(super) fn fault_of(error: ServiceError) -> StepError {
    match error {
        ServiceError::Store(error) => error.into(),
        ServiceError::Blob(error) => store_fault(error).into(),
        other => store_fault(BlobError::Folder(std::io::Error::other(other))).into(),
    }
}

//! The steps of schedules. They belong to no task.

mod rescue;
mod tick;

use std::sync::Arc;

use galley_engine::{Step, StepError};
use galley_services::{ServiceError, Services};

use super::article::store_fault;

/// Work with nothing but the use cases.
pub fn schedule_steps(services: &Services) -> Vec<Arc<dyn Step>> {
    vec![Arc::new(tick::TickStep(services.clone())), Arc::new(rescue::Rescue(services.clone()))]
}

fn fault_of(error: ServiceError) -> StepError {
    match error {
        ServiceError::Store(error) => error.into(),
        other => store_fault(galley_services::BlobError::Folder(std::io::Error::other(other))).into(),
    }
}

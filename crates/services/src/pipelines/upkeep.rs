//! Work that nobody ordered and that belongs to no task.

use std::time::Duration;

use galley_domain::task::{StepKind, StepPolicy};
use galley_engine::{CANCEL_CHILDREN, Stage};

use super::UPKEEP;

/// Removes what retention no longer keeps.
pub const SWEEP: StepKind = StepKind::new("sweep");

/// Its step is the engine's own.
pub(super) fn cancel_children() -> Stage {
    Stage::new(CANCEL_CHILDREN, UPKEEP, 0, StepPolicy::new(20, 60))
}

/// The job, and how often it comes.
pub(super) fn sweep() -> (Stage, Duration) {
    (Stage::new(SWEEP, UPKEEP, 0, StepPolicy::new(3, 300)), Duration::from_secs(3600))
}

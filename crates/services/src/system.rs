//! What reaches across organizations: use cases of the operator, and work that nobody in an organization has asked for.
//!
//! Architecture invariant: nothing else in this crate asks the store for rows of several organizations, and the front
//! asks for neither, but for the figures of the queue. `tests/house.rs` reads both.

use galley_domain::Operator;
use galley_store::{QueueDepth, StoreError, Swept, System};

use crate::Services;

/// Use cases of whoever holds the machine.
#[derive(Debug)]
pub struct OperatorCalls<'a> {
    pub(crate) services: &'a Services,
    pub(crate) across: System,
}

/// What Galley does by itself for all organizations.
#[derive(Debug)]
pub struct SystemCalls<'a> {
    pub(crate) services: &'a Services,
    pub(crate) across: System,
}

impl Services {
    pub fn operator(&self, _: Operator) -> OperatorCalls<'_> {
        OperatorCalls { services: self, across: self.store.system() }
    }

    pub fn system(&self) -> SystemCalls<'_> {
        SystemCalls { services: self, across: self.store.system() }
    }
}

impl SystemCalls<'_> {
    /// Removes one portion of what retention no longer keeps. Call again while anything was swept.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        self.across.sweep(&self.services.settings.retention).await
    }

    /// Counts and ages of unfinished steps of all organizations.
    pub async fn queue_depth(&self) -> Result<Vec<QueueDepth>, StoreError> {
        self.services.store.queue().depth().await
    }
}

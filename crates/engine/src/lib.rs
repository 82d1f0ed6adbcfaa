//! The engine: claims steps, runs them in pools of apalis workers, keeps their leases, and writes their ends together with
//! what follows from them.
//!
//! What a task is about is policy: a [`Pipeline`] names its stages, what follows what, what is charged and what is written
//! to the domain's tables. Pipelines are registered in one list ([`Registry`]).
//!
//! Architecture invariant: nothing here knows a pipeline, the HTTP front or SQL.

mod attempt;
mod capacity;
mod claimer;
mod commit;
mod committer;
mod control;
mod keeper;
mod leases;
mod notifications;
mod pipeline;
mod registry;
mod runner;
mod source;
mod stats;
mod step;

pub use capacity::{Capacity, Handover};
pub use commit::{Commits, Entry, LastSeen, What, Written};
pub use control::{CANCEL_CHILDREN, Control, ControlError};
pub use notifications::{CancelWatch, EventWatch, Notifications, StepWatch};
pub use pipeline::{
    Brought, Charge, EndedTask, Items, Keeper, Kept, Next, OnFailure, Output, Periodic, Pipeline, Stage, StepSeed,
};
pub use registry::Registry;
pub use runner::{Engine, EngineSettings};
pub use stats::{EngineStats, KindStats, Part};
pub use step::{Outcome, Ran, Step, StepContext, StepError};

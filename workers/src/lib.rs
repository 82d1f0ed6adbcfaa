//! The engine: claims steps, runs them in pools of apalis workers, keeps their leases, writes their ends.
//!
//! Architecture invariant: nothing here knows the HTTP front, and nothing here writes SQL.

mod engine;
mod steps;

pub use engine::{Engine, EngineSettings, EngineStats, Step, StepContext, StepError};
pub use steps::{Toolbox, all_steps};

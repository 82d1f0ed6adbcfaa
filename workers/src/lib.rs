//! The steps, one folder for each pipeline and one file for each step.
//!
//! Architecture invariant: nothing here knows the HTTP front, and nothing here writes SQL.

mod steps;

pub use steps::{
    ConfiguredEmbedder, ConfiguredJudge, OffTopic, ReplayRun, Toolbox, Unsupported, WriterAt, all_steps, schedule_steps,
};

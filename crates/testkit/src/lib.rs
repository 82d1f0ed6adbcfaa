//! For tests only: real parts where a user has them, and faults on order.

mod cluster;
pub mod conformance;
mod harness;
mod line;
mod pooler;
mod scripted;
pub mod toy;

pub use cluster::{Held, TestDatabase, admin_url};
pub use harness::{Harness, HarnessBuilder, RunningEngine, brief, order};
pub use line::Line;
pub use pooler::{PoolMode, Pooler};
pub use scripted::{Move, Script, scripted_steps};

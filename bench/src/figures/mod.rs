//! The figures, one file each.

pub mod articles;
pub mod fairness;
pub mod growth;
pub mod horizon;
pub mod http;
pub mod inflight;
pub mod latency;
pub mod promises;
pub mod reading;
pub mod scale;
pub mod start;
pub mod steps;
pub mod streaming;
pub mod truth;
pub mod wide;

use std::time::Duration;

use crate::{report::Report, world::World};

/// What every figure works with.
pub struct Bench {
    pub world: World,
    pub report: Report,
    pub scale: Scale,
    /// Children write logs as well.
    pub logs: bool,
    /// The program under test, when it was named.
    pub galley: Option<std::path::PathBuf>,
}

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub quick: bool,
    pub rounds: usize,
    /// Finished steps before `horizon`.
    pub finished: u32,
    /// How long its transaction stays open.
    pub open: Duration,
}

impl Scale {
    /// The first number, or the second when it has to be quick.
    pub fn of<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

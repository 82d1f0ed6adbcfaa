//! Everything that is measured, in one place: its unit, what it is held against, and what it has to reach.

/// What a figure has to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// Told, not judged.
    None,
    AtMost(f64),
    AtLeast(f64),
    /// At least so many times the ceiling.
    TimesCeiling(f64),
    /// At most so many times the ceiling.
    AtMostTimesCeiling(f64),
    /// At least the number, or so many times the ceiling, whichever is less.
    AtLeastOrTimesCeiling(f64, f64),
}

impl Goal {
    /// `None` when there is nothing to judge, or nothing to judge by.
    pub fn met(self, value: f64, ceiling: Option<f64>) -> Option<bool> {
        match self {
            Self::None => None,
            Self::AtMost(most) => Some(value <= most),
            Self::AtLeast(least) => Some(value >= least),
            Self::TimesCeiling(times) => ceiling.map(|ceiling| value >= ceiling * times),
            Self::AtMostTimesCeiling(times) => ceiling.map(|ceiling| value <= ceiling * times),
            Self::AtLeastOrTimesCeiling(least, times) => ceiling.map(|ceiling| value >= least.min(ceiling * times)),
        }
    }

    pub fn shown(self) -> String {
        match self {
            Self::None => "–".to_owned(),
            Self::AtMost(most) => format!("≤ {}", crate::report::number(most)),
            Self::AtLeast(least) => format!("≥ {}", crate::report::number(least)),
            Self::TimesCeiling(times) => format!("≥ {times:.2} × ceiling"),
            Self::AtMostTimesCeiling(times) => format!("≤ {times:.2} × ceiling"),
            Self::AtLeastOrTimesCeiling(least, times) => {
                format!("≥ {} or {times:.2} × ceiling", crate::report::number(least))
            }
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// The figure's name, a dot, and what of it.
    pub id: &'static str,
    pub unit: &'static str,
    /// What the ceiling is; empty when there is none.
    pub ceiling: &'static str,
    pub goal: Goal,
}

const fn measure(id: &'static str, unit: &'static str, ceiling: &'static str, goal: Goal) -> Measure {
    Measure { id, unit, ceiling, goal }
}

const BATCHED: &str = "batched SQL";
const COMMIT: &str = "one commit";
const EMPTY: &str = "with empty tables";
const ONE: &str = "one process";
const BEFORE: &str = "empty, nothing open";

pub const MEASURES: &[Measure] = &[
    measure("steps.sql_single", "steps/s", "", Goal::None),
    measure("steps.sql_batched", "steps/s", "", Goal::None),
    measure("steps.slots_16", "steps/s", BATCHED, Goal::None),
    measure("steps.slots_64", "steps/s", BATCHED, Goal::None),
    measure("steps.slots_256", "steps/s", BATCHED, Goal::AtLeastOrTimesCeiling(10_000.0, 1.0 / 3.0)),
    measure("steps.slots_256_to_single", "steps/s", "one step per commit", Goal::TimesCeiling(2.0)),
    measure("latency.sql_commit_p50", "ms", "", Goal::None),
    measure("latency.sql_commit_p99", "ms", "", Goal::None),
    measure("latency.one_process_order_p50", "ms", COMMIT, Goal::AtMost(3.0)),
    measure("latency.one_process_order_p99", "ms", COMMIT, Goal::AtMost(15.0)),
    measure("latency.one_process_step_p50", "ms", COMMIT, Goal::AtMost(3.0)),
    measure("latency.one_process_step_p99", "ms", COMMIT, Goal::AtMost(15.0)),
    measure("latency.two_processes_order_p50", "ms", COMMIT, Goal::AtMost(3.0)),
    measure("latency.two_processes_order_p99", "ms", COMMIT, Goal::AtMost(15.0)),
    measure("latency.two_processes_step_p50", "ms", COMMIT, Goal::AtMost(3.0)),
    measure("latency.two_processes_step_p99", "ms", COMMIT, Goal::AtMost(15.0)),
    measure("inflight.rss", "MB", "", Goal::AtMost(150.0)),
    measure("inflight.cpu", "% of a core", "", Goal::AtMost(1.0)),
    measure("inflight.postgres_cpu", "% of a core", "", Goal::None),
    measure("inflight.leases_lost", "leases", "", Goal::AtMost(0.0)),
    measure("growth.steps_empty", "steps/s", "", Goal::None),
    measure("growth.steps_1e4", "steps/s", EMPTY, Goal::TimesCeiling(0.9)),
    measure("growth.steps_1e5", "steps/s", EMPTY, Goal::TimesCeiling(0.9)),
    measure("growth.steps_1e6", "steps/s", EMPTY, Goal::TimesCeiling(0.9)),
    measure("growth.claim_empty", "ms", "", Goal::None),
    measure("growth.claim_1e4", "ms", EMPTY, Goal::AtMostTimesCeiling(1.1)),
    measure("growth.claim_1e5", "ms", EMPTY, Goal::AtMostTimesCeiling(1.1)),
    measure("growth.claim_1e6", "ms", EMPTY, Goal::AtMostTimesCeiling(1.1)),
    measure("fairness.wait", "s", "", Goal::AtMost(1.0)),
    measure("fairness.steps", "steps/s", "without the second tenant", Goal::TimesCeiling(0.9)),
    measure("http.order", "orders/s", "the same rows in SQL", Goal::TimesCeiling(0.5)),
    measure("http.get", "requests/s", "a constant", Goal::TimesCeiling(0.25)),
    measure("http.get_p99", "ms", "a constant", Goal::None),
    measure("http.events_p50", "ms", "", Goal::None),
    measure("http.events_p99", "ms", "", Goal::AtMost(100.0)),
    measure("http.reader_memory", "kB", "", Goal::AtMost(30.0)),
    measure("start.ready", "ms", "", Goal::AtMost(500.0)),
    measure("start.rss", "MB", "", Goal::AtMost(40.0)),
    measure("start.idle_queries", "transactions/s", "", Goal::AtMost(2.0)),
    measure("wide.newcomer", "s", "", Goal::AtMost(1.0)),
    measure("wide.items", "items/s", "without newcomers", Goal::TimesCeiling(0.9)),
    measure("wide.chunks_at_once", "steps/s", "", Goal::None),
    measure("wide.partial", "wrong", "", Goal::AtMost(0.0)),
    measure("wide.lost", "items", "", Goal::AtMost(0.0)),
    measure("wide.pause", "s", "", Goal::AtMost(2.0)),
    measure("wide.resumed_wrong", "items", "", Goal::AtMost(0.0)),
    measure("wide.parent", "s", "", Goal::AtMost(1.0)),
    measure("wide.paused_children", "tasks", "", Goal::AtMost(0.0)),
    measure("wide.children", "tasks/s", "", Goal::None),
    measure("horizon.rate", "steps/s", "", Goal::AtLeast(500.0)),
    measure("horizon.claim_p50", "ms", BEFORE, Goal::None),
    measure("horizon.claim_p99", "ms", BEFORE, Goal::AtMostTimesCeiling(3.0)),
    measure("horizon.tick_claim", "ms", BEFORE, Goal::None),
    measure("horizon.clock", "ms", BEFORE, Goal::None),
    measure("horizon.order", "ms", BEFORE, Goal::None),
    measure("reading.memory", "MiB above idle", "", Goal::AtMost(512.0)),
    measure("reading.get_p99", "ms", "with nothing to read", Goal::AtMostTimesCeiling(2.0)),
    measure("articles.rate", "articles/s", "", Goal::None),
    measure("articles.cpu", "ms of CPU each", "", Goal::AtMost(40.0)),
    measure("streaming.rss", "MB", "", Goal::AtMost(300.0)),
    measure("streaming.call", "kB each above idle", "", Goal::None),
    measure("streaming.cpu", "% of a core", "", Goal::None),
    measure("scale.one", "articles/s", "", Goal::None),
    measure("scale.four", "articles/s", ONE, Goal::TimesCeiling(0.9)),
    measure("scale.eight", "articles/s", ONE, Goal::TimesCeiling(0.9)),
    measure("scale.connections", "for each of eight", "", Goal::None),
    measure("promises.first", "s", "", Goal::None),
    measure("promises.last", "s", "", Goal::AtMost(5.0)),
    measure("truth.falsehoods", "% supported", "", Goal::AtMost(10.0)),
    measure("truth.worst_kind", "% supported", "", Goal::AtMost(20.0)),
    measure("truth.falsehoods_by_hand", "% supported", "", Goal::AtMost(10.0)),
    measure("truth.rewrites", "% supported", "", Goal::AtLeast(90.0)),
    measure("truth.rewrites_by_hand", "% supported", "", Goal::AtLeast(75.0)),
    measure("truth.topics", "% with a section", "", Goal::AtLeast(90.0)),
    measure("truth.topics_in_order", "% of orders", "", Goal::AtLeast(75.0)),
    measure("truth.orphans", "% of sentences", "", Goal::AtMost(0.5)),
    measure("truth.refused", "% of orders", "", Goal::AtMost(0.0)),
    measure("truth.off_topic_unnoticed", "% of orders", "", Goal::AtMost(10.0)),
    measure("truth.on_topic_refused", "% of orders", "", Goal::AtMost(0.0)),
    measure("truth.large", "s of CPU", "", Goal::AtMost(2.0)),
];

pub fn find(id: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|measure| measure.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_judged_by_what_it_says() {
        assert_eq!(Goal::None.met(1.0, None), None);
        assert_eq!(Goal::AtMost(0.0).met(0.0, None), Some(true));
        assert_eq!(Goal::AtLeast(500.0).met(499.0, None), Some(false));
        assert_eq!(Goal::TimesCeiling(0.5).met(49.0, Some(100.0)), Some(false));
        assert_eq!(Goal::TimesCeiling(0.5).met(49.0, None), None, "nothing to judge by");
        assert_eq!(Goal::AtMostTimesCeiling(1.1).met(1.2, Some(1.0)), Some(false));
        let either = Goal::AtLeastOrTimesCeiling(10_000.0, 0.5);
        assert_eq!(either.met(9_000.0, Some(16_000.0)), Some(true), "half of the ceiling is less");
        assert_eq!(either.met(10_500.0, Some(60_000.0)), Some(true), "the number is less");
        assert_eq!(either.met(9_000.0, Some(60_000.0)), Some(false));
    }

    #[test]
    fn a_goal_against_a_ceiling_says_which() {
        for measure in MEASURES {
            let needs = !matches!(measure.goal, Goal::None | Goal::AtMost(_) | Goal::AtLeast(_));
            assert!(!needs || !measure.ceiling.is_empty(), "{}", measure.id);
            assert_eq!(MEASURES.iter().filter(|other| other.id == measure.id).count(), 1, "{}", measure.id);
        }
    }
}

//! The engine's counters as Prometheus text, and who may ask for it.

use std::fmt::Write;

use crate::http::MetricsAccess;
use galley_engine::EngineStats;

/// Who may ask, for people.
pub fn told(access: &MetricsAccess) -> &'static str {
    match access {
        MetricsAccess::Open => "open, since only this machine can ask",
        MetricsAccess::Token(_) => "with metrics.token as bearer token",
        MetricsAccess::Closed => "closed, since others can ask: set metrics.token, then send it as bearer token",
    }
}

pub fn render(stats: &EngineStats, text: &mut String) {
    text.push_str(
        "# HELP galley_steps_total Attempts of steps in this process by kind and end.\n# TYPE galley_steps_total counter\n",
    );
    let kinds = stats.snapshot();
    for (kind, counts) in &kinds {
        let ends = [
            ("claimed", counts.claimed),
            ("done", counts.done),
            ("retried", counts.retried),
            ("failed", counts.failed),
            ("dropped", counts.dropped),
        ];
        for (end, count) in ends {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "galley_steps_total{{kind=\"{kind}\",end=\"{end}\"}} {count}");
        }
    }
    text.push_str("# HELP galley_groups_stale_total Groups of writes that were written again, because somebody else had changed a task.\n# TYPE galley_groups_stale_total counter\n");
    let _ = writeln!(text, "galley_groups_stale_total {}", stats.stale_groups());
    text.push_str("# HELP galley_database_refusals_total Questions of the engine that the database did not answer and that were asked again.\n# TYPE galley_database_refusals_total counter\n");
    for (part, count) in stats.refusals() {
        let _ = writeln!(text, "galley_database_refusals_total{{part=\"{}\"}} {count}", part.as_str());
    }
    text.push_str("# HELP galley_step_busy_seconds_total Time spent in attempts.\n# TYPE galley_step_busy_seconds_total counter\n");
    for (kind, counts) in &kinds {
        let seconds = std::time::Duration::from_micros(counts.busy_micros).as_secs_f64();
        let _ = writeln!(text, "galley_step_busy_seconds_total{{kind=\"{kind}\"}} {seconds}");
    }
}

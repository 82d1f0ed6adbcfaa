//! Whether nothing of a paused task began.

use std::{
    collections::HashMap,
    fs,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use super::{Fault, Run};
use crate::chaos::{client::Paused, processes::Sleep};

/// What was claimed before the pause may begin for so long after it.
const GRACE: Duration = Duration::from_secs(2);
/// A process that wakes up first does what it was about to do.
const WAKING: Duration = Duration::from_secs(2);

/// Reads from the logs of the processes when attempts began.
pub fn look(run: &Run<'_>, faults: &mut Vec<Fault>) -> anyhow::Result<()> {
    let mut pauses: HashMap<&str, Vec<&Paused>> = HashMap::new();
    run.ledger.paused.iter().for_each(|paused| pauses.entry(&paused.task).or_default().push(paused));
    for (process, log) in run.logs.iter().enumerate() {
        let text = fs::read(log)?;
        for line in String::from_utf8_lossy(&text).lines() {
            let Some((task, began)) = began(line) else { continue };
            let of_task = pauses.get(task.as_str()).into_iter().flatten();
            let within = of_task.filter(|paused| paused.since + GRACE < began && began < paused.until).count();
            if within > 0 && !slept(run.sleeps, process, began) {
                let detail = format!("process {process}: {}", line.chars().take(400).collect::<String>());
                faults.push(Fault::new("nothing of a paused task begins", detail));
            }
        }
    }
    Ok(())
}

/// The task of an attempt that begins, and when it does.
fn began(line: &str) -> Option<(String, SystemTime)> {
    if !line.contains("step started") {
        return None;
    }
    let entry: Value = serde_json::from_str(line).ok()?;
    let task = entry["span"]["task"].as_str()?.to_owned();
    let when: chrono::DateTime<chrono::Utc> = entry["timestamp"].as_str()?.parse().ok()?;
    (entry["message"] == "step started").then(|| (task, when.into()))
}

/// Whether the process had no processor then, or a moment before.
fn slept(sleeps: &[Sleep], process: usize, when: SystemTime) -> bool {
    sleeps.iter().any(|sleep| sleep.process == process && sleep.from <= when && when <= sleep.to + WAKING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_begins_says_whose_it_is_and_when() {
        let line =
            r#"{"timestamp":"2026-11-28T18:00:00.5Z","level":"INFO","message":"step started","span":{"task":"t-1"}}"#;
        let (task, when) = began(line).expect("an attempt");
        let since = when.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        assert_eq!((task.as_str(), since.subsec_millis()), ("t-1", 500));
        assert!(began(&line.replace("step started", "step done")).is_none());
        assert!(began("noise: step started").is_none());
    }

    #[test]
    fn a_process_that_slept_is_excused_for_a_moment() {
        let from = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let sleeps = [Sleep { process: 1, from, to: from + Duration::from_secs(5) }];
        assert!(slept(&sleeps, 1, from + Duration::from_secs(6)));
        assert!(!slept(&sleeps, 1, from + Duration::from_secs(8)));
        assert!(!slept(&sleeps, 2, from + Duration::from_secs(1)));
    }
}

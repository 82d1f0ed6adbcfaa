//! What the processes said themselves.

use std::{fs, path::Path};

use serde_json::Value;

use super::Fault;

/// What the faults of a plan make a process say at the level of an error, and nothing is wrong with it.
const EXPECTED: [&str; 4] = [
    "the database does not answer; calls are refused and steps wait until it does",
    "the step lost its worker in its last attempt",
    "usage of a stopped attempt could not be recorded",
    "usage of a stopped attempt could not be recorded: the database stays away",
];

/// An error that no fault explains, and any panic, also one that a guard caught.
pub fn look(log: &Path, faults: &mut Vec<Fault>) -> anyhow::Result<()> {
    let text = fs::read(log)?;
    for line in String::from_utf8_lossy(&text).lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_default();
        let is_error = entry["level"] == "ERROR" && !entry["message"].as_str().is_some_and(|m| EXPECTED.contains(&m));
        if is_error || line.contains("panicked at") {
            faults.push(Fault::new("no process finds itself at fault", line.chars().take(400).collect::<String>()));
        }
    }
    Ok(())
}

//! What is waited for between the signal to stop and the end.

use std::{convert::Infallible, time::Duration};

use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What ends within this time is not worth a word.
const MOMENT: Duration = Duration::from_millis(100);
/// Said once.
const WAY_OUT: &str = "Steps that do not end go back to the queue. A second signal ends all at once.";
const EVERY: Duration = Duration::from_secs(5);

/// Says, from the signal on, what is waited for and for how long. It ends with whoever waits.
pub async fn tell(
    stop: CancellationToken,
    drain: Duration,
    steps: impl Fn() -> usize,
    connections: TaskTracker,
) -> Infallible {
    stop.cancelled().await;
    let end = Instant::now() + drain;
    tokio::time::sleep(MOMENT).await;
    let waited = || said(steps(), connections.len(), end.saturating_duration_since(Instant::now()));
    println!("{} {WAY_OUT}", waited());
    loop {
        tokio::time::sleep(EVERY).await;
        println!("{}", waited());
    }
}

fn said(steps: usize, requests: usize, left: Duration) -> String {
    let count = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        more => Some(format!("{more} {word}s")),
    };
    let counted: Vec<String> = [count(steps, "step"), count(requests, "request")].into_iter().flatten().collect();
    let waited = if counted.is_empty() { "the last writes".to_owned() } else { counted.join(" and ") };
    let seconds = left.as_secs_f64().ceil();
    let time = if seconds > 0.0 { format!("at most {seconds} s more") } else { "their time is up".to_owned() };
    format!("Stopping: waiting for {waited}, {time}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_is_counted() {
        let said = |steps, requests, seconds| said(steps, requests, Duration::from_millis(seconds));
        assert!(said(2, 1, 17_200).starts_with("Stopping: waiting for 2 steps and 1 request, at most 18 s more."));
        assert!(said(1, 0, 0).starts_with("Stopping: waiting for 1 step, their time is up."));
        assert!(said(0, 0, 500).starts_with("Stopping: waiting for the last writes, at most 1 s more."));
    }
}

//! When to try again, and when to stop trying.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::Verdict;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The waits after the first failed attempt, the second and so on, in seconds. The first attempt is made at once.
/// Source: the table of the Standard Webhooks specification, with its end drawn out to about three days.
const WAITS: [u64; 9] = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// Attempts of one delivery, the first included.
pub const ATTEMPTS: u32 = 10;
const _: () = assert!(WAITS.len() + 1 == ATTEMPTS as usize);

/// The longest `Retry-After` that is obeyed.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * HOUR);

/// The share of a wait that is added at most, so that what failed together does not come back together.
const JITTER: f64 = 0.1;

/// An endpoint that only failed for this long is disabled.
pub const FAILING_FOR: TimeDelta = TimeDelta::days(5);
/// Two of its failures lie at least so far apart.
pub const FAILURES_APART: TimeDelta = TimeDelta::hours(12);

/// How long to wait after so many failed attempts of a delivery; `None` when there is no further attempt. What the
/// receiver asked for is the least (obeyed up to [`MAX_RETRY_AFTER`]), and jitter is added to it too: all deliveries to an
/// endpoint hear the same wish. `random` is in 0..1.
pub fn wait_after(failed_attempts: u32, retry_after: Option<Duration>, random: f64) -> Option<Duration> {
    let wait = match failed_attempts.checked_sub(1) {
        None => Duration::ZERO,
        Some(at) => Duration::from_secs(*WAITS.get(usize::try_from(at).ok()?)?),
    };
    let wait = wait.max(retry_after.unwrap_or_default().min(MAX_RETRY_AFTER));
    // NaN and what is out of range must not make a wait that `Duration` cannot hold.
    let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.0 };
    Some(wait + wait.mul_f64(JITTER * random))
}

/// Since when an endpoint only fails, after one more attempt: what was carried, or `at` when this is the first failure.
/// A success clears it.
pub fn failing_since(carried: Option<DateTime<Utc>>, verdict: Verdict, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match verdict {
        Verdict::Delivered => None,
        Verdict::Gone | Verdict::Failed => Some(carried.unwrap_or(at)),
    }
}

/// Is the endpoint to be disabled, now that an attempt failed at `now`? `failing_since` is when its first failure after
/// the last success was, `last_failure_before_this` when the one before this was. One failure is never enough, however
/// long ago a clock says it began.
pub fn should_disable(
    failing_since: DateTime<Utc>,
    last_failure_before_this: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> bool {
    let apart = |earlier: DateTime<Utc>, later: DateTime<Utc>| later - earlier >= FAILURES_APART;
    now - failing_since >= FAILING_FOR
        && last_failure_before_this.is_some_and(|last| apart(failing_since, last) || apart(last, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(wait: Option<Duration>) -> Option<u64> {
        wait.map(|wait| wait.as_secs())
    }

    #[test]
    fn the_table_without_jitter() {
        let waits: Vec<_> = (0..ATTEMPTS).map(|failed| seconds(wait_after(failed, None, 0.0)).unwrap()).collect();
        assert_eq!(waits, [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        for used_up in [ATTEMPTS, ATTEMPTS + 1, u32::MAX] {
            assert_eq!(wait_after(used_up, Some(Duration::from_secs(60)), 0.5), None);
        }
    }

    #[test]
    fn jitter_is_added_and_at_most_a_tenth() {
        for failed in 1..ATTEMPTS {
            let least = wait_after(failed, None, 0.0).unwrap();
            let middle = wait_after(failed, None, 0.5).unwrap();
            let most = wait_after(failed, None, 1.0).unwrap();
            assert!(
                least < middle && middle < most && most <= least.mul_f64(1.100_001),
                "{failed}: {least:?} {most:?}"
            );
        }
        let table = wait_after(3, None, 0.0);
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -4.0] {
            assert_eq!(wait_after(3, None, odd), table);
        }
        assert_eq!(wait_after(3, None, 7.0), wait_after(3, None, 1.0));
    }

    #[test]
    fn the_receivers_wish_is_the_least() {
        let wish = |s| Some(Duration::from_secs(s));
        assert_eq!(seconds(wait_after(1, wish(60), 0.0)), Some(60));
        assert_eq!(seconds(wait_after(1, wish(1), 0.0)), Some(5), "the table's wait is longer");
        assert_eq!(seconds(wait_after(1, wish(1_000_000), 0.0)), Some(86_400));
        assert_eq!(seconds(wait_after(1, wish(u64::MAX), 0.0)), Some(86_400));
        assert_eq!(seconds(wait_after(1, wish(100), 1.0)), Some(110), "with jitter");
    }

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    #[test]
    fn disabled_after_five_days_of_failures_only() {
        for (last, now, expected) in [
            (None, 0, false),
            (None, 24 * 30, false),
            (Some(0), 13, false),
            (Some(118), 119, false),
            (Some(119), 120, true),
            (Some(0), 120, true),
            (Some(1), 24 * 30, true),
        ] {
            assert_eq!(should_disable(at(0), last.map(at), at(now)), expected, "{last:?} {now}");
        }
        let nearly = at(120) - TimeDelta::milliseconds(1);
        assert!(!should_disable(at(0), Some(at(60)), nearly));
        assert!(!should_disable(at(10), Some(at(5)), at(0)), "a clock that went back disables nobody");
    }

    #[test]
    fn a_success_clears_the_failures() {
        let first = failing_since(None, Verdict::Failed, at(1));
        assert_eq!(first, Some(at(1)));
        assert_eq!(failing_since(first, Verdict::Failed, at(9)), Some(at(1)));
        assert_eq!(failing_since(first, Verdict::Gone, at(9)), Some(at(1)));
        assert_eq!(failing_since(first, Verdict::Delivered, at(9)), None);
        assert_eq!(failing_since(None, Verdict::Delivered, at(9)), None);
    }
}

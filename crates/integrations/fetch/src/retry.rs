//! How long a peer asks us to wait.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that is obeyed: a peer must not park a task for days.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// Reads `Retry-After`: whole seconds or an HTTP date (RFC 9110, 10.2.3), at most [`MAX_RETRY_AFTER`]. A date in the
/// past is no wait at all; anything else is ignored.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    retry_after_within(headers, now, MAX_RETRY_AFTER)
}

/// [`retry_after`] with another longest wait.
pub fn retry_after_within(headers: &HeaderMap, now: SystemTime, most: Duration) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are still a wait, only a very long one.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        // 2026-11-22 12:00:00 UTC
        retry_after(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_348_800))
    }

    #[test]
    fn seconds_dates_and_nonsense() {
        let seconds = |s| Some(Duration::from_secs(s));
        for (value, wait) in [
            ("0", seconds(0)),
            ("2", seconds(2)),
            (" 30 ", seconds(30)),
            ("3601", seconds(3600)),
            ("99999999999999999999999", seconds(3600)),
            ("Sun, 22 Nov 2026 12:00:30 GMT", seconds(30)),
            ("Sunday, 22-Nov-26 12:01:00 GMT", seconds(60)),
            ("Sun Nov 22 12:00:05 2026", seconds(5)),
            ("Sun, 22 Nov 2026 11:00:00 GMT", seconds(0)),
            ("Fri, 01 Jan 2100 00:00:00 GMT", seconds(3600)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(read(value), wait, "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::UNIX_EPOCH), None);
    }
}

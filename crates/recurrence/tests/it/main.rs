//! The rules of `galley-recurrence` seen from outside.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod changes;
mod missed;
mod properties;
mod reference;

use chrono::{DateTime, Utc};
use galley_recurrence::{Recurrence, RecurrenceRequest, RuleRequest};

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn request(rule: &str, timezone: &str) -> RecurrenceRequest {
    let timezone = timezone.to_owned();
    let words: Vec<&str> = rule.split(' ').collect();
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let rule = match words[..] {
        ["day", at] => RuleRequest { every: "day".into(), at: list(at), ..RuleRequest::default() },
        ["week", weekdays, at] => {
            RuleRequest { every: "week".into(), at: list(at), weekdays: Some(list(weekdays)), days: None }
        }
        ["month", days, at] => {
            let days = list(days).iter().map(|day| day.parse().unwrap()).collect();
            RuleRequest { every: "month".into(), at: list(at), weekdays: None, days: Some(days) }
        }
        _ => return RecurrenceRequest { cron: Some(rule.to_owned()), timezone, ..RecurrenceRequest::default() },
    };
    RecurrenceRequest { rule: Some(rule), timezone, ..RecurrenceRequest::default() }
}

/// A cron, or `day 09:00`, `week mon,fri 09:00`, `month 1,-1 09:00,17:00`.
fn recurrence(rule: &str, timezone: &str) -> Recurrence {
    request(rule, timezone).check().unwrap_or_else(|wrong| panic!("{rule} in {timezone}: {wrong:?}"))
}

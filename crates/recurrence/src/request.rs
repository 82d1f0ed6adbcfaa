//! What a client or a stored row says, before it is checked.

use chrono::{DateTime, Utc};
use galley_domain::order::{FieldError, Violations};
use serde::{Deserialize, Serialize};

use crate::recurrence::{Recurrence, When};
use crate::rule::CalendarRule;
use crate::{LAST_YEAR, cron, rule, zone};

/// A recurrence with the names of the wire. Exactly one of `cron` and `rule`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct RecurrenceRequest {
    #[serde(default)]
    pub cron: Option<String>,
    #[serde(default)]
    pub rule: Option<RuleRequest>,
    /// An IANA name.
    pub timezone: String,
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub ends_at: Option<DateTime<Utc>>,
}

/// A calendar rule with the names of the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRequest {
    /// `day`, `week` or `month`.
    pub every: String,
    /// `09:00`, 1 to 24 distinct ones.
    pub at: Vec<String>,
    /// `mon` to `sun`; of a weekly rule, required there.
    #[serde(default)]
    pub weekdays: Option<Vec<String>>,
    /// 1 to 31, -1 for the last; of a monthly rule, required there.
    #[serde(default)]
    pub days: Option<Vec<i64>>,
}

impl RecurrenceRequest {
    /// Checks everything.
    ///
    /// # Errors
    /// All that is wrong, with paths such as `rule.at[1]`.
    pub fn check(self) -> Result<Recurrence, Vec<FieldError>> {
        let mut wrong = Violations::default();
        let when = match (&self.cron, &self.rule) {
            (Some(text), None) => parse_cron(text, &mut wrong),
            (None, Some(request)) => rule::parse(request, &mut wrong).map(|rule| (rule.pattern(), When::Rule(rule))),
            (Some(_), Some(_)) => {
                wrong.add("cron", "is given together with rule; give one of the two");
                wrong.add("rule", "is given together with cron; give one of the two");
                None
            }
            (None, None) => {
                wrong.add("cron", "is missing; give cron or rule");
                wrong.add("rule", "is missing; give cron or rule");
                None
            }
        };
        if let Some((pattern, _)) = &when {
            wrong.check(!pattern.comes(), "cron", "never comes: no month of it has such a day");
        }
        let zone = zone::parse_zone(&self.timezone).map_err(|problem| wrong.add("timezone", problem)).ok();
        let span_is_good = match (self.starts_at, self.ends_at) {
            (Some(starts), Some(ends)) if ends <= starts => {
                wrong.add("ends_at", "is not after starts_at; give a later time");
                false
            }
            _ => true,
        };
        let (Some((pattern, when)), Some(zone)) = (when, zone) else {
            return Err(wrong.finish().err().unwrap_or_default());
        };
        let recurrence = Recurrence::new(when, pattern, zone, self.starts_at, self.ends_at);
        if span_is_good && recurrence.pattern_comes() {
            check_span(&recurrence, &mut wrong);
        }
        wrong.finish().map(|()| recurrence)
    }
}

fn parse_cron(text: &str, wrong: &mut Violations) -> Option<(crate::pattern::Pattern, When)> {
    match cron::parse(text) {
        Ok((text, pattern)) => Some((pattern, When::Cron(text))),
        Err(problems) => {
            problems.into_iter().for_each(|problem| wrong.add("cron", problem));
            None
        }
    }
}

/// A schedule that has a start can be told at once if nothing comes after it.
fn check_span(recurrence: &Recurrence, wrong: &mut Violations) {
    let Some(starts) = recurrence.starts_at() else { return };
    if recurrence.next(DateTime::<Utc>::MIN_UTC).is_some() {
        return;
    }
    match recurrence.ends_at() {
        Some(ends) => {
            wrong.add(
                "ends_at",
                format!("leaves no time between {} and {}; give a later one", text(starts), text(ends)),
            );
        }
        None => wrong.add("starts_at", format!("leaves no time; times are known until the end of {LAST_YEAR}")),
    }
}

fn text(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A recurrence as it is told and stored; read again as [`RecurrenceRequest`].
#[derive(Serialize)]
pub(crate) struct Wire<'a> {
    cron: Option<&'a str>,
    rule: Option<&'a CalendarRule>,
    timezone: &'static str,
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
}

impl Serialize for Recurrence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (cron, rule) = match self.when() {
            When::Cron(text) => (Some(text.as_str()), None),
            When::Rule(rule) => (None, Some(rule)),
        };
        let (starts_at, ends_at) = (self.starts_at(), self.ends_at());
        Wire { cron, rule, timezone: self.timezone().name(), starts_at, ends_at }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Recurrence {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RecurrenceRequest::deserialize(deserializer)?.check().map_err(|wrong| serde::de::Error::custom(joined(&wrong)))
    }
}

pub(crate) fn joined(wrong: &[FieldError]) -> String {
    let lines: Vec<String> = wrong.iter().map(|error| format!("{} {}", error.field, error.message)).collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: serde_json::Value) -> Result<Recurrence, Vec<(String, String)>> {
        let request: RecurrenceRequest = serde_json::from_value(value).expect("has the shape");
        request.check().map_err(|wrong| wrong.into_iter().map(|error| (error.field, error.message)).collect())
    }

    fn fields(value: serde_json::Value) -> Vec<String> {
        check(value).expect_err("is wrong").into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn exactly_one_of_cron_and_rule() {
        let rule = json!({"every": "day", "at": ["09:00"]});
        assert_eq!(fields(json!({"cron": "0 9 * * *", "rule": rule, "timezone": "UTC"})), ["cron", "rule"]);
        assert_eq!(fields(json!({"timezone": "Nowhere"})), ["cron", "rule", "timezone"]);
        assert_eq!(fields(json!({"cron": "60 24 * * *", "timezone": "utc"})), ["cron", "cron", "timezone"]);
    }

    #[test]
    fn every_wrong_item_of_a_rule_is_named() {
        let of = |rule: serde_json::Value| fields(json!({"rule": rule, "timezone": "UTC"}));
        assert_eq!(
            of(json!({"every": "month", "at": ["9:00", "24:00", "09:00", "09:00"], "days": [0, 1, -1, 1, 32, -2, -1]})),
            [
                "rule.at[0]",
                "rule.at[1]",
                "rule.at[3]",
                "rule.days[0]",
                "rule.days[3]",
                "rule.days[4]",
                "rule.days[5]",
                "rule.days[6]"
            ]
        );
        assert_eq!(
            of(json!({"every": "week", "at": [], "weekdays": ["Mon", "tue", "tue"]})),
            ["rule.at", "rule.weekdays[0]", "rule.weekdays[2]"]
        );
        assert_eq!(of(json!({"every": "week", "at": ["09:00"]})), ["rule.weekdays"]);
        assert_eq!(of(json!({"every": "week", "at": ["09:00"], "weekdays": []})), ["rule.weekdays"]);
        assert_eq!(of(json!({"every": "month", "at": ["09:00"]})), ["rule.days"]);
        assert_eq!(
            of(json!({"every": "day", "at": ["09:00"], "weekdays": ["mon"], "days": [1]})),
            ["rule.weekdays", "rule.days"]
        );
        assert_eq!(
            of(json!({"every": "hour", "at": ["x"], "weekdays": ["x"]})),
            ["rule.every", "rule.at[0]", "rule.weekdays[0]"]
        );
        let many: Vec<String> = (0..25).map(|minute| format!("09:{minute:02}")).collect();
        assert_eq!(of(json!({"every": "day", "at": many})), ["rule.at"]);
        let bad = ["09:60", "0９:00", "+9:00", "09:00:00", "", "09", "-1:00", "09: 0"];
        assert_eq!(of(json!({"every": "day", "at": bad})).len(), bad.len());
    }

    #[test]
    fn what_never_comes_is_refused() {
        for cron in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30-31 FEB *"] {
            let wrong = check(json!({"cron": cron, "timezone": "UTC"})).unwrap_err();
            assert_eq!(wrong, [("cron".into(), "never comes: no month of it has such a day".into())]);
        }
        for cron in ["0 0 29 2 *", "0 0 * 2 MON#5", "0 0 30 2 MON", "0 0 31 1-12 *", "0 0 L 2 *"] {
            check(json!({"cron": cron, "timezone": "UTC"})).unwrap_or_else(|wrong| panic!("{cron}: {wrong:?}"));
        }
    }

    #[test]
    fn the_span_must_leave_a_time() {
        let of = |starts: &str, ends: Option<&str>| {
            check(json!({"cron": "0 9 1 * *", "timezone": "UTC", "starts_at": starts, "ends_at": ends}))
        };
        assert!(of("2027-01-01T09:00:00Z", Some("2027-01-01T09:00:01Z")).is_ok(), "the start is included");
        assert_eq!(of("2027-01-01T09:00:00Z", Some("2027-01-01T09:00:00Z")).unwrap_err()[0].0, "ends_at");
        assert_eq!(
            of("2027-01-01T09:00:01Z", Some("2027-02-01T09:00:00Z")).unwrap_err()[0],
            (
                "ends_at".into(),
                "leaves no time between 2027-01-01T09:00:01Z and 2027-02-01T09:00:00Z; give a later one".into()
            )
        );
        assert_eq!(of("2150-01-01T00:00:00Z", None).unwrap_err()[0].0, "starts_at");
    }

    #[test]
    fn it_is_written_and_read_again_with_the_names_of_the_wire() {
        for value in [
            json!({"cron": "0 9 * * MON", "rule": null, "timezone": "Europe/Berlin", "starts_at": null, "ends_at": null}),
            json!({"cron": null, "rule": {"every": "month", "at": ["09:00", "17:30"], "days": [1, 31, -1]},
                "timezone": "UTC", "starts_at": "2027-01-01T00:00:00Z", "ends_at": "2028-01-01T00:00:00Z"}),
            json!({"cron": null, "rule": {"every": "week", "at": ["00:00"], "weekdays": ["mon", "sun"]},
                "timezone": "Asia/Tokyo", "starts_at": null, "ends_at": null}),
        ] {
            let read: Recurrence = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), value);
        }
        let unsorted =
            json!({"rule": {"every": "month", "at": ["17:00", "09:00"], "days": [-1, 3, 2]}, "timezone": "UTC"});
        let written = serde_json::to_value(check(unsorted).unwrap()).unwrap();
        assert_eq!(written["rule"], json!({"every": "month", "at": ["09:00", "17:00"], "days": [2, 3, -1]}));
        let unknown = json!({"rule": {"every": "day", "at": ["09:00"], "interval": 2}, "timezone": "UTC"});
        assert!(serde_json::from_value::<Recurrence>(unknown).unwrap_err().to_string().contains("interval"));
        let error = serde_json::from_value::<Recurrence>(json!({"cron": "x", "timezone": "berlin"})).unwrap_err();
        assert!(error.to_string().contains("timezone 'berlin' is no known time zone"), "{error}");
    }
}

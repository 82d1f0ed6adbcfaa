//! One moment as somebody gives it: with an offset, or as wall time in a zone.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use galley_domain::order::FieldError;

use crate::{
    wall::{Clock, local_at, place},
    zone::parse_zone,
};

/// How far ahead something may be promised.
const HORIZON: TimeDelta = TimeDelta::days(5 * 366);
const WALL_FORMATS: [&str; 2] = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];

/// A moment before it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MomentRequest {
    pub at: String,
    /// IANA; required with a wall time.
    pub timezone: Option<String>,
}

/// A moment that was promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromisedMoment {
    pub at: DateTime<Utc>,
    /// The zone that it was given in; UTC where none was.
    pub timezone: Tz,
    /// What is to be said of a wall time that does not exist, or exists twice.
    pub note: Option<String>,
}

impl MomentRequest {
    /// A moment behind `now`, and not too far.
    ///
    /// # Errors
    /// Names `scheduled_at` or `timezone`, and the way out.
    pub fn check(&self, now: DateTime<Utc>) -> Result<PromisedMoment, FieldError> {
        let zone = self.timezone.as_deref().map(parse_zone).transpose();
        let zone = zone.map_err(|message| wrong("timezone", message))?;
        let moment = match DateTime::parse_from_rfc3339(&self.at) {
            Ok(at) => PromisedMoment { at: at.to_utc(), timezone: zone.unwrap_or(Tz::UTC), note: None },
            Err(_) => self.of_wall_time(zone)?,
        };
        if moment.at <= now {
            return Err(wrong("scheduled_at", format!("is not in the future; it is {} now", now.format("%FT%TZ"))));
        }
        if moment.at > now + HORIZON {
            return Err(wrong("scheduled_at", "is more than five years ahead"));
        }
        Ok(moment)
    }

    fn of_wall_time(&self, zone: Option<Tz>) -> Result<PromisedMoment, FieldError> {
        let wall = WALL_FORMATS.iter().find_map(|format| NaiveDateTime::parse_from_str(&self.at, format).ok());
        let wall = wall.ok_or_else(|| {
            let text = "must be a time with an offset such as 2027-01-15T10:00:00Z, or a wall time such as \
                        2027-01-15T10:00 beside a timezone";
            wrong("scheduled_at", text)
        })?;
        let text = "must be given with a wall time, such as Europe/Berlin; or give the time with an offset";
        let zone = zone.ok_or_else(|| wrong("timezone", text))?;
        let placed = place(zone, wall).ok_or_else(|| wrong("scheduled_at", "does not exist in that zone"))?;
        let note = match placed.clock {
            Clock::Steady => None,
            Clock::Skips => Some(format!(
                "{wall} does not exist in {zone}, whose clock is set forward then; it is {} there",
                local_at(zone, placed.at).format("%H:%M")
            )),
            Clock::Repeats => Some(format!("{wall} comes twice in {zone}; this is the first of the two")),
        };
        Ok(PromisedMoment { at: placed.at, timezone: zone, note })
    }
}

fn wrong(field: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn moment(text: &str, zone: Option<&str>) -> Result<PromisedMoment, FieldError> {
        MomentRequest { at: text.into(), timezone: zone.map(str::to_owned) }.check(at("2026-01-01T00:00:00Z"))
    }

    #[test]
    fn wall_time_is_that_of_its_zone() {
        assert_eq!(moment("2026-03-28T09:00", Some("Europe/Berlin")).unwrap().at, at("2026-03-28T08:00:00Z"));
        assert_eq!(moment("2026-03-29T09:00:00", Some("Europe/Berlin")).unwrap().at, at("2026-03-29T07:00:00Z"));
        assert_eq!(moment("2026-03-28T09:00:00+01:00", None).unwrap().at, at("2026-03-28T08:00:00Z"));
    }

    #[test]
    fn a_gap_is_the_next_minute_and_a_fold_the_first() {
        let gap = moment("2026-03-29T02:30", Some("Europe/Berlin")).unwrap();
        assert_eq!(gap.at, at("2026-03-29T01:00:00Z"));
        assert!(gap.note.unwrap().contains("03:00 there"));
        let fold = moment("2026-10-25T02:30", Some("Europe/Berlin")).unwrap();
        assert_eq!(fold.at, at("2026-10-25T00:30:00Z"));
        assert!(fold.note.unwrap().contains("twice"));
    }

    #[test]
    fn what_cannot_be_promised_is_named() {
        for (text, zone, field) in [
            ("2025-01-01T00:00:00Z", None, "scheduled_at"),
            ("2026-01-01T00:00:00Z", None, "scheduled_at"),
            ("2099-01-01T00:00:00Z", None, "scheduled_at"),
            ("tomorrow", None, "scheduled_at"),
            ("2026-02-30T10:00", Some("Europe/Berlin"), "scheduled_at"),
            ("2026-02-20T10:00", None, "timezone"),
            ("2026-02-20T10:00", Some("Mars/Olympus"), "timezone"),
        ] {
            assert_eq!(moment(text, zone).unwrap_err().field, field, "{text}");
        }
    }
}

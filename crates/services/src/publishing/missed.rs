//! What becomes of the hour of a single post that was missed.

use chrono::{DateTime, TimeDelta, Utc};
use galley_domain::publishing::Holder;
use galley_recurrence::{Missed, MissedPolicy};
use serde::{Deserialize, Serialize};

/// So much later than promised nothing was missed yet: a restart, or workers that are busy with all that was promised for
/// the same minute.
const GRACE: TimeDelta = TimeDelta::minutes(10);

/// A promise to publish, beside its moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// The zone it was given in; UTC for a moment.
    pub timezone: String,
    /// What was said of the wall time, if it does not exist or exists twice.
    pub note: Option<String>,
    pub missed: Missed,
    /// The state of the article before.
    pub before: String,
    #[serde(default)]
    pub held_by: Holder,
}

impl Promise {
    /// How long a site that is away is waited for.
    pub fn may_be_late(&self) -> TimeDelta {
        match self.missed.policy {
            MissedPolicy::Late => TimeDelta::hours(i64::from(self.missed.within_hours)).max(GRACE),
            MissedPolicy::Skip | MissedPolicy::Ask => GRACE,
        }
    }

    /// What keeps a post from going out so late; nothing if it may.
    pub fn refuses(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> Option<String> {
        let late = now - due;
        if late <= GRACE {
            return None;
        }
        let hours = TimeDelta::hours(i64::from(self.missed.within_hours));
        match self.missed.policy {
            MissedPolicy::Late if late <= hours => None,
            MissedPolicy::Late => Some(format!("its hour was missed by more than {} hours", self.missed.within_hours)),
            MissedPolicy::Skip => Some("its hour was missed, and what is missed is skipped".to_owned()),
            MissedPolicy::Ask => Some("its hour was missed; publish it, or give it another hour".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn what_was_missed_follows_its_policy() {
        let promise = |policy, within_hours| Promise {
            timezone: "UTC".into(),
            note: None,
            missed: Missed { policy, within_hours },
            before: "draft".into(),
            held_by: Holder::Galley,
        };
        let due = at("2026-01-01T00:00:00Z");
        let late = |hours| due + TimeDelta::hours(hours);
        assert_eq!(promise(MissedPolicy::Skip, 1).refuses(due, due + TimeDelta::seconds(1)), None);
        assert_eq!(promise(MissedPolicy::Late, 24).refuses(due, late(24)), None);
        assert!(promise(MissedPolicy::Late, 24).refuses(due, late(25)).is_some());
        assert!(promise(MissedPolicy::Skip, 24).refuses(due, late(1)).is_some());
        assert!(promise(MissedPolicy::Ask, 24).refuses(due, late(1)).expect("asks").contains("another hour"));
    }
}

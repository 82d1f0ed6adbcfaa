//! The fields that say when a schedule comes due. They belong together: what is wrong with one may follow from another.

use galley_domain::order::FieldError;
use galley_recurrence::{Recurrence, RecurrenceRequest, RuleRequest};
use galley_services::TimesEdit;
use poem_openapi::registry::{MetaSchema, Registry};

use serde_json::Value;

use crate::http::kit::{
    fields::{Member, Patch, Reader, fields},
    scalar::{Moment, Nullable, Word, words},
    values::{Integer, List, Scalar, Text},
};

words! {
    /// What a rule repeats with.
    pub enum Every { Day = "day", Week = "week", Month = "month" }
}

fields! {
    /// Days and times of a calendar.
    pub struct ScheduleRuleInput {
        every: Word<Every>,
        /// Times of the day such as `09:00`: 1 to 24 different ones.
        at: List<Text<1, 20>, 24, 1>,
        /// `mon` to `sun`; of a weekly rule, required there.
        weekdays: Option<List<Text<1, 20>, 7>>,
        /// 1 to 31, -1 for the last day of the month; of a monthly rule, required there. A month without the day is left
        /// out.
        days: Option<List<Day, 32>>,
    }
}

impl From<ScheduleRuleInput> for RuleRequest {
    fn from(rule: ScheduleRuleInput) -> Self {
        let texts = |list: Vec<Text<1, 20>>| list.into_iter().map(|text| text.0).collect();
        Self {
            every: crate::http::kit::scalar::Vocabulary::word(rule.every.0).to_owned(),
            at: texts(rule.at.0),
            weekdays: rule.weekdays.map(|list| texts(list.0)),
            days: rule.days.map(|list| list.0.into_iter().map(|day| day.0).collect()),
        }
    }
}

/// A day of the month, or -1 for the last one. There is no day 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(i64);

impl Scalar for Day {
    fn schema() -> MetaSchema {
        let enum_items = std::iter::once(-1).chain(1..=31).map(Value::from).collect();
        MetaSchema { enum_items, ..MetaSchema::new_with_format("integer", "int64") }
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        match <Integer<{ i64::MIN }, { i64::MAX }> as Scalar>::of_json(value)?.0 {
            day @ (-1 | 1..=31) => Ok(Self(day)),
            _ => Err("must be between 1 and 31, or -1 for the last day of the month".to_owned()),
        }
    }

    fn of_text(text: &str) -> Result<Self, String> {
        Self::of_json(&text.parse::<i64>().map_or_else(|_| text.into(), Value::from))
    }
}

type Cron = Text<1, 200>;
type Zone = Text<1, 64>;

const CRON_TEXT: &str = "Minute, hour, day of the month, month, weekday, with names, ranges, lists, steps, `L` and `#`, such as \
     `0 9 * * MON-FRI`. Exactly one of `cron` and `rule`.";
const RULE_TEXT: &str = "Days and times of a calendar. Exactly one of `cron` and `rule`.";
const ZONE_TEXT: &str = "An IANA name such as `Europe/Berlin`.";
const STARTS_TEXT: &str = "No time is before this one.";
const ENDS_TEXT: &str = "All times are before this one.";
/// Stands for what cannot be read, so that the rest is checked all the same.
const ANY_CRON: &str = "* * * * *";

/// When a new schedule comes due.
#[derive(Debug)]
pub struct Times(pub Recurrence);

impl Member for Times {
    fn describe(object: &mut MetaSchema, _name: &'static str, _about: &'static str) {
        <Option<Cron> as Member>::describe(object, "cron", CRON_TEXT);
        <Option<ScheduleRuleInput> as Member>::describe(object, "rule", RULE_TEXT);
        <Zone as Member>::describe(object, "timezone", ZONE_TEXT);
        <Option<Moment> as Member>::describe(object, "starts_at", STARTS_TEXT);
        <Option<Moment> as Member>::describe(object, "ends_at", ENDS_TEXT);
    }

    fn register(registry: &mut Registry) {
        <Option<ScheduleRuleInput> as Member>::register(registry);
    }

    fn read(reader: &mut Reader<'_>, _name: &'static str) -> Option<Self> {
        let when = When::read(reader);
        let timezone = <Zone as Member>::read(reader, "timezone");
        let starts_at = <Option<Moment> as Member>::read(reader, "starts_at");
        let ends_at = <Option<Moment> as Member>::read(reader, "ends_at");
        let is_whole = when.is_whole() && timezone.is_some() && starts_at.is_some() && ends_at.is_some();
        let checked = RecurrenceRequest {
            timezone: timezone.map_or_else(|| "UTC".to_owned(), |zone| zone.0),
            starts_at: starts_at.flatten().map(|moment| moment.0),
            ends_at: ends_at.flatten().map(|moment| moment.0),
            ..when.request()
        }
        .check();
        checked.map_err(|wrong| say(reader, wrong)).ok().filter(|_| is_whole).map(Self)
    }
}

/// When an existing schedule is to come due.
#[derive(Debug)]
pub struct NewTimes(pub TimesEdit);

impl Member for NewTimes {
    fn describe(object: &mut MetaSchema, _name: &'static str, _about: &'static str) {
        <Option<Cron> as Member>::describe(object, "cron", CRON_TEXT);
        <Option<ScheduleRuleInput> as Member>::describe(object, "rule", RULE_TEXT);
        <Patch<Zone> as Member>::describe(object, "timezone", ZONE_TEXT);
        <Patch<Nullable<Moment>> as Member>::describe(object, "starts_at", STARTS_TEXT);
        <Patch<Nullable<Moment>> as Member>::describe(object, "ends_at", ENDS_TEXT);
    }

    fn register(registry: &mut Registry) {
        <Option<ScheduleRuleInput> as Member>::register(registry);
    }

    fn read(reader: &mut Reader<'_>, _name: &'static str) -> Option<Self> {
        let when = When::read_change(reader);
        let timezone = <Patch<Zone> as Member>::read(reader, "timezone");
        let starts_at = <Patch<Nullable<Moment>> as Member>::read(reader, "starts_at");
        let ends_at = <Patch<Nullable<Moment>> as Member>::read(reader, "ends_at");
        let is_whole = when.is_whole();
        let given = when.request();
        let zone = timezone.as_ref().and_then(|zone| zone.0.clone());
        // What can be said without the schedule; the rest is said under its lock.
        let mut alone =
            RecurrenceRequest { timezone: zone.map_or_else(|| "UTC".to_owned(), |zone| zone.0), ..given.clone() };
        if alone.cron.is_none() && alone.rule.is_none() {
            alone.cron = Some(ANY_CRON.to_owned());
        }
        alone.check().map_err(|wrong| say(reader, wrong)).ok()?;
        let moment = |patch: Patch<Nullable<Moment>>| patch.0.map(|moment| moment.0.map(|moment| moment.0));
        is_whole.then_some(Self(TimesEdit {
            cron: given.cron,
            rule: given.rule,
            timezone: timezone?.0.map(|zone| zone.0),
            starts_at: moment(starts_at?),
            ends_at: moment(ends_at?),
        }))
    }
}

/// `cron` and `rule`; the outer None is what cannot be read.
struct When {
    cron: Option<Option<Cron>>,
    rule: Option<Option<ScheduleRuleInput>>,
}

impl When {
    fn read(reader: &mut Reader<'_>) -> Self {
        let cron = <Option<Cron> as Member>::read(reader, "cron");
        Self { cron, rule: <Option<ScheduleRuleInput> as Member>::read(reader, "rule") }
    }

    /// Null takes one of the two away, which needs the other one.
    fn read_change(reader: &mut Reader<'_>) -> Self {
        let cron = <Patch<Nullable<Cron>> as Member>::read(reader, "cron");
        let rule = <Patch<Nullable<ScheduleRuleInput>> as Member>::read(reader, "rule");
        let (no_cron, no_rule) =
            (matches!(cron, Some(Patch(Some(Nullable(None))))), matches!(rule, Some(Patch(Some(Nullable(None))))));
        let gives = |given: bool, name: &str, other: &str, reader: &mut Reader<'_>| {
            if given {
                reader
                    .wrong::<()>(name, format!("must not be null without `{other}`; leave it out to keep it as it is"));
            }
        };
        let cron = cron.map(|cron| cron.0.and_then(|cron| cron.0));
        let rule = rule.map(|rule| rule.0.and_then(|rule| rule.0));
        gives(no_cron && matches!(rule, Some(None)), "cron", "rule", reader);
        gives(no_rule && matches!(cron, Some(None)), "rule", "cron", reader);
        Self { cron, rule }
    }

    fn is_whole(&self) -> bool {
        self.cron.is_some() && self.rule.is_some()
    }

    /// With [`ANY_CRON`] where neither of the two can be checked.
    fn request(self) -> RecurrenceRequest {
        let is_whole = self.is_whole();
        let mut cron = self.cron.flatten().map(|cron| cron.0);
        let rule = self.rule.flatten().map(Into::into);
        if !is_whole && cron.is_none() && rule.is_none() {
            cron = Some(ANY_CRON.to_owned());
        }
        RecurrenceRequest { cron, rule, ..RecurrenceRequest::default() }
    }
}

fn say(reader: &mut Reader<'_>, wrong: Vec<FieldError>) {
    for error in wrong {
        reader.wrong::<()>(&error.field, error.message);
    }
}

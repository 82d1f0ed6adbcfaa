//! The calendar of an editorial desk.

use galley_domain::publishing::PostStatus;
use galley_recurrence::MomentRequest;
use galley_services::{self as services, CalendarKind, CalendarMove, CalendarRequest};
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::posts::body::Day;
use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, PublishRead, PublishWrite},
        body::Body,
        fields::{Patch, fields},
        header::MustBeUnchanged,
        query::Query,
        reply::{Outcome, Reply},
        scalar::{Id, Moment, Nullable, Word, words},
        values::Text,
    },
};

pub struct Calendar;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl Calendar {
    /// Get the calendar
    ///
    /// What was published, is promised, is planned or comes again by itself between two days, both included; at most 92 days. With
    /// `shelf`, what has no date as well. Warnings tell of posts that go out at nearly the same time and in quiet hours.
    #[oai(path = "/calendar", method = "get", operation_id = "get_calendar")]
    async fn get(&self, auth: Auth<PublishRead>, Query(query): Query<CalendarQuery>) -> Outcome<CalendarView> {
        let calendar = auth.services().calendar(auth.org(), &query.into()).await?;
        Ok(Reply::new(calendar.into()))
    }

    /// Move an article in the calendar
    ///
    /// To another hour, which is a promise, or to another day, which is none. `If-Match` is required.
    #[oai(path = "/calendar/:article_id", method = "patch", operation_id = "update_calendar_item")]
    async fn update(
        &self,
        auth: Auth<PublishWrite, Content>,
        article_id: Path<Id>,
        if_match: MustBeUnchanged,
        body: Body<MoveInCalendar>,
    ) -> Outcome<CalendarItem> {
        let id = article_id.0.0;
        auth.services().article(auth.org(), id).await?;
        let moved = body.value.into();
        let item = auth.services().move_in_calendar(&auth.principal, id, moved, &if_match.0, auth.trace_id()).await?;
        Ok(Reply::new(item.into()))
    }
}

fields! {
    /// What of the calendar to show.
    pub struct CalendarQuery {
        /// The first day, as 2027-01-01.
        from: Day,
        /// The last day.
        to: Day,
        /// Only what is in this project.
        project_id: Option<Uuid>,
        /// Only posts in this state.
        status: Option<Word<PostStatus>>,
        /// What has no date, too.
        shelf: bool = false,
    }
}

impl From<CalendarQuery> for CalendarRequest {
    fn from(query: CalendarQuery) -> Self {
        Self {
            from: query.from.0,
            to: query.to.0,
            project_id: query.project_id,
            status: query.status.map(|status| status.0),
            shelf: query.shelf,
        }
    }
}

fields! {
    /// Where an article is moved to: an hour, or a day.
    pub struct MoveInCalendar {
        /// A time with an offset, or a wall time beside `timezone`: a promise.
        scheduled_at: Option<Text<1, 64>>,
        /// IANA, such as Europe/Berlin.
        timezone: Option<Text<0, 64>>,
        /// A day without a promise; null: none.
        planned_for: Patch<Nullable<Day>>,
    }
    check |to: &MoveInCalendar, wrong: &mut galley_domain::order::Violations| {
        let both = to.scheduled_at.is_some() == to.planned_for.0.is_some();
        wrong.check(both, "scheduled_at", "or planned_for must be given, and not both");
        let alone = to.timezone.is_some() && to.scheduled_at.is_none();
        wrong.check(alone, "timezone", "goes with scheduled_at; a day has no zone");
    };
}

impl From<MoveInCalendar> for CalendarMove {
    fn from(body: MoveInCalendar) -> Self {
        match body.scheduled_at {
            Some(at) => Self::Hour(MomentRequest { at: at.0, timezone: body.timezone.map(|zone| zone.0) }),
            None => Self::Day(body.planned_for.0.and_then(|day| day.0).map(|day| day.0)),
        }
    }
}

words! {
    /// Why something stands on a day.
    pub enum ItemKind {
        Planned = "planned",
        Scheduled = "scheduled",
        Published = "published",
        Recurring = "recurring",
    }
}

impl From<CalendarKind> for ItemKind {
    fn from(kind: CalendarKind) -> Self {
        match kind {
            CalendarKind::Planned => Self::Planned,
            CalendarKind::Scheduled => Self::Scheduled,
            CalendarKind::Published => Self::Published,
            CalendarKind::Recurring => Self::Recurring,
        }
    }
}

/// An entry of the calendar.
#[derive(Debug, Object)]
pub struct CalendarItem {
    /// Null for a time of a schedule.
    article_id: Nullable<Uuid>,
    project_id: Nullable<Uuid>,
    title: String,
    /// Null for a time of a schedule.
    status: Nullable<Word<PostStatus>>,
    kind: Word<ItemKind>,
    /// Null for a day without a promise.
    at: Nullable<Moment>,
    /// The day, in the zone of the promise; null on the shelf.
    date: Nullable<String>,
    timezone: String,
    schedule_id: Nullable<Uuid>,
    /// For `If-Match`.
    updated_at: Moment,
}

impl From<services::CalendarItem> for CalendarItem {
    fn from(item: services::CalendarItem) -> Self {
        Self {
            article_id: item.article_id.into(),
            project_id: item.project_id.into(),
            title: item.title,
            status: item.status.map(Word).into(),
            kind: Word(item.kind.into()),
            at: item.at.into(),
            date: item.date.map(|date| date.to_string()).into(),
            timezone: item.timezone,
            schedule_id: item.schedule_id.into(),
            updated_at: Moment(item.updated_at),
        }
    }
}

/// Something that should be known about a day.
#[derive(Debug, Object)]
pub struct CalendarWarning {
    date: String,
    message: String,
}

/// A part of the calendar.
#[derive(Debug, Object)]
#[oai(rename = "Calendar")]
pub struct CalendarView {
    /// In the order of their times.
    items: Vec<CalendarItem>,
    /// What has no date; empty unless it was asked for.
    shelf: Vec<CalendarItem>,
    warnings: Vec<CalendarWarning>,
}

impl From<services::Calendar> for CalendarView {
    fn from(calendar: services::Calendar) -> Self {
        let warning =
            |(date, message): (chrono::NaiveDate, String)| CalendarWarning { date: date.to_string(), message };
        Self {
            items: calendar.items.into_iter().map(CalendarItem::from).collect(),
            shelf: calendar.shelf.into_iter().map(CalendarItem::from).collect(),
            warnings: calendar.warnings.into_iter().map(warning).collect(),
        }
    }
}

//! The calendar of an editorial desk, and its feeds.

use chrono::SubsecRound;
use galley_domain::publishing::PostStatus;
use galley_recurrence::MomentRequest;
use galley_services::{self as services, CalendarKind, CalendarMove, CalendarRequest};
use galley_store::rows;
use icalendar::{Component, EventLike};
use poem::{IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::Path,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use uuid::Uuid;

use super::posts::body::Day;
use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, Public, PublishRead, PublishWrite},
        body::Body,
        envelope::views,
        fields::{Patch, fields},
        header::{IdempotencyKey, MustBeUnchanged},
        problem::Problem,
        query::Query,
        reply::{Created, NoContent, Outcome, Reply},
        scalar::{Id, Moment, Nullable, Word, words},
        values::Text,
        view::view,
    },
};

/// An hour on the calendar of whoever reads a feed.
const SHOWN_MINUTES: i64 = 30;

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

    /// Create a calendar feed
    ///
    /// An address under which a calendar program reads the calendar, without a key. The answer shows it, this once.
    #[oai(path = "/calendar/feeds", method = "post", operation_id = "create_calendar_feed")]
    async fn create_feed(
        &self,
        auth: Auth<PublishWrite, Content>,
        /// The same key with the same request gives the first answer again, with null for `url`.
        key: IdempotencyKey,
        body: Body<CreateCalendarFeed>,
    ) -> Outcome<IssuedCalendarFeed, Created> {
        let key = key.with(&body.canonical)?;
        let CreateCalendarFeed { name, project_id } = body.value;
        let answer = auth.services().create_calendar_feed(auth.org(), &name.0, project_id, key.as_ref()).await?;
        Ok(Reply::of(answer, IssuedCalendarFeed::from))
    }

    /// List calendar feeds
    ///
    /// Newest first, without their addresses.
    #[oai(path = "/calendar/feeds", method = "get", operation_id = "list_calendar_feeds")]
    async fn feeds(&self, auth: Auth<PublishRead>) -> Outcome<Vec<CalendarFeed>> {
        Ok(Reply::new(views(auth.services().calendar_feeds(auth.org()).await?)?))
    }

    /// Revoke a calendar feed
    ///
    /// Its address leads nowhere from then on.
    #[oai(path = "/calendar/feeds/:feed_id", method = "delete", operation_id = "delete_calendar_feed")]
    async fn delete_feed(&self, auth: Auth<PublishWrite, Content>, feed_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().delete_calendar_feed(auth.org(), feed_id.0.0).await?;
        Ok(NoContent)
    }

    /// Read a calendar feed
    ///
    /// iCalendar: a month back and a year ahead. `feed_id` is the token of the feed with `.ics` behind it; whoever has the
    /// address may read it.
    #[oai(path = "/calendar/feeds/:feed_id", method = "get", operation_id = "get_calendar_feed")]
    async fn read_feed(&self, public: Public, feed_id: Path<String>) -> Result<CalendarText, Problem> {
        let token = feed_id.0.strip_suffix(".ics").unwrap_or_default();
        let items = public.0.state.services.calendar_feed(token).await?;
        Ok(CalendarText(text_of(items)))
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

fields! {
    /// A feed to create.
    pub struct CreateCalendarFeed {
        /// 1 to 200 characters.
        name: Text<1, 200>,
        /// Only what is in this project.
        project_id: Option<Uuid>,
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

view! {
    /// An address under which the calendar can be read.
    pub struct CalendarFeed of rows::CalendarFeed {
        id: Uuid,
        name: String,
        project_id: Nullable<Uuid>,
        created_at: Moment,
    }
}

/// A feed with its address.
#[derive(Debug, Object)]
pub struct IssuedCalendarFeed {
    #[oai(flatten)]
    feed: CalendarFeed,
    /// A path of this API. Shown this once: null in the repetition of an answer.
    url: Nullable<String>,
}

impl From<services::IssuedFeed> for IssuedCalendarFeed {
    fn from(issued: services::IssuedFeed) -> Self {
        let url = issued.token.map(|token| format!("/api/v1/calendar/feeds/{token}.ics"));
        Self { feed: issued.row.into(), url: url.into() }
    }
}

/// A calendar as programs read it.
#[derive(Debug)]
pub struct CalendarText(String);

impl IntoResponse for CalendarText {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type("text/calendar; charset=utf-8")
            .header(header::CACHE_CONTROL, "private, max-age=300")
            .body(self.0)
    }
}

impl ApiResponse for CalendarText {
    fn meta() -> MetaResponses {
        let text = MetaSchema { description: Some("iCalendar (RFC 5545)."), ..MetaSchema::new("string") };
        let content =
            vec![MetaMediaType { content_type: "text/calendar", schema: MetaSchemaRef::Inline(Box::new(text)) }];
        let description = "The calendar.";
        let response =
            MetaResponse { description, status: Some(200), status_range: None, content, headers: Vec::new() };
        MetaResponses { responses: vec![response] }
    }

    fn register(_registry: &mut Registry) {}
}

fn text_of(items: Vec<services::CalendarItem>) -> String {
    let mut calendar = icalendar::Calendar::new();
    calendar.name("Galley");
    for item in items {
        let Some(date) = item.date else { continue };
        let kind = ItemKind::from(item.kind);
        // The same in each reading, so that a program knows what it has seen.
        let subject = item.article_id.or(item.schedule_id).unwrap_or_default();
        let uid = match item.kind {
            CalendarKind::Recurring => format!("{subject}-{}@galley", item.at.map_or(0, |at| at.timestamp())),
            _ => format!("{subject}@galley"),
        };
        let mut event = icalendar::Event::new();
        event.uid(&uid).summary(&item.title).timestamp(item.updated_at.trunc_subsecs(0));
        event.description(galley_kind(kind));
        match item.at {
            Some(at) => {
                let at = at.trunc_subsecs(0);
                event.starts(at).ends(at + chrono::TimeDelta::minutes(SHOWN_MINUTES));
            }
            None => {
                event.all_day(date);
            }
        }
        calendar.push(event.done());
    }
    calendar.done().to_string()
}

fn galley_kind(kind: ItemKind) -> &'static str {
    use crate::http::kit::scalar::Vocabulary;
    kind.word()
}

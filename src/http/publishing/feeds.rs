//! Feeds: the calendar as calendar programs read it, without a key.

use chrono::SubsecRound;
use galley_services::{self as services, CalendarKind, FeedEdit};
use galley_store::rows;
use icalendar::{Component, EventLike};
use poem::{IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::Path,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use uuid::Uuid;

use super::calendar::ItemKind;
use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, Public, PublishWrite},
        body::Body,
        fields::fields,
        header::IdempotencyKey,
        problem::Problem,
        reply::{Created, Outcome, Reply},
        resource::resource,
        scalar::{Moment, Nullable, Vocabulary},
        values::Text,
        view::view,
    },
};

/// An hour on the calendar of whoever reads a feed.
const SHOWN_MINUTES: i64 = 30;

resource! {
    pub struct CalendarFeeds of rows::CalendarFeed as CalendarFeed in "Area::Publishing" at "/calendar/feeds";
    read by PublishRead, written by PublishWrite;

    list "/calendar/feeds" as "list_calendar_feeds" {
        /// List calendar feeds
        ///
        /// Newest first, without their addresses.
    }
    delete feed_id "/calendar/feeds/:feed_id" as "delete_calendar_feed" {
        /// Revoke a calendar feed
        ///
        /// Its address leads nowhere from then on.
    }
}

pub struct IssuedFeeds;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl IssuedFeeds {
    /// Create a calendar feed
    ///
    /// An address under which a calendar program reads the calendar, without a key. The answer shows it, this once. At most
    /// 50.
    #[oai(path = "/calendar/feeds", method = "post", operation_id = "create_calendar_feed")]
    async fn create(
        &self,
        auth: Auth<PublishWrite, Content>,
        /// The same key with the same request gives the first answer again, with null for `url`.
        key: IdempotencyKey,
        body: Body<CreateCalendarFeed>,
    ) -> Outcome<IssuedCalendarFeed, Created> {
        let key = key.with(&body.canonical)?;
        let answer = auth.services().create_calendar_feed(auth.org(), body.value.into(), key.as_ref()).await?;
        Ok(Reply::of(answer, IssuedCalendarFeed::from))
    }

    /// Read a calendar feed
    ///
    /// iCalendar: a month back and a year ahead. `feed_id` is the token of the feed with `.ics` behind it; whoever has the
    /// address may read it.
    #[oai(path = "/calendar/feeds/:feed_id", method = "get", operation_id = "get_calendar_feed")]
    async fn read(&self, public: Public, feed_id: Path<String>) -> Result<CalendarText, Problem> {
        let token = feed_id.0.strip_suffix(".ics").unwrap_or_default();
        let items = public.0.state.services.calendar_feed(token).await?;
        Ok(CalendarText(text_of(items)))
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
    becomes FeedEdit;
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
        event.description(kind.word());
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

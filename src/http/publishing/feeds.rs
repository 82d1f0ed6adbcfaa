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
    types::{ToJSON, Type},
};
use uuid::Uuid;

use super::calendar::ItemKind;
use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, KeyOrNobody, PublishRead, PublishWrite},
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

    pages "/calendar/feeds" as "list_calendar_feeds" {
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
    /// An address under which a calendar program reads the calendar, without a key. The answer shows it, this once: whole
    /// where the operator has set `public_url`, else as a path of this server. At most 50.
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
        let location = format!("/api/v1/calendar/feeds/{}", answer.value.row.id);
        let public_url = auth.services().public_url().unwrap_or_default();
        Ok(Reply::of(answer, |issued| IssuedCalendarFeed::of(issued, public_url)).at(&location))
    }

    /// Read a calendar feed
    ///
    /// Where `feed_id` is the token of a feed with `.ics` behind it: the calendar as iCalendar, a month back and a year ahead.
    /// Whoever has the address may read it, without a key, and each address of a reader has 300 calls a minute unless the
    /// operator allows another number. Where `feed_id` is the id of a feed: the feed as JSON, without its address, for a key with the permission
    /// `read` and the scope `publish`.
    #[oai(path = "/calendar/feeds/:feed_id", method = "get", operation_id = "get_calendar_feed")]
    async fn read(&self, reader: KeyOrNobody<PublishRead>, feed_id: Path<String>) -> Result<FeedAnswer, Problem> {
        if let Some(token) = feed_id.0.strip_suffix(".ics") {
            return Ok(FeedAnswer::Calendar(text_of(reader.services().calendar_feed(token).await?)));
        }
        let auth = reader.key()?;
        // No feed has an id that is none.
        let id = feed_id.0.parse().unwrap_or_default();
        Ok(FeedAnswer::Feed(auth.services().get::<rows::CalendarFeed>(auth.org(), id).await?.into()))
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
    /// A whole address, or a path of this server. Shown this once: null in the repetition of an answer.
    url: Nullable<String>,
}

impl IssuedCalendarFeed {
    /// `public_url` is what paths of this server begin with; empty where nobody has said it.
    fn of(issued: services::IssuedFeed, public_url: &str) -> Self {
        let url = issued.token.map(|token| format!("{public_url}/api/v1/calendar/feeds/{token}.ics"));
        Self { feed: issued.row.into(), url: url.into() }
    }
}

/// A calendar as programs read it, or the feed that it is read by.
#[derive(Debug)]
pub enum FeedAnswer {
    Calendar(String),
    Feed(CalendarFeed),
}

impl IntoResponse for FeedAnswer {
    fn into_response(self) -> Response {
        match self {
            Self::Calendar(text) => Response::builder()
                .content_type("text/calendar; charset=utf-8")
                .header(header::CACHE_CONTROL, "private, max-age=300")
                .body(text),
            Self::Feed(feed) => poem::web::Json(feed.to_json()).into_response(),
        }
    }
}

impl ApiResponse for FeedAnswer {
    fn meta() -> MetaResponses {
        let text = MetaSchema { description: Some("iCalendar (RFC 5545)."), ..MetaSchema::new("string") };
        let calendar = MetaSchemaRef::Inline(Box::new(text));
        let response = MetaResponse {
            description: "The calendar, or the feed.",
            status: Some(200),
            status_range: None,
            content: vec![
                MetaMediaType { content_type: "text/calendar", schema: calendar },
                MetaMediaType { content_type: "application/json", schema: CalendarFeed::schema_ref() },
            ],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        CalendarFeed::register(registry);
    }
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

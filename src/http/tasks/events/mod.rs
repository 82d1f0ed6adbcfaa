//! What happens in a task, as server-sent events.

pub mod examples;
mod payloads;
mod streams;

use std::{io, sync::Arc, task::Poll, time::Duration};

use futures::{Stream, StreamExt, stream};
use galley_domain::{OrgId, Who, task::TaskStatus};
use galley_engine::EventWatch;
use galley_services::ServiceError;
use galley_store::rows;
use poem::{
    Body, IntoResponse, Response,
    http::{HeaderName, StatusCode, header},
    web::sse::Event,
};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::Path,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{Content, OwnTask, TasksRead},
        event_auth::EventAuth,
        fields::fields,
        header::{LastEventId, MAX_EVENT},
        problem::{Problem, report},
        query::Query,
        reply::{CreatedOnce, Outcome, Reply},
        scalar::{Id, Moment},
        state::Front,
        values::{Integer, Text},
    },
};
use streams::Place;
pub use streams::Streams;

/// Tells proxies that hold answers back that this one is read as it comes.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");
/// What a stream says when it has nothing to say.
const COMMENT: &str = ":\n\n";
/// How soon a client that lost its connection should come back.
const RECONNECT_MS: u64 = 2000;

pub struct Events;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Tasks")]
impl Events {
    /// Follow a task
    ///
    /// Server-sent events: `id` is the event's number within the task, `event` its kind, `data` a JSON object; the examples
    /// show one of each kind, and `x-events` names the schema of its `data`.
    ///
    /// - `TaskCreatedEvent`, `TaskStartedEvent`, `TaskRetriedEvent`, `TaskWarningEvent`: of `task.created`, `task.started`,
    ///   `task.retried`, `task.warning`
    /// - `TaskStateEvent`: of `task.progress`, `task.paused`, `task.resumed`, `task.completed`, `task.failed`,
    ///   `task.cancelled`
    /// - `StepEvent`: of `step.started`, `step.progress`, `step.completed`, `step.retry`, `step.failed`
    ///
    /// More kinds and members may come.
    ///
    /// It begins with the first event, or after the one that `Last-Event-ID` names; a comment comes when nothing happens
    /// for a while. The stream ends after `task.completed`, `task.failed` or `task.cancelled`; asking again then gives 204, until a
    /// retry starts the next run. Events of a task that ended long ago are removed; then there is nothing to follow and the
    /// answer is 204 too. The stream also ends when its key is revoked or expires.
    ///
    /// Clients that cannot send a key, such as the browser's `EventSource`, put a token into the address: `token`, as
    /// `POST …/events/token` makes it.
    #[oai(path = "/tasks/:task_id/events", method = "get", operation_id = "stream_task_events")]
    async fn stream(
        &self,
        auth: EventAuth<TasksRead>,
        task_id: Path<Id>,
        last_event_id: LastEventId,
        Query(query): Query<EventQuery>,
    ) -> Result<EventsAnswer, Problem> {
        let after = last_event_id.0.or(query.last_event_id.map(|number| number.0)).unwrap_or(0);
        auth.may_follow(task_id.0.0, query.token.is_some())?;
        open(&auth, task_id.0.0, after).await
    }

    /// Make a token to follow a task without a key
    ///
    /// For clients that cannot send a key, such as the browser's `EventSource`: `GET …/events?token=TOKEN`. The token is
    /// good for the events of this task alone. For five minutes it opens any number of streams, within the limits
    /// of its key; they go on after that. It ends, and its streams with it, when the key that made it is revoked or
    /// expires. Each call makes another one; `Idempotency-Key` has no effect.
    #[oai(path = "/tasks/:task_id/events/token", method = "post", operation_id = "create_task_events_token")]
    async fn token(&self, own: OwnTask<TasksRead, Content>, task_id: Path<Id>) -> Outcome<EventToken, CreatedOnce> {
        let (auth, _) = own.with_id(task_id.0.0)?;
        let made = auth.services().make_event_token(&auth.principal, task_id.0.0).await?;
        Ok(Reply::new(EventToken::from(made)).at(&format!("/api/v1/tasks/{}/events", task_id.0.0)))
    }
}

/// A token to follow a task.
#[derive(Debug, Object)]
pub struct EventToken {
    /// Shown once.
    token: String,
    /// Until when it opens streams.
    expires_at: Moment,
}

impl From<galley_services::EventToken> for EventToken {
    fn from(made: galley_services::EventToken) -> Self {
        Self { token: made.token.expose().to_owned(), expires_at: Moment(made.expires_at) }
    }
}

fields! {
    /// Where to go on.
    pub struct EventQuery {
        /// The same as the header `Last-Event-ID`, for clients that cannot set one. The header counts more.
        last_event_id: Option<Integer<0, MAX_EVENT>>,
        /// Instead of a key: a token that was made for this task.
        token: Option<Text<1, 100>>,
    }
}

async fn open(auth: &EventAuth<TasksRead>, task: Uuid, after: i64) -> Result<EventsAnswer, Problem> {
    let (org, front) = (auth.org, &auth.front);
    let services = &front.state.services;
    // Listening begins before reading, so that nothing falls in between.
    let watch = front.state.notifications.events(task);
    let view = services.task(org, task).await?;
    auth.may_see(&view)?;
    let newest = view.row.event_seq;
    if after > newest {
        let text = format!("is {after}, but the newest event of this task has the number {newest}");
        return Err(Problem::wrong("last_event_id", text));
    }
    // Events of long ended tasks are swept, so the numbers alone do not tell whether there is something to send.
    if view.status.is_ended() && services.task_events(org, task, after, 1).await?.is_empty() {
        return Ok(EventsAnswer::Over);
    }
    let place = front.streams.enter(org, auth.who)?;
    let follower = Follower {
        reader: Reader { front: Arc::clone(front), org, who: auth.who, task },
        watch,
        seen: after,
        read: Arc::default(),
        sent: 0,
        over: false,
        greeted: false,
        _place: place,
    };
    Ok(EventsAnswer::Stream(body(follow(follower), front.state.limits.heartbeat)))
}

/// Not poem's `SSE`, which reads its stream through a buffer of 4 kB for as long as it is open.
fn body(events: impl Stream<Item = Event> + Send + 'static, heartbeat: Duration) -> Body {
    let mut events = Box::pin(events);
    let mut beats = tokio::time::interval_at(Instant::now() + heartbeat, heartbeat);
    Body::from_bytes_stream(stream::poll_fn(move |cx| {
        if let Poll::Ready(event) = events.poll_next_unpin(cx) {
            return Poll::Ready(event.map(|event| Ok::<_, io::Error>(event.to_string())));
        }
        beats.poll_tick(cx).map(|_| Some(Ok(COMMENT.to_owned())))
    }))
}

/// A stream, or word that nothing more will come.
pub enum EventsAnswer {
    Stream(Body),
    Over,
}

impl IntoResponse for EventsAnswer {
    fn into_response(self) -> Response {
        match self {
            Self::Stream(events) => Response::builder()
                .content_type("text/event-stream")
                .header(UNBUFFERED, "no")
                .header(header::CACHE_CONTROL, "no-cache")
                .body(events),
            Self::Over => StatusCode::NO_CONTENT.into_response(),
        }
    }
}

impl ApiResponse for EventsAnswer {
    fn meta() -> MetaResponses {
        let text = MetaSchema {
            description: Some("Events as text, each with the lines `id`, `event` and `data`."),
            ..MetaSchema::new("string")
        };
        let schema = MetaSchemaRef::Inline(Box::new(text));
        let response = |status, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: Vec::new(),
        };
        let stream = vec![MetaMediaType { content_type: "text/event-stream", schema }];
        let over = "The task has ended and you have seen all of its events; do not reconnect.";
        MetaResponses { responses: vec![response(200, "The events.", stream), response(204, over, Vec::new())] }
    }

    fn register(_registry: &mut Registry) {}
}

/// Where the events of a task are read.
struct Reader {
    front: Arc<Front>,
    org: OrgId,
    /// Whose stream it is.
    who: Who,
    task: Uuid,
}

impl Reader {
    /// Events after `seen`; none when the database is away, which the next look makes good.
    async fn after(&self, seen: i64) -> Arc<[rows::Event]> {
        match self.front.state.services.events_after(self.org, self.task, seen).await {
            Ok(events) => events,
            Err(error) => {
                report(&error, "the events of a task could not be read; trying again");
                Arc::default()
            }
        }
    }

    /// False once the key is revoked or expired. While the database is away nothing is sent, so nothing is given away.
    async fn may_read(&self) -> bool {
        match self.front.state.services.is_in_force(self.org, self.who).await {
            Ok(in_force) => in_force,
            Err(error) => {
                report(&error, "the principal of a stream could not be looked at; trying again");
                true
            }
        }
    }

    async fn task_has_ended(&self) -> bool {
        match self.front.state.services.task(self.org, self.task).await {
            Ok(view) => view.status.is_ended(),
            Err(ServiceError::NotFound(_)) => true,
            Err(error) => {
                report(&error, "a task could not be looked at; trying again");
                false
            }
        }
    }
}

/// A client that follows a task.
struct Follower {
    reader: Reader,
    watch: EventWatch,
    /// The number of the newest event that was read.
    seen: i64,
    /// What was read, shared with others who follow the task, and how much of it was sent.
    read: Arc<[rows::Event]>,
    sent: usize,
    /// The task has ended: the newest event that was sent says so, or the task itself.
    over: bool,
    greeted: bool,
    _place: Place,
}

fn follow(follower: Follower) -> impl Stream<Item = Event> + Send {
    stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((event, follower))
    })
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        if !self.greeted {
            self.greeted = true;
            return Some(Event::retry(RECONNECT_MS));
        }
        loop {
            if let Some(event) = self.read.get(self.sent) {
                self.sent += 1;
                self.over = ends_task(&event.kind);
                return Some(shown(event));
            }
            // Nothing is kept of it while nothing happens.
            (self.read, self.sent) = (Arc::default(), 0);
            let state = &self.reader.front.state;
            if state.stop.is_cancelled() || !self.reader.may_read().await {
                return None;
            }
            self.read = self.reader.after(self.seen).await;
            if let Some(newest) = self.read.last() {
                self.seen = newest.seq;
                continue;
            }
            // A retry may have added events behind the end of a run, so the end counts only when nothing follows it.
            if self.over {
                return None;
            }
            // The end may have been swept away; what came between the two readings is sent first.
            if self.reader.task_has_ended().await {
                self.over = true;
                continue;
            }
            tokio::select! {
                () = self.watch.changed() => {}
                () = tokio::time::sleep(state.limits.look) => {}
                () = state.stop.cancelled() => return None,
            }
        }
    }
}

fn ends_task(kind: &str) -> bool {
    let status = kind.strip_prefix("task.").and_then(|word| word.parse::<TaskStatus>().ok());
    status.is_some_and(TaskStatus::is_ended)
}

fn shown(event: &rows::Event) -> Event {
    Event::message(event.data.to_string()).id(event.seq.to_string()).event_type(event.kind.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_task_ends_a_stream() {
        for kind in ["task.completed", "task.failed", "task.cancelled"] {
            assert!(ends_task(kind), "{kind}");
        }
        for kind in ["task.created", "task.progress", "task.retried", "step.completed", "step.failed", "completed"] {
            assert!(!ends_task(kind), "{kind}");
        }
    }
}

//! What happens in a task, as server-sent events.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

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
    ApiResponse, OpenApi,
    param::Path,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{ArticlesRead, Auth},
        fields::fields,
        header::{LastEventId, MAX_EVENT},
        problem::{Code, Problem},
        query::Query,
        scalar::Id,
        state::{Front, HttpLimits},
        values::Integer,
    },
};

/// Tells proxies that hold answers back that this one is read as it comes.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");
/// What a stream says when it has nothing to say.
const COMMENT: &str = ":\n\n";
/// How soon a client that lost its connection should come back.
const RECONNECT_MS: u64 = 2000;
/// What to wait for before asking again when there are too many streams, in seconds.
const FULL_WAIT: u64 = 15;

pub struct Events;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Tasks")]
impl Events {
    /// Follow a task
    ///
    /// Server-sent events: `id` is the event's number within the task, `event` its kind (`task.created`,
    /// `step.started`, `step.completed`, `task.progress`, `task.warning`, …), `data` a JSON object. It begins with the
    /// first event, or after the one that `Last-Event-ID` names; a comment comes when nothing happens for a while. The
    /// stream ends after `task.completed`, `task.failed` or `task.cancelled`; asking again then gives 204, until a
    /// retry starts the next run. Events of a task that ended long ago are removed; then there is nothing to follow and the
    /// answer is 204 too. The stream also ends when its key is revoked or expires.
    #[oai(path = "/tasks/:task_id/events", method = "get", operation_id = "stream_task_events")]
    async fn stream(
        &self,
        auth: Auth<ArticlesRead>,
        task_id: Path<Id>,
        last_event_id: LastEventId,
        Query(query): Query<EventQuery>,
    ) -> Result<EventsAnswer, Problem> {
        let after = last_event_id.0.or(query.last_event_id.map(|number| number.0)).unwrap_or(0);
        open(&auth, task_id.0.0, after).await
    }
}

fields! {
    /// Where to go on.
    pub struct EventQuery {
        /// The same as the header `Last-Event-ID`, for clients that cannot set one. The header counts more.
        last_event_id: Option<Integer<0, MAX_EVENT>>,
    }
}

async fn open(auth: &Auth<ArticlesRead>, task: Uuid, after: i64) -> Result<EventsAnswer, Problem> {
    let state = &auth.front().state;
    // Listening begins before reading, so that nothing falls in between.
    let watch = state.notifications.events(task);
    let view = auth.services().task(auth.org(), task).await?;
    let newest = view.row.event_seq;
    if after > newest {
        let text = format!("is {after}, but the newest event of this task has the number {newest}");
        return Err(Problem::wrong("last_event_id", text));
    }
    // Events of long ended tasks are swept, so the numbers alone do not tell whether there is something to send.
    if view.status.is_ended() && auth.services().task_events(auth.org(), task, after, 1).await?.is_empty() {
        return Ok(EventsAnswer::Over);
    }
    let place = auth.front().streams.enter(auth.org(), auth.principal.who)?;
    let follower = Follower {
        reader: Reader { front: Arc::clone(auth.front()), org: auth.org(), who: auth.principal.who, task },
        watch,
        seen: after,
        read: Arc::default(),
        sent: 0,
        over: false,
        greeted: false,
        _place: place,
    };
    Ok(EventsAnswer::Stream(body(follow(follower), state.limits.heartbeat)))
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
        let text = |description| {
            let schema = MetaSchema { description: Some(description), ..MetaSchema::new("string") };
            MetaSchemaRef::Inline(Box::new(schema))
        };
        let event = MetaSchema {
            description: Some("One event of the stream."),
            required: vec!["id", "event", "data"],
            properties: vec![
                ("id", text("Its number within the task.")),
                ("event", text("Its kind, such as `task.created`.")),
                ("data", text("A JSON object.")),
            ],
            ..MetaSchema::new("object")
        };
        let schema = MetaSchemaRef::Inline(Box::new(event));
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
                tracing::warn!(%error, task = %self.task, "the events of a task could not be read; trying again");
                Arc::default()
            }
        }
    }

    /// False once the key is revoked or expired. While the database is away nothing is sent, so nothing is given away.
    async fn may_read(&self) -> bool {
        match self.front.state.services.is_in_force(self.org, self.who).await {
            Ok(in_force) => in_force,
            Err(error) => {
                tracing::warn!(%error, who = ?self.who, "the principal of a stream could not be looked at; trying again");
                true
            }
        }
    }

    async fn task_has_ended(&self) -> bool {
        match self.front.state.services.task(self.org, self.task).await {
            Ok(view) => view.status.is_ended(),
            Err(ServiceError::NotFound(_)) => true,
            Err(error) => {
                tracing::warn!(%error, task = %self.task, "a task could not be looked at; trying again");
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

/// Counts open streams.
pub struct Streams {
    open: Arc<Mutex<HashMap<(OrgId, Who), usize>>>,
    most: usize,
    most_per_organization: usize,
    most_per_key: usize,
}

/// A stream's right to be open; given back when it is dropped.
struct Place {
    key: (OrgId, Who),
    open: Arc<Mutex<HashMap<(OrgId, Who), usize>>>,
}

fn lock(open: &Mutex<HashMap<(OrgId, Who), usize>>) -> MutexGuard<'_, HashMap<(OrgId, Who), usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    pub fn new(limits: &HttpLimits) -> Self {
        Self {
            open: Arc::default(),
            most: limits.streams,
            most_per_organization: limits.streams_per_organization,
            most_per_key: limits.streams_per_key,
        }
    }

    fn enter(&self, org: OrgId, who: Who) -> Result<Place, Problem> {
        let mut open = lock(&self.open);
        let count = |counts: &dyn Fn(&(OrgId, Who)) -> bool| -> usize {
            open.iter().filter(|(key, _)| counts(key)).map(|(_, count)| count).sum()
        };
        let (own, of_organization, all) =
            (count(&|key| *key == (org, who)), count(&|key| key.0 == org), count(&|_| true));
        for (whose, used, most, setting) in [
            ("this key", own, self.most_per_key, "streams_per_key"),
            ("your organization", of_organization, self.most_per_organization, "streams_per_organization"),
        ] {
            if used >= most {
                let detail = format!(
                    "{whose} has {used} event streams open, the most that are allowed (limits.{setting}); close some, or \
                     come back when some have ended"
                );
                return Err(Problem::too_many(detail, FULL_WAIT));
            }
        }
        if all >= self.most {
            let detail = format!(
                "all {all} event streams that this server allows are open (limits.streams); come back when some have \
                 ended, or ask for the task itself now and then"
            );
            let full = Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::RateLimitError, detail);
            return Err(full.retry_after(FULL_WAIT));
        }
        *open.entry((org, who)).or_insert(0) += 1;
        drop(open);
        Ok(Place { key: (org, who), open: Arc::clone(&self.open) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_given_back() {
        let limits =
            HttpLimits { streams: 4, streams_per_organization: 3, streams_per_key: 2, ..HttpLimits::default() };
        let streams = Streams::new(&limits);
        let (one, two) = (OrgId(Uuid::from_u128(1)), OrgId(Uuid::from_u128(2)));
        let [a, b, c] = [1, 2, 3].map(|id| Who::Key(Uuid::from_u128(id)));
        let refused = |org, who| {
            let problem = streams.enter(org, who).err().expect("too many");
            (problem.status.as_u16(), problem.detail, problem.headers.len())
        };
        let first = streams.enter(one, a).expect("room");
        let _second = streams.enter(one, a).expect("room");
        let (status, detail, headers) = refused(one, a);
        assert!(status == 429 && detail.starts_with("this key has 2 ") && headers == 1, "{detail}");
        let _third = streams.enter(one, b).expect("room for another key");
        let (status, detail, _) = refused(one, b);
        assert!(status == 429 && detail.contains("limits.streams_per_organization"), "{detail}");
        let _fourth = streams.enter(two, c).expect("room for another organization");
        let (status, detail, headers) = refused(two, c);
        assert!(status == 503 && detail.contains("limits.streams)") && headers == 1, "{detail}");
        drop(first);
        assert!(streams.enter(two, c).is_ok());
        assert_eq!(lock(&streams.open).len(), 3);
    }

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

//! Following a task over server-sent events.

use std::time::Duration;

use galley::http::AppState;
use galley_domain::article;
use galley_services::KeyRequest;
use galley_testkit::{Harness, Move, Script};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Front, id, text};

/// One block of the stream.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Frame {
    id: Option<i64>,
    pub(super) kind: String,
    pub(super) data: Value,
    comment: bool,
    retry: bool,
}

impl Frame {
    fn read(block: &str) -> Self {
        let mut frame = Self::default();
        for line in block.lines() {
            match line.split_once(':').unwrap_or((line, "")) {
                ("", _) => frame.comment = true,
                ("id", value) => frame.id = Some(value.trim().parse().unwrap()),
                ("event", value) => value.trim().clone_into(&mut frame.kind),
                ("data", value) => frame.data = serde_json::from_str(value).unwrap(),
                ("retry", _) => frame.retry = true,
                other => panic!("no line of an event stream: {other:?}"),
            }
        }
        frame
    }
}

/// An open stream, read block by block.
pub(super) struct Following {
    response: Response,
    rest: String,
}

impl Following {
    pub(super) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "the stream opens");
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("text/event-stream"), "expected an event stream, but it is {kind}");
        Self { response, rest: String::new() }
    }

    /// The next block; `None` when the server has ended the stream.
    async fn next(&mut self) -> Option<Frame> {
        let reading = async {
            loop {
                if let Some((block, rest)) = self.rest.split_once("\n\n") {
                    let frame = Frame::read(block);
                    self.rest = rest.to_owned();
                    return Some(frame);
                }
                let chunk = self.response.chunk().await.unwrap()?;
                self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reading).await.expect("something comes within 30 s")
    }

    /// The next event, past comments.
    async fn event(&mut self) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.id.is_some() {
                return Some(frame);
            }
        }
    }

    pub(super) async fn until(&mut self, kind: &str) -> Vec<Frame> {
        let mut frames = Vec::new();
        while frames.last().is_none_or(|frame: &Frame| frame.kind != kind) {
            frames.push(self.event().await.unwrap_or_else(|| panic!("the stream ended before {kind}: {frames:?}")));
        }
        frames
    }

    pub(super) async fn rest_of_it(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.event().await {
            frames.push(frame);
        }
        frames
    }
}

pub(super) async fn ordered(front: &Front) -> String {
    text(&front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await.is(202)["task_id"])
}

fn stream(front: &Front, task: &str) -> RequestBuilder {
    front.request(Method::GET, &format!("/api/v1/tasks/{task}/events"))
}

fn numbers(frames: &[Frame]) -> Vec<i64> {
    frames.iter().filter_map(|frame| frame.id).collect()
}

#[tokio::test]
async fn events_come_while_they_happen_and_end_with_the_task() {
    let front = Front::new().await;
    let task = ordered(&front).await;
    let script = Script::default();
    script.next(article::DRAFT, [Move::Gate, Move::Gate]);
    let mut following = Following::of(stream(&front, &task)).await;
    assert!(following.next().await.unwrap().retry, "it begins with how soon to come back");
    let engine = front.harness.scripted(&script);
    let mut seen = following.until("step.started").await;
    assert_eq!(seen[0].kind, "task.created", "the first event: {seen:?}");
    assert_eq!(seen.last().unwrap().data["step"], "research", "what runs is named: {seen:?}");
    script.wait_for_runs(article::DRAFT, 2).await;
    script.open();
    seen.extend(following.rest_of_it().await);
    assert_eq!(numbers(&seen), (1..=seen.len() as i64).collect::<Vec<_>>(), "in order and without gaps: {seen:?}");
    assert_eq!(seen.last().unwrap().kind, "task.completed", "the stream ends by itself with the task: {seen:?}");
    for kind in ["task.started", "step.completed", "task.progress"] {
        assert!(seen.iter().any(|frame| frame.kind == kind), "{kind} was sent: {seen:?}");
    }
    let progress: Vec<i64> = seen.iter().filter_map(|frame| frame.data["progress"].as_i64()).collect();
    assert!(progress.is_sorted() && progress.last() == Some(&100), "progress only grows, to 100: {progress:?}");
    engine.stop().await;
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed() {
    let front = Front::new().await;
    let (task, _) = front.written().await;
    let all = Following::of(stream(&front, &task)).await.rest_of_it().await;
    let newest = *numbers(&all).last().unwrap();
    for after in [0, 1, newest / 2, newest - 1] {
        let header = Following::of(stream(&front, &task).header("last-event-id", after)).await.rest_of_it().await;
        assert_eq!(numbers(&header), (after + 1..=newest).collect::<Vec<_>>(), "what came after {after}");
        let query = front.request(Method::GET, &format!("/api/v1/tasks/{task}/events?last_event_id={after}"));
        let query = Following::of(query).await.rest_of_it().await;
        assert_eq!(query, header, "the parameter says the same");
    }
    let both = front.request(Method::GET, &format!("/api/v1/tasks/{task}/events?last_event_id=1"));
    let both = both.header("last-event-id", newest - 1);
    assert_eq!(Following::of(both).await.rest_of_it().await.len(), 1, "the header counts more");
    let over = front.send(stream(&front, &task).header("last-event-id", newest)).await;
    assert_eq!((over.status, over.text.as_str()), (204, ""), "all was seen and nothing will come");
    for (wrong, field) in [("x", "Last-Event-ID"), ("-1", "Last-Event-ID"), ("999999", "last_event_id")] {
        let refused = front.send(stream(&front, &task).header("last-event-id", wrong)).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), [field], "{wrong}");
    }
}

#[tokio::test]
async fn a_retry_goes_on_where_the_first_run_ended() {
    let front = Front::new().await;
    let (task, _) = front.written().await;
    let newest = *numbers(&Following::of(stream(&front, &task)).await.rest_of_it().await).last().unwrap();
    front.post(&format!("/api/v1/tasks/{task}/retry"), &json!({ "from": "seo" })).await.is(202);
    let mut following = Following::of(stream(&front, &task).header("last-event-id", newest)).await;
    let first = following.event().await.unwrap();
    assert_eq!((first.id, first.kind.as_str()), (Some(newest + 1), "task.retried"), "the next run: {first:?}");
    let engine = front.harness.scripted(&Script::default());
    let rest = following.rest_of_it().await;
    assert_eq!(rest.last().unwrap().kind, "task.completed", "to its end: {rest:?}");
    let whole = Following::of(stream(&front, &task)).await.rest_of_it().await;
    let ends = whole.iter().filter(|frame| frame.kind == "task.completed").count();
    assert_eq!(ends, 2, "the end of the first run does not end the stream");
    engine.stop().await;
}

#[tokio::test]
async fn silence_is_broken_by_comments() {
    let front = Front::on(Harness::builder(), |state| state.limits.heartbeat = Duration::from_millis(50)).await;
    let task = ordered(&front).await;
    let mut following = Following::of(stream(&front, &task)).await;
    following.until("task.created").await;
    for _ in 0..3 {
        let frame = following.next().await.unwrap();
        assert!(frame.comment && frame.id.is_none(), "nothing happens, so a comment comes: {frame:?}");
    }
}

#[tokio::test]
async fn a_cancel_ends_the_stream() {
    let front = Front::new().await;
    let task = ordered(&front).await;
    let mut following = Following::of(stream(&front, &task)).await;
    following.until("task.created").await;
    front.delete(&format!("/api/v1/tasks/{task}")).await.is(200);
    let rest = following.rest_of_it().await;
    assert_eq!(
        rest.iter().map(|frame| frame.kind.as_str()).collect::<Vec<_>>(),
        ["task.cancelled"],
        "and nothing after"
    );
}

#[tokio::test]
async fn a_stream_outlives_a_cut_of_the_database() {
    let front = Front::on(Harness::builder(), |state| state.limits.look = Duration::from_millis(200)).await;
    let task = ordered(&front).await;
    let mut following = Following::of(stream(&front, &task)).await;
    let mut seen = following.until("task.created").await;
    front.harness.database.cut_connections().await;
    let engine = front.harness.scripted(&Script::default());
    seen.extend(following.rest_of_it().await);
    assert_eq!(numbers(&seen), (1..=seen.len() as i64).collect::<Vec<_>>(), "in order and without gaps: {seen:?}");
    assert_eq!(seen.last().unwrap().kind, "task.completed", "to the end: {seen:?}");
    engine.stop().await;
}

#[tokio::test]
async fn a_process_that_stops_lets_its_streams_go() {
    let front = Front::new().await;
    let task = ordered(&front).await;
    let mut following = Following::of(stream(&front, &task)).await;
    following.until("task.created").await;
    front.stop.cancel();
    assert_eq!(following.rest_of_it().await, [], "the stream ends without an event");
}

#[tokio::test]
async fn only_so_many_streams_are_open() {
    let change = |state: &mut AppState| {
        state.limits.streams_per_organization = 2;
        state.limits.heartbeat = Duration::from_millis(50);
    };
    let front = Front::on(Harness::builder(), change).await;
    let task = ordered(&front).await;
    let first = Following::of(stream(&front, &task)).await;
    let _second = Following::of(stream(&front, &task)).await;
    let full = front.send(stream(&front, &task)).await;
    full.is_problem(429, "RATE_LIMIT_ERROR");
    assert_eq!(full.header("retry-after"), "15", "it says when to come back");
    let head = front.send(front.request(Method::HEAD, &format!("/api/v1/tasks/{task}/events"))).await;
    assert_eq!((head.status, head.text.as_str()), (429, ""), "asking for the head of a stream counts too");
    drop(first);
    // The server learns from its heartbeats that the client is gone.
    let room = async { while stream(&front, &task).send().await.unwrap().status() != 200 {} };
    tokio::time::timeout(Duration::from_secs(20), room).await.expect("the place is given back");
    let one = Front::on(Harness::builder(), |state| state.limits.streams_per_organization = 1).await;
    let task = ordered(&one).await;
    for _ in 0..3 {
        let head = one.send(one.request(Method::HEAD, &format!("/api/v1/tasks/{task}/events"))).await;
        assert_eq!(
            (head.status, head.text.as_str()),
            (200, ""),
            "the head of a stream ends at once and holds no place"
        );
    }
}

#[tokio::test]
async fn streams_are_for_those_who_may_read() {
    let front = Front::new().await;
    let task = ordered(&front).await;
    let path = format!("/api/v1/tasks/{task}/events");
    front.send(front.bare(Method::GET, &path)).await.is_problem(401, "UNAUTHORIZED");
    let (_, stranger) = front.harness.other_tenant().await;
    front.send(front.request_as(&stranger, Method::GET, &path)).await.is_problem(404, "TASK_NOT_FOUND");
    let unknown = format!("/api/v1/tasks/{}/events", id(&json!("0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e")));
    front.get(&unknown).await.is_problem(404, "TASK_NOT_FOUND");
}

#[tokio::test]
async fn a_stream_ends_with_its_task_although_the_events_are_swept() {
    let front = Front::on(Harness::builder(), |state| state.limits.look = Duration::from_millis(100)).await;
    let (done, _) = front.written().await;
    let task = ordered(&front).await;
    let mut following = Following::of(stream(&front, &task)).await;
    following.until("task.created").await;
    front
        .harness
        .database
        .execute("WITH gone AS (DELETE FROM event_groups) UPDATE tasks SET status = 'cancelled', finished_at = now()")
        .await;
    assert_eq!(following.rest_of_it().await, [], "the open stream ends although the end is not told any more");
    for after in [0, 1] {
        let over = front.send(stream(&front, &done).header("last-event-id", after)).await;
        assert_eq!((over.status, over.text.as_str()), (204, ""), "nothing is left to send and nothing will come");
    }
}

#[tokio::test]
async fn a_revoked_key_reads_no_further() {
    let front = Front::on(Harness::builder(), |state| state.limits.look = Duration::from_millis(100)).await;
    let task = ordered(&front).await;
    let services = &front.harness.services;
    let org = front.harness.principal.org;
    let key = services.create_key(org, &KeyRequest::full("short-lived")).await.unwrap();
    let mut following =
        Following::of(front.request_as(&key.secret, Method::GET, &format!("/api/v1/tasks/{task}/events"))).await;
    following.until("task.created").await;
    services.revoke_key(org, key.id).await.unwrap();
    assert_eq!(following.rest_of_it().await, [], "the stream ends without an event");
    let mut own = Following::of(stream(&front, &task)).await;
    own.until("task.created").await;
    front.delete(&format!("/api/v1/tasks/{task}")).await.is(200);
    assert_eq!(own.rest_of_it().await.len(), 1, "other keys read on");
}

//! Waiting for a task on behalf of a client, for as long as clients wait.

use std::time::Duration;

use galley_domain::OrgId;
use galley_services::TaskView;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::{problem::Problem, state::Front};

/// Proxies and clients give up after a minute.
const LONGEST: Duration = Duration::from_secs(55);
/// How long such a request may take in all.
pub const DEADLINE: Duration = Duration::from_secs(58);
/// The last parts of the paths under which a request waits for a site or for a task.
const PATHS: [&str; 11] = [
    "publish",
    "unpublish",
    "test",
    "ai-generate",
    "categories",
    "preview",
    "drift",
    "resolve",
    "test_connection",
    "test_collection_connection",
    "update_structure",
];

/// Whether a request to this address may take [`DEADLINE`].
pub fn waits(path: &str, query: Option<&str>) -> bool {
    query.is_some_and(|query| query.contains("remote="))
        || path.trim_end_matches('/').rsplit('/').next().is_some_and(|last| PATHS.contains(&last))
}

/// The task when it has ended, or as it is 55 s after the request began, or when the process stops.
pub async fn for_task(front: &Front, org: OrgId, task: Uuid, began: Instant) -> Result<TaskView, Problem> {
    let state = &front.state;
    // Listening begins before reading, so that nothing falls in between.
    let mut watch = state.notifications.events(task);
    let until = began + LONGEST;
    loop {
        let view = state.services.task(org, task).await?;
        if view.status.is_ended() || Instant::now() >= until {
            return Ok(view);
        }
        tokio::select! {
            () = watch.changed() => {}
            () = tokio::time::sleep(state.limits.look) => {}
            () = state.stop.cancelled() => return Ok(view),
            _ = timeout_at(until, std::future::pending::<()>()) => {}
        }
    }
}

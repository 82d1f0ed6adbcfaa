//! Schedules that order into a project which goes into the trash, comes back, or is removed.

use galley_domain::project::Platform;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Front, id, text};
use crate::schedules::{come_due, listen, looked_at, told};

const PATH: &str = "/api/v1/schedules";

async fn project(front: &Front, name: &str) -> Uuid {
    let (services, org) = (&front.harness.services, front.harness.principal.org);
    services.create_project(org, name, Platform::Wordpress, None).await.unwrap().value.id
}

/// A schedule that comes due only when a test says so: its id.
async fn schedule(front: &Front, project: Option<Uuid>, policy: &str) -> Uuid {
    let mut action = json!({ "type": "order", "order": { "user_prompt": "Tea" } });
    if let Some(project) = project {
        action["project_id"] = json!(project);
    }
    let body = json!({
        "name": "Tea", "timezone": "UTC", "cron": "0 0 29 2 *", "action": action, "missed": { "policy": policy },
    });
    id(&front.post(PATH, &body).await.is(201)["id"])
}

async fn status(front: &Front, schedule: Uuid) -> String {
    text(&front.get(&format!("{PATH}/{schedule}")).await.is(200)["status"])
}

#[tokio::test]
async fn they_pause_with_it_and_go_on_with_what_they_have_missed() {
    let front = Front::new().await;
    listen(&front.harness).await;
    let tea = project(&front, "Tea").await;
    let trash = format!("/api/v1/projects/{tea}");
    let (late, skip) = (schedule(&front, Some(tea), "late").await, schedule(&front, Some(tea), "skip").await);
    let (by_hand, other) = (schedule(&front, Some(tea), "late").await, schedule(&front, None, "late").await);
    front.post(&format!("{PATH}/{by_hand}/pause"), &json!({})).await.is(200);
    front.delete(&trash).await.is(204);
    for schedule in [late, skip, by_hand] {
        let seen = front.get(&format!("{PATH}/{schedule}")).await;
        assert_eq!((&seen.is(200)["status"], &seen.json["next_runs"]), (&json!("paused"), &json!([])));
        for what in ["resume", "run"] {
            let refused = front.post(&format!("{PATH}/{schedule}/{what}"), &json!({})).await;
            let said = text(&refused.is_problem(409, "CONFLICT")["detail"]);
            assert!(said.contains("`Tea`") && said.contains("in the trash"), "{what}: {said}");
        }
        let refused = front.patch(&format!("{PATH}/{schedule}"), &json!({ "status": "active" })).await;
        assert!(text(&refused.is_problem(409, "CONFLICT")["detail"]).contains("`Tea`"));
        front.patch(&format!("{PATH}/{schedule}"), &json!({ "name": "Tea time" })).await.is(200);
    }
    assert_eq!(status(&front, other).await, "active");
    let ticks = "SELECT count(*) FROM steps WHERE kind = 'schedule_tick' AND finished_at IS NULL";
    assert_eq!(front.harness.database.number(ticks).await, 1, "of the other one");
    for schedule in [late, skip] {
        come_due(&front.harness, schedule, 60).await;
    }
    let ticks = async |schedule: Uuid| {
        front.harness.services.schedule(front.harness.principal.org, schedule).await.unwrap().row.tick
    };
    front.post(&format!("{trash}/restore"), &json!({})).await.is(200);
    let before = [ticks(late).await, ticks(skip).await];
    assert_eq!(status(&front, by_hand).await, "paused", "what a person has paused stays paused");
    let engine = front.harness.scheduling();
    let ran = looked_at(&front.harness, late, before[0]).await;
    assert!(ran.len() == 1 && ran[0].task_id.is_some() && ran[0].late_seconds > 3500, "{ran:?}");
    assert_eq!(looked_at(&front.harness, skip, before[1]).await, []);
    engine.stop().await;
    for schedule in [late, skip, other] {
        assert_eq!(status(&front, schedule).await, "active");
    }
    let mut told = told(&front.harness).await;
    told.sort();
    let expected = [
        "schedule.fired",
        "schedule.paused",
        "schedule.paused its project `Tea` is in the trash",
        "schedule.paused its project `Tea` is in the trash",
        "schedule.resumed its project `Tea` was taken out of the trash",
        "schedule.resumed its project `Tea` was taken out of the trash",
        "schedule.skipped 1 missed times are skipped",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn they_are_removed_with_it_and_what_they_have_ordered_stays() {
    let front = Front::new().await;
    let (tea, coffee) = (project(&front, "Tea").await, project(&front, "Coffee").await);
    let (gone, kept) = (schedule(&front, Some(tea), "late").await, schedule(&front, Some(coffee), "late").await);
    let paused = schedule(&front, Some(tea), "late").await;
    front.post(&format!("{PATH}/{paused}/pause"), &json!({})).await.is(200);
    let run = front.post(&format!("{PATH}/{gone}/run"), &json!({})).await;
    let task = format!("/api/v1/tasks/{}", text(&run.is(202)["task_id"]));
    front.delete(&task).await.is(200);
    front.delete(&format!("/api/v1/projects/{tea}")).await.is(204);
    front.delete(&format!("/api/v1/projects/{tea}/permanent")).await.is(204);
    for schedule in [gone, paused] {
        front.get(&format!("{PATH}/{schedule}")).await.is_problem(404, "NOT_FOUND");
    }
    assert_eq!(front.harness.database.number("SELECT count(*) FROM schedule_runs").await, 0);
    front.get(&task).await.is(200);
    assert_eq!(status(&front, kept).await, "active");
}

/// What paused it is not what stands in its way any more.
#[tokio::test]
async fn one_that_leaves_the_project_goes_on_and_one_that_is_paused_by_hand_stays() {
    let front = Front::new().await;
    let tea = project(&front, "Tea").await;
    let (moved, stays) = (schedule(&front, Some(tea), "late").await, schedule(&front, Some(tea), "late").await);
    front.delete(&format!("/api/v1/projects/{tea}")).await.is(204);
    let action = json!({ "type": "order", "order": { "user_prompt": "Tea" } });
    let changed = front.patch(&format!("{PATH}/{moved}"), &json!({ "action": action })).await;
    assert_eq!(changed.is(200)["status"], "active");
    let changed = front.patch(&format!("{PATH}/{stays}"), &json!({ "status": "paused" })).await;
    assert_eq!(changed.is(200)["status"], "paused");
    front.post(&format!("/api/v1/projects/{tea}/restore"), &json!({})).await.is(200);
    assert_eq!([status(&front, moved).await, status(&front, stays).await], ["active", "paused"]);
}

#[tokio::test]
async fn new_times_that_are_given_in_the_trash_miss_nothing_and_start_nothing() {
    let front = Front::new().await;
    let tea = project(&front, "Tea").await;
    let (paused, ended) = (schedule(&front, Some(tea), "late").await, schedule(&front, Some(tea), "late").await);
    let end = "UPDATE schedules SET status = 'ended', next_due = NULL,
         recurrence = recurrence || '{\"ends_at\": \"2026-01-01T00:00:00Z\"}' WHERE id = ";
    front.harness.database.execute(&format!("{end}'{ended}'")).await;
    front.delete(&format!("/api/v1/projects/{tea}")).await.is(204);
    let again = front.patch(&format!("{PATH}/{ended}"), &json!({ "ends_at": null })).await;
    again.is_problem(409, "CONFLICT");
    front.harness.database.execute("UPDATE schedules SET last_considered = now() - interval '2 days'").await;
    let changed: Value =
        front.patch(&format!("{PATH}/{paused}"), &json!({ "cron": "0 * * * *" })).await.is(200).clone();
    assert_eq!(changed["status"], "paused");
    front.post(&format!("/api/v1/projects/{tea}/restore"), &json!({})).await.is(200);
    let org = front.harness.principal.org;
    let row = front.harness.services.schedule(org, paused).await.unwrap().row;
    assert!(row.next_due.unwrap() > row.created_at, "nothing is due from before: {row:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_makes_one_and_whoever_deletes_the_project_at_once_leave_none_running() {
    let front = Front::new().await;
    for _ in 0..8 {
        let tea = project(&front, "Tea").await;
        schedule(&front, Some(tea), "late").await;
        let action = json!({ "type": "order", "order": { "user_prompt": "Tea" }, "project_id": tea });
        let body = json!({ "name": "Tea", "timezone": "UTC", "cron": "0 0 29 2 *", "action": action });
        let path = format!("/api/v1/projects/{tea}");
        let (made, deleted) = tokio::join!(front.post(PATH, &body), front.delete(&path));
        assert!([201, 400].contains(&made.status) && [204, 409].contains(&deleted.status), "{made:?} {deleted:?}");
        let running = "SELECT count(*) FROM schedules s JOIN projects p ON p.id = s.project_id
             WHERE s.status = 'active' AND p.deleted_at IS NOT NULL";
        assert_eq!(front.harness.database.number(running).await, 0);
    }
}

//! Times that nobody looked at in time, and runs by hand.

use galley_domain::schedule::{RunStatus, RunTrigger, ScheduleStatus};
use galley_recurrence::{Missed, MissedPolicy};
use galley_services::{IdempotencyKey, Missing, ScheduleRequest, ServiceError};
use galley_testkit::Harness;
use uuid::Uuid;

use super::{
    after_due, assert_status, come_due_each_minute, create, listen, look, looked_at, request, runs, statuses, tasks,
    told, view,
};

async fn with_policy(harness: &Harness, policy: MissedPolicy, within_hours: u16) -> Uuid {
    create(harness, ScheduleRequest { missed: Missed { policy, within_hours }, ..request() }).await
}

#[tokio::test]
async fn a_missed_time_runs_late_or_is_missed_when_it_is_too_old() {
    let harness = Harness::new().await;
    listen(&harness).await;
    let late = with_policy(&harness, MissedPolicy::Late, 3).await;
    let found = after_due(&harness, late, 120).await;
    assert_eq!(statuses(&found), [RunStatus::Fired]);
    assert!((7200..7400).contains(&found[0].late_seconds), "{:?}", found[0]);
    let missed = with_policy(&harness, MissedPolicy::Late, 1).await;
    let found = after_due(&harness, missed, 120).await;
    assert_eq!(statuses(&found), [RunStatus::Missed]);
    assert!(found[0].reason.is_some() && found[0].task_id.is_none(), "{:?}", found[0]);
    assert_eq!(tasks(&harness).await, 1);
    let told = told(&harness).await;
    assert!(told.len() == 2 && told[0] == "schedule.fired" && told[1].starts_with("schedule.missed "), "{told:?}");
    assert_status(&harness, missed, ScheduleStatus::Active).await;
}

#[tokio::test]
async fn missed_times_are_skipped_and_told() {
    let harness = Harness::new().await;
    listen(&harness).await;
    let id = with_policy(&harness, MissedPolicy::Skip, 24).await;
    assert_eq!(after_due(&harness, id, 120).await, []);
    assert_eq!(told(&harness).await, ["schedule.skipped 1 missed times are skipped"]);
    let engine = harness.scheduling();
    let found = loop {
        let tick = view(&harness, id).await.row.tick;
        come_due_each_minute(&harness, id).await;
        let found = looked_at(&harness, id, tick).await;
        // When a minute begins meanwhile, two times have come, and both are skipped.
        if !found.is_empty() {
            break found;
        }
    };
    engine.stop().await;
    assert!(found.iter().all(|run| *run.status == RunStatus::Fired), "on time it runs: {found:?}");
}

#[tokio::test]
async fn many_missed_times_are_one_run_for_the_newest() {
    let harness = Harness::new().await;
    let id = create(&harness, request()).await;
    harness
        .database
        .execute(
            "UPDATE schedules SET last_considered = now() - interval '5 hours', recurrence = recurrence || jsonb_build_object(
                'cron', to_char(now() - interval '10 minutes', 'FMMI \"* * * *\"'))",
        )
        .await;
    look(&harness, id).await;
    let engine = harness.scheduling();
    let found = looked_at(&harness, id, 0).await;
    engine.stop().await;
    assert_eq!((statuses(&found), tasks(&harness).await), (vec![RunStatus::Fired], 1));
    assert!((600..800).contains(&found[0].late_seconds), "{:?}", found[0]);
}

#[tokio::test]
async fn somebody_decides_once_about_a_run_that_asks() {
    let harness = Harness::new().await;
    listen(&harness).await;
    let (services, principal) = (&harness.services, &harness.principal);
    let id = with_policy(&harness, MissedPolicy::Ask, 1).await;
    let asked = after_due(&harness, id, 120).await.remove(0);
    assert_eq!((*asked.status, asked.task_id), (RunStatus::Asked, None));
    assert_eq!(view(&harness, id).await.pending_decisions, 1);
    let key = IdempotencyKey::new("k", "POST /x", b"b").unwrap();
    let decided = services.decide_run(principal, (id, asked.id), true, "t", Some(&key)).await.unwrap().value;
    assert_eq!((*decided.status, decided.task_id.is_some()), (RunStatus::Fired, true));
    assert!((7200..7400).contains(&decided.late_seconds), "{decided:?}");
    let again = services.decide_run(principal, (id, asked.id), true, "t", Some(&key)).await.unwrap();
    assert!(again.replayed && again.value == decided);
    let refused = services.decide_run(principal, (id, asked.id), false, "t", None).await.unwrap_err();
    assert!(refused.to_string().contains("it is fired"), "{refused}");
    let second = after_due(&harness, id, 130).await;
    let second = second.iter().find(|run| *run.status == RunStatus::Asked).unwrap();
    let never = services.decide_run(principal, (id, second.id), false, "t", None).await.unwrap().value;
    assert_eq!((*never.status, never.task_id), (RunStatus::Skipped, None));
    assert_eq!((tasks(&harness).await, view(&harness, id).await.pending_decisions), (1, 0));
    let other = create(&harness, request()).await;
    let elsewhere = services.decide_run(principal, (other, second.id), true, "t", None).await;
    assert!(matches!(elsewhere, Err(ServiceError::NotFound(Missing::ScheduleRun))));
    let kinds: Vec<String> =
        told(&harness).await.iter().map(|told| told.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["schedule.asked", "schedule.fired", "schedule.asked", "schedule.skipped"]);
}

#[tokio::test]
async fn a_run_by_hand_works_while_paused_and_changes_no_times() {
    let harness = Harness::new().await;
    let (services, principal) = (&harness.services, &harness.principal);
    let id = create(&harness, ScheduleRequest { max_per_day: Some(2), ..request() }).await;
    let before = view(&harness, id).await;
    let key = IdempotencyKey::new("k", "POST /x", b"b").unwrap();
    let run = services.run_schedule(principal, id, "t", Some(&key)).await.unwrap();
    let again = services.run_schedule(principal, id, "t", Some(&key)).await.unwrap();
    assert!(again.replayed && again.value == run.value);
    assert_eq!((*run.value.trigger, *run.value.status), (RunTrigger::Manual, RunStatus::Fired));
    let after = view(&harness, id).await;
    assert_eq!(
        (after.row.next_due, after.next, after.row.updated_at),
        (before.row.next_due, before.next, before.row.updated_at)
    );
    services.pause_schedule(principal.org, id, "t", None).await.unwrap();
    services.run_schedule(principal, id, "t", None).await.unwrap();
    assert_status(&harness, id, ScheduleStatus::Paused).await;
    let refused = services.run_schedule(principal, id, "t", None).await.unwrap_err();
    assert!(matches!(&refused, ServiceError::Conflict(text) if text.contains("max_per_day")), "{refused}");
    assert_eq!((runs(&harness, id).await.len(), tasks(&harness).await), (2, 2));
    // What was ordered by hand counts for the day of a schedule that comes due, too.
    services.resume_schedule(principal.org, id, "t", None).await.unwrap();
    let found = after_due(&harness, id, 0).await;
    let skipped = found.iter().find(|run| *run.trigger == RunTrigger::Schedule).unwrap();
    assert_eq!(*skipped.status, RunStatus::Skipped);
    assert!(skipped.reason.as_ref().unwrap().contains("2 runs of this day are used up"), "{skipped:?}");
    assert_eq!(tasks(&harness).await, 2);
    // Yesterday's do not.
    harness.database.execute("UPDATE schedule_runs SET fired_at = fired_at - interval '24 hours'").await;
    services.run_schedule(principal, id, "t", None).await.unwrap();
}

/// Runs have an age of their own; one that waits for an answer stays. So have jobs, which are what looks at schedules.
#[tokio::test]
async fn old_runs_and_jobs_are_swept_and_what_asks_stays() {
    let harness = Harness::new().await;
    create(&harness, request()).await;
    let old = "INSERT INTO schedule_runs (id, org_id, schedule_id, due_at, trigger, status, created_at)
         SELECT gen_random_uuid(), s.org_id, s.id, now() - make_interval(days => n), 'schedule', w.status,
            now() - make_interval(days => n)
         FROM schedules s, (VALUES ('missed', 0), ('missed', 2), ('asked', 3)) AS w(status, n);
         INSERT INTO steps (id, kind, pool, state, max_attempts, trace_id, finished_at)
         SELECT gen_random_uuid(), 'schedule_tick', 'schedules', 'done', 1, 't', now() - make_interval(days => n)
         FROM generate_series(0, 3) AS n";
    harness.database.execute(old).await;
    // Everything is kept for a day.
    let swept = harness.services.store().system().sweep(&harness.services.settings().retention).await.unwrap();
    assert_eq!((swept.runs, swept.jobs), (1, 3));
    let left = harness.database.texts("SELECT status FROM schedule_runs ORDER BY due_at").await;
    assert_eq!(left, ["asked", "missed"]);
}

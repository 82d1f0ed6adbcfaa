//! A time comes once: whoever looks, and whoever vanishes meanwhile.

use std::time::{Duration, Instant};

use galley_domain::{
    Operator,
    schedule::{RunStatus, RunTrigger, ScheduleStatus},
};
use galley_engine::Outcome;
use galley_recurrence::{Missed, decide};
use galley_services::{
    KeyRequest, ScheduleEdit, ServiceError, TimesEdit,
    pipelines::schedules::{TICK, Tick, looked},
};
use galley_store::StoreError;
use galley_testkit::Harness;

use super::{
    after_due, assert_status, come_due, create, listen, look, looked_at, pending_ticks, recurrence, request, statuses,
    tasks, told, view,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_engines_fire_once_also_when_there_are_steps_too_many() {
    let harness = Harness::new().await;
    listen(&harness).await;
    let id = create(&harness, request()).await;
    assert_status(&harness, id, ScheduleStatus::Active).await;
    // Five more that look as the right one looks.
    harness
        .database
        .execute(
            "INSERT INTO steps (id, org_id, kind, pool, state, max_attempts, trace_id, payload, subject_id, run_at)
             SELECT gen_random_uuid(), org_id, kind, pool, state, max_attempts, trace_id, payload, subject_id, run_at
             FROM steps, generate_series(1, 5) WHERE kind = 'schedule_tick'",
        )
        .await;
    let engines = [harness.scheduling(), harness.scheduling(), harness.scheduling()];
    come_due(&harness, id, 0).await;
    let found = looked_at(&harness, id, 0).await;
    for engine in engines {
        engine.stop().await;
    }
    assert_eq!((statuses(&found), tasks(&harness).await), (vec![RunStatus::Fired], 1));
    let run = &found[0];
    assert_eq!((*run.trigger, run.late_seconds < 65), (RunTrigger::Schedule, true), "{run:?}");
    let task = harness.task_row(run.task_id.unwrap()).await;
    assert_eq!(task.subject_id, run.article_id, "the task is there and about the article");
    assert_eq!(task.api_key_id, harness.principal.key(), "ordered with the key of whoever made the schedule");
    let done =
        harness.database.number("SELECT count(*) FROM steps WHERE kind = 'schedule_tick' AND state = 'done'").await;
    assert_eq!((done, pending_ticks(&harness, id).await), (6, 1), "one of them was followed");
    assert_eq!(told(&harness).await, ["schedule.fired"]);
}

/// Neither the system nor the operator has a key: what they run by the schedule is noted under the schedule's.
#[tokio::test]
async fn a_run_by_hand_is_noted_under_the_key_of_whoever_runs_it() {
    let harness = Harness::builder().credits(1000).build().await;
    let (services, own) = (&harness.services, &harness.principal);
    let id = create(&harness, request()).await;
    let other = services.create_key(own.org, &KeyRequest::full("other")).await.unwrap();
    let other = services.principal(&other.secret).await.unwrap().unwrap();
    let operator = Operator::of_this_machine().within(own.org);
    for (principal, key) in [(&other, other.key()), (own, own.key()), (&operator, own.key())] {
        let run = services.run_schedule(principal, id, "t", None).await.unwrap().value;
        let task = harness.task_row(run.task_id.unwrap()).await;
        assert_eq!((task.api_key_id, key.is_some()), (key, true), "{principal:?}");
    }
    assert_eq!(view(&harness, id).await.row.api_key_id, own.key(), "the schedule keeps its own");
}

#[tokio::test]
async fn what_a_killed_process_has_begun_is_fired_once_and_its_late_word_counts_for_nothing() {
    let harness = Harness::new().await;
    let id = create(&harness, request()).await;
    come_due(&harness, id, 0).await;
    harness.promote(Duration::ZERO).await;
    let lease = Duration::from_millis(300);
    let dead = harness.claim(TICK, 1, "dead", lease).await.steps.remove(0);
    let before = view(&harness, id).await;
    let engine = harness.scheduling();
    assert_eq!(statuses(&looked_at(&harness, id, 0).await), [RunStatus::Fired]);
    engine.vanish().await;
    let now = before.row.last_considered + chrono::TimeDelta::seconds(70);
    let decision = decide(&before.recurrence, before.row.last_considered, now, Missed::default());
    assert!(decision.due.is_some(), "it had decided to fire");
    let tick = Tick { number: 0, decision, orders: harness.services.orders().clone() };
    let late = harness.commits().finish_step(&dead, &Outcome::Done(looked(Some(tick))), &[]).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    // A start later, whoever looks next finds nothing more to do.
    let before = view(&harness, id).await.row.tick;
    look(&harness, id).await;
    let engine = harness.scheduling();
    assert_eq!(looked_at(&harness, id, before).await.len(), 1);
    engine.stop().await;
    assert_eq!((tasks(&harness).await, pending_ticks(&harness, id).await), (1, 1));
}

/// Whatever becomes of `last_considered`: the run is unique by its time.
#[tokio::test]
async fn a_clock_that_is_set_back_fires_nothing_again() {
    let harness = Harness::new().await;
    let id = create(&harness, request()).await;
    assert_eq!(after_due(&harness, id, 0).await.len(), 1);
    let again = view(&harness, id).await.row.tick;
    harness.database.execute("UPDATE schedules SET last_considered = last_considered - interval '1 hour'").await;
    look(&harness, id).await;
    let engine = harness.scheduling();
    assert_eq!(looked_at(&harness, id, again).await.len(), 1);
    engine.stop().await;
    assert_eq!(tasks(&harness).await, 1);
    assert_status(&harness, id, ScheduleStatus::Active).await;
}

#[tokio::test]
async fn times_during_a_pause_do_not_come() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    listen(&harness).await;
    let id = create(&harness, request()).await;
    services.pause_schedule(org, id, "t", None).await.unwrap();
    assert_status(&harness, id, ScheduleStatus::Paused).await;
    come_due(&harness, id, 10).await;
    let engine = harness.scheduling();
    services.resume_schedule(org, id, "t", None).await.unwrap();
    let tick = view(&harness, id).await.row.tick;
    look(&harness, id).await;
    assert_eq!(looked_at(&harness, id, tick).await, []);
    engine.stop().await;
    assert_status(&harness, id, ScheduleStatus::Active).await;
    assert_eq!(told(&harness).await, ["schedule.paused", "schedule.resumed"]);
    for refused in [services.resume_schedule(org, id, "t", None).await, {
        services.pause_schedule(org, id, "t", None).await.unwrap();
        services.pause_schedule(org, id, "t", None).await
    }] {
        assert!(refused.unwrap_err().to_string().contains("already"));
    }
}

#[tokio::test]
async fn a_schedule_ends_with_its_last_time_and_begins_again_with_later_ones() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let id = create(&harness, request()).await;
    harness
        .database
        .execute(
            "UPDATE schedules SET recurrence = recurrence || jsonb_build_object('ends_at', now() + interval '1 hour')",
        )
        .await;
    assert_eq!(statuses(&after_due(&harness, id, 0).await), [RunStatus::Fired]);
    assert_status(&harness, id, ScheduleStatus::Ended).await;
    assert!(services.resume_schedule(org, id, "t", None).await.unwrap_err().to_string().contains("has ended"));
    let active = ScheduleEdit { paused: Some(false), ..ScheduleEdit::default() };
    let refused = services.edit_schedule(org, id, active, None, "t").await;
    assert!(matches!(refused, Err(ServiceError::Validation(wrong)) if wrong[0].field == "status"));
    let times = TimesEdit { ends_at: Some(None), ..TimesEdit::default() };
    let edit = ScheduleEdit { times, ..ScheduleEdit::default() };
    services.edit_schedule(org, id, edit, None, "t").await.unwrap();
    assert_status(&harness, id, ScheduleStatus::Active).await;
}

#[tokio::test]
async fn a_change_while_a_tick_runs_leaves_one_step_and_the_old_one_does_nothing() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let id = create(&harness, request()).await;
    come_due(&harness, id, 0).await;
    harness.promote(Duration::ZERO).await;
    let running = harness.claim(TICK, 1, "here", Duration::from_secs(30)).await.steps.remove(0);
    let times = TimesEdit { cron: Some("0 9 * * *".into()), ..TimesEdit::default() };
    let changed = services.edit_schedule(org, id, ScheduleEdit { times, ..ScheduleEdit::default() }, None, "t").await;
    assert_eq!(changed.unwrap().recurrence, recurrence("0 9 * * *"));
    let ended = harness.commits().finish_step(&running, &Outcome::Done(looked(None)), &[]).await;
    assert!(matches!(ended, Err(StoreError::LeaseLost)), "{ended:?}");
    assert_eq!((pending_ticks(&harness, id).await, tasks(&harness).await), (1, 0));
    services.delete_schedule(org, id).await.unwrap();
    assert_eq!(pending_ticks(&harness, id).await, 0);
}

#[tokio::test]
async fn a_schedule_that_has_lost_its_step_gets_a_new_one() {
    let harness = Harness::new().await;
    let id = create(&harness, request()).await;
    come_due(&harness, id, 0).await;
    assert_eq!(harness.services.system().rescue_schedules().await.unwrap(), 0);
    harness.database.execute("UPDATE schedules SET next_due = now() - interval '6 minutes'").await;
    assert_eq!(harness.services.system().rescue_schedules().await.unwrap(), 0, "its step is there");
    harness.database.execute("DELETE FROM steps").await;
    assert_eq!(harness.services.system().rescue_schedules().await.unwrap(), 1);
    let engine = harness.scheduling();
    assert_eq!(statuses(&looked_at(&harness, id, 1).await), [RunStatus::Fired]);
    engine.stop().await;
    assert_status(&harness, id, ScheduleStatus::Active).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_schedules_of_one_minute_all_fire() {
    const COUNT: i64 = 1_000;
    let harness = Harness::builder().credits(60_000).build().await;
    let id = create(&harness, request()).await;
    come_due(&harness, id, 0).await;
    let copies = COUNT - 1;
    harness
        .database
        .execute(&format!(
            "CREATE TEMP TABLE copies AS SELECT gen_random_uuid() AS id FROM generate_series(1, {copies});
             INSERT INTO schedules (id, org_id, name, recurrence, action, work, missed, api_key_id, last_considered, next_due)
             SELECT c.id, org_id, name, recurrence, action, work, missed, api_key_id, last_considered, next_due
             FROM schedules s, copies c;
             INSERT INTO steps (id, org_id, kind, pool, state, max_attempts, trace_id, payload, subject_id, run_at)
             SELECT gen_random_uuid(), org_id, kind, pool, state, max_attempts, trace_id, payload, c.id, run_at
             FROM steps, copies c WHERE kind = 'schedule_tick'"
        ))
        .await;
    let (begun, engines) = (Instant::now(), [harness.scheduling(), harness.scheduling()]);
    let fired = "SELECT count(*) FROM schedule_runs WHERE status = 'fired'";
    harness.database.until(&["schedule_runs"], fired, |fired| fired >= COUNT).await;
    eprintln!("{COUNT} schedules fired within {:?}", begun.elapsed());
    for engine in engines {
        engine.stop().await;
    }
    assert_eq!(harness.database.number(fired).await, COUNT);
    assert_eq!(tasks(&harness).await, COUNT);
    let twice = "SELECT count(*) FROM (SELECT FROM schedule_runs GROUP BY schedule_id HAVING count(*) > 1) AS t";
    assert_eq!(harness.database.number(twice).await, 0);
}

/// Like an order of a person: beside the oldest that waits, not behind all that a large one has put there.
#[tokio::test]
async fn what_a_schedule_orders_takes_its_place_beside_the_oldest() {
    let harness = Harness::new().await;
    let (other, _) = harness.other_tenant().await;
    harness.order_as(&other).await;
    harness.database.execute("SELECT setval('fair_clock', 9000)").await;
    let id = create(&harness, request()).await;
    assert_eq!(statuses(&after_due(&harness, id, 0).await), [RunStatus::Fired]);
    let org = harness.principal.org;
    let rank = format!("SELECT rank FROM steps WHERE kind = 'research' AND org_id = '{org}'");
    assert!(harness.database.number(&rank).await < 9000, "it stands behind everybody");
}

/// Its engine was down when its last time came, and its owner does not want the late run.
#[tokio::test]
async fn a_schedule_whose_last_time_nobody_has_looked_at_can_be_paused() {
    let harness = Harness::new().await;
    let org = harness.principal.org;
    let id = create(&harness, request()).await;
    let ended =
        "UPDATE schedules SET recurrence = recurrence || jsonb_build_object('ends_at', now() - interval '1 minute')";
    harness.database.execute(ended).await;
    let pause = ScheduleEdit { paused: Some(true), ..ScheduleEdit::default() };
    harness.services.edit_schedule(org, id, pause, None, "t").await.unwrap();
    assert_status(&harness, id, ScheduleStatus::Paused).await;
}

//! Rules 1, 2, 7 and 10: ordered in one transaction, claimed with a lease, woken, fair.

use std::{collections::BTreeSet, time::Duration};

use galley_domain::{
    article,
    task::{StepKind, TaskStatus},
};
use galley_engine::Outcome;
use galley_services::{
    ServiceError,
    pipelines::{self, READING, upkeep::SWEEP},
};
use galley_store::Wanted;
use galley_testkit::{Harness, Move, Script};
use rust_decimal::Decimal;

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_order_that_fails_in_the_middle_leaves_nothing() {
    let harness = Harness::new().await;
    // The last thing that an order inserts is its step.
    harness.database.execute("ALTER TABLE steps ADD CONSTRAINT no_research CHECK (kind <> 'research')").await;
    let failed = harness.services.order(&harness.principal, galley_testkit::order(), "t", None).await;
    assert!(matches!(failed, Err(ServiceError::Store(_))), "{failed:?}");
    for table in ["tasks", "articles", "holds", "events", "steps"] {
        assert_eq!(harness.database.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn claiming_takes_no_more_than_there_are_slots_and_counts_the_attempt() {
    let harness = Harness::new().await;
    for _ in 0..5 {
        harness.order().await;
    }
    let claimed = harness.claim(article::RESEARCH, 3, "w", LEASE).await.steps;
    assert_eq!(claimed.len(), 3);
    assert!(claimed.iter().all(|step| step.attempt == 1));
    assert_eq!(harness.claim(article::RESEARCH, 9, "w", LEASE).await.steps.len(), 2, "nothing twice");
    assert!(harness.claim(article::OUTLINE, 9, "w", LEASE).await.steps.is_empty(), "only what was asked for");
}

#[tokio::test]
async fn eight_claimers_at_once_never_get_the_same_step() {
    let harness = Harness::builder().credits(100_000).build().await;
    for _ in 0..60 {
        harness.order().await;
    }
    let mut claimers = Vec::new();
    for _ in 0..8 {
        let queue = harness.services.store().queue();
        claimers.push(tokio::spawn(async move {
            let want = [Wanted::new(READING, 4)];
            let mut mine = Vec::new();
            loop {
                let claimed = queue.claim(&want, &[article::RESEARCH], "w", LEASE).await.unwrap().steps;
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed.into_iter().map(|step| step.fence.step));
            }
        }));
    }
    let mut all = Vec::new();
    for claimer in claimers {
        all.extend(claimer.await.unwrap());
    }
    // A claimer may come away empty-handed while another holds the last locks; what is left is still there.
    let rest = harness.claim(article::RESEARCH, 60, "w", LEASE).await.steps;
    all.extend(rest.into_iter().map(|step| step.fence.step));
    assert_eq!(all.len(), 60);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 60);
}

/// Pages that are read to find what can be claimed.
async fn pages_of_a_look(harness: &Harness) -> u64 {
    let look = "EXPLAIN (ANALYZE, BUFFERS)
        SELECT id FROM steps WHERE pool = 'reading' AND state = 'ready' ORDER BY rank, id LIMIT 10";
    let plan = harness.database.texts(look).await;
    // "Buffers: shared hit=3 read=1 dirtied=1"; the first line counts everything.
    let line = plan.iter().find_map(|line| line.split_once("Buffers: shared ")).expect("a plan with buffers").1;
    let pages = |part: &str| part.strip_prefix("hit=").or_else(|| part.strip_prefix("read=")).map(str::to_owned);
    line.split([' ', ',']).filter_map(pages).map(|pages| pages.parse::<u64>().unwrap()).sum()
}

/// A vacuum leaves the indexes of a large table alone when few of its pages were touched, unless it is told not to.
#[tokio::test]
async fn after_a_vacuum_no_claim_walks_over_what_was_claimed_before() {
    let harness = Harness::new().await;
    let add = |from: u32, to: u32, state: &str| {
        format!(
            "INSERT INTO steps (id, kind, pool, state, rank, max_attempts, trace_id, finished_at)
             SELECT gen_random_uuid(), 'research', 'reading', '{state}', g, 1, 'a trace that was long ago', now()
             FROM generate_series({from}, {to}) g"
        )
    };
    harness.database.execute(&add(1, 100_000, "done")).await;
    harness.database.execute("VACUUM ANALYZE steps").await;
    let fresh = pages_of_a_look(&harness).await;
    harness.database.execute(&add(1, 1_000, "ready")).await;
    harness.database.execute("UPDATE steps SET state = 'done' WHERE state = 'ready'").await;
    let worn = pages_of_a_look(&harness).await;
    assert!(worn > fresh + 4, "{worn} pages after many claims, {fresh} before");
    harness.database.execute("VACUUM steps").await;
    let swept = pages_of_a_look(&harness).await;
    assert!(swept <= fresh + 2, "{swept} pages after a vacuum, {worn} before it, {fresh} without a past");
    let asked = "SELECT count(*) FROM pg_class WHERE relname IN ('steps', 'tasks') AND relkind = 'r' AND reloptions
        @> '{autovacuum_vacuum_threshold=10000,autovacuum_vacuum_scale_factor=0.002,vacuum_index_cleanup=on}'";
    assert_eq!(harness.database.number(asked).await, 2, "and a vacuum comes early, however large they are");
}

async fn ready(harness: &Harness) -> i64 {
    harness.database.number("SELECT count(*) FROM steps WHERE state = 'ready'").await
}

#[tokio::test]
async fn an_expired_lease_is_claimable_at_once_by_anyone_and_a_renewed_one_is_not() {
    let harness = Harness::new().await;
    harness.order().await;
    let queue = harness.services.store().queue();
    let first = harness.claim(article::RESEARCH, 1, "one", Duration::from_millis(200)).await.steps.remove(0);
    assert!(queue.renew(&[first.fence], LEASE).await.unwrap().is_empty());
    harness.promote(Duration::ZERO).await;
    assert_eq!(ready(&harness).await, 0, "the heartbeat keeps it");
    harness.database.execute("UPDATE steps SET lease_until = now()").await;
    harness.promote(Duration::ZERO).await;
    assert_eq!(ready(&harness).await, 1);
    let second = harness.claim(article::RESEARCH, 1, "two", LEASE).await.steps.remove(0);
    assert_eq!(second.fence.step, first.fence.step);
    assert_ne!(second.fence.lease, first.fence.lease);
    assert_eq!(second.attempt, 2);
    assert_eq!(queue.renew(&[first.fence], LEASE).await.unwrap(), [first.fence], "the first owner is told");
}

#[tokio::test]
async fn a_step_that_kills_its_process_every_time_runs_out_of_attempts() {
    let harness = Harness::builder().policy(article::RESEARCH, |policy| policy.max_attempts = 2).build().await;
    let task = harness.order().await;
    for attempt in 1..=2 {
        let claimed = harness.claim(article::RESEARCH, 1, "doomed", LEASE).await.steps;
        assert_eq!(claimed[0].attempt, attempt);
        harness.database.execute("UPDATE steps SET lease_until = now()").await;
        if attempt < 2 {
            harness.promote(Duration::ZERO).await;
            assert_eq!(ready(&harness).await, 1);
        }
    }
    let script = Script::default();
    let engine = harness.scripted(&script);
    let view = harness.ended(task).await;
    assert_eq!(view.status, TaskStatus::Failed);
    assert_eq!(view.row.error_message.as_deref(), Some("the research step lost its worker 2 times"));
    assert_eq!(script.runs_of(article::RESEARCH), 0, "it was not run a third time");
    engine.stop().await;
    harness.assert_books_closed().await;
}

async fn vanish_in(kind: StepKind) {
    let harness = Harness::new().await;
    let (doomed, heir) = (Script::default(), Script::default());
    doomed.next(kind, std::iter::repeat_n(Move::Hang(Vec::new()), 2));
    let first = harness.scripted(&doomed);
    let task = harness.order().await;
    doomed.wait_for_runs(kind, 1).await;
    first.vanish().await;
    let second = harness.scripted(&heir);
    harness.completed(task).await;
    second.stop().await;
    for earlier in article::STEPS.into_iter().take_while(|earlier| *earlier != kind) {
        assert_eq!(heir.runs_of(earlier), 0, "{kind}: {earlier} was finished and is not run again");
    }
    let again: Vec<u32> = heir.runs().iter().filter(|run| run.0 == kind).map(|run| run.2).collect();
    assert!(again.contains(&2), "{kind}: the attempt that vanished was counted: {again:?}");
    for step in harness.steps(task).await {
        assert_eq!(step.state, "done", "{kind}: {} {}", step.kind, step.position);
    }
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn a_worker_that_vanishes_in_any_of_the_six_steps_is_followed_by_another() {
    let [a, b, c, d, e, f] = article::STEPS.map(vanish_in);
    tokio::join!(a, b, c, d, e, f);
}

#[tokio::test]
async fn an_idle_engine_is_woken_by_an_order_and_not_by_its_tick() {
    let harness = Harness::new().await;
    let script = Script::default();
    let steps = galley_testkit::scripted_steps(&script);
    // With a tick of an hour only the notification can start the step within the minute that the harness waits.
    let engine = harness.engine(steps, |settings| settings.tick = Duration::from_secs(3600));
    let first = harness.order().await;
    harness.completed(first).await;
    let second = harness.order().await;
    harness.completed(second).await;
    engine.stop().await;
}

#[tokio::test]
async fn a_tenant_with_one_order_does_not_wait_for_another_tenants_thousand() {
    let harness = Harness::builder().credits(100_000).build().await;
    for _ in 0..300 {
        harness.order().await;
    }
    // The backlog is being worked on.
    harness.claim(article::RESEARCH, 10, "w", LEASE).await;
    let (other, _) = harness.other_tenant().await;
    harness.order_as(&other).await;
    let next = harness.claim(article::RESEARCH, 2, "w", LEASE).await.steps;
    let orgs: Vec<_> = next.iter().filter_map(|step| step.owner()).map(|(org, _)| org).collect();
    assert!(orgs.contains(&other.org), "the newcomer is among the next two");
}

#[tokio::test]
async fn a_newcomer_does_not_wait_at_a_later_step_either() {
    let harness = Harness::builder().credits(100_000).build().await;
    for _ in 0..40 {
        harness.order().await;
    }
    // All of the first tenant's research is done; its outlines are the backlog now.
    for step in harness.claim(article::RESEARCH, 40, "w", LEASE).await.steps {
        let nothing = Outcome::Done(pipelines::article::research(1, Default::default(), Vec::new()));
        harness.commits().finish_step(&step, &nothing, &[]).await.unwrap();
    }
    let (other, _) = harness.other_tenant().await;
    harness.order_as(&other).await;
    for kind in [article::RESEARCH, article::OUTLINE] {
        let next = harness.claim(kind, 2, "w", LEASE).await.steps;
        let its = next.iter().find(|step| step.owner().is_some_and(|(org, _)| org == other.org));
        let step = its.unwrap_or_else(|| panic!("the newcomer is among the next two at {kind}"));
        let nothing = Outcome::Done(pipelines::article::research(1, Default::default(), Vec::new()));
        harness.commits().finish_step(step, &nothing, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_heartbeat_waits_for_nobody() {
    let harness = Harness::new().await;
    harness.order().await;
    harness.order().await;
    let store = harness.services.store();
    let held = harness.claim(article::RESEARCH, 2, "w", LEASE).await.steps;
    let fences: Vec<_> = held.iter().map(|step| step.fence).collect();
    let busy = store.begin(harness.principal.org).await.unwrap();
    busy.hold_fence(fences[0]).await.unwrap();
    let renewing = store.queue();
    let lost = tokio::time::timeout(Duration::from_secs(10), renewing.renew(&fences, LEASE)).await;
    assert_eq!(lost.expect("a locked row is passed over").unwrap(), [], "and it is not lost");
    busy.rollback().await.unwrap();
}

#[tokio::test]
async fn a_tenant_that_was_busy_yesterday_is_not_put_behind_a_backlog_today() {
    let harness = Harness::builder().credits(100_000).build().await;
    for _ in 0..50 {
        harness.order().await;
    }
    harness.claim(article::RESEARCH, 50, "w", LEASE).await;
    let (other, _) = harness.other_tenant().await;
    for _ in 0..20 {
        harness.order_as(&other).await;
    }
    harness.order().await;
    let next = harness.claim(article::RESEARCH, 2, "w", LEASE).await.steps;
    let orgs: Vec<_> = next.iter().filter_map(|step| step.owner()).map(|(org, _)| org).collect();
    assert!(orgs.contains(&harness.principal.org), "{orgs:?}");
}

#[tokio::test]
async fn a_sweep_is_scheduled_once_and_removes_what_is_old() {
    let harness = Harness::builder().settings(|settings| settings.retention.events = Duration::ZERO).build().await;
    let script = Script::default();
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    harness.completed(task).await;
    script.wait_for_runs(SWEEP, 1).await;
    engine.stop().await;
    assert_eq!(harness.database.number("SELECT count(*) FROM steps WHERE kind = 'sweep'").await, 1);
    let swept = harness.services.store().system().sweep(&harness.services.settings().retention).await.unwrap();
    assert!(swept.events > 0, "events of the ended task are older than nothing");
    assert_eq!(swept.steps, 0, "steps are kept for a day");
    assert_eq!(harness.services.store().tenant(harness.principal.org).credits().await.unwrap().1, Decimal::ZERO);
}

/// A process that died is no reason to wait, and one that lives keeps what it has.
#[tokio::test]
async fn what_the_dead_had_is_claimable_at_once_but_for_last_attempts() {
    let harness = Harness::new().await;
    let mut tasks = Vec::new();
    for worker in ["dead", "alive", "dead"] {
        tasks.push(harness.order().await);
        assert_eq!(harness.claim(article::RESEARCH, 1, worker, LEASE).await.steps.len(), 1);
    }
    let last = format!("UPDATE steps SET attempt = max_attempts WHERE task_id = '{}'", tasks[2]);
    harness.database.execute(&last).await;
    let queue = harness.services.store().queue();
    queue.take_from_the_dead(&["dead".to_owned(), "long gone".to_owned()]).await.unwrap();
    let claimed = harness.claim(article::RESEARCH, 9, "w", LEASE).await.steps;
    assert_eq!(claimed.iter().map(|step| step.task).collect::<Vec<_>>(), [Some(tasks[0])]);
    assert_eq!(claimed[0].attempt, 2);
}

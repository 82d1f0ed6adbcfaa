//! What waits: one dead endpoint holds up nobody else, and a worker that is killed loses and doubles nothing.

use super::*;
use std::time::Instant;

/// Fills an endpoint with messages that are due.
async fn backlog(harness: &Harness, webhook: Uuid, messages: usize) {
    let sql = format!(
        "INSERT INTO webhook_deliveries (id, org_id, webhook_id, message_id, event_type, status, next_attempt_at, payload, sequence)
         SELECT gen_random_uuid(), '{org}', '{webhook}', 'msg_' || n, 'article.updated', 'pending', now(), '{{}}', n
         FROM generate_series(1, {messages}) n;
         ANALYZE webhook_deliveries",
        org = harness.principal.org
    );
    harness.database.execute(&sql).await;
}

/// First tries at a live endpoint while another one with so many messages hangs or refuses; in milliseconds, sorted.
async fn first_tries(dead: Reply, messages: usize, live: usize) -> Vec<u128> {
    let harness = open().build().await;
    let (bad, good) = (Receiver::new().await, Receiver::new().await);
    bad.always(dead);
    let webhook = endpoint(&harness, &bad, &["task.*"]).await.webhook;
    endpoint(&harness, &good, &["article.updated"]).await;
    backlog(&harness, webhook.id, messages).await;
    let engine = working(&harness);
    test(&harness, webhook.id).await;
    bad.waits_for(1).await;
    let mut taken = Vec::new();
    for at in 0..live {
        let told = Instant::now();
        announce(&harness, 1).await;
        let came = good.waits_for(at + 1).await;
        taken.push(came[at].at.duration_since(told).as_millis());
    }
    assert!(bad.came().len() < messages, "the dead one still has messages: {}", bad.came().len());
    engine.stop().await;
    taken.sort_unstable();
    taken
}

fn p99(sorted: &[u128]) -> u128 {
    sorted[(sorted.len() * 99).div_ceil(100) - 1]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_endpoint_holds_up_nobody_else() {
    for dead in [Reply::Hang, Reply::Status(500)] {
        let taken = first_tries(dead.clone(), 5000, 40).await;
        assert!(p99(&taken) <= 2000, "{dead:?}: {taken:?}");
    }
}

/// `GALLEY_MESSAGES=100000 cargo test --test integration dead_endpoint_figure -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a figure, not a rule"]
async fn dead_endpoint_figure() {
    let messages = std::env::var("GALLEY_MESSAGES").map_or(100_000, |count| count.parse().unwrap());
    for dead in [Reply::Hang, Reply::Status(500)] {
        let taken = first_tries(dead.clone(), messages, 200).await;
        println!(
            "{dead:?}, {messages} messages: first try p50 {} ms, p99 {} ms, worst {} ms",
            taken[taken.len() / 2],
            p99(&taken),
            taken[taken.len() - 1]
        );
        assert!(p99(&taken) <= 2000, "{taken:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_vanishes_leaves_one_row_and_the_message_comes() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let webhook = endpoint(&harness, &receiver, &["article.*"]).await.webhook;
    receiver.says([Reply::Hang, Reply::Hang]);
    let engine = working(&harness);
    announce(&harness, 1).await;
    receiver.waits_for(1).await;
    engine.vanish().await;
    let engine = working(&harness);
    // Its lease runs out, and the step has the same message again.
    until(&harness, "SELECT count(*) FROM webhook_deliveries WHERE attempts_count > 0", 1).await;
    later(&harness).await;
    until(&harness, "SELECT count(*) FROM webhook_deliveries WHERE status = 'delivered'", 1).await;
    engine.stop().await;
    assert_eq!(harness.database.number("SELECT count(*) FROM webhook_deliveries").await, 1);
    let ids: Vec<String> = receiver.came().iter().map(|one| one.id().to_owned()).collect();
    assert!(ids.len() >= 2 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let webhook = harness.services.webhook(harness.principal.org, webhook.id).await.unwrap();
    assert!(webhook.last_success_at.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_job_is_begun_again() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let webhook = endpoint(&harness, &receiver, &["article.*"]).await.webhook;
    backlog(&harness, webhook.id, 3).await;
    harness.database.execute("UPDATE webhook_deliveries SET next_attempt_at = now() - interval '1 minute'").await;
    assert_eq!(harness.services.system().resume_deliveries().await.unwrap(), 1);
    assert_eq!(harness.services.system().resume_deliveries().await.unwrap(), 0, "there is a job now");
    let engine = working(&harness);
    receiver.waits_for(3).await;
    until(&harness, "SELECT count(*) FROM webhook_deliveries WHERE status = 'delivered'", 3).await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenants_endpoints_hear_nothing() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let (stranger, _) = harness.other_tenant().await;
    endpoint_of(&harness, stranger.org, &receiver.url, &["*"]).await;
    let mine = Receiver::new().await;
    let webhook = endpoint(&harness, &mine, &["*"]).await.webhook;
    let engine = working(&harness);
    announce(&harness, 3).await;
    mine.waits_for(3).await;
    assert!(receiver.came().is_empty());
    harness.services.delete_webhook(harness.principal.org, webhook.id).await.unwrap();
    assert_eq!(harness.database.number("SELECT count(*) FROM event_followers").await, 1, "only the stranger follows");
    assert_eq!(harness.database.number("SELECT count(*) FROM secrets").await, 1);
    engine.stop().await;
}

//! What is sent, and how it is signed.

use super::*;
use galley_fetch::address::Policy;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_reaches_a_receiver_that_verifies_it() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let issued = endpoint(&harness, &receiver, &["*"]).await;
    let secret = issued.secret.unwrap().text().expose().to_owned();
    let engine = working(&harness);
    let task = harness.order().await;
    harness.completed(task).await;
    // Created, started, completed, the article's two, and at least one step forward.
    let wanted = ["task.created", "task.started", "task.completed", "article.created", "article.drafted"];
    until(&harness, "SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'", 0).await;
    until(&harness, "SELECT count(*) FROM webhook_deliveries WHERE event_type = 'article.drafted'", 1).await;
    until(&harness, "SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'", 0).await;
    let came = receiver.came();
    let types: Vec<String> = came.iter().map(|one| one.json()["type"].as_str().unwrap().to_owned()).collect();
    for name in wanted {
        assert_eq!(types.iter().filter(|one| *one == name).count(), 1, "{name} comes once: {types:?}");
    }
    for one in &came {
        assert!(one.is_signed_with(&secret), "{one:?}");
        let payload = one.json();
        assert_eq!(payload["id"], one.id());
        assert_eq!(payload["organization_id"], json!(harness.principal.org.0));
        assert_eq!(one.headers["content-type"], "application/json");
        let keys: Vec<&String> = payload.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 6, "{keys:?}");
    }
    let done = came.iter().find(|one| one.json()["type"] == "task.completed").unwrap().json();
    let data = &done["data"];
    assert_eq!((&data["task_id"], &data["status"]), (&json!(task), &json!("completed")), "{data}");
    assert_eq!((&data["progress"], &data["error"], &data["kind"]), (&json!(100), &Value::Null, &json!("article")));
    let drafted = came.iter().find(|one| one.json()["type"] == "article.drafted").unwrap().json();
    assert_eq!(drafted["data"]["article_id"], data["article_id"]);
    let fields: Vec<&String> = drafted["data"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["article_id", "project_id", "slug", "status", "title", "version"]);
    let sequences: Vec<i64> = ["task.created", "task.started", "task.completed"]
        .map(|name| came.iter().find(|one| one.json()["type"] == name).unwrap().json()["sequence"].as_i64().unwrap())
        .to_vec();
    assert!(sequences.is_sorted_by(|a, b| a < b), "{sequences:?}");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_told_once_in_five_seconds() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    endpoint(&harness, &receiver, &["task.progressed"]).await;
    let task = harness.order().await;
    let tx = harness.services.store().begin(harness.principal.org).await.unwrap();
    for progress in 1..20 {
        tx.emit(task, "task.progress", json!({ "status": "processing", "progress": progress })).await.unwrap();
    }
    tx.commit().await.unwrap();
    let engine = working(&harness);
    harness.completed(task).await;
    until(&harness, "SELECT count(*) FROM steps WHERE kind = 'webhook_fanout' AND finished_at IS NULL", 0).await;
    let told = harness.database.number("SELECT count(*) FROM webhook_deliveries").await;
    assert_eq!(told, 1, "all of it took less than five seconds");
    harness.database.execute("UPDATE webhook_deliveries SET created_at = created_at - interval '6 seconds'").await;
    let tx = harness.services.store().begin(harness.principal.org).await.unwrap();
    tx.emit(task, "task.progress", json!({ "status": "processing", "progress": 99 })).await.unwrap();
    tx.commit().await.unwrap();
    receiver.waits_for(2).await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_secrets_sign_during_the_overlap() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let issued = endpoint(&harness, &receiver, &["*"]).await;
    let (org, id) = (harness.principal.org, issued.webhook.id);
    let old = issued.secret.unwrap().text().expose().to_owned();
    let own = "whsec_c2VjcmV0LW9mLWEtcmVjZWl2ZXItMTIzNDU2Nzg5MA==";
    let rotated = harness.services.rotate_webhook_secret(org, id, Some(own), 24, None).await.unwrap().value;
    assert_eq!(rotated.secret.unwrap().text().expose(), own);
    assert!(rotated.webhook.previous_secret_expires_at.is_some());
    let engine = working(&harness);
    test(&harness, id).await;
    let came = receiver.waits_for(1).await;
    assert_eq!(came[0].signatures().len(), 2);
    assert!(came[0].is_signed_with(own) && came[0].is_signed_with(&old));
    harness.database.execute("UPDATE webhooks SET previous_secret_expires_at = now() - interval '1 second'").await;
    test(&harness, id).await;
    let came = receiver.waits_for(2).await;
    assert_eq!(came[1].signatures().len(), 1);
    assert!(came[1].is_signed_with(own) && !came[1].is_signed_with(&old), "the old one is over");
    let none = harness.services.rotate_webhook_secret(org, id, None, 0, None).await.unwrap().value;
    assert!(none.webhook.previous_secret_expires_at.is_none(), "without an overlap there is no second one");
    test(&harness, id).await;
    let came = receiver.waits_for(3).await;
    assert!(!came[2].is_signed_with(own) && came[2].is_signed_with(none.secret.unwrap().text().expose()));
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_nowhere_in_the_clear() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let issued = endpoint(&harness, &receiver, &["*"]).await;
    let first = issued.secret.unwrap().text().expose().to_owned();
    let rotated =
        harness.services.rotate_webhook_secret(harness.principal.org, issued.webhook.id, None, 24, None).await.unwrap();
    let second = rotated.value.secret.unwrap().text().expose().to_owned();
    let engine = working(&harness);
    test(&harness, issued.webhook.id).await;
    attempts(&harness, 1).await;
    engine.stop().await;
    let tables = harness
        .database
        .texts("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'")
        .await;
    for table in tables {
        let rows = harness.database.texts(&format!("SELECT t::text FROM {table} t")).await;
        for secret in [&first, &second] {
            let bare = secret.strip_prefix("whsec_").unwrap();
            assert!(!rows.iter().any(|row| row.contains(bare)), "{table} holds a secret");
        }
    }
    assert_eq!(harness.database.number("SELECT count(*) FROM secrets WHERE purpose = 'webhook'").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_inside_is_refused_when_it_is_made_and_when_it_is_sent_to() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let issued = endpoint(&harness, &receiver, &["*"]).await;
    let inside = "http://169.254.169.254/latest";
    // As if the operator had taken a rule back.
    harness.database.execute(&format!("UPDATE webhooks SET url = '{inside}'")).await;
    let order = WebhookOrder {
        url: inside.to_owned(),
        description: String::new(),
        events: None,
        format: WebhookFormat::Standard,
    };
    let refused = harness.services.create_webhook(harness.principal.org, order, None).await;
    assert!(matches!(refused, Err(galley_services::ServiceError::Validation(errors)) if errors[0].field == "url"));
    let engine = working(&harness);
    test(&harness, issued.webhook.id).await;
    attempts(&harness, 1).await;
    engine.stop().await;
    assert!(receiver.came().is_empty(), "nothing was sent");
    let error = harness.database.texts("SELECT error FROM webhook_attempts").await;
    assert!(error[0].starts_with("Nothing was sent: "), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_envelope_key_there_are_no_webhooks() {
    let here = vec!["127.0.0.1".parse().unwrap()];
    let harness = Harness::builder().settings(|settings| settings.links = Policy::new(here)).build().await;
    let order = WebhookOrder {
        url: "https://example.com/".into(),
        description: String::new(),
        events: None,
        format: WebhookFormat::Standard,
    };
    let refused = harness.services.create_webhook(harness.principal.org, order, None).await.err().unwrap().to_string();
    assert!(refused.contains("set secrets.key"), "{refused}");
}

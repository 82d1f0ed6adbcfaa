//! How a sync goes: what was changed while it ran, pages that cannot be read, kinds, and syncs that nobody ordered.

use galley_testpeer::wordpress::Trouble;
use serde_json::{Value, json};

use super::{
    id,
    integrations::INTEGRATIONS,
    syncs::{Site, did},
    text,
};

#[tokio::test]
async fn what_was_taken_back_meanwhile_is_not_published() {
    let site = Site::new().await;
    let front = &site.desk.front;
    let tea = site.desk.written("Tea").await;
    front.patch(&tea, &json!({ "status": "ready" })).await.is(200);
    let ordered = site.order(json!({ "direction": "to_external" })).await;
    let task = id(&ordered.is(202)["data"]["sync_id"]);
    // Somebody takes it back at the moment at which the sync, which has found it, is about to order its publication.
    let held = front.harness.database.hold("UPDATE articles SET status = 'draft'").await;
    let engine = site.desk.engine();
    front.harness.database.waiting_for_locks(1).await;
    held.commit().await;
    front.harness.ended(task).await;
    engine.stop().await;
    assert_eq!(site.state().await["last_result"], did(0, 0, 0, 0));
    assert_eq!(front.harness.database.number("SELECT count(*) FROM publications").await, 0);
    let warnings = front.harness.database.texts("SELECT warnings::text FROM tasks WHERE kind = 'site_sync'").await;
    assert!(warnings.concat().contains("was left alone"), "{warnings:?}");
}

#[tokio::test]
async fn a_page_that_cannot_be_read_costs_none_of_the_others() {
    let site = Site::new().await;
    for number in 0..45 {
        site.desk.blog.write(&format!("post-{number}"), "<p>Tea</p>");
    }
    let ordered = site.order(json!({ "direction": "from_external", "content_types": ["post"] })).await;
    let task = id(&ordered.is(202)["data"]["sync_id"]);
    let refused = || Trouble::Status("403 Forbidden", "", r#"{"code":"x","message":"No."}"#);
    // The plan counts; then the first page is refused.
    site.desk.blog.trouble("GET", "wp/v2/posts", Trouble::Notices);
    site.desk.blog.trouble("GET", "wp/v2/posts", refused());
    let engine = site.desk.engine();
    site.desk.front.harness.ended(task).await;
    engine.stop().await;
    let state = site.state().await;
    assert_eq!((&state["last_result"], &state["sync_status"]), (&did(25, 0, 20, 0), &json!("idle")), "{state}");
}

#[tokio::test]
async fn a_site_with_more_pages_than_are_read_is_told_so() {
    let site = Site::new().await;
    let page = Trouble::Status("200 OK", "X-WP-Total: 0\r\nX-WP-TotalPages: 501\r\n", "[]");
    site.desk.blog.trouble("GET", "wp/v2/posts", page);
    let state = site.sync(json!({ "direction": "from_external" })).await;
    assert!(text(&state["error"]).contains("500 pages"), "{state}");
    assert_eq!(state["sync_status"], "idle");
    assert_eq!(site.sync(json!({})).await["error"], Value::Null, "until it has no more than that");
}

#[tokio::test]
async fn kinds_that_are_not_synced_are_refused() {
    let site = Site::new().await;
    for kind in ["product", "book", "products", "", "Post"] {
        let answer = site.order(json!({ "content_types": ["post", kind] })).await;
        answer.is_problem(400, "VALIDATION_ERROR");
        assert!(answer.wrong_fields()[0].starts_with("content_types"), "{kind}");
    }
    let tea = site.desk.written("Tea").await;
    site.desk.front.patch(&tea, &json!({ "status": "ready" })).await.is(200);
    let pages = site.sync(json!({ "direction": "to_external", "content_types": ["page"] })).await;
    assert_eq!(pages["last_result"], did(0, 0, 0, 0), "posts were not asked for");
    let posts = site.sync(json!({ "direction": "to_external", "content_types": ["posts"] })).await;
    assert_eq!(posts["last_result"], did(0, 1, 0, 0));
}

#[tokio::test]
async fn terms_are_not_said_to_be_none() {
    let site = Site::new().await;
    site.desk.blog.write("tea", "<p>Tea</p>");
    site.pull().await;
    site.desk.front.post(&format!("{}/update_structure", site.path), &json!({})).await.is(200);
    let kinds = site.desk.front.get(&format!("{}/content_types", site.path)).await;
    let kinds = &kinds.is(200)["data"];
    assert_eq!(kinds["post_types"]["post"]["synced_count"], 1);
    assert_eq!(kinds["taxonomies"]["category"]["synced_count"], Value::Null, "nobody counts them");
}

#[tokio::test]
async fn a_site_is_synced_by_itself_when_that_was_long_ago() {
    let site = Site::new().await;
    let front = &site.desk.front;
    let due = async || front.harness.services.system().sync_due_sites().await.unwrap();
    let long_ago = "UPDATE connections SET created_at = now() - interval '2 hours',
        metadata = metadata || jsonb_build_object('sync_ordered_at', now() - interval '90 minutes')";
    front.harness.database.execute(long_ago).await;
    assert_eq!(due().await, 0, "nobody has switched it on");
    front.put(&site.path, &json!({ "sync_enabled": true })).await.is(200);
    assert_eq!(due().await, 1);
    assert_eq!(due().await, 0, "one at a time");
    let state = site.state().await;
    assert_eq!((&state["sync_status"], &state["current"]["direction"]), (&json!("syncing"), &json!("from_external")));
    let task = id(&state["current"]["sync_id"]);
    let engine = site.desk.engine();
    front.harness.ended(task).await;
    engine.stop().await;
    assert_eq!(due().await, 0, "it was just done");
    front.harness.database.execute(long_ago).await;
    let two = json!({ "two_way_sync_enabled": true });
    front.post(&format!("{}/update_structure", site.path), &two).await.is(200);
    assert_eq!(due().await, 1);
    assert_eq!(site.state().await["current"]["direction"], "both");
    let listed = front.get(INTEGRATIONS).await;
    assert_eq!(listed.is(200)["results"][0]["sync_enabled"], true);
}

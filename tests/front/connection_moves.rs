//! Blog connections that change: how they publish, where they lead, and what still needs them.

use galley_testpeer::wordpress::PASSWORD;
use serde_json::{Value, json};

use super::{Answer, publishing::Desk};

fn fields(answer: &Answer) -> Vec<&str> {
    answer.is_problem(400, "VALIDATION_ERROR");
    answer.wrong_fields()
}

fn path(desk: &Desk) -> String {
    format!("/api/v1/blog-connections/{}", desk.connection)
}

#[tokio::test]
async fn a_connection_says_how_posts_are_written_there() {
    let desk = Desk::new().await;
    let shown = desk.front.get(&path(&desk)).await;
    assert_eq!((&shown.is(200)["content_form"], &shown.json["create_terms"]), (&json!("auto"), &json!(true)));
    let body = json!({ "content_form": "html", "create_terms": false });
    let changed = desk.front.patch(&path(&desk), &body).await;
    assert_eq!((&changed.is(200)["content_form"], &changed.json["create_terms"]), (&json!("html"), &json!(false)));
    let stored = desk.front.harness.database.texts("SELECT config->>'content_form' FROM connections").await;
    assert_eq!(stored, ["html"], "where an integration has it");
    assert_eq!(fields(&desk.front.patch(&path(&desk), &json!({ "content_form": "pdf" })).await), ["content_form"]);
    let body = json!({
        "name": "B", "site_url": "https://blog.example", "username": "u", "app_password": "p", "content_form": "blocks",
    });
    assert_eq!(desk.front.post("/api/v1/blog-connections", &body).await.is(201)["content_form"], "blocks");
}

#[tokio::test]
async fn another_path_on_the_same_host_is_another_site() {
    let desk = Desk::new().await;
    let moved = json!({ "site_url": format!("{}/second", desk.blog.url()) });
    assert_eq!(fields(&desk.front.patch(&path(&desk), &moved).await), ["app_password"]);
    let same = json!({ "site_url": format!("{}/", desk.blog.url()) });
    desk.front.patch(&path(&desk), &same).await.is(200);
}

#[tokio::test]
async fn what_was_placed_at_a_site_is_kept_or_forgotten_when_the_connection_moves() {
    let desk = Desk::new().await;
    let post = desk.published("Tea").await;
    let before = desk.front.get(&post).await;
    let before = before.is(200).clone();
    assert!(before["wp_post_id"].is_number() && before["published_url"].is_string(), "{before}");
    let body = |placements: Option<&str>, site: &str| {
        let mut body = json!({ "site_url": site, "app_password": PASSWORD });
        if let Some(word) = placements {
            body["placements"] = json!(word);
        }
        body
    };
    let there = format!("{}/second", desk.blog.url());
    desk.front.patch(&path(&desk), &body(None, &there)).await.is_problem(409, "CONFLICT");
    desk.front.patch(&path(&desk), &body(Some("keep"), &there)).await.is(200);
    let kept = desk.front.get(&post).await;
    assert_eq!(kept.is(200)["wp_post_id"], before["wp_post_id"]);
    desk.front.patch(&path(&desk), &body(Some("forget"), &desk.blog.url())).await.is(200);
    let forgotten = desk.front.get(&post).await;
    let forgotten = forgotten.is(200);
    for field in ["wp_post_id", "published_url", "published_at"] {
        assert_eq!(forgotten[field], Value::Null, "{field}");
    }
    assert_eq!(forgotten["status"], "draft");
    let records = desk.front.get("/api/v1/publisher/records").await;
    assert_eq!(records.is(200)["results"][0]["status"], "retracted");
    let engine = desk.engine();
    let again = desk.publish(&post, json!({})).await;
    engine.stop().await;
    assert_eq!(again.is(200)["status"], "published");
    assert_eq!(desk.blog.posts().len(), 1, "its mark finds it where it is the same site after all");
}

#[tokio::test]
async fn a_connection_that_is_a_projects_default_stays() {
    let desk = Desk::new().await;
    let project = format!("/api/v1/projects/{}", desk.project);
    let set = async |connection: Value| {
        desk.front.patch(&project, &json!({ "settings": { "default_blog_connection_id": connection } })).await.is(200);
    };
    set(json!(desk.connection)).await;
    let refused = desk.front.delete(&path(&desk)).await;
    refused.is_problem(409, "CONFLICT");
    assert!(refused.text.contains("default_blog_connection_id"), "{}", refused.text);
    set(Value::Null).await;
    desk.front.delete(&path(&desk)).await.is(204);
}

#[tokio::test]
async fn settings_that_galley_goes_by_are_checked_and_others_are_free() {
    let desk = Desk::new().await;
    let project = format!("/api/v1/projects/{}", desk.project);
    let nobody = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";
    for (settings, wrong) in [
        (json!({ "publish_gate": true }), vec!["settings.publish_gate"]),
        (json!({ "publish_gate": { "min_score": 101 } }), vec!["settings.publish_gate.min_score"]),
        (json!({ "publish_gate": { "min_score": "high" } }), vec!["settings.publish_gate.min_score"]),
        (json!({ "publish_gate": { "aproved": true } }), vec!["settings.publish_gate.aproved"]),
        (json!({ "publish_gate": { "cover": "yes" } }), vec!["settings.publish_gate.cover"]),
        (
            json!({ "quiet_hours": { "start": "25:00" } }),
            vec!["settings.quiet_hours.start", "settings.quiet_hours.end"],
        ),
        (json!({ "quiet_hours": "night" }), vec!["settings.quiet_hours"]),
        (json!({ "default_blog_connection_id": nobody }), vec!["settings.default_blog_connection_id"]),
        (json!({ "default_blog_connection_id": 7 }), vec!["settings.default_blog_connection_id"]),
        (json!({ "public_site_definition": "true" }), vec!["settings.public_site_definition"]),
        (json!({ "word_count": 5, "language": "german" }), vec!["settings.language", "settings.word_count"]),
        (json!({ "tone": 7 }), vec!["settings.tone"]),
    ] {
        assert_eq!(fields(&desk.front.patch(&project, &json!({ "settings": settings })).await), wrong, "{settings}");
    }
    let right = json!({
        "publish_gate": { "min_score": 70, "approved": true }, "quiet_hours": { "start": "22:00", "end": "06:30" },
        "default_blog_connection_id": desk.connection, "public_site_definition": true, "mine": { "anything": [1] },
    });
    let changed = desk.front.patch(&project, &json!({ "settings": right })).await;
    assert_eq!(changed.is(200)["settings"], right);
    let removed = json!({ "settings": { "publish_gate": null, "quiet_hours": null } });
    assert_eq!(desk.front.patch(&project, &removed).await.is(200)["settings"].get("publish_gate"), None);
}

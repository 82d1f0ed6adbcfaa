//! What a post is written by: what its client said, its template, its project, and the defaults.

use serde_json::{Value, json};

use super::{Answer, id, publishing::Desk, text};

const TEMPLATES: &str = "/api/v1/blog-templates";

fn fields(answer: &Answer) -> Vec<&str> {
    answer.is_problem(400, "VALIDATION_ERROR");
    answer.wrong_fields()
}

/// What the writer is given for a post.
async fn brief(desk: &Desk, post: &Value) -> Value {
    desk.front.harness.task_row(id(&post["job_id"])).await.input["brief"].clone()
}

async fn ordered(desk: &Desk, body: Value) -> Value {
    desk.front.post(&desk.posts, &body).await.is(202).clone()
}

async fn set(desk: &Desk, settings: Value) {
    let path = format!("/api/v1/projects/{}", desk.project);
    desk.front.patch(&path, &json!({ "settings": settings })).await.is(200);
}

#[tokio::test]
async fn what_the_order_does_not_say_the_project_says() {
    let desk = Desk::new().await;
    let settings = json!({
        "language": "de", "tone": "casual", "word_count": 400, "custom_instructions": "Be brief.", "ai_model": "m",
    });
    set(&desk, settings).await;
    let post = ordered(&desk, json!({ "topic": "Tea" })).await;
    let written_by = brief(&desk, &post).await;
    assert_eq!(
        (&written_by["language"], &written_by["tone"], &written_by["words"], &written_by["instructions"]),
        (&json!("de"), &json!("casual"), &json!({ "min": 350, "max": 450 }), &json!("Be brief."))
    );
    assert_eq!(post["ai_settings"], json!({}), "nothing was given");
    let given = json!({ "language": "fr", "tone": "Academic", "word_count": 800, "custom_instructions": "Be long." });
    let post = ordered(&desk, json!({ "topic": "Tea", "ai_settings": given })).await;
    let written_by = brief(&desk, &post).await;
    assert_eq!(
        (&written_by["language"], &written_by["tone"], &written_by["words"], &written_by["instructions"]),
        (&json!("fr"), &json!("academic"), &json!({ "min": 700, "max": 900 }), &json!("Be long."))
    );
    assert_eq!(post["ai_settings"], given, "as it was given");
}

#[tokio::test]
async fn a_writer_that_is_not_here_is_a_warning_or_refused() {
    let desk = Desk::new().await;
    let given = json!({ "ai_provider": "anthropic", "ai_model": "claude" });
    let post = ordered(&desk, json!({ "topic": "Tea", "ai_settings": given })).await;
    assert_eq!(post["ai_settings"], given);
    let task = desk.front.get(&format!("/api/v1/tasks/{}", text(&post["job_id"]))).await;
    let warnings = task.is(200)["warnings"].to_string();
    assert!(warnings.contains("anthropic is not configured here") && warnings.contains("claude"), "{warnings}");
    let own = ordered(&desk, json!({ "topic": "Tea", "ai_settings": { "ai_provider": "extractive" } })).await;
    let task = desk.front.get(&format!("/api/v1/tasks/{}", text(&own["job_id"]))).await;
    assert_eq!(task.is(200)["warnings"], json!([]));
    set(&desk, json!({ "strict_provider": true })).await;
    let refused = desk.front.post(&desk.posts, &json!({ "topic": "Tea", "ai_settings": given })).await;
    assert_eq!(fields(&refused), ["ai_settings.ai_provider", "ai_settings.ai_model"]);
}

#[tokio::test]
async fn a_new_post_keeps_its_categories_tags_and_day() {
    let desk = Desk::new().await;
    let body = json!({
        "topic": "Tea", "categories": ["Drinks > Hot"], "tags": ["leaf"], "planned_for": "2030-01-15",
    });
    let post = ordered(&desk, body).await;
    assert_eq!(
        (&post["categories"], &post["tags"], &post["planned_for"]),
        (&json!(["Drinks > Hot"]), &json!(["leaf"]), &json!("2030-01-15"))
    );
}

#[tokio::test]
async fn what_no_site_takes_for_a_category_is_refused() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    for (body, wrong) in [
        (json!({ "categories": ["A > "] }), "categories[0]"),
        (json!({ "categories": ["A", "> B"] }), "categories[1]"),
        (json!({ "categories": ["A >> B"] }), "categories[0]"),
        (json!({ "tags": ["leaf", " "] }), "tags[1]"),
        (json!({ "tags": ["x".repeat(201)] }), "tags[0]"),
    ] {
        assert_eq!(fields(&desk.front.patch(&post, &body).await), [wrong], "{body}");
        let mut new = body.clone();
        new["topic"] = json!("Tea");
        assert_eq!(fields(&desk.front.post(&desk.posts, &new).await), [wrong], "{new}");
    }
    desk.front.patch(&post, &json!({ "tags": ["a > b", "x >"] })).await.is(200);
}

#[tokio::test]
async fn a_template_says_tone_length_and_sections() {
    let desk = Desk::new().await;
    let body = json!({
        "name": "Guide", "tone": "casual", "custom_instructions": "Begin with a question.",
        "structure": { "sections": [
            { "heading": "Why", "words": 300 }, { "heading": "How", "instructions": "In steps.", "words": 100 },
        ] },
    });
    let template = text(&desk.front.post(TEMPLATES, &body).await.is(201)["id"]);
    let post = ordered(&desk, json!({ "topic": "Tea", "template_id": template })).await;
    let written_by = brief(&desk, &post).await;
    assert_eq!(
        (&written_by["tone"], &written_by["words"]),
        (&json!("casual"), &json!({ "min": 350, "max": 450 })),
        "the sum of its words"
    );
    assert_eq!(
        written_by["instructions"],
        "Begin with a question.\nSections, in this order: Why (about 300 words); How (about 100 words): In steps."
    );
    let given = json!({ "tone": "academic", "word_count": 800 });
    let post = ordered(&desk, json!({ "topic": "Tea", "template_id": template, "ai_settings": given })).await;
    let written_by = brief(&desk, &post).await;
    assert_eq!((&written_by["tone"], &written_by["words"]["min"]), (&json!("academic"), &json!(700)), "the client's");
}

#[tokio::test]
async fn a_text_is_written_anew_by_its_template_as_it_is_now() {
    let desk = Desk::new().await;
    let template = json!({ "name": "Guide", "custom_instructions": "Ask.", "is_default": true });
    let template = format!("{TEMPLATES}/{}", text(&desk.front.post(TEMPLATES, &template).await.is(201)["id"]));
    let given = json!({ "custom_instructions": "Be kind." });
    let made = ordered(&desk, json!({ "topic": "Tea", "ai_settings": given })).await;
    assert_eq!(brief(&desk, &made).await["instructions"], "Be kind.\nAsk.");
    let engine = desk.engine();
    desk.front.harness.completed(id(&made["job_id"])).await;
    engine.stop().await;
    desk.front.patch(&template, &json!({ "custom_instructions": "Do not ask.", "tone": "casual" })).await.is(200);
    let path = format!("{}/{}", desk.posts, text(&made["id"]));
    for (body, instructions, kept) in [
        (json!({}), "Be kind.\nDo not ask.", given.clone()),
        (
            json!({ "ai_settings": { "custom_instructions": "Be short." } }),
            "Be short.\nDo not ask.",
            json!({ "custom_instructions": "Be short." }),
        ),
    ] {
        let again = desk.front.post(&format!("{path}/regenerate"), &body).await;
        let again = again.is(202).clone();
        let written_by = brief(&desk, &again).await;
        assert_eq!((&written_by["instructions"], &written_by["tone"]), (&json!(instructions), &json!("casual")));
        assert_eq!(again["ai_settings"], kept, "what the client gave, without the template's wishes");
        desk.front.delete(&format!("/api/v1/tasks/{}", text(&again["job_id"]))).await.is(200);
    }
}

#[tokio::test]
async fn a_text_ordered_as_an_article_keeps_its_order_when_it_is_written_anew() {
    let desk = Desk::new().await;
    set(&desk, json!({ "language": "de" })).await;
    let body = json!({ "topic": "Tea", "length": "short", "keywords": ["leaf"], "project_id": desk.project });
    let made = desk.front.post("/api/v1/articles/generate", &body).await;
    let task = id(&made.is(202)["data"]["task_id"]);
    let before = desk.front.harness.task_row(task).await.input["brief"].clone();
    let engine = desk.engine();
    desk.front.harness.completed(task).await;
    engine.stop().await;
    let post = text(&desk.front.get(&desk.posts).await.is(200)[0]["id"]);
    let again = desk.front.post(&format!("{}/{post}/regenerate", desk.posts), &json!({})).await;
    assert_eq!(brief(&desk, again.is(202)).await, before);
}

/// The list and the sum go by the same states, and the list's are found by the database.
#[tokio::test]
async fn posts_are_counted_and_listed_by_the_same_states() {
    let desk = Desk::new().await;
    let org = desk.front.harness.principal.org;
    let statuses =
        ["generating", "awaiting_input", "draft", "review", "approved", "scheduled", "published", "archived", "failed"];
    for status in statuses {
        for (rewritten, failed) in [(false, false), (true, false), (false, true), (true, true)] {
            let (id, task) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
            let (rewrite, error) =
                (if rewritten { format!("'{task}'") } else { "NULL".into() }, if failed { "'no'" } else { "NULL" });
            let sql = format!(
                "INSERT INTO articles (id, org_id, project_id, status, title, slug, content_format, tone, language, publish_error)
                 VALUES ('{id}', '{org}', '{}', '{status}', '{status}', '{id}', 'html', 'neutral', 'en', {error});
                 UPDATE articles SET rewrite_task_id = {rewrite} WHERE id = '{id}'",
                desk.project
            );
            desk.front.harness.database.execute(&sql).await;
        }
    }
    let all = desk.front.get(&desk.posts).await;
    let sum = desk.front.get(&format!("{}/analytics", desk.posts)).await;
    assert_eq!((&sum.is(200)["total"], all.is(200).as_array().unwrap().len()), (&json!(36), 36));
    for status in ["draft", "ready", "scheduled", "published", "failed", "generating"] {
        let shown = all.json.as_array().unwrap().iter().filter(|post| post["status"] == status).count();
        let listed = desk.front.get(&format!("{}?status={status}", desk.posts)).await;
        let listed = listed.is(200).as_array().unwrap();
        assert!(shown > 0 && listed.iter().all(|post| post["status"] == status), "{status}");
        assert_eq!((listed.len(), &sum.json["by_status"][status]), (shown, &json!(shown)), "{status}");
    }
}

#[tokio::test]
async fn the_score_is_one_wherever_it_stands() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    for keyword in [Value::Null, json!("quantum chromodynamics"), json!("tea")] {
        let changed = desk.front.patch(&post, &json!({ "seo_meta": { "focus_keyword": keyword } })).await;
        let scored = desk.front.get(&format!("{post}/seo-score")).await;
        let score = &scored.is(200)["score"];
        assert_eq!(&changed.is(200)["analytics"]["seo_score"], score, "{keyword}");
        assert_eq!(&desk.front.get(&post).await.is(200)["analytics"]["seo_score"], score, "{keyword}");
        let sum = desk.front.get(&format!("{}/analytics", desk.posts)).await;
        assert_eq!(sum.is(200)["average_seo_score"].as_f64(), score.as_f64(), "{keyword}");
    }
}

#[tokio::test]
async fn only_addresses_of_the_web_are_taken_for_links() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let content = post.rsplit('/').next().unwrap();
    let script = "javascript:alert(1)";
    let records = "/api/v1/publisher/records";
    let record =
        json!({ "content_id": content, "destination": "wordpress", "status": "published", "external_url": script });
    let refused = desk.front.post(records, &record).await;
    assert!(fields(&refused).contains(&"external_url"), "{}", refused.text);
    let stock = json!({ "photo_url": "https://images.pexels.com/a.jpeg", "original_url": script });
    assert_eq!(fields(&desk.front.post(&format!("{post}/images/from-stock"), &stock).await), ["original_url"]);
    let long = format!("https://example.com/{}", "a".repeat(2000));
    for link in [script, "data:text/html,hi", "tea", "https://example.com/\u{7}", &long] {
        let answer = desk.front.patch(&post, &json!({ "featured_image_url": link })).await;
        assert_eq!(fields(&answer), ["featured_image_url"], "{link}");
        let answer = desk.front.patch(&post, &json!({ "product_links": { "a": link } })).await;
        assert_eq!(fields(&answer), ["product_links.a"], "{link}");
        if link.contains('\u{7}') {
            // What is fetched and shown nowhere is written as it can be asked for.
            continue;
        }
        let order = json!({ "topic": "Tea", "ai_settings": { "reference_links": [link] } });
        assert_eq!(fields(&desk.front.post(&desk.posts, &order).await), ["ai_settings.reference_links[0]"], "{link}");
    }
}

//! What a sync does where both sides have a say: copies, marks of others, fields beside the text, and who may read it.

use serde_json::{Value, json};

use super::{
    publishing::Desk,
    syncs::{Site, did},
    text,
};

impl Site {
    /// A text that was written here and stands there; its path.
    async fn sent(&self) -> String {
        let tea = self.desk.written("Tea").await;
        self.publish(&tea).await;
        tea
    }

    async fn publish(&self, post: &str) {
        let engine = self.desk.engine();
        let body = json!({ "connection_id": self.desk.connection });
        self.desk.front.post(&format!("{post}/publish"), &body).await.is(200);
        engine.stop().await;
    }

    async fn push(&self) -> Value {
        let pushed = self.sync(json!({ "direction": "to_external" })).await["last_result"].clone();
        // What was ordered is sent, too.
        let database = &self.desk.front.harness.database;
        let engine = self.desk.engine();
        for task in database.texts("SELECT task_id::text FROM publications WHERE status <> 'published'").await {
            self.desk.front.harness.ended(task.parse().unwrap()).await;
        }
        engine.stop().await;
        pushed
    }

    fn there(&self, slug: &str) -> Value {
        let found = self.desk.blog.posts().into_iter().find(|post| post["slug"] == slug);
        found.unwrap_or_else(|| panic!("a post is called {slug}"))
    }

    async fn path_of(&self, title: &str) -> String {
        format!("{}/{}", self.desk.posts, text(&self.text(title).await["id"]))
    }

    fn tags(&self, post: &Value) -> Vec<String> {
        let terms = self.desk.blog.terms("tags");
        let name = |id: &Value| terms.iter().find(|term| term["id"] == *id).map(|term| text(&term["name"])).unwrap();
        post["tags"].as_array().unwrap().iter().map(name).collect()
    }
}

fn number(post: &Value) -> u64 {
    post["id"].as_u64().unwrap()
}

#[tokio::test]
async fn a_copy_of_a_post_is_a_text_of_its_own() {
    let site = Site::new().await;
    let tea = site.sent().await;
    let original = site.desk.blog.posts().remove(0);
    let copy = site.desk.blog.write("tea-copy", original["content"]["raw"].as_str().unwrap());
    site.desk.blog.edit(copy, |post| post["status"] = json!("draft"));
    assert_eq!(site.pull().await, did(1, 0, 0, 0));
    let ours = site.desk.front.get(&tea).await.is(200).clone();
    assert_eq!((&ours["status"], &ours["wp_post_id"]), (&json!("published"), &original["id"]), "{ours}");
    assert_eq!(site.text("Theirs").await["status"], "draft");
    let warnings = site.desk.front.harness.database.texts("SELECT warnings::text FROM tasks WHERE kind = 'site_sync'");
    let warnings = warnings.await.concat();
    assert!(warnings.contains(&format!("is a copy of post {}", original["id"])), "{warnings}");
    site.desk.front.patch(&tea, &json!({ "title": "Better tea" })).await.is(200);
    site.publish(&tea).await;
    let copied = site.desk.blog.posts().into_iter().find(|post| number(post) == copy).unwrap();
    assert_eq!((&copied["title"]["raw"], &copied["status"]), (&json!("Theirs"), &json!("draft")), "it is left alone");
    site.publish(&site.path_of("Theirs").await).await;
    assert_eq!(site.desk.blog.posts().len(), 2, "and goes to its own post");
}

#[tokio::test]
async fn a_post_with_the_mark_of_another_galley_is_published_to_again() {
    let site = Site::new().await;
    let mark = "<!-- galley:0192f7a05a3c7c3e9d0a3f3e6b1c2d4e:v7:abc -->";
    site.desk.blog.write("tea", &format!("<p>Tea</p>{mark}"));
    assert_eq!(site.pull().await, did(1, 0, 0, 0));
    let path = site.path_of("Theirs").await;
    site.desk.front.patch(&path, &json!({ "title": "Ours" })).await.is(200);
    site.publish(&path).await;
    let posts = site.desk.blog.posts();
    assert_eq!((posts.len(), &posts[0]["title"]["raw"]), (1, &json!("Ours")), "{posts:?}");
    let record = site.desk.front.get("/api/v1/publisher/records").await;
    assert!(record.is(200)["results"][0]["metadata"].get("beside").is_none(), "{}", record.text);
}

#[tokio::test]
async fn what_is_private_there_is_shown_to_nobody() {
    let site = Site::new().await;
    let front = &site.desk.front;
    let setting = json!({ "settings": { "public_site_definition": true } });
    front.patch(&format!("/api/v1/projects/{}", site.desk.project), &setting).await.is(200);
    let shown = async || {
        let path = format!("/api/v1/publisher/site-definition?site_id={}", site.desk.project);
        let answer = front.send(front.bare(reqwest::Method::GET, &path)).await;
        let titles: Vec<String> =
            answer.is(200)["data"]["pages"].as_array().unwrap().iter().map(|p| text(&p["title"])).collect();
        (titles, answer.header("etag").to_owned())
    };
    let (open, closed) = (site.desk.blog.write("open", "<p>Open</p>"), site.desk.blog.write("closed", "<p>Closed</p>"));
    site.desk.blog.edit(open, |post| post["title"]["raw"] = json!("Open"));
    site.desk.blog.edit(closed, |post| {
        post["status"] = json!("private");
        post["title"]["raw"] = json!("Closed");
    });
    site.pull().await;
    let (titles, _) = shown().await;
    assert_eq!(titles, ["Open"]);
    assert_eq!(site.text("Closed").await["status"], "published", "004 says so");
    let folder = || site.desk.front.harness.site();
    assert!(!written(&folder()).iter().any(|file| file.contains("Closed")));
    assert!(written(&folder()).iter().any(|file| file.contains("Open")), "the folder has what a sync brings");
    site.desk.blog.edit(open, |post| post["status"] = json!("private"));
    site.pull().await;
    assert!(shown().await.0.is_empty());
    assert!(written(&folder()).is_empty(), "and what was closed is taken out of it");
    let before = shown().await.1;
    site.desk.blog.edit(open, |post| post["status"] = json!("publish"));
    site.pull().await;
    let (titles, tag) = shown().await;
    assert_eq!((titles, tag == before), (vec!["Open".to_owned()], false));
}

/// The texts of all files below a folder.
fn written(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => found.extend(written(&entry.path())),
            false => found.extend(std::fs::read_to_string(entry.path()).ok().filter(|text| text.contains("title"))),
        }
    }
    found
}

#[tokio::test]
async fn what_was_changed_here_beside_the_text_goes_there() {
    let site = Site::new().await;
    let tea = site.sent().await;
    assert_eq!(site.push().await, did(0, 0, 0, 0));
    let slug = text(&site.desk.blog.posts()[0]["slug"]);
    for change in [
        json!({ "tags": ["Green"] }),
        json!({ "excerpt": "Of leaves" }),
        json!({ "categories": ["Drinks"] }),
        json!({ "seo_meta": { "focus_keyword": "green tea" } }),
    ] {
        site.desk.front.patch(&tea, &change).await.is(200);
        assert_eq!(site.push().await, did(0, 1, 0, 0), "{change}");
        assert_eq!(site.push().await, did(0, 0, 0, 0), "{change} is sent once");
    }
    let there = site.there(&slug);
    assert_eq!((site.tags(&there), &there["excerpt"]["raw"]), (vec!["Green".to_owned()], &json!("Of leaves")));
}

#[tokio::test]
async fn what_was_changed_here_and_not_sent_is_not_overwritten() {
    let site = Site::new().await;
    let (blog, front) = (&site.desk.blog, &site.desk.front);
    let post = blog.write("tea", "<p>Tea</p>");
    site.pull().await;
    let path = site.path_of("Theirs").await;
    front.patch(&path, &json!({ "tags": ["Ours"], "excerpt": "Ours" })).await.is(200);
    blog.edit(post, |post| post["content"]["raw"] = json!("<p>Better tea</p>"));
    assert_eq!(site.pull().await, did(1, 0, 0, 0), "the text was changed there only");
    let here = front.get(&path).await.is(200).clone();
    assert_eq!((&here["tags"], &here["excerpt"]), (&json!(["Ours"]), &json!("Ours")), "{here}");
    assert!(text(&here["content"]).contains("Better"), "{here}");
    blog.edit(post, |post| post["excerpt"]["raw"] = json!("Theirs"));
    assert_eq!(site.pull().await, did(0, 0, 0, 1));
    assert_eq!(front.get(&path).await.is(200)["excerpt"], "Ours");
    assert_eq!(site.health().await["mismatches"]["posts"][0]["state"], "changed_both");
    assert_eq!(site.pull().await, did(0, 0, 0, 1), "and it stays told");
}

#[tokio::test]
async fn an_excerpt_that_was_changed_there_comes_here() {
    let site = Site::new().await;
    let post = site.desk.blog.write("tea", "<p>Tea</p>");
    site.pull().await;
    site.desk.blog.edit(post, |post| post["excerpt"]["raw"] = json!("Of leaves"));
    assert_eq!(site.pull().await, did(1, 0, 0, 0));
    let here = site.text("Theirs").await;
    assert_eq!((&here["excerpt"], &here["version"]), (&json!("Of leaves"), &json!(1)));
}

#[tokio::test]
async fn the_first_push_of_an_imported_text_leaves_what_people_told_search_engines() {
    let site = Site::new().await;
    site.desk.blog.change(|like| {
        like.meta_keys = vec!["_yoast_wpseo_title", "_yoast_wpseo_metadesc", "_yoast_wpseo_focuskw"];
    });
    let post = site.desk.blog.write("tea", "<p>Tea</p>");
    site.desk.blog.edit(post, |post| {
        post["excerpt"]["raw"] = json!("Short");
        post["meta"]["_yoast_wpseo_title"] = json!("By hand");
        post["meta"]["_yoast_wpseo_metadesc"] = json!("By hand");
    });
    site.pull().await;
    let path = site.path_of("Theirs").await;
    site.desk.front.patch(&path, &json!({ "content": "<p>Better tea</p>" })).await.is(200);
    assert_eq!(site.push().await, did(0, 1, 0, 0));
    let there = site.there("tea");
    assert!(text(&there["content"]["raw"]).contains("Better"), "{there}");
    assert_eq!(there["meta"]["_yoast_wpseo_title"], "By hand");
    assert_eq!(there["meta"]["_yoast_wpseo_metadesc"], "By hand");
}

#[tokio::test]
async fn the_hour_of_the_site_is_kept_true() {
    let site = Site::new().await;
    let post = site.desk.blog.write("tea", "<p>Tea</p>");
    let stand = |status: &'static str, date: &'static str| {
        site.desk.blog.edit(post, move |post| {
            post["status"] = json!(status);
            post["date_gmt"] = json!(date);
        });
    };
    let hour = async || {
        site.pull().await;
        let here = site.text("Theirs").await;
        (here["status"].clone(), here["scheduled_at"].clone())
    };
    stand("publish", "2026-11-01T00:00:00");
    assert_eq!(hour().await, (json!("published"), Value::Null));
    stand("future", "2028-01-01T10:00:00");
    assert_eq!(hour().await, (json!("scheduled"), json!("2028-01-01T10:00:00.000Z")));
    stand("future", "2028-02-01T10:00:00");
    assert_eq!(hour().await, (json!("scheduled"), json!("2028-02-01T10:00:00.000Z")));
    stand("publish", "2028-02-01T10:00:00");
    assert_eq!(hour().await, (json!("published"), Value::Null));
}

#[tokio::test]
async fn what_a_sync_finds_is_told_with_its_record() {
    let site = Site::new().await;
    let post = site.desk.blog.write("tea", "<p>Tea</p>");
    site.pull().await;
    let database = &site.desk.front.harness.database;
    hear(&site.desk).await;
    site.desk.blog.edit(post, |post| post["status"] = json!("draft"));
    site.pull().await;
    let told = heard(&site.desk).await;
    let record = database.texts("SELECT id::text FROM publications").await.remove(0);
    assert!(told.contains("publication.unpublished") && told.contains(&record), "{told}");
}

/// What is told from now on is kept in jobs that nobody does.
pub(super) async fn hear(desk: &Desk) {
    let listen = "INSERT INTO event_followers (org_id, kind, pool, max_attempts)
        SELECT id, 'heard', 'upkeep', 1 FROM organizations";
    desk.front.harness.database.execute(listen).await;
}

pub(super) async fn heard(desk: &Desk) -> String {
    desk.front.harness.database.texts("SELECT payload::text FROM steps WHERE kind = 'heard'").await.concat()
}

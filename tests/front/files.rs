//! Files: listed, looked at and deleted when nobody needs them.

use galley_domain::{Permission, Scope};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Front, text};

const FILES: &str = "/api/v1/files";

async fn order_from(front: &Front, file: &str) -> String {
    let order = front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea", "uploaded_files": [file] })).await;
    text(&order.is(202)["task_id"])
}

fn names(list: &Answer) -> Vec<String> {
    list.is(200)["data"].as_array().unwrap().iter().map(|file| text(&file["name"])).collect()
}

#[tokio::test]
async fn files_are_listed_newest_first_with_what_reads_them() {
    let front = Front::new().await;
    let faq = front.sample("faq.md").await;
    front.upload("100%_Tea.txt", "Tea is a drink made from leaves.").await.is(201);
    front.upload("notes.txt", "Coffee is a drink made from beans.").await.is(201);
    let (one, _) = (order_from(&front, &faq).await, order_from(&front, &faq).await);
    let list = front.get(FILES).await;
    assert_eq!(names(&list), ["notes.txt", "100%_Tea.txt", "faq.md"]);
    let shown = json!({ "total": 3, "page": 1, "offset": 0, "limit": 20, "total_pages": 1, "has_more": false });
    assert_eq!(list.json["pagination"], shown);
    let file = &list.json["data"][2];
    let expected = json!({
        "id": faq, "file_id": faq, "name": "faq.md", "kind": "md", "size": file["size"], "sha256": file["sha256"],
        "url": format!("{FILES}/{faq}/content"), "created_at": file["created_at"], "used_by": 2,
    });
    assert_eq!(file, &expected);
    assert!(text(&file["created_at"]).ends_with('Z'), "{file}");
    assert_eq!(front.get(&format!("{FILES}/{faq}")).await.is(200), &expected, "one is shown as the list shows it");
    front.delete(&format!("/api/v1/tasks/{one}")).await.is(200);
    assert_eq!(front.get(&format!("{FILES}/{faq}")).await.is(200)["used_by"], 1, "one order has ended");
    for (query, found) in [
        ("?search=TEA", vec!["100%_Tea.txt"]),
        ("?search=%25_", vec!["100%_Tea.txt"]),
        ("?search=f%25q", vec![]),
        ("?search=", vec!["notes.txt", "100%_Tea.txt", "faq.md"]),
        ("?kind=txt", vec!["notes.txt", "100%_Tea.txt"]),
        ("?kind=txt&search=note", vec!["notes.txt"]),
        ("?kind=pdf", vec![]),
        ("?limit=2", vec!["notes.txt", "100%_Tea.txt"]),
        ("?limit=2&page=2", vec!["faq.md"]),
        ("?page=3&page_size=2", vec![]),
    ] {
        assert_eq!(names(&front.get(&format!("{FILES}{query}")).await), found, "{query}");
    }
}

#[tokio::test]
async fn wrong_questions_name_the_parameter() {
    let front = Front::new().await;
    let long = format!("search={}", "x".repeat(256));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=1&page=2", "page"),
        ("kind=a&kind=b", "kind"),
        ("kind=something-that-is-no-kind", "kind"),
        ("search=a%00", "search"),
        (&long, "search"),
    ] {
        let refused = front.get(&format!("{FILES}?{query}")).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), [field], "{query}");
    }
}

#[tokio::test]
async fn a_file_goes_when_nobody_needs_it() {
    let front = Front::new().await;
    let faq = front.sample("faq.md").await;
    let path = format!("{FILES}/{faq}");
    let said = |answer: Answer, says: &str| {
        let problem = answer.is_problem(409, "CONFLICT");
        assert!(text(&problem["detail"]).contains(says), "{problem}");
    };
    let task = order_from(&front, &faq).await;
    said(front.delete(&path).await, "has not ended");
    front.delete(&format!("/api/v1/tasks/{task}")).await.is(200);
    front.harness.database.execute(&format!("UPDATE articles SET cover_file_id = '{faq}'")).await;
    said(front.delete(&path).await, "as its cover");
    front.harness.database.execute("UPDATE articles SET cover_file_id = NULL").await;
    let gone = front.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    for path in [path.clone(), format!("{path}/content")] {
        front.get(&path).await.is_problem(404, "NOT_FOUND");
    }
    front.delete(&path).await.is_problem(404, "NOT_FOUND");
    assert_eq!(names(&front.get(FILES).await), Vec::<String>::new());
    let refused = front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea", "uploaded_files": [faq] })).await;
    assert_eq!((refused.status, refused.wrong_fields()), (400, vec!["uploaded_files[0]"]));
}

#[tokio::test]
async fn others_files_do_not_exist_and_reading_is_not_deleting() {
    let front = Front::new().await;
    let faq = front.sample("faq.md").await;
    let path = format!("{FILES}/{faq}");
    let (_, stranger) = front.harness.other_tenant().await;
    let theirs = front.send(front.request_as(&stranger, Method::GET, FILES)).await;
    assert_eq!((theirs.is(200)["data"].clone(), &theirs.json["pagination"]["total"]), (json!([]), &json!(0)));
    let unknown = format!("{FILES}/0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e");
    let nonsense = format!("{FILES}/faq.md");
    for method in [Method::GET, Method::DELETE] {
        for (secret, path) in
            [(&stranger, &path), (&front.harness.secret, &unknown), (&front.harness.secret, &nonsense)]
        {
            front.send(front.request_as(secret, method.clone(), path)).await.is_problem(404, "NOT_FOUND");
        }
    }
    let reader = front.key(&[Permission::Read], &[Scope::Articles]).await;
    front.send(front.request_as(&reader, Method::GET, &path)).await.is(200);
    front.send(front.request_as(&reader, Method::DELETE, &path)).await.is_problem(403, "FORBIDDEN");
    assert_ne!(front.get(&path).await.is(200)["id"], Value::Null, "it is still there");
}

/// What an answer says of a file can be given back as it came.
#[tokio::test]
async fn an_order_takes_a_file_as_answers_show_it() {
    let front = Front::new().await;
    let uploaded = front.upload("tea.md", "# Tea\n\nTea is a drink made from leaves.").await.is(201).clone();
    let listed = front.get(FILES).await.is(200)["data"][0].clone();
    for file in [uploaded, listed] {
        let order = json!({ "user_prompt": "Tea", "uploaded_files": [file] });
        front.post("/api/v1/tasks", &order).await.is(202);
    }
    let unknown = json!({ "user_prompt": "Tea", "uploaded_files": [{ "id": "x", "colour": "green" }] });
    assert_eq!(front.post("/api/v1/tasks", &unknown).await.status, 400);
}

//! A publication folder that refuses for a while: a deployment that exchanges it, a mount that is repaired.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::{Value, json};

use super::{Daemon, PATIENCE, ordinary};

#[tokio::test]
async fn a_folder_that_opens_again_gets_the_article_once() {
    let dir = tempfile::tempdir().unwrap();
    let site = dir.path().join("site");
    fs::create_dir(&site).unwrap();
    let mode = |mode| fs::set_permissions(&site, fs::Permissions::from_mode(mode)).unwrap();
    let program = ordinary(dir.path());
    // Whoever runs it may neither list nor write.
    mode(0o711);
    let settings = [("GALLEY_PUBLISH__FOLDER", site.to_str().unwrap())];
    if !galley_private_postgres::is_root() {
        mode(0o000);
    }
    let mut daemon = Daemon::begin(program, &dir.path().join("data"), None, &["up"], &settings);
    let (key, address) = daemon.first_start().await;
    let client = reqwest::Client::new();
    let post = |path: &str| client.post(format!("{address}{path}")).bearer_auth(&key);
    let guide = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/brew-guide.pdf")).unwrap();
    let part = reqwest::multipart::Part::bytes(guide).file_name("brew-guide.pdf");
    let form = reqwest::multipart::Form::new().part("file", part);
    let file: Value = post("/api/v1/files").multipart(form).send().await.unwrap().json().await.unwrap();
    let order =
        json!({ "user_prompt": "Brewing coffee", "uploaded_files": [file["id"]], "min_words": 200, "max_words": 400 });
    let order: Value = post("/api/v1/tasks").json(&order).send().await.unwrap().json().await.unwrap();
    let task = order["task_id"].as_str().unwrap();
    let mut refused = 0;
    while refused < 2 {
        let said = daemon.says("permission denied; let the user that runs Galley write there").await;
        assert!(said.contains("\"transient\":true"), "{said}");
        // The sweep of the start looks there, too.
        refused += usize::from(said.contains("\"kind\":\"sync\""));
    }
    mode(0o777);
    // The stream ends with the task.
    let events = client.get(format!("{address}/api/v1/tasks/{task}/events")).bearer_auth(&key).send();
    let events = tokio::time::timeout(PATIENCE, async { events.await.unwrap().text().await.unwrap() }).await;
    assert!(events.expect("it ends within a minute").contains("completed"));
    assert_eq!(articles(&site), 1, "published once");
    daemon.killed().await;
}

fn articles(site: &Path) -> usize {
    fs::read_dir(site).unwrap().filter(|entry| entry.as_ref().unwrap().path().join("index.md").is_file()).count()
}

//! The real program: what it says and answers between the signal to stop and its end, and what it never logs.

use std::{path::Path, process::Stdio, time::Duration};

use galley_testkit::TestDatabase;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStdout, Command},
};

const LONG: Duration = Duration::from_secs(60);

struct Daemon {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
}

impl Daemon {
    fn start(database: &TestDatabase, data: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
        command.env("DATABASE_URL", &database.url).envs(variables.iter().copied());
        command.arg("--data").arg(data).args(["up", "--listen", "127.0.0.1:0"]);
        let log = std::fs::File::create(data.join("log")).unwrap();
        command.stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, out }
    }

    /// What stands behind these words in the next line that has them.
    async fn after(&mut self, words: &str) -> String {
        let reading = async {
            while let Some(line) = self.out.next_line().await.unwrap() {
                if let Some((_, rest)) = line.split_once(words) {
                    return rest.trim().to_owned();
                }
            }
            panic!("it ended without saying '{words}'")
        };
        tokio::time::timeout(LONG, reading).await.unwrap_or_else(|_| panic!("it says '{words}' within a minute"))
    }

    /// The key of the first start, and where it listens.
    async fn started(&mut self) -> (String, String) {
        let file = self.after("API key: in the file ").await;
        let key = std::fs::read_to_string(file.split(';').next().unwrap()).unwrap().trim().to_owned();
        let base = self.after("Galley is ready on").await;
        (key, base.split(' ').next().unwrap().to_owned())
    }

    fn interrupt(&self) {
        let id = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    }
}

#[tokio::test]
async fn a_daemon_that_stops_says_what_it_waits_for_and_answers_probes() {
    let (database, dir) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    let slow = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = slow.local_addr().unwrap().to_string();
    let mut daemon = Daemon::start(&database, dir.path(), &[("GALLEY_FETCH__ALLOW", &format!("[\"{link}\"]"))]);
    let (key, base) = daemon.started().await;
    assert!(daemon.after("Figures for Prometheus:").await.contains("/metrics (open,"), "it says where figures are");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let order = json!({ "user_prompt": "Tea", "reference_links": [format!("http://{link}/tea")] });
    let order = client.post(format!("{base}/api/v1/tasks")).bearer_auth(&key).json(&order).send().await.unwrap();
    assert_eq!(order.status(), 202, "{}", order.text().await.unwrap());
    // Research is in the middle of this page, or of its robots.txt.
    let (mut page, _) = tokio::time::timeout(LONG, slow.accept()).await.expect("the page is asked for").unwrap();
    daemon.interrupt();
    let waited = daemon.after("Stopping: waiting for").await;
    assert!(waited.starts_with("1 step, at most ") && waited.contains(" s more. Steps that do not end"), "{waited}");
    let ask = async |path: &str| -> (u16, Value) {
        let answer = client.get(format!("{base}{path}")).bearer_auth(&key).send().await.unwrap();
        assert_eq!(answer.headers()["connection"], "close", "{path}");
        (answer.status().as_u16(), answer.json().await.unwrap())
    };
    for path in ["/readyz", "/api/v1/credits"] {
        let (status, problem) = ask(path).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(status == 503 && detail.starts_with("the process is stopping"), "{path}: {problem}");
    }
    assert_eq!(ask("/healthz").await.0, 200);
    let again = daemon.after("Stopping: waiting for").await;
    assert!(again.starts_with("1 step, at most ") && again.ends_with(" s more."), "the way out is said once: {again}");
    assert_eq!(ask("/readyz").await.0, 503, "to the end");
    // The step ends with an answer, and the process with it.
    drop(slow);
    page.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
    let ended = tokio::time::timeout(LONG, daemon.child.wait()).await.expect("it ends").unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test]
async fn a_token_in_an_address_is_in_no_log() {
    let (database, dir) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    let mut daemon = Daemon::start(&database, dir.path(), &[("GALLEY_LOG", "trace")]);
    let (key, base) = daemon.started().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let text = "The ridge grows coffee in the shade of old trees. ".repeat(40);
    let part = reqwest::multipart::Part::text(text).file_name("ridge.txt");
    let form = reqwest::multipart::Form::new().part("file", part);
    let post = |path: &str| client.post(format!("{base}{path}")).bearer_auth(&key);
    let file: Value = post("/api/v1/files").multipart(form).send().await.unwrap().json().await.unwrap();
    let order = json!({ "user_prompt": "Coffee of the ridge", "uploaded_files": [file["id"]] });
    let order: Value = post("/api/v1/tasks").json(&order).send().await.unwrap().json().await.unwrap();
    let events = format!("/api/v1/tasks/{}/events", order["task_id"].as_str().unwrap());
    let made: Value = post(&format!("{events}/token")).send().await.unwrap().json().await.unwrap();
    let token = made["token"].as_str().unwrap();
    let followed = client.get(format!("{base}{events}?token={token}")).send().await.unwrap();
    assert_eq!(followed.status(), 200);
    assert!(followed.text().await.unwrap().contains("event: task.created"), "the stream comes, and ends with the task");
    for wrong in ["/api/v1/credits", "/nowhere", "/api/v1/tasks/x/events"] {
        client.get(format!("{base}{wrong}?token={token}")).send().await.unwrap();
    }
    daemon.interrupt();
    assert!(tokio::time::timeout(LONG, daemon.child.wait()).await.expect("it ends").unwrap().success());
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(
        log.contains("TRACE") && log.contains("/api/v1/tasks/{task_id}/events"),
        "the log is at its most talkative"
    );
    assert!(!log.contains(token), "{}", log.lines().find(|line| line.contains(token)).unwrap_or_default());
}

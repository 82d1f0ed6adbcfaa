//! What an outage of the database leaves in the log: one account of it, however much was asked meanwhile.

use galley_testkit::TestDatabase;
use serde_json::Value;

use super::{Daemon, PATIENCE};

#[tokio::test]
async fn an_outage_is_one_account_and_not_a_line_for_each_call() {
    let (database, dir) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    let mut daemon = Daemon::start(dir.path(), Some(&database), &["up"], &[("GALLEY_ENGINE__TICK_SECONDS", "1")]);
    let (key, address) = daemon.first_start().await;
    // Read meanwhile: a pipe that is full would hold the daemon up.
    let mut log = daemon.log;
    let reading = tokio::spawn(async move {
        let mut lines: Vec<Value> = Vec::new();
        while let Some(line) = log.next_line().await.unwrap() {
            lines.push(serde_json::from_str(&line).unwrap());
            if lines.last().is_some_and(|line| line["message"] == "the database answers again") {
                break;
            }
        }
        lines
    });
    let client = reqwest::Client::new();
    let ask = async |path: &str| {
        let answer = client.get(format!("{address}{path}")).bearer_auth(&key).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(ask("/api/v1/credits").await, 200);
    database.go_away().await;
    for _ in 0..40 {
        assert_eq!(ask("/api/v1/credits").await, 503);
        assert_eq!(ask("/readyz").await, 503);
    }
    database.come_back().await;
    let read = tokio::time::timeout(PATIENCE, reading).await;
    let mut lines = read.expect("it is told within a minute that it is back").unwrap();
    let ended = lines.pop().unwrap();
    assert!(ended["refused"].as_u64().unwrap() >= 80, "every refused call is counted: {ended}");
    let told: Vec<&Value> = lines.iter().filter(|line| line["message"] == "request").collect();
    assert!(
        told.iter().any(|line| line["status"] == 200) && told.iter().all(|line| line["status"] != 503),
        "{told:#?}"
    );
    let worth_a_look = |line: &&Value| line["level"] == "ERROR" || line["level"] == "WARN";
    let begun: Vec<&Value> =
        lines.iter().filter(worth_a_look).filter(|line| line["target"] != "galley::data_folder").collect();
    assert_eq!(begun.len(), 1, "one line when it begins, and nothing of frameworks: {begun:#?}");
    let message = begun[0]["message"].as_str().unwrap();
    assert!(message.starts_with("the database does not answer;") && begun[0]["level"] == "ERROR", "{message}");
    assert_eq!(ask("/api/v1/credits").await, 200);
    daemon.process.kill().await.unwrap();
}

//! `galley doctor` looks and changes nothing.

use std::{fs, path::Path, process::Command};

use galley_testkit::TestDatabase;

use super::{Daemon, signal};

fn doctor(data: &Path, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
    command.current_dir("/").env_remove("DATABASE_URL").envs(variables.iter().copied());
    let output = command.arg("--data").arg(data).arg("doctor").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

fn line<'a>(said: &'a str, subject: &str) -> &'a str {
    let found = said.lines().find(|line| line.split_whitespace().nth(1) == Some(subject));
    found.unwrap_or_else(|| panic!("no line of {subject} in {said}"))
}

#[tokio::test]
async fn it_makes_nothing_and_is_no_user_of_a_running_postgres() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("new/data");
    let (well, said) = doctor(&data, &[]);
    assert!(well && line(&said, "data").contains("the first start makes it"), "{said}");
    assert!(
        line(&said, "database").contains("none yet") && line(&said, "secrets").contains("the first start"),
        "{said}"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{said}");

    let mut daemon = Daemon::start(&data, None, &["up"], &[]);
    daemon.address().await;
    let before = entries(&data);
    let (well, said) = doctor(&data, &[]);
    assert!(well && line(&said, "database").contains("answers; the schema is up to date"), "{said}");
    assert_eq!(entries(&data), before, "nothing is made, no site either");
    signal(daemon.process.id().unwrap(), "-TERM");
    assert!(daemon.process.wait().await.unwrap().success());
    let before = entries(&data);
    let (well, said) = doctor(&data, &[]);
    assert!(well && line(&said, "database").contains("does not run"), "{said}");
    assert_eq!(entries(&data), before, "a cluster that is stopped stays so");
}

/// Names and times: a file that is made and removed again changes the time of its folder.
fn entries(data: &Path) -> Vec<String> {
    let mut found: Vec<String> = fs::read_dir(data)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            format!("{:?} {:?}", entry.file_name(), entry.metadata().unwrap().modified().unwrap())
        })
        .filter(|entry| !entry.starts_with("\"workers\""))
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn every_trouble_has_a_cause_and_a_way_out() {
    let database = TestDatabase::new().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let (inside, empty) = (file.join("x"), dir.path().to_str().unwrap());
    let unknown = database.url.replace(&database.name, "nobody_made_this");
    let nobody = database.url.replace("postgres://galley@", "postgres://nobody_here@");
    for (variables, subject, words) in [
        (
            &[("DATABASE_URL", "postgres://127.0.0.1:1/x")][..],
            "database",
            ["127.0.0.1:1 cannot be reached", "check that the server runs"],
        ),
        (&[("DATABASE_URL", &unknown)], "database", ["does not exist", "correct its name in DATABASE_URL"]),
        (&[("DATABASE_URL", &nobody)], "database", ["nobody_here", "check user and password"]),
        (&[("GALLEY_DATABASE__BIN_DIR", empty)], "postgres", ["no usable PostgreSQL", "database.bin_dir"]),
        (&[("GALLEY_PUBLISH__FOLDER", inside.to_str().unwrap())], "publishing", ["Not a directory", "publish.folder"]),
        (&[("GALLEY_DATA", "/proc/nowhere")], "data", ["/proc/nowhere", "--data"]),
        (
            &[("GALLEY_SEARCH__PROVIDER", "searxng"), ("GALLEY_SEARCH__URL", "http://127.0.0.1:1")],
            "search",
            ["cannot be reached", "check `search.url`"],
        ),
        (
            &[
                ("GALLEY_WRITER__KIND", "openai"),
                ("GALLEY_WRITER__BASE_URL", "http://127.0.0.1:1/v1"),
                ("GALLEY_WRITER__MODEL", "m"),
            ],
            "writer",
            ["127.0.0.1:1", "check writer.base_url"],
        ),
    ] {
        let data = if subject == "data" { Path::new("/proc/nowhere").to_owned() } else { dir.path().join("data") };
        let (well, said) = doctor(&data, variables);
        let told = line(&said, subject);
        assert!(!well && told.starts_with("FAIL"), "{said}");
        assert!(words.iter().all(|word| told.contains(word)), "{words:?} in {told}");
    }
    assert!(!dir.path().join("data").exists());
}

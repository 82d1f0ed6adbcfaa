//! From nothing to the first article: what a start makes, says and leaves.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use galley_testkit::TestDatabase;

use super::Daemon;

/// A data folder that is not there yet, where also the user that runs Postgres for root can go.
fn new_data(dir: &tempfile::TempDir) -> std::path::PathBuf {
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir.path().join("data")
}

fn each_entry(folder: &Path, look: &mut impl FnMut(&Path, &fs::Metadata)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        look(&path, &found);
        if found.is_dir() {
            each_entry(&path, look);
        }
    }
}

#[tokio::test]
async fn nothing_in_the_data_folder_is_open_to_other_users() {
    let dir = tempfile::tempdir().unwrap();
    let data = new_data(&dir);
    let mut daemon = Daemon::start(&data, None, &["up"], &[]);
    if is_root() {
        let told = daemon.says("runs as root").await;
        assert!(told.contains("GALLEY_POSTGRES_USER") && told.contains("chown -R"), "{told}");
    }
    let (key, address) = daemon.first_start().await;
    let part = reqwest::multipart::Part::text("Tea grows in the hills. ".repeat(20)).file_name("tea.txt");
    let form = reqwest::multipart::Form::new().part("file", part);
    let client = reqwest::Client::new();
    let answer = client.post(format!("{address}/api/v1/files")).bearer_auth(key).multipart(form).send().await.unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());

    let root = fs::metadata(&data).unwrap();
    let expected = if is_root() { 0o751 } else { 0o750 };
    assert_eq!(root.mode() & 0o777, expected);
    assert!(data.join("pgdata").is_dir(), "the user of Postgres can come in");
    let (mut files, mut open) = (0, Vec::new());
    each_entry(&data, &mut |path, found| {
        let mode = found.mode() & 0o777;
        let name = path.strip_prefix(&data).unwrap().to_str().unwrap().to_owned();
        if name.starts_with("pgdata/") {
            return; // Postgres' own, below a folder that only its user can enter.
        }
        let closed = match (found.is_dir(), name.as_str()) {
            (_, "pgdata" | "run" | "log" | "envelope.key" | "first-key") => mode & 0o077 == 0,
            (true, inner) if inner.starts_with("files/") => true, // The folder around them is closed.
            (true, _) => mode & 0o027 == 0,
            (false, _) => mode & 0o137 == 0,
        };
        files += usize::from(name.starts_with("files/") && found.is_file());
        if !closed && !name.starts_with("run/") {
            open.push(format!("{name} has mode {mode:o}"));
        }
    });
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(files, 1, "the upload was looked at");
    daemon.killed().await;
}

/// Standard output of a daemon lands in a journal.
#[tokio::test]
async fn the_first_key_goes_to_a_file_once() {
    let database = TestDatabase::new().await;
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("key"));
    let up = ["up", "--key-file", file.to_str().unwrap()];
    fs::write(&file, "precious").unwrap();
    let mut refused = Daemon::start(&data, Some(&database), &up, &[]);
    let told = refused.says("there is a file already").await;
    assert!(told.contains("--key-file"), "{told}");
    assert!(!refused.process.wait().await.unwrap().success());
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert_eq!(database.number("SELECT count(*) FROM api_keys").await, 0, "no key is lost");

    fs::remove_file(&file).unwrap();
    let mut daemon = Daemon::start(&data, Some(&database), &up, &[]);
    let (key, address) = daemon.first_start().await;
    assert!(key.starts_with("gk_"));
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let answer =
        reqwest::Client::new().get(format!("{address}/api/v1/credits")).bearer_auth(&key).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    daemon.killed().await;
    // Every later start is given the same flag by its unit.
    let mut daemon = Daemon::start(&data, Some(&database), &up, &[]);
    daemon.address().await;
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), key);
    assert!(!data.join("first-key").exists());
    daemon.killed().await;
}

fn is_root() -> bool {
    galley_private_postgres::is_root()
}

//! What is damaged, missing or in the way.

use std::{
    fs,
    os::unix::{fs::symlink, process::CommandExt},
    path::Path,
    process::Command,
    time::Duration,
};

use galley_private_postgres::{PgError, start};
use tokio::time::{Instant, sleep};

use crate::support::{
    PATIENCE, begin, hold_program, is_root, kept, made, nothing_left, open_folder, processes, settings, sql,
};

#[tokio::test]
async fn an_initdb_killed_in_the_middle_is_done_again() {
    let temp = open_folder();
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    let mut first = begin(Command::new(hold_program()), &data);
    let deadline = Instant::now() + PATIENCE;
    let partial = |dir: &Path| {
        let names = fs::read_dir(dir).unwrap().flatten();
        names.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("pgdata.partial-"))
    };
    while !partial(&data).is_some_and(|dir| dir.join("PG_VERSION").exists()) {
        assert!(Instant::now() < deadline, "initdb does not begin");
        sleep(Duration::from_millis(1)).await;
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(!data.join("pgdata").exists());

    let cluster = start(settings(&data)).await.unwrap();
    assert_eq!(sql(&cluster.url("postgres"), "SELECT 1"), "1");
    cluster.stop().await.unwrap();
    nothing_left(&data).await;
    start(settings(&data)).await.unwrap().stop().await.unwrap();
    assert_eq!(partial(&data), None);
}

#[tokio::test]
async fn a_pid_file_that_names_a_living_stranger_is_no_server() {
    let made = made().await;
    let mut command = Command::new("sleep");
    command.arg("300").current_dir("/");
    if is_root() {
        // A process of the server's own user is the hard case: Postgres itself would refuse to start.
        let owner = nix::sys::stat::stat(&made.data.join("pgdata")).unwrap();
        command.uid(owner.st_uid).gid(owner.st_gid);
    }
    let mut stranger = command.spawn().unwrap();
    let pgdata = made.data.join("pgdata");
    let run = made.data.join("run");
    let lines =
        format!("{}\n{}\n1700000000\n5432\n{}\n\n 1 2\nready   \n", stranger.id(), pgdata.display(), run.display());
    fs::write(pgdata.join("postmaster.pid"), &lines).unwrap();
    fs::write(run.join(".s.PGSQL.5432.lock"), &lines).unwrap();
    let cluster = start(settings(&made.data)).await.unwrap();
    assert_eq!(kept(&cluster.url("postgres")), "42");
    cluster.stop().await.unwrap();
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was hurt");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    made.finish().await;
}

#[tokio::test]
async fn a_server_that_answers_but_cannot_be_seen_is_left_alone() {
    let made = made().await;
    let (pgdata, run) = (made.data.join("pgdata"), made.data.join("run"));
    let _listener = std::os::unix::net::UnixListener::bind(run.join(".s.PGSQL.5432")).unwrap();
    let lines = format!("2147483646\n{}\n1700000000\n5432\n{}\n", pgdata.display(), run.display());
    fs::write(pgdata.join("postmaster.pid"), lines).unwrap();
    let error = start(settings(&made.data)).await.unwrap_err();
    assert!(matches!(error, PgError::UnseenServer { .. }), "{error}");
    fs::remove_file(run.join(".s.PGSQL.5432")).unwrap();
    fs::remove_file(pgdata.join("postmaster.pid")).unwrap();
    made.finish().await;
}

#[tokio::test]
async fn missing_programs_leave_nothing_behind() {
    let temp = open_folder();
    let data = temp.path().join("data");
    let mut settings = settings(&data);
    settings.bin_dir = Some(temp.path().to_owned());
    let error = start(settings).await.unwrap_err().to_string();
    assert!(error.contains("there is no `postgres`"), "{error}");
    assert!(processes(&data, "").is_empty());
    assert!(!data.join("pgdata").exists());
}

#[tokio::test]
async fn a_cluster_of_another_version_or_damaged_is_reported_and_kept() {
    let made = made().await;
    let version = made.data.join("pgdata/PG_VERSION");
    let real = fs::read_to_string(&version).unwrap();
    fs::write(&version, "99\n").unwrap();
    let error = start(settings(&made.data)).await.unwrap_err();
    assert!(matches!(&error, PgError::WrongVersion { cluster: 99, .. }), "{error}");
    fs::remove_file(&version).unwrap();
    let error = start(settings(&made.data)).await.unwrap_err();
    assert!(matches!(&error, PgError::NotACluster { .. }), "{error}");
    fs::write(&version, real).unwrap();
    let control = made.data.join("pgdata/global/pg_control");
    fs::rename(&control, made.data.join("pg_control")).unwrap();
    let error = start(settings(&made.data)).await.unwrap_err();
    assert!(error.to_string().contains("global/pg_control is missing"), "{error}");
    fs::rename(made.data.join("pg_control"), &control).unwrap();
    if is_root() {
        let owner = nix::sys::stat::stat(&made.data.join("pgdata")).unwrap();
        std::os::unix::fs::chown(&version, Some(owner.st_uid), Some(owner.st_gid)).unwrap();
    }
    let cluster = start(settings(&made.data)).await.unwrap();
    assert_eq!(kept(&cluster.url("postgres")), "42");
    cluster.stop().await.unwrap();
    made.finish().await;
}

#[tokio::test]
async fn a_server_that_dies_at_start_says_why_at_once() {
    let made = made().await;
    let mut wrong = settings(&made.data);
    wrong.extra = vec![("shared_preload_libraries".into(), "no_such_library".into())];
    let begun = Instant::now();
    let error = start(wrong).await.unwrap_err();
    assert!(begun.elapsed() < PATIENCE / 2);
    assert!(matches!(error, PgError::Died { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("no_such_library") && message.contains("log/postgres.log"), "{message}");
    made.finish().await;
}

#[tokio::test]
async fn a_start_that_takes_too_long_is_given_up_and_cleaned_away() {
    let made = made().await;
    let mut hurried = settings(&made.data);
    hurried.start_timeout = Duration::ZERO;
    let error = start(hurried).await.unwrap_err();
    assert!(matches!(error, PgError::Timeout { .. }), "{error}");
    nothing_left(&made.data).await;
    let cluster = start(settings(&made.data)).await.unwrap();
    assert_eq!(kept(&cluster.url("postgres")), "42");
    cluster.stop().await.unwrap();
    made.finish().await;
}

#[tokio::test]
async fn a_log_that_is_a_link_is_not_written_through() {
    let made = made().await;
    let (log, victim) = (made.data.join("log/postgres.log"), made.path().join("victim"));
    fs::write(&victim, "untouched").unwrap();
    fs::remove_file(&log).unwrap();
    symlink(&victim, &log).unwrap();
    let error = start(settings(&made.data)).await.unwrap_err().to_string();
    assert!(error.contains("cannot open") && error.contains("postgres.log"), "{error}");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    fs::remove_file(&log).unwrap();
    made.finish().await;
}

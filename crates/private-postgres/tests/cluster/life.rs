//! Start, stop, crash, start again.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio};

use galley_private_postgres::{PgError, Role, Stopped, start};

use crate::support::{kept, made, murder, nothing_left, open_folder, psql, settings, sql};

#[tokio::test]
async fn the_first_start_makes_a_database_that_is_there_again() {
    let temp = open_folder();
    // A folder that needs quoting everywhere.
    let data = temp.path().join("it's a \"data\", folder%");
    let cluster = start(settings(&data)).await.unwrap();
    assert_eq!(cluster.role(), Role::Owner);
    assert!(cluster.create_database_if_missing("Ga'll\"ey ü").await.unwrap());
    assert!(!cluster.create_database_if_missing("Ga'll\"ey ü").await.unwrap());
    for bad in ["", "a\0b", &"x".repeat(64)] {
        assert!(matches!(cluster.create_database_if_missing(bad).await, Err(PgError::Settings(_))), "{bad}");
    }
    let url = cluster.url("Ga'll\"ey ü");
    sql(&url, "CREATE TABLE kept AS SELECT 42 AS value");
    assert_eq!(sql(&url, "SELECT lower('Ä') || current_setting('server_encoding')"), "äUTF8");
    assert_eq!(sql(&url, "SHOW listen_addresses"), "");
    assert!(!cluster.socket_dir().starts_with(temp.path()), "a comma cannot stand in the URL");
    let mode = fs::metadata(cluster.socket_dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(cluster.stop().await.unwrap(), Stopped::Stopped);
    nothing_left(&data).await;

    let cluster = start(settings(&data)).await.unwrap();
    assert_eq!(kept(&cluster.url("Ga'll\"ey ü")), "42");
    assert_eq!(cluster.stop().await.unwrap(), Stopped::Stopped);
    nothing_left(&data).await;
}

#[tokio::test]
async fn a_killed_server_is_recovered_while_its_old_handle_is_still_held() {
    let made = made().await;
    let before = start(settings(&made.data)).await.unwrap();
    sql(&before.url("postgres"), "INSERT INTO kept VALUES (43)");
    murder(before.postmaster_pid());
    let after = start(settings(&made.data)).await.unwrap();
    assert_ne!(before.postmaster_pid(), after.postmaster_pid());
    assert_eq!(sql(&after.url("postgres"), "SELECT sum(value) FROM kept"), "85");
    // The old handle still counts as a user, and its URL leads to the new server.
    assert_eq!(after.stop().await.unwrap(), Stopped::StillInUse);
    assert_eq!(kept(&before.url("postgres")), "42\n43");
    sql(&before.url("postgres"), "DELETE FROM kept WHERE value = 43");
    assert_eq!(before.stop().await.unwrap(), Stopped::Stopped);
    made.finish().await;
}

#[tokio::test]
async fn a_start_waits_for_the_busy_helpers_of_a_killed_server() {
    let made = made().await;
    let before = start(settings(&made.data)).await.unwrap();
    let url = before.url("postgres");
    // Counts without ever looking up, so it outlives its server for about a second.
    let count = "SELECT count(*) FROM generate_series(1, 6000000)";
    let mut busy = psql(&url, count).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let seen = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series%'";
    while sql(&url, seen) != "2" {
        assert!(busy.try_wait().unwrap().is_none(), "the query is too short for this machine");
    }
    murder(before.postmaster_pid());
    let after = start(settings(&made.data)).await.unwrap();
    assert_eq!(kept(&after.url("postgres")), "42");
    busy.wait().unwrap();
    before.stop().await.unwrap();
    assert_eq!(after.stop().await.unwrap(), Stopped::Stopped);
    let log = fs::read_to_string(made.data.join("log/postgres.log")).unwrap();
    assert!(log.contains("pre-existing shared memory block"), "the helper was gone too early to prove anything");
    made.finish().await;
}

#[tokio::test]
async fn a_dropped_cluster_ends_too() {
    let made = made().await;
    drop(start(settings(&made.data)).await.unwrap());
    nothing_left(&made.data).await;
    let cluster = start(settings(&made.data)).await.unwrap();
    assert_eq!(kept(&cluster.url("postgres")), "42");
    cluster.stop().await.unwrap();
    made.finish().await;
}

#[tokio::test]
async fn a_stop_after_the_server_died_is_no_error() {
    let made = made().await;
    let cluster = start(settings(&made.data)).await.unwrap();
    murder(cluster.postmaster_pid());
    assert_eq!(cluster.stop().await.unwrap(), Stopped::Stopped);
    made.finish().await;
}

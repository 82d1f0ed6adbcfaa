//! Where the files lie: root, other users, long paths.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown, symlink},
    os::unix::process::CommandExt,
    process::Command,
};

use galley_private_postgres::{PgError, start};
use nix::unistd::User;

use crate::support::{
    begin, hold_program, is_root, kept, made, nothing_left, open_folder, ready, set_mode, settings, sql,
};

#[tokio::test]
async fn root_keeps_the_database_where_the_servers_user_can_reach_it() {
    if !is_root() {
        return;
    }
    let temp = open_folder();
    let (closed, open) = (temp.path().join("closed"), temp.path().join("open"));
    fs::create_dir(&closed).unwrap();
    set_mode(&closed, 0o700);
    let data = closed.join("deep/data");

    let error = start(settings(&data)).await.unwrap_err();
    assert!(matches!(&error, PgError::Unreachable { folder, .. } if *folder == closed), "{error}");
    assert!(error.to_string().contains("--data DIR"), "{error}");

    let mut settings = settings(&data);
    settings.fallback_dirs = vec![closed.join("also"), open.clone()];
    let cluster = start(settings.clone()).await.unwrap();
    sql(&cluster.url("postgres"), "CREATE TABLE kept AS SELECT 42 AS value");
    let location = fs::read_to_string(data.join("location")).unwrap();
    assert!(location.starts_with(open.to_str().unwrap()), "{location}");
    assert_ne!(fs::metadata(cluster.socket_dir()).unwrap().uid(), 0);
    assert_eq!(fs::read_dir(closed.join("also")).unwrap().count(), 0);
    cluster.stop().await.unwrap();

    settings.fallback_dirs.clear();
    let cluster = start(settings.clone()).await.unwrap();
    assert_eq!(kept(&cluster.url("postgres")), "42");
    cluster.stop().await.unwrap();
    nothing_left(&open).await;

    fs::rename(&open, temp.path().join("gone")).unwrap();
    let error = start(settings).await.unwrap_err();
    assert!(matches!(error, PgError::LostLocation { .. }), "{error}");
}

#[tokio::test]
async fn a_cluster_behind_a_closed_folder_is_an_error_not_a_new_cluster() {
    if !is_root() {
        return;
    }
    let made = made().await;
    set_mode(made.path(), 0o700);
    let mut settings = settings(&made.data);
    settings.fallback_dirs = vec![std::env::temp_dir()];
    let error = start(settings).await.unwrap_err();
    assert!(matches!(&error, PgError::Unreachable { folder, .. } if folder == made.path()), "{error}");
    set_mode(made.path(), 0o755);
    made.finish().await;
}

#[tokio::test]
async fn a_cluster_of_root_is_refused_with_the_way_out() {
    if !is_root() {
        return;
    }
    let made = made().await;
    let pgdata = made.data.join("pgdata");
    let owner = fs::metadata(&pgdata).unwrap();
    chown(&pgdata, Some(0), Some(0)).unwrap();
    let error = start(settings(&made.data)).await.unwrap_err().to_string();
    assert!(error.contains("belongs to root") && error.contains("chown"), "{error}");
    chown(&pgdata, Some(owner.uid()), Some(owner.gid())).unwrap();
    made.finish().await;
}

#[tokio::test]
async fn an_ordinary_user_needs_nothing_and_root_can_go_on_with_it() {
    if !is_root() {
        return;
    }
    let nobody = User::from_name("nobody").unwrap().unwrap();
    let temp = open_folder();
    let (program, data) = (temp.path().join("hold"), temp.path().join("data"));
    fs::copy(hold_program(), &program).unwrap();
    fs::create_dir(&data).unwrap();
    chown(&data, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
    let mut command = Command::new(program);
    command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw()).current_dir("/");
    let held = ready(begin(command, &data));
    sql(&held.url, "CREATE TABLE kept AS SELECT 42 AS value");

    let joined = start(settings(&data)).await.unwrap();
    assert_eq!(joined.postmaster_pid(), held.postmaster);
    assert_eq!(joined.stop().await.unwrap(), galley_private_postgres::Stopped::StillInUse);
    assert_eq!(held.stop(), "Stopped");
    let root = start(settings(&data)).await.unwrap();
    assert_eq!(kept(&root.url("postgres")), "42");
    assert_eq!(fs::metadata(data.join("pgdata")).unwrap().uid(), nobody.uid.as_raw());
    root.stop().await.unwrap();
    nothing_left(&data).await;
}

#[tokio::test]
async fn a_long_path_moves_the_socket_only() {
    let made = made().await;
    let long = made.path().join("long".repeat(30));
    fs::create_dir(&long).unwrap();
    let data = long.join("data");
    fs::rename(&made.data, &data).unwrap();
    let cluster = start(settings(&data)).await.unwrap();
    let socket_dir = cluster.socket_dir().to_owned();
    assert!(!socket_dir.starts_with(made.path()) && socket_dir.as_os_str().len() < 90, "{}", socket_dir.display());
    assert_eq!(fs::metadata(&socket_dir).unwrap().mode() & 0o777, 0o700);
    assert_eq!(kept(&cluster.url("postgres")), "42");
    let joined = start(settings(&data)).await.unwrap();
    assert_eq!(joined.socket_dir(), socket_dir);
    joined.stop().await.unwrap();
    cluster.stop().await.unwrap();
    assert!(!socket_dir.exists());
    nothing_left(&data).await;
}

#[tokio::test]
async fn a_linked_data_folder_is_the_same_cluster() {
    let made = made().await;
    let link = made.path().join("link");
    symlink(&made.data, &link).unwrap();
    let first = start(settings(&made.data)).await.unwrap();
    let second = start(settings(&link)).await.unwrap();
    assert_eq!(first.postmaster_pid(), second.postmaster_pid());
    second.stop().await.unwrap();
    first.stop().await.unwrap();
    made.finish().await;
}

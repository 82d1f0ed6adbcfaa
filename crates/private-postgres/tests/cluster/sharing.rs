//! Several processes on one data folder, and processes that die.

use std::process::Command;

use galley_private_postgres::{Role, State, Stopped, look, start};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::{Pid, getpgid},
};

use crate::support::{
    begin, hold, hold_program, kept, made, murder, nothing_left, open_folder, processes, ready, settings,
};

#[tokio::test]
async fn two_first_starts_at_once_make_one_database() {
    let temp = open_folder();
    let data = temp.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let other = begin(Command::new(hold_program()), &data);
    let ours = start(settings(&data)).await.unwrap();
    let other = ready(other);
    assert_eq!(other.postmaster, ours.postmaster_pid());
    let mut roles = [other.role.clone(), format!("{:?}", ours.role())];
    roles.sort();
    assert_eq!(roles, ["Joined", "Owner"]);
    assert_eq!(other.stop(), "StillInUse");
    assert_eq!(ours.stop().await.unwrap(), Stopped::Stopped);
    nothing_left(&data).await;
}

#[tokio::test]
async fn a_killed_owner_takes_its_server_along_and_the_data_stays() {
    let made = made().await;
    let owner = hold(&made.data);
    assert_eq!(owner.role, "Owner");
    owner.murder();
    nothing_left(&made.data).await;
    // At once, so that the next start meets the watchdog at its work.
    for _ in 0..3 {
        hold(&made.data).murder();
        let cluster = start(settings(&made.data)).await.unwrap();
        assert_eq!((cluster.role(), &*kept(&cluster.url("postgres"))), (Role::Owner, "42"));
        cluster.stop().await.unwrap();
    }
    made.finish().await;
}

#[tokio::test]
async fn the_server_stays_for_those_who_joined() {
    let made = made().await;
    let owner = hold(&made.data);
    let joined = start(settings(&made.data)).await.unwrap();
    assert_eq!(joined.role(), Role::Joined);
    owner.murder();
    let third = hold(&made.data);
    assert_eq!((third.role.as_str(), third.postmaster), ("Joined", joined.postmaster_pid()));
    assert_eq!(kept(&joined.url("postgres")), "42");
    assert_eq!(joined.stop().await.unwrap(), Stopped::StillInUse);
    assert_eq!(kept(&third.url), "42");
    assert_eq!(third.stop(), "Stopped");
    made.finish().await;
}

#[tokio::test]
async fn a_killed_watchdog_is_replaced_and_counts_the_old_users() {
    let made = made().await;
    let owner = hold(&made.data);
    let watchdogs = processes(&made.data, "galley-postgres-watch");
    assert_eq!(watchdogs.len(), 1);
    murder(watchdogs[0]);
    let joined = hold(&made.data);
    assert_eq!((joined.role.as_str(), joined.postmaster), ("Joined", owner.postmaster));
    assert_eq!(processes(&made.data, "galley-postgres-watch").len(), 1);
    joined.murder();
    assert_eq!(kept(&owner.url), "42");
    owner.murder();
    made.finish().await;
}

#[tokio::test]
async fn an_orphan_without_a_watchdog_is_taken_over() {
    let made = made().await;
    let owner = hold(&made.data);
    let postmaster = owner.postmaster;
    murder(processes(&made.data, "galley-postgres-watch")[0]);
    owner.murder();
    let heir = start(settings(&made.data)).await.unwrap();
    assert_eq!((heir.role(), heir.postmaster_pid()), (Role::Owner, postmaster));
    assert_eq!(heir.stop().await.unwrap(), Stopped::Stopped);
    made.finish().await;
}

#[tokio::test]
async fn ctrl_c_reaches_us_and_not_the_server() {
    let made = made().await;
    let owner = hold(&made.data);
    for pid in processes(&made.data, "").into_iter().filter(|pid| pid.cast_signed() != owner.group().as_raw()) {
        assert_ne!(getpgid(Some(Pid::from_raw(pid.cast_signed()))).unwrap(), owner.group());
    }
    let joined = start(settings(&made.data)).await.unwrap();
    killpg(owner.group(), Signal::SIGINT).unwrap();
    owner.wait();
    assert_eq!(kept(&joined.url("postgres")), "42");
    joined.stop().await.unwrap();
    made.finish().await;
}

/// Whoever only looks is no user: the last one stops the server all the same.
#[tokio::test]
async fn a_look_joins_nothing_and_makes_nothing() {
    let empty = open_folder();
    let looked = look(&settings(&empty.path().join("data"))).await.unwrap();
    assert_eq!((looked.state, looked.binaries.is_ok()), (State::Missing, true));
    assert!(!empty.path().join("data").exists());

    let made = made().await;
    let looked = look(&settings(&made.data)).await.unwrap();
    assert_eq!((looked.state.url("postgres"), looked.state), (None, State::Stopped));
    let cluster = start(settings(&made.data)).await.unwrap();
    let looked = look(&settings(&made.data)).await.unwrap();
    assert_eq!(looked.state.url("postgres"), Some(cluster.url("postgres")));
    assert_eq!(cluster.stop().await.unwrap(), Stopped::Stopped);
    made.finish().await;
}

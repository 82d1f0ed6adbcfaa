//! Changing the envelope key.

use galley_domain::{Hidden, Operator, OrgId};
use galley_services::SecretPurpose;
use galley_testkit::Harness;
use galley_vault::{Keyring, VaultError};

use super::{fresh, hold};

const MODEL_KEY: SecretPurpose = SecretPurpose::ModelKey;
/// More than two batches.
const MANY: usize = 450;

async fn tenants(harness: &Harness, count: usize) -> Vec<OrgId> {
    let mut orgs = Vec::new();
    for number in 0..count {
        let org = harness.services.store().system().create_organization(&format!("Org {number}")).await.unwrap();
        harness.services.set_secret(org, MODEL_KEY, &secret(number)).await.unwrap();
        orgs.push(org);
    }
    orgs
}

fn secret(number: usize) -> Hidden {
    Hidden::new(format!("sk-{number}"))
}

async fn assert_all_open(harness: &Harness, orgs: &[OrgId]) {
    for (number, org) in orgs.iter().enumerate() {
        assert_eq!(harness.services.secret(*org, MODEL_KEY).await.unwrap(), Some(secret(number)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rotations_at_once_move_every_secret_once() {
    let mut harness = Harness::new().await;
    let (old_ring, old) = fresh();
    hold(&mut harness, Some(old_ring));
    let orgs = tenants(&harness, MANY).await;
    let (new_ring, new) = fresh();
    let id = new_ring.current().to_string();
    hold(&mut harness, Some(Keyring::new(&new, [&old]).unwrap()));
    let operator = harness.services.operator(Operator::of_this_machine());
    let (one, two) = tokio::join!(operator.rotate_secrets(), operator.rotate_secrets());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.moved + two.moved, one.stuck.len() + two.stuck.len()), (MANY as u64, 0));
    let again = operator.rotate_secrets().await.unwrap();
    assert_eq!((again.moved, again.stuck.len()), (0, 0), "nothing is left to do");
    assert_eq!(operator.secrets_by_key().await.unwrap(), [(id, MANY as i64)]);
    // The old key is not needed any more.
    hold(&mut harness, Some(new_ring));
    assert_all_open(&harness, &orgs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_is_named_and_left_and_the_rest_is_moved() {
    let mut harness = Harness::new().await;
    let (lost_ring, _) = fresh();
    hold(&mut harness, Some(lost_ring));
    let lost = tenants(&harness, 1).await[0];
    let (old_ring, old) = fresh();
    hold(&mut harness, Some(old_ring));
    let orgs = tenants(&harness, 5).await;
    let spoil = format!("UPDATE secrets SET wrapped_key = 'x' WHERE org_id = '{}'", orgs[2]);
    harness.database.execute(&spoil).await;
    let before = harness.database.number("SELECT count(*) FROM secrets WHERE octet_length(sealed) > 0").await;

    hold(&mut harness, Some(Keyring::new(&fresh().1, [&old]).unwrap()));
    for moved in [4, 0] {
        let done = harness.services.operator(Operator::of_this_machine()).rotate_secrets().await.unwrap();
        let stuck: Vec<_> = done.stuck.iter().map(|stuck| (stuck.org, stuck.why.clone())).collect();
        assert_eq!((done.moved, stuck.len()), (moved, 2), "{stuck:?}");
        assert!(stuck.iter().any(|(org, why)| *org == lost && matches!(why, VaultError::UnknownKey(_))), "{stuck:?}");
        assert!(stuck.contains(&(orgs[2], VaultError::NotOpened)), "{stuck:?}");
    }
    assert_eq!(harness.database.number("SELECT count(*) FROM secrets").await, before);
    for (number, org) in orgs.iter().enumerate().filter(|(number, _)| *number != 2) {
        assert_eq!(harness.services.secret(*org, MODEL_KEY).await.unwrap(), Some(secret(number)));
    }
}

/// Whoever sets a secret while a rotation has its row in hand neither loses it nor is undone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_set_during_a_rotation_stands() {
    let mut harness = Harness::new().await;
    let (old_ring, old) = fresh();
    hold(&mut harness, Some(old_ring));
    let orgs = tenants(&harness, 3).await;
    hold(&mut harness, Some(Keyring::new(&fresh().1, [&old]).unwrap()));
    let held = harness.database.hold("SELECT 1 FROM secrets FOR UPDATE").await;
    let services = harness.services.clone();
    let rotating = tokio::spawn(async move { services.operator(Operator::of_this_machine()).rotate_secrets().await });
    harness.database.waiting_for_locks(1).await;
    let (services, org) = (harness.services.clone(), orgs[1]);
    let setting = tokio::spawn(async move { services.set_secret(org, MODEL_KEY, &Hidden::new("sk-newer")).await });
    harness.database.waiting_for_locks(2).await;
    held.release().await;
    setting.await.unwrap().unwrap();
    let done = rotating.await.unwrap().unwrap();
    assert!(done.stuck.is_empty() && (2..=3).contains(&done.moved), "{done:?}");
    let newer = harness.services.secret(org, MODEL_KEY).await.unwrap();
    assert_eq!(newer, Some(Hidden::new("sk-newer")));
    assert_eq!(harness.services.operator(Operator::of_this_machine()).secrets_by_key().await.unwrap().len(), 1);
}

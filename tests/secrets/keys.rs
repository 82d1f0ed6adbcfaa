//! An organization's own model key, over real HTTP.

use std::{collections::BTreeSet, sync::Arc};

use galley_ai::{Endpoint, OpenAiWriter};
use galley_domain::{Hidden, OrgId, Principal, order::ArticleOrder, task::TaskStatus, writing::Writer};
use galley_services::{SecretPurpose, ServiceError, TaskView, Upload};
use galley_testkit::{Harness, order};
use uuid::Uuid;

use crate::replay::{self, model::Model};

use super::{
    fresh, hold,
    peer::{Mood, Peer},
};

const MODEL_KEY: SecretPurpose = SecretPurpose::ModelKey;
const OPERATORS: &str = "sk-operator";

fn writer(peer: &Peer) -> Arc<dyn Writer> {
    let base = format!("http://127.0.0.1:{}/v1", peer.port);
    let mut endpoint = Endpoint::new("peer", &base, "m1").unwrap();
    endpoint.api_key = Some(Hidden::new(OPERATORS));
    Arc::new(OpenAiWriter::new(endpoint).unwrap())
}

async fn ordered(harness: &Harness, principal: &Principal) -> Uuid {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/faq.md");
    let upload = Upload { name: "faq.md".into(), bytes: std::fs::read(path).unwrap().into() };
    let file = harness.services.upload(principal.org, upload, None).await.unwrap().value.id;
    let order = ArticleOrder { uploaded_files: vec![file], ..order() };
    harness.services.order(principal, order, "t", None).await.unwrap().value.task_id
}

/// Waits for a task of any tenant.
async fn ended(harness: &Harness, org: OrgId, task: Uuid) -> TaskView {
    let mut watch = harness.notifications.events(task);
    let waiting = async {
        loop {
            let view = harness.services.task(org, task).await.unwrap();
            if view.status.is_ended() {
                return view;
            }
            let _ = tokio::time::timeout(std::time::Duration::from_millis(500), watch.changed()).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(120), waiting).await.unwrap()
}

async fn set(harness: &Harness, org: OrgId, key: &str) {
    harness.services.set_secret(org, MODEL_KEY, &Hidden::new(key)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_organization_sends_its_own_key_and_the_others_the_operators() {
    let peer = Peer::start().await;
    let mut harness = Harness::new().await;
    hold(&mut harness, Some(fresh().0));
    let (other, _) = harness.other_tenant().await;
    let (third, _) = harness.other_tenant().await;
    let principals = [harness.principal.clone(), other, third];
    set(&harness, principals[0].org, "sk-replaced").await;
    set(&harness, principals[0].org, "sk-first").await;
    set(&harness, principals[1].org, "sk-second").await;
    let engine = harness.real(writer(&peer));
    let mut tasks = Vec::new();
    for principal in &principals {
        tasks.push((principal.org, ordered(&harness, principal).await));
    }
    for (org, task) in tasks {
        let view = ended(&harness, org, task).await;
        assert_eq!(view.status, TaskStatus::Completed, "{:?}", view.row.error_message);
    }
    let seen = peer.seen();
    // One outline, at least two sections and the SEO lines of each.
    for key in ["sk-first", "sk-second", OPERATORS] {
        assert!(seen.iter().filter(|sent| **sent == format!("Bearer {key}")).count() >= 4, "{key}: {seen:?}");
    }
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 3, "{seen:?}");

    // Without its own key an organization is back at the operator's.
    harness.services.remove_secret(principals[0].org, MODEL_KEY).await.unwrap();
    let gone = harness.services.remove_secret(principals[0].org, MODEL_KEY).await;
    assert!(matches!(gone, Err(ServiceError::NotFound(_))), "{gone:?}");
    let task = ordered(&harness, &principals[0]).await;
    ended(&harness, principals[0].org, task).await;
    engine.stop().await;
    assert!(peer.seen()[seen.len()..].iter().all(|sent| sent == "Bearer sk-operator"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_is_asked_with_an_own_key_where_it_is_at_the_writers_address() {
    let mut harness = Harness::new().await;
    hold(&mut harness, Some(fresh().0));
    set(&harness, harness.principal.org, "sk-own").await;
    for (at_the_writers, key) in [(true, "sk-own"), (false, "sk-judge")] {
        let model = Model::start().await;
        let writer = Arc::new(OpenAiWriter::new(replay::endpoint(&model, OPERATORS, false)).unwrap());
        let engine = harness.judging(writer, replay::judge(&model, "sk-judge", at_the_writers));
        let task = replay::ordered(&harness).await;
        harness.completed(task).await;
        engine.stop().await;
        let keys = model.keys();
        let of = |kind: &str| {
            keys.iter().filter(|(one, _)| one == kind).map(|(_, key)| key.as_str()).collect::<BTreeSet<_>>()
        };
        assert_eq!((of("judge"), of("seo")), (BTreeSet::from([key]), BTreeSet::from(["sk-own"])), "{keys:?}");
        // So that the next article's sentences are asked about again.
        harness.database.execute("DELETE FROM judgements").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_cannot_be_opened_fails_the_task_and_nobody_elses_is_sent() {
    let peer = Peer::start().await;
    let mut harness = Harness::new().await;
    let org = harness.principal.org;
    hold(&mut harness, Some(fresh().0));
    set(&harness, org, "sk-own").await;
    // The key that sealed it is gone, then there is no key at all, then the row was changed.
    let (ring, _) = fresh();
    for keyring in [Some(ring), None] {
        hold(&mut harness, keyring);
        refused(&harness, &peer).await;
    }
    hold(&mut harness, Some(fresh().0));
    set(&harness, org, "sk-own").await;
    harness.database.execute("UPDATE secrets SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)").await;
    refused(&harness, &peer).await;
    assert!(peer.seen().is_empty(), "no key was sent: {:?}", peer.seen());
    harness.assert_books_closed().await;
}

async fn refused(harness: &Harness, peer: &Peer) {
    let engine = harness.real(writer(peer));
    let task = ordered(harness, &harness.principal).await;
    let view = harness.ended(task).await;
    engine.stop().await;
    assert_eq!(view.status, TaskStatus::Failed);
    let message = view.row.error_message.clone().unwrap();
    assert!(message.contains("model key cannot be opened") && message.contains("galley secrets"), "{message}");
    assert!(harness.steps(task).await.iter().all(|step| step.attempt == 1), "no use in trying again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_copied_to_another_tenant_opens_nothing() {
    let mut harness = Harness::new().await;
    hold(&mut harness, Some(fresh().0));
    let (thief, _) = harness.other_tenant().await;
    set(&harness, harness.principal.org, "sk-own").await;
    let copy = |org: OrgId, id: &str| {
        format!(
            "INSERT INTO secrets (org_id, id, purpose, name, key_id, wrapped_key, sealed)
             SELECT '{org}', {id}, purpose, name, key_id, wrapped_key, sealed FROM secrets WHERE org_id <> '{org}'"
        )
    };
    harness.database.execute(&copy(thief.org, "id")).await;
    let stolen = harness.services.secret(thief.org, MODEL_KEY).await;
    assert!(stolen.is_err(), "{stolen:?}");
    let own = harness.services.secret(harness.principal.org, MODEL_KEY).await.unwrap().unwrap();
    assert_eq!(own.expose(), "sk-own");
    // Under another id of the same tenant it is no better.
    harness.database.execute("UPDATE secrets SET id = gen_random_uuid()").await;
    assert!(harness.services.secret(harness.principal.org, MODEL_KEY).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_own_key_names_whose_it_is() {
    let peer = Peer::start().await;
    let mut harness = Harness::new().await;
    hold(&mut harness, Some(fresh().0));
    set(&harness, harness.principal.org, "sk-own-refused").await;
    peer.model([Mood::Repeats(401)]);
    let engine = harness.real(writer(&peer));
    let task = ordered(&harness, &harness.principal).await;
    let view = harness.ended(task).await;
    engine.stop().await;
    let message = view.row.error_message.clone().unwrap();
    assert!(message.contains("your organization's own model key"), "{message}");
    assert!(!message.contains("sk-own-refused"), "{message}");
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused() {
    let mut harness = Harness::new().await;
    let org = harness.principal.org;
    let set = async |harness: &Harness, key: &str| {
        let error = harness.services.set_secret(org, MODEL_KEY, &Hidden::new(key)).await.unwrap_err();
        format!("{error} {error:?}")
    };
    let unkeyed = set(&harness, "sk-own").await;
    assert!(unkeyed.contains("secrets.key") && unkeyed.contains("new-key"), "{unkeyed}");
    hold(&mut harness, Some(fresh().0));
    for wrong in ["", "two words", "line\nbreak", "ключ", &"planted".repeat(1171)] {
        let error = set(&harness, wrong).await;
        assert!(error.contains("model-key"), "{error}");
        assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
    }
    assert_eq!(harness.database.number("SELECT count(*) FROM secrets").await, 0);
}

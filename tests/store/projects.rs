//! Projects and their trash.

use galley_domain::project::{Platform, ProjectStatus};
use galley_services::{ArticleEdit, IdempotencyKey, Missing, ProjectEdit, ServiceError};
use galley_store::rows::Project;
use galley_testkit::{Harness, order};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{assert_conflict, assert_missing, effect_about, order_from, upload};

async fn create(harness: &Harness, name: &str) -> Project {
    let made = harness.services.create_project(harness.principal.org, name, Platform::Shopify, None).await;
    made.unwrap().value
}

fn named(name: &str) -> ProjectEdit {
    ProjectEdit { name: Some(name.to_owned()), ..ProjectEdit::default() }
}

fn settings(changes: Value) -> ProjectEdit {
    let Value::Object(changes) = changes else { panic!("settings are an object") };
    ProjectEdit { settings: Some(changes), ..ProjectEdit::default() }
}

fn wrong_field<T>(result: Result<T, ServiceError>) -> String {
    match result {
        Err(ServiceError::Validation(wrong)) => wrong[0].field.clone(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken"),
    }
}

#[tokio::test]
async fn a_project_is_made_once_as_a_draft_with_a_name_of_its_own() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let key = IdempotencyKey::new("k", "POST /x", b"b").unwrap();
    let first = services.create_project(org, "  Coffee & Tea  ", Platform::Magento2, Some(&key)).await.unwrap();
    let again = services.create_project(org, "Coffee & Tea", Platform::Magento2, Some(&key)).await.unwrap();
    assert!(again.replayed && again.value == first.value, "{again:?}");
    let project = first.value;
    assert_eq!((project.name.as_str(), project.slug.as_str()), ("Coffee & Tea", "coffee-tea"));
    assert_eq!((*project.platform, *project.status), (Platform::Magento2, ProjectStatus::Draft));
    assert_eq!((&project.settings, project.deleted_at, project.org_id), (&json!({}), None, org.0));
    let slugs = [create(&harness, "Coffee, tea").await.slug, create(&harness, "COFFEE-TEA").await.slug];
    assert_eq!(slugs, ["coffee-tea-2", "coffee-tea-3"]);
    let (stranger, _) = harness.other_tenant().await;
    let theirs = services.create_project(stranger.org, "Coffee, tea", Platform::Shopify, None).await.unwrap().value;
    assert_eq!(theirs.slug, "coffee-tea", "another organization's names are its own");
    for wrong in ["", "   ", &"x".repeat(201), "a\0b"] {
        assert_eq!(wrong_field(services.create_project(org, wrong, Platform::Shopify, None).await), "name");
    }
    let longest = "é".repeat(200);
    assert_eq!(create(&harness, &longest).await.name, longest);
}

#[tokio::test]
async fn names_taken_in_one_moment_are_all_different() {
    let harness = Harness::new().await;
    let made = futures::future::join_all((0..6).map(|_| create(&harness, "One name"))).await;
    let mut slugs: Vec<_> = made.into_iter().map(|project| project.slug).collect();
    slugs.sort();
    assert_eq!(slugs, ["one-name", "one-name-2", "one-name-3", "one-name-4", "one-name-5", "one-name-6"]);
}

#[tokio::test]
async fn a_change_touches_what_it_names() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let project = create(&harness, "Old name").await;
    let changed = services.edit_project(org, project.id, named(" New name ")).await.unwrap();
    let expected = Project { name: "New name".into(), updated_at: changed.updated_at, ..project.clone() };
    assert_eq!(changed, expected, "the slug stays: others know it");
    assert!(changed.updated_at > project.updated_at);

    let edit = |changes| services.edit_project(org, project.id, settings(changes));
    edit(json!({ "tone": "calm", "brand": { "voice": "we", "required_words": ["tea"] } })).await.unwrap();
    let merged =
        edit(json!({ "tone": null, "brand": { "voice": "I" }, "language": "de", "gone": null })).await.unwrap();
    assert_eq!(merged.settings, json!({ "brand": { "voice": "I" }, "language": "de" }), "key by key, null removes");
    assert_eq!(merged.name, "New name");

    let detach = ProjectEdit { store_connection_id: Some(None), ..ProjectEdit::default() };
    services.edit_project(org, project.id, detach).await.unwrap();
    let attach = ProjectEdit { store_connection_id: Some(Some(Uuid::new_v4())), ..ProjectEdit::default() };
    assert_eq!(wrong_field(services.edit_project(org, project.id, attach).await), "store_connection_id");
    assert_eq!(wrong_field(services.edit_project(org, project.id, named("")).await), "name");
    assert_missing(services.edit_project(org, Uuid::new_v4(), named("x")).await, Missing::Project);
}

#[tokio::test]
async fn settings_have_limits_that_count_what_is_there_already() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let project = create(&harness, "Many settings").await.id;
    let keys = |range: std::ops::Range<usize>, value: Value| -> Map<String, Value> {
        range.map(|number| (format!("k{number}"), value.clone())).collect()
    };
    let edit = |changes| services.edit_project(org, project, settings(Value::Object(changes)));
    edit(keys(0..200, json!(1))).await.unwrap();
    assert_eq!(wrong_field(edit(keys(200..201, json!(1))).await), "settings");
    let mut swap = keys(0..1, Value::Null);
    swap.extend(keys(200..201, json!(1)));
    edit(swap).await.unwrap();
    edit(keys(0..201, Value::Null)).await.unwrap();
    // {"k0":"…"} is nine signs around the text.
    let text = |length: usize| json!("x".repeat(length));
    edit(keys(0..1, text(64 * 1024 - 9))).await.unwrap();
    assert_eq!(wrong_field(edit(keys(0..1, text(64 * 1024 - 8))).await), "settings");
    for nul in [json!({ "a\0": 1 }), json!({ "a": "\0" }), json!({ "a": [{ "b": "\0" }] })] {
        assert_eq!(wrong_field(services.edit_project(org, project, settings(nul)).await), "settings");
    }
    let kept = services.project(org, project).await.unwrap();
    assert_eq!(kept.settings.as_object().unwrap().len(), 1, "nothing of what was refused was kept");
}

#[tokio::test]
async fn the_trash_is_a_place_of_its_own() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let (one, two) = (create(&harness, "One").await.id, create(&harness, "Two").await.id);
    let ids = async |trashed| -> Vec<Uuid> {
        services.projects(org, trashed).await.unwrap().iter().map(|project| project.id).collect()
    };
    assert_eq!((ids(false).await, ids(true).await), (vec![two, one], vec![]), "newest first");
    assert_conflict(services.restore_project(org, one, None).await, "not in the trash");
    assert_conflict(services.purge_project(org, one).await, "not in the trash");
    assert!(services.delete_project(org, one).await.unwrap().deleted_at.is_some());
    assert_eq!((ids(false).await, ids(true).await), (vec![two], vec![one]));
    assert!(services.project(org, one).await.unwrap().deleted_at.is_some(), "it can be read");
    assert_conflict(services.delete_project(org, one).await, "in the trash");
    assert_conflict(services.edit_project(org, one, named("x")).await, "restore it first");
    let mut refused = order();
    refused.project_id = Some(one);
    assert_eq!(wrong_field(services.order(&harness.principal, refused, "t", None).await), "project_id");
    assert_eq!(services.restore_project(org, one, None).await.unwrap().value.deleted_at, None);
    assert_eq!((ids(false).await, ids(true).await), (vec![two, one], vec![]));
    services.delete_project(org, one).await.unwrap();
    services.purge_project(org, one).await.unwrap();
    assert_missing(services.project(org, one).await, Missing::Project);
    assert_missing(services.delete_project(org, one).await, Missing::Project);
    assert_missing(services.restore_project(org, one, None).await, Missing::Project);
    assert_missing(services.purge_project(org, one).await, Missing::Project);
}

#[tokio::test]
async fn a_project_of_a_task_that_has_not_ended_stays() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let project = create(&harness, "Busy").await.id;
    let mut ordered = order();
    ordered.project_id = Some(project);
    let task = services.order(&harness.principal, ordered, "t", None).await.unwrap().value.task_id;
    assert_conflict(services.delete_project(org, project).await, "has not ended");
    services.cancel(org, task).await.unwrap();
    services.delete_project(org, project).await.unwrap();
    // Whoever runs the task again finds its project in the trash, but not removed under it.
    harness.database.execute(&format!("UPDATE tasks SET status = 'pending' WHERE id = '{task}'")).await;
    assert_conflict(services.purge_project(org, project).await, "has not ended");
}

#[tokio::test]
async fn whoever_orders_and_whoever_deletes_at_once_do_not_both_succeed() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    for _ in 0..8 {
        let project = create(&harness, "Raced").await.id;
        let mut ordered = order();
        ordered.project_id = Some(project);
        let (taken, deleted) =
            tokio::join!(services.order(&harness.principal, ordered, "t", None), services.delete_project(org, project));
        assert!(taken.is_ok() != deleted.is_ok(), "{taken:?} {deleted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_purged_takes_its_articles_and_covers_and_leaves_the_books() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let (project, other) = (create(&harness, "Gone").await.id, create(&harness, "Stays").await.id);
    let file = upload(&harness, org, "faq.md").await;
    let (task, kept) = (order_from(&harness, file, Some(project)).await, order_from(&harness, file, Some(other)).await);
    let engine = harness.extractive();
    let article = harness.completed(task).await.row.subject_id.unwrap();
    let kept = harness.completed(kept).await.row.subject_id.unwrap();
    engine.stop().await;
    let cover = services.article(org, article).await.unwrap().cover_file_id.unwrap();
    let shown = services.article(org, kept).await.unwrap().cover_file_id.unwrap();
    let blob = services.store().tenant(org).file(cover).await.unwrap().unwrap().blob;
    // Both articles have one title, and so the same picture: then the bytes would stay for the other.
    harness.database.execute(&format!("UPDATE files SET blob = blob || '-' || id WHERE id <> '{cover}'")).await;
    let count = async |table: &str, article: Uuid| {
        let column = if table == "effects" { "subject_id" } else { "article_id" };
        harness.database.number(&format!("SELECT count(*) FROM {table} WHERE {column} = '{article}'")).await
    };
    // Effects about the project and about a cover go as well.
    let effects = [project, cover, shown].map(|subject| effect_about(org, subject)).join(";");
    harness.database.execute(&effects).await;
    for table in ["article_versions", "claims", "effects"] {
        assert!(count(table, article).await > 0 && count(table, kept).await > 0, "{table}");
    }
    services.delete_project(org, project).await.unwrap();
    let edit = ArticleEdit { title: Some("x".into()), ..ArticleEdit::default() };
    assert_conflict(services.edit_article(org, article, edit.clone()).await, "in the trash");
    assert_conflict(services.restore_version(org, article, 1, None, None).await, "in the trash");
    assert_conflict(services.delete_article(org, article).await, "in the trash");
    services.edit_article(org, kept, edit).await.unwrap();
    services.purge_project(org, project).await.unwrap();
    for table in ["article_versions", "claims", "effects"] {
        assert!(count(table, article).await == 0 && count(table, kept).await > 0, "{table}");
    }
    for (subject, left) in [(project, 0), (cover, 0), (shown, 1)] {
        assert_eq!(count("effects", subject).await, left);
    }
    assert_missing(services.article(org, article).await, Missing::Article);
    assert_missing(services.get_file(org, cover).await, Missing::File);
    assert_eq!(services.get_file(org, file).await.unwrap().file.id, file, "an upload belongs to no project");
    services.get_file(org, shown).await.unwrap();
    let unnamed = services.store().system().unnamed_blobs(org, vec![blob.clone()]).await.unwrap();
    assert_eq!(unnamed, [blob], "the bytes are left to the sweep");
    let entries = format!("SELECT count(*) FROM ledger_entries WHERE task_id = '{task}'");
    assert_eq!(harness.database.number(&entries).await, 1);
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn a_cover_that_another_project_shows_stays() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let project = create(&harness, "Gone").await.id;
    let mut ordered = order();
    ordered.project_id = Some(project);
    let of_project = services.order(&harness.principal, ordered, "t", None).await.unwrap().value;
    let of_none = services.order(&harness.principal, order(), "t", None).await.unwrap().value;
    let file = upload(&harness, org, "faq.md").await;
    for receipt in [&of_project, &of_none] {
        services.cancel(org, receipt.task_id).await.unwrap();
        let show = format!("UPDATE articles SET cover_file_id = '{file}' WHERE id = '{}'", receipt.subject.unwrap());
        harness.database.execute(&show).await;
    }
    services.delete_project(org, project).await.unwrap();
    services.purge_project(org, project).await.unwrap();
    // Readers are shown no cover of an article that was cancelled, so its row is asked.
    let shown = services.store().tenant(org).article(of_none.subject.unwrap()).await.unwrap().unwrap();
    assert_eq!(shown.cover_file_id, Some(file));
}

#[tokio::test]
async fn a_word_of_a_newer_version_is_said_to_be_unreadable() {
    let harness = Harness::new().await;
    let project = create(&harness, "Odd").await.id;
    harness
        .database
        .execute("ALTER TABLE projects DROP CONSTRAINT projects_platform_check; UPDATE projects SET platform = 'etsy'")
        .await;
    let error = harness.services.project(harness.principal.org, project).await.unwrap_err().to_string();
    assert!(error.contains("'etsy' is not one of woocommerce, shopify"), "{error}");
}

//! `galley replay`: the article of a task from what was kept of it, over real Postgres and with the program as it is.

pub mod model;

use std::{process::Command, sync::Arc};

use galley_ai::{Endpoint, OpenAiJudge, OpenAiWriter};
use galley_domain::{Hidden, order::ArticleOrder, writing::Outline};
use galley_services::{RetryRequest, Upload};
use galley_testkit::{Harness, brief, order};
use galley_workers::ConfiguredJudge;
use serde_json::{Value, json};
use uuid::Uuid;

use model::Model;

const KEY: &str = "sk-planted-0123456789";

pub async fn ordered(harness: &Harness) -> Uuid {
    let mut order =
        ArticleOrder { brief: brief("How Sela Ridge grows, roasts and brews its coffee", 300, 500), ..order() };
    for name in ["brew-guide.pdf", "cooperative-report.docx", "faq.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
        let upload = Upload { name: name.into(), bytes: std::fs::read(path).unwrap().into() };
        order.uploaded_files.push(harness.services.upload(harness.principal.org, upload, None).await.unwrap().value.id);
    }
    harness.services.order(&harness.principal, order, "t", None).await.unwrap().value.task_id
}

pub fn endpoint(model: &Model, key: &str, keeps: bool) -> Endpoint {
    let mut endpoint = Endpoint::new("peer", &model.url(), "m1").unwrap();
    endpoint.api_key = Some(Hidden::new(key));
    endpoint.keep_answers = keeps;
    endpoint
}

/// An article that the model has written.
async fn written(harness: &Harness, model: &Model, keeps: bool) -> Uuid {
    let endpoint = endpoint(model, KEY, keeps);
    let engine = harness.real(Arc::new(OpenAiWriter::new(endpoint).unwrap()));
    let task = ordered(harness).await;
    harness.completed(task).await;
    engine.stop().await;
    task
}

/// `galley replay` with a model that nobody can reach.
fn replay(harness: &Harness, args: &[&str], settings: &[(&str, &str)]) -> (bool, String, String) {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
    command.current_dir(data.path()).env("DATABASE_URL", &harness.database.url).arg("--data").arg(data.path());
    command.envs([
        ("GALLEY_WRITER__KIND", "openai"),
        ("GALLEY_WRITER__BASE_URL", "http://127.0.0.1:9/v1"),
        ("GALLEY_WRITER__MODEL", "m1"),
        ("GALLEY_WRITER__PROVIDER", "peer"),
    ]);
    let output = command.envs(settings.iter().copied()).arg("replay").args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn replayed(harness: &Harness, task: Uuid, settings: &[(&str, &str)]) -> Value {
    let (well, json, said) = replay(harness, &[&task.to_string(), "--json"], settings);
    assert!(well, "{said}");
    serde_json::from_str(&json).unwrap()
}

fn refused(harness: &Harness, args: &[&str]) -> String {
    let (well, _, said) = replay(harness, args, &[]);
    assert!(!well, "{said}");
    said
}

/// Everything that a task has, and how often a model was used.
async fn rows_of(harness: &Harness) -> Vec<String> {
    let mut rows = Vec::new();
    for table in
        ["tasks", "steps", "articles", "article_versions", "claims", "usage_records", "model_answers", "effects"]
    {
        rows.extend(harness.database.texts(&format!("SELECT t::text FROM {table} t ORDER BY t::text")).await);
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_answers_give_the_same_article_byte_for_byte_and_nothing_is_called_or_changed() {
    let (harness, model) = (Harness::new().await, Model::start().await);
    // The step that asks for it is tried again: its first attempt has kept nothing.
    model.fail_once("seo");
    let task = written(&harness, &model, true).await;
    let (calls, before) = (model.calls(), rows_of(&harness).await);
    let kept = harness.database.number("SELECT count(*) FROM model_answers").await;
    assert_eq!(kept + 1, i64::try_from(calls).unwrap(), "every answer is kept, and the failure brought none");
    let json = replayed(&harness, task, &[]);
    assert_eq!(json["same"], true, "{json:#}");
    assert_eq!(
        (json["answers"]["kept"].as_i64(), json["answers"]["same"].as_i64()),
        (Some(kept), Some(kept)),
        "{json}"
    );
    assert_eq!((&json["answers"]["by_place"], &json["answers"]["missing"]), (&json!([]), &json!([])));
    assert!(json["before"]["supported"].as_i64() > Some(5), "{json}");
    for figure in ["words", "score", "supported", "partly", "unsupported", "no_claim", "marked_percent"] {
        assert_eq!(json["before"][figure], json["after"][figure], "{figure}");
    }
    let out = tempfile::NamedTempFile::new().unwrap();
    let task_id = task.to_string();
    let (well, said, told) = replay(&harness, &[&task_id, "--out", out.path().to_str().unwrap()], &[]);
    assert!(well && said.is_empty() && told.contains("byte for byte"), "{said}{told}");
    let article = harness.database.texts("SELECT content_markdown FROM articles").await.remove(0);
    assert_eq!(std::fs::read_to_string(out.path()).unwrap().trim_end(), article.trim_end());
    assert_eq!(replay(&harness, &[&task_id, "--diff"], &[]).1, "");
    assert_eq!(model.calls(), calls, "nobody was called");
    assert_eq!(rows_of(&harness).await, before, "nothing was written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_question_gets_the_answer_at_its_place_or_the_built_in_writers_text() {
    let (harness, model) = (Harness::new().await, Model::start().await);
    let task = written(&harness, &model, true).await;
    let json = replayed(&harness, task, &[("GALLEY_WRITER__TEMPERATURE", "0.9")]);
    assert_eq!(json["answers"]["same"], 0, "{json}");
    let operations = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|one| one["operation"].as_str().unwrap().to_owned()).collect()
    };
    let by_place = operations(&json["answers"]["by_place"]);
    for operation in ["outline", "section", "seo"] {
        assert!(by_place.iter().any(|one| one == operation), "{operation} in {by_place:?}");
    }
    let missing = operations(&json["answers"]["missing"]);
    assert!(
        !missing.is_empty() && missing.iter().all(|one| one == "correct"),
        "by number, to other sentences: {missing:?}"
    );
    assert_eq!(json["before"]["title"], json["article"]["title"], "the outline is the same");

    harness.database.execute("DELETE FROM model_answers WHERE kind = 'draft' AND position = 1").await;
    let json = replayed(&harness, task, &[]);
    assert_eq!(json["answers"]["missing"][0], json!({ "step": "draft", "position": 1, "operation": "section" }));
    let warned = json["warnings"].to_string();
    assert!(
        warned.contains("section 2 of") && warned.contains("gave no answer to this question that was kept"),
        "{warned}"
    );
    let (_, changes, told) = replay(&harness, &[&task.to_string(), "--diff"], &[]);
    assert!(changes.contains("\n- ") && changes.contains("\n+ "), "{changes}");
    assert!(told.contains("draft 1: the question for section has no kept answer"), "{told}");
    // Who has written it is known, also where no model is configured any more.
    let json = replayed(&harness, task, &[("GALLEY_WRITER__KIND", "extractive")]);
    assert!(json["answers"]["same"].as_i64() > Some(2), "{json}");
}

pub fn judge(model: &Model, key: &str, takes_model_key: bool) -> ConfiguredJudge {
    let judge = Arc::new(OpenAiJudge::new(endpoint(model, key, true)).unwrap());
    ConfiguredJudge { judge, takes_model_key, calls: 20, budget_usd: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_judge_said_counts_again_from_its_answers_or_from_the_pairs_it_knows() {
    let (harness, model) = (Harness::new().await, Model::start().await);
    let writer = Arc::new(OpenAiWriter::new(endpoint(&model, KEY, true)).unwrap());
    let engine = harness.judging(writer, judge(&model, "sk-judge", false));
    let task = ordered(&harness).await;
    let view = harness.completed(task).await;
    engine.stop().await;
    assert!(view.row.warnings.to_string().contains("lowered by the judge"), "{}", view.row.warnings);
    let settings = [
        ("GALLEY_JUDGE__BASE_URL", "http://127.0.0.1:9/v1"),
        ("GALLEY_JUDGE__MODEL", "m1"),
        ("GALLEY_JUDGE__PROVIDER", "peer"),
    ];
    let known = harness.database.number("SELECT count(*) FROM judgements").await;
    assert!(known > 0);
    let json = replayed(&harness, task, &settings);
    assert_eq!((&json["same"], &json["answers"]["missing"]), (&json!(true), &json!([])), "{json:#}");
    harness.database.execute("DELETE FROM judgements").await;
    let json = replayed(&harness, task, &settings);
    assert_eq!((&json["same"], &json["answers"]["missing"]), (&json!(true), &json!([])), "{json:#}");
    assert_eq!(harness.database.number("SELECT count(*) FROM judgements").await, 0, "a replay writes nothing");
    let without = replayed(&harness, task, &[]);
    assert_ne!(without["after"]["unsupported"], without["before"]["unsupported"], "{without:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_built_in_writers_articles_are_composed_again_also_along_an_edited_outline() {
    let harness = Harness::new().await;
    let engine = harness.extractive();
    let task = ordered(&harness).await;
    harness.completed(task).await;
    let json = replayed(&harness, task, &[]);
    assert_eq!((&json["same"], &json["answers"]["kept"]), (&json!(true), &json!(0)), "{json:#}");
    let outline: Outline = serde_json::from_value(json!({
        "title": "Brewing at home",
        "sections": [
            {"heading": null, "words": {"min": 0, "max": 0}},
            {"heading": "Water and brewing", "words": {"min": 0, "max": 0}},
        ],
    }))
    .unwrap();
    let request = RetryRequest { from: None, edited: Some(json!(outline)) };
    harness.services.retry(&harness.principal, task, request, "t", None).await.unwrap();
    harness.completed(task).await;
    engine.stop().await;
    let json = replayed(&harness, task, &[]);
    assert_eq!((&json["same"], &json["before"]["version"]), (&json!(true), &json!(2)), "{json:#}");
    assert_eq!(json["article"]["title"], "Brewing at home");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_replayed_says_why() {
    let (harness, model) = (Harness::new().await, Model::start().await);
    let task = written(&harness, &model, false).await;
    assert_eq!(harness.database.number("SELECT count(*) FROM model_answers").await, 0, "nobody asked for it");
    let said = refused(&harness, &[&task.to_string()]);
    assert!(said.contains("were not kept") && said.contains("writer.keep_answers = true"), "{said}");
    let said = refused(&harness, &[&Uuid::nil().to_string()]);
    assert!(said.contains("there is no such task"), "{said}");
    let (other, _) = harness.other_tenant().await;
    let said = refused(&harness, &[&task.to_string(), "--organization", &other.org.to_string()]);
    assert!(said.contains("there is no such task"), "another organization's: {said}");
    harness.database.execute("UPDATE tasks SET kind = 'publication'").await;
    let said = refused(&harness, &[&task.to_string()]);
    assert!(said.contains("of the kind publication; only those of the kind article"), "{said}");

    harness.database.execute("TRUNCATE organizations CASCADE").await;
    let said = refused(&harness, &[&task.to_string()]);
    assert!(said.contains("there is no organization"), "{said}");
    assert_eq!(harness.database.number("SELECT count(*) FROM organizations").await, 0, "none was made");
    let applied = async || harness.database.number("SELECT count(*) FROM seaql_migrations").await;
    let all = applied().await;
    let last = "DELETE FROM seaql_migrations WHERE version = (SELECT max(version) FROM seaql_migrations)";
    harness.database.execute(last).await;
    let said = refused(&harness, &[&task.to_string()]);
    assert!(said.contains("run `galley migrate` first"), "{said}");
    assert_eq!(applied().await, all - 1, "the schema was left alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_swept_go_with_their_task_and_hold_no_key() {
    let (harness, model) = (Harness::new().await, Model::start().await);
    let task = written(&harness, &model, true).await;
    let count = async || harness.database.number("SELECT count(*) FROM model_answers").await;
    let all = count().await;
    let with_key = format!("SELECT count(*) FROM model_answers t WHERE t::text LIKE '%{KEY}%'");
    assert!(model.said(KEY), "the model repeats the key that it was sent");
    assert_eq!(harness.database.number(&with_key).await, 0);
    let article = harness.database.texts("SELECT content_markdown FROM articles").await.remove(0);
    assert!(!article.contains(KEY), "{article}");

    let system = harness.services.system();
    system.sweep().await.unwrap();
    assert_eq!(count().await, all, "a day has not passed");
    harness
        .database
        .execute("UPDATE model_answers SET created_at = now() - interval '25 hours' WHERE kind = 'outline'")
        .await;
    assert_eq!(system.sweep().await.unwrap().answers, 1);
    assert_eq!(count().await, all - 1);
    harness.database.execute(&format!("DELETE FROM articles; DELETE FROM tasks WHERE id = '{task}'")).await;
    assert_eq!(count().await, 0);
}

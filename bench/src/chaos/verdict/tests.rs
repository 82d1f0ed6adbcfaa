//! Each check is seen to fail: a good state, made by the product itself, in which one thing is wrong.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::SystemTime,
};

use galley_domain::order::ArticleOrder;
use galley_services::Upload;
use galley_testkit::{Harness, brief, order};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::*;
use crate::chaos::client::Paused;

const PROMPT: &str = "How the cooperative brews its coffee, after-00001";

/// Two articles that were published, and an order that was cancelled, with everything stopped.
async fn good() -> (Harness, Ledger) {
    let harness = Harness::new().await;
    let org = harness.principal.org;
    let mut files = Vec::new();
    for name in ["brew-guide.pdf", "cooperative-report.docx", "faq.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name);
        let upload = Upload { name: name.into(), bytes: fs::read(path).unwrap().into() };
        files.push(harness.services.upload(org, upload, None).await.unwrap().value.id);
    }
    let order = || ArticleOrder { brief: brief(PROMPT, 200, 400), uploaded_files: files.clone(), ..order() };
    let cancelled = harness.order().await;
    harness.services.cancel(org, cancelled).await.unwrap();
    let engine = harness.extractive();
    let mut ledger = Ledger::default();
    for number in 0..2 {
        let receipt = harness.services.order(&harness.principal, order(), "t", None).await.unwrap().value;
        harness.completed(receipt.task_id).await;
        ledger.answers.insert(format!("order-{number}"), vec![receipt.task_id.to_string()]);
    }
    engine.stop().await;
    ledger.sent.insert(PROMPT.into(), 2);
    (harness, ledger)
}

static NO_PLAN: Plan = Plan { events: Vec::new() };
static NOTHING_TOLD: Told = Told { done: BTreeMap::new(), drifts: 0, wrong: Vec::new() };
static EMPTY_BLOG: Found = Found { posts: Vec::new(), media: Vec::new(), met: BTreeMap::new(), stops: 0 };

async fn failed(connection: &mut PgConnection, data: &Path, ledger: &Ledger) -> Vec<&'static str> {
    of(connection, data, ledger, |_| {}).await
}

/// The checks that fail when something else about the run is different.
async fn of<'a>(
    connection: &mut PgConnection,
    data: &Path,
    ledger: &'a Ledger,
    change: impl FnOnce(&mut Run<'a>),
) -> Vec<&'static str> {
    let mut run = Run {
        ledger,
        told: &NOTHING_TOLD,
        blog: &EMPTY_BLOG,
        plan: &NO_PLAN,
        cuts: 0,
        publishers: 0,
        posters: 0,
        site_faults: 0,
        quiet: Some(Duration::ZERO),
        exits: &[],
        logs: &[],
        calls: 0,
        excess: &[],
        sleeps: &[],
        rests: [String::new(), String::new()],
    };
    change(&mut run);
    let verdict = judge(connection, data, &run).await.unwrap();
    let checks: BTreeSet<_> = verdict.faults.iter().map(|fault| fault.check).collect();
    assert_eq!(checks.is_empty(), verdict.line().starts_with("every check held"));
    checks.into_iter().collect()
}

/// A check, and a statement after which it fails.
const ROWS: [(&str, &str); 31] = [
    ("every task ended", "UPDATE tasks SET status = 'processing' WHERE status = 'cancelled'"),
    (
        "orders in quiet times complete",
        "UPDATE tasks SET input = jsonb_set(input, '{brief,prompt}', '\"x, before-00001\"') WHERE status = 'cancelled'",
    ),
    (
        "every ended task has one final event in its last run",
        "UPDATE event_groups SET told = replace(told::text, '\"task.cancelled\"', '\"task.other\"')::jsonb",
    ),
    (
        "events are numbered without gaps",
        "UPDATE event_groups SET seq = seq + 100 WHERE seq = (SELECT max(seq) FROM event_groups)",
    ),
    (
        "no step ended twice",
        "UPDATE event_groups SET told = (SELECT jsonb_agg(
            CASE WHEN o->>'kind' = 'step.started' AND o->'data'->>'step' = 'seo'
                THEN jsonb_set(jsonb_set(o, '{kind}', '\"step.completed\"'), '{data,step}', '\"image\"') ELSE o END
            ORDER BY n) FROM jsonb_array_elements(told) WITH ORDINALITY AS one(o, n))",
    ),
    (
        "no step is open under an ended task",
        "UPDATE steps SET state = 'delayed' WHERE kind = 'research' AND state = 'done'",
    ),
    (
        "no lease is left",
        "UPDATE steps SET state = 'running', lease = gen_random_uuid() WHERE kind = 'research' AND state = 'done'",
    ),
    ("no step had more attempts than allowed", "UPDATE steps SET attempt = max_attempts + 1 WHERE kind = 'outline'"),
    ("attempts are counted", "UPDATE steps SET attempt = 0 WHERE kind = 'outline'"),
    (
        "an ended task waits for no part",
        "UPDATE tasks SET stages = '{\"draft\": [1, 2, 0]}' WHERE status = 'completed'",
    ),
    ("no task is left paused", "UPDATE tasks SET paused = true WHERE status = 'cancelled'"),
    (
        "no step is left paused or waiting",
        "UPDATE steps SET state = 'paused' WHERE kind = 'research' AND state = 'done'",
    ),
    ("a completed task has a text", "UPDATE articles SET content_markdown = ''"),
    (
        "a text is written once for each seo step that ended",
        "INSERT INTO article_versions SELECT org_id, article_id, 2, reason, title, slug, content_markdown, seo_title,
            seo_description, keywords, status, word_count, created_at FROM article_versions",
    ),
    (
        "a cover is stored once for each image step that ended",
        "INSERT INTO files SELECT gen_random_uuid(), org_id, name, kind, size, sha256, blob FROM files WHERE name = 'cover.png'",
    ),
    (
        "no article is left without its task or in the making",
        "UPDATE articles SET status = 'generating' WHERE version = 0",
    ),
    ("no article is left without its task or in the making", "UPDATE articles SET task_id = NULL WHERE version = 0"),
    ("a completed task is published", "UPDATE effects SET state = 'unknown'"),
    ("no credits are held", "UPDATE organizations SET held = 1"),
    ("no hold is open", "UPDATE holds SET state = 'open' WHERE state = 'released'"),
    ("balances are the sum of their ledger", "UPDATE organizations SET balance = balance + 1"),
    ("what was settled is what was charged", "UPDATE holds SET settled = settled / 2 WHERE state = 'settled'"),
    (
        "a run is charged when it completes, and only then",
        "UPDATE holds SET state = 'released' WHERE state = 'settled'",
    ),
    (
        "every completed run is charged once",
        "INSERT INTO ledger_entries SELECT gen_random_uuid(), org_id, task_id, kind, 0, balance_after, note
         FROM ledger_entries WHERE kind = 'charge'",
    ),
    ("every completed run is charged once", "UPDATE ledger_entries SET task_id = NULL WHERE kind = 'charge'"),
    (
        "no call to the blog is left in doubt",
        "INSERT INTO effects (id, org_id, kind, subject_id, destination, key, state)
         SELECT gen_random_uuid(), org_id, 'post', id, 'wordpress', '1', 'sent' FROM articles",
    ),
    (
        "no call to the blog is left in doubt",
        "INSERT INTO effects (id, org_id, kind, subject_id, destination, key, state)
         SELECT gen_random_uuid(), org_id, 'retraction', id, 'wordpress', '1', 'unknown' FROM articles",
    ),
    ("no article waits for a publication", "UPDATE articles SET publication_id = gen_random_uuid()"),
    (
        "no publication is open",
        "INSERT INTO publications (id, org_id, article_id, destination, status)
         SELECT gen_random_uuid(), org_id, id, 'wordpress', 'publishing' FROM articles",
    ),
    ("no row names bytes that are not there", "UPDATE files SET blob = blob || '0' WHERE name = 'faq.md'"),
    ("the bytes of files are what was stored", "UPDATE files SET size = size + 1 WHERE name = 'faq.md'"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_check_fails_when_what_it_is_about_is_wrong() {
    let (harness, ledger) = good().await;
    let data = harness.dir.path();
    let mut connection = PgConnection::connect(&harness.database.url).await.unwrap();
    assert_eq!(failed(&mut connection, data, &ledger).await, [""; 0], "the product leaves a good state");
    for (check, doctor) in ROWS {
        let mut tx = connection.begin().await.unwrap();
        let done = sqlx::query(AssertSqlSafe(doctor)).execute(&mut *tx).await.unwrap();
        assert!(done.rows_affected() > 0, "{check}: nothing was changed");
        let found = failed(&mut tx, data, &ledger).await;
        // Bytes whose row names others are bytes without a row, and a charge to nobody is missing elsewhere.
        let expected: Vec<_> = match check {
            "no row names bytes that are not there" => vec!["no bytes are left that no row names", check],
            _ if doctor.contains("SET task_id = NULL WHERE kind = 'charge'") => {
                vec![check, "what was settled is what was charged"]
            }
            _ => vec![check],
        };
        assert_eq!(found, expected);
        tx.rollback().await.unwrap();
    }
    clients(&mut connection, data, &ledger).await;
    on_the_disk(&mut connection, data, &ledger).await;
    ends(&mut connection, data, &ledger).await;
    pauses(&mut connection, data, &ledger).await;
    assert_eq!(failed(&mut connection, data, &ledger).await, [""; 0], "everything is as it was");
}

async fn clients(connection: &mut PgConnection, data: &Path, good: &Ledger) {
    let id = || uuid::Uuid::new_v4().to_string();
    let there: Vec<String> = good.answers.values().flatten().cloned().collect();
    type Case<'a> = (&'static str, Box<dyn Fn(&mut Ledger) + 'a>);
    let cases: [Case<'_>; 5] = [
        ("no task is lost", Box::new(|ledger| drop(ledger.answers.insert("order-9".into(), vec![id()])))),
        ("no order is taken twice", Box::new(|ledger| *ledger.sent.entry(PROMPT.into()).or_default() = 1)),
        ("no order is taken twice", Box::new(|ledger| ledger.keyed.push(PROMPT.into()))),
        (
            "one key has one answer",
            Box::new(|ledger| {
                ledger.keyed.push("order-9".into());
                ledger.answers.insert("order-9".into(), there.clone());
            }),
        ),
        ("clients get answers that they can use", Box::new(|ledger| ledger.wrong.push("500".into()))),
    ];
    for (check, change) in cases {
        let mut ledger = good.clone();
        change(&mut ledger);
        assert_eq!(failed(connection, data, &ledger).await, [check]);
    }
}

/// A folder of the site that has a page.
fn published(data: &Path) -> PathBuf {
    let entries = fs::read_dir(data.join("site")).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.join("index.md").is_file()).unwrap()
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

async fn on_the_disk(connection: &mut PgConnection, data: &Path, ledger: &Ledger) {
    let site = data.join("site");
    let page = fs::read_to_string(published(data).join("index.md")).unwrap();
    let of_nobody = format!("---\ngalley_id: \"{}\"\n---\n", uuid::Uuid::new_v4());
    let files = data.join("files").join(uuid::Uuid::new_v4().to_string());
    // Made, found, and taken away again.
    let too_much = [
        ("no article is published twice", site.join("copy/index.md"), page),
        ("what is in the site was meant to be", site.join("foreign/index.md"), of_nobody),
        ("every page in the site says whose it is", site.join("unsigned/index.md"), "text".to_owned()),
        ("nothing half-written is left in the site", site.join(".galley-tmp-1/index.md"), String::new()),
        ("no bytes are left that no row names", files.join("ab/abc"), "bytes".to_owned()),
        ("no bytes are left that no row names", files.join("ab/abc#1"), "by".to_owned()),
    ];
    for (check, path, text) in too_much {
        write(&path, &text);
        assert_eq!(failed(connection, data, ledger).await, [check], "{}", path.display());
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
    let (page, away) = (published(data), data.join("away"));
    fs::rename(&page, &away).unwrap();
    assert_eq!(failed(connection, data, ledger).await, ["what is said to be published is in the site"]);
    fs::rename(&away, &page).unwrap();
}

async fn pauses(connection: &mut PgConnection, data: &Path, good: &Ledger) {
    let log = [data.join("process.log")];
    let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_000_000);
    let text = r#"{"timestamp":"2025-11-24T16:00:00Z","level":"INFO","message":"step started","span":{"task":"t-1"}}"#;
    fs::write(&log[0], text).unwrap();
    for (before, after, fails) in [(5, 1, true), (1, 1, false), (5, 0, false)] {
        let (since, until) = (began - Duration::from_secs(before), began + Duration::from_secs(after));
        let ledger = Ledger { paused: vec![Paused { task: "t-1".into(), since, until }], ..good.clone() };
        let found = of(connection, data, &ledger, |run| run.logs = &log).await;
        assert_eq!(found == ["nothing of a paused task begins"], fails, "{before} {after}: {found:?}");
    }
}

async fn ends(connection: &mut PgConnection, data: &Path, ledger: &Ledger) {
    let exit = |status| [Exit { process: 1, status, silent: false }];
    let (good, bad) = (exit(Some(ExitStatus::default())), exit(None));
    assert_eq!(of(connection, data, ledger, |run| run.exits = &good).await, [""; 0]);
    let found = of(connection, data, ledger, |run| run.exits = &bad).await;
    assert_eq!(found, ["a process that is told to end does so in order"]);
    let excess = [Fault::new("memory is back at the start", "it is not")];
    assert_eq!(of(connection, data, ledger, |run| run.excess = &excess).await, ["memory is back at the start"]);
    assert_eq!(of(connection, data, ledger, |run| run.quiet = None).await, ["every task ends in time"]);
    let log = [data.join("process.log")];
    let lines = [
        (r#"{"level":"ERROR","message":"2 of 3 rows were still there under their locks"}"#, true),
        ("thread 'main' panicked at src/main.rs:1:1:", true),
        (
            r#"{"level":"ERROR","message":"the database does not answer; calls are refused and steps wait until it does"}"#,
            false,
        ),
        (r#"{"level":"WARN","message":"the database still does not answer"}"#, false),
    ];
    for (line, fails) in lines {
        fs::write(&log[0], line).unwrap();
        let found = of(connection, data, ledger, |run| run.logs = &log).await;
        assert_eq!(found == ["no process finds itself at fault"], fails, "{line}: {found:?}");
    }
}

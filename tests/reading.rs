//! Files are read by processes that cannot take more memory than there is for them.

use std::time::Duration;

use galley_domain::{order::ArticleOrder, task::TaskStatus};
use galley_files::Readers;
use galley_services::{ServiceError, Upload};
use galley_testkit::{Harness, TestDatabase, order};
use reqwest::{
    Client,
    multipart::{Form, Part},
};
use uuid::Uuid;

use crate::daemon::Daemon;

const BUDGET_MB: u32 = 256;

fn readers(budget_mb: u32) -> Readers {
    Readers::new(env!("CARGO_BIN_EXE_galley"), &["read-file"], budget_mb)
}

/// Markdown that needs 70 times its size to be read.
fn brackets() -> Vec<u8> {
    vec![b'['; 4 << 20]
}

async fn upload(harness: &Harness, name: &str, bytes: Vec<u8>) -> Result<Uuid, ServiceError> {
    let upload = Upload { name: name.into(), bytes: bytes.into() };
    Ok(harness.services.upload(harness.principal.org, upload, None).await?.value.id)
}

async fn ordered(harness: &Harness, file: Uuid) -> Uuid {
    let order = ArticleOrder { uploaded_files: vec![file], ..order() };
    harness.services.order(&harness.principal, order, "t", None).await.unwrap().value.task_id
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_needs_too_much_memory_is_refused_and_the_daemon_goes_on() {
    let database = TestDatabase::new().await;
    let dir = tempfile::tempdir().unwrap();
    let settings = [("GALLEY_LIMITS__READING_MEMORY_MB", "256")];
    let mut daemon = Daemon::start(dir.path(), Some(&database), &["up"], &settings);
    let (key, address) = daemon.first_start().await;
    let upload = async |name: &str, bytes: Vec<u8>| {
        let form = Form::new().part("file", Part::bytes(bytes).file_name(name.to_owned()));
        let request = Client::new().post(format!("{address}/api/v1/files")).bearer_auth(&key).multipart(form);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for _ in 0..2 {
        let (status, said) = upload("brackets.md", brackets()).await;
        assert_eq!(status, 400, "{said}");
        assert!(said.contains("'brackets.md': reading the file needs more than 256 MiB of memory; split it"), "{said}");
    }
    let pdf = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/brew-guide.pdf")).unwrap();
    let (status, said) = upload("guide.pdf", pdf).await;
    assert_eq!(status, 201, "{said}");
    assert_eq!(daemon.process.try_wait().unwrap(), None);
    daemon.killed().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_whose_file_needs_too_much_memory_fails_once_and_names_it() {
    let mut harness = Harness::new().await;
    let file = upload(&harness, "brackets.md", brackets()).await.unwrap();
    harness.services = harness.services.clone().with_readers(readers(BUDGET_MB));
    let engine = harness.extractive();
    let task = ordered(&harness, file).await;
    let view = harness.ended(task).await;
    assert_eq!(view.status, TaskStatus::Failed);
    let message = view.row.error_message.clone().unwrap();
    assert!(message.contains("brackets.md: reading the file needs more than 256 MiB of memory"), "{message}");
    assert!(harness.steps(task).await.iter().all(|step| step.attempt == 1), "no use in trying again");
    // The next one is read.
    let text = "Tea is a drink that is made from the leaves of a bush. ".repeat(3_000);
    let file = upload(&harness, "tea.txt", text.into()).await.unwrap();
    let next = ordered(&harness, file).await;
    let read = harness.ended(next).await.row.error_message.clone().unwrap_or_default();
    assert!(read.contains("The 1 source(s) hold"), "one sentence is too little to write from: {read}");
    engine.stop().await;
    harness.assert_books_closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_step_leaves_no_reader() {
    let mut harness = Harness::new().await;
    let file = upload(&harness, "tea.txt", "Tea is a drink. ".repeat(20_000).into()).await.unwrap();
    let readers = Readers::new("/bin/sh", &["-c", "exec sleep 86398"], BUDGET_MB);
    harness.services = harness.services.clone().with_readers(readers.clone());
    let engine = harness.extractive();
    let task = ordered(&harness, file).await;
    let until = async |what: &str, is_so: &dyn Fn() -> bool| {
        let waiting = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap_or_else(|_| panic!("in vain: {what}"));
    };
    until("its reader has room", &|| readers.free_mb() < 256).await;
    harness.services.cancel(harness.principal.org, task).await.unwrap();
    // Given back when the process is gone.
    until("its room is given back", &|| readers.free_mb() == 256).await;
    assert_eq!(harness.ended(task).await.status, TaskStatus::Cancelled);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_this_process_read_the_samples_alike() {
    let here = Harness::new().await;
    let mut there = Harness::new().await;
    there.services = there.services.clone().with_readers(readers(512));
    for name in ["brew-guide.pdf", "cooperative-report.docx", "harvest.xlsx", "tasting-notes.html", "faq.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
        let mut texts = Vec::new();
        for harness in [&here, &there] {
            let file = upload(harness, name, std::fs::read(&path).unwrap()).await.unwrap();
            texts.push(harness.services.read_file(harness.principal.org, file).await.unwrap().1);
        }
        assert!(texts[0].is_ok(), "{name}");
        assert_eq!(texts[0], texts[1], "{name}");
    }
}

#[tokio::test]
async fn a_reader_that_cannot_be_started_is_told_as_what_passes() {
    let mut harness = Harness::new().await;
    harness.services = harness.services.clone().with_readers(Readers::new("/nowhere/galley", &[], 512));
    let error = upload(&harness, "tea.txt", "Tea is a drink. ".repeat(20_000).into()).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Unavailable(text) if text.contains("try again later")), "{error}");
    // Small texts need none.
    upload(&harness, "tea.txt", b"Tea is a drink.".to_vec()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_uploaded_is_not_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("galley");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_galley"), &program).unwrap();
    let mut harness = Harness::new().await;
    harness.services = harness.services.clone().with_readers(Readers::new(&program, &["read-file"], 512));
    let file = upload(&harness, "tea.txt", "Tea is a drink. ".repeat(20_000).into()).await.unwrap();
    // From here on nobody can be asked to read.
    std::fs::remove_file(&program).unwrap();
    let read = harness.services.read_file(harness.principal.org, file).await.unwrap().1;
    assert!(read.unwrap().text.starts_with("Tea is a drink."));
    let services = harness.services.clone().with_readers(Readers::new(&program, &["read-file"], 512));
    assert!(services.read_file(harness.principal.org, file).await.unwrap().1.is_err(), "others would have to read it");
}

//! Readers: processes that cannot take more than they were given, and leave nothing behind.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use galley_files::{FileError, FileKind, Limits, Readers, extract, html};
use support::{docx, page, paragraph, stream, xlsx};

const PROGRAM: &str = env!("CARGO_BIN_EXE_galley-read-file");

fn readers(budget_mb: u32) -> Readers {
    Readers::new(PROGRAM, &[], budget_mb)
}

/// Readers that run a line of shell instead.
fn scripted(line: &str, budget_mb: u32) -> Readers {
    Readers::new("/bin/sh", &["-c", line], budget_mb)
}

/// So large that no reader takes it in its own process.
fn large(text: &str) -> Bytes {
    text.repeat((256 << 10) / text.len() + 1).into()
}

/// Markdown that takes 70 times its size to be read.
fn brackets() -> Bytes {
    vec![b'['; 4 << 20].into()
}

#[tokio::test]
async fn a_process_reads_as_this_one_does() {
    let readers = readers(512);
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("weasyprint.pdf", include_bytes!("fixtures/weasyprint.pdf").to_vec()),
        ("reportlab.pdf", include_bytes!("fixtures/reportlab.pdf").to_vec()),
        ("columns.pdf", include_bytes!("fixtures/columns.pdf").to_vec()),
        ("user-password.pdf", include_bytes!("fixtures/user-password.pdf").to_vec()),
        ("hand.pdf", page(stream("", b"BT /F 12 Tf 72 700 Td (Hello there) Tj ET"))),
        ("a.docx", docx(&paragraph("Größe &amp; \"Maß\""))),
        ("cut.docx", docx(&paragraph("x"))[..60].to_vec()),
        ("a.xlsx", xlsx("<sheetData><row><c><v>4.5</v></c></row></sheetData>", "<sst/>")),
        ("a.csv", large("a,b\n1,\"2\n\u{7}3\"\n").to_vec()),
        ("a.md", large("# Title\n\nSome *words* \\ here.\n\n").to_vec()),
        ("a.txt", large("Gr\u{fc}n \"und\" gelb\\n\n").to_vec()),
        ("latin.txt", large("x").iter().copied().chain(*b" Gr\xfcn").collect()),
        ("a.html", large("<!doctype html><title>T</title><p>Some <b>words</b>.").to_vec()),
        ("binary.txt", vec![1; 300 << 10]),
        ("small.txt", b"some words".to_vec()),
        ("empty.txt", Vec::new()),
    ];
    for (name, bytes) in files {
        let here = extract(&bytes, name, &Limits::default());
        let there = readers.file(Bytes::from(bytes.clone()), name, Limits::default()).await;
        assert_eq!(there, here, "{name}");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), bytes).expect("written");
        let file = fs::File::open(folder.path().join("file")).expect("opened");
        assert_eq!(readers.file(file, name, Limits::default()).await, here, "{name}, where it is stored");
    }
    let html = format!("<html lang=de><a href=/x>link</a>{}", "<p>A paragraph of words.".repeat(20_000));
    let base = Some("https://example.com/a".to_owned());
    let there = readers.page(html.clone(), base.clone(), Limits::default()).await;
    assert_eq!(there, html::to_text(&html, base.as_deref(), &Limits::default()));
    assert_eq!(there.expect("read").links, ["https://example.com/x"]);
    assert_eq!(readers.free_mb(), 512);
}

#[tokio::test]
async fn what_needs_more_than_its_share_is_tried_with_the_whole_budget() {
    let read = readers(512).file(brackets(), "a.md", Limits::default()).await.expect("read");
    assert_eq!((read.kind, read.truncated), (FileKind::Markdown, true));
    assert_eq!(read, extract(&brackets(), "a.md", &Limits::default()).expect("read"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_that_needs_more_than_the_budget_is_stopped_and_the_file_is_told_why() {
    let readers = readers(128);
    let error = readers.file(brackets(), "a.md", Limits::default()).await.expect_err("refused");
    assert_eq!(error, FileError::TooMuchMemory { limit: "128 MiB".to_owned() });
    assert!(!error.is_transient());
    assert_eq!(
        error.to_string(),
        "reading the file needs more than 128 MiB of memory; split it, save it in a simpler form, or have the operator raise \
         limits.reading_memory_mb"
    );
    // The next one has all of it.
    assert_eq!(readers.free_mb(), 128);
    assert!(readers.file(large("some words "), "a.txt", Limits::default()).await.is_ok());
}

#[tokio::test]
async fn every_end_of_a_reader_has_its_error() {
    let quick = Limits { time: Duration::ZERO, ..Limits::default() };
    let failed = |detail: &str| FileError::ReaderFailed { detail: detail.to_owned() };
    let senseless = FileError::Damaged { detail: "its structure makes no sense".to_owned() };
    for (line, error) in [
        ("kill -KILL $$", failed("the reader process was ended from outside")),
        ("kill -TERM $$", failed("the reader process was ended from outside")),
        ("kill -XCPU $$", FileError::TimedOut { seconds: 0 }),
        ("kill -SEGV $$", senseless.clone()),
        ("kill -ABRT $$", senseless.clone()),
        ("echo 'thread has overflowed its stack' >&2; kill -ABRT $$", senseless.clone()),
        (
            "echo 'memory allocation of 5 bytes failed' >&2; kill -ABRT $$",
            FileError::TooMuchMemory { limit: "99 MiB".into() },
        ),
        ("exit 1", senseless.clone()),
        ("cat >&2; echo no answer", senseless.clone()),
        ("yes", senseless.clone()),
        ("echo '{\"Page\":{\"Err\":\"Empty\"}}'", senseless.clone()),
        ("echo '{\"File\":{\"Err\":\"Empty\"}}'", FileError::Empty),
        ("exec sleep 100", FileError::TimedOut { seconds: 0 }),
    ] {
        let readers = scripted(line, 99);
        let ended = readers.file(large("words "), "a.txt", quick.clone()).await;
        assert_eq!(ended, Err(error), "{line}");
        assert_eq!(readers.free_mb(), 99, "{line}");
    }
    let missing = Readers::new("/nowhere/galley", &[], 99).file(large("words "), "a.txt", Limits::default()).await;
    assert!(missing.expect_err("no program").is_transient());
}

#[test]
fn by_hand_the_program_says_that_there_is_nothing_to_do() {
    let output = std::process::Command::new(PROGRAM).output().expect("run");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("is called by galley itself"), "{output:?}");
}

/// The processes that run now with this word in their command line.
#[cfg(target_os = "linux")]
fn processes_with(word: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").expect("procfs").filter_map(Result::ok).map(|entry| entry.path());
    let says = |path: &PathBuf| {
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(word)
    };
    let is_ours = |path: &PathBuf| {
        let status = fs::read_to_string(path.join("status")).unwrap_or_default();
        status.lines().any(|line| line == format!("PPid:\t{}", std::process::id()))
    };
    entries.filter(|path| says(path) && is_ours(path)).collect()
}

/// Waits until something that nobody announces is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_budget_is_kept_and_a_large_file_gets_its_turn() {
    // Each says that it is there, and stays until it is told to go.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display();
    let line =
        format!("echo x >> {path}/$$; while [ ! -e {path}/go ]; do sleep 0.02; done; cat > /dev/null; rm {path}/$$");
    let readers = scripted(&line, 120);
    let running = || fs::read_dir(folder.path()).expect("listed").count();
    let ask = |bytes: Bytes| {
        let readers = readers.clone();
        tokio::spawn(async move { readers.file(bytes, "a.txt", Limits::default()).await })
    };
    // 56 MiB each: two have room.
    let first: Vec<_> = (0..4).map(|_| ask(large("words "))).collect();
    until("two run", || running() == 2).await;
    // All of the budget, and behind it what would have had room beside one of the first.
    let whole = ask(vec![b'x'; 10 << 20].into());
    let behind = ask(large("words "));
    tokio::task::yield_now().await;
    assert_eq!((running(), processes_with(&path.to_string()).len()), (2, 2), "more than the budget");
    first[0].abort();
    until("the third has the room of the first", || running() == 3).await;
    assert_eq!(processes_with(&path.to_string()).len(), 2);
    for task in &first[1..] {
        task.abort();
    }
    until("the large one has all of it", || running() == 4).await;
    assert_eq!(processes_with(&path.to_string()).len(), 1, "nobody runs beside it");
    fs::write(folder.path().join("go"), "").expect("written");
    assert!(whole.await.expect("no panic").is_err() && behind.await.expect("no panic").is_err());
    assert_eq!(readers.free_mb(), 120);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reading_that_nobody_waits_for_leaves_no_process() {
    let readers = scripted("exec sleep 86399", 100);
    let reading = tokio::spawn({
        let readers = readers.clone();
        async move { readers.file(large("words "), "a.txt", Limits::default()).await }
    });
    until("it runs", || !processes_with("86399").is_empty()).await;
    assert_eq!(readers.free_mb(), 44);
    reading.abort();
    // The room is given back when the process is gone and has been waited for, so it is no zombie either.
    until("its room is given back", || readers.free_mb() == 100).await;
    let children = fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id()));
    assert!(processes_with("86399").is_empty(), "{children:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_has_nothing_but_its_file_and_its_limits() {
    // It waits for its input, which a pipe without an end keeps from it.
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("never");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let hold = fs::OpenOptions::new().read(true).write(true).open(&fifo).expect("opened");
    let readers = scripted(&format!("exec {PROGRAM} reader-of-this-test < {}", fifo.display()), 100);
    let reading = tokio::spawn({
        let readers = readers.clone();
        async move { readers.file(large("words "), "a.txt", Limits::default()).await }
    });
    let limits_of = |process: &Path| fs::read_to_string(process.join("limits")).unwrap_or_default();
    let confined = |process: &PathBuf| {
        limits_of(process).lines().any(|line| line.starts_with("Max data size") && !line.contains("unlimited"))
    };
    until("it has limited itself", || processes_with("reader-of-this-test").iter().any(confined)).await;
    let process = processes_with("reader-of-this-test").remove(0);
    let most = |name: &str| {
        let limits = limits_of(&process);
        let line = limits.lines().find(|line| line.starts_with(name)).expect(name).to_owned();
        line[name.len()..].split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    let data = (56 - 16) << 20;
    assert_eq!(most("Max data size"), format!("{data} {data}"));
    assert_eq!(most("Max cpu time"), "17 18");
    assert_eq!([most("Max core file size"), most("Max file size"), most("Max open files")], ["0 0", "0 0", "0 0"]);
    let environment = fs::read(process.join("environ")).expect("its environment");
    let names: Vec<String> = environment
        .split(|byte| *byte == 0)
        .filter(|pair| !pair.is_empty())
        .map(|pair| String::from_utf8_lossy(pair).split('=').next().unwrap_or_default().to_owned())
        .collect();
    // The shell of this test adds two of its own.
    let ours: Vec<&String> =
        names.iter().filter(|name| !matches!(name.as_str(), "PWD" | "_" | "OLDPWD" | "SHLVL")).collect();
    assert_eq!(ours, ["GALLEY_READER_JOB"]);
    assert!(std::env::var_os("PATH").is_some(), "this process has an environment that could be passed on");
    let opened = fs::read_dir(process.join("fd")).expect("its files").filter_map(Result::ok);
    let more: Vec<PathBuf> = opened
        .map(|file| file.path())
        .filter(|path| !path.ends_with("0") && !path.ends_with("1") && !path.ends_with("2"))
        .collect();
    for path in more {
        // Whoever runs this test gave it, to all that it starts.
        let inherited = Path::new("/proc/self/fd").join(path.file_name().expect("a number"));
        assert_eq!(fs::read_link(&path).ok(), fs::read_link(inherited).ok(), "something of ours is open");
    }
    reading.abort();
    until("it is gone", || readers.free_mb() == 100).await;
    assert!(!process.exists());
    drop(hold);
}

/// The lowest priority of a process's threads.
#[cfg(target_os = "linux")]
fn niceness(process: &Path) -> i32 {
    let threads = fs::read_dir(process.join("task")).into_iter().flatten().filter_map(Result::ok);
    let of = |thread: PathBuf| -> Option<i32> {
        let stat = fs::read_to_string(thread.join("stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(16)?.parse().ok()
    };
    threads.filter_map(|thread| of(thread.path())).max().unwrap_or_default()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_that_takes_long_lets_others_go_first() {
    let readers = Readers::new(PROGRAM, &["long-reader-of-this-test"], 512);
    let reading = tokio::spawn({
        let readers = readers.clone();
        async move { readers.file(vec![b'['; 3 << 20], "a.md", Limits::default()).await }
    });
    until("it has stepped back", || {
        let processes = processes_with("long-reader-of-this-test");
        processes.iter().any(|process| niceness(process) >= 15)
    })
    .await;
    reading.abort();
    until("it is gone", || readers.free_mb() == 512).await;
}

#[tokio::test]
async fn eight_at_once_of_every_kind_keep_to_the_budget() {
    let readers = readers(256);
    let files = [
        ("commas.csv", vec![b','; 19 << 20], "FILE_NO_TEXT"),
        ("brackets.md", vec![b'['; 1 << 20], "md"),
        ("line.txt", vec![b'x'; 19 << 20], "txt"),
        ("deep.html", [b"<html>".as_slice(), &b"<div>".repeat(1 << 20), b"word"].concat(), "html"),
        ("a.docx", docx(&paragraph("words").repeat(100_000)), "docx"),
        ("a.pdf", include_bytes!("fixtures/weasyprint.pdf").to_vec(), "pdf"),
    ];
    let mut all = Vec::new();
    for (name, bytes, wanted) in files {
        let bytes = Bytes::from(bytes);
        for _ in 0..8 {
            let (readers, bytes) = (readers.clone(), bytes.clone());
            let limits = Limits { time: Duration::from_secs(60), ..Limits::default() };
            all.push((name, wanted, tokio::spawn(async move { readers.file(bytes, name, limits).await })));
        }
    }
    for (name, wanted, reading) in all {
        let outcome = reading.await.expect("no panic").map_or_else(|error| error.code(), |read| read.kind.as_str());
        assert_eq!(outcome, wanted, "{name}");
    }
    assert_eq!(readers.free_mb(), 256);
}

/// What a thread of the daemon may read: a process that has 2 MiB, and 1 for each 4 KiB, beside its stack and the program
/// reads it, too.
#[cfg(target_os = "linux")]
#[test]
fn small_texts_need_little_memory() {
    for (name, unit) in [
        ("a.md", "["),
        ("a.md", "[a](b) "),
        ("a.md", "*a _b "),
        ("a.md", ">"),
        ("a.md", "- a\n"),
        ("a.md", "|a|b\n|-|-\n"),
        ("a.csv", ","),
        ("a.csv", "a,\n"),
        ("a.csv", "\""),
        ("a.txt", "a\n"),
        ("a.txt", "a "),
        ("a.html", "<a>"),
        ("a.html", "<p>a"),
        ("a.page", "<li>a"),
        ("a.page", "<td>a"),
        ("a.page", "<a href=/b>a"),
        ("a.page", "<p a b c d e>"),
        ("a.page", "<div><p>Every word, counts, here, in this. "),
    ] {
        for kib in [16, 128] {
            check(name, unit, "", kib << 10, 2 + kib / 4);
        }
    }
    // Pictures of one figure, all with the same long caption.
    let caption = format!("<figcaption>{}</figcaption></figure>", "a caption ".repeat(8 << 10));
    check("a.page", "<img src=a alt=b>", &caption, 128 << 10, 34);
}

#[cfg(target_os = "linux")]
fn check(name: &str, unit: &str, end: &str, size: usize, mb: usize) {
    let limits = serde_json::to_string(&Limits::default()).expect("plain data");
    let question = match name.strip_suffix(".page") {
        Some(_) => r#"{"Page":{"base_url":null}}"#.to_owned(),
        None => format!(r#"{{"File":{{"name":"{name}"}}}}"#),
    };
    let mut text = if name.contains("html") || name.contains("page") { "<html><body>" } else { "" }.to_owned();
    if !end.is_empty() {
        text += "<figure>";
    }
    text += &unit.repeat((size - text.len() - end.len()) / unit.len());
    text += end;
    // Beside it the stack and the program have 16 each.
    let (share, parent) = (mb + 32, std::process::id());
    let job =
        format!(r#"{{"question":{question},"limits":{limits},"share_mb":{share},"cpu_seconds":15,"parent":{parent}}}"#);
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), &text).expect("written");
    let output = std::process::Command::new(PROGRAM)
        .env_clear()
        .env("GALLEY_READER_JOB", job)
        .stdin(fs::File::open(folder.path().join("file")).expect("opened"))
        .output()
        .expect("run");
    assert!(output.status.success(), "{name} of {unit:?}: {}", String::from_utf8_lossy(&output.stderr));
}

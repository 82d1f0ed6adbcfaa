//! Uploads: what is refused, and what is taken although it looks odd.

use std::{
    io::{Cursor, Write},
    path::Path,
    time::Duration,
};

use futures::StreamExt;
use galley::http::AppState;
use galley_services::MAX_UPLOAD_BYTES;
use galley_testkit::Harness;
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{Front, form, text};

const FILES: &str = "/api/v1/files";
const WORD_TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn bomb() -> Vec<u8> {
    let spaces = vec![b' '; 64 << 20];
    zipped(&[("[Content_Types].xml", WORD_TYPES.as_bytes()), ("word/document.xml", &spaces)])
}

fn stored_blobs(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |path: std::path::PathBuf| if path.is_dir() { stored_blobs(&path) } else { 1 };
    entries.map(|entry| count(entry.unwrap().path())).sum()
}

async fn assert_nothing_stored(front: &Front) {
    assert_eq!(front.harness.database.number("SELECT count(*) FROM files").await, 0, "no row of what was refused");
    assert_eq!(stored_blobs(&front.harness.dir.path().join("files")), 0, "no bytes of what was refused");
}

#[tokio::test]
async fn files_that_nothing_can_be_read_from_are_refused() {
    let front = Front::new().await;
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 64]].concat();
    let encrypted = include_bytes!("../../crates/integrations/files/tests/fixtures/user-password.pdf");
    let whole = zipped(&[("[Content_Types].xml", WORD_TYPES.as_bytes()), ("word/document.xml", b"<w:document/>")]);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty.txt", vec![], "empty"),
        ("empty.pdf", vec![], "empty"),
        ("blank.txt", b" \r\n\t ".to_vec(), "empty"),
        ("bomb.docx", bomb(), "unpacks to far more"),
        ("secret.pdf", encrypted.to_vec(), "password"),
        ("picture.pdf", png.clone(), "PNG"),
        ("picture.txt", png, "PNG"),
        ("cut.docx", whole[..whole.len() / 2].to_vec(), "damaged"),
        ("header.pdf", b"%PDF-1.7\n".to_vec(), "damaged"),
        ("files.zip", zipped(&[("a.txt", b"Tea")]), "no text that can be read"),
        ("program.txt", [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 200]].concat(), "no text that can be read"),
        ("app.html", b"<!doctype html><html><body><script>run()</script></body></html>".to_vec(), "no text"),
    ];
    for (name, bytes, reason) in cases {
        let answer = front.upload(name, bytes).await;
        assert_eq!(answer.status, 400, "{name} is refused: {}", answer.text);
        let problem = answer.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(answer.wrong_fields(), ["file"], "{name}");
        let message = text(&problem["errors"][0]["message"]);
        assert!(message.contains(name) && message.contains(reason), "{name}: expected '{reason}' in {message}");
    }
    assert_nothing_stored(&front).await;
}

#[tokio::test]
async fn forms_that_are_wrong_are_refused() {
    let front = Front::new().await;
    let part = || Part::bytes(b"Tea".to_vec()).file_name("a.txt");
    for (case, form) in [
        ("another name", Form::new().part("upload", part())),
        ("only text", Form::new().text("name", "Tea")),
        ("twice", Form::new().part("file", part()).part("file", part())),
    ] {
        let answer = front.send(front.request(Method::POST, FILES).multipart(form)).await;
        answer.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(answer.wrong_fields(), ["file"], "{case}");
    }
    let multipart = "multipart/form-data; boundary=x";
    let head = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nTea";
    for (kind, body, status) in [
        ("application/json", "{}", 415),
        ("text/plain", "Tea", 415),
        ("multipart/form-data", "--x--", 400),
        (multipart, "", 400),
        (multipart, "Tea", 400),
        (multipart, head, 400),
    ] {
        let request = front.request(Method::POST, FILES).header("content-type", kind).body(body);
        let answer = front.send(request).await;
        assert_eq!(answer.status, status, "{kind} with {body:?}: {}", answer.text);
        answer.is_problem(status, "VALIDATION_ERROR");
    }
    let untyped = front.send(front.request(Method::POST, FILES)).await;
    untyped.is_problem(415, "VALIDATION_ERROR");
    assert_nothing_stored(&front).await;
}

#[tokio::test]
async fn files_that_are_too_large_are_refused() {
    let front = Front::new().await;
    for size in [MAX_UPLOAD_BYTES + 1, 21_000_000, 40 << 20] {
        let answer = front.upload("large.txt", vec![b'a'; size]).await;
        assert_eq!(answer.status, 413, "{size} bytes are refused: {}", answer.text);
        answer.is_problem(413, "VALIDATION_ERROR");
    }
    // In pieces, so that no length is announced.
    let pieces = (0..336).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 64 * 1024]));
    let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    let form = Form::new().part("file", Part::stream(body).file_name("large.txt"));
    let answer = front.send(front.request(Method::POST, FILES).multipart(form)).await;
    answer.is_problem(413, "VALIDATION_ERROR");
    assert_nothing_stored(&front).await;
}

#[tokio::test]
async fn odd_files_that_can_be_read_are_taken_as_they_are() {
    let front = Front::new().await;
    let cases: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        ("latin.txt", b"Caf\xe9 cr\xe8me is a drink of coffee and milk.".to_vec(), "txt", "latin.txt"),
        ("broken.txt", b"Tea is a \xff\xfe\xc3 drink that people like.".to_vec(), "txt", "broken.txt"),
        ("one line.txt", b"tea and coffee ".repeat(10_000_000 / 15), "txt", "one line.txt"),
        ("full.txt", b"tea and coffee, ".repeat(MAX_UPLOAD_BYTES / 16), "txt", "full.txt"),
        ("../../etc/passwd", b"Tea is a drink.".to_vec(), "txt", "passwd"),
        ("Grün \"Tee\".md", "# Grüner Tee\n\nEin Getränk.".into(), "md", "Grün \"Tee\".md"),
        ("a.csv", b"name,price\nGreen,4\nBlack,3\n".to_vec(), "csv", "a.csv"),
        ("page.txt", b"<!doctype html><html><body><p>Tea is a drink.</p></body></html>".to_vec(), "html", "page.txt"),
    ];
    for (name, bytes, kind, stored) in cases {
        let answer = front.upload(name, bytes.clone()).await;
        let file = answer.is(201);
        assert_eq!((text(&file["kind"]), text(&file["name"])), (kind.to_owned(), stored.to_owned()), "{name}");
        assert_eq!((&file["size"], &file["id"]), (&bytes.len().into(), &file["file_id"]), "{name}");
        let own = format!("{FILES}/{}", text(&file["id"]));
        assert_eq!(answer.header("location"), own, "{name}");
        assert_eq!(front.get(&own).await.is(200)["sha256"], file["sha256"], "{name} is where the answer says");
        let path = format!("{own}/content");
        assert_eq!(text(&file["url"]), path, "{name}");
        let response = front.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{name} can be read again");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "application/octet-stream", "{name} is not run by a browser");
        assert!(header("content-disposition").starts_with("attachment;"), "{name} is a download");
        assert!(header("content-security-policy").contains("sandbox"), "{name} is in a sandbox");
        assert!(response.bytes().await.unwrap() == bytes, "{name} comes back as it was sent");
    }
}

#[tokio::test]
async fn the_same_key_stores_one_file() {
    let front = Front::new().await;
    let send = |name: &str, content: &str| {
        let request = front.request(Method::POST, FILES).header("idempotency-key", "f-1");
        front.send(request.multipart(form(name, content)))
    };
    let first = send("a.txt", "Tea is a drink.").await;
    let again = send("a.txt", "Tea is a drink.").await;
    assert_eq!((again.is(201), again.header("idempotent-replayed")), (first.is(201), "true"), "the same file");
    send("a.txt", "Coffee is a drink.").await.is_problem(409, "CONFLICT");
    send("b.txt", "Tea is a drink.").await.is_problem(409, "CONFLICT");
    assert_eq!(front.harness.database.number("SELECT count(*) FROM files").await, 1, "one file in all");
}

#[tokio::test]
async fn an_upload_that_stops_coming_is_given_up() {
    let change = |state: &mut AppState| {
        state.limits.uploads = 1;
        state.limits.upload_pause = Duration::from_millis(200);
    };
    let front = Front::on(Harness::builder(), change).await;
    let head = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nTea";
    let begun = futures::stream::iter([Ok::<_, std::io::Error>(head)]).chain(futures::stream::pending());
    let request = front
        .request(Method::POST, "/api/v1/files")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(reqwest::Body::wrap_stream(begun));
    let refused = front.send(request).await;
    refused.is_problem(400, "VALIDATION_ERROR");
    assert!(refused.text.contains("could not be read to its end"), "it says why: {}", refused.text);
    front.upload("tea.txt", "Tea is a drink.").await.is(201);
}

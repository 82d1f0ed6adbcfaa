//! Answers whose heads say something else than their bodies, and pages that send their reader on.

use std::io::Write;

use crate::common::{Peer, Reply, TEXT, answer, article, fetcher_for, html, redirect};
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use galley_domain::Fault;
use galley_fetch::{Page, Reason};
use galley_files::FileError;

const CSV: &str = "name,degrees\ngreen,75\nblack,100\nwhite,80\n";
const TSV: &str = "name\tdegrees\ngreen\t75\nblack\t100\nwhite\t80\n";
const ROWS: &str = "| name | degrees |\n| green | 75 |\n| black | 100 |\n| white | 80 |";

async fn page(content_type: &str, path: &str, body: &[u8]) -> Page {
    let reply = answer("200 OK", content_type, "", body);
    let server = Peer::start(move |_| Reply::Keep(reply.clone())).await;
    let page = fetcher_for(&server).fetch(&server.url(path)).await;
    page.unwrap_or_else(|error| panic!("{content_type} {path}: {error}"))
}

#[tokio::test]
async fn tables_are_read_whatever_they_are_called() {
    for declared in [
        "text/csv",
        "text/x-csv",
        "application/x-csv",
        "text/comma-separated-values",
        "application/vnd.ms-excel",
        "application/msexcel; charset=utf-8",
        "application/octet-stream",
        "binary/octet-stream",
        "application/force-download",
        "text/plain",
        "text/x-unheard-of",
    ] {
        let read = page(declared, "/data.csv", CSV.as_bytes()).await;
        assert_eq!((read.text.as_str(), read.warnings.len()), (ROWS, 0), "{declared}");
    }
    for (declared, path) in [
        ("text/tab-separated-values", "/export"),
        ("text/tsv", "/export"),
        ("application/vnd.ms-excel", "/export.xls"),
        ("text/plain", "/data.tsv"),
        ("application/octet-stream", "/data.tsv"),
    ] {
        assert_eq!(page(declared, path, TSV.as_bytes()).await.text, ROWS, "{declared}");
    }
    let latin1 =
        page("application/vnd.ms-excel; charset=iso-8859-1", "/e", b"Tee,Grad\nGr\xfcn,75\nWei\xdf,80\n").await;
    assert_eq!(
        (latin1.text.as_str(), latin1.content_type.as_str()),
        ("| Tee | Grad |\n| Grün | 75 |\n| Weiß | 80 |", "text/csv")
    );
    let table = "<table><tr><th>name<th>degrees<tr><td>green<td>75<tr><td>black<td>100<tr><td>white<td>80</table>";
    assert_eq!(page("application/vnd.ms-excel", "/export.xls", table.as_bytes()).await.text, ROWS);
}

#[tokio::test]
async fn pages_and_texts_are_told_by_their_content() {
    let whole = article("Tea", TEXT);
    for declared in [
        "text/plain",
        "application/octet-stream",
        "application/xml",
        "text/xml",
        "html",
        "text/csv",
        "application/pdf",
        "",
    ] {
        let read = page(declared, "/tea", whole.as_bytes()).await;
        assert_eq!((read.title.as_str(), read.text.as_str()), ("Tea", TEXT), "{declared}");
        assert_eq!((read.content_type.as_str(), read.language.as_deref()), ("text/html", Some("en")), "{declared}");
    }
    let plain = page("text/html", "/notes.txt", b"First line.\n\nSecond: 3 < 4.").await;
    assert_eq!((plain.text.as_str(), plain.content_type.as_str()), ("First line.\n\nSecond: 3 < 4.", "text/plain"));
    let markdown = page("text/plain; charset=utf-8", "/raw/README.md", b"Tea\n===\n\nIs *good*.").await;
    assert_eq!(markdown.text, "# Tea\n\nIs good.");
    let missing = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nSome <words>";
    let server = Peer::start(move |_| Reply::Keep(missing.to_vec())).await;
    assert_eq!(fetcher_for(&server).fetch(&server.url("/x")).await.unwrap().text, "Some <words>");
}

#[tokio::test]
async fn an_archive_is_no_text_though_it_may_be_asked_for() {
    let server = Peer::start(|_| Reply::Keep(answer("200 OK", "application/zip", "", b"\x1f\x8b\x08\0"))).await;
    let error = fetcher_for(&server).fetch(&server.url("/a.zip")).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Unreadable(FileError::UnknownType { .. })), "{error:?}");
}

fn packed(how: &str, text: &str) -> Vec<u8> {
    let write = |packer: &mut dyn Write| packer.write_all(text.as_bytes()).unwrap();
    let level = Compression::fast();
    match how {
        "gzip" => {
            let mut packer = GzEncoder::new(Vec::new(), level);
            write(&mut packer);
            packer.finish().unwrap()
        }
        "zlib" => {
            let mut packer = ZlibEncoder::new(Vec::new(), level);
            write(&mut packer);
            packer.finish().unwrap()
        }
        "raw" => {
            let mut packer = DeflateEncoder::new(Vec::new(), level);
            write(&mut packer);
            packer.finish().unwrap()
        }
        _ => text.as_bytes().to_vec(),
    }
}

#[tokio::test]
async fn packed_bodies_are_read_by_what_they_are() {
    for (coding, how) in [
        ("x-gzip", "gzip"),
        ("gzip", "gzip"),
        ("deflate", "zlib"),
        ("deflate", "raw"),
        ("gzip", "plain"),
        ("deflate", "plain"),
        ("br", "plain"),
        ("zstd", "plain"),
        ("utf-8", "plain"),
        ("none, identity", "plain"),
    ] {
        let body = packed(how, &article("Packed", TEXT));
        let reply = answer("200 OK", "text/html", &format!("Content-Encoding: {coding}\r\n"), &body);
        let server = Peer::start(move |_| Reply::Keep(reply.clone())).await;
        let page =
            fetcher_for(&server).fetch(&server.url("/")).await.unwrap_or_else(|e| panic!("{coding} {how}: {e:?}"));
        assert_eq!((page.title.as_str(), page.text.as_str()), ("Packed", TEXT), "{coding} {how}");
        assert_eq!(page.bytes_read, article("Packed", TEXT).len());
        assert!(server.asked()[0].head.to_ascii_lowercase().contains("accept-encoding: gzip, deflate, br\r\n"));
    }
}

#[tokio::test]
async fn hundreds_of_headers_are_no_reason_to_refuse() {
    let more: String = (0..600).map(|at| format!("X-Trace-{at}: {at}\r\n")).collect();
    let reply = answer("200 OK", "text/html", &more, article("Tea", TEXT).as_bytes());
    let server = Peer::start(move |_| Reply::Keep(reply.clone())).await;
    assert_eq!(fetcher_for(&server).fetch(&server.url("/")).await.unwrap().text, TEXT);
}

fn sends_on(to: &str) -> String {
    format!(
        "<html><head><title>Moved</title><meta http-equiv=\"Refresh\" content=\"{to}\"></head><body>Moved.</body></html>"
    )
}

#[tokio::test]
async fn a_refresh_of_a_few_seconds_is_a_redirect() {
    let server = Peer::start(|asked| match asked.path.as_str() {
        "/meta" => html(&sends_on("0; url=/tea")),
        "/header" => Reply::Keep(answer("200 OK", "text/html", "Refresh: 3;url=/tea\r\n", b"<p>Moved.")),
        "/both" => html(&sends_on("1;URL='/meta'")),
        "/slow" => html(&sends_on("30; url=/tea")),
        "/itself" => html(&sends_on("5; url=/itself#top")),
        "/renewed" => html(&sends_on("5")),
        _ => html(&article("Tea", TEXT)),
    })
    .await;
    let fetcher = fetcher_for(&server);
    for path in ["/meta", "/header", "/both"] {
        let page = fetcher.fetch(&server.url(path)).await.unwrap();
        assert_eq!((page.text.as_str(), page.url), (TEXT, server.url("/tea")), "{path}");
    }
    for path in ["/slow", "/itself", "/renewed"] {
        assert_eq!(fetcher.fetch(&server.url(path)).await.unwrap().text, "Moved.", "{path}");
    }
}

#[tokio::test]
async fn a_refresh_obeys_the_rules_of_redirects() {
    let server = Peer::start(|asked| match asked.path.as_str() {
        "/robots.txt" => Reply::Keep(answer("200 OK", "text/plain", "", b"User-agent: *\nDisallow: /closed\n")),
        "/inward" => html(&sends_on("0; url=http://169.254.169.254/latest")),
        "/file" => html(&sends_on("0; url=file:///etc/passwd")),
        "/to-closed" => html(&sends_on("0; url=/closed")),
        "/circle" => html(&sends_on("0; url=/back")),
        "/back" => redirect("/circle"),
        path => {
            let hop: u32 = path.trim_start_matches("/hop/").parse().unwrap();
            html(&sends_on(&format!("0; url=/hop/{}", hop + 1)))
        }
    })
    .await;
    let fetcher = fetcher_for(&server);
    for path in ["/inward", "/file"] {
        let error = fetcher.fetch(&server.url(path)).await.unwrap_err();
        assert!(matches!(error.reason, Reason::RedirectRefused(_)), "{path}: {error:?}");
    }
    let error = fetcher.fetch_found(&server.url("/to-closed")).await.unwrap_err();
    assert_eq!(error.reason, Reason::Robots { reached: true });
    assert!(!Fault::from(error).is_transient());
    let error = fetcher.fetch(&server.url("/circle")).await.unwrap_err();
    assert_eq!(error.reason, Reason::TooManyRedirects { limit: 5, circle: true });
    let error = fetcher.fetch(&server.url("/hop/0")).await.unwrap_err();
    assert_eq!(error.reason, Reason::TooManyRedirects { limit: 5, circle: false });
    assert!(!server.paths().contains(&"/closed".to_owned()));
}

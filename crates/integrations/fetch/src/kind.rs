//! What an answer says it is, and what it looks like.

use galley_files::{FileKind, sniff};
use url::Url;

use crate::{client::Raw, error::Reason};

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Html,
    /// Text whose charset the header may tell; the ending tells the form.
    Text(&'static str),
    /// Told apart by its content; the ending is a hint.
    File(&'static str),
    /// Nothing usable was declared.
    Unknown,
}

/// The type without parameters, in lower case.
pub(crate) fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The `charset` parameter.
pub(crate) fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })
}

/// The kind that a declared type stands for; `None` for a type that is not read.
pub(crate) fn kind_of(content_type: Option<&str>) -> Option<Kind> {
    let Some(content_type) = content_type else { return Some(Kind::Unknown) };
    let essence = essence(content_type);
    Some(match essence.as_str() {
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "text/markdown" | "text/x-markdown" | "text/x-web-markdown" | "text/x-gfm" | "application/markdown" => {
            Kind::Text("md")
        }
        "text/csv"
        | "application/csv"
        | "text/x-csv"
        | "application/x-csv"
        | "text/comma-separated-values"
        | "text/x-comma-separated-values" => Kind::Text("csv"),
        "text/tab-separated-values" | "text/tsv" | "text/x-tsv" | "application/tsv" => Kind::Text("tsv"),
        // What Windows calls a CSV file is Excel's type, and what some sites export as Excel is a page with a table.
        "application/vnd.ms-excel"
        | "application/msexcel"
        | "application/x-msexcel"
        | "application/excel"
        | "application/x-excel"
        | "application/xls" => Kind::File("csv"),
        "application/pdf" | "application/x-pdf" | "text/pdf" | "text/x-pdf" | "application/acrobat" => {
            Kind::File("pdf")
        }
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" | "application/msword" => {
            Kind::File("docx")
        }
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        | "application/vnd.ms-excel.sheet.macroenabled.12" => Kind::File("xlsx"),
        // New Office files are archives, and pages in XHTML are XML.
        "application/zip" | "application/x-zip-compressed" | "text/xml" | "application/xml" => Kind::Unknown,
        "text/css" | "text/javascript" | "text/ecmascript" | "text/calendar" | "text/vcard" | "text/event-stream"
        | "text/rtf" => return None,
        other if other.starts_with("text/") => Kind::Text("txt"),
        other if !other.contains('/') || is_download(other) => Kind::Unknown,
        _ => return None,
    })
}

/// Types that say no more than that there are bytes.
fn is_download(essence: &str) -> bool {
    let kind = essence.split('/').nth(1).unwrap_or_default().trim_start_matches("x-");
    [
        "octet-stream",
        "octetstream",
        "download",
        "force-download",
        "forcedownload",
        "unknown",
        "binary",
        "save",
        "file",
        "*",
    ]
    .contains(&kind)
        || matches!(kind, "html" | "text" | "txt" | "plain" | "unknown-content-type")
}

/// Whether the body is read as a web page.
pub(crate) fn is_html(raw: &Raw) -> bool {
    matches!(told(raw, kind_of(raw.content_type.as_deref()).unwrap_or(Kind::Unknown)), Told::Html)
}

/// What a body is, told by its content; the declared kind and the address only decide where that leaves a choice.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Html,
    /// Characters, to be decoded; a name for `galley_files::extract`.
    Text(String),
    /// Bytes; a name for `galley_files::extract`.
    File(String),
}

pub(crate) fn told(raw: &Raw, kind: Kind) -> Told {
    let body = &raw.body;
    let own = name_of(&raw.url);
    let name = match kind {
        Kind::Text(ending) if ending != "txt" => format!("page.{ending}"),
        // What servers declare for endings that they do not know.
        Kind::Text(_) if ending_of(&own).is_none() => "page.txt".to_owned(),
        Kind::File(ending) => format!("page.{ending}"),
        _ => own,
    };
    if looks_binary(body) {
        return Told::File(name);
    }
    match (kind, sniff(body, &name)) {
        (Kind::Html, _) if has_tags(body) => Told::Html,
        (Kind::File("csv"), Ok(FileKind::Csv)) if body.trim_ascii_start().starts_with(b"<") => Told::Html,
        (_, Ok(FileKind::Html)) => Told::Html,
        (_, Ok(FileKind::Text | FileKind::Markdown | FileKind::Csv)) => Told::Text(name),
        _ => Told::File(name),
    }
}

/// Something between pointed brackets that can be a tag; in UTF-16 too.
fn has_tags(body: &[u8]) -> bool {
    let head: Vec<u8> = body.iter().copied().take(256 << 10).filter(|byte| *byte != 0).collect();
    head.windows(2)
        .any(|pair| pair[0] == b'<' && (pair[1].is_ascii_alphabetic() || matches!(pair[1], b'!' | b'/' | b'?')))
}

/// The ending of a name, where it tells one of the kinds of text.
fn ending_of(name: &str) -> Option<&str> {
    let (_, ending) = name.rsplit_once('.')?;
    ["md", "markdown", "csv", "tsv", "tab"].into_iter().find(|known| ending.eq_ignore_ascii_case(known))
}

/// Refuses a type that is not read, before its body is.
pub(crate) fn check(content_type: Option<&str>) -> Result<(), Reason> {
    match kind_of(content_type) {
        Some(_) => Ok(()),
        None => Err(Reason::Type { content_type: essence(content_type.unwrap_or_default()) }),
    }
}

/// Is this no text, whatever was declared? Binary data bytes of the MIME Sniffing Standard in the first 512, unless a
/// byte order mark says that they are halves of characters; and PDF, which starts like text.
pub(crate) fn looks_binary(body: &[u8]) -> bool {
    if body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]) {
        return false;
    }
    let is_binary = |b: &u8| matches!(b, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    body.starts_with(b"%PDF-") || body.iter().take(512).any(is_binary)
}

/// A short name for a page that has no title: the last part of its path, else its host.
pub(crate) fn name_of(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
    let name = last.or(url.host_str()).unwrap_or("page");
    name.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types() {
        for (declared, kind) in [
            ("text/html", Some(Kind::Html)),
            ("Text/HTML; charset=\"utf-8\"", Some(Kind::Html)),
            ("application/xhtml+xml", Some(Kind::Html)),
            ("text/plain;charset=latin1", Some(Kind::Text("txt"))),
            ("application/pdf", Some(Kind::File("pdf"))),
            ("application/octet-stream", Some(Kind::Unknown)),
            (";", Some(Kind::Unknown)),
            ("image/png", None),
            ("text/tab-separated-values", Some(Kind::Text("tsv"))),
            ("application/vnd.ms-excel", Some(Kind::File("csv"))),
            ("application/zip", Some(Kind::Unknown)),
            ("text/x-log", Some(Kind::Text("txt"))),
            ("html", Some(Kind::Unknown)),
            ("application/x-octet-stream", Some(Kind::Unknown)),
            ("video/mp4", None),
            ("text/css", None),
            ("application/json", None),
        ] {
            assert_eq!(kind_of(Some(declared)), kind, "{declared}");
        }
        assert_eq!(kind_of(None), Some(Kind::Unknown));
        assert_eq!(check(Some("image/PNG; q=1")), Err(Reason::Type { content_type: "image/png".to_owned() }));
    }

    #[test]
    fn charset_parameters() {
        for (declared, found) in [
            ("text/html; charset=utf-8", Some("utf-8")),
            ("text/html;x=y; Charset = \"ISO-8859-1\"", Some("ISO-8859-1")),
            ("text/html; charset='utf-8'", Some("utf-8")),
            ("text/html; charset", None),
            ("charset=utf-8", None),
        ] {
            assert_eq!(charset(declared), found, "{declared}");
        }
    }

    #[test]
    fn binary_is_told_from_text() {
        for body in [&b"\x89PNG\r\n\x1a\n"[..], b"%PDF-1.7", b"PK\x03\x04", b"a\0b", b"\xff\xd8\xff\xe0\0\x10"] {
            assert!(looks_binary(body), "{body:?}");
        }
        for body in [&b""[..], b"<html>", "Grüße\t\r\n".as_bytes(), b"\xff\xfea\0", b"\x1b$B", b"caf\xe9 \x80"] {
            assert!(!looks_binary(body), "{body:?}");
        }
    }

    #[test]
    fn names() {
        for (url, name) in [
            ("https://example.com/a/report.pdf?x=1", "report.pdf"),
            ("https://example.com/a/", "a"),
            ("https://example.com/", "example.com"),
        ] {
            assert_eq!(name_of(&Url::parse(url).unwrap()), name);
        }
    }
}

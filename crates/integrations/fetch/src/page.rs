//! A body to readable text.

use galley_files::{DEFAULT_BUDGET_MB, Extracted, FileError, FileKind, Limits, Pictures, Readers, html::Html};
use url::Url;

use crate::{
    charset,
    client::Raw,
    error::{FetchError, Reason},
    kind::{self, Kind, Told},
};

/// A page as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where the text came from, after redirects.
    pub url: String,
    /// As it was asked for.
    pub requested_url: String,
    /// 200 to 299.
    pub status: u16,
    /// The type of the content without parameters, e.g. `text/html`, as declared or, where the content is of another
    /// kind, as it shows.
    pub content_type: String,
    /// What the page calls itself, else the last part of its address.
    pub title: String,
    /// ISO 639-1, as declared by the page.
    pub language: Option<String>,
    /// In the subset documented at `galley_domain::writing::Snapshot::text`; never empty.
    pub text: String,
    /// Bytes of the body after decompression.
    pub bytes_read: usize,
    /// True where text was left out because there is more of it than is kept.
    pub truncated: bool,
    /// What a reader should know, a sentence each.
    pub warnings: Vec<String>,
    /// With absolute addresses. Those are not fetched.
    pub pictures: Pictures,
}

impl Page {
    /// Makes a page of an answer that is there already: `content_type` as its header says it, `body` unpacked.
    ///
    /// # Errors
    /// `Unreadable` with the reason: nothing in it, a broken or protected file, no words, over a limit.
    pub async fn of(url: Url, status: u16, content_type: Option<String>, body: Vec<u8>) -> Result<Self, FetchError> {
        let link = url.to_string();
        read(&link, Raw { url, status, content_type, refresh: None, body }, &Readers::in_process(DEFAULT_BUDGET_MB))
            .await
    }
}

/// How a body became text, whatever its kind.
struct Read {
    title: Option<String>,
    language: Option<String>,
    text: String,
    truncated: bool,
    warnings: Vec<String>,
    pictures: Pictures,
}

/// What a body turns out to be.
enum Body {
    Html {
        text: String,
        warning: Option<String>,
    },
    /// For `galley_files::extract`; the name's ending says what was declared.
    File {
        bytes: Vec<u8>,
        name: String,
        warning: Option<String>,
    },
}

/// Makes a page of what was fetched, bounded by [`Limits`].
pub(crate) async fn read(link: &str, raw: Raw, readers: &Readers) -> Result<Page, FetchError> {
    let (url, status, bytes_read) = (raw.url.clone(), raw.status, raw.body.len());
    let content_type = raw.content_type.clone();
    if raw.body.is_empty() {
        return Err(FetchError::new(link, Reason::Unreadable(FileError::Empty)));
    }
    let (read, shown) = match body_of(raw) {
        Body::Html { text, warning } => (from_html(text, warning, &url, readers).await, "text/html"),
        Body::File { bytes, name, warning } => from_file(bytes, name, warning, readers).await,
    };
    let read = read.map_err(|error| FetchError::new(link, Reason::Unreadable(error)))?;
    let mut pictures = read.pictures;
    pictures.resolve(Some(&url));
    let declared = content_type.as_deref().map(kind::essence);
    let usable = kind::kind_of(content_type.as_deref()).is_some_and(|kind| match kind {
        Kind::Html => shown == "text/html",
        Kind::Text(_) => shown.starts_with("text/") && shown != "text/html",
        Kind::File(_) => declared.as_deref() == Some(shown),
        Kind::Unknown => false,
    });
    Ok(Page {
        requested_url: link.to_owned(),
        status,
        content_type: declared.filter(|_| usable).unwrap_or_else(|| shown.to_owned()),
        title: read.title.filter(|title| !title.trim().is_empty()).unwrap_or_else(|| kind::name_of(&url)),
        language: read.language.as_deref().and_then(language_of),
        text: read.text,
        bytes_read,
        truncated: read.truncated,
        warnings: read.warnings,
        pictures,
        url: url.into(),
    })
}

fn body_of(raw: Raw) -> Body {
    let content_type = raw.content_type.as_deref();
    let charset = content_type.and_then(kind::charset);
    let kind = kind::kind_of(content_type).unwrap_or(Kind::Unknown);
    match kind::told(&raw, kind) {
        Told::Html => {
            let decoded = charset::decode(&raw.body, charset, true);
            Body::Html { warning: decoded.warning(), text: decoded.text }
        }
        Told::Text(name) => {
            let decoded = charset::decode(&raw.body, charset, false);
            let warning = decoded.warning();
            Body::File { bytes: decoded.text.into_bytes(), name, warning }
        }
        Told::File(name) => Body::File { bytes: raw.body, name, warning: None },
    }
}

async fn from_html(text: String, warning: Option<String>, url: &Url, readers: &Readers) -> Result<Read, FileError> {
    let html = readers.page(text, Some(url.to_string()), Limits::default()).await?;
    let mut warnings = html.warnings;
    warnings.extend(warning);
    let Html { title, language, text, truncated, pictures, .. } = html;
    Ok(Read { title, language, text, truncated, warnings, pictures })
}

async fn from_file(
    bytes: Vec<u8>,
    name: String,
    warning: Option<String>,
    readers: &Readers,
) -> (Result<Read, FileError>, &'static str) {
    let extracted = match readers.file(bytes, &name, Limits::default()).await {
        Ok(extracted) => extracted,
        Err(error) => return (Err(error), ""),
    };
    let shown = media_type(extracted.kind);
    let mut warnings = extracted.warnings;
    warnings.extend(warning);
    let Extracted { title, text, truncated, pictures, .. } = extracted;
    (Ok(Read { title, language: None, text, truncated, warnings, pictures }), shown)
}

fn media_type(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Html => "text/html",
        FileKind::Pdf => "application/pdf",
        FileKind::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        FileKind::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        FileKind::Csv => "text/csv",
        FileKind::Markdown => "text/markdown",
        FileKind::Text => "text/plain",
    }
}

/// ISO 639-1 of a language tag such as `de-CH`.
fn language_of(tag: &str) -> Option<String> {
    let first = tag.trim().split(['-', '_']).next()?;
    (first.len() == 2 && first.bytes().all(|b| b.is_ascii_alphabetic())).then(|| first.to_ascii_lowercase())
}

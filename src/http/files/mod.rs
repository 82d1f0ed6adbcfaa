//! Files: uploads to write from, and the bytes of covers.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use galley_domain::OrgId;
use galley_services::{ListedFile, MAX_UPLOAD_BYTES, StoredFile, Upload};
use galley_store::{FileFilter, rows};
use poem::{
    Body, FromRequest, IntoResponse, Request, RequestBody, Response,
    http::{StatusCode, header},
    web::{Field, Multipart},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions, Object, OpenApi,
    param::Path,
    registry::{MetaMediaType, MetaRequest, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use sha2::{Digest, Sha256};
use tokio::{
    io::AsyncReadExt,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth,
        auth::{ArticlesRead, ArticlesWrite, Auth, Content},
        body::is_packed,
        bytes, context,
        envelope::List,
        fields::fields,
        header::{IdempotencyKey, IfNoneMatch},
        page::{ByNumber, Page},
        problem::Problem,
        query::Query,
        reply::{Created, NoContent, Outcome, Reply},
        scalar::{Id, Moment},
        values::Text,
    },
};

pub struct Files;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Files")]
impl Files {
    /// Upload a file
    ///
    /// A PDF, DOCX, XLSX, CSV, text, Markdown or HTML file of at most 20 MiB to write from, in the field `file` of a
    /// form. What it is, is told from its content; one that nothing can be read from is refused here. Name its id in
    /// `uploaded_files` of an order.
    #[oai(path = "/files", method = "post", operation_id = "upload_file")]
    async fn upload(
        &self,
        auth: Auth<ArticlesWrite, Content>,
        /// The same key with the same file gives the first answer again instead of a second copy.
        key: IdempotencyKey,
        form: UploadForm,
    ) -> Outcome<FileInfo, Created> {
        let key = key.with(&form.fingerprint())?;
        let answer = auth.services().upload(auth.org(), form.upload, key.as_ref()).await?;
        let location = format!("/api/v1/files/{}", answer.value.id);
        Ok(Reply::of(answer, FileInfo::from).at(&location))
    }

    /// List files
    ///
    /// A page of uploads and covers, newest first.
    #[oai(path = "/files", method = "get", operation_id = "list_files")]
    async fn list(&self, auth: Auth<ArticlesRead>, Query(query): Query<FileQuery>) -> Outcome<List<FileUse>> {
        let FileQuery { search, kind, page } = query;
        let (search, kind) = (search.map(|text| text.0), kind.map(|kind| kind.0));
        let filter = FileFilter { search, kind, limit: page.limit, offset: page.offset };
        let (files, total) = auth.services().list_files(auth.org(), &filter).await?;
        Ok(Reply::new(List::page(files, total, &page)?))
    }

    /// Get a file
    ///
    /// What is known of it; its bytes are at its `url`.
    #[oai(path = "/files/:file_id", method = "get", operation_id = "get_file")]
    async fn get(&self, auth: Auth<ArticlesRead>, file_id: Path<Id>) -> Outcome<FileUse> {
        Ok(Reply::new(auth.services().get_file(auth.org(), file_id.0.0).await?.into()))
    }

    /// Delete a file
    ///
    /// A CONFLICT while an order that has not ended reads it, or an article shows it as its cover. Claims that cite it
    /// keep what they cite.
    #[oai(path = "/files/:file_id", method = "delete", operation_id = "delete_file")]
    async fn delete(&self, auth: Auth<ArticlesWrite, Content>, file_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().delete_file(auth.org(), file_id.0.0).await?;
        Ok(NoContent)
    }

    /// Get the bytes of a file
    ///
    /// An upload as it was sent, or a cover image. It never changes. Everything but images comes as a download.
    #[oai(path = "/files/:file_id/content", method = "get", operation_id = "get_file_content")]
    async fn content(
        &self,
        auth: Auth<ArticlesRead>,
        file_id: Path<Id>,
        if_none_match: IfNoneMatch,
    ) -> Result<FileContent, Problem> {
        let (file, pieces) = auth.services().file_pieces(auth.org(), file_id.0.0).await?;
        let is_known = if_none_match.names(&tag(&file));
        Ok(FileContent { file, bytes: (!is_known).then(|| Body::from_bytes_stream(pieces)) })
    }
}

/// A stored file.
#[derive(Debug, Object)]
#[oai(rename = "UploadedFile")]
pub struct FileInfo {
    id: Uuid,
    /// The same as `id`.
    file_id: Uuid,
    /// As it was called where it came from, without its path.
    name: String,
    /// pdf, docx, xlsx, csv, txt, md or html; png of covers.
    kind: String,
    /// Bytes.
    size: u64,
    /// Of the content, in hexadecimal.
    sha256: String,
    /// Where the bytes are.
    url: String,
}

impl From<StoredFile> for FileInfo {
    fn from(file: StoredFile) -> Self {
        Self {
            id: file.id,
            file_id: file.id,
            name: file.name,
            kind: file.kind,
            size: file.size,
            sha256: file.sha256,
            url: format!("/api/v1/files/{}/content", file.id),
        }
    }
}

/// A file, and what it is used for.
#[derive(Debug, Object)]
#[oai(rename = "ListedFile")]
pub struct FileUse {
    #[oai(flatten)]
    file: FileInfo,
    created_at: Moment,
    /// Orders that have not ended and read it.
    used_by: u64,
}

impl From<ListedFile> for FileUse {
    fn from(listed: ListedFile) -> Self {
        let ListedFile { file, created_at, used_by } = listed;
        Self { file: file.into(), created_at: Moment(created_at), used_by }
    }
}

fields! {
    /// Which files to list.
    pub struct FileQuery {
        /// Part of the name, without regard to case.
        search: Option<Text<0, 255>>,
        /// Only files of this kind, such as pdf.
        kind: Option<Text<1, 20>>,
        page: Page<ByNumber>,
    }
}

/// A form with one file in it.
pub struct UploadForm {
    pub(in crate::http) upload: Upload,
    /// Kept until the file is stored, so that only so many are in memory.
    _turn: Turn,
}

/// Counts uploads that are read. One organization cannot take every turn.
pub struct Uploads {
    all: Arc<Semaphore>,
    own: Mutex<HashMap<OrgId, Arc<Semaphore>>>,
    most_per_organization: usize,
}

/// An upload's right to be read; given back when it is dropped.
struct Turn {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Uploads {
    pub fn new(most: usize, most_per_organization: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(most)), own: Mutex::default(), most_per_organization }
    }

    /// Waits for a turn of the organization, then for one of all.
    async fn turn(&self, org: OrgId) -> Result<Turn, Problem> {
        let own = self.of(org).acquire_owned().await.map_err(|error| Problem::internal(&error))?;
        let all = Arc::clone(&self.all).acquire_owned().await.map_err(|error| Problem::internal(&error))?;
        Ok(Turn { _own: own, _all: all })
    }

    fn of(&self, org: OrgId) -> Arc<Semaphore> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits for a turn or has one holds on to the counter.
        own.retain(|_, turns| Arc::strong_count(turns) > 1);
        Arc::clone(own.entry(org).or_insert_with(|| Arc::new(Semaphore::new(self.most_per_organization))))
    }
}

impl UploadForm {
    pub(in crate::http) fn fingerprint(&self) -> Vec<u8> {
        let content = Sha256::digest(&self.upload.bytes);
        [&content[..], self.upload.name.as_bytes()].concat()
    }
}

impl<'a> ApiExtractor<'a> for UploadForm {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let file = MetaSchema {
            description: Some("The file, with its name; at most 20 MiB."),
            ..MetaSchema::new_with_format("string", "binary")
        };
        let schema = MetaSchema {
            required: vec!["file"],
            properties: vec![("file", MetaSchemaRef::Inline(Box::new(file)))],
            ..MetaSchema::new("object")
        };
        let schema = MetaSchemaRef::Inline(Box::new(schema));
        let content = vec![MetaMediaType { content_type: "multipart/form-data", schema }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let front = auth::front(request)?;
        if is_packed(request) {
            return Err(Problem::packed().into());
        }
        let limit = front.state.limits.upload_bytes;
        let announced = request.header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Problem::too_large(limit).into());
        }
        let org = context::of(request)?.org.get().ok_or_else(|| Problem::internal(&"nobody was asked who uploads"))?;
        let turn = front.uploads.turn(*org).await?;
        // A body that announces no length is cut off behind the limit, and what reads it then finds a broken form.
        let came = Arc::new(AtomicUsize::new(0));
        let bounded = RequestBody::new(bounded(body.take()?, limit, front.state.limits.upload_pause, &came));
        match read_form(request, bounded, announced.unwrap_or_default()).await {
            Ok(upload) => Ok(Self { upload, _turn: turn }),
            Err(_) if came.load(Ordering::Relaxed) > limit => Err(Problem::too_large(limit).into()),
            Err(error) => Err(error),
        }
    }
}

/// The body until it is over the limit or stops coming; `came` counts its bytes.
fn bounded(body: Body, limit: usize, pause: Duration, came: &Arc<AtomicUsize>) -> Body {
    let came = Arc::clone(came);
    let pieces = Box::pin(body.into_bytes_stream());
    Body::from_bytes_stream(futures::stream::unfold(Some(pieces), move |pieces| {
        let came = Arc::clone(&came);
        async move {
            let mut pieces = pieces?;
            let Ok(piece) = tokio::time::timeout(pause, pieces.next()).await else {
                let text = format!("nothing came for {} seconds", pause.as_secs_f64());
                return Some((Err(io::Error::new(io::ErrorKind::TimedOut, text)), None));
            };
            let piece = piece?;
            let length = piece.as_ref().map_or(0, |piece| piece.len());
            if came.fetch_add(length, Ordering::Relaxed) + length > limit {
                return Some((Err(io::Error::other("the body is over its limit")), None));
            }
            Some((piece, Some(pieces)))
        }
    }))
}

async fn read_form(request: &Request, mut body: RequestBody, announced: usize) -> poem::Result<Upload> {
    let mut form = <Multipart as FromRequest>::from_request(request, &mut body).await?;
    let mut found = None;
    while let Some(field) = form.next_field().await? {
        match (field.name(), &found) {
            (Some("file"), None) => found = Some(read_file(field, announced).await?),
            (Some("file"), Some(_)) => return Err(Problem::wrong("file", "is given more than once").into()),
            // Other fields are ignored; the next one reads past them.
            _ => {}
        }
    }
    let missing = || Problem::wrong("file", "is required: a form field of this name with the file in it");
    Ok(found.ok_or_else(missing)?)
}

/// `announced` is the length of the whole form.
async fn read_file(field: Field, announced: usize) -> Result<Upload, Problem> {
    let name = field.file_name().unwrap_or("file").to_owned();
    // Grown piece by piece it would take twice as much.
    let mut bytes = Vec::with_capacity(announced.min(MAX_UPLOAD_BYTES + 1));
    let read = Box::pin(field.into_async_read()).take(MAX_UPLOAD_BYTES as u64 + 1).read_to_end(&mut bytes).await;
    read.map_err(|error| Problem::wrong("file", format!("could not be read to its end: {error}")))?;
    if bytes.len() > MAX_UPLOAD_BYTES {
        return Err(Problem::too_large(MAX_UPLOAD_BYTES));
    }
    Ok(Upload { name, bytes: bytes.into() })
}

/// The bytes of a file, said in a way that no browser runs them.
pub struct FileContent {
    file: rows::File,
    /// None for a client that has them.
    bytes: Option<Body>,
}

fn tag(file: &rows::File) -> String {
    format!("\"{}\"", file.sha256)
}

/// What a browser may show in place: images that cannot hold script.
fn shown_in_place(kind: &str) -> Option<&'static str> {
    match kind {
        "png" => Some("image/png"),
        "jpeg" | "jpg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        "gif" => Some("image/gif"),
        _ => None,
    }
}

/// RFC 6266: a plain name for old clients, and the real one percent-encoded.
fn disposition(how: &str, name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|symbol| if symbol.is_ascii_alphanumeric() || "._-() ".contains(symbol) { symbol } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

impl IntoResponse for FileContent {
    fn into_response(self) -> Response {
        let image = shown_in_place(&self.file.kind);
        let how = if image.is_some() { "inline" } else { "attachment" };
        let caching = Response::builder()
            .header(header::CACHE_CONTROL, "private, max-age=86400, immutable")
            .header(header::ETAG, tag(&self.file));
        let Some(bytes) = self.bytes else { return caching.status(StatusCode::NOT_MODIFIED).finish() };
        caching
            .content_type(image.unwrap_or("application/octet-stream"))
            .header(header::CONTENT_DISPOSITION, disposition(how, &self.file.name))
            .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox")
            .header(header::CONTENT_LENGTH, self.file.size)
            .body(bytes)
    }
}

impl ApiResponse for FileContent {
    fn meta() -> MetaResponses {
        bytes::responses(&["application/octet-stream", "image/png"])
    }

    fn register(_registry: &mut Registry) {}
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use futures::FutureExt;

    use super::*;

    #[test]
    fn one_organization_cannot_take_every_turn() {
        let uploads = Uploads::new(3, 2);
        let (one, two) = (OrgId(Uuid::from_u128(1)), OrgId(Uuid::from_u128(2)));
        let turn = |org| uploads.turn(org).now_or_never().and_then(Result::ok);
        let first = turn(one).expect("its first");
        let _second = turn(one).expect("its second");
        assert!(turn(one).is_none(), "the organization's share is used");
        let _third = turn(two).expect("there is room for others");
        assert!(turn(two).is_none(), "all turns are used");
        drop(first);
        assert!(turn(two).is_some(), "it was given back");
        assert_eq!(uploads.own.lock().expect("not poisoned").len(), 2);
    }

    fn headers(kind: &str, name: &str) -> (String, String) {
        let file = rows::File {
            id: Uuid::nil(),
            org_id: Uuid::nil(),
            name: name.into(),
            kind: kind.into(),
            size: 1,
            sha256: "ab".into(),
            blob: String::new(),
            created_at: DateTime::UNIX_EPOCH,
        };
        let response = FileContent { file, bytes: Some(Body::from("x")) }.into_response();
        let header = |name| response.header(name).unwrap_or_default().to_owned();
        (header("content-type"), header("content-disposition"))
    }

    #[test]
    fn only_images_are_shown_in_place() {
        assert_eq!(headers("png", "c.png").0, "image/png");
        for kind in ["html", "pdf", "svg", "text", "anything"] {
            let (content_type, how) = headers(kind, "a.html");
            assert_eq!(content_type, "application/octet-stream", "{kind}");
            assert!(how.starts_with("attachment;"), "{how}");
        }
    }

    #[test]
    fn any_name_makes_a_header() {
        let (_, how) = headers("pdf", "Grüße \"x\"; a\\b.pdf");
        assert_eq!(
            how,
            "attachment; filename=\"Gr__e _x__ a_b.pdf\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22x%22%3B%20a%5Cb.pdf"
        );
    }
}

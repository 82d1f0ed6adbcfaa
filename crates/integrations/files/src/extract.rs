//! From bytes to text, on the caller's thread or on one of its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use encoding_rs::Encoding;
use tokio::sync::oneshot;

use crate::{
    blocks::Blocks,
    charset, csv_file, docx,
    error::FileError,
    html,
    limits::{Budget, Limits, size},
    markdown, pdf, plain,
    sniff::{FileKind, sniff},
    xlsx,
};

/// The stack of a reading thread: parsers of nested formats recurse.
const STACK_BYTES: usize = 16 << 20;
/// Where an HTML page must say its encoding, by the standard and with some patience.
const META_WITHIN: usize = 4_096;

/// What was read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    pub kind: FileKind,
    /// What the file itself calls its title (properties, front matter, `<title>`); never its name.
    pub title: Option<String>,
    /// In the subset documented at `galley_domain::writing::Snapshot::text`; never empty.
    pub text: String,
    /// For people: what was left out or repaired, e.g. `only the first 200 of 512 pages were read`.
    pub warnings: Vec<String>,
    /// Content was left out because of a limit.
    pub truncated: bool,
}

/// What the reader of one format hands over.
pub(crate) struct Read {
    pub(crate) title: Option<String>,
    pub(crate) blocks: Blocks,
    pub(crate) warnings: Vec<String>,
    pub(crate) truncated: bool,
}

impl Read {
    pub(crate) fn new(blocks: Blocks) -> Self {
        Self { title: None, blocks, warnings: Vec::new(), truncated: false }
    }
}

/// Reads a file. Synchronous, CPU-bound work of up to `limits.time`, on a thread with a stack of its own; a panic in a
/// parser becomes [`FileError::Damaged`]. Never call it on an async runtime's thread: use [`extract_async`] there.
///
/// `name` is the name it was uploaded under; see [`sniff`] for what it decides.
pub fn extract(bytes: &[u8], name: &str, limits: &Limits) -> Result<Extracted, FileError> {
    let budget = Budget::start(limits, Arc::default());
    thread::scope(|scope| {
        let reading = thread::Builder::new().name("read-file".to_owned()).stack_size(STACK_BYTES);
        match reading.spawn_scoped(scope, || guarded(bytes, name, limits, &budget)) {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err(unreadable())),
            Err(_) => Err(budget.timed_out()),
        }
    })
}

/// As [`extract`], on a thread of its own. Dropping the future, or `limits.time` running out, tells the thread to stop;
/// it does so within moments, and its answer is ignored.
pub async fn extract_async(
    bytes: impl Into<Arc<[u8]>>,
    name: impl Into<String>,
    limits: Limits,
) -> Result<Extracted, FileError> {
    let (bytes, name) = (bytes.into(), name.into());
    let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
    let budget = Budget::start(&limits, Arc::clone(&stop.0));
    let (time, timed_out) = (limits.time, budget.timed_out());
    let (send, answer) = oneshot::channel();
    let reading = thread::Builder::new().name("read-file".to_owned()).stack_size(STACK_BYTES);
    let spawned = reading.spawn(move || {
        // Nobody listens any more where the caller went away.
        let _ = send.send(guarded(&bytes, &name, &limits, &budget));
    });
    if spawned.is_err() {
        return Err(timed_out);
    }
    match tokio::time::timeout(time, answer).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(unreadable()),
        Err(_) => Err(timed_out),
    }
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn unreadable() -> FileError {
    FileError::damaged("its structure makes no sense")
}

fn guarded(bytes: &[u8], name: &str, limits: &Limits, budget: &Budget) -> Result<Extracted, FileError> {
    catch_unwind(AssertUnwindSafe(|| read(bytes, name, limits, budget))).unwrap_or_else(|_| Err(unreadable()))
}

fn read(bytes: &[u8], name: &str, limits: &Limits, budget: &Budget) -> Result<Extracted, FileError> {
    if bytes.is_empty() {
        return Err(FileError::Empty);
    }
    if bytes.len() > limits.bytes {
        return Err(FileError::TooLarge { what: "the file", limit: size(limits.bytes) });
    }
    let kind = sniff(bytes, name)?;
    let mut read = match kind {
        FileKind::Pdf => pdf::read(bytes, limits, budget)?,
        FileKind::Docx => docx::read(bytes, limits, budget)?,
        FileKind::Xlsx => xlsx::read(bytes, limits, budget)?,
        FileKind::Html => return page(bytes, limits, budget),
        FileKind::Csv | FileKind::Text | FileKind::Markdown => text(kind, bytes, limits, budget)?,
    };
    budget.check()?;
    if read.blocks.is_full() {
        read.truncated = true;
        read.warnings.push(limits.text_warning());
    }
    let text = read.blocks.into_text();
    if text.is_empty() {
        return Err(FileError::NoText { reason: "it has a document's form, but no words in it" });
    }
    let title = read.title.map(|title| html::one_line(&title)).filter(|title| !title.is_empty());
    Ok(Extracted { kind, title, text, warnings: read.warnings, truncated: read.truncated })
}

fn text(kind: FileKind, bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<Read, FileError> {
    let decoded = charset::decode(bytes, None);
    let mut read = match kind {
        FileKind::Csv => csv_file::read(&decoded.text, limits, budget)?,
        FileKind::Markdown => markdown::read(&decoded.text, limits, budget)?,
        _ => Read::new(plain::read(&decoded.text, limits, budget)?),
    };
    read.warnings.extend(decoded.warning());
    if read.blocks.dropped_control() {
        read.warnings.push("control characters were removed".to_owned());
    }
    Ok(read)
}

fn page(bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<Extracted, FileError> {
    let decoded = charset::decode(bytes, declared_charset(bytes));
    let page = html::read(&decoded.text, None, limits, budget)?;
    let mut warnings = page.warnings;
    warnings.extend(decoded.warning());
    Ok(Extracted { kind: FileKind::Html, title: page.title, text: page.text, warnings, truncated: page.truncated })
}

/// `<meta charset="…">` and `<meta http-equiv="Content-Type" content="text/html; charset=…">`.
fn declared_charset(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(META_WITHIN)]).to_ascii_lowercase();
    let after = &head[head.find("charset=")? + "charset=".len()..];
    let label = after.trim_start_matches(['"', '\'', ' ']).split(['"', '\'', ' ', ';', '>', '/']).next()?;
    Encoding::for_label(label.as_bytes())
}

//! From bytes to text, on the caller's thread or on one of its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::RecvTimeoutError,
    },
    thread,
    time::Duration,
};

use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::{
    blocks::Blocks,
    charset, csv_file, docx,
    error::FileError,
    html,
    limits::{Budget, Limits, size},
    markdown, pdf,
    pictures::Pictures,
    plain,
    sniff::{FileKind, sniff},
    xlsx,
};

/// The stack of a reading thread: parsers of nested formats recurse.
pub(crate) const STACK_BYTES: usize = 16 << 20;
/// A reading that polls its clock answers by itself; this long after its time nobody waits for one that does not.
const GRACE: Duration = Duration::from_millis(500);
/// Where an HTML page must say its encoding, by the standard and with some patience.
const META_WITHIN: usize = 4_096;

/// What was read from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub pictures: Pictures,
}

/// What the reader of one format hands over.
pub(crate) struct Read {
    pub(crate) title: Option<String>,
    pub(crate) blocks: Blocks,
    pub(crate) warnings: Vec<String>,
    pub(crate) truncated: bool,
    pub(crate) pictures: Pictures,
}

impl Read {
    pub(crate) fn new(blocks: Blocks) -> Self {
        Self { title: None, blocks, warnings: Vec::new(), truncated: false, pictures: Pictures::default() }
    }
}

/// Reads a file. Synchronous, CPU-bound work of up to `limits.time`, on a thread with a stack of its own; a panic in a
/// parser becomes [`FileError::Damaged`]. Never call it on an async runtime's thread: use [`extract_async`] there.
///
/// `name` is the name it was uploaded under; see [`sniff`] for what it decides.
pub fn extract(bytes: &[u8], name: &str, limits: &Limits) -> Result<Extracted, FileError> {
    let (send, answer) = std::sync::mpsc::sync_channel(1);
    let reading = Reading::new(limits);
    let _stop = reading.spawn(bytes.into(), name.to_owned(), limits, move |result| {
        let _ = send.send(result);
    })?;
    match answer.recv_timeout(limits.time.saturating_add(GRACE)) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Err(reading.budget.timed_out()),
        Err(RecvTimeoutError::Disconnected) => Err(unreadable()),
    }
}

/// As [`extract`], on a thread of its own. Dropping the future, or `limits.time` running out, tells the thread to stop;
/// it does so within moments, and its answer is ignored.
pub async fn extract_async(
    bytes: impl Into<Arc<[u8]>>,
    name: impl Into<String>,
    limits: Limits,
) -> Result<Extracted, FileError> {
    let (send, answer) = oneshot::channel();
    let reading = Reading::new(&limits);
    let _stop = reading.spawn(bytes.into(), name.into(), &limits, move |result| {
        // Nobody listens any more where the caller went away.
        let _ = send.send(result);
    })?;
    match tokio::time::timeout(limits.time.saturating_add(GRACE), answer).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(unreadable()),
        Err(_) => Err(reading.budget.timed_out()),
    }
}

/// As [`extract`], on the caller's thread, whose stack must be large.
pub(crate) fn extract_here(bytes: &[u8], name: &str, limits: &Limits) -> Result<Extracted, FileError> {
    guarded(bytes, name, limits, &Budget::start(limits, Arc::default()))
}

struct Reading {
    budget: Budget,
    stop: Arc<AtomicBool>,
}

impl Reading {
    fn new(limits: &Limits) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        Self { budget: Budget::start(limits, Arc::clone(&stop)), stop }
    }

    /// The reading stops when what is returned is dropped.
    fn spawn(
        &self,
        bytes: Arc<[u8]>,
        name: String,
        limits: &Limits,
        answer: impl FnOnce(Result<Extracted, FileError>) + Send + 'static,
    ) -> Result<StopOnDrop, FileError> {
        let (budget, limits) = (self.budget.clone(), limits.clone());
        let thread = thread::Builder::new().name("read-file".to_owned()).stack_size(STACK_BYTES);
        let spawned = thread.spawn(move || answer(guarded(&bytes, &name, &limits, &budget)));
        // A machine without room for a thread is busy; the file is not at fault.
        spawned.map_err(|_| self.budget.timed_out())?;
        Ok(StopOnDrop(Arc::clone(&self.stop)))
    }
}

/// Tells the thread to stop when nobody waits for its answer any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn unreadable() -> FileError {
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
        return Err(FileError::too_large("the file", size(limits.bytes)));
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
    read.warnings.extend(read.blocks.symbols_warning());
    let text = read.blocks.into_text();
    if text.is_empty() {
        return Err(FileError::no_text("it has a document's form, but no words in it"));
    }
    let title = read.title.map(|title| html::one_line(&title)).filter(|title| !title.is_empty());
    let Read { warnings, truncated, pictures, .. } = read;
    Ok(Extracted { kind, title, text, warnings, truncated, pictures })
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
    let html::Html { title, text, truncated, pictures, .. } = page;
    Ok(Extracted { kind: FileKind::Html, title, text, warnings, truncated, pictures })
}

/// `<meta charset="…">` and `<meta http-equiv="Content-Type" content="text/html; charset=…">`.
fn declared_charset(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(META_WITHIN)]).to_ascii_lowercase();
    let after = &head[head.find("charset=")? + "charset=".len()..];
    let label = after.trim_start_matches(['"', '\'', ' ']).split(['"', '\'', ' ', ';', '>', '/']).next()?;
    Encoding::for_label(label.as_bytes())
}

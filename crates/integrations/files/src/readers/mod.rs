//! Reading within a budget of memory. Files and pages come from people whom nobody knows, and what a parser needs for
//! them is only known once it has read them. So each is read by a process of its own that the system stops at its limit
//! ([`child`]), and the limits of all readers that run at once are never more than the budget.

mod child;
mod process;
mod share;

use std::{
    ffi::OsString,
    fs::File,
    io::{Read, Seek},
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    error::FileError,
    extract::{Extracted, extract_async, unreadable},
    html::{self, Html},
    limits::{Limits, size},
};
pub use child::read_in_this_process;
use process::{Ended, Program};
use share::Shape;

/// MiB that the readers of a process may take together, unless the operator says otherwise.
pub const DEFAULT_BUDGET_MB: u32 = 512;
/// With less, an ordinary file of the largest size that is taken would not be read.
pub const LEAST_BUDGET_MB: u32 = 256;

/// Reads files and pages within a budget of memory. Cheap to clone; clones share the budget.
#[derive(Debug, Clone)]
pub struct Readers {
    /// `None` reads in this process.
    program: Option<Arc<Program>>,
    /// One permit for each MiB. Served in the order of asking, so that a large file is not passed over for ever by small
    /// ones.
    room: Arc<Semaphore>,
    budget_mb: u32,
}

/// A file's content: in memory, or where it is stored, which costs this process nothing.
#[derive(Debug)]
pub enum Source {
    Bytes(Bytes),
    /// Open at its beginning, a regular file.
    File(File),
}

impl From<Bytes> for Source {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<File> for Source {
    fn from(file: File) -> Self {
        Self::File(file)
    }
}

/// What a reader is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Question {
    File { name: String },
    Page { base_url: Option<String> },
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    File(Result<Extracted, FileError>),
    Page(Result<Html, FileError>),
}

/// One reading: what is asked of which bytes, within which limits.
#[derive(Debug)]
struct Reading {
    question: Question,
    source: Source,
    limits: Limits,
}

impl Readers {
    /// Readers are processes of `program`, called with `arguments`, which has to call [`read_in_this_process`]. At most
    /// `budget_mb` MiB of memory are given to all that run at once.
    pub fn new(program: impl Into<PathBuf>, arguments: &[&str], budget_mb: u32) -> Self {
        let arguments = arguments.iter().map(OsString::from).collect();
        let program = Program { path: program.into(), arguments };
        Self { program: Some(Arc::new(program)), ..Self::in_process(budget_mb) }
    }

    /// Reads on threads of this process, as many at once as the budget has room for; but what one of them takes, nobody
    /// limits. For tests and tools that read what they know.
    pub fn in_process(budget_mb: u32) -> Self {
        Self { program: None, room: Arc::new(Semaphore::new(budget_mb as usize)), budget_mb }
    }

    /// Whether the system stops a reader at its limit of memory. Elsewhere only their number is bounded.
    pub const fn are_limited() -> bool {
        cfg!(target_os = "linux")
    }

    /// MiB of the budget that nobody has, nor is waiting for.
    pub fn free_mb(&self) -> usize {
        self.room.available_permits()
    }

    /// MiB of the budget for something else that reads what others wrote and knows what it takes; they come back when what
    /// is answered is dropped. Served in the order of asking.
    ///
    /// Errors: `TooMuchMemory` when it is more than the whole budget, `ReaderFailed`.
    pub async fn reserve(&self, mb: u32) -> Result<OwnedSemaphorePermit, FileError> {
        if mb > self.budget_mb {
            return Err(FileError::TooMuchMemory { limit: format!("{} MiB", self.budget_mb) });
        }
        self.room_for(mb).await
    }

    /// As [`crate::extract`], once there is room. Dropping the future ends the reader.
    ///
    /// Errors: also `TooMuchMemory`, `ReaderFailed`.
    pub async fn file(&self, source: impl Into<Source>, name: &str, limits: Limits) -> Result<Extracted, FileError> {
        let question = Question::File { name: name.to_owned() };
        match self.read(Reading { question, source: source.into(), limits }).await? {
            Answer::File(result) => result,
            Answer::Page(_) => Err(unreadable()),
        }
    }

    /// As [`html::to_text`], once there is room. Dropping the future ends the reader.
    ///
    /// Errors: also `TooMuchMemory`, `ReaderFailed`.
    pub async fn page(&self, html: String, base_url: Option<String>, limits: Limits) -> Result<Html, FileError> {
        let (question, source) = (Question::Page { base_url }, Source::Bytes(html.into()));
        match self.read(Reading { question, source, limits }).await? {
            Answer::Page(result) => result,
            Answer::File(_) => Err(unreadable()),
        }
    }

    async fn read(&self, reading: Reading) -> Result<Answer, FileError> {
        let (shape, bytes) = reading.look()?;
        if bytes > reading.limits.bytes as u64 {
            return Err(FileError::too_large("the file", size(reading.limits.bytes)));
        }
        let Some(program) = self.program.as_ref().filter(|_| !share::is_small(shape, bytes)) else {
            let _permit = self.room_for(share::of_thread(shape, bytes)).await?;
            return reading.in_process().await;
        };
        let share = share::of_process(shape, bytes).min(self.budget_mb);
        let permit = self.room_for(share).await?;
        let answer = match process::read(program, &reading, share, permit).await {
            // Its share is a guess; what it really needs may well be there.
            Err(Ended::OutOfMemory) if share < self.budget_mb => {
                let permit = self.room_for(self.budget_mb).await?;
                process::read(program, &reading, self.budget_mb, permit).await
            }
            answer => answer,
        };
        // What it says of its time is by the clock.
        let timed_out = || FileError::TimedOut { seconds: reading.limits.time.as_secs() };
        let answer = answer.map(|answer| match answer {
            Answer::File(Err(FileError::TimedOut { .. })) => Answer::File(Err(timed_out())),
            Answer::Page(Err(FileError::TimedOut { .. })) => Answer::Page(Err(timed_out())),
            answer => answer,
        });
        answer.map_err(|ended| match ended {
            Ended::OutOfMemory => FileError::TooMuchMemory { limit: format!("{} MiB", self.budget_mb) },
            Ended::OutOfTime => timed_out(),
            Ended::Crashed => unreadable(),
            Ended::Failed(detail) => FileError::ReaderFailed { detail },
        })
    }

    async fn room_for(&self, mb: u32) -> Result<OwnedSemaphorePermit, FileError> {
        let permit = Arc::clone(&self.room).acquire_many_owned(mb.min(self.budget_mb)).await;
        permit.map_err(|_| FileError::ReaderFailed { detail: "no more files are read".to_owned() })
    }
}

impl Reading {
    /// What it looks like, and how many bytes it has.
    fn look(&self) -> Result<(Shape, u64), FileError> {
        let (head, bytes) = match &self.source {
            Source::Bytes(bytes) => (bytes.slice(..bytes.len().min(share::LOOKED_AT)), bytes.len() as u64),
            Source::File(file) => {
                let mut head = Vec::new();
                rewound(file)?.take(share::LOOKED_AT as u64).read_to_end(&mut head).map_err(|error| unseen(&error))?;
                (head.into(), file.metadata().map_err(|error| unseen(&error))?.len())
            }
        };
        let shape = match &self.question {
            Question::File { name } => Shape::of(&head, name),
            Question::Page { .. } => Shape::Html,
        };
        Ok((shape, bytes))
    }

    async fn in_process(self) -> Result<Answer, FileError> {
        let Self { question, source, limits } = self;
        let bytes = match source {
            Source::Bytes(bytes) => bytes,
            Source::File(file) => {
                let mut bytes = Vec::new();
                rewound(&file)?.read_to_end(&mut bytes).map_err(|error| unseen(&error))?;
                bytes.into()
            }
        };
        Ok(match question {
            Question::File { name } => Answer::File(extract_async(bytes.as_ref(), name, limits).await),
            Question::Page { base_url } => {
                let read = tokio::task::spawn_blocking(move || {
                    let text = String::from_utf8_lossy(&bytes);
                    html::to_text(&text, base_url.as_deref(), &limits)
                });
                Answer::Page(read.await.unwrap_or_else(|_| Err(unreadable())))
            }
        })
    }
}

fn rewound(mut file: &File) -> Result<&File, FileError> {
    file.rewind().map_err(|error| unseen(&error))?;
    Ok(file)
}

fn unseen(error: &std::io::Error) -> FileError {
    FileError::ReaderFailed { detail: format!("where it is stored it cannot be read: {error}") }
}

//! How much of a file is read, and the clock that ends a reading.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::error::FileError;

/// Upper bounds for one file. Over `bytes`, `expanded_bytes`, `ratio`, `entries` or `time` the file is refused; over
/// `pages`, `rows`, `columns`, `elements`, `markdown_bytes` or `text_bytes` the rest is left out with a warning. Pictures
/// over theirs are counted in [`PicturesLeftOut`](crate::PicturesLeftOut).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of the file as uploaded.
    pub bytes: usize,
    /// Bytes that all archive members (DOCX, XLSX) or all streams (PDF) together may unpack to. The pictures of an archive
    /// are counted by themselves.
    pub expanded_bytes: usize,
    /// How many times its packed size one archive member may unpack to; members below 1 MiB unpacked are let be.
    pub ratio: usize,
    /// Members of an archive; a PDF may have 100 times as many objects.
    pub entries: usize,
    /// Pages of a PDF.
    pub pages: usize,
    /// Rows of one table: CSV file or sheet.
    pub rows: usize,
    /// Columns of one table.
    pub columns: usize,
    /// Elements of an HTML page.
    pub elements: usize,
    /// Bytes of Markdown: its parser needs up to 70 times as much memory as the text has bytes.
    pub markdown_bytes: usize,
    /// Bytes of text that are handed out.
    pub text_bytes: usize,
    /// Pictures that are handed out; 0 hands out none.
    pub pictures: usize,
    /// Bytes of one picture that is in the file itself.
    pub picture_bytes: usize,
    /// Bytes of all of them.
    pub pictures_bytes: usize,
    /// Wall clock for one file.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 20 << 20,
            expanded_bytes: 100 << 20,
            ratio: 200,
            entries: 5_000,
            pages: 500,
            rows: 20_000,
            columns: 100,
            elements: 300_000,
            markdown_bytes: 3 << 20,
            text_bytes: 2 << 20,
            pictures: 20,
            picture_bytes: 5 << 20,
            pictures_bytes: 8 << 20,
            time: Duration::from_secs(15),
        }
    }
}

impl Limits {
    pub(crate) fn text_warning(&self) -> String {
        format!("only the first {} of text were read", size(self.text_bytes))
    }
}

/// The running clock of one reading. Loops poll it; it also carries the word of a caller that went away.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    deadline: Option<Instant>,
    time: Duration,
    cancelled: Arc<AtomicBool>,
}

impl Budget {
    pub(crate) fn start(limits: &Limits, cancelled: Arc<AtomicBool>) -> Self {
        Self { deadline: Instant::now().checked_add(limits.time), time: limits.time, cancelled }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    pub(crate) fn check(&self) -> Result<(), FileError> {
        if self.is_over() { Err(self.timed_out()) } else { Ok(()) }
    }

    pub(crate) fn timed_out(&self) -> FileError {
        FileError::TimedOut { seconds: self.time.as_secs() }
    }
}

/// `20 MiB`, `512 KiB`, `7 bytes`: for messages.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        n if n >= 1 << 20 => format!("{} MiB", n >> 20),
        n if n >= 1 << 10 => format!("{} KiB", n >> 10),
        n => format!("{n} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_with_its_time_or_with_its_caller() {
        let cancelled = Arc::new(AtomicBool::new(false));
        let budget = Budget::start(&Limits::default(), Arc::clone(&cancelled));
        assert_eq!(budget.check(), Ok(()));
        cancelled.store(true, Ordering::Relaxed);
        assert_eq!(budget.check(), Err(FileError::TimedOut { seconds: 15 }));
        let over = Budget::start(&Limits { time: Duration::ZERO, ..Limits::default() }, Arc::default());
        assert!(over.is_over());
        let for_ever = Budget::start(&Limits { time: Duration::MAX, ..Limits::default() }, Arc::default());
        assert!(!for_ever.is_over());
    }

    #[test]
    fn sizes_have_their_unit() {
        assert_eq!([size(20 << 20), size(2_048), size(7)], ["20 MiB", "2 KiB", "7 bytes"]);
    }
}

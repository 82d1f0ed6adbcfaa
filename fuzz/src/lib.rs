//! What the targets share: the checks that do not trust the code they check, and how a panic ends a run.

mod needs;

use std::{
    collections::BTreeSet,
    panic,
    sync::{LazyLock, Mutex, Once, PoisonError},
    time::Duration,
};

use galley_files::{FileError, Limits};
use tokio::runtime::{Builder, Runtime};

pub use needs::must_be_cheap;

/// Where libraries panicked, each place once.
static TOLERATED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Lets a panic in a library unwind, for targets whose code promises to catch those. One in our own code, or one that
/// nobody can place, still ends the run.
pub fn tolerate_panics_of_libraries() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let abort = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            if !place.contains("/registry/src/") {
                abort(info);
            }
            let name = place.rsplit("/registry/src/").next().unwrap_or_default().to_owned();
            if TOLERATED.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone()) {
                eprintln!("a library panicked and was caught: {name}");
            }
        }));
    });
}

/// Small enough that hostile inputs end soon, large enough that nothing is cut that a target looks for.
pub static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits {
    expanded_bytes: 16 << 20,
    text_bytes: 256 << 10,
    time: Duration::from_secs(20),
    ..Limits::default()
});

/// Ends the run where a small input took all the time there is.
pub fn must_be_quick<T>(read: Result<T, FileError>) -> Option<T> {
    assert!(!matches!(read, Err(FileError::TimedOut { .. })), "a small input took {:?}", LIMITS.time);
    if let Err(error) = &read {
        assert!(!error.to_string().trim().is_empty());
    }
    read.ok()
}

/// Checks a text against the subset documented at `galley_domain::writing::Snapshot::text`.
pub fn check_subset(text: &str) {
    assert!(!text.is_empty() && text.len() <= Limits::default().text_bytes);
    let control = text.chars().find(|c| c.is_control() && *c != '\n');
    assert!(control.is_none(), "{control:?} in {text:?}");
    for block in text.split("\n\n") {
        assert!(!block.is_empty() && !block.starts_with('\n') && !block.ends_with('\n'), "blank lines in {text:?}");
        let lines: Vec<&str> = block.split('\n').collect();
        for line in &lines {
            assert_eq!(line.trim(), *line, "spaces around a line of {text:?}");
        }
        if lines.len() > 1 {
            let items = lines.iter().all(|line| line.starts_with("- "));
            let rows = lines.iter().all(|line| line.starts_with('|') && line.ends_with('|'));
            assert!(items || rows, "a block of lines that are neither items nor rows: {block:?}");
        }
        if block.starts_with('|') {
            let columns = |line: &str| line.replace("\\|", "").matches('|').count();
            assert!(lines.iter().all(|line| columns(line) == columns(lines[0])), "rows of different width: {block:?}");
        }
    }
}

/// The input as far as it is text.
pub fn text_of(data: &[u8]) -> &str {
    match std::str::from_utf8(data) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&data[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// Runs what is async, on the caller's thread.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));
    &RUNTIME
}

/// The parts of the input, split at the ASCII record separator, `N` of them; missing ones are empty.
pub fn parts<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut parts = data.splitn(N, |byte| *byte == 0x1e);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

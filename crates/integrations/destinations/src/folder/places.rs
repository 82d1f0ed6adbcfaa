//! Where articles stand in the folder, and whose turn it is to change something.

use std::{
    fs::{File as StdFile, TryLockError},
    io::{Error, ErrorKind, Read},
    time::{Duration, Instant},
};

use cap_std::fs::{Dir, OpenOptions};
use galley_domain::{Fault, FaultCode};
use uuid::Uuid;

use super::{INDEX, MAX_HEAD, ROOT, TEMP};
use crate::{
    front_matter::{Stamp, stamp},
    io_fault::fault,
};

const LOCK: &str = ".galley-lock";
/// Folders looked through for an article; beyond, publishing is refused instead of getting slower and slower.
const MAX_FOLDERS: usize = 20_000;
/// The last suffix tried for a slug that others have taken.
const MAX_SUFFIX: u32 = 99;
const LOCK_WAIT: Duration = Duration::from_secs(10);
const LOCK_POLL: Duration = Duration::from_millis(15);

/// Where the article was found.
pub(super) struct Found {
    pub folder: String,
    pub stamp: Stamp,
}

/// Waits for other processes and threads that publish into the same root. The system lets go of the lock when its
/// holder dies.
pub(super) fn take_turn(root: &Dir) -> Result<StdFile, Fault> {
    let options = OpenOptions::new().create(true).write(true).clone();
    let file = root.open_with(LOCK, &options).map_err(|e| fault("write to", ROOT, &e))?.into_std();
    let until = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(fault("lock", ROOT, &error)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => pause(),
            Err(TryLockError::WouldBlock) => {
                let message = "another publication has been writing into the folder for too long; try again later";
                return Err(Fault::transient(FaultCode::WorkflowError, message));
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "blocking by contract: publishing never runs on a runtime's thread")]
fn pause() {
    std::thread::sleep(LOCK_POLL);
}

/// Removes what killed writers left. Whoever has the turn is the only writer, so nothing here is in use.
pub(super) fn sweep(root: &Dir) -> Result<(), Fault> {
    for entry in root.entries().map_err(|e| fault("read", ROOT, &e))? {
        let entry = entry.map_err(|e| fault("read", ROOT, &e))?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|n| n.starts_with(TEMP)) else { continue };
        let is_dir = entry.file_type().map_err(|e| fault("read", name, &e))?.is_dir();
        let removed = if is_dir { root.remove_dir_all(name) } else { root.remove_file(name) };
        removed.map_err(|e| fault("remove", name, &e))?;
    }
    Ok(())
}

/// The folder of the article. Should somebody have copied it, the one with the newest version counts, then the
/// shortest name.
pub(super) fn find(root: &Dir, article_id: Uuid) -> Result<Option<Found>, Fault> {
    let mut best: Option<Found> = None;
    let mut seen = 0;
    for entry in root.entries().map_err(|e| fault("read", ROOT, &e))? {
        let entry = entry.map_err(|e| fault("read", ROOT, &e))?;
        let name = entry.file_name();
        let Some(folder) = name.to_str().filter(|n| !n.starts_with('.')) else { continue };
        // Not through symbolic links: what is behind them is not ours to replace.
        if !entry.file_type().map_err(|e| fault("read", folder, &e))?.is_dir() {
            continue;
        }
        seen += 1;
        if seen > MAX_FOLDERS {
            let message =
                format!("the publication folder holds more than {MAX_FOLDERS} folders; publish into another one");
            return Err(Fault::permanent(FaultCode::WorkflowError, message));
        }
        let Some(stamp) = read_stamp(root, folder)?.filter(|s| s.article_id == article_id) else { continue };
        let rank = |f: &str, version: u32| (std::cmp::Reverse(version), f.len(), f.to_owned());
        if best.as_ref().is_none_or(|b| rank(folder, stamp.version) < rank(&b.folder, b.stamp.version)) {
            best = Some(Found { folder: folder.to_owned(), stamp });
        }
    }
    Ok(best)
}

fn read_stamp(root: &Dir, folder: &str) -> Result<Option<Stamp>, Fault> {
    let path = format!("{folder}/{INDEX}");
    match root.symlink_metadata(&path) {
        Ok(meta) if meta.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) => return unread(&path, &error),
    }
    let mut head = Vec::new();
    let read = root.open(&path).and_then(|file| file.take(MAX_HEAD).read_to_end(&mut head));
    if let Err(error) = read {
        return unread(&path, &error);
    }
    Ok(stamp(&String::from_utf8_lossy(&head)))
}

/// A folder that is closed to us is somebody else's: it must not keep every article from being published.
pub(super) fn unread(path: &str, error: &Error) -> Result<Option<Stamp>, Fault> {
    match error.kind() {
        ErrorKind::NotFound => Ok(None),
        ErrorKind::PermissionDenied => {
            tracing::warn!(path, %error, "a folder among the publications cannot be read; taken for a foreign one");
            Ok(None)
        }
        _ => Err(fault("read", path, error)),
    }
}

/// The first of `slug`, `slug-2`, … that nothing has.
pub(super) fn vacant(root: &Dir, slug: &str) -> Result<String, Fault> {
    for suffix in 1..=MAX_SUFFIX {
        let name = if suffix == 1 { slug.to_owned() } else { format!("{slug}-{suffix}") };
        match root.symlink_metadata(&name) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(name),
            Err(error) => return Err(fault("create", &name, &error)),
            Ok(_) => {}
        }
    }
    let message = format!("{slug} and {slug}-2 to {slug}-{MAX_SUFFIX} are taken; give the article another slug");
    Err(Fault::permanent(FaultCode::WorkflowError, message))
}

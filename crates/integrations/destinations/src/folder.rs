//! The folder destination: `<root>/<slug>/index.md` with the pictures beside it.
//!
//! A new article is written into `.galley-tmp-…` beside its place and moved there with one rename. An update moves the
//! new pictures in first and `index.md` last, each by a rename, so a reader sees the old text or the new one, never
//! half of either; files that others put into the folder are left alone. Whatever a killed process left behind is
//! cleared by the next publish, or by [`SiteFolder::clear`]. All paths are opened through `cap-std`, which cannot leave the root, also not through
//! a symbolic link.

use std::{
    fs::{File as StdFile, TryLockError},
    io::{Error, ErrorKind, Read, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions},
};
use galley_domain::{Fault, FaultCode};
use uuid::Uuid;

use crate::{
    front_matter::{FrontMatterStyle, Stamp, document, stamp},
    io_fault::fault,
    post::Post,
};

const INDEX: &str = "index.md";
const TEMP: &str = ".galley-tmp-";
const LOCK: &str = ".galley-lock";
/// Names of the pictures that an update is about to move in; there only while one runs or after it was killed.
const PENDING: &str = ".galley-pending";
/// How the root is called in messages: its place on the machine is nobody's business.
const ROOT: &str = "the publication folder";
/// Folders looked through for an article; beyond, publishing is refused instead of getting slower and slower.
const MAX_FOLDERS: usize = 20_000;
/// The front matter that we write is far shorter.
const MAX_HEAD: u64 = 256 << 10;
/// The last suffix tried for a slug that others have taken.
const MAX_SUFFIX: u32 = 99;
const LOCK_WAIT: Duration = Duration::from_secs(10);
const LOCK_POLL: Duration = Duration::from_millis(15);

/// A folder of a static site, e.g. Hugo's `content/posts`. Calls block on the disk; make them off the async threads.
/// Any number of processes may publish into one folder at once, they take turns.
#[derive(Debug, Clone)]
pub(crate) struct SiteFolder {
    root: PathBuf,
    style: FrontMatterStyle,
}

/// Where the article stands now. Paths are relative to the root, with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// `<folder>/index.md`.
    pub path: String,
    /// `<folder>/`: the end of the address that a generator gives the article by default.
    pub url_hint: String,
    /// This version was there before; nothing was written.
    pub already_there: bool,
}

/// What is there of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    /// `<folder>/index.md`, relative to the root.
    pub path: String,
    /// 0 where somebody edited the version away.
    pub version: u32,
}

impl SiteFolder {
    /// Touches nothing; the folder is created by the first [`publish`](Self::publish).
    pub fn new(root: PathBuf, style: FrontMatterStyle) -> Self {
        Self { root, style }
    }

    /// Writes the post, once: a version that is there already is not written again; what a killed update to it left is
    /// removed.
    ///
    /// Of a slug that another article or a foreign folder has taken, `-2`, `-3` … is used. A published article keeps
    /// its folder also when its slug changes later.
    ///
    /// # Errors
    /// Permanent: a bad or oversized post, a newer version is there, a foreign file in the place of a picture or of the
    /// folder. Transient: no permission, a read-only or full disk, another process that writes too long, other IO errors.
    pub fn publish(&self, post: &Post) -> Result<Published, Fault> {
        post.check()?;
        let root = self.open_or_create()?;
        let _turn = take_turn(&root)?;
        sweep(&root)?;
        match find(&root, post.article_id)? {
            Some(there) if there.stamp.version == post.version => {
                tidy(&root, &there, post)?;
                Ok(published(&there.folder, true))
            }
            Some(there) if there.stamp.version > post.version => Err(Fault::permanent(
                FaultCode::WorkflowError,
                format!(
                    "{}/{INDEX} is version {}, newer than version {}; publish the older text as a new version",
                    there.folder, there.stamp.version, post.version
                ),
            )),
            Some(there) => self.replace(&root, &there, post),
            None => self.create(&root, post),
        }
    }

    /// Looks for the article without writing anything: what an interrupted publication finds out before it repeats.
    pub fn look_up(&self, article_id: Uuid) -> Result<Option<Existing>, Fault> {
        let root = match Dir::open_ambient_dir(&self.root, ambient_authority()) {
            Ok(root) => root,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault("open", ROOT, &error)),
        };
        let found = find(&root, article_id)?;
        Ok(found.map(|f| Existing { path: format!("{}/{INDEX}", f.folder), version: f.stamp.version }))
    }

    /// Takes the article out of the folder; false when it is not there. Files that others put beside it stay.
    pub fn remove(&self, article_id: Uuid) -> Result<bool, Fault> {
        let root = match Dir::open_ambient_dir(&self.root, ambient_authority()) {
            Ok(root) => root,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(fault("open", ROOT, &error)),
        };
        let _turn = take_turn(&root)?;
        sweep(&root)?;
        let mut removed = false;
        // Copies that somebody made of it are the article too.
        while let Some(there) = find(&root, article_id)? {
            take_out(&root, &there)?;
            removed = true;
        }
        Ok(removed)
    }

    /// Removes what killed processes left half-written, also when nobody publishes any more. Waits for its turn like
    /// [`publish`](Self::publish); a folder that is not there is clean.
    pub fn clear(&self) -> Result<(), Fault> {
        match Dir::open_ambient_dir(&self.root, ambient_authority()) {
            Ok(root) => {
                let _turn = take_turn(&root)?;
                sweep(&root)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(fault("open", ROOT, &error)),
        }
    }

    fn open_or_create(&self) -> Result<Dir, Fault> {
        Dir::create_ambient_dir_all(&self.root, ambient_authority()).map_err(|e| fault("create", ROOT, &e))?;
        Dir::open_ambient_dir(&self.root, ambient_authority()).map_err(|e| fault("open", ROOT, &e))
    }

    fn create(&self, root: &Dir, post: &Post) -> Result<Published, Fault> {
        let folder = vacant(root, &post.slug)?;
        let temp = self.stage(root, &folder, post)?;
        point("staged");
        settle(root, &temp, root.rename(&temp, root, &folder).map_err(|e| fault("create", &folder, &e)))?;
        sync_dir(root, ROOT)?;
        Ok(published(&folder, false))
    }

    fn replace(&self, root: &Dir, there: &Found, post: &Post) -> Result<Published, Fault> {
        let folder = root.open_dir(&there.folder).map_err(|e| fault("open", &there.folder, &e))?;
        let ours = ours(&folder, there, post)?;
        let temp = self.stage(root, &there.folder, post)?;
        point("staged");
        settle(root, &temp, self.move_in(root, &temp, &folder, there, post, &ours))?;
        Ok(published(&there.folder, false))
    }

    /// Moves the staged files over the old ones, the text last, then removes what the new version no longer has.
    fn move_in(
        &self,
        root: &Dir,
        temp: &str,
        folder: &Dir,
        there: &Found,
        post: &Post,
        ours: &[String],
    ) -> Result<(), Fault> {
        let staged = root.open_dir(temp).map_err(|e| fault("open", temp, &e))?;
        let place = |name: &str| format!("{}/{name}", there.folder);
        let mut names: Vec<&str> = ours.iter().map(String::as_str).collect();
        names.extend(post.assets.iter().map(|a| a.name.as_str()));
        remove_file(folder, PENDING, &place(PENDING))?;
        write_new(folder, PENDING, names.join("\n").as_bytes(), &place(PENDING))?;
        for asset in &post.assets {
            staged.rename(&asset.name, folder, &asset.name).map_err(|e| fault("write", &place(&asset.name), &e))?;
            point("asset-moved");
        }
        point("assets-moved");
        sync_dir(folder, &there.folder)?;
        staged.rename(INDEX, folder, INDEX).map_err(|e| fault("write", &place(INDEX), &e))?;
        sync_dir(folder, &there.folder)?;
        point("index-moved");
        remove_old(folder, there, post, ours)?;
        root.remove_dir_all(temp).map_err(|e| fault("remove", temp, &e))
    }

    /// Writes the whole post into a new temporary folder, down to the disk; returns its name.
    fn stage(&self, root: &Dir, folder: &str, post: &Post) -> Result<String, Fault> {
        let temp = format!("{TEMP}{}-v{}", post.article_id, post.version);
        root.create_dir(&temp).map_err(|e| fault("create", &temp, &e))?;
        let written = (|| {
            let dir = root.open_dir(&temp).map_err(|e| fault("open", &temp, &e))?;
            for asset in &post.assets {
                write_new(&dir, &asset.name, &asset.bytes, &format!("{folder}/{}", asset.name))?;
                point("asset-staged");
            }
            let text = document(post, folder, self.style);
            write_new(&dir, INDEX, text.as_bytes(), &format!("{folder}/{INDEX}"))?;
            sync_dir(&dir, folder)
        })();
        settle(root, &temp, written)?;
        Ok(temp)
    }
}

/// Where the article was found.
struct Found {
    folder: String,
    stamp: Stamp,
}

fn published(folder: &str, already_there: bool) -> Published {
    Published { path: format!("{folder}/{INDEX}"), url_hint: format!("{folder}/"), already_there }
}

/// Waits for other processes and threads that publish into the same root. The system lets go of the lock when its
/// holder dies.
fn take_turn(root: &Dir) -> Result<StdFile, Fault> {
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
fn sweep(root: &Dir) -> Result<(), Fault> {
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
fn find(root: &Dir, article_id: Uuid) -> Result<Option<Found>, Fault> {
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
fn unread(path: &str, error: &Error) -> Result<Option<Stamp>, Fault> {
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
fn vacant(root: &Dir, slug: &str) -> Result<String, Fault> {
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

/// The pictures in the folder that are ours to replace or remove; refuses where the new version would overwrite a
/// file that somebody else put there.
fn ours(folder: &Dir, there: &Found, post: &Post) -> Result<Vec<String>, Fault> {
    let mut ours = there.stamp.assets.clone();
    let mut pending = Vec::new();
    if folder.symlink_metadata(PENDING).is_ok_and(|m| m.is_file()) {
        let read = folder.open(PENDING).and_then(|file| file.take(MAX_HEAD).read_to_end(&mut pending));
        read.map_err(|e| fault("read", &format!("{}/{PENDING}", there.folder), &e))?;
    }
    ours.extend(String::from_utf8_lossy(&pending).lines().map(str::to_owned));
    // Names come from a file that anybody may have edited: only what could be ours, each once.
    ours.retain(|name| crate::post::is_asset_name(name));
    ours.sort();
    ours.dedup();
    let foreign = post.assets.iter().find(|a| !ours.contains(&a.name) && folder.symlink_metadata(&a.name).is_ok());
    match foreign {
        None => Ok(ours),
        Some(asset) => Err(Fault::permanent(
            FaultCode::WorkflowError,
            format!("{}/{} is not from Galley and would be overwritten; rename it", there.folder, asset.name),
        )),
    }
}

/// What an update that was killed after its text was in place still had to do.
fn tidy(root: &Dir, there: &Found, post: &Post) -> Result<(), Fault> {
    let folder = root.open_dir(&there.folder).map_err(|e| fault("open", &there.folder, &e))?;
    if folder.symlink_metadata(PENDING).is_err() {
        return Ok(());
    }
    remove_old(&folder, there, post, &ours(&folder, there, post)?)
}

/// Removes the pictures that the version no longer has, then the note about them.
fn remove_old(folder: &Dir, there: &Found, post: &Post, ours: &[String]) -> Result<(), Fault> {
    let place = |name: &str| format!("{}/{name}", there.folder);
    for old in ours.iter().filter(|old| !post.assets.iter().any(|a| a.name == **old)) {
        remove_file(folder, old, &place(old))?;
    }
    remove_file(folder, PENDING, &place(PENDING))
}

/// One rename takes the folder away when everything in it is ours; beside foreign files ours go one by one, the text last.
fn take_out(root: &Dir, there: &Found) -> Result<(), Fault> {
    let place = |name: &str| format!("{}/{name}", there.folder);
    let folder = root.open_dir(&there.folder).map_err(|e| fault("open", &there.folder, &e))?;
    let is_ours = |name: &str| name == INDEX || name == PENDING || there.stamp.assets.iter().any(|asset| asset == name);
    let mut foreign = false;
    for entry in folder.entries().map_err(|e| fault("read", &there.folder, &e))? {
        let name = entry.map_err(|e| fault("read", &there.folder, &e))?.file_name();
        foreign |= !name.to_str().is_some_and(is_ours);
    }
    if foreign {
        for asset in there.stamp.assets.iter().map(String::as_str).chain([PENDING, INDEX]) {
            remove_file(&folder, asset, &place(asset))?;
        }
        return sync_dir(&folder, &there.folder);
    }
    let temp = format!("{TEMP}{}-removed", there.stamp.article_id);
    root.rename(&there.folder, root, &temp).map_err(|e| fault("remove", &there.folder, &e))?;
    point("taken-out");
    sync_dir(root, ROOT)?;
    root.remove_dir_all(&temp).map_err(|e| fault("remove", &there.folder, &e))
}

/// Creates the file, which must not be there, and waits until the disk has it.
fn write_new(dir: &Dir, name: &str, bytes: &[u8], path: &str) -> Result<(), Fault> {
    let options = OpenOptions::new().write(true).create_new(true).clone();
    let written = dir.open_with(name, &options).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|e| fault("write", path, &e))
}

fn remove_file(dir: &Dir, name: &str, path: &str) -> Result<(), Fault> {
    match dir.remove_file(name) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(fault("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Makes renames last. Only Unix can do this for a folder.
fn sync_dir(dir: &Dir, path: &str) -> Result<(), Fault> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    // Opened anew: the handle of a `Dir` is for paths only and cannot be synced.
    let synced = dir.open(".").and_then(|dir| dir.sync_all());
    synced.or_else(|e: Error| if e.kind() == ErrorKind::InvalidInput { Ok(()) } else { Err(fault("write", path, &e)) })
}

/// After a failure the temporary folder goes at once, a full disk needs the room; if that fails too, the next publish
/// tries again.
fn settle<T>(root: &Dir, temp: &str, result: Result<T, Fault>) -> Result<T, Fault> {
    if result.is_err() {
        let _ = root.remove_dir_all(temp);
    }
    result
}

/// A place where the tests kill the process.
#[cfg(test)]
fn point(name: &str) {
    if std::env::var("GALLEY_TEST_DIE_AT").is_ok_and(|at| at == name) {
        std::process::abort();
    }
}

#[cfg(not(test))]
fn point(_name: &str) {}

#[cfg(test)]
mod tests;

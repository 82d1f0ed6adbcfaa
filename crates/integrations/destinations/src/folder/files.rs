//! Files of one article: which are ours, and how they come and go.

use std::io::{Error, ErrorKind, Read, Write};

use cap_std::fs::{Dir, OpenOptions};
use galley_domain::{Fault, FaultCode};

use super::{INDEX, MAX_HEAD, PENDING, ROOT, TEMP, places::Found, point};
use crate::{io_fault::fault, post::Post};

/// The pictures in the folder that are ours to replace or remove; refuses where the new version would overwrite a
/// file that somebody else put there.
pub(super) fn ours(folder: &Dir, there: &Found, post: &Post) -> Result<Vec<String>, Fault> {
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
pub(super) fn tidy(root: &Dir, there: &Found, post: &Post) -> Result<(), Fault> {
    let folder = root.open_dir(&there.folder).map_err(|e| fault("open", &there.folder, &e))?;
    if folder.symlink_metadata(PENDING).is_err() {
        return Ok(());
    }
    remove_old(&folder, there, post, &ours(&folder, there, post)?)
}

/// Removes the pictures that the version no longer has, then the note about them.
pub(super) fn remove_old(folder: &Dir, there: &Found, post: &Post, ours: &[String]) -> Result<(), Fault> {
    let place = |name: &str| format!("{}/{name}", there.folder);
    for old in ours.iter().filter(|old| !post.assets.iter().any(|a| a.name == **old)) {
        remove_file(folder, old, &place(old))?;
    }
    remove_file(folder, PENDING, &place(PENDING))
}

/// One rename takes the folder away when everything in it is ours; beside foreign files ours go one by one, the text last.
pub(super) fn take_out(root: &Dir, there: &Found) -> Result<(), Fault> {
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
pub(super) fn write_new(dir: &Dir, name: &str, bytes: &[u8], path: &str) -> Result<(), Fault> {
    let options = OpenOptions::new().write(true).create_new(true).clone();
    let written = dir.open_with(name, &options).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|e| fault("write", path, &e))
}

pub(super) fn remove_file(dir: &Dir, name: &str, path: &str) -> Result<(), Fault> {
    match dir.remove_file(name) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(fault("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Makes renames last. Only Unix can do this for a folder.
pub(super) fn sync_dir(dir: &Dir, path: &str) -> Result<(), Fault> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    // Opened anew: the handle of a `Dir` is for paths only and cannot be synced.
    let synced = dir.open(".").and_then(|dir| dir.sync_all());
    synced.or_else(|e: Error| if e.kind() == ErrorKind::InvalidInput { Ok(()) } else { Err(fault("write", path, &e)) })
}

/// After a failure the temporary folder goes at once, a full disk needs the room; if that fails too, the next publish
/// tries again.
pub(super) fn settle<T>(root: &Dir, temp: &str, result: Result<T, Fault>) -> Result<T, Fault> {
    if result.is_err() {
        let _ = root.remove_dir_all(temp);
    }
    result
}

//! Removes bytes that no row names: a process can be killed after it stored them and before it wrote the row, or while it
//! stores them.

use std::{
    collections::BTreeMap,
    fs,
    io::{Error, ErrorKind, Result as IoResult},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use futures::{StreamExt, TryStreamExt};
use galley_domain::OrgId;
use object_store::{ObjectStore, ObjectStoreExt};
use uuid::Uuid;

use crate::{blobs::BlobError, error::ServiceError, system::SystemCalls};

/// Younger bytes may still get their row: an attempt keeps its result through an outage of the database, and writes it
/// afterwards. None is thought to last longer.
const YOUNG: Duration = Duration::from_secs(7 * 86_400);
/// Names that one question to the database is about.
const PORTION: usize = 500;
/// What a file is called from the decision to remove it to its end. The file store stages under `#1` and up, and lists
/// neither.
const ASIDE: &str = "#0";

impl SystemCalls<'_> {
    /// Removes stored bytes older than a week that no row names, and half-written ones. How many went.
    pub async fn sweep_blobs(&self) -> Result<u64, ServiceError> {
        self.sweep_blobs_older_than(YOUNG).await
    }

    /// The same with another age, for whoever knows that nothing is on its way.
    pub async fn sweep_blobs_older_than(&self, age: Duration) -> Result<u64, ServiceError> {
        let before = SystemTime::now() - age;
        match self.services.blobs().root() {
            Some(root) => self.sweep_folder(root, before).await,
            None => self.sweep_bucket(before).await,
        }
    }

    async fn sweep_folder(&self, root: &Path, before: SystemTime) -> Result<u64, ServiceError> {
        let mut removed = 0;
        for (org, folder) in blocking(root, organizations).await? {
            for shard in blocking(root, move |_| folders(&folder)).await? {
                let (names, half) = blocking(root, move |_| old_files(&shard, before)).await?;
                removed += half;
                for portion in names.chunks(PORTION) {
                    let named = portion.iter().filter_map(|path| blob_of(root, path)).collect();
                    let unnamed = self.across.unnamed_blobs(org, named).await?;
                    removed += blocking(root, move |root| remove(root, &unnamed, before)).await?;
                }
            }
        }
        Ok(removed)
    }

    /// A bucket has no way to take an object aside, so whether it is still old is asked right before it is removed. What is
    /// half written is the bucket's own business.
    async fn sweep_bucket(&self, before: SystemTime) -> Result<u64, ServiceError> {
        let objects = self.services.blobs().objects();
        let mut portions = objects.list(None).try_chunks(PORTION);
        let mut removed = 0;
        while let Some(portion) = portions.next().await {
            let portion = portion.map_err(|error| BlobError::from(error.1))?;
            let old = portion.into_iter().filter(|object| SystemTime::from(object.last_modified) < before);
            let mut by_org: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
            for object in old {
                // What is not named like an organization is not ours.
                let org = object.location.parts().next().and_then(|part| part.as_ref().parse().ok());
                if let Some(org) = org {
                    by_org.entry(org).or_default().push(object.location.to_string());
                }
            }
            for (org, named) in by_org {
                for blob in self.across.unnamed_blobs(OrgId(org), named).await? {
                    removed += u64::from(remove_object(objects, &blob, before).await?);
                }
            }
        }
        Ok(removed)
    }
}

async fn remove_object(objects: &dyn ObjectStore, blob: &str, before: SystemTime) -> Result<bool, BlobError> {
    let location = blob.into();
    match objects.head(&location).await {
        Ok(found) if SystemTime::from(found.last_modified) < before => {}
        Ok(_) | Err(object_store::Error::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    objects.delete(&location).await?;
    Ok(true)
}

/// Off the async threads, with the root of the store.
async fn blocking<T: Send + 'static>(
    root: &Path,
    work: impl FnOnce(&Path) -> IoResult<T> + Send + 'static,
) -> Result<T, BlobError> {
    let root = root.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&root)).await;
    done.map_err(Error::other).flatten().map_err(BlobError::Sweep)
}

fn folders(folder: &Path) -> IoResult<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// What is not named like an organization is not ours.
fn organizations(root: &Path) -> IoResult<Vec<(OrgId, PathBuf)>> {
    let named = |path: PathBuf| Some((OrgId(path.file_name()?.to_str()?.parse::<Uuid>().ok()?), path));
    Ok(folders(root)?.into_iter().filter_map(named).collect())
}

/// The whole files that are old; half-written ones that are old are removed at once, and counted.
fn old_files(shard: &Path, before: SystemTime) -> IoResult<(Vec<PathBuf>, u64)> {
    let (mut old, mut removed) = (Vec::new(), 0);
    for entry in fs::read_dir(shard)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some((whole, _)) = name.split_once('#') else {
            if is_old(&path, before)? {
                old.push(path);
            }
            continue;
        };
        if name.ends_with(ASIDE) {
            put_back(&path, &path.with_file_name(whole))?;
        } else if is_old(&path, before)? {
            gone_is_fine(fs::remove_file(&path))?;
            removed += 1;
        }
    }
    Ok((old, removed))
}

/// A file that went meanwhile is not old.
fn is_old(path: &Path, before: SystemTime) -> IoResult<bool> {
    match fs::metadata(path) {
        Ok(meta) => Ok(meta.is_file() && meta.modified()? < before),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn blob_of(root: &Path, path: &Path) -> Option<String> {
    path.strip_prefix(root).ok()?.to_str().map(str::to_owned)
}

fn remove(root: &Path, blobs: &[String], before: SystemTime) -> IoResult<u64> {
    let mut removed = 0;
    for blob in blobs {
        removed += u64::from(remove_if_old(&root.join(blob), before)?);
    }
    Ok(removed)
}

/// Takes the file aside and looks at it there: whoever stores the same bytes meanwhile either has written the one that was
/// taken, and it is young and goes back, or writes a new one.
fn remove_if_old(path: &Path, before: SystemTime) -> IoResult<bool> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(ASIDE);
    let aside = PathBuf::from(aside);
    match fs::rename(path, &aside) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        moved => moved?,
    }
    if is_old(&aside, before)? {
        gone_is_fine(fs::remove_file(&aside))?;
        return Ok(true);
    }
    put_back(&aside, path)?;
    Ok(false)
}

/// Gives a file its name again, unless another one has it by now.
fn put_back(aside: &Path, path: &Path) -> IoResult<()> {
    match fs::hard_link(aside, path) {
        Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {}
        linked => linked?,
    }
    gone_is_fine(fs::remove_file(aside))
}

/// Another process may sweep, too.
fn gone_is_fine(result: IoResult<()>) -> IoResult<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        fs::write(&path, "bytes").unwrap();
        (dir, path)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_stored_again_meanwhile_keeps_its_place() {
        let (dir, path) = place();
        let long_ago = SystemTime::UNIX_EPOCH;
        assert!(!remove_if_old(&path, long_ago).unwrap(), "written after it was found to be old");
        assert_eq!(names(dir.path()), ["abc"]);
        assert!(remove_if_old(&path, SystemTime::now() + YOUNG).unwrap());
        assert_eq!(names(dir.path()), [""; 0]);
        assert!(!remove_if_old(&path, SystemTime::now()).unwrap(), "somebody else removed it");
    }

    #[test]
    fn what_a_killed_sweep_took_aside_goes_back() {
        let (dir, path) = place();
        fs::rename(&path, dir.path().join("abc#0")).unwrap();
        assert_eq!(old_files(dir.path(), SystemTime::UNIX_EPOCH).unwrap(), (vec![], 0));
        assert_eq!(names(dir.path()), ["abc"]);
        fs::write(dir.path().join("abc#0"), "older").unwrap();
        old_files(dir.path(), SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(
            (names(dir.path()), fs::read_to_string(&path).unwrap()),
            (vec!["abc".to_owned()], "bytes".to_owned())
        );
    }

    #[test]
    fn half_a_file_goes_when_nobody_can_be_writing_it_any_more() {
        let (dir, path) = place();
        fs::write(dir.path().join("abc#1"), "by").unwrap();
        assert_eq!(old_files(dir.path(), SystemTime::UNIX_EPOCH).unwrap(), (vec![], 0));
        assert_eq!(names(dir.path()), ["abc", "abc#1"]);
        let later = SystemTime::now() + YOUNG;
        assert_eq!(old_files(dir.path(), later).unwrap(), (vec![path], 1));
        assert_eq!(names(dir.path()), ["abc"]);
    }
}

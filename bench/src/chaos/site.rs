//! What happens to the folder that articles are published into.

use std::{
    fs::{self, File, Permissions},
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteFault {
    /// Somebody else has the turn.
    Locked,
    /// Nothing can be made, renamed or removed in it.
    Closed,
    /// A file stands in its place.
    Replaced,
}

/// One fault at a time.
#[derive(Debug)]
pub struct Site {
    folder: PathBuf,
    running: Option<JoinHandle<anyhow::Result<()>>>,
    heal: CancellationToken,
}

impl Site {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, running: None, heal: CancellationToken::new() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// False when the folder is not there yet, or another fault has not passed.
    pub async fn fail(&mut self, fault: SiteFault, time: Duration) -> anyhow::Result<bool> {
        if !self.folder.is_dir() {
            return Ok(false);
        }
        if let Some(running) = self.running.take_if(|running| running.is_finished()) {
            running.await??;
        }
        if self.running.is_some() {
            return Ok(false);
        }
        let Some(undo) = begin(&self.folder, fault)? else { return Ok(false) };
        let heal = self.heal.clone();
        self.running = Some(tokio::spawn(async move {
            let _ = tokio::time::timeout(time, heal.cancelled()).await;
            undo()
        }));
        Ok(true)
    }

    /// Undoes what still lasts.
    pub async fn heal(&mut self) -> anyhow::Result<()> {
        self.heal.cancel();
        match self.running.take() {
            Some(running) => running.await?,
            None => Ok(()),
        }
    }
}

type Undo = Box<dyn FnOnce() -> anyhow::Result<()> + Send>;

fn begin(folder: &Path, fault: SiteFault) -> anyhow::Result<Option<Undo>> {
    let folder = folder.to_owned();
    Ok(match fault {
        SiteFault::Locked => turn(&folder)?.map(|lock| -> Undo {
            Box::new(|| {
                drop(lock);
                Ok(())
            })
        }),
        SiteFault::Closed => {
            let before = fs::metadata(&folder)?.permissions();
            fs::set_permissions(&folder, Permissions::from_mode(0o555))?;
            Some(Box::new(move || Ok(fs::set_permissions(&folder, before)?)))
        }
        SiteFault::Replaced => {
            let other = folder.with_extension("away");
            File::create(&other)?;
            // In one go: in between a publication could make a folder of its own, which nobody would ever see again.
            renameat2(AT_FDCWD, &folder, AT_FDCWD, &other, RenameFlags::RENAME_EXCHANGE)?;
            Some(Box::new(move || {
                renameat2(AT_FDCWD, &folder, AT_FDCWD, &other, RenameFlags::RENAME_EXCHANGE)?;
                Ok(fs::remove_file(&other)?)
            }))
        }
    })
}

/// The turn to publish, if nobody has it at the moment.
pub fn turn(folder: &Path) -> anyhow::Result<Option<File>> {
    let lock = match File::options().write(true).create(true).truncate(false).open(folder.join(".galley-lock")) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        opened => opened?,
    };
    Ok(lock.try_lock().is_ok().then_some(lock))
}

/// The article that a page in the site belongs to.
pub fn stamp(page: &Path) -> Option<String> {
    let text = fs::read_to_string(page).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("galley_id: "))?;
    Some(line.trim_matches('"').to_owned())
}

/// True when a folder of the article is there.
pub fn has(folder: &Path, article: &str) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let mut pages = entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    pages.any(|entry| stamp(&entry.path().join("index.md")).as_deref() == Some(article))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fault_passes_and_leaves_the_folder_as_it_was() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("site");
        let mut site = Site::new(folder.clone());
        assert!(!site.fail(SiteFault::Closed, Duration::from_secs(9)).await.expect("looked"), "not there yet");
        fs::create_dir(&folder).expect("made");
        fs::write(folder.join("page"), "text").expect("written");
        let mode = || fs::metadata(&folder).expect("there").permissions().mode() & 0o777;
        let before = mode();
        for fault in [SiteFault::Locked, SiteFault::Closed, SiteFault::Replaced] {
            let mut site = Site::new(folder.clone());
            assert!(site.fail(fault, Duration::from_secs(60)).await.expect("begun"));
            match fault {
                SiteFault::Locked => assert!(turn(&folder).expect("asked").is_none()),
                SiteFault::Closed => assert_eq!(mode(), 0o555),
                SiteFault::Replaced => assert!(folder.is_file()),
            }
            assert!(!site.fail(fault, Duration::ZERO).await.expect("looked"), "one at a time");
            site.heal().await.expect("undone");
            assert_eq!((mode(), fs::read_to_string(folder.join("page")).expect("there")), (before, "text".to_owned()));
            assert!(turn(&folder).expect("asked").is_some());
        }
        assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 1, "nothing stays beside it");
    }
}

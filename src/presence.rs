//! Which processes of a data folder live: each holds a locked file there, which the kernel lets go when it dies.
//!
//! A process that comes back after `kill -9` or a crash knows by them that its predecessor is dead, and takes its steps at
//! once instead of waiting for their leases. Of processes with another data folder, perhaps on another machine, it knows
//! nothing: their leases decide.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use crate::data_folder;

/// Below the data folder.
const FOLDER: &str = "workers";

/// This process, as long as it lives.
#[derive(Debug)]
pub struct Presence {
    /// What its steps are leased to.
    worker: String,
    path: PathBuf,
    _locked: File,
}

/// Processes that are dead and had steps, perhaps. Their files are kept until [`Dead::buried`].
#[derive(Debug)]
pub struct Dead {
    pub workers: Vec<String>,
    files: Vec<(PathBuf, File)>,
}

impl Presence {
    /// Says that this process lives, and who does not any more.
    pub fn begin(data: &Path) -> io::Result<(Self, Dead)> {
        let folder = data_folder::subfolder(data, FOLDER)?;
        let dead = dead(&folder)?;
        let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".to_owned());
        let name = format!("{}-{}", std::process::id(), Uuid::new_v4().simple());
        let path = folder.join(&name);
        // Named only when it is locked: nobody may take it for that of a dead process.
        let hidden = folder.join(format!(".{name}"));
        let worker = format!("{host}/{name}");
        let mut file = File::options().read(true).write(true).create_new(true).mode(0o640).open(&hidden)?;
        file.lock()?;
        file.write_all(worker.as_bytes())?;
        fs::rename(&hidden, &path)?;
        Ok((Self { worker, path, _locked: file }, dead))
    }

    pub fn worker(&self) -> &str {
        &self.worker
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // What stays is removed by the next process.
        drop(fs::remove_file(&self.path));
    }
}

fn dead(folder: &Path) -> io::Result<Dead> {
    let mut dead = Dead { workers: Vec::new(), files: Vec::new() };
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // One that is just beginning is not locked yet.
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        // One that ends in order may remove it meanwhile.
        let Ok(mut file) = File::open(&path) else { continue };
        let mut worker = String::new();
        if file.try_lock().is_ok() && file.read_to_string(&mut worker).is_ok() {
            dead.workers.push(worker);
            dead.files.push((path, file));
        }
    }
    Ok(dead)
}

impl Dead {
    /// Their steps are free; nobody has to look for them again.
    pub fn buried(self) {
        for (path, _locked) in self.files {
            drop(fs::remove_file(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_died_is_known_until_it_is_buried_and_one_that_lives_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let (lives, dead) = Presence::begin(dir.path()).expect("a presence");
        assert!(dead.workers.is_empty());
        let folder = dir.path().join(FOLDER);
        fs::write(folder.join("17"), "here/17").expect("a file that nobody locks");
        for _ in 0..2 {
            let (_, dead) = Presence::begin(dir.path()).expect("a presence");
            assert_eq!(dead.workers, ["here/17"]);
        }
        let (ended, dead) = Presence::begin(dir.path()).expect("a presence");
        dead.buried();
        drop(ended);
        let (_, dead) = Presence::begin(dir.path()).expect("a presence");
        assert!(dead.workers.is_empty());
        assert!(lives.path.exists());
        drop(lives);
        assert_eq!(fs::read_dir(folder).expect("the folder").count(), 0, "who ends in order leaves nothing");
    }
}

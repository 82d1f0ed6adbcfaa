//! The data folder, which is closed to other users: it holds uploads, articles and keys.

use std::{
    fs::{self, DirBuilder, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use galley_private_postgres::is_root;

use crate::config::Config;

const CLOSED: u32 = 0o750;
/// Others may pass through, but neither list nor read.
const PASSABLE: u32 = 0o751;
const READ_OR_WRITE_OF_OTHERS: u32 = 0o006;

/// Makes the folder if it is missing. The mode of an existing one stays: it is perhaps a folder with other things in it.
pub fn make(config: &Config) -> anyhow::Result<()> {
    // Postgres does not run as root, and the user that runs it has to reach `pgdata`.
    let mode = if is_root() && config.database.url.is_none() { PASSABLE } else { CLOSED };
    let folder = &config.data;
    if folder.is_dir() {
        return Ok(());
    }
    let made = folder.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| create(folder, mode));
    made.with_context(|| format!("the data folder {} cannot be made; choose another with --data", folder.display()))
}

/// A folder of ours in the data folder, made if it is missing, and closed to others if it was not.
pub fn subfolder(data: &Path, name: &str) -> io::Result<PathBuf> {
    let folder = data.join(name);
    create(&folder, CLOSED)?;
    let mode = fs::metadata(&folder)?.permissions().mode();
    if mode & 0o007 != 0 {
        fs::set_permissions(&folder, Permissions::from_mode(mode & 0o770))?;
    }
    Ok(folder)
}

fn create(folder: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        created => created,
    }
}

/// How to close a folder that other users can look into; `None` when it is closed or missing.
pub fn open_to_others(data: &Path) -> Option<String> {
    let mode = fs::metadata(data).ok()?.permissions().mode();
    let shown = data.display();
    (mode & READ_OR_WRITE_OF_OTHERS != 0)
        .then(|| format!("other users can look into the data folder {shown}; close it: chmod o-rw {shown}"))
}

/// What an operator should know before the folder is used.
pub fn tell(config: &Config) {
    let data = config.data.display();
    if let Some(open) = open_to_others(&config.data) {
        tracing::warn!("{open}");
    }
    if is_root() {
        let postgres = if config.database.url.is_some() {
            ""
        } else {
            ", and PostgreSQL, which refuses to run as root, runs as another user (GALLEY_POSTGRES_USER, else postgres or nobody)"
        };
        tracing::warn!(
            "Galley runs as root: what it writes to {data} and to the publication folder belongs to root{postgres}. It needs \
             none of root's rights; to go over to an ordinary user, stop it, give the folders to that user (chown -R), and \
             start it as that user"
        );
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_folder_is_closed_and_an_existing_one_is_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config { data: dir.path().join("new/data"), ..Config::default() };
        config.database.url = Some(galley_domain::Hidden::new("postgres://elsewhere/galley"));
        for _ in 0..2 {
            make(&config).unwrap();
            assert_eq!(mode(&config.data), CLOSED);
        }
        assert_eq!(open_to_others(&config.data), None);
        fs::set_permissions(&config.data, Permissions::from_mode(0o755)).unwrap();
        make(&config).unwrap();
        assert_eq!(mode(&config.data), 0o755, "it may be a folder of somebody else");
        assert!(open_to_others(&config.data).unwrap().contains("chmod o-rw"));
        fs::create_dir(config.data.join("files")).unwrap();
        fs::set_permissions(config.data.join("files"), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(mode(&subfolder(&config.data, "files").unwrap()), CLOSED, "that one is ours");
    }

    #[test]
    fn a_folder_that_cannot_be_made_names_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        for data in [file.clone(), file.join("data")] {
            let error = make(&Config { data, ..Config::default() }).unwrap_err();
            assert!(error.to_string().contains("--data"), "{error}");
        }
    }
}

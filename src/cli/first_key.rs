//! The API key of the first start: shown to whoever sits at the terminal, else put into a file. What a daemon prints
//! lands in a journal, which is kept and read by others.

use std::{
    fs::{File, Permissions},
    io::{self, IsTerminal, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use galley_domain::{Operator, OrgId};

use crate::compose::Parts;

/// In the data folder.
const FILE: &str = "first-key";

/// Makes a key that may do everything, if the organization has none in force.
pub async fn make(parts: &Parts, org: OrgId, key_file: Option<&Path>) -> anyhow::Result<()> {
    if parts.services.keys(org).await?.iter().any(|key| key.revoked_at.is_none()) {
        return Ok(());
    }
    let file = match key_file {
        Some(path) => Some(path.to_owned()),
        None => (!io::stdout().is_terminal()).then(|| parts.config.data.join(FILE)),
    };
    // Begun before the key is made: it is in no other place, and must not be lost to a file that cannot be written.
    let draft = file.map(Draft::begin).transpose()?;
    let Some(key) = parts.services.operator(Operator::of_this_machine()).first_key(org).await? else { return Ok(()) };
    let told = match draft {
        None => format!("API key, shown once: {}", key.secret),
        Some(draft) => {
            let path =
                draft.finish(&key.secret).context("the first API key is lost; make another: galley keys create")?;
            format!("API key: in the file {}; keep it where it belongs, then remove the file", path.display())
        }
    };
    let organization = &parts.config.organization;
    println!("First start. Organization: {} ({org})", organization.name);
    println!("Admin: {}", organization.admin_email);
    println!("{told}");
    Ok(())
}

struct Draft {
    path: PathBuf,
    file: tempfile::NamedTempFile,
}

impl Draft {
    fn begin(path: PathBuf) -> anyhow::Result<Self> {
        let shown = path.display();
        anyhow::ensure!(
            path.symlink_metadata().is_err(),
            "the first API key is not written to {shown}, because there is a file already; move it away, or name another with \
             --key-file"
        );
        let file = tempfile::Builder::new()
            .prefix(".first-key-")
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(folder_of(&path))
            .with_context(|| {
                format!("the first API key cannot be written to {shown}; name another file with --key-file")
            })?;
        Ok(Self { path, file })
    }

    /// Whole or not at all, and on the disk.
    fn finish(mut self, secret: &str) -> io::Result<PathBuf> {
        writeln!(self.file, "{secret}")?;
        self.file.as_file().sync_all()?;
        self.file.persist_noclobber(&self.path).map_err(|error| error.error)?;
        File::open(folder_of(&self.path))?.sync_all()?;
        Ok(self.path)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_private_whole_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let draft = Draft::begin(path.clone()).unwrap();
        let late = Draft::begin(path.clone()).unwrap();
        draft.finish("gk_one").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "gk_one\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(late.finish("gk_two").is_err(), "of two at once one writes");
        let error = Draft::begin(path.clone()).err().unwrap().to_string();
        assert!(error.contains("there is a file already") && error.contains("--key-file"), "{error}");
        let nowhere = Draft::begin(dir.path().join("no/folder")).err().unwrap();
        assert!(format!("{nowhere:#}").contains("--key-file"), "{nowhere:#}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "gk_one\n");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");
    }
}

//! Which user runs the server, and which folders that user can enter.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::Stdio,
};

use nix::unistd::{Uid, User};
use tokio::process::Command;

use crate::error::PgError;

/// Environment variable that names the user for a server started by root.
const USER_VARIABLE: &str = "GALLEY_POSTGRES_USER";

/// What the server's programs may see of our environment. Keys and passwords stay here, and no `PG…` variable can bend
/// what is started.
const ENVIRONMENT: [&str; 5] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LOCALE_ARCHIVE", "LOCPATH"];

/// Who the server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// The user that runs us.
    Ours,
    /// We are root; an unprivileged user.
    Other { uid: u32, gid: u32, name: String },
}

impl Account {
    /// Root needs another user: the one that owns the cluster if there is one (Postgres accepts no other), else the one
    /// that `GALLEY_POSTGRES_USER` names, else `postgres`, `_postgres` or `nobody`.
    pub(crate) fn choose(pgdata: &Path) -> Result<Self, PgError> {
        if !Uid::effective().is_root() {
            return Ok(Self::Ours);
        }
        let wanted = std::env::var(USER_VARIABLE).ok().filter(|name| !name.is_empty());
        match fs::metadata(pgdata) {
            Ok(found) if found.uid() == 0 => Err(PgError::NotACluster {
                pgdata: pgdata.to_owned(),
                reason: "it belongs to root; give it back with `chown -R` to the user that ran the server".into(),
            }),
            Ok(found) => {
                let name = User::from_uid(Uid::from_raw(found.uid())).ok().flatten().map(|user| user.name);
                let name = name.unwrap_or_else(|| found.uid().to_string());
                if wanted.as_ref().is_some_and(|wanted| *wanted != name) {
                    tracing::warn!(
                        "{USER_VARIABLE} is ignored: {} belongs to the user {name}, who has to run the server",
                        pgdata.display()
                    );
                }
                Ok(Self::Other { uid: found.uid(), gid: found.gid(), name })
            }
            Err(_) => Self::named(wanted.as_deref()),
        }
    }

    fn named(wanted: Option<&str>) -> Result<Self, PgError> {
        let names = wanted.map_or(vec!["postgres", "_postgres", "nobody"], |name| vec![name]);
        for name in &names {
            let found = User::from_name(name)
                .map_err(|error| PgError::NoAccount(format!("the user `{name}` cannot be looked up: {error}")))?;
            match found {
                Some(user) if user.uid.is_root() => {
                    return Err(PgError::NoAccount(format!("the user `{name}` is root too")));
                }
                Some(user) => {
                    return Ok(Self::Other { uid: user.uid.as_raw(), gid: user.gid.as_raw(), name: user.name });
                }
                None => {}
            }
        }
        Err(PgError::NoAccount(format!("there is no user {} here", names.join(" or "))))
    }

    /// A command that runs as this user, in `cwd`, reading nothing, with a clean environment and plain English messages.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, cwd: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir(cwd);
        for name in ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("LC_ALL", "C");
        if let Self::Other { uid, gid, .. } = self {
            // The standard library drops root's supplementary groups before it changes the user.
            command.gid(*gid).uid(*uid);
        }
        command
    }

    /// Hands a new file or folder to this user.
    pub(crate) fn own(&self, path: &Path) -> Result<(), PgError> {
        match self {
            Self::Ours => Ok(()),
            Self::Other { uid, gid, .. } => {
                chown(path, Some(*uid), Some(*gid)).map_err(PgError::io("change the owner of", path))
            }
        }
    }

    pub(crate) fn uid(&self) -> u32 {
        match self {
            Self::Ours => Uid::effective().as_raw(),
            Self::Other { uid, .. } => *uid,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Ours => "you",
            Self::Other { name, .. } => name,
        }
    }

    /// The topmost folder on the way to `dir` that this user cannot enter. Asked of the kernel as that user, so access
    /// lists and mount options count too; our own user is not asked, errors come with the first file.
    pub(crate) async fn blocked_at(&self, dir: &Path) -> Result<Option<PathBuf>, PgError> {
        if *self == Self::Ours {
            return Ok(None);
        }
        let mut way: Vec<&Path> = dir.ancestors().collect();
        way.reverse();
        let answer = self
            .command("/bin/sh", Path::new("/"))
            .args(["-c", "n=0; for dir do cd -- \"$dir\" || exit 1; n=$((n + 1)); echo $n; done", "sh"])
            .args(&way)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|source| PgError::Io { action: "run as another user", path: "/bin/sh".into(), source })?;
        if answer.status.success() {
            return Ok(None);
        }
        let entered = String::from_utf8_lossy(&answer.stdout).lines().count();
        Ok(Some(way.get(entered).map_or_else(|| dir.to_owned(), |dir| (*dir).to_owned())))
    }
}

/// True if `path` is a real folder (no link) of `uid`.
pub(crate) fn is_folder_of(path: &Path, uid: u32) -> io::Result<bool> {
    let found = fs::symlink_metadata(path)?;
    Ok(found.is_dir() && found.uid() == uid)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn unknown_and_privileged_users_are_refused() {
        let error = Account::named(Some("no-such-user-here")).unwrap_err().to_string();
        assert!(error.contains("no-such-user-here") && error.contains(USER_VARIABLE), "{error}");
        let error = Account::named(Some("root")).unwrap_err().to_string();
        assert!(error.contains("root too"), "{error}");
    }

    #[tokio::test]
    async fn the_blocking_folder_is_named() {
        if !Uid::effective().is_root() {
            return;
        }
        let temp = tempfile::tempdir().unwrap();
        let (open, closed) = (temp.path().join("open"), temp.path().join("open/closed"));
        fs::create_dir_all(closed.join("deep")).unwrap();
        for (dir, mode) in [(temp.path(), 0o755), (&open, 0o755), (&closed, 0o700)] {
            fs::set_permissions(dir, fs::Permissions::from_mode(mode)).unwrap();
        }
        let account = Account::named(None).unwrap();
        assert_eq!(account.blocked_at(&closed.join("deep")).await.unwrap(), Some(closed));
        assert_eq!(account.blocked_at(&open).await.unwrap(), None);
    }

    #[tokio::test]
    async fn our_secrets_do_not_reach_the_server() {
        let output =
            Account::Ours.command("/usr/bin/env", Path::new("/")).stdout(Stdio::piped()).output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("LC_ALL=C"), "{text}");
        assert!(!text.contains("CARGO"), "{text}");
    }
}

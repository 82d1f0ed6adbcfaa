//! Where the cluster's files lie. Normally all in the data folder; see the crate's documentation for the two exceptions.

use std::{
    fs::{self, DirBuilder, File},
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use nix::unistd::Uid;

use crate::{
    PORT, Settings,
    account::{Account, is_folder_of},
    error::PgError,
    socket_file,
};

/// The shortest limit for the path of a Unix socket among the systems we know (macOS; Linux has 107), in bytes.
const MAX_SOCKET_PATH: usize = 103;
const LOCATION: &str = "location";

#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Holds `pgdata/`, `run/` and `log/`: the data folder, or what its `location` file names.
    pub(crate) home: PathBuf,
    pub(crate) account: Account,
}

impl Place {
    pub(crate) fn pgdata(&self) -> PathBuf {
        self.home.join("pgdata")
    }

    pub(crate) fn run(&self) -> PathBuf {
        self.home.join("run")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.home.join("log").join("postgres.log")
    }

    /// Finds the cluster of `data_dir` or chooses where it shall be, and makes the folders around it.
    pub(crate) async fn resolve(data_dir: &Path, settings: &Settings) -> Result<Self, PgError> {
        let known = read_location(data_dir)?;
        let home = known.clone().unwrap_or_else(|| data_dir.to_owned());
        let account = Account::choose(&home.join("pgdata"))?;
        let mut place = Self { home, account };
        if let Some(folder) = place.account.blocked_at(&place.home).await? {
            if known.is_some() || place.pgdata().exists() {
                let user = place.account.name().to_owned();
                return Err(PgError::Unreachable { folder, user, tried: Vec::new() });
            }
            place.home = elsewhere(data_dir, &place.account, folder, &settings.fallback_dirs).await?;
        }
        place.make_folders()?;
        Ok(place)
    }

    fn make_folders(&self) -> Result<(), PgError> {
        let run = self.run();
        private_folder(&run)?;
        self.account.own(&run)?;
        // Stays ours: root must not write its log through a link that the server's user could plant.
        private_folder(&self.home.join("log"))
    }

    /// The folder for the socket: `run/`, or a short one among the machine's temporary folders where that path cannot be
    /// the path of a socket.
    pub(crate) async fn socket_dir(&self) -> Result<PathBuf, PgError> {
        let run = self.run();
        if fits(&run) {
            return Ok(run);
        }
        let mut hasher = DefaultHasher::new();
        self.home.hash(&mut hasher);
        let name = format!("galley-{}-{:016x}", self.account.uid(), hasher.finish());
        let mut parents = Vec::new();
        if self.account == Account::Ours {
            parents.extend(std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from));
        }
        parents.extend([std::env::temp_dir(), PathBuf::from("/tmp")]);
        let mut tried = Vec::new();
        for parent in parents.into_iter().filter(|parent| parent.is_absolute()) {
            let dir = parent.join(&name);
            match self.short_folder(&dir).await {
                Ok(()) => {
                    tracing::info!(
                        "{} cannot hold a socket (its path is too long or has a comma); it is in {}",
                        run.display(),
                        dir.display()
                    );
                    return Ok(dir);
                }
                Err(reason) => tried.push(format!("{}: {reason}", dir.display())),
            }
        }
        Err(PgError::Settings(format!(
            "the path of the data folder {} cannot hold a Unix socket (over {MAX_SOCKET_PATH} bytes, or a comma), and no \
             other folder could be made for it ({}). Choose another with --data DIR",
            self.home.display(),
            tried.join("; ")
        )))
    }

    async fn short_folder(&self, dir: &Path) -> Result<(), String> {
        if !fits(dir) {
            return Err("too long, or has a comma".into());
        }
        match DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => self.account.own(dir).map_err(|error| error.to_string())?,
            // Left by a crash, or planted: anybody may write to the temporary folder.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !is_folder_of(dir, self.account.uid()).map_err(|error| error.to_string())? {
                    return Err("belongs to somebody else".into());
                }
                fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(|error| error.to_string())?;
            }
            Err(error) => return Err(error.to_string()),
        }
        match self.account.blocked_at(dir).await.map_err(|error| error.to_string())? {
            None => Ok(()),
            Some(folder) => Err(format!("{} is closed to {}", folder.display(), self.account.name())),
        }
    }

    /// Removes the socket's folder after a stop if it is not ours to keep.
    pub(crate) fn clear_socket_dir(&self, socket_dir: &Path) {
        if socket_dir != self.run()
            && let Err(error) = fs::remove_dir(socket_dir)
        {
            tracing::debug!("{} stays: {error}", socket_dir.display());
        }
    }
}

/// Short enough, and without the comma that separates hosts in a connection URL.
fn fits(dir: &Path) -> bool {
    let socket = socket_file(dir, PORT);
    socket.as_os_str().len() <= MAX_SOCKET_PATH && !socket.to_string_lossy().contains(',')
}

/// Makes the data folder if need be and gives its one true path, so that all processes mean the same by it.
pub(crate) fn data_dir(wanted: &Path) -> Result<PathBuf, PgError> {
    fs::create_dir_all(wanted).map_err(PgError::io("make the folder", wanted))?;
    let real = fs::canonicalize(wanted).map_err(PgError::io("open", wanted))?;
    match real.to_str() {
        Some(text) if !text.contains(char::is_control) => Ok(real),
        _ => Err(PgError::Settings(format!(
            "the path of the data folder {} must be UTF-8 without control characters",
            real.display()
        ))),
    }
}

fn private_folder(dir: &Path) -> Result<(), PgError> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(PgError::io("make the folder", dir)(error)),
        _ => Ok(()),
    }
}

pub(crate) fn read_location(data_dir: &Path) -> Result<Option<PathBuf>, PgError> {
    let file = data_dir.join(LOCATION);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(PgError::io("read", &file)(error)),
    };
    let home = PathBuf::from(text.trim_end_matches('\n'));
    if !home.is_absolute() || !home.is_dir() {
        return Err(PgError::LostLocation { file, home });
    }
    Ok(Some(home))
}

/// Chooses a folder that the server's user can reach, and notes it in the data folder. Its name is new each time: a
/// fresh data folder never finds the database of one that had the same path before.
async fn elsewhere(
    data_dir: &Path,
    account: &Account,
    blocked: PathBuf,
    parents: &[PathBuf],
) -> Result<PathBuf, PgError> {
    let name = format!("galley-postgres-{}", new_id(data_dir));
    let mut tried = Vec::new();
    for parent in parents {
        let home = parent.join(&name);
        let made = fs::create_dir_all(parent).and_then(|()| DirBuilder::new().mode(0o751).create(&home));
        if let Err(error) = made {
            tried.push(format!("{}: {error}", home.display()));
            continue;
        }
        if let Some(folder) = account.blocked_at(&home).await? {
            tried.push(format!("{}: {} is closed too", home.display(), folder.display()));
            fs::remove_dir(&home).map_err(PgError::io("remove", &home))?;
            continue;
        }
        write_whole(&home.join("origin"), data_dir)?;
        write_whole(&data_dir.join(LOCATION), &home)?;
        tracing::warn!(
            "the user {}, who runs PostgreSQL for root, cannot enter {}; the database is kept in {} instead (noted in {})",
            account.name(),
            blocked.display(),
            home.display(),
            data_dir.join(LOCATION).display()
        );
        return Ok(home);
    }
    Err(PgError::Unreachable { folder: blocked, user: account.name().to_owned(), tried })
}

/// Sixteen hexadecimal digits that are new each time (the hasher has random keys).
pub(crate) fn new_id(of: &Path) -> String {
    format!("{:016x}", RandomState::new().hash_one((of, SystemTime::now())))
}

/// Writes one path so that a reader sees all of it or nothing.
fn write_whole(file: &Path, content: &Path) -> Result<(), PgError> {
    let draft = file.with_extension("draft");
    let write = || {
        let mut out = File::options().write(true).create(true).truncate(true).mode(0o640).open(&draft)?;
        writeln!(out, "{}", content.display())?;
        out.sync_all()?;
        fs::rename(&draft, file)
    };
    write().map_err(PgError::io("write", file))
}

/// The parents that are tried when the data folder is out of reach: one that lasts, then one that any system has.
pub(crate) fn default_fallbacks() -> Vec<PathBuf> {
    if Uid::effective().is_root() { vec!["/var/lib/galley".into(), "/var/tmp".into()] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_that_is_gone_is_not_replaced_silently() {
        let temp = tempfile::tempdir().unwrap();
        assert_eq!(read_location(temp.path()).unwrap(), None);
        write_whole(&temp.path().join(LOCATION), temp.path()).unwrap();
        assert_eq!(read_location(temp.path()).unwrap().as_deref(), Some(temp.path()));
        for content in ["/no/such/folder/here\n", "relative\n", ""] {
            fs::write(temp.path().join(LOCATION), content).unwrap();
            assert!(matches!(read_location(temp.path()), Err(PgError::LostLocation { .. })), "{content}");
        }
    }

    #[test]
    fn the_data_folder_must_be_a_folder() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("file");
        fs::write(&file, "").unwrap();
        let error = data_dir(&file.join("data")).unwrap_err().to_string();
        assert!(error.contains("cannot make the folder") && error.contains("file/data"), "{error}");
        assert!(matches!(data_dir(&temp.path().join("a\nb")), Err(PgError::Settings(_))));
    }

    #[tokio::test]
    async fn a_planted_socket_folder_is_not_used() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place { home: temp.path().to_owned(), account: Account::Ours };
        let planted = temp.path().join("link");
        std::os::unix::fs::symlink("/tmp", &planted).unwrap();
        assert_eq!(place.short_folder(&planted).await.unwrap_err(), "belongs to somebody else");
        let fresh = temp.path().join("fresh");
        place.short_folder(&fresh).await.unwrap();
        assert_eq!(fs::metadata(&fresh).unwrap().permissions().mode() & 0o777, 0o700);
        place.short_folder(&fresh).await.unwrap();
    }
}

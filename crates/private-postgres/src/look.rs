//! A look at a cluster that makes, starts and joins nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    Settings,
    account::Account,
    binaries::{Binaries, find_binaries, find_major},
    error::PgError,
    init, place, server, url,
};

/// What is there of a cluster.
#[derive(Debug)]
pub struct Looked {
    /// The folder that holds `pgdata`, or will.
    pub home: PathBuf,
    /// The programs that fit it.
    pub binaries: Result<Binaries, PgError>,
    pub state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The first [`start`](crate::start) makes one.
    Missing,
    Stopped,
    Running {
        socket_dir: PathBuf,
    },
}

impl State {
    /// As [`Cluster::url`](crate::Cluster::url), when the server runs. Whoever connects counts as nobody: the server ends
    /// when its last user does.
    pub fn url(&self, database: &str) -> Option<String> {
        match self {
            Self::Running { socket_dir } => Some(url(socket_dir, database)),
            Self::Missing | Self::Stopped => None,
        }
    }
}

/// Looks at the cluster of `settings.data_dir`, which need not be there.
///
/// # Errors
/// Those of [`start`](crate::start) that can be known without starting.
pub async fn look(settings: &Settings) -> Result<Looked, PgError> {
    settings.check()?;
    let data_dir = match fs::canonicalize(&settings.data_dir) {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => settings.data_dir.clone(),
        Err(error) => return Err(PgError::io("open", &settings.data_dir)(error)),
    };
    let home = place::read_location(&data_dir)?.unwrap_or(data_dir);
    let pgdata = home.join("pgdata");
    let account = Account::choose(&pgdata)?;
    if pgdata.exists()
        && let Some(folder) = account.blocked_at(&home).await?
    {
        return Err(PgError::Unreachable { folder, user: account.name().to_owned(), tried: Vec::new() });
    }
    let major = if is_empty(&pgdata)? { None } else { init::version_of(&pgdata)? };
    let explicit = settings.bin_dir.as_deref();
    let binaries = match major {
        Some(major) => find_major(explicit, major, &pgdata),
        None => find_binaries(explicit),
    };
    let state = match (major, server::ready_socket(&pgdata)?) {
        (None, _) => State::Missing,
        (Some(_), None) => State::Stopped,
        (Some(_), Some(socket_dir)) => State::Running { socket_dir },
    };
    Ok(Looked { home, binaries, state })
}

fn is_empty(folder: &Path) -> Result<bool, PgError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(PgError::io("open", folder)(error)),
    }
}

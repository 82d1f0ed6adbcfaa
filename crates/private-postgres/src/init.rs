//! Makes the cluster, once.
//!
//! `initdb` works in a folder `pgdata.partial-…` that gets its name `pgdata` by one rename when it is complete. So
//! `pgdata` is whole or absent, whenever the power goes; left-over partial folders are removed, and a `pgdata` that is
//! damaged all the same was damaged by somebody else and is only reported.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::Path,
    process::Stdio,
};

use tokio::time::{Instant, timeout_at};

use crate::{
    Settings, USER,
    binaries::{Binaries, find_binaries, find_major},
    error::{PgError, RUN, tail},
    place::{Place, new_id},
};

const PARTIAL: &str = "pgdata.partial-";

/// Character classes (upper and lower case beyond ASCII) come from the first of these that the system knows; text is
/// always ordered by bytes, so an operating system update cannot break an index.
const CTYPES: [&str; 3] = ["C.UTF-8", "en_US.UTF-8", "C"];

/// Only local sockets exist, and the folder that holds ours is closed to other users.
const HBA: &str = "# Written by Galley: the socket's folder decides who may come in.\nlocal all all trust\n";

/// Makes `pgdata` if it is not there, and returns the programs that fit it.
pub(crate) async fn prepare(place: &Place, settings: &Settings, deadline: Instant) -> Result<Binaries, PgError> {
    let (explicit, pgdata) = (settings.bin_dir.clone(), place.pgdata());
    let cluster = cluster_version(&pgdata)?;
    let search = move || match cluster {
        Some(major) => find_major(explicit.as_deref(), major, &pgdata),
        None => find_binaries(explicit.as_deref()),
    };
    let binaries = tokio::task::spawn_blocking(search).await.map_err(|error| PgError::Io {
        action: "look for PostgreSQL from",
        path: place.home.clone(),
        source: io::Error::other(error),
    })??;
    remove_partial(&place.home);
    if cluster.is_none() {
        create(place, settings, &binaries, deadline).await?;
    }
    Ok(binaries)
}

/// The major version of a complete cluster; `None` if there is no cluster (nothing, or an empty folder).
fn cluster_version(pgdata: &Path) -> Result<Option<u32>, PgError> {
    match fs::remove_dir(pgdata) {
        Ok(()) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
        Err(error) => return Err(PgError::io("open", pgdata)(error)),
    }
    version_of(pgdata)
}

/// The same of a folder that is not empty; changes nothing.
pub(crate) fn version_of(pgdata: &Path) -> Result<Option<u32>, PgError> {
    let broken = |reason: &str| PgError::NotACluster { pgdata: pgdata.to_owned(), reason: reason.to_owned() };
    if !pgdata.join("global/pg_control").is_file() {
        return Err(broken("global/pg_control is missing"));
    }
    let file = pgdata.join("PG_VERSION");
    match fs::read_to_string(&file) {
        Ok(text) => match text.trim().parse() {
            Ok(major) => Ok(Some(major)),
            Err(_) => Err(broken("PG_VERSION does not hold a number")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(broken("PG_VERSION is missing")),
        Err(error) => Err(PgError::io("read", &file)(error)),
    }
}

/// What a killed `initdb` left. If its helper still writes there, the folder goes at the next start.
fn remove_partial(home: &Path) {
    let Ok(entries) = fs::read_dir(home) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PARTIAL)) {
        if let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::debug!("{} stays for now: {error}", entry.path().display());
        }
    }
}

async fn create(place: &Place, settings: &Settings, binaries: &Binaries, deadline: Instant) -> Result<(), PgError> {
    tracing::info!("making a PostgreSQL {} database in {}", binaries.version, place.pgdata().display());
    let mut refused = String::new();
    for ctype in CTYPES {
        // The name is new each time: a killed owner's initdb may still be writing to the last one.
        let partial = place.home.join(format!("{PARTIAL}{}", new_id(&place.home)));
        DirBuilder::new().mode(0o700).create(&partial).map_err(PgError::io("make the folder", &partial))?;
        place.account.own(&partial)?;
        match run_initdb(place, settings, binaries, ctype, &partial, deadline).await {
            Ok(()) => return finish(place, settings, &partial),
            Err(error) => {
                remove_partial(&place.home);
                match error {
                    PgError::Initdb { output, .. } if output.contains("invalid locale") => refused = output,
                    other => return Err(other),
                }
            }
        }
    }
    Err(PgError::Initdb { path: place.pgdata(), output: refused })
}

async fn run_initdb(
    place: &Place,
    settings: &Settings,
    binaries: &Binaries,
    ctype: &str,
    partial: &Path,
    deadline: Instant,
) -> Result<(), PgError> {
    let program = binaries.dir.join("initdb");
    let mut command = place.account.command(&program, &place.home);
    command
        .args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"])
        .arg(format!("--lc-ctype={ctype}"))
        .arg(format!("--username={USER}"))
        .arg("--text-search-config=simple")
        // Small segments too: most of what a short-lived cluster writes is its first, empty one.
        .args(if settings.durable { &[][..] } else { &["--no-sync", "--wal-segsize=1"] })
        .arg("--pgdata")
        .arg(partial)
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = timeout_at(deadline, command.output())
        .await
        .map_err(|_| PgError::Timeout {
            what: format!("initdb in {}", partial.display()),
            after: settings.start_timeout,
            detail: String::new(),
        })?
        .map_err(PgError::io(RUN, &program))?;
    if output.status.success() {
        return Ok(());
    }
    Err(PgError::Initdb { path: place.pgdata(), output: tail(&output.stderr) })
}

fn finish(place: &Place, settings: &Settings, partial: &Path) -> Result<(), PgError> {
    let hba = partial.join("pg_hba.conf");
    fs::write(&hba, HBA).map_err(PgError::io("write", &hba))?;
    let pgdata = place.pgdata();
    let name_it = || {
        if settings.durable {
            File::open(&hba)?.sync_all()?;
        }
        fs::rename(partial, &pgdata)?;
        if settings.durable {
            File::open(&place.home)?.sync_all()?;
        }
        Ok(())
    };
    name_it().map_err(PgError::io("make the folder", &pgdata))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_cluster_has_a_version() {
        let temp = tempfile::tempdir().unwrap();
        let pgdata = temp.path().join("pgdata");
        assert_eq!(cluster_version(&pgdata).unwrap(), None);
        fs::create_dir(&pgdata).unwrap();
        assert_eq!(cluster_version(&pgdata).unwrap(), None);
        fs::create_dir_all(pgdata.join("base/1")).unwrap();
        let reason = |found: Result<Option<u32>, PgError>| found.unwrap_err().to_string();
        assert!(reason(cluster_version(&pgdata)).contains("pg_control is missing"));
        fs::create_dir(pgdata.join("global")).unwrap();
        fs::write(pgdata.join("global/pg_control"), "x").unwrap();
        assert!(reason(cluster_version(&pgdata)).contains("PG_VERSION is missing"));
        fs::write(pgdata.join("PG_VERSION"), "what\n").unwrap();
        assert!(reason(cluster_version(&pgdata)).contains("does not hold a number"));
        fs::write(pgdata.join("PG_VERSION"), "15\n").unwrap();
        assert_eq!(cluster_version(&pgdata).unwrap(), Some(15));
        assert!(pgdata.join("base/1").is_dir(), "nothing may be removed");
    }
}

//! A private Postgres cluster from the machine's own binaries, started and stopped with the process.
//!
//! [`start`] makes the database on first use, starts the server or joins the one that another process of the same data
//! folder runs, and returns when it takes connections. [`Cluster::stop`] ends it again.
//!
//! # Who may come in
//! The server listens on a Unix socket only, in a folder with mode 0700, and trusts whoever can open it. Root can, which
//! is how a root process reaches a server that runs as another user.
//!
//! # Where things lie
//! `pgdata/`, `run/` (socket, pipe) and `log/` are in the data folder, with two exceptions:
//! * The path of a Unix socket is limited to about 100 bytes, and a URL cannot hold a comma in it. Where the data
//!   folder's path does not fit, the socket is in a 0700 folder below `XDG_RUNTIME_DIR` or the temporary folder.
//! * Postgres refuses to run as root. Root runs it as the owner of `pgdata`, else as `GALLEY_POSTGRES_USER`, `postgres`
//!   or `nobody`. If that user cannot enter the data folder (say it is below `/root`), a fresh cluster is kept below one
//!   of [`Settings::fallback_dirs`]; the file `location` in the data folder holds the path, `origin` there points back.
//!
//! # How long it runs
//! As long as anybody uses it, and no longer, whatever happens to whom. No process is in charge; three things in the
//! file system carry it, all of which the kernel lets go when a process dies, `kill -9` included:
//! * `start.lock`, locked by one process at a time while it starts, joins or stops. So two simultaneous starts make one
//!   `initdb`, and nobody joins a server that is just being stopped.
//! * `users.lock`, locked (shared) by every [`Cluster`]. [`Cluster::stop`] stops the server only if it can lock it
//!   alone, that is, as the last user; else the server goes on for the others, also when it was started by us.
//! * `run/alive`, a named pipe that every [`Cluster`] holds open for writing. A small shell process, the watchdog, reads
//!   it; when the last writer is gone without a word it sees the end of file and stops the server. It cannot know that
//!   somebody opens the pipe just then, so a newcomer asks over the pipe and waits for an answer: an answer means that
//!   it was counted, a closed pipe that the watchdog has done its work and a new start is due.
//!
//! The server and its watchdog have process groups of their own, so Ctrl-C reaches us first. If the watchdog itself is
//! killed, the next start sees a pipe without a reader and sets up a new one for the running server; if the server is
//! killed, the next start recovers it and keeps the watchdog. What a dead server left is told from a living one by the
//! process itself (a postmaster works in its data folder), not by the number in its pid file.
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there"))]

mod account;
mod binaries;
mod error;
mod init;
mod lease;
mod look;
mod place;
mod server;
mod wire;

use std::{
    fs::{File, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    process::Child,
    time::{Instant, sleep},
};

pub use crate::{
    binaries::{Binaries, Version, find_binaries},
    error::PgError,
    look::{Looked, State, look},
};
use crate::{lease::Lease, place::Place, wire::Session};

/// The superuser of the cluster.
const USER: &str = "galley";
/// Part of the socket's name; nothing listens on the network.
const PORT: u16 = 5432;
const TICK: Duration = Duration::from_millis(10);
/// Names are cut by Postgres beyond this, in bytes.
const MAX_NAME: usize = 63;

/// How to run the cluster. What concerns the server itself (`durable`, `max_connections`, `extra`) holds for the process
/// that starts it; a process that joins takes it as it is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Absolute path; made if it is not there.
    pub data_dir: PathBuf,
    /// The folder with `postgres` and `initdb`; `None` searches as [`find_binaries`] does.
    pub bin_dir: Option<PathBuf>,
    /// `false` only for tests: a crash of the machine may then destroy the data.
    pub durable: bool,
    /// 4 to 10,000.
    pub max_connections: u32,
    /// Further server options, e.g. `("work_mem", "16MB")`.
    pub extra: Vec<(String, String)>,
    /// The limit for everything that [`start`] does: waiting for another process that starts, `initdb`, recovery.
    pub start_timeout: Duration,
    /// Where to keep a fresh cluster if we are root and the server's user cannot reach `data_dir`; tried in order.
    pub fallback_dirs: Vec<PathBuf>,
}

impl Settings {
    /// Durable, 50 connections, two minutes; root falls back to `/var/lib/galley`, then `/var/tmp`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            durable: true,
            max_connections: 50,
            extra: Vec::new(),
            start_timeout: Duration::from_secs(120),
            fallback_dirs: place::default_fallbacks(),
        }
    }

    fn check(&self) -> Result<(), PgError> {
        let wrong = |text: String| Err(PgError::Settings(text));
        if !self.data_dir.is_absolute() {
            return wrong(format!("the data folder {} must be an absolute path", self.data_dir.display()));
        }
        if !(4..=10_000).contains(&self.max_connections) {
            return wrong(format!("max_connections must be 4 to 10000, not {}", self.max_connections));
        }
        for (name, value) in &self.extra {
            let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b));
            if !plain || value.contains('\0') {
                return wrong(format!("{name:?} is not a server option"));
            }
            if server::RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
                return wrong(format!("the server option {name} is set by Galley itself and cannot be changed"));
            }
        }
        Ok(())
    }
}

/// How a process came to its [`Cluster`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It started the server, or took over one that nobody used any more.
    Owner,
    /// Another process uses the server too.
    Joined,
}

/// What became of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It is shut down in order.
    Stopped,
    /// Others still use it; it ends with the last of them.
    StillInUse,
}

/// A running cluster and our share in it. Dropping it gives the share back as [`stop`](Self::stop) does, but without
/// waiting for the server to end.
#[derive(Debug)]
pub struct Cluster {
    data_dir: PathBuf,
    place: Place,
    settings: Settings,
    role: Role,
    pid: u32,
    socket_dir: PathBuf,
    start_timeout: Duration,
    child: Option<Child>,
    lease: Lease,
    users: File,
}

/// Starts the cluster of `settings.data_dir`, or joins it if it runs.
///
/// # Errors
/// Each names the folder, program or setting concerned and what to do; see [`PgError`].
pub async fn start(settings: Settings) -> Result<Cluster, PgError> {
    settings.check()?;
    let deadline = Instant::now() + settings.start_timeout;
    let data_dir = place::data_dir(&settings.data_dir)?;
    let gate = gate(&data_dir, deadline, settings.start_timeout).await?;
    let place = Place::resolve(&data_dir, &settings).await?;
    // Before the watchdog is there, so that a machine without Postgres does not get one.
    let running = server::running(&place.pgdata())?.is_some();
    let binaries = if running { None } else { Some(init::prepare(&place, &settings, deadline).await?) };
    let (users, alone) = share_users(&data_dir)?;
    let lease = Lease::take(&place, deadline, settings.start_timeout).await?;
    let (server, started) = match bring_up(&place, &settings, binaries, deadline).await {
        Ok(up) => up,
        Err(error) => {
            // A server that is still starting is left to the watchdog.
            if alone && server::running(&place.pgdata())?.is_none() {
                lease.dismiss().await;
            }
            return Err(error);
        }
    };
    let role = if started || alone { Role::Owner } else { Role::Joined };
    tracing::info!(pid = server.pid, ?role, "PostgreSQL is ready in {}", place.home.display());
    drop(gate);
    let server::Server { pid, socket_dir, child } = server;
    let start_timeout = settings.start_timeout;
    Ok(Cluster { data_dir, place, settings, role, pid, socket_dir, start_timeout, child, lease, users })
}

/// The server, and whether it was started here.
async fn bring_up(
    place: &Place,
    settings: &Settings,
    binaries: Option<Binaries>,
    deadline: Instant,
) -> Result<(server::Server, bool), PgError> {
    if let Some(server) = server::join(place, deadline, settings).await? {
        return Ok((server, false));
    }
    let binaries = match binaries {
        Some(binaries) => binaries,
        None => init::prepare(place, settings, deadline).await?,
    };
    Ok((server::launch(place, settings, &binaries, deadline).await?, true))
}

impl Cluster {
    /// A connection URL for sqlx, libpq and others that know `host=` with a folder:
    /// `postgres://galley@localhost:5432/NAME?host=%2Fpath&sslmode=disable`. Port and `sslmode` are said so that `PGPORT`
    /// and `PGSSLMODE` in the environment do not matter.
    pub fn url(&self, database: &str) -> String {
        url(&self.socket_dir, database)
    }

    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    pub fn role(&self) -> Role {
        self.role
    }

    /// The process of the server as it was when this process started or joined it.
    pub fn postmaster_pid(&self) -> u32 {
        self.pid
    }

    /// Makes an empty UTF-8 database; `false` if it is there already, also when another process just made it.
    ///
    /// # Errors
    /// [`PgError::Settings`] for a name that Postgres cannot hold (empty, over 63 bytes, with a zero byte),
    /// [`PgError::Refused`] and [`PgError::Connection`] from the server.
    pub async fn create_database_if_missing(&self, name: &str) -> Result<bool, PgError> {
        if name.is_empty() || name.len() > MAX_NAME || name.contains('\0') {
            return Err(PgError::Settings(format!(
                "{name:?} cannot be the name of a database (1 to {MAX_NAME} bytes)"
            )));
        }
        let mut session = Session::connect(&self.socket_dir, "postgres").await?;
        let literal = name.replace('\'', "''");
        if session.query(&format!("SELECT 1 FROM pg_database WHERE datname = '{literal}'")).await? > 0 {
            return Ok(false);
        }
        // template0 has no visitors, who would be in the way of a copy.
        let identifier = name.replace('"', "\"\"");
        match session.query(&format!("CREATE DATABASE \"{identifier}\" TEMPLATE template0")).await {
            Ok(_) => Ok(true),
            Err(PgError::Refused { sqlstate, .. }) if sqlstate == "42P04" || sqlstate == "23505" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Starts the server again if it has ended without us, and says whether it had: killed for want of memory, or stopped by
    /// somebody who did not know that it is in use. It takes connections at the same address.
    ///
    /// # Errors
    /// As of [`start`]; what it could not do may be done later.
    pub async fn revive(&mut self) -> Result<bool, PgError> {
        if server::running(&self.place.pgdata())?.is_some() {
            return Ok(false);
        }
        let deadline = Instant::now() + self.start_timeout;
        let _gate = gate(&self.data_dir, deadline, self.start_timeout).await?;
        let (server, started) = bring_up(&self.place, &self.settings, None, deadline).await?;
        self.pid = server.pid;
        self.socket_dir = server.socket_dir;
        // Another process may have been first; then our old child is the one that ended.
        self.child = server.child;
        Ok(started)
    }

    /// Gives our share back. The last user of the server shuts it down (`fast`: open transactions are rolled back) and
    /// waits until it is gone; close your connections first. After two minutes it is cut, which costs a recovery at the
    /// next start but no data.
    ///
    /// # Errors
    /// [`PgError::Timeout`] if another process stays between start and ready for too long, or the server does not end;
    /// the watchdog then goes on trying.
    pub async fn stop(self) -> Result<Stopped, PgError> {
        let Self { data_dir, place, socket_dir, start_timeout, child, lease, users, .. } = self;
        let _gate = gate(&data_dir, Instant::now() + start_timeout, start_timeout).await?;
        // Said aloud: a child of ours that is between fork and exec has a copy of the descriptor.
        users.unlock().map_err(PgError::io("unlock", &data_dir))?;
        match users.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Stopped::StillInUse),
            Err(TryLockError::Error(error)) => return Err(PgError::io("lock", &data_dir)(error)),
        }
        server::stop(&place, child).await?;
        lease.dismiss().await;
        place.clear_socket_dir(&socket_dir);
        users.unlock().map_err(PgError::io("unlock", &data_dir))?;
        tracing::info!("PostgreSQL is stopped in {}", place.home.display());
        Ok(Stopped::Stopped)
    }
}

/// Whether this process runs as root, for whom the server runs as another user.
pub fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

/// Lets one process at a time through; the lock falls with the returned file.
async fn gate(data_dir: &Path, deadline: Instant, limit: Duration) -> Result<Gate, PgError> {
    let path = data_dir.join("start.lock");
    let file = lock_file(&path)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Gate(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(TICK).await,
            Err(TryLockError::WouldBlock) => {
                let what = format!("another process that starts or stops the same database ({})", path.display());
                return Err(PgError::Timeout { what, after: limit, detail: String::new() });
            }
            Err(TryLockError::Error(error)) => return Err(PgError::io("lock", &path)(error)),
        }
    }
}

struct Gate(File);

impl Drop for Gate {
    fn drop(&mut self) {
        // Closing would leave it locked while a child of ours is between fork and exec. An error cannot be helped here,
        // and closing follows.
        let _ = self.0.unlock();
    }
}

/// Counts us among the users, and says whether there was none. Only behind the gate.
fn share_users(data_dir: &Path) -> Result<(File, bool), PgError> {
    let path = data_dir.join("users.lock");
    let file = lock_file(&path)?;
    let alone = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => return Err(PgError::io("lock", &path)(error)),
    };
    if alone {
        file.unlock().map_err(PgError::io("unlock", &path))?;
    }
    file.try_lock_shared().map_err(|error| PgError::io("lock", &path)(error.into()))?;
    Ok((file, alone))
}

fn lock_file(path: &Path) -> Result<File, PgError> {
    let opened = File::options().read(true).append(true).create(true).mode(0o640).open(path);
    opened.map_err(PgError::io("open", path))
}

fn socket_file(dir: &Path, port: u16) -> PathBuf {
    dir.join(format!(".s.PGSQL.{port}"))
}

fn url(socket_dir: &Path, database: &str) -> String {
    let host = percent_encoded(&socket_dir.to_string_lossy());
    format!("postgres://{USER}@localhost:{PORT}/{}?host={host}&sslmode=disable", percent_encoded(database))
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_settings_are_refused_before_anything_is_touched() {
        let refused = |change: fn(&mut Settings)| {
            let mut settings = Settings::new("/data");
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        assert!(refused(|s| s.data_dir = "data".into()).contains("absolute"));
        assert!(refused(|s| s.max_connections = 0).contains("4 to 10000"));
        assert!(refused(|s| s.extra = vec![("Port".into(), "1".into())]).contains("set by Galley itself"));
        assert!(refused(|s| s.extra = vec![("a b".into(), "1".into())]).contains("not a server option"));
        assert!(Settings::new("/data").check().is_ok());
    }

    #[test]
    fn a_start_can_be_spawned() {
        fn sendable(_: impl Future + Send) {}
        sendable(start(Settings::new("/data")));
    }

    #[test]
    fn urls_are_encoded() {
        assert_eq!(percent_encoded("/a b/ü-1_.~"), "%2Fa%20b%2F%C3%BC-1_.~");
    }

    #[test]
    fn users_are_counted() {
        let temp = tempfile::tempdir().unwrap();
        let (first, alone) = share_users(temp.path()).unwrap();
        assert!(alone);
        let (_second, alone) = share_users(temp.path()).unwrap();
        assert!(!alone);
        first.unlock().unwrap();
        assert!(matches!(first.try_lock(), Err(TryLockError::WouldBlock)));
    }

    #[tokio::test]
    async fn the_gate_lets_one_through_and_does_not_wait_for_ever() {
        let temp = tempfile::tempdir().unwrap();
        let first = gate(temp.path(), Instant::now(), Duration::ZERO).await.unwrap();
        let error = gate(temp.path(), Instant::now(), Duration::ZERO).await.err().unwrap();
        assert!(error.to_string().contains("start.lock"), "{error}");
        drop(first);
        gate(temp.path(), Instant::now(), Duration::ZERO).await.unwrap();
    }
}

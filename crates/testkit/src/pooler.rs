//! A real PgBouncer in front of a database.

use std::{
    ffi::OsString,
    fmt::Write,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    str::FromStr,
    time::Duration,
};

use sqlx::{Connection, PgConnection};

/// How it hands out sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    Session,
    Transaction,
}

impl FromStr for PoolMode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "session" => Ok(Self::Session),
            "transaction" => Ok(Self::Transaction),
            other => Err(format!("'{other}' is no mode of a pooler; there are session and transaction")),
        }
    }
}

/// A pooler that runs until it is dropped.
#[derive(Debug)]
pub struct Pooler {
    process: Child,
    /// Of the same database, through the pooler.
    pub url: String,
    dir: tempfile::TempDir,
}

impl Pooler {
    /// `GALLEY_TEST_PGBOUNCER`, or the one in the search path.
    fn program() -> OsString {
        std::env::var_os("GALLEY_TEST_PGBOUNCER").unwrap_or_else(|| "pgbouncer".into())
    }

    /// False where the machine has no PgBouncer.
    pub fn is_there() -> bool {
        Command::new(Self::program()).arg("--version").stdout(Stdio::null()).status().is_ok_and(|ended| ended.success())
    }

    /// In front of the server whose socket is in this folder.
    pub async fn start(socket_dir: &Path, database: &str, mode: PoolMode, more: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("galley-pooler-").tempdir().expect("a temporary folder");
        let mode = if mode == PoolMode::Session { "session" } else { "transaction" };
        let (server, own) = (socket_dir.display(), dir.path().display());
        let mut settings = format!(
            "[databases]\n* = host={server} port=5432 user=galley\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n\
             unix_socket_dir = {own}\nauth_type = any\npool_mode = {mode}\nmax_client_conn = 2000\n\
             default_pool_size = 20\n"
        );
        writeln!(settings, "{more}").expect("a text takes all");
        let file = dir.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("a settings file");
        // It refuses to run as root, and whoever runs the server can reach the server's socket.
        let owner = std::fs::metadata(socket_dir).expect("the socket's folder");
        let mut command = Command::new(Self::program());
        command.arg("-q").arg(&file).stdin(Stdio::null()).stdout(Stdio::null());
        if owner.uid() != std::fs::metadata(dir.path()).expect("a folder").uid() {
            std::os::unix::process::CommandExt::uid(&mut command, owner.uid());
            std::os::unix::process::CommandExt::gid(&mut command, owner.gid());
            for path in [dir.path(), &file] {
                chown(path, Some(owner.uid()), Some(owner.gid())).expect("root gives folders away");
            }
        }
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).expect("an own folder");
        let process = command.spawn().expect("PgBouncer starts");
        let host = own.to_string().replace('/', "%2F");
        let url = format!("postgres://galley@localhost:6432/{database}?host={host}&sslmode=disable");
        let pooler = Self { process, url, dir };
        pooler.answers().await;
        pooler
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join(".s.PGSQL.6432")
    }

    async fn answers(&self) {
        let plain: sqlx::postgres::PgConnectOptions = self.url.parse().expect("an address");
        let plain = plain.extra_float_digits(None);
        let answering = async {
            while PgConnection::connect_with(&plain).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let answered = tokio::time::timeout(Duration::from_secs(20), answering).await;
        assert!(answered.is_ok(), "PgBouncer takes connections in {}", self.dir.path().display());
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // One that has ended already is no trouble.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

//! The Postgres of the run, which can be taken away.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use galley_private_postgres::{Cluster, Settings};
use galley_store::{Store, StoreSettings};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::processes::signal;
use crate::world::Database;

#[derive(Debug)]
pub struct Server {
    settings: Settings,
    cluster: Cluster,
    /// Handles on servers that were taken away; they hold the share that keeps the watchdog quiet.
    before: Vec<Cluster>,
}

/// Others must be able to pass through: under root the server runs as another user.
pub fn open_to_all(folder: &Path) -> std::io::Result<()> {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

impl Server {
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir(folder)?;
        open_to_all(folder)?;
        let mut settings = Settings::new(folder);
        settings.max_connections = 120;
        let cluster = galley_private_postgres::start(settings.clone()).await?;
        Ok(Self { settings, cluster, before: Vec::new() })
    }

    pub fn socket(&self) -> PathBuf {
        self.cluster.socket_dir().join(".s.PGSQL.5432")
    }

    pub fn socket_dir(&self) -> &Path {
        self.cluster.socket_dir()
    }

    /// A database by way of a port.
    pub fn url_over(&self, port: u16, name: &str) -> String {
        format!("postgres://galley@127.0.0.1:{port}/{name}?sslmode=disable")
    }

    /// A new, migrated database.
    pub async fn database(&self, name: &str, folder: &Path) -> anyhow::Result<Database> {
        self.cluster.create_database_if_missing(name).await?;
        let url = self.cluster.url(name);
        let store = Store::connect(&StoreSettings::new(&url)).await?;
        store.migrate().await?;
        store.close().await;
        Ok(Database { name: name.to_owned(), url, dir: folder.join("data") })
    }

    async fn statement(&self, sql: String) -> anyhow::Result<u64> {
        let mut admin = PgConnection::connect(&self.cluster.url("postgres")).await?;
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await?;
        admin.close().await?;
        Ok(done.rows_affected())
    }

    pub async fn drop(&self, name: &str) -> anyhow::Result<()> {
        self.statement(format!("DROP DATABASE {name} WITH (FORCE)")).await.map(|_| ())
    }

    /// Ends one connection to the database, or all. How many it were.
    pub async fn cut(&self, name: &str, all: bool) -> anyhow::Result<u32> {
        let limit = if all { "ALL" } else { "1" };
        let cut = self
            .statement(format!(
                "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
                 WHERE datname = '{name}' ORDER BY random() LIMIT {limit}) AS chosen"
            ))
            .await?;
        Ok(u32::try_from(cut).unwrap_or(u32::MAX))
    }

    /// Takes no changes for a while.
    pub async fn only_reads(&self, time: Duration) -> anyhow::Result<()> {
        self.statement("ALTER SYSTEM SET default_transaction_read_only = on".to_owned()).await?;
        self.statement("SELECT pg_reload_conf()".to_owned()).await?;
        tokio::time::sleep(time).await;
        let mut admin = PgConnection::connect(&self.cluster.url("postgres")).await?;
        // Also this very statement counts as a change.
        for sql in [
            "SET default_transaction_read_only = off",
            "ALTER SYSTEM RESET default_transaction_read_only",
            "SELECT pg_reload_conf()",
        ] {
            sqlx::raw_sql(sql).execute(&mut admin).await?;
        }
        Ok(admin.close().await?)
    }

    /// Takes no new connections for a while, and ends those that there are. How many it were.
    pub async fn refuse(&self, name: &str, time: Duration) -> anyhow::Result<u32> {
        self.statement(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await?;
        let cut = self.cut(name, true).await?;
        tokio::time::sleep(time).await;
        self.statement(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await?;
        Ok(cut)
    }

    /// Stops the server as a power cut would.
    pub async fn take_away(&self) -> anyhow::Result<()> {
        let pid = self.cluster.postmaster_pid();
        signal(pid, nix::sys::signal::Signal::SIGQUIT)?;
        let gone = async {
            while Path::new(&format!("/proc/{pid}")).exists() && !ended(pid) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), gone).await.context("Postgres did not stop")
    }

    pub async fn bring_back(&mut self) -> anyhow::Result<()> {
        let started = galley_private_postgres::start(self.settings.clone()).await?;
        self.before.push(std::mem::replace(&mut self.cluster, started));
        Ok(())
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        for cluster in self.before {
            cluster.stop().await?;
        }
        self.cluster.stop().await?;
        Ok(())
    }
}

/// A child of ours that has ended stays in the table until somebody asks for it.
fn ended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}

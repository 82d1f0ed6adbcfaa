//! `galley keys`.

use clap::Subcommand;
use galley_domain::{Permission, Scope};
use galley_services::KeyRequest;
use uuid::Uuid;

use crate::{
    compose::Parts,
    config::Config,
    telemetry::{self, Audience},
};

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key; it is shown once.
    Create {
        /// What the key is for.
        #[arg(long, default_value = "unnamed")]
        name: String,
        /// `read`, `write` or both.
        #[arg(long, value_delimiter = ',', default_value = "read,write")]
        permissions: Vec<Permission>,
        /// `articles`, `content`, `projects`, `publish`, `admin`.
        #[arg(long, value_delimiter = ',', default_value = "articles")]
        scopes: Vec<Scope>,
        /// Days until it ends, up to 36500; for ever when not given.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: Option<u32>,
    },
    /// List keys; the keys themselves are not stored.
    List,
    /// End a key at once.
    Revoke { id: Uuid },
}

pub async fn run(config: Config, command: KeysCommand) -> anyhow::Result<u8> {
    let _log = telemetry::start(&config.log, Audience::Person)?;
    let parts = Parts::open(config).await?;
    let org = parts.organization().await?;
    match command {
        KeysCommand::Create { name, permissions, scopes, days } => {
            let expires_at = days.map(|days| chrono::Utc::now() + chrono::Duration::days(i64::from(days)));
            let request = KeyRequest { name, permissions, scopes, expires_at };
            let key = parts.services.create_key(org, &request).await?;
            eprintln!("key {} (shown once, keep it now):", key.id);
            println!("{}", key.secret);
        }
        KeysCommand::List => {
            for key in parts.services.keys(org).await? {
                let state = if key.revoked_at.is_some() { "revoked" } else { "in force" };
                let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {at:.0}"));
                let (permissions, scopes) = (key.permissions.join(","), key.scopes.join(","));
                println!("{}  {}…  {permissions}  {scopes}  {state}  {used}  {}", key.id, key.prefix, key.name);
            }
        }
        KeysCommand::Revoke { id } => {
            parts.services.revoke_key(org, id).await?;
            println!("revoked {id}");
        }
    }
    parts.close().await;
    Ok(0)
}

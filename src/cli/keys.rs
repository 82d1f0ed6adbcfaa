//! `galley keys`.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use galley_domain::{Permission, Scope};
use galley_services::KeyRequest;
use galley_store::rows::ApiKey;
use uuid::Uuid;

use super::output::table;
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
        /// `read`, `write` or both [default: both].
        #[arg(long, value_delimiter = ',')]
        permissions: Vec<Permission>,
        /// `articles`, `content`, `projects`, `publish`, `admin` (which includes the others) [default: all of them].
        #[arg(long, value_delimiter = ',')]
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
            let expires_at = days.map(|days| Utc::now() + chrono::Duration::days(i64::from(days)));
            let mut request = KeyRequest { expires_at, ..KeyRequest::full(&name) };
            if !permissions.is_empty() {
                request.permissions = permissions;
            }
            if !scopes.is_empty() {
                request.scopes = scopes;
            }
            let key = parts.services.create_key(org, &request).await?;
            eprintln!("key {} (shown once, keep it now):", key.id);
            println!("{}", key.secret);
        }
        KeysCommand::List => {
            let keys = parts.services.keys(org).await?;
            let names = ["ID", "KEY", "PERMISSIONS", "SCOPES", "STATE", "EXPIRES", "LAST USED", "NAME"];
            let now = Utc::now();
            print!("{}", table(names, &keys.iter().map(|key| cells(key, now)).collect::<Vec<_>>()));
        }
        KeysCommand::Revoke { id } => {
            parts.services.revoke_key(org, id).await?;
            println!("revoked {id}");
        }
    }
    parts.close().await;
    Ok(0)
}

fn cells(key: &ApiKey, now: DateTime<Utc>) -> [String; 8] {
    let state = match (key.revoked_at, key.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        (None, _) => "in force",
    };
    let time = |time: Option<DateTime<Utc>>| {
        time.map_or_else(|| "never".to_owned(), |time| time.format("%Y-%m-%d %H:%M UTC").to_string())
    };
    let (permissions, scopes) = (key.permissions.join(","), key.scopes.join(","));
    let (expires, used) = (time(key.expires_at), time(key.last_used_at));
    let (id, prefix) = (key.id.to_string(), format!("{}…", key.prefix));
    [id, prefix, permissions, scopes, state.to_owned(), expires, used, key.name.clone()]
}

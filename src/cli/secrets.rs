//! `galley secrets`.

use std::io::{IsTerminal, Read};

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use galley_domain::{Hidden, Operator};
use galley_services::{SecretPurpose, Services};
use uuid::Uuid;

use super::{chosen, output::explain};
use crate::{
    compose::Parts,
    config::Config,
    telemetry::{self, Audience},
};

#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// How many secrets are under which envelope key, and which keys can go.
    Status,
    /// Move all secrets to the current envelope key.
    Rotate,
    /// Print a new envelope key.
    NewKey,
    /// Store a secret, read from standard input.
    Set {
        what: What,
        /// The id of an organization; the first one when not given.
        #[arg(long, value_name = "ID")]
        organization: Option<Uuid>,
    },
    /// Remove a secret.
    Remove {
        what: What,
        /// The id of an organization; the first one when not given.
        #[arg(long, value_name = "ID")]
        organization: Option<Uuid>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum What {
    /// The key that the organization's articles are written with, in the place of writer.api_key.
    ModelKey,
}

impl From<What> for SecretPurpose {
    fn from(what: What) -> Self {
        match what {
            What::ModelKey => Self::ModelKey,
        }
    }
}

pub async fn run(config: Config, command: SecretsCommand) -> anyhow::Result<u8> {
    let _log = telemetry::start(&config.log, Audience::Person)?;
    if matches!(command, SecretsCommand::NewKey) {
        println!("{}", galley_vault::new_key()?.expose());
        return Ok(0);
    }
    // Before anything starts: whoever types it should not wait.
    let secret = matches!(command, SecretsCommand::Set { .. }).then(read_secret).transpose()?;
    let parts = Parts::open(config).await?;
    let done = act(&parts, command, secret).await;
    parts.close().await;
    done
}

async fn act(parts: &Parts, command: SecretsCommand, secret: Option<Hidden>) -> anyhow::Result<u8> {
    let services = &parts.services;
    match (command, secret) {
        (SecretsCommand::Status, _) => status(services).await,
        (SecretsCommand::Rotate, _) => rotate(services).await,
        (SecretsCommand::Set { what, organization }, Some(secret)) => {
            let org = chosen(parts, organization).await?;
            services.set_secret(org, what.into(), &secret).await.map_err(explain)?;
            println!("stored for organization {org}");
            Ok(0)
        }
        (SecretsCommand::Remove { what, organization }, _) => {
            let org = chosen(parts, organization).await?;
            services.remove_secret(org, what.into()).await?;
            println!("removed from organization {org}");
            Ok(0)
        }
        (SecretsCommand::NewKey | SecretsCommand::Set { .. }, _) => anyhow::bail!("there is no secret to store"),
    }
}

/// All of standard input, without the line break at its end.
fn read_secret() -> anyhow::Result<Hidden> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        eprintln!("Type the secret, then Return and Ctrl-D. It will be seen; a file or a pipe as input is better.");
    }
    let mut text = String::with_capacity(2 * galley_vault::MOST_BYTES);
    let most = galley_vault::MOST_BYTES as u64 + 2;
    input.by_ref().take(most).read_to_string(&mut text).context("standard input cannot be read as text")?;
    let secret = Hidden::new(text.trim_end_matches(['\r', '\n']));
    // What was read first is cleared as well.
    drop(Hidden::new(text));
    Ok(secret)
}

async fn status(services: &Services) -> anyhow::Result<u8> {
    let counted = services.operator(Operator::of_this_machine()).secrets_by_key().await?;
    let count = |id: &str| counted.iter().find(|(key, _)| key == id).map_or(0, |(_, count)| *count);
    let Some(keyring) = services.keyring() else {
        println!("no envelope key is configured; set secrets.key to what `galley secrets new-key` prints");
        for (id, count) in &counted {
            println!("{id}  MISSING   {count} secrets; set the key as secrets.key");
        }
        return Ok(u8::from(!counted.is_empty()));
    };
    let current = keyring.current().as_str();
    println!("{current}  current   {} secrets", count(current));
    for id in keyring.previous() {
        match count(id.as_str()) {
            0 => println!("{id}  previous  no secrets; this key can go"),
            some => println!("{id}  previous  {some} secrets; move them with: galley secrets rotate"),
        }
    }
    let known = |id: &str| id == current || keyring.previous().any(|key| key.as_str() == id);
    let missing: Vec<_> = counted.iter().filter(|(id, _)| !known(id)).collect();
    for (id, count) in &missing {
        println!("{id}  MISSING   {count} secrets; add the key to secrets.previous_keys");
    }
    Ok(u8::from(!missing.is_empty()))
}

async fn rotate(services: &Services) -> anyhow::Result<u8> {
    let done = services.operator(Operator::of_this_machine()).rotate_secrets().await?;
    println!("{} secrets moved to the current key, {} could not be", done.moved, done.stuck.len());
    for stuck in &done.stuck {
        eprintln!("secret {} of organization {}: {}", stuck.id, stuck.org, stuck.why);
    }
    Ok(u8::from(!done.stuck.is_empty()))
}

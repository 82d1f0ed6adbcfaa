//! The command line.

// First: its macros hold for all modules below.
#[macro_use]
mod output;

mod doctor;
mod first_key;
mod keys;
mod metrics;
mod replay;
mod schedules;
mod secrets;
mod serve;
mod stopping;
mod write;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use galley_domain::{Operator, OrgId, credits};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    compose::{self, Database, Parts},
    config::{self, Config, Flags, Sources},
    telemetry::{self, Audience},
};

/// A self-hosted content pipeline: order an article, get it researched, written, checked and published.
#[derive(Debug, Parser)]
#[command(name = "galley", version, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes. Each is also a setting in the file and an environment variable.
#[derive(Debug, Clone, Args)]
struct Common {
    /// The configuration file [default: galley.toml, if there is one].
    #[arg(long, global = true, env = "GALLEY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder for everything that Galley keeps [default: .galley].
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write one article, from order to files, in this process.
    Write(write::WriteArgs),
    /// Write a task's article once more from the model's kept answers, and compare; no model is called, and the database stays as it is.
    Replay(replay::ReplayArgs),
    /// The whole daemon in one process: front, all workers, schedules.
    Up(serve::UpArgs),
    /// The HTTP front alone.
    Api(serve::ListenArgs),
    /// Workers alone.
    Work(serve::WorkArgs),
    /// Bring the database schema up to date.
    Migrate,
    /// Print the OpenAPI document.
    Openapi,
    /// What is configured, reachable, missing, and how to fix it.
    Doctor,
    /// API keys.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Recurring schedules of the first organization.
    #[command(subcommand)]
    Schedules(schedules::SchedulesCommand),
    /// Secrets of organizations and the keys that they are encrypted under.
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// Credits.
    #[command(subcommand)]
    Credits(CreditsCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum CreditsCommand {
    /// Add credits to the first organization.
    Grant {
        /// Up to 999999999999, with up to six decimals.
        #[arg(value_parser = grant)]
        amount: Decimal,
    },
    /// Show balance and holds.
    Show,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Show every setting in force and where it comes from, secrets masked.
    Show,
}

pub use output::finish as output_arrived;

impl Cli {
    /// Runs the command; the exit code for success may still be other than 0 (`doctor`, `write`).
    pub async fn run(self) -> anyhow::Result<u8> {
        let flags = Flags::default().set("data", self.common.data.as_ref());
        let file = self.common.config.as_deref();
        let load = |flags: Flags| Config::load(&Sources::new(file, flags)?);
        match self.command {
            Command::Write(args) => {
                let config = load(args.flags(flags))?;
                let _log = telemetry::start(&config.log, Audience::Person)?;
                write::run(config, args).await
            }
            Command::Replay(args) => replay::run(load(flags)?, args).await,
            Command::Up(args) => serve::up(load(args.listen.flags(flags))?, args.key_file.as_deref()).await,
            Command::Api(args) => serve::api(load(args.flags(flags))?).await,
            Command::Work(args) => serve::work(load(args.flags(flags))?, &args).await,
            Command::Migrate => migrate(load(flags)?).await,
            Command::Openapi => {
                print!("{}", crate::http::spec());
                Ok(0)
            }
            Command::Doctor => doctor::run(load(flags)?).await,
            Command::Keys(command) => keys::run(load(flags)?, command).await,
            Command::Schedules(command) => schedules::run(load(flags)?, command).await,
            Command::Secrets(command) => secrets::run(load(flags)?, command).await,
            Command::Credits(command) => credits(load(flags)?, command).await,
            Command::Config(ConfigCommand::Show) => {
                let sources = Sources::new(file, flags)?;
                let config = Config::load(&sources)?;
                print!("{}", config::shown(&config, &sources, &compose::registry(&config)?)?);
                Ok(0)
            }
        }
    }
}

async fn migrate(config: Config) -> anyhow::Result<u8> {
    let _log = telemetry::start(&config.log, Audience::Person)?;
    let database = Database::open(&config).await?;
    let pending = database.store().pending_migrations().await.context("the database does not answer")?;
    database.store().migrate().await.context("the schema could not be brought up to date")?;
    match pending.as_slice() {
        [] => println!("nothing to do: the schema is up to date"),
        applied => println!("applied: {}", applied.join(", ")),
    }
    database.close().await;
    Ok(0)
}

/// The organization that `--organization` names, or the first one.
async fn chosen(parts: &Parts, wanted: Option<Uuid>) -> anyhow::Result<OrgId> {
    let Some(id) = wanted.map(OrgId) else { return parts.organization().await };
    let known = parts.services.operator(Operator::of_this_machine()).organizations().await?;
    anyhow::ensure!(known.iter().any(|(org, _)| *org == id), "--organization: there is no organization {id}");
    Ok(id)
}

fn grant(text: &str) -> Result<Decimal, String> {
    let amount = text.parse().map_err(|_| credits::AMOUNT.to_owned())?;
    credits::check_grant(amount).map(|()| amount)
}

async fn credits(config: Config, command: CreditsCommand) -> anyhow::Result<u8> {
    let _log = telemetry::start(&config.log, Audience::Person)?;
    let parts = Parts::open(config).await?;
    let org = parts.organization().await?;
    if let CreditsCommand::Grant { amount } = command {
        parts
            .services
            .operator(Operator::of_this_machine())
            .grant_credits(org, amount, "granted by the operator")
            .await
            .map_err(output::explain)?;
    }
    let (balance, held) = parts.services.credits(org).await?;
    println!("balance {}, held {}, free {}", balance.normalize(), held.normalize(), (balance - held).normalize());
    parts.close().await;
    Ok(0)
}

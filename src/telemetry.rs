//! Logs: human on a terminal, JSON otherwise.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::Log;

/// Who reads the log of this command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A person who wants the result: warnings only, unless asked for more.
    Person,
    /// Whoever looks after a daemon.
    Operator,
}

/// Keeps what must be flushed at the end.
#[derive(Debug)]
pub struct Guard;

/// Starts logging to standard error. `GALLEY_LOG` beats the file.
pub fn start(log: &Log, audience: Audience) -> anyhow::Result<Guard> {
    let fallback = match audience {
        Audience::Person => "error",
        Audience::Operator => "info,apalis=warn,apalis_core=warn,sqlx=warn,sea_orm_migration=warn",
    };
    let wanted = std::env::var("GALLEY_LOG").ok().or_else(|| log.filter.clone());
    let filter = EnvFilter::try_new(wanted.as_deref().unwrap_or(fallback)).context("the log filter cannot be read")?;
    let human = match log.format.as_deref() {
        None => std::io::stderr().is_terminal(),
        Some("human") => true,
        Some("json") => false,
        Some(other) => anyhow::bail!("log.format is '{other}'; it must be human or json"),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = if human {
        layer.with_target(false).boxed()
    } else {
        layer.json().flatten_event(true).with_span_list(true).boxed()
    };
    tracing_subscriber::registry().with(filter).with(layer).try_init().context("logging was started twice")?;
    Ok(Guard)
}

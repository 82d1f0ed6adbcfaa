//! `galley replay`: the article of a task once more, from what was kept of it.

mod diff;
mod report;
mod writers;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use galley_domain::{Operator, OrgId};
use galley_workers::ReplayRun;
use uuid::Uuid;

use self::{report::Report, writers::Writers};
use super::{chosen, output::explain};
use crate::{
    compose::{self, Parts},
    config::Config,
    telemetry::{self, Audience},
};

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The id of a task that writes an article.
    task: Uuid,
    /// Print article, figures and what became of each question as JSON.
    #[arg(long)]
    json: bool,
    /// Print what differs from the text that the task brought, line by line, in the place of the article.
    #[arg(long, conflicts_with = "json")]
    diff: bool,
    /// Write what would be printed into this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The id of an organization; the first one when not given.
    #[arg(long, value_name = "ID")]
    organization: Option<Uuid>,
}

pub async fn run(config: Config, args: ReplayArgs) -> anyhow::Result<u8> {
    let _log = telemetry::start(&config.log, Audience::Person)?;
    let parts = Parts::open_as_is(config).await?;
    let report = match organization(&parts, args.organization).await {
        Ok(org) => replayed(&parts, org, args.task).await,
        Err(error) => Err(error),
    };
    parts.close().await;
    let report = report?;
    let text = match (args.json, args.diff) {
        (true, _) => serde_json::to_string_pretty(&report.json())? + "\n",
        (_, true) => report.diff(),
        _ => report.article.markdown.trim_end().to_owned() + "\n",
    };
    match &args.out {
        Some(path) => std::fs::write(path, text).with_context(|| format!("--out {}", path.display()))?,
        None => print!("{text}"),
    }
    if !args.json {
        eprint!("{}", report.summary());
    }
    Ok(0)
}

/// The organization that is named, or the first one. Where there is none, none is made: it would have no task.
async fn organization(parts: &Parts, wanted: Option<Uuid>) -> anyhow::Result<OrgId> {
    if wanted.is_some() {
        return chosen(parts, wanted).await;
    }
    let known = parts.services.operator(Operator::of_this_machine()).organizations().await?;
    known.first().map(|(org, _)| *org).context("there is no organization yet, and so no task")
}

async fn replayed(parts: &Parts, org: OrgId, task: Uuid) -> anyhow::Result<Report> {
    let case = parts.services.replay_case(org, task).await.map_err(explain)?;
    let writers = Writers::of(&parts.config, &case)?;
    let run = ReplayRun {
        services: &parts.services,
        writer_at: Box::new(|kind, position| writers.at(kind, position)),
        judge: writers.judge(&parts.config)?,
        unsupported: compose::unsupported(&parts.config),
    };
    let (article, mut warnings) = run.run(org, &case).await?;
    drop(run);
    warnings.extend(article.warnings.iter().cloned());
    let questions = writers.told();
    Ok(Report { task, kept: case.answers.len(), standing: case.standing, article, questions, warnings })
}

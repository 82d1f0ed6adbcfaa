//! `galley write`: one article, from order to files, in this process.

mod bundle;
mod progress;

use std::{io::IsTerminal, path::PathBuf};

use anyhow::Context;
use clap::Args;
use galley_domain::{Operator, OrgId, image::SourceImages, order::TaskRequest, task::TaskStatus};
use galley_services::{RetryRequest, ServiceError, Services, TaskView, Upload};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    compose::Parts,
    config::{Config, Flags},
};

/// What a shell expects of a program that was interrupted.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Args)]
pub struct WriteArgs {
    /// The topic and instructions, up to 1,000 characters.
    #[arg(required_unless_present = "resume")]
    prompt: Option<String>,
    /// Files to write from: PDF, DOCX, CSV, XLSX, TXT, Markdown, HTML.
    #[arg(long = "file", value_name = "FILE", num_args = 1..)]
    files: Vec<PathBuf>,
    /// A page to write from; may be given several times.
    #[arg(long = "link", value_name = "URL")]
    links: Vec<String>,
    /// A keyword to be found for; may be given several times.
    #[arg(long = "keyword", value_name = "KEYWORD")]
    keywords: Vec<String>,
    #[arg(long, value_name = "N")]
    min_words: Option<i64>,
    #[arg(long, value_name = "N")]
    max_words: Option<i64>,
    /// professional, casual, academic or conversational.
    #[arg(long)]
    tone: Option<String>,
    /// ISO 639-1, for example en.
    #[arg(long)]
    language: Option<String>,
    /// What becomes of the images in the sources: none, offer (when not given) or place, which puts them into the text.
    #[arg(long, value_name = "WHAT")]
    source_images: Option<SourceImages>,
    /// The folder for article.md, cover.png, sources.md and task.json, and for the images of the text.
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Print what task.json holds, and nothing else.
    #[arg(long)]
    json: bool,
    /// Go on with the newest order that has not been completed.
    #[arg(long, conflicts_with_all = ["prompt", "files", "links", "keywords", "min_words", "max_words", "tone", "language", "source_images"])]
    resume: bool,
}

impl WriteArgs {
    pub fn flags(&self, flags: Flags) -> Flags {
        // One process and nobody to share with: a lease that a killed run left behind is soon over.
        flags
            .set("engine.lease_seconds", Some(6))
            .set("engine.tick_seconds", Some(1))
            .set("engine.drain_seconds", Some(2))
    }
}

pub async fn run(config: Config, args: WriteArgs) -> anyhow::Result<u8> {
    let interrupted = interrupt()?;
    let mut parts = tokio::select! {
        parts = Parts::open(config) => parts?,
        () = interrupted.cancelled() => return Ok(INTERRUPTED),
    };
    parts.listen();
    let code = write(&mut parts, &args, &interrupted).await;
    parts.close().await;
    code
}

/// Cancelled at the first Ctrl-C or SIGTERM; the second ends the process at once.
fn interrupt() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let token = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let seen = token.clone();
    tokio::spawn(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        seen.cancel();
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        std::process::exit(i32::from(INTERRUPTED));
    });
    Ok(token)
}

async fn write(parts: &mut Parts, args: &WriteArgs, interrupted: &CancellationToken) -> anyhow::Result<u8> {
    let org = parts.organization().await?;
    let stop = CancellationToken::new();
    let task =
        if args.resume { resume(&parts.services, org).await? } else { order(&parts.services, org, args).await? };
    let engine = parts.engine(Vec::new()).await?;
    let working = tokio::spawn(engine.run(stop.clone()));
    let talk = !args.json;
    let style = progress::Style { talk, live: talk && std::io::stderr().is_terminal() };
    let ended = progress::follow(&parts.services, &parts.notifications, org, task, style, interrupted).await;
    stop.cancel();
    working.await.context("the engine panicked")?;
    deliver(parts, org, &ended?, args).await
}

fn trace_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// One line per wrong field, as the flags are called.
fn explain(error: ServiceError) -> anyhow::Error {
    match error {
        ServiceError::Validation(errors) => {
            let lines: Vec<String> =
                errors.iter().map(|wrong| format!("{}: {}", flag_of(&wrong.field), wrong.message)).collect();
            anyhow::anyhow!("{}", lines.join("\n        "))
        }
        other => other.into(),
    }
}

fn flag_of(field: &str) -> String {
    let (name, rest) = field.split_at(field.find('[').unwrap_or(field.len()));
    let flag = match name {
        "user_prompt" => "PROMPT",
        "reference_links" => "--link",
        "uploaded_files" | "file" => "--file",
        "keywords" => "--keyword",
        "min_words" => "--min-words",
        "max_words" => "--max-words",
        "tone" => "--tone",
        "language" => "--language",
        other => other,
    };
    format!("{flag}{rest}")
}

async fn order(services: &Services, org: OrgId, args: &WriteArgs) -> anyhow::Result<Uuid> {
    let request = TaskRequest {
        user_prompt: args.prompt.clone().unwrap_or_default(),
        keywords: args.keywords.clone(),
        reference_links: args.links.clone(),
        uploaded_files: Vec::new(),
        min_words: args.min_words,
        max_words: args.max_words,
        tone: args.tone.clone(),
        language: args.language.clone(),
        source_images: args.source_images.unwrap_or_default(),
    };
    // Checked once without the files, so that nothing is stored for an order that is wrong anyway.
    let mut order = request.into_order().map_err(|wrong| explain(ServiceError::Validation(wrong)))?;
    anyhow::ensure!(
        args.files.len() <= galley_domain::order::limits::FILES,
        "--file: {} files; give at most {}",
        args.files.len(),
        galley_domain::order::limits::FILES
    );
    for path in &args.files {
        let size = std::fs::metadata(path).with_context(|| format!("--file {}", path.display()))?.len();
        anyhow::ensure!(
            size <= galley_services::MAX_UPLOAD_BYTES as u64,
            "--file {}: {size} bytes; the most that is taken is {}",
            path.display(),
            galley_services::MAX_UPLOAD_BYTES
        );
        let bytes = std::fs::read(path).with_context(|| format!("--file {}", path.display()))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stored = services.upload(org, Upload { name, bytes: bytes.into() }, None).await.map_err(explain)?;
        order.uploaded_files.push(stored.value.id);
    }
    let receipt =
        services.order(&Operator::of_this_machine().within(org), order, &trace_id(), None).await.map_err(explain)?;
    Ok(receipt.value.task_id)
}

/// The newest order that was not completed: goes on by itself when it was cut off, and is run again from where it
/// failed or was cancelled.
async fn resume(services: &Services, org: OrgId) -> anyhow::Result<Uuid> {
    let found = services.newest_uncompleted(&Operator::of_this_machine().within(org)).await?;
    let task = found.context("there is nothing to resume: every order of this command was completed")?;
    let id = task.row.id;
    if task.status.is_ended() {
        services
            .retry(&Operator::of_this_machine().within(org), id, RetryRequest::default(), &trace_id(), None)
            .await
            .map_err(explain)?;
    }
    Ok(id)
}

async fn deliver(parts: &Parts, org: OrgId, task: &TaskView, args: &WriteArgs) -> anyhow::Result<u8> {
    let bundle = bundle::Bundle::collect(&parts.services, org, task).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&bundle.task)?);
    }
    match task.status {
        TaskStatus::Completed => {
            bundle.write(&args.out)?;
            if !args.json {
                bundle.summary(&args.out);
            }
            Ok(0)
        }
        TaskStatus::Cancelled => {
            eprintln!("cancelled; go on with: galley write --resume");
            Ok(INTERRUPTED)
        }
        _ => {
            let message = task.row.error_message.as_deref().unwrap_or("no reason was given");
            eprintln!("galley: the order failed: {message}");
            Ok(1)
        }
    }
}

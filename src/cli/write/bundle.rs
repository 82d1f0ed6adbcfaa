//! What `galley write` leaves behind: `article.md`, the cover and the images of the text, `sources.md`, `task.json`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context;
use galley_compose::{
    article::{RenderedArticle, sources_md},
    claims::PlacedClaim,
};
use galley_destinations::{Asset, AssetRole};
use galley_domain::{
    OrgId,
    writing::{Claim, Snapshot, Span, Verdict},
};
use galley_services::{ClaimsReport, Services, TaskView};
use galley_store::rows;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

#[derive(Debug)]
pub struct Bundle {
    pub task: Json,
    article: Option<rows::Article>,
    sources_md: String,
    cover: Option<Vec<u8>>,
    /// Those of the text, by the names that it has for them.
    images: Vec<Asset>,
}

impl Bundle {
    pub async fn collect(services: &Services, org: OrgId, task: &TaskView) -> anyhow::Result<Self> {
        let id = task.row.id;
        let steps = services.task_steps(org, id).await?;
        let usage = services.task_usage(org, id).await?;
        let mut article = services.task_articles(org, id).await?.into_iter().next();
        let mut images = Vec::new();
        let (mut sources_text, mut cover, mut claims) = (String::new(), None, None);
        if let Some(article) = &article {
            let report = services.article_claims(org, article.id).await?;
            let sources = services.article_sources(org, article).await?;
            sources_text = render_sources(services, org, article, &report, &sources).await?;
            if let Some(file) = article.cover_file_id {
                cover = Some(services.file_bytes(org, file).await?.1.to_vec());
            }
            claims = Some(report);
        }
        let task = describe(task, &steps, &usage, article.as_ref(), claims.as_ref());
        if let Some(article) = &mut article {
            let assets = services.assets_of(org, article).await;
            let assets = assets.map_err(|error| anyhow::anyhow!("the images of the article: {error:?}"))?;
            article.content_markdown = assets.markdown;
            images = assets.list.into_iter().filter(|asset| asset.role == AssetRole::Inline).collect();
        }
        Ok(Self { task, article, sources_md: sources_text, cover, images })
    }

    /// Writes the files; each is whole or not there.
    pub fn write(&self, dir: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(dir).with_context(|| format!("--out {}", dir.display()))?;
        let article = self.article.as_ref().context("the task has brought no article")?;
        put(dir, "article.md", article_md(article, self.cover.is_some()).as_bytes())?;
        for image in &self.images {
            put(dir, &image.name, &image.bytes)?;
        }
        put(dir, "sources.md", self.sources_md.as_bytes())?;
        put(dir, "task.json", serde_json::to_string_pretty(&self.task)?.as_bytes())?;
        match &self.cover {
            Some(cover) => put(dir, "cover.png", cover),
            // One that an earlier run left does not belong to this article.
            None => match std::fs::remove_file(dir.join("cover.png")) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("cover.png"),
                _ => Ok(()),
            },
        }
    }

    pub fn summary(&self, dir: &Path) {
        let Some(article) = &self.article else { return };
        let claims = &self.task["claims"];
        println!("{}", article.title);
        println!(
            "{} words, SEO score {}, {} sentences supported, {} in part, {} unsupported",
            article.word_count,
            article.seo_report.as_ref().map_or(&Json::Null, |report| &report["score"]),
            claims["supported"],
            claims["partly"],
            claims["unsupported"],
        );
        let path: PathBuf = dir.join("article.md");
        println!("{}", path.display());
    }
}

fn put(dir: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let (part, whole) = (dir.join(format!(".{name}.part")), dir.join(name));
    std::fs::write(&part, bytes).with_context(|| format!("cannot write {}", part.display()))?;
    std::fs::rename(&part, &whole).with_context(|| format!("cannot write {}", whole.display()))
}

/// JSON strings are YAML strings, so quoting is nobody's own work here.
fn article_md(article: &rows::Article, cover: bool) -> String {
    let mut lines = vec![
        "---".to_owned(),
        format!("title: {}", json!(article.title)),
        format!("description: {}", json!(article.seo_description)),
        format!("seo_title: {}", json!(article.seo_title)),
        format!("keywords: {}", json!(article.keywords)),
        format!("language: {}", json!(article.language)),
        format!("words: {}", article.word_count),
        format!("writer: {}", json!(article.writer)),
    ];
    if cover {
        lines.push("cover: \"cover.png\"".to_owned());
        lines.push(format!("cover_alt: {}", json!(article.cover_alt)));
    }
    lines.push("---".to_owned());
    format!("{}\n\n{}\n", lines.join("\n"), article.content_markdown.trim_end())
}

fn describe(
    task: &TaskView,
    steps: &[rows::Step],
    usage: &[rows::Usage],
    article: Option<&rows::Article>,
    claims: Option<&ClaimsReport>,
) -> Json {
    let row = &task.row;
    let seconds = |from: Option<chrono::DateTime<chrono::Utc>>, to: Option<chrono::DateTime<chrono::Utc>>| {
        from.zip(to).map(|(from, to)| (to - from).num_milliseconds() as f64 / 1000.0)
    };
    let steps: Vec<Json> = steps
        .iter()
        .map(|step| {
            json!({
                "step": step.kind, "position": step.position, "run": step.run, "state": step.state,
                "attempts": step.attempt, "max_attempts": step.max_attempts,
                "duration_seconds": seconds(step.started_at, step.finished_at), "error": step.error_message,
            })
        })
        .collect();
    let total = |pick: fn(&rows::Usage) -> i64| usage.iter().map(pick).sum::<i64>();
    let verdicts =
        |name: &str| claims.map(|report| report.claims.iter().filter(|view| view.claim.verdict == name).count());
    let marked = claims
        .map(|report| Verdict::marked_percent(report.claims.iter().filter_map(|view| view.claim.verdict.parse().ok())));
    json!({
        "task_id": row.id,
        "status": row.status,
        "run": row.run,
        "progress": row.progress,
        "steps_completed": row.steps_completed,
        "duration_seconds": seconds(row.started_at, row.finished_at),
        "credits": row.price.normalize(),
        "error": row.error_code.as_ref().map(|code| json!({ "code": code, "message": row.error_message })),
        "warnings": row.warnings,
        "steps": steps,
        "usage": {
            "calls": usage.len(),
            "prompt_tokens": total(|call| call.prompt_tokens),
            "completion_tokens": total(|call| call.completion_tokens),
            "cost_usd": usage.iter().map(|call| call.cost_usd).sum::<Decimal>().normalize(),
        },
        "article": article.map(|article| json!({
            "id": article.id, "title": article.title, "slug": article.slug, "words": article.word_count,
            "version": article.version, "writer": article.writer,
            "seo_score": article.seo_report.as_ref().map(|report| report["score"].clone()),
        })),
        "claims": {
            "supported": verdicts("supported"), "partly": verdicts("partly"), "unsupported": verdicts("unsupported"),
            "no_claim": verdicts("no_claim"), "marked_percent": marked,
        },
    })
}

async fn render_sources(
    services: &Services,
    org: OrgId,
    article: &rows::Article,
    report: &ClaimsReport,
    sources: &[rows::SourceHead],
) -> anyhow::Result<String> {
    let task = article.task_id.context("the article belongs to no task")?;
    let snapshots: Vec<Snapshot> = services.snapshots_of(org, task).await?;
    let hashes: BTreeMap<u32, String> =
        sources.iter().map(|source| (u32::try_from(source.number).unwrap_or(0), source.sha256.clone())).collect();
    let claims: Vec<PlacedClaim> = report.claims.iter().map(|view| placed(&view.claim, view.source.as_ref())).collect();
    let mut cited: Vec<u32> = Vec::new();
    for claim in claims.iter().filter(|placed| matches!(placed.claim.verdict, Verdict::Supported | Verdict::Partly)) {
        if let Some(span) = claim.claim.span
            && !cited.contains(&span.source)
        {
            cited.push(span.source);
        }
    }
    let rendered = RenderedArticle { markdown: article.content_markdown.clone(), claims, cited };
    Ok(sources_md(&article.title, &rendered, &snapshots, &hashes))
}

fn placed(row: &rows::Claim, source: Option<&rows::SourceHead>) -> PlacedClaim {
    let offset = |value: Option<i32>| value.and_then(|value| usize::try_from(value).ok());
    let span = source.zip(offset(row.span_start)).zip(offset(row.span_end)).map(|((source, start), end)| Span {
        source: u32::try_from(source.number).unwrap_or(0),
        start,
        end,
    });
    let verdict = row.verdict.parse().unwrap_or(Verdict::Unsupported);
    PlacedClaim {
        section: usize::try_from(row.section).unwrap_or(0),
        paragraph: 0,
        index: usize::try_from(row.position).unwrap_or(0),
        claim: Claim {
            sentence: row.sentence.clone(),
            verdict,
            span,
            coverage_permille: u16::try_from(row.coverage).unwrap_or(0),
            missing: row.missing.clone(),
        },
    }
}

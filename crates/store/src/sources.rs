//! What was read for a task, and which sentence of an article rests on what.

use galley_domain::writing::{Origin, Verdict};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, Select};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    entity::{claims, research_sources},
    error::StoreError,
    scope::{Scoped, TenantTx},
    sql,
};

/// Where a task remembers the run whose research it is written from.
pub const SOURCES_RUN: &str = "sources_run";

/// A snapshot to freeze.
#[derive(Debug, Clone)]
pub struct NewSource {
    pub number: u32,
    pub origin: Origin,
    pub title: String,
    pub language: Option<String>,
    pub text: String,
    pub sha256: String,
    pub words: u32,
}

/// A claim with the id of the source it rests on.
#[derive(Debug, Clone)]
pub struct StoredClaim {
    pub section: u32,
    pub sentence: String,
    pub verdict: Verdict,
    pub source_id: Option<Uuid>,
    pub span: Option<(usize, usize)>,
    pub coverage_permille: u16,
    pub missing: Vec<String>,
}

impl TryFrom<claims::Model> for StoredClaim {
    type Error = StoreError;

    fn try_from(row: claims::Model) -> Result<Self, StoreError> {
        let offset = |value: i32| usize::try_from(value).unwrap_or(0);
        Ok(Self {
            section: u32::try_from(row.section).unwrap_or(0),
            sentence: row.sentence,
            verdict: row.verdict.parse().map_err(StoreError::Unreadable)?,
            source_id: row.source_id,
            span: row.span_start.map(offset).zip(row.span_end.map(offset)),
            coverage_permille: u16::try_from(row.coverage).unwrap_or(0),
            missing: row.missing,
        })
    }
}

impl<C: ConnectionTrait> Scoped<C> {
    /// What the task is written from, by number: the sources of the newest run that has read.
    pub async fn sources(&self, task: Uuid) -> Result<Vec<research_sources::Model>, StoreError> {
        match self.written_from(task).await? {
            Some(sources) => Ok(sources.all(&self.conn).await?),
            None => Ok(Vec::new()),
        }
    }

    /// As [`Self::sources`], without the texts.
    pub async fn source_heads(&self, task: Uuid) -> Result<Vec<research_sources::Head>, StoreError> {
        match self.written_from(task).await? {
            Some(sources) => Ok(sources.into_partial_model().all(&self.conn).await?),
            None => Ok(Vec::new()),
        }
    }

    async fn written_from(&self, task: Uuid) -> Result<Option<Select<research_sources::Entity>>, StoreError> {
        let Some(row) = self.task(task).await? else { return Ok(None) };
        let of_task = self.find::<research_sources::Entity>().filter(research_sources::Column::TaskId.eq(task));
        let of_run = of_task.filter(research_sources::Column::Run.eq(row.memo[SOURCES_RUN].as_i64().unwrap_or(0)));
        Ok(Some(of_run.order_by_asc(research_sources::Column::Number)))
    }

    /// What all runs of the task have read, for the claims of older versions.
    pub async fn all_sources(&self, task: Uuid) -> Result<Vec<research_sources::Model>, StoreError> {
        Ok(self
            .find::<research_sources::Entity>()
            .filter(research_sources::Column::TaskId.eq(task))
            .order_by_asc(research_sources::Column::Run)
            .order_by_asc(research_sources::Column::Number)
            .all(&self.conn)
            .await?)
    }

    /// The claims of one version, in reading order.
    pub async fn claims(&self, article: Uuid, version: i32) -> Result<Vec<claims::Model>, StoreError> {
        Ok(self
            .find::<claims::Entity>()
            .filter(claims::Column::ArticleId.eq(article))
            .filter(claims::Column::Version.eq(version))
            .order_by_asc(claims::Column::Position)
            .all(&self.conn)
            .await?)
    }
}

impl TenantTx {
    /// Keeps what a run has read, beside what earlier runs read.
    pub async fn add_sources(&self, task: Uuid, run: i32, sources: &[NewSource]) -> Result<(), StoreError> {
        for source in sources {
            sql::execute(
                &self.conn,
                "INSERT INTO research_sources (id, org_id, task_id, number, origin, title, language, text, sha256, words, run)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                [
                    Uuid::now_v7().into(),
                    self.org_value(),
                    task.into(),
                    i32::try_from(source.number).unwrap_or(i32::MAX).into(),
                    serde_json::to_value(&source.origin)?.into(),
                    source.title.clone().into(),
                    source.language.clone().into(),
                    source.text.clone().into(),
                    source.sha256.clone().into(),
                    i32::try_from(source.words).unwrap_or(i32::MAX).into(),
                    run.into(),
                ],
            )
            .await?;
        }
        Ok(())
    }

    /// Stores the claims of a new version.
    pub async fn add_claims(&self, article: Uuid, version: i32, claims: &[StoredClaim]) -> Result<(), StoreError> {
        if claims.is_empty() {
            return Ok(());
        }
        let rows: Vec<Json> = claims.iter().enumerate().map(|(position, claim)| claim_row(position, claim)).collect();
        // One statement for all of them. A source that a later run has replaced meanwhile is no longer named.
        sql::execute(
            &self.conn,
            "INSERT INTO claims (org_id, article_id, version, position, section, sentence, verdict, source_id,
                span_start, span_end, coverage, missing)
             SELECT $1, $2, $3, row.position, row.section, row.sentence, row.verdict, source.id, row.span_start,
                row.span_end, row.coverage, row.missing
             FROM jsonb_to_recordset($4) AS row (position integer, section integer, sentence text, verdict text,
                source_id uuid, span_start integer, span_end integer, coverage smallint, missing text[])
             LEFT JOIN research_sources source ON source.org_id = $1 AND source.id = row.source_id",
            [self.org_value(), article.into(), version.into(), Json::Array(rows).into()],
        )
        .await?;
        Ok(())
    }
}

/// A claim as the columns of its table.
fn claim_row(position: usize, claim: &StoredClaim) -> Json {
    let number = |value: usize| i32::try_from(value).unwrap_or(i32::MAX);
    json!({
        "position": number(position),
        "section": i32::try_from(claim.section).unwrap_or(i32::MAX),
        "sentence": claim.sentence,
        "verdict": claim.verdict.as_str(),
        "source_id": claim.source_id,
        "span_start": claim.span.map(|(start, _)| number(start)),
        "span_end": claim.span.map(|(_, end)| number(end)),
        "coverage": claim.coverage_permille.min(1000),
        "missing": claim.missing,
    })
}

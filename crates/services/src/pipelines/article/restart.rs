//! Writing an article again from a named step, optionally along an outline that a person edited.

use async_trait::async_trait;
use galley_domain::{
    OrgId,
    article::{DRAFT, OUTLINE},
    order::ArticleOrder,
    task::StepKind,
    writing::{Outline, Snapshot},
};
use galley_engine::StepSeed;
use galley_store::{ArticleChange, StoreError, TenantTx, rows};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Article, snapshots};
use crate::{
    Services,
    error::{Missing, ServiceError},
    projects::refuse_trashed,
    restart::{Restart, before},
};

/// Headings and points to write along; drafting starts from it.
pub type EditedOutline = Outline;

/// The most sections that an edited outline may have.
const MAX_SECTIONS: usize = 40;

#[async_trait]
impl Restart for Article {
    /// Gives every section of an edited outline its passages. Pure computation, so it happens before the transaction.
    async fn prepare(&self, services: &Services, task: &rows::Task, edited: Json) -> Result<Json, ServiceError> {
        let outline: Outline = serde_json::from_value(edited).map_err(StoreError::from)?;
        check_outline(&outline)?;
        let tenant = services.store.tenant(OrgId(task.org_id));
        let order: ArticleOrder = serde_json::from_value(task.input.clone()).map_err(StoreError::from)?;
        let sources: Vec<Snapshot> = snapshots(&tenant.sources(task.id).await?)?;
        if sources.is_empty() {
            return Err(ServiceError::field(
                "from",
                "nothing was read for this task yet; retry from research without an outline",
            ));
        }
        let filled = tokio::task::spawn_blocking(move || galley_compose::assign(&order.brief, &outline, &sources))
            .await
            .map_err(|_| StoreError::Unreadable("the outline could not be worked on".into()))?;
        Ok(json!(filled))
    }

    fn start_of_edited(&self, from: Option<StepKind>) -> Result<StepKind, ServiceError> {
        match from {
            None | Some(DRAFT | OUTLINE) => Ok(DRAFT),
            Some(other) => {
                let text = format!("is {other}, but an edited outline starts at draft");
                Err(ServiceError::field("from", text))
            }
        }
    }

    async fn seeds(
        &self,
        tx: &TenantTx,
        task: &rows::Task,
        from: StepKind,
        edited: Option<&Json>,
    ) -> Result<Vec<StepSeed>, ServiceError> {
        let article = task.subject_id.ok_or(ServiceError::NotFound(Missing::Article))?;
        let Some(article) = tx.article(article).await? else {
            return Err(ServiceError::Conflict("the article of this task was deleted; order a new one".into()));
        };
        refuse_trashed(tx, article.project_id).await?;
        self.check_inputs(tx, task, from, edited.is_some()).await?;
        if from != DRAFT {
            return Ok(vec![StepSeed::new(from)]);
        }
        let outline = match edited {
            Some(outline) => serde_json::from_value(outline.clone()).map_err(StoreError::from)?,
            None => stored_outline(tx, task.id).await?,
        };
        Ok(StepSeed::fan(DRAFT, outline.sections.len()))
    }

    async fn begin(&self, tx: &TenantTx, task: &rows::Task, edited: Option<&Json>) -> Result<(), ServiceError> {
        if let Some(article) = task.subject_id {
            tx.change_article(article, ArticleChange::Generating).await?;
        }
        if let Some(outline) = edited {
            tx.insert_output(task, OUTLINE, outline.clone()).await?;
        }
        Ok(())
    }
}

impl Article {
    /// A run that starts in the middle needs what the steps before it brought.
    async fn check_inputs(
        &self,
        tx: &TenantTx,
        task: &rows::Task,
        from: StepKind,
        has_outline: bool,
    ) -> Result<(), ServiceError> {
        // What one step made is of no use to a text that another run read or outlined since.
        let mut newest = 0;
        for stage in before(self, from) {
            let kind = stage.kind;
            if kind == OUTLINE && has_outline {
                continue;
            }
            let expected = if kind == DRAFT { stored_outline(tx, task.id).await?.sections.len() } else { 1 };
            let run = tx.outputs(task.id, kind, expected).await?.first().map_or(0, |output| output.run);
            let fits = run > 0 && run >= newest;
            newest = run;
            if !fits {
                let name =
                    |kind| self.stages.iter().find(|stage| stage.kind == kind).map_or("", |stage| stage.public_name);
                let (from, kind) = (name(from), name(kind));
                let text =
                    format!("is {from}, but there is no finished {kind} step to continue from; retry from {kind}");
                return Err(ServiceError::field("from", text));
            }
        }
        Ok(())
    }
}

async fn stored_outline(tx: &TenantTx, task: Uuid) -> Result<Outline, ServiceError> {
    let rows = tx.outputs(task, OUTLINE, 1).await?;
    let output = rows.into_iter().next().and_then(|row| row.output);
    let output = output.ok_or_else(|| ServiceError::field("from", "there is no outline to draft from"))?;
    Ok(serde_json::from_value(output).map_err(StoreError::from)?)
}

fn check_outline(outline: &Outline) -> Result<(), ServiceError> {
    let mut wrong = galley_domain::order::Violations::default();
    wrong.length("outline.title", &outline.title, 1, 300);
    let count = outline.sections.len();
    if count == 0 || count > MAX_SECTIONS {
        wrong.add("outline.sections", format!("has {count} items; give 1 to {MAX_SECTIONS}"));
    }
    for (at, section) in outline.sections.iter().enumerate().take(MAX_SECTIONS) {
        if let Some(heading) = &section.heading {
            wrong.length(&format!("outline.sections[{at}].heading"), heading, 1, 200);
        }
        if section.points.len() > 20 {
            wrong.add(format!("outline.sections[{at}].points"), "has more than 20 items");
        }
        for (point_at, point) in section.points.iter().enumerate().take(20) {
            wrong.length(&format!("outline.sections[{at}].points[{point_at}]"), point, 1, 500);
        }
    }
    wrong.finish().map_err(ServiceError::Validation)
}

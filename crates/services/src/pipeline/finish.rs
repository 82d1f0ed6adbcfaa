//! The end of an attempt.

use galley_domain::{
    Fault,
    article::ArticleStatus,
    task::{StepKind, TaskStatus},
    usage::Usage,
};
use galley_store::{
    ArticleChange, ClaimedStep, PublicationState, StoreError, StoredClaim, TenantTx, TextVersion, rows,
};
use serde_json::{Value as Json, json};

use super::{ClaimedText, Outcome, Ran, StepOutput, WrittenArticle, add_draft_steps, backoff, describe};
use crate::Services;

/// The most warnings that a task keeps; the rest would be noise.
const MAX_WARNINGS: usize = 50;

impl Services {
    /// Writes the end of an attempt with all that follows. [`StoreError::LeaseLost`] means that nothing was written
    /// but the usage; any database error means that nothing was written and the call may be repeated.
    pub async fn finish_step(&self, step: &ClaimedStep, outcome: &Outcome, usage: &[Usage]) -> Result<Ran, StoreError> {
        let Some((org, task_id)) = step.owner else {
            return Err(StoreError::Unreadable("a maintenance step has no task".into()));
        };
        let tx = self.store.begin(org).await?;
        let written = self.write_end(&tx, step, task_id, outcome, usage).await;
        match written {
            Ok(ran) => {
                tx.commit().await?;
                Ok(ran)
            }
            Err(StoreError::LeaseLost) => {
                tx.rollback().await?;
                self.record_usage(step, usage).await?;
                Err(StoreError::LeaseLost)
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps what an attempt paid for whose outcome nobody wants any more.
    pub async fn record_usage(&self, step: &ClaimedStep, usage: &[Usage]) -> Result<(), StoreError> {
        let Some((org, task_id)) = step.owner else { return Ok(()) };
        if usage.is_empty() {
            return Ok(());
        }
        let tx = self.store.begin(org).await?;
        if tx.task(task_id).await?.is_some() {
            tx.record_usage(task_id, step.fence.step, step.attempt, usage).await?;
        }
        tx.commit().await
    }

    async fn write_end(
        &self,
        tx: &TenantTx,
        step: &ClaimedStep,
        task_id: uuid::Uuid,
        outcome: &Outcome,
        usage: &[Usage],
    ) -> Result<Ran, StoreError> {
        let mut task = tx.lock_task(task_id).await?.ok_or(StoreError::LeaseLost)?;
        tx.hold_fence(step.fence).await?;
        tx.record_usage(task_id, step.fence.step, step.attempt, usage).await?;
        match outcome {
            Outcome::Done(output) => {
                self.done(tx, step, &mut task, output).await?;
                Ok(Ran::Done)
            }
            Outcome::Snooze(wait) => {
                tx.step_delayed(step.fence, *wait, None).await?;
                Ok(Ran::Snoozed)
            }
            Outcome::Failed(fault) => self.failed(tx, step, &mut task, fault).await,
        }
    }

    async fn done(
        &self,
        tx: &TenantTx,
        step: &ClaimedStep,
        task: &mut rows::Task,
        output: &StepOutput,
    ) -> Result<(), StoreError> {
        let kept = self.apply(tx, task, output).await?;
        tx.step_done(step.fence, kept).await?;
        tx.emit(task.id, "step.completed", describe(step)).await?;
        self.advance(tx, step, task, output).await
    }

    /// Persists what the step brought; returns what stays in the step's own row.
    async fn apply(&self, tx: &TenantTx, task: &mut rows::Task, output: &StepOutput) -> Result<Json, StoreError> {
        match output {
            StepOutput::Research { sources, warnings } => {
                tx.replace_sources(task.id, sources).await?;
                warn(tx, task, warnings).await?;
                let words: u64 = sources.iter().map(|source| u64::from(source.words)).sum();
                Ok(json!({ "sources": sources.len(), "words": words }))
            }
            StepOutput::Outline(outline) => Ok(serde_json::to_value(outline)?),
            StepOutput::Section(section) => Ok(serde_json::to_value(section)?),
            StepOutput::Article(article) => self.save_article(tx, task, article).await,
            StepOutput::Image { cover, warnings } => {
                warn(tx, task, warnings).await?;
                if let (Some((file, alt)), Some(article)) = (cover, task.article_id) {
                    tx.insert_file(file.clone()).await?;
                    let change = ArticleChange::Cover { file: file.id, alt: alt.clone() };
                    tx.change_article(article, change).await?;
                }
                Ok(json!({ "cover_file_id": cover.as_ref().map(|(file, _)| file.id) }))
            }
            StepOutput::Swept => Ok(Json::Null),
            StepOutput::Sync { publication, warnings } => {
                warn(tx, task, warnings).await?;
                if let Some((id, place)) = publication {
                    tx.mark_publication(*id, PublicationState::Confirmed, Some(place), None).await?;
                }
                Ok(json!({ "published_to": publication.as_ref().map(|(_, place)| place) }))
            }
        }
    }

    async fn save_article(
        &self,
        tx: &TenantTx,
        task: &mut rows::Task,
        article: &WrittenArticle,
    ) -> Result<Json, StoreError> {
        let id = task.article_id.ok_or(StoreError::LeaseLost)?;
        let current = tx.lock_article(id).await?.ok_or(StoreError::LeaseLost)?;
        let slug = free_slug(tx, &article.slug, id).await?;
        let text = TextVersion {
            reason: "generated",
            title: article.title.clone(),
            slug,
            content_markdown: article.markdown.clone(),
            seo_title: article.seo_title.clone(),
            seo_description: article.seo_description.clone(),
            keywords: article.keywords.clone(),
            status: current.status.parse::<ArticleStatus>()?,
            word_count: article.word_count,
            published_at: current.published_at,
            seo_report: Some(article.seo_report.clone()),
            writer: article.writer.clone(),
        };
        let version = tx.save_version(id, &text).await?;
        let sources = tx.sources(task.id).await?;
        let claims = stored_claims(&article.claims, &sources);
        tx.replace_claims(id, version, &claims).await?;
        warn(tx, task, &article.warnings).await?;
        Ok(json!({ "article_id": id, "version": version, "words": article.word_count, "claims": claims.len() }))
    }

    /// Moves the task on: the next step, or the end.
    async fn advance(
        &self,
        tx: &TenantTx,
        step: &ClaimedStep,
        task: &mut rows::Task,
        output: &StepOutput,
    ) -> Result<(), StoreError> {
        let mut kind_done = true;
        if step.kind == StepKind::Draft {
            task.fan_open = (task.fan_open - 1).max(0);
            kind_done = task.fan_open == 0;
        }
        let of = |count: i32| u32::try_from(count).unwrap_or(0);
        let progress = match step.kind {
            StepKind::Draft => step.kind.progress_at(of(task.fan_total - task.fan_open), of(task.fan_total)),
            kind => kind.progress_at(1, 1),
        };
        task.progress = task.progress.max(i16::from(progress));
        let name = step.kind.public_name();
        if kind_done && !task.steps_completed.iter().any(|done| done == name) {
            task.steps_completed.push(name.to_owned());
        }
        match (kind_done, step.kind.next(), output) {
            (false, _, _) => {}
            (true, Some(StepKind::Draft), StepOutput::Outline(outline)) => {
                add_draft_steps(self, tx, task, outline).await?;
            }
            (true, Some(next), _) => tx.add_steps(task, &[self.seed(next, 0)]).await?,
            (true, None, _) => return self.complete(tx, task).await,
        }
        tx.save_task(task).await?;
        tx.emit(task.id, "task.progress", progress_of(task)).await
    }

    async fn complete(&self, tx: &TenantTx, task: &mut rows::Task) -> Result<(), StoreError> {
        task.status = TaskStatus::Completed.as_str().to_owned();
        task.current_step = None;
        task.progress = 100;
        task.finished_at = Some(tx.now().await?);
        tx.save_task(task).await?;
        if let Some(article) = task.article_id {
            tx.change_article(article, ArticleChange::Ready).await?;
        }
        tx.settle(task.id, task.run, "article generated").await?;
        let mut data = progress_of(task);
        data["article_id"] = json!(task.article_id);
        tx.emit(task.id, "task.completed", data).await
    }

    async fn failed(
        &self,
        tx: &TenantTx,
        step: &ClaimedStep,
        task: &mut rows::Task,
        fault: &Fault,
    ) -> Result<Ran, StoreError> {
        let mut data = describe(step);
        data["error"] = json!({ "code": fault.code().as_str(), "message": fault.to_string() });
        if let Fault::Transient { after, .. } = fault
            && step.attempt < step.max_attempts
        {
            let wait = backoff(step.attempt, *after, fastrand::f64());
            tx.step_delayed(step.fence, wait, Some((fault.code(), &fault.to_string()))).await?;
            data["retry_in_seconds"] = json!(wait.as_secs_f64());
            tx.emit(task.id, "step.retry", data).await?;
            return Ok(Ran::Retried { wait });
        }
        let message = match (fault.is_transient(), step.attempt) {
            (true, attempts @ 2..) => format!("{fault} (after {attempts} attempts)"),
            _ => fault.to_string(),
        };
        tx.step_failed(step.fence, fault.code(), &message).await?;
        tx.emit(task.id, "step.failed", data).await?;
        self.fail_task(tx, task, fault, &message).await?;
        Ok(Ran::Failed)
    }

    async fn fail_task(
        &self,
        tx: &TenantTx,
        task: &mut rows::Task,
        fault: &Fault,
        message: &str,
    ) -> Result<(), StoreError> {
        tx.cancel_steps(task.id).await?;
        tx.release(task.id, task.run).await?;
        task.status = TaskStatus::Failed.as_str().to_owned();
        task.error_code = Some(fault.code().as_str().to_owned());
        task.error_message = Some(message.to_owned());
        task.finished_at = Some(tx.now().await?);
        tx.save_task(task).await?;
        if let Some(article) = task.article_id {
            tx.change_article(article, ArticleChange::Failed { error: message.to_owned() }).await?;
        }
        let mut data = progress_of(task);
        data["error"] = json!({ "code": fault.code().as_str(), "message": message });
        tx.emit(task.id, "task.failed", data).await
    }
}

fn progress_of(task: &rows::Task) -> Json {
    json!({
        "status": task.status,
        "progress": task.progress,
        "current_step": task.current_step,
        "steps_completed": task.steps_completed,
    })
}

/// Claims as they are stored: by the id of their source.
pub(crate) fn stored_claims(claims: &[ClaimedText], sources: &[rows::Source]) -> Vec<StoredClaim> {
    claims.iter().map(|claim| stored(claim, sources)).collect()
}

/// The claims of an older version, for a version with the same text.
pub(crate) fn copied_claims(claims: Vec<rows::Claim>) -> Result<Vec<StoredClaim>, StoreError> {
    claims.into_iter().map(TryInto::try_into).collect()
}

fn stored(claim: &ClaimedText, sources: &[rows::Source]) -> StoredClaim {
    let source = claim.source.and_then(|number| sources.iter().find(|row| u32::try_from(row.number) == Ok(number)));
    StoredClaim {
        section: claim.section,
        sentence: claim.sentence.clone(),
        verdict: claim.verdict,
        source_id: source.map(|row| row.id),
        span: claim.span,
        coverage_permille: claim.coverage_permille,
        missing: claim.missing.clone(),
    }
}

/// Adds to the task's warnings and tells listeners.
async fn warn(tx: &TenantTx, task: &mut rows::Task, warnings: &[String]) -> Result<(), StoreError> {
    if warnings.is_empty() {
        return Ok(());
    }
    let mut list: Vec<Json> = task.warnings.as_array().cloned().unwrap_or_default();
    for warning in warnings {
        if list.len() < MAX_WARNINGS {
            list.push(json!(warning));
        }
        tx.emit(task.id, "task.warning", json!({ "message": warning })).await?;
    }
    task.warnings = Json::Array(list);
    tx.save_task(task).await
}

/// The slug, or the slug with the lowest number behind it that no other article of the organization has.
pub(crate) async fn free_slug(tx: &TenantTx, base: &str, article: uuid::Uuid) -> Result<String, StoreError> {
    let mut slug = base.to_owned();
    let mut number = 2;
    while tx.slug_taken(&slug, article).await? {
        slug = galley_text::slug::numbered(base, number);
        number += 1;
    }
    Ok(slug)
}

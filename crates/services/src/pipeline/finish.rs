//! The end of an attempt.

use std::time::Duration;

use galley_domain::{
    Fault, OrgId,
    article::ArticleStatus,
    task::{StepKind, TaskStatus},
    usage::Usage,
};
use galley_store::{
    ArticleChange, ClaimedStep, Delay, Done, NewVersion, PublicationState, Settlement, StoreError, StoredClaim,
    TaskState, TenantTx, TextVersion, rows,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    ClaimedText, Outcome, Ran, StepOutput, WrittenArticle, backoff,
    entry::Batch,
    fan_out,
    telling::{OfStep, OfTask, Trouble, Warning, text},
};
use crate::Services;

/// The most warnings that a task keeps; the rest would be noise.
const MAX_WARNINGS: usize = 50;

impl Services {
    /// Keeps what an attempt paid for whose outcome nobody wants any more.
    pub async fn record_usage(&self, step: &ClaimedStep, usage: &[Usage]) -> Result<(), StoreError> {
        let Some((org, task_id)) = step.owner else { return Ok(()) };
        if usage.is_empty() {
            return Ok(());
        }
        let tx = self.store.begin(org).await?;
        if tx.task(task_id).await?.is_some() {
            tx.record_usage(step, usage).await?;
        }
        tx.commit().await
    }
}

impl Batch<'_> {
    pub(super) async fn end(
        &mut self,
        task: &mut TaskState,
        step: &ClaimedStep,
        outcome: &Outcome,
    ) -> Result<Ran, StoreError> {
        match outcome {
            Outcome::Done(output) => {
                self.done(task, step, output).await?;
                Ok(Ran::Done)
            }
            Outcome::Snooze(wait) => {
                self.delay(step, *wait, None);
                Ok(Ran::Snoozed)
            }
            Outcome::Failed(fault) => self.failed(task, step, fault).await,
        }
    }

    async fn done(&mut self, task: &mut TaskState, step: &ClaimedStep, output: &StepOutput) -> Result<(), StoreError> {
        let kept = self.keep(task, output).await?;
        self.changes.done.push(Done { step: step.fence.step, lease: step.fence.lease, output: kept });
        self.emit(task, "step.completed", text(&OfStep::new(step))?);
        self.advance(task, step, output)
    }

    /// Persists what the step brought; returns what stays in the step's own row.
    async fn keep(&mut self, task: &mut TaskState, output: &StepOutput) -> Result<Json, StoreError> {
        let org = OrgId(task.org_id);
        match output {
            StepOutput::Research { sources, warnings } => {
                self.tenant(org)?.add_sources(task.id, task.run, sources).await?;
                task.sources_run = task.run;
                self.warn(task, warnings)?;
                let words: u64 = sources.iter().map(|source| u64::from(source.words)).sum();
                Ok(json!({ "sources": sources.len(), "words": words }))
            }
            StepOutput::Outline(outline) => Ok(serde_json::to_value(outline)?),
            StepOutput::Section(section) => Ok(serde_json::to_value(section)?),
            StepOutput::Article(article) => self.save_article(task, article).await,
            StepOutput::Image { cover, warnings } => {
                self.warn(task, warnings)?;
                if let (Some((file, alt)), Some(article)) = (cover, task.article_id) {
                    let tx = self.tenant(org)?;
                    tx.insert_file(file.clone()).await?;
                    tx.change_article(article, ArticleChange::Cover { file: file.id, alt: alt.clone() }).await?;
                }
                Ok(json!({ "cover_file_id": cover.as_ref().map(|(file, _)| file.id) }))
            }
            StepOutput::Swept => Ok(Json::Null),
            StepOutput::Sync { publication, warnings } => {
                self.warn(task, warnings)?;
                if let Some((id, place)) = publication {
                    let tx = self.tenant(org)?;
                    tx.mark_publication(*id, PublicationState::Confirmed, Some(place), None).await?;
                }
                Ok(json!({ "published_to": publication.as_ref().map(|(_, place)| place) }))
            }
        }
    }

    async fn save_article(&mut self, task: &mut TaskState, article: &WrittenArticle) -> Result<Json, StoreError> {
        let org = OrgId(task.org_id);
        let id = task.article_id.ok_or(StoreError::LeaseLost)?;
        let current = self.articles.articles.remove(&id).ok_or(StoreError::LeaseLost)?;
        let version = current.version + 1;
        let text = TextVersion {
            reason: "generated",
            title: article.title.clone(),
            slug: self.name(org, &article.slug, id).await?,
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
        self.changes.versions.push(NewVersion { org: org.0, article: id, text });
        if !article.claims.is_empty() {
            let sources = self.tenant(org)?.source_heads(task.id).await?;
            self.changes.claims.push((org, id, version, stored_claims(&article.claims, &sources)));
        }
        self.warn(task, &article.warnings)?;
        Ok(json!({ "article_id": id, "version": version, "words": article.word_count, "claims": article.claims.len() }))
    }

    /// The wanted name, or one with a number behind it when another article has it or takes it in this batch.
    async fn name(&mut self, org: OrgId, wanted: &str, article: Uuid) -> Result<String, StoreError> {
        let mut slug = wanted.to_owned();
        let mut taken = self.articles.named_like_others.contains(&article);
        let mut number = 2;
        while taken || self.names.contains(&(org, slug.clone())) {
            slug = galley_text::slug::numbered(wanted, number);
            number += 1;
            taken = self.tenant(org)?.slug_taken(&slug, article).await?;
        }
        self.names.insert((org, slug.clone()));
        Ok(slug)
    }

    /// Moves the task on: the next step, or the end.
    fn advance(&mut self, task: &mut TaskState, step: &ClaimedStep, output: &StepOutput) -> Result<(), StoreError> {
        let row = &mut *task;
        let mut kind_done = true;
        if step.kind == StepKind::Draft {
            row.fan_open = (row.fan_open - 1).max(0);
            kind_done = row.fan_open == 0;
        }
        let of = |count: i32| u32::try_from(count).unwrap_or(0);
        let progress = match step.kind {
            StepKind::Draft => step.kind.progress_at(of(row.fan_total - row.fan_open), of(row.fan_total)),
            kind => kind.progress_at(1, 1),
        };
        row.progress = row.progress.max(i16::from(progress));
        let name = step.kind.public_name();
        if kind_done && !row.steps_completed.iter().any(|done| done == name) {
            row.steps_completed.push(name.to_owned());
        }
        let next = match (kind_done, step.kind.next(), output) {
            (false, _, _) => None,
            (true, Some(StepKind::Draft), StepOutput::Outline(outline)) => {
                let sections = fan_out(outline);
                (row.fan_open, row.fan_total) = (sections, sections);
                Some((StepKind::Draft, sections))
            }
            (true, Some(next), _) => Some((next, 1)),
            (true, None, _) => return self.complete(task),
        };
        let told = text(&OfTask::new(task))?;
        self.emit(task, "task.progress", told);
        for (kind, position) in next.into_iter().flat_map(|(kind, steps)| (0..steps).map(move |at| (kind, at))) {
            if let Some(started) = self.add_step(task, kind, position) {
                self.begin(task, &started)?;
            }
        }
        Ok(())
    }

    fn complete(&mut self, task: &mut TaskState) -> Result<(), StoreError> {
        let row = &mut *task;
        row.status = TaskStatus::Completed.as_str().to_owned();
        row.current_step = None;
        row.progress = 100;
        let org = row.org_id;
        self.changes.ready.extend(row.article_id.map(|article| (OrgId(org), article)));
        let (task_id, run) = (row.id, row.run);
        self.changes.settled.push(Settlement {
            id: Uuid::now_v7(),
            org,
            task: task_id,
            run,
            note: "article generated",
        });
        let told = text(&OfTask::new(task).article(task.article_id))?;
        self.emit(task, "task.completed", told);
        Ok(())
    }

    fn delay(&mut self, step: &ClaimedStep, wait: Duration, fault: Option<&Fault>) {
        self.changes.delayed.push(Delay {
            step: step.fence.step,
            lease: step.fence.lease,
            seconds: wait.as_secs_f64(),
            error_code: fault.map(|fault| fault.code().as_str()),
            error_message: fault.map(ToString::to_string),
        });
    }

    async fn failed(&mut self, task: &mut TaskState, step: &ClaimedStep, fault: &Fault) -> Result<Ran, StoreError> {
        let told = OfStep::new(step).error(Trouble::new(fault, fault.to_string()));
        if let Fault::Transient { after, .. } = fault
            && step.attempt < step.max_attempts
        {
            let wait = backoff(step.attempt, *after, fastrand::f64());
            self.delay(step, wait, Some(fault));
            self.emit(task, "step.retry", text(&told.retry_in(wait.as_secs_f64()))?);
            return Ok(Ran::Retried { wait });
        }
        let message = match (fault.is_transient(), step.attempt) {
            (true, attempts @ 2..) => format!("{fault} (after {attempts} attempts)"),
            _ => fault.to_string(),
        };
        // What others of this batch have brought must stand before everything that has not ended is cancelled.
        self.flush(Some(task)).await?;
        self.tenant(OrgId(task.org_id))?.step_failed(step.fence, fault.code(), &message).await?;
        self.emit(task, "step.failed", text(&told)?);
        self.fail_task(task, fault, &message).await?;
        Ok(Ran::Failed)
    }

    async fn fail_task(&mut self, task: &mut TaskState, fault: &Fault, message: &str) -> Result<(), StoreError> {
        let row = &mut *task;
        row.status = TaskStatus::Failed.as_str().to_owned();
        row.error_code = Some(fault.code().as_str().to_owned());
        row.error_message = Some(message.to_owned());
        let tx = self.tenant(OrgId(row.org_id))?;
        tx.cancel_steps(row.id).await?;
        if let Some(article) = row.article_id {
            tx.change_article(article, ArticleChange::Failed { error: message.to_owned() }).await?;
        }
        tx.release(row.id, row.run).await?;
        let told = text(&OfTask::new(task).error(Trouble::new(fault, message)))?;
        self.emit(task, "task.failed", told);
        self.ended.insert(task.id);
        Ok(())
    }

    /// Adds to the task's warnings and tells listeners.
    fn warn(&mut self, task: &mut TaskState, warnings: &[String]) -> Result<(), StoreError> {
        if warnings.is_empty() {
            return Ok(());
        }
        let mut list = task.warnings.as_array().cloned().unwrap_or_default();
        for warning in warnings {
            if list.len() < MAX_WARNINGS {
                list.push(json!(warning));
            }
            self.emit(task, "task.warning", text(&Warning { message: warning })?);
        }
        task.warnings = Json::Array(list);
        self.changed(task);
        Ok(())
    }
}

/// Claims as they are stored: by the id of their source.
pub(crate) fn stored_claims(claims: &[ClaimedText], sources: &[rows::SourceHead]) -> Vec<StoredClaim> {
    claims.iter().map(|claim| stored(claim, sources)).collect()
}

/// The claims of an older version, for a version with the same text.
pub(crate) fn copied_claims(claims: Vec<rows::Claim>) -> Result<Vec<StoredClaim>, StoreError> {
    claims.into_iter().map(TryInto::try_into).collect()
}

fn stored(claim: &ClaimedText, sources: &[rows::SourceHead]) -> StoredClaim {
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

/// The slug, or the slug with the lowest number behind it that no other article of the organization has. Whoever looks for
/// the same one at the same time waits until this transaction ends.
pub(crate) async fn free_slug(tx: &TenantTx, base: &str, article: uuid::Uuid) -> Result<String, StoreError> {
    tx.hold_slug(base).await?;
    let mut slug = base.to_owned();
    let mut number = 2;
    while tx.slug_taken(&slug, article).await? {
        slug = galley_text::slug::numbered(base, number);
        number += 1;
    }
    Ok(slug)
}

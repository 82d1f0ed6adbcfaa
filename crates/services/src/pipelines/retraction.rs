//! Retraction: one step, which takes an article back from every blog where it stands.

use async_trait::async_trait;
use galley_domain::{
    publishing::{RETRACT, RETRACTION_TASK},
    task::{StepPolicy, TaskStatus},
};
use galley_engine::{Brought, Charge, EndedTask, Keeper, Kept, Output, Pipeline, Stage};
use galley_store::{NewStep, StepsTx, StoreError, TaskState, TenantTx};
use serde_json::json;
use uuid::Uuid;

use super::{DESTINATIONS, publication::settling_retraction};
use crate::publishing::retract::{RetractedArticle, take_back};

/// Policy of taking back.
#[derive(Debug, Clone)]
pub struct RetractionPipeline([Stage; 1]);

impl Default for RetractionPipeline {
    fn default() -> Self {
        Self([Stage::new(RETRACT, DESTINATIONS, 100, StepPolicy::new(6, 300)).keeping(TakenBack)])
    }
}

#[async_trait]
impl Pipeline for RetractionPipeline {
    fn kind(&self) -> &'static str {
        RETRACTION_TASK
    }

    fn stages(&self) -> &[Stage] {
        &self.0
    }

    fn subject_name(&self) -> Option<&'static str> {
        Some("article_id")
    }

    fn charge(&self, _: &TaskState, _: TaskStatus) -> Charge {
        Charge::Nothing
    }

    fn note(&self) -> &'static str {
        "article taken back"
    }

    /// What could not be taken back stays as it is, and says so.
    async fn ended(&self, tx: &StepsTx, tasks: &[EndedTask<'_>]) -> Result<(), StoreError> {
        for ended in tasks.iter().filter(|ended| ended.status != TaskStatus::Completed) {
            let why = ended.task.error_message.clone().filter(|_| ended.status != TaskStatus::Cancelled);
            let Some(article) = ended.task.subject_id else { continue };
            give_up(tx.tenant(ended.task.org_id)?, article, ended.task.id, why).await?;
        }
        Ok(())
    }
}

async fn give_up(tx: &TenantTx, article: Uuid, task: Uuid, why: Option<String>) -> Result<(), StoreError> {
    let Some(mut article) = tx.lock_article(article).await? else { return Ok(()) };
    let Some(place) = article.publication_id else { return Ok(()) };
    if tx.publication(place).await?.is_none_or(|place| place.task_id != Some(task)) {
        return Ok(());
    }
    article.publication_id = None;
    article.publish_error = why;
    let article = tx.save_article(article).await?;
    tx.add_steps(&[settling_retraction(article.org_id, article.id, task)]).await?;
    tx.delete_publication(place).await.map(drop)
}

/// The article is nowhere any more; the folder of a static site follows.
pub fn taken_back(article: Uuid, follow: Vec<NewStep>) -> Output {
    Output::bringing((RetractedArticle { article }, follow))
}

#[derive(Debug)]
struct TakenBack;

#[async_trait]
impl Keeper for TakenBack {
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut kept = Vec::with_capacity(brought.len());
        for one in brought {
            let task = one.task.ok_or_else(|| StoreError::Unreadable("a retraction without a task".into()))?;
            let (RetractedArticle { article }, follow) = one.get::<(RetractedArticle, Vec<NewStep>)>()?;
            let tenant = tx.tenant(task.org_id)?;
            if let Some(row) = tenant.lock_article(*article).await? {
                take_back(tenant, row).await?;
                tenant.add_steps(follow).await?;
            }
            kept.push(Kept::of(json!({ "article_id": article })));
        }
        Ok(kept)
    }

    /// It locks articles that other tasks' steps lock, too.
    fn is_exclusive(&self) -> bool {
        true
    }
}

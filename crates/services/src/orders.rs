//! Ordering an article: checked, paid for and queued in one transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId, Principal,
    article::{RESEARCH, TASK},
    order::{ArticleOrder, FieldError, References},
};
use galley_engine::{Registry, StepSeed};
use galley_store::{HoldOutcome, NewArticle, NewOrder, StoreError, TenantTx};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Services, Settings,
    error::ServiceError,
    idempotency::{Answer, IdempotencyKey, once},
};

/// What a client gets for an order, or for running a task again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub task_id: Uuid,
    /// What the task is about, if it has something of its own.
    // Answers that were stored for repetition before there were other kinds of work.
    #[serde(alias = "article_id")]
    pub subject: Option<Uuid>,
    /// Credits held.
    pub price: Decimal,
    pub estimated_time_seconds: u32,
    /// Of the task. None in answers that were stored for repetition before receipts had it.
    #[serde(default)]
    pub created_at: Option<DateTime<Utc>>,
}

impl Services {
    /// Takes an order. Task, article, credit hold and first step stand together or not at all.
    pub async fn order(
        &self,
        principal: &Principal,
        order: ArticleOrder,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<Receipt>, ServiceError> {
        let references = order.references();
        if !self.orders.unservable(&references).is_empty() {
            return Err(ServiceError::Validation(self.wrong_references(principal.org, &references).await?));
        }
        let tx = self.store.begin_order(principal.org).await?;
        let key_id = principal.key();
        once(tx, key, |tx| async move {
            refuse(self.orders.unknown(&tx, &references).await?)?;
            let receipt = self.orders.insert(&tx, &order, trace_id, key_id).await?;
            Ok((tx, receipt))
        })
        .await
    }

    /// All that is wrong with what an order refers to, whatever else is wrong with it.
    pub async fn wrong_references(&self, org: OrgId, references: &References) -> Result<Vec<FieldError>, ServiceError> {
        let tx = self.store.begin(org).await?;
        Ok(self.orders.wrong_references(&tx, references).await?)
    }
}

/// What taking an order needs, within somebody's transaction.
#[derive(Debug, Clone)]
pub struct Orders {
    settings: Arc<Settings>,
    registry: Arc<Registry>,
}

impl Orders {
    pub(crate) fn new(settings: Arc<Settings>, registry: Arc<Registry>) -> Self {
        Self { settings, registry }
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What can be said without looking anything up: addresses, and whether there is anything to write from.
    pub(crate) fn unservable(&self, references: &References) -> Vec<FieldError> {
        let mut wrong: Vec<FieldError> = Vec::new();
        for (at, link) in &references.links {
            if let Err(error) = galley_fetch::address::check_link(link, &self.settings.links) {
                wrong.push(FieldError { field: format!("reference_links[{at}]"), message: error.to_string() });
            }
        }
        if references.no_sources && self.settings.writer_needs_sources && !self.settings.search {
            let message = "the built-in extractive writer composes from sources and this order has none: give \
                           reference_links or uploaded_files, or configure a search provider or a model writer";
            wrong.push(FieldError { field: "reference_links".into(), message: message.into() });
        }
        wrong
    }

    /// Files and project must be the tenant's own, and the project outside of the trash.
    pub(crate) async fn unknown(&self, tx: &TenantTx, references: &References) -> Result<Vec<FieldError>, StoreError> {
        let mut wrong: Vec<FieldError> = Vec::new();
        let files: Vec<Uuid> = references.files.iter().map(|(_, id)| *id).collect();
        let known = if files.is_empty() { Vec::new() } else { tx.files(&files).await? };
        for (at, id) in &references.files {
            if !known.iter().any(|file| file.id == *id) {
                let message = format!("there is no file {id}; upload it with POST /api/v1/files first");
                wrong.push(FieldError { field: format!("uploaded_files[{at}]"), message });
            }
        }
        if let Some(project) = references.project
            && !tx.has_project(project).await?
        {
            let message = format!("there is no project {project}, or it is in the trash");
            wrong.push(FieldError { field: "project_id".into(), message });
        }
        Ok(wrong)
    }

    /// Both at once, so that a client mends them in one go.
    pub(crate) async fn wrong_references(
        &self,
        tx: &TenantTx,
        references: &References,
    ) -> Result<Vec<FieldError>, StoreError> {
        let mut wrong = self.unservable(references);
        wrong.extend(self.unknown(tx, references).await?);
        Ok(wrong)
    }

    /// Writes an order that is checked. After [`ServiceError::InsufficientCredits`] nothing of it is left, and the
    /// caller's transaction may go on.
    pub(crate) async fn insert(
        &self,
        tx: &TenantTx,
        order: &ArticleOrder,
        trace_id: &str,
        key_id: Option<Uuid>,
    ) -> Result<Receipt, ServiceError> {
        let price = self.settings.prices.generate;
        let (task_id, article_id) = (Uuid::now_v7(), Uuid::now_v7());
        tx.insert_article(task_id, new_article(article_id, order)).await?;
        let written = tx.insert_order(NewOrder {
            id: task_id,
            kind: TASK,
            input: serde_json::to_value(order).map_err(StoreError::from)?,
            subject: Some(article_id),
            price,
            api_key_id: key_id,
            parent: None,
            first: self.registry.new_step(StepSeed::new(RESEARCH), trace_id)?,
            run_at: None,
            told: serde_json::json!({ "article_id": article_id, "credits_held": price.to_f64() }),
        });
        match written.await? {
            HoldOutcome::Held { at, .. } => Ok(Receipt {
                task_id,
                subject: Some(article_id),
                price,
                estimated_time_seconds: self.settings.estimated_seconds,
                created_at: Some(at),
            }),
            HoldOutcome::Insufficient { available } => {
                tx.delete_article(article_id).await?;
                Err(ServiceError::InsufficientCredits { needed: price, available })
            }
        }
    }
}

fn refuse(wrong: Vec<FieldError>) -> Result<(), ServiceError> {
    if wrong.is_empty() { Ok(()) } else { Err(ServiceError::Validation(wrong)) }
}

fn new_article(id: Uuid, order: &ArticleOrder) -> NewArticle {
    let title: String = order.brief.prompt.chars().take(300).collect();
    // Unique by its tail until the text has its own title; the final slug is chosen with the text.
    let slug = format!("{}-{}", galley_text::slug::slugify(&title), &id.simple().to_string()[20..]);
    NewArticle {
        id,
        project_id: order.project_id,
        title,
        slug,
        content_format: order.content_format,
        keywords: order.brief.keywords.clone(),
        tone: order.brief.tone.as_str(),
        length: order.length,
        language: order.brief.language.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_stored_before_receipts_had_subjects_is_given_again() {
        let (task_id, article) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let stored = |field: &str| serde_json::json!({ "task_id": task_id, field: article, "price": "40", "estimated_time_seconds": 45 });
        for field in ["article_id", "subject"] {
            let receipt: Receipt = serde_json::from_value(stored(field)).expect("readable");
            assert_eq!((receipt.task_id, receipt.subject), (task_id, Some(article)), "{field}");
            assert_eq!(receipt.created_at, None, "{field}");
        }
    }
}

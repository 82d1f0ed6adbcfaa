//! Ordering an article: checked, paid for and queued in one transaction.

use std::sync::Arc;

use galley_domain::{
    Principal,
    article::{RESEARCH, TASK},
    order::{ArticleOrder, FieldError},
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
        refuse(self.orders.unservable(&order))?;
        let tx = self.store.begin_order(principal.org).await?;
        let key_id = principal.key();
        once(tx, key, |tx| async move {
            refuse(self.orders.unknown_references(&tx, &order).await?)?;
            let receipt = self.orders.insert(&tx, &order, trace_id, key_id).await?;
            Ok((tx, receipt))
        })
        .await
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

    /// What can be said without looking anything up: addresses, and whether there is anything to write from.
    pub(crate) fn unservable(&self, order: &ArticleOrder) -> Vec<FieldError> {
        let mut wrong: Vec<FieldError> = Vec::new();
        for (at, link) in order.reference_links.iter().enumerate() {
            if let Err(error) = galley_fetch::address::check_link(link, &self.settings.links) {
                wrong.push(FieldError { field: format!("reference_links[{at}]"), message: error.to_string() });
            }
        }
        let nothing_given = order.reference_links.is_empty() && order.uploaded_files.is_empty();
        if nothing_given && self.settings.writer_needs_sources && !self.settings.search {
            let message = "the built-in extractive writer composes from sources and this order has none: give \
                           reference_links or uploaded_files, or configure a search provider or a model writer";
            wrong.push(FieldError { field: "reference_links".into(), message: message.into() });
        }
        wrong
    }

    /// Files and project must be the tenant's own, and the project outside of the trash.
    pub(crate) async fn unknown_references(
        &self,
        tx: &TenantTx,
        order: &ArticleOrder,
    ) -> Result<Vec<FieldError>, StoreError> {
        let mut wrong: Vec<FieldError> = Vec::new();
        let known = match order.uploaded_files.is_empty() {
            true => Vec::new(),
            false => tx.files(&order.uploaded_files).await?,
        };
        for (at, id) in order.uploaded_files.iter().enumerate() {
            if !known.iter().any(|file| file.id == *id) {
                let message = format!("there is no file {id}; upload it with POST /api/v1/files first");
                wrong.push(FieldError { field: format!("uploaded_files[{at}]"), message });
            }
        }
        if let Some(project) = order.project_id
            && !tx.has_project(project).await?
        {
            let message = format!("there is no project {project}, or it is in the trash");
            wrong.push(FieldError { field: "project_id".into(), message });
        }
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
            HoldOutcome::Held { .. } => Ok(Receipt {
                task_id,
                subject: Some(article_id),
                price,
                estimated_time_seconds: self.settings.estimated_seconds,
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
        }
    }
}

//! A picture from a prompt: one step, because one call does it.

use async_trait::async_trait;
use galley_domain::task::{StepKind, StepPolicy};
use galley_engine::{Brought, Keeper, Kept, Output, Pipeline, Stage};
use galley_store::{NewImage, StepsTx, StoreError};
use serde_json::json;
use uuid::Uuid;

use super::MODELS;

/// The kind of the task.
pub const TASK: &str = "image";
/// Asks the model, and stores what it makes.
pub const GENERATE: StepKind = StepKind::new("image_generation");

#[derive(Debug, Clone)]
pub struct Images([Stage; 1]);

impl Default for Images {
    fn default() -> Self {
        Self([Stage::new(GENERATE, MODELS, 100, StepPolicy::new(3, 300)).keeping(Pictures)])
    }
}

#[async_trait]
impl Pipeline for Images {
    fn kind(&self) -> &'static str {
        TASK
    }

    fn stages(&self) -> &[Stage] {
        &self.0
    }

    fn subject_name(&self) -> Option<&'static str> {
        Some("article_id")
    }

    fn note(&self) -> &'static str {
        "image generated"
    }
}

/// A picture whose bytes are stored.
pub fn made(image: NewImage) -> Output {
    Output::bringing(image)
}

#[derive(Debug)]
struct Pictures;

#[async_trait]
impl Keeper for Pictures {
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut kept = Vec::with_capacity(brought.len());
        for one in brought {
            let task = one.task.ok_or_else(|| StoreError::Unreadable("a picture was made for no task".into()))?;
            let (tenant, image) = (tx.tenant(task.org_id)?, one.get::<NewImage>()?);
            // The post may have been deleted meanwhile; the bytes are swept then.
            let id: Option<Uuid> = match tenant.lock_article(image.article).await? {
                Some(_) => Some(tenant.insert_image(image.clone()).await?.id),
                None => None,
            };
            kept.push(Kept::of(json!({ "image_id": id })));
        }
        Ok(kept)
    }
}

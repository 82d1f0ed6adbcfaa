//! A picture from a prompt: one step, because one call does it.

use async_trait::async_trait;
use galley_domain::task::{StepKind, StepPolicy};
use galley_engine::{Brought, Keeper, Kept, Output, Pipeline, Stage};
use galley_store::{NewImage, StepsTx, StoreError, TenantTx};
use serde_json::json;

use super::MODELS;
use crate::{error::ServiceError, files::check_quota, images::refuse_one_more};

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
#[derive(Debug, Clone)]
pub struct MadePicture {
    pub image: NewImage,
    /// The most bytes that the organization's files and images may take.
    pub(crate) quota: u64,
}

/// What the step that makes a picture brings.
pub fn made(picture: MadePicture) -> Output {
    Output::bringing(picture)
}

#[derive(Debug)]
struct Pictures;

#[async_trait]
impl Keeper for Pictures {
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut kept = Vec::with_capacity(brought.len());
        for one in brought {
            let task = one.task.ok_or_else(|| StoreError::Unreadable("a picture was made for no task".into()))?;
            let (tenant, MadePicture { image, quota }) = (tx.tenant(task.org_id)?, one.get::<MadePicture>()?);
            // The post may have been deleted meanwhile, or others have filled it; the bytes are swept then.
            let output = match tenant.lock_article(image.article).await? {
                None => json!({ "image_id": null }),
                Some(_) => match refusal(tenant, image, *quota).await? {
                    Some(refused) => json!({ "image_id": null, "refused": refused }),
                    None => json!({ "image_id": tenant.insert_image(image.clone()).await?.id }),
                },
            };
            kept.push(Kept::of(output));
        }
        Ok(kept)
    }
}

/// Why there is no room for a picture: the limits are those of uploads.
async fn refusal(tx: &TenantTx, image: &NewImage, quota: u64) -> Result<Option<String>, StoreError> {
    match has_room(tx, image, quota).await {
        Ok(()) => Ok(None),
        Err(ServiceError::Store(error)) => Err(error),
        Err(refused) => Ok(Some(refused.to_string())),
    }
}

/// Refuses a picture that is one too many for its article, whose row the caller has locked, or too large for the
/// organization.
pub(crate) async fn has_room(tx: &TenantTx, image: &NewImage, quota: u64) -> Result<(), ServiceError> {
    refuse_one_more(tx, image.article).await?;
    check_quota(tx.bytes_of_files().await?, image.stored_bytes, quota)
}

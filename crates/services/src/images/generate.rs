//! Pictures from a prompt: ordered as other work is, and made by the step of a task.

use bytes::Bytes;
use galley_domain::{
    Fault, FaultCode, OrgId, Principal,
    image::{ImageQuality, ImageRequest, ImageSource},
    task::TaskStatus,
};
use galley_engine::StepSeed;
use galley_store::{HoldOutcome, NewOrder, StoreError};
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    images::{ImageView, PostId, alt_text, blobs_of, refuse_one_more},
    orders::Receipt,
    pipelines::images::{GENERATE, MadePicture, TASK, has_room},
    projects::refuse_trashed,
};

/// What the step works from.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Input {
    request: ImageRequest,
}

/// What became of an order.
#[derive(Debug, Clone)]
pub enum MadeImage {
    /// The model is still at it, or has not begun.
    Open,
    Ready(Box<ImageView>),
}

impl Services {
    /// Orders a picture for a post. Its credits are held until it is there.
    pub async fn order_image(
        &self,
        principal: &Principal,
        post: PostId,
        request: ImageRequest,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<Receipt>, ServiceError> {
        let article = self.changeable_post(principal.org, post).await?;
        if !self.settings.image_model {
            let text = "no image model is configured; have the operator set images.base_url and images.model";
            return Err(ServiceError::Conflict(text.into()));
        }
        let price = match request.quality {
            ImageQuality::Standard => self.settings.prices.image,
            ImageQuality::Hd => self.settings.prices.image_premium,
        };
        let first = self.registry.new_step(StepSeed::new(GENERATE), trace_id)?;
        let input = serde_json::to_value(Input { request }).map_err(StoreError::from)?;
        let (api_key_id, seconds) = (principal.key(), self.settings.estimated_seconds);
        let tx = self.store.begin_order(principal.org).await?;
        once(tx, key, |tx| async move {
            refuse_trashed(&tx, Some(post.project)).await?;
            refuse_one_more(&tx, article.id).await?;
            let task_id = Uuid::now_v7();
            let written = tx.insert_order(NewOrder {
                id: task_id,
                kind: TASK,
                input,
                subject: Some(article.id),
                price,
                api_key_id,
                parent: None,
                first,
                run_at: None,
                told: json!({ "article_id": article.id, "credits_held": price.to_f64() }),
            });
            match written.await? {
                HoldOutcome::Held { at, .. } => {
                    let (subject, created_at) = (Some(article.id), Some(at));
                    let receipt = Receipt { task_id, subject, price, estimated_time_seconds: seconds, created_at };
                    Ok((tx, receipt))
                }
                HoldOutcome::Insufficient { available } => {
                    Err(ServiceError::InsufficientCredits { needed: price, available })
                }
            }
        })
        .await
    }

    /// What became of an order for a picture. Why it failed is an error: a prompt that was refused, or the provider's fault.
    pub async fn made_image(&self, org: OrgId, task: Uuid) -> Result<MadeImage, ServiceError> {
        let tenant = self.store.tenant(org);
        let row = tenant.task(task).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        match row.status.parse::<TaskStatus>().map_err(StoreError::from)? {
            TaskStatus::Completed => {}
            TaskStatus::Failed => return Err(failure(row.error_code.as_deref(), row.error_message.as_deref())),
            TaskStatus::Cancelled => {
                return Err(ServiceError::Conflict("the order for this image was cancelled; order it again".into()));
            }
            _ => return Ok(MadeImage::Open),
        }
        let output = tenant.outputs(task, GENERATE, 1).await?.into_iter().next().and_then(|step| step.output);
        if let Some(refused) = output.as_ref().and_then(|output| output["refused"].as_str()) {
            return Err(ServiceError::Conflict(refused.to_owned()));
        }
        let id = output.and_then(|output| output["image_id"].as_str()?.parse::<Uuid>().ok());
        let image = match id {
            Some(id) => tenant.image(id).await?,
            None => None,
        };
        let image = image.ok_or(ServiceError::NotFound(Missing::Image))?;
        Ok(MadeImage::Ready(Box::new(self.image_view(image)?)))
    }

    /// What the step of an order is asked to make.
    pub async fn image_request_of(&self, org: OrgId, task: Uuid) -> Result<ImageRequest, ServiceError> {
        let row = self.store.tenant(org).task(task).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        Ok(serde_json::from_value::<Input>(row.input).map_err(StoreError::from)?.request)
    }

    /// Stores what a model has made for the article of a task. What it made may be no picture, and there may be no room for
    /// it any more.
    pub async fn store_made_image(&self, org: OrgId, task: Uuid, bytes: Bytes) -> Result<MadePicture, ServiceError> {
        let tenant = self.store.tenant(org);
        let row = tenant.task(task).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        let article = match row.subject_id {
            Some(id) => tenant.article(id).await?,
            None => None,
        };
        let article = article.ok_or(ServiceError::NotFound(Missing::Article))?;
        let (encoded, variants) = self.encoded(bytes).await?;
        let alt_text = alt_text(None, &article.title);
        let image = super::new_image(article.id, ImageSource::Ai, &encoded, alt_text, None);
        let image = self.store_bytes(org, image, encoded, variants).await?;
        let quota = self.settings.files_quota;
        let tx = self.store.begin(org).await?;
        // Whoever fills it from now on is seen when the picture is kept.
        let room = has_room(&tx, &image, quota).await;
        tx.rollback().await?;
        if room.is_err() {
            self.drop_blobs(&blobs_of(&image.blob, image.variants.values(), image.id)).await;
        }
        room.map(|()| MadePicture { image, quota })
    }
}

fn failure(code: Option<&str>, message: Option<&str>) -> ServiceError {
    let message = message.unwrap_or("the image was not made; order it again");
    match code {
        Some(code) if code == FaultCode::ValidationError.as_str() => ServiceError::field("prompt", message),
        Some(code) if code == FaultCode::LlmError.as_str() || code == FaultCode::RateLimitError.as_str() => {
            ServiceError::Outside(Fault::permanent(FaultCode::LlmError, message))
        }
        _ => ServiceError::Outside(Fault::permanent(FaultCode::WorkflowError, message)),
    }
}

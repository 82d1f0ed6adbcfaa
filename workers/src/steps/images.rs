//! A picture from a prompt: the model makes it, and it is stored as uploads are.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::{Fault, FaultCode, task::StepKind};
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::{ServiceError, pipelines};

use super::Toolbox;

pub(super) struct Generate(pub(super) Arc<Toolbox>);

#[async_trait]
impl Step for Generate {
    fn kind(&self) -> StepKind {
        pipelines::images::GENERATE
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, task) = cx.owner()?;
        let Some(model) = &self.0.image_model else {
            let text = "no image model is configured any more; have the operator set images.base_url and images.model";
            return Err(Fault::permanent(FaultCode::WorkflowError, text).into());
        };
        let services = &self.0.services;
        let request = services.image_request_of(org, task).await.map_err(step_error)?;
        let bytes = model.make(&request, &cx.meter).await?;
        let image = services.store_made_image(org, task, bytes.into()).await.map_err(step_error)?;
        Ok(pipelines::images::made(image))
    }
}

fn step_error(error: ServiceError) -> StepError {
    match error {
        ServiceError::Store(error) => error.into(),
        ServiceError::Blob(error) => super::article::store_fault(error).into(),
        ServiceError::Unavailable(text) => Fault::transient(FaultCode::WorkflowError, text).into(),
        // The model is asked again: what it makes differs from one call to the next.
        ServiceError::WrongKind(_) | ServiceError::Validation(_) | ServiceError::TooLarge(_) => {
            let text = "the image model did not make a picture that can be read";
            Fault::transient(FaultCode::LlmError, text).with_detail(error).into()
        }
        error => Fault::permanent(FaultCode::WorkflowError, error.to_string()).into(),
    }
}

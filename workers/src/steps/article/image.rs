//! Image: a title card. An article without a picture is still an article, so nothing here fails the task for good.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::{Fault, FaultCode, article, task::StepKind};
use galley_images::{Card, render_card};
use galley_services::{BlobError, pipelines};
use galley_store::NewFile;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Toolbox, compute};
use galley_engine::{Output, Step, StepContext, StepError};

pub(crate) struct Image(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Image {
    fn kind(&self) -> StepKind {
        article::IMAGE
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, task) = cx.owner()?;
        let article = self.0.services.article_of(org, task).await?;
        let card = Card {
            title: article.title.chars().take(galley_images::MAX_TITLE).collect(),
            subtitle: article.keywords.first().cloned(),
            language: article.language,
            // Stable for the title, so that a second run draws the same card.
            seed: seed_of(&article.title),
        };
        let rendered = match compute(move || render_card(&card)).await? {
            Ok(rendered) => rendered,
            Err(error) => {
                let warnings = vec![format!("no title card was made: {error}")];
                return Ok(pipelines::article::cover(None, warnings));
            }
        };
        let size = rendered.png.len() as u64;
        let put = self.0.services.blobs().put(org, rendered.png.into()).await.map_err(store_fault)?;
        let file = NewFile {
            id: Uuid::now_v7(),
            name: "cover.png".into(),
            kind: "png".into(),
            size,
            sha256: put.sha256,
            blob: put.blob,
        };
        let warnings = rendered.warnings.iter().map(ToString::to_string).collect();
        Ok(pipelines::article::cover(Some((file, rendered.alt)), warnings))
    }
}

fn seed_of(title: &str) -> u64 {
    let digest = Sha256::digest(title.as_bytes());
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// A full or unreachable file store may come back; a file that it no longer has does not.
pub(crate) fn store_fault(error: BlobError) -> Fault {
    let fault = match error {
        BlobError::Gone => Fault::permanent(
            FaultCode::WorkflowError,
            "a file of the article is gone from the file store; order the article again",
        ),
        BlobError::Failed(_) | BlobError::Folder(_) | BlobError::Sweep(_) => {
            Fault::transient(FaultCode::WorkflowError, "the file store did not take or give a file")
        }
    };
    fault.with_detail(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_gone_is_not_waited_for() {
        assert!(!store_fault(BlobError::Gone).is_transient());
        assert!(store_fault(BlobError::Folder(std::io::Error::other("away"))).is_transient());
    }
}

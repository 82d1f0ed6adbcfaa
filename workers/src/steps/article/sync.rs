//! Sync: puts the article where it belongs, once. The publication ledger knows what was tried; the destination is asked
//! before anything is repeated.

use std::sync::Arc;

use async_trait::async_trait;
use galley_destinations::{Asset, AssetRole, Destination, Post};
use galley_domain::{Fault, FaultCode, article, task::StepKind};
use galley_services::{ServiceError, pipelines};
use galley_store::{PublicationState, rows};

use super::{Toolbox, image::store_fault};
use galley_engine::{Output, Step, StepContext, StepError};

pub(crate) struct Sync(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Sync {
    fn kind(&self) -> StepKind {
        article::SYNC
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let Some(destination) = &self.0.destination else {
            return Ok(pipelines::article::published(None, Vec::new()));
        };
        let (org, task) = cx.owner()?;
        let article = self.0.services.article_of(org, task).await?;
        let ledger = self.0.services.intend_publication(&cx.step, &article, destination.name()).await?;
        let state: PublicationState = ledger.state.parse()?;
        let there = already_there(&**destination, &article, state).await?;
        let post = match (self.post(cx, &article).await, there) {
            (Ok(post), None) => {
                self.0.services.mark_publication(&cx.step, ledger.id, PublicationState::Sent, None).await?;
                post
            }
            (post, Some(place)) => {
                // Published again all the same: of the same version nothing is written, but what a killed process left
                // beside it goes. That this fails changes nothing about the article being there.
                let tidied = match post {
                    Ok(post) => destination.publish(post).await.map(drop).map_err(StepError::from),
                    Err(error) => Err(error),
                };
                if let Err(error) = tidied {
                    tracing::warn!(
                        ?error,
                        place,
                        "the article is published; whether something was left beside it is unknown"
                    );
                }
                return Ok(pipelines::article::published(Some((ledger.id, place)), Vec::new()));
            }
            (Err(error), None) => return Err(error),
        };
        match destination.publish(post).await {
            Ok(published) => Ok(pipelines::article::published(Some((ledger.id, published.path)), Vec::new())),
            Err(fault) => {
                let state = if fault.is_transient() { PublicationState::Unknown } else { PublicationState::Failed };
                self.0.services.mark_publication(&cx.step, ledger.id, state, Some(&fault.to_string())).await?;
                Err(fault.into())
            }
        }
    }
}

/// After a crash or a timeout the destination knows better than the ledger.
async fn already_there(
    destination: &dyn Destination,
    article: &rows::Article,
    state: PublicationState,
) -> Result<Option<String>, StepError> {
    if state == PublicationState::Intended {
        return Ok(None);
    }
    let version = u32::try_from(article.version).unwrap_or(0);
    let found = destination.look_up(article.id).await?;
    Ok(found.filter(|existing| existing.version == version).map(|existing| existing.path))
}

impl Sync {
    async fn post(&self, cx: &StepContext, article: &rows::Article) -> Result<Post, StepError> {
        let (org, _) = cx.owner()?;
        let mut assets = Vec::new();
        if let Some(cover) = article.cover_file_id {
            match self.0.services.file_bytes(org, cover).await {
                Ok((_, bytes)) => assets.push(Asset {
                    name: "cover.png".into(),
                    bytes: bytes.to_vec(),
                    alt: article.cover_alt.clone().unwrap_or_default(),
                    role: AssetRole::Cover,
                }),
                Err(ServiceError::Store(error)) => return Err(error.into()),
                Err(ServiceError::Blob(error)) => return Err(store_fault(error).into()),
                Err(error) => {
                    let fault = Fault::permanent(FaultCode::WorkflowError, "the cover of the article is gone");
                    return Err(fault.with_detail(error).into());
                }
            }
        }
        Ok(Post {
            article_id: article.id,
            version: u32::try_from(article.version).unwrap_or(0),
            slug: article.slug.clone(),
            title: article.title.clone(),
            description: article.seo_description.clone(),
            keywords: article.keywords.clone(),
            language: article.language.clone(),
            date: article.created_at,
            modified: Some(article.updated_at),
            draft: article.published_at.is_none(),
            markdown_body: without_title(&article.content_markdown).to_owned(),
            assets,
        })
    }
}

/// Themes set the title themselves.
fn without_title(markdown: &str) -> &str {
    match markdown.split_once('\n') {
        Some((first, rest)) if first.starts_with("# ") => rest.trim_start(),
        _ => markdown,
    }
}

#[cfg(test)]
mod tests {
    use super::without_title;

    #[test]
    fn only_a_title_at_the_top_goes() {
        assert_eq!(without_title("# A\n\ntext\n\n# B"), "text\n\n# B");
        assert_eq!(without_title("text\n# B"), "text\n# B");
        assert_eq!(without_title("## A\ntext"), "## A\ntext");
    }
}

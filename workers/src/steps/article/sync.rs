//! Sync: puts the article where it belongs, once. The ledger of effects knows what was tried; the destination is asked
//! before anything is repeated.

use std::sync::Arc;

use async_trait::async_trait;
use galley_destinations::{Asset, AssetRole, Destination, Post, RemoteStatus, SeoMeta, Visibility};
use galley_domain::{Fault, FaultCode, OrgId, article, task::StepKind};
use galley_services::{Effect, ServiceError, Services, pipelines};
use galley_store::{EffectKey, rows};

use super::{Toolbox, image::store_fault};
use galley_engine::{Output, Step, StepContext, StepError};

pub(crate) struct Sync(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Sync {
    fn kind(&self) -> StepKind {
        article::SYNC
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let Toolbox { services, destination: Some(destination), .. } = &*self.0 else {
            return Ok(pipelines::article::published(None));
        };
        let (org, task) = cx.owner()?;
        let article = &services.article_of(org, task).await?;
        let key = EffectKey {
            kind: article::PUBLICATION,
            subject: article.id,
            destination: destination.name(),
            key: &article.version.to_string(),
        };
        let publication = Publication { services, destination: &**destination, org, article };
        let carried = services.carry_out(&cx.step, &key, &publication).await?;
        if carried.was_there {
            publication.tidy(&carried.remote_ref).await;
        }
        Ok(pipelines::article::published(Some(&carried.remote_ref)))
    }
}

/// A version of an article at a destination.
struct Publication<'a> {
    services: &'a Services,
    destination: &'a dyn Destination,
    org: OrgId,
    article: &'a rows::Article,
}

#[async_trait]
impl Effect for Publication<'_> {
    type Message = Post;

    async fn look_up(&self) -> Result<Option<String>, Fault> {
        let found = self.destination.look_up(self.article.id, None).await?;
        let is_there = found.filter(|there| there.version == self.version() && there.status != RemoteStatus::Trashed);
        Ok(is_there.map(|existing| existing.external_id))
    }

    async fn prepare(&self) -> Result<Post, StepError> {
        let assets = self.cover().await?.into_iter().collect();
        let article = self.article;
        Ok(Post {
            article_id: article.id,
            version: self.version(),
            slug: article.slug.clone(),
            title: article.title.clone(),
            excerpt: String::new(),
            seo: SeoMeta {
                title: String::new(),
                description: article.seo_description.clone(),
                focus_keyword: String::new(),
            },
            keywords: article.keywords.clone(),
            categories: Vec::new(),
            category_ids: Vec::new(),
            tags: article.keywords.clone(),
            language: article.language.clone(),
            date: article.created_at,
            modified: Some(article.updated_at),
            visibility: if article.published_at.is_none() { Visibility::Draft } else { Visibility::Publish },
            overwrite: false,
            markdown_body: without_title(&article.content_markdown).to_owned(),
            assets,
        })
    }

    async fn act(&self, post: Post) -> Result<String, Fault> {
        Ok(self.destination.publish(post, None).await?.external_id)
    }

    /// The site belongs to somebody else, and whoever runs this step again wants the article there.
    fn may_vanish(&self) -> bool {
        true
    }
}

impl Publication<'_> {
    fn version(&self) -> u32 {
        u32::try_from(self.article.version).unwrap_or(0)
    }

    async fn cover(&self) -> Result<Option<Asset>, StepError> {
        let Some(cover) = self.article.cover_file_id else { return Ok(None) };
        match self.services.file_bytes(self.org, cover).await {
            Ok((_, bytes)) => Ok(Some(Asset {
                name: "cover.png".into(),
                bytes: bytes.to_vec(),
                alt: self.article.cover_alt.clone().unwrap_or_default(),
                caption: String::new(),
                credit: String::new(),
                role: AssetRole::Cover,
            })),
            Err(ServiceError::Store(error)) => Err(error.into()),
            Err(ServiceError::Blob(error)) => Err(store_fault(error).into()),
            Err(error) => {
                let fault = Fault::permanent(FaultCode::WorkflowError, "the cover of the article is gone");
                Err(fault.with_detail(error).into())
            }
        }
    }

    /// Publishes again what an earlier attempt has published: of the same version nothing is written, but what a killed
    /// process left beside it goes. That this fails changes nothing about the article being there.
    async fn tidy(&self, place: &str) {
        let tidied = match self.prepare().await {
            Ok(post) => self.act(post).await.map(drop).map_err(StepError::from),
            Err(error) => Err(error),
        };
        if let Err(error) = tidied {
            tracing::warn!(?error, place, "the article is published; whether something was left beside it is unknown");
        }
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

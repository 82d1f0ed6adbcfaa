//! Sync: puts the article where it belongs, once. The ledger of effects knows what was tried; the destination is asked
//! before anything is repeated.

use std::sync::Arc;

use async_trait::async_trait;
use galley_destinations::{Destination, Post, RemoteStatus, Visibility};
use galley_domain::{Fault, OrgId, article, task::StepKind};
use galley_services::{Effect, Services, folder_post, pipelines};
use galley_store::{EffectKey, rows};

use super::Toolbox;
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
        let assets = self.services.assets_of(self.org, self.article).await?;
        let shown = if self.article.published_at.is_none() { Visibility::Draft } else { Visibility::Publish };
        Ok(folder_post(self.article, shown, assets))
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

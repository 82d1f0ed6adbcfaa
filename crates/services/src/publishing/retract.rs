//! Taking back what was published: a draft there again, or into the trash there.

use std::sync::Arc;

use galley_destinations::{Destination, Known, RemoteStatus, Removal};
use galley_domain::{OrgId, article::ArticleStatus, publishing::PublicationState};
use galley_store::{TextEnum, rows};
use galley_webhooks::Event;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{known, publish::tell_publication};
use crate::{
    Services,
    error::{Missing, ServiceError},
    projects::refuse_trashed,
};

/// Where an article stands.
pub(crate) struct Placed {
    pub(crate) connection: rows::Connection,
    pub(crate) blog: Arc<dyn Destination>,
    pub(crate) known: Known,
    pub(crate) publication: rows::Publication,
}

const UNDER_WAY: &str = "a publication of the post is under way; wait until it has ended";

/// What stands at a site decides, whatever the article is called here meanwhile.
fn refuse_unpublishing(article: &rows::Article, placed: Option<&Placed>) -> Result<(), ServiceError> {
    if article.publication_id.is_some() {
        return Err(ServiceError::Conflict(UNDER_WAY.into()));
    }
    let is_shown = placed.is_some_and(|placed| *placed.publication.status == PublicationState::Published);
    if article.status != ArticleStatus::Published.as_str() && !is_shown {
        return Err(ServiceError::Conflict("the post is not published".into()));
    }
    if let (Some(_), None, Some(url)) = (&article.external_id, placed, &article.external_url) {
        let text = format!("the connection that it was published through is gone; take it back at its site: {url}");
        return Err(ServiceError::Conflict(text));
    }
    Ok(())
}

impl Services {
    /// Where the article was published last, if that is still known and can be spoken to.
    pub(crate) async fn placed(&self, org: OrgId, article: &rows::Article) -> Result<Option<Placed>, ServiceError> {
        let tenant = self.store.tenant(org);
        let Some(connection) = article.connection_id else { return Ok(None) };
        let Some(connection) = tenant.one::<rows::Connection>(connection).await? else { return Ok(None) };
        let Some(publication) = tenant.placed(article.id, connection.id).await? else { return Ok(None) };
        let Some(known) = known(Some(publication.clone()))? else { return Ok(None) };
        let blog = self.blog(org, &connection).await?;
        Ok(Some(Placed { connection, blog, known, publication }))
    }

    /// Makes a draft of it there, and here. What is gone there already is no hindrance; a site that is away is.
    pub async fn unpublish(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let article = self.article(org, id).await?;
        let placed = self.placed(org, &article).await?;
        refuse_unpublishing(&article, placed.as_ref())?;
        if let Some(placed) = &placed {
            placed.blog.unpublish(id, Some(&placed.known)).await.map_err(ServiceError::Outside)?;
        }
        let tx = self.store.begin(org).await?;
        let mut article = tx.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        refuse_trashed(&tx, article.project_id).await?;
        refuse_unpublishing(&article, placed.as_ref())?;
        article.status = ArticleStatus::Draft.as_str().to_owned();
        (article.published_at, article.external_url) = (None, None);
        let article = tx.save_article(article).await?;
        self.follow_in_folder(&tx, id).await?;
        if let Some(placed) = placed {
            if let Some(mut publication) = tx.lock_publication(placed.publication.id).await? {
                publication.status = TextEnum(PublicationState::Retracted);
                // What we did there ourselves is no change of somebody else's.
                if let Some(sent) = &mut publication.sent {
                    sent["status"] = json!(RemoteStatus::Draft);
                    sent["date"] = Json::Null;
                }
                tx.save_publication(publication).await?;
            }
            tell_publication(
                &tx,
                Event::PublicationUnpublished,
                &article,
                &placed.connection,
                Some(placed.publication.id),
                None,
            )
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Puts what stands there into its trash; before the article is deleted here.
    pub async fn remove_remote(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let article = self.article(org, id).await?;
        let tx = self.store.begin(org).await?;
        refuse_trashed(&tx, article.project_id).await?;
        tx.rollback().await?;
        if article.publication_id.is_some() {
            return Err(ServiceError::Conflict(UNDER_WAY.into()));
        }
        let Some(placed) = self.placed(org, &article).await? else { return Ok(()) };
        let removed =
            placed.blog.remove(id, Some(&placed.known), Removal::Trash).await.map_err(ServiceError::Outside)?;
        if removed {
            let tx = self.store.begin(org).await?;
            tell_publication(
                &tx,
                Event::PublicationRemoved,
                &article,
                &placed.connection,
                Some(placed.publication.id),
                None,
            )
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

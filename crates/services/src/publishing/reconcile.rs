//! What a site holds until its hour, it publishes itself. Afterwards it is looked whether it has.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use galley_destinations::{Destination, Known, RemoteStatus};
use galley_domain::{OrgId, article::ArticleStatus};
use galley_engine::StepError;
use galley_store::{ClaimedStep, rows};
use galley_webhooks::Event;
use uuid::Uuid;

use super::{drift::state_there, known, publish::tell_publication, settle::later, site_calls::apply, work::step_error};
use crate::Services;

/// So long after its hour a site may still be about to publish.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);
const LOOKS: Duration = Duration::from_secs(60);
const NOT_PUBLISHED: &str = "its site has not published it at its hour: WordPress does so when somebody visits the site, \
                             unless its own schedule (WP-Cron) is switched off. Publish it now, or have a cron job of the \
                             server call wp-cron.php";

/// A post that a site was to publish by now.
#[derive(Debug)]
pub struct Held {
    publication: Uuid,
    article: rows::Article,
    connection: rows::Connection,
    blog: Arc<dyn Destination>,
    known: Known,
}

impl Services {
    /// Nothing when the site holds it no longer, as far as is known here.
    pub async fn held(&self, org: OrgId, publication: Uuid) -> Result<Option<Held>, StepError> {
        let tenant = self.store.tenant(org);
        let Some(row) = tenant.publication(publication).await? else { return Ok(None) };
        let Some(article) = tenant.article(row.article_id).await? else { return Ok(None) };
        let is_held = article.status == ArticleStatus::Scheduled.as_str() && article.publication_id.is_none();
        let Some(connection) = row.connection_id.filter(|_| is_held) else { return Ok(None) };
        let Some(connection) = tenant.one::<rows::Connection>(connection).await? else { return Ok(None) };
        // A newer publication has a look of its own.
        let newest = tenant.placed(article.id, connection.id).await?.filter(|newest| newest.id == publication);
        let Some(known) = known(newest)? else { return Ok(None) };
        let blog = self.blog(org, &connection).await.map_err(step_error)?;
        Ok(Some(Held { publication, article, connection, blog, known }))
    }

    /// Looks, and writes down what the site has done.
    pub async fn reconcile(&self, org: OrgId, step: &ClaimedStep, held: Held) -> Result<RemoteStatus, StepError> {
        let Held { publication, article, connection, blog, known } = held;
        let there = blog.look_up(article.id, Some(&known)).await.map_err(later)?;
        // What is gone for good there is like what is in its trash.
        let status = there.as_ref().map_or(RemoteStatus::Trashed, |there| there.status);
        let tx = self.store.begin(org).await?;
        tx.hold_fence(step.fence).await?;
        let now = tx.now().await?;
        let Some(mut article) = tx.lock_article(article.id).await? else { return Ok(status) };
        let Some(mut row) = tx.lock_publication(publication).await? else { return Ok(status) };
        let is_held = article.status == ArticleStatus::Scheduled.as_str() && article.publication_id.is_none();
        let Some(due) = article.scheduled_at.filter(|_| is_held) else { return Ok(status) };
        let (event, why) = match status {
            RemoteStatus::Future if now < due + PATIENCE => return Err(StepError::Snooze(LOOKS)),
            RemoteStatus::Future => {
                article.publish_error = Some(NOT_PUBLISHED.to_owned());
                (Some(Event::PublicationMissed), Some(NOT_PUBLISHED))
            }
            status => {
                let event = apply(&mut article, &mut row, state_there(status), status, None, now);
                (article.scheduled_at, article.schedule) = (None, None);
                if let (true, Some(there)) = (status.is_shown(), &there) {
                    article.published_at = Some(due);
                    article.external_url = Some(there.url.clone());
                    row.external_url = Some(there.url.clone());
                }
                (event, None)
            }
        };
        tx.save_publication(row).await?;
        let article = tx.save_article(article).await?;
        if let Some(event) = event {
            tell_publication(&tx, event, &article, &connection, Some(publication), why).await?;
        }
        self.follow_in_folder(&tx, article.id).await?;
        tx.commit().await?;
        Ok(status)
    }
}

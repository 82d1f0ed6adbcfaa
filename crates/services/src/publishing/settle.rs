//! What became of a call whose publication was given up: cancelled, or out of attempts. What stands at the site counts, so
//! that nothing is public there that nobody here knows of.

use std::{sync::Arc, time::Duration};

use galley_destinations::{Destination, Known, Published, RemoteFields, SeoOutcome, differences};
use galley_domain::{Fault, OrgId};
use galley_engine::StepError;
use galley_store::{ClaimedStep, EffectMark, StoreError, rows};
use uuid::Uuid;

use super::{
    known,
    work::{SentPublication, changed_by_others, shown_as, step_error},
};
use crate::{
    Services,
    pipelines::publication::{CALL, effect_of, keep, may_be_there},
};

/// How long what else is done with the article is waited for.
const BUSY: Duration = Duration::from_secs(20);

/// A publication of which nobody knows what it brought about.
#[derive(Debug)]
pub struct Unsettled {
    publication: rows::Publication,
    blog: Arc<dyn Destination>,
    known: Option<Known>,
    /// Of the article at the site, as far as was known before.
    version: i32,
}

impl Services {
    /// Nothing when there is nothing to find out any more.
    pub async fn unsettled(&self, org: OrgId, id: Uuid) -> Result<Option<Unsettled>, StepError> {
        let tx = self.store.begin(org).await?;
        let Some(publication) = tx.publication(id).await?.filter(|found| !found.status.is_open()) else {
            return Ok(None);
        };
        if !may_be_there(&tx, &publication).await? {
            return Ok(None);
        }
        let Some(article) = tx.article(publication.article_id).await? else { return Ok(None) };
        if article.publication_id.is_some() {
            return Err(StepError::Snooze(BUSY));
        }
        let call = tx.effect(&effect_of(&publication, &id.to_string())).await?;
        let age = call.map(|call| call.updated_at);
        let now = tx.now().await?;
        if age.is_some_and(|at| (now - at).to_std().is_ok_and(|age| age < CALL)) {
            return Err(StepError::Snooze(BUSY));
        }
        let Some(connection) = publication.connection_id else { return Ok(None) };
        let Some(connection) = tx.one::<rows::Connection>(connection).await? else { return Ok(None) };
        let placed = tx.placed(article.id, connection.id).await?;
        tx.rollback().await?;
        let version = placed.as_ref().and_then(|placed| placed.version).unwrap_or_default();
        let known = known(placed)?;
        let blog = self.blog(org, &connection).await.map_err(step_error)?;
        Ok(Some(Unsettled { publication, blog, known, version }))
    }

    /// Looks, and writes down what is there. True when the publication has brought something about.
    pub async fn settle(&self, org: OrgId, step: &ClaimedStep, unsettled: Unsettled) -> Result<bool, StepError> {
        let Unsettled { publication, blog, known, version } = unsettled;
        let (article, known) = (publication.article_id, known.as_ref());
        let found = match blog.look_up(article, known).await.map_err(later)? {
            // What stood there before is none of its doing.
            Some(found) => {
                let fields = blog.read(article, known).await.map_err(later)?;
                let is_newer = i64::from(found.version) > i64::from(version);
                match fields {
                    Some(fields) if is_newer || self.is_as_wished(org, &publication, &blog, known, &fields).await? => {
                        Some((found, fields))
                    }
                    _ => None,
                }
            }
            None => None,
        };
        let tx = self.store.begin(org).await?;
        tx.hold_fence(step.fence).await?;
        let name = publication.id.to_string();
        let call = tx.effect(&effect_of(&publication, &name)).await?;
        let call = call.ok_or_else(|| StoreError::Unreadable("an effect vanished".into()))?;
        let is_there = found.is_some();
        if let Some((found, fields)) = found {
            if tx.lock_article(article).await?.is_some_and(|article| article.publication_id.is_some()) {
                return Err(StepError::Snooze(BUSY));
            }
            tx.mark_effect(call.id, step, EffectMark::Confirmed(&found.external_id)).await?;
            let sent = SentPublication {
                publication: publication.id,
                version: i32::try_from(found.version).unwrap_or(i32::MAX),
                published: Published {
                    external_id: found.external_id,
                    url: found.url,
                    slug: found.slug,
                    status: found.status,
                    version: found.version,
                    already_there: true,
                    seo_meta: SeoOutcome::Unknown,
                    fields,
                    warnings: vec!["the publication was given up while it was on its way, and is there".into()],
                },
                follow: self.following(article)?,
            };
            keep(&tx, &sent).await?;
        } else {
            tx.mark_effect(call.id, step, EffectMark::Failed("it did not arrive")).await?;
        }
        tx.commit().await?;
        Ok(is_there)
    }

    /// Of the same version: whether something is other there than before, and all of that as it was to be.
    async fn is_as_wished(
        &self,
        org: OrgId,
        publication: &rows::Publication,
        blog: &Arc<dyn Destination>,
        known: Option<&Known>,
        there: &RemoteFields,
    ) -> Result<bool, StepError> {
        let Some(known) = known else { return Ok(false) };
        let Some(article) = self.store.tenant(org).article(publication.article_id).await? else { return Ok(false) };
        let is_same = known.fields.as_ref().is_none_or(|sent| differences(sent, there).is_empty());
        let shown = shown_as(*publication.visibility, publication.due_at);
        Ok(!is_same && changed_by_others(blog, &article, shown, known, there).await.map_err(later)?.is_empty())
    }
}

/// Whatever keeps a site from being looked at may pass: a redirect, a wall, a login that is being changed.
pub(crate) fn later(fault: Fault) -> StepError {
    Fault::transient(fault.code(), fault.to_string()).into()
}

//! Promises that a post goes out at an hour: what they were made with, and how they are taken back.

use chrono::{DateTime, Utc};
use galley_domain::{OrgId, article::ArticleStatus, effect::EffectState, publishing::Holder};
use galley_engine::ControlError;
use galley_recurrence::Missed;
use galley_store::{StepsTx, StoreError, TenantTx, rows};
use uuid::Uuid;

use super::missed::Promise;
use crate::{
    Services,
    error::ServiceError,
    pipelines::publication::{CALL, effect_of},
};

pub(super) const MOVED: &str = "the article was changed since you read it; read it again and repeat your move";
const HAS_COME: &str = "its hour has come and it is being published; look at it again in a moment";

impl Services {
    /// Takes back a promise that has not come due. Tasks are locked before articles, so this comes first. Whoever moves the
    /// same promise meanwhile is waited for, and has come first.
    pub(crate) async fn drop_promise(
        &self,
        mut tx: StepsTx,
        org: OrgId,
        id: Uuid,
        seen: Option<&[DateTime<Utc>]>,
    ) -> Result<(StepsTx, Option<Dropped>), ServiceError> {
        let promised = promised(tx.tenant(org.0)?, id).await?;
        let Some((_, before)) = promised else { return Ok((tx, None)) };
        let Some(task) = before.task_id else { return Ok((tx, None)) };
        tx.lock_tasks(org, &[task]).await?;
        // Under that lock the promise stays what it is.
        let Some((article, publication)) = promised_under_lock(tx.tenant(org.0)?, id, before.id).await? else {
            return Err(ServiceError::Stale(MOVED.into()));
        };
        refuse_stale(&article, seen)?;
        let dropped = Dropped::of(&article, &publication)?;
        let tx = match self.control.cancel_in(tx, org, task).await {
            Ok(tx) => tx,
            Err(ControlError::Refused(_)) => return Err(ServiceError::Conflict(HAS_COME.into())),
            Err(error) => return Err(error.into()),
        };
        let tenant = tx.tenant(org.0)?;
        match refuse_on_its_way(tenant, publication.id).await? {
            // Its record stays until it is known what it brought about.
            Some(EffectState::Sent | EffectState::Unknown | EffectState::Failed) => {}
            _ if publication.deployment_id.is_some() => {}
            _ => drop(tenant.delete_publication(publication.id).await?),
        }
        Ok((tx, Some(dropped)))
    }
}

/// The step of a publication that was cancelled in this transaction sends nothing any more. What it has sent within the
/// last minute may be on its way: then nothing of this happens.
pub(crate) async fn refuse_on_its_way(tx: &TenantTx, publication: Uuid) -> Result<Option<EffectState>, ServiceError> {
    let Some(publication) = tx.publication(publication).await? else { return Ok(None) };
    let name = publication.id.to_string();
    let Some(call) = tx.effect(&effect_of(&publication, &name)).await? else { return Ok(None) };
    let age = (tx.now().await? - call.updated_at).to_std().unwrap_or_default();
    match *call.state {
        EffectState::Sent if age < CALL => Err(ServiceError::Conflict(HAS_COME.into())),
        state => Ok(Some(state)),
    }
}

/// What a promise was made with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dropped {
    pub(crate) connection: Option<Uuid>,
    pub(crate) deployment: Option<Uuid>,
    pub(crate) missed: Option<Missed>,
}

impl Dropped {
    fn of(article: &rows::Article, publication: &rows::Publication) -> Result<Self, StoreError> {
        let promise: Option<Promise> = article.schedule.clone().map(serde_json::from_value).transpose()?;
        Ok(Self {
            connection: publication.connection_id,
            deployment: publication.deployment_id,
            missed: promise.map(|promise| promise.missed),
        })
    }
}

/// Who is to hold a promise. What a site holds already is taken from it first, else both would publish it.
pub(super) fn holder(article: &rows::Article, wanted: Option<Holder>) -> Result<Option<Holder>, ServiceError> {
    let is_there = article.status == ArticleStatus::Scheduled.as_str() && article.publication_id.is_none();
    match wanted {
        Some(Holder::Galley) if is_there => {
            Err(ServiceError::Conflict("its site holds the post until its hour; unschedule it first".into()))
        }
        None if is_there => Ok(Some(Holder::Site)),
        wanted => Ok(wanted),
    }
}

/// A scheduled article, and the publication that it was promised with.
async fn promised(tx: &TenantTx, id: Uuid) -> Result<Option<(rows::Article, rows::Publication)>, StoreError> {
    let Some(article) = tx.article(id).await?.filter(|article| article.scheduled_at.is_some()) else { return Ok(None) };
    let Some(publication) = article.publication_id else { return Ok(None) };
    Ok(tx.publication(publication).await?.map(|publication| (article, publication)))
}

async fn promised_under_lock(
    tx: &TenantTx,
    id: Uuid,
    was: Uuid,
) -> Result<Option<(rows::Article, rows::Publication)>, StoreError> {
    Ok(promised(tx, id).await?.filter(|(_, publication)| publication.id == was))
}

/// The client has seen the article as it was at one of these moments, or has not said.
pub(crate) fn refuse_stale(article: &rows::Article, seen: Option<&[DateTime<Utc>]>) -> Result<(), ServiceError> {
    match seen.is_none_or(|seen| seen.iter().any(|at| at.timestamp_millis() == article.updated_at.timestamp_millis())) {
        true => Ok(()),
        false => Err(ServiceError::Stale(MOVED.into())),
    }
}

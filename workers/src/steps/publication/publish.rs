//! Publish: puts an article to a blog, once. The ledger of effects knows what was tried, and the blog is asked before
//! anything is repeated.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use galley_destinations::{Post, Published};
use galley_domain::{
    Fault, FaultCode, OrgId,
    effect::EffectState,
    publishing::{POST, PUBLISH},
    task::StepKind,
};
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::{Effect, PublicationWork, SentPublication, Services, changed_by_others, pipelines};
use galley_store::EffectKey;

use crate::steps::Toolbox;

pub(crate) struct Publish(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Publish {
    fn kind(&self) -> StepKind {
        PUBLISH
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, _) = cx.owner()?;
        let services = &self.0.services;
        let work = services.publication_work(&cx.step).await?;
        let key = EffectKey {
            kind: POST,
            subject: work.article.id,
            destination: work.blog.name(),
            key: &work.publication.id.to_string(),
        };
        let posting = Posting { services, org, work: &work, answer: Mutex::default() };
        let mut published = match self.post(cx, org, &key, &posting).await {
            Err(StepError::Fault(fault)) if fault.is_transient() => return Err(work.put_off(fault)),
            posted => posted?,
        };
        published.warnings.extend(services.asset_warnings(org, &work.article).await?);
        let version = i32::try_from(published.version).unwrap_or(work.article.version);
        Ok(pipelines::publication::sent(SentPublication {
            publication: work.publication.id,
            version,
            published,
            follow: services.following(work.article.id)?,
        }))
    }
}

/// So long after it began, a call of somebody else's is over.
const OTHERS: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

impl Publish {
    async fn post(
        &self,
        cx: &StepContext,
        org: OrgId,
        key: &EffectKey<'_>,
        posting: &Posting<'_>,
    ) -> Result<Published, StepError> {
        self.await_others(org, posting.work).await?;
        self.0.services.carry_out(&cx.step, key, posting).await?;
        posting.answer().await
    }

    /// Of a publication that was cancelled while its call was on the way, nobody knows yet what it made.
    async fn await_others(&self, org: OrgId, work: &PublicationWork) -> Result<(), StepError> {
        let tenant = self.0.services.store().tenant(org);
        let (own, now) = (work.publication.id.to_string(), tenant.now().await?);
        let others = tenant.effects(work.article.id).await?;
        let is_under_way = others.iter().any(|effect| {
            *effect.kind == POST
                && effect.key != own
                && *effect.state == EffectState::Sent
                && now - effect.updated_at < OTHERS
        });
        if is_under_way { Err(StepError::Snooze(Duration::from_secs(5))) } else { Ok(()) }
    }
}

/// A publication on its way.
struct Posting<'a> {
    services: &'a Services,
    org: OrgId,
    work: &'a PublicationWork,
    /// What the blog said, if this attempt has asked it.
    answer: Mutex<Option<Published>>,
}

impl Posting<'_> {
    /// What stands there: as the blog has just said, or as it says of what an earlier attempt has left.
    async fn answer(&self) -> Result<Published, StepError> {
        if let Some(answer) = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(answer);
        }
        // It is there, and nobody has seen the answer. The blog tells the same thing once more, and adds what is missing.
        let post = self.prepare().await?;
        Ok(self.work.blog.publish(post, self.work.known.as_ref()).await?)
    }

    /// Nothing is sent over what somebody has changed there, unless that is what is wanted.
    async fn refuse_drift(&self) -> Result<(), StepError> {
        let work = self.work;
        let Some(known) = work.known.as_ref().filter(|_| !work.publication.force) else { return Ok(()) };
        let Some(there) = work.blog.read(work.article.id, Some(known)).await? else { return Ok(()) };
        let changed = changed_by_others(&work.blog, &work.article, work.shown(), known, &there).await?;
        // What stands there may be what a call of ours has sent of which nobody knew what became.
        if changed.is_empty() || self.services.is_our_own(work, &there).await? {
            return Ok(());
        }
        let text = format!(
            "somebody has changed the post at its site since it was published ({}); resolve that, or publish with force",
            changed.join(", ")
        );
        Err(Fault::permanent(FaultCode::Conflict, text).into())
    }
}

#[async_trait]
impl Effect for Posting<'_> {
    type Message = Post;

    /// Never taken for done: the blog itself finds what is there, compares all of it, and writes what is missing.
    async fn look_up(&self) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    async fn prepare(&self) -> Result<Post, StepError> {
        self.refuse_drift().await?;
        self.services.post_message(self.org, self.work).await
    }

    async fn act(&self, post: Post) -> Result<String, Fault> {
        let published = self.work.blog.publish(post, self.work.known.as_ref()).await?;
        let id = published.external_id.clone();
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(published);
        Ok(id)
    }
}

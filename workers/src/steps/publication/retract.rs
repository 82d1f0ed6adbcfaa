//! Retract: takes an article back from every blog where it stands, each once.

use std::sync::Arc;

use async_trait::async_trait;
use galley_destinations::Removal;
use galley_domain::{
    Fault,
    publishing::{RETRACT, RETRACTED, Retraction},
    task::StepKind,
};
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::{Effect, Placed, RetractionWork, pipelines};
use galley_store::EffectKey;
use uuid::Uuid;

use crate::steps::Toolbox;

pub(crate) struct Retract(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Retract {
    fn kind(&self) -> StepKind {
        RETRACT
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (_, task) = cx.owner()?;
        let services = &self.0.services;
        let RetractionWork { article, how, placed } = services.retraction_work(&cx.step).await?;
        for copy in &placed {
            let key = format!("{task}/{}", copy.connection.id);
            let key = EffectKey { kind: RETRACTED, subject: article, destination: copy.blog.name(), key: &key };
            services.carry_out(&cx.step, &key, &TakingBack { article, how, copy }).await?;
            services.note_retracted(&cx.step, copy, how).await?;
        }
        Ok(pipelines::retraction::taken_back(article, services.following(article)?))
    }
}

/// A copy on its way back.
struct TakingBack<'a> {
    article: Uuid,
    how: Retraction,
    copy: &'a Placed,
}

#[async_trait]
impl Effect for TakingBack<'_> {
    type Message = ();

    /// Never taken for done: a draft that is made a draft again is one draft.
    async fn look_up(&self) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    async fn prepare(&self) -> Result<(), StepError> {
        Ok(())
    }

    /// A copy that is gone already is taken back.
    async fn act(&self, (): ()) -> Result<String, Fault> {
        let (blog, known) = (&self.copy.blog, Some(&self.copy.known));
        match self.how {
            Retraction::Draft => blog.unpublish(self.article, known).await?,
            Retraction::Trash => blog.remove(self.article, known, Removal::Trash).await?,
        };
        Ok(self.copy.known.external_id.clone())
    }
}

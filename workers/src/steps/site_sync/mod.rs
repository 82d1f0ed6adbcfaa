//! The steps that bring a site and the texts of its project into line. What they do is a use case each.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::{
    publishing::site_sync::{PLAN, PULL, PUSH},
    task::StepKind,
};
use galley_engine::{Output, Step, StepContext, StepError};

use galley_services::pipelines::site_sync::DUE;

use super::{Toolbox, sweep::fault_of};

pub(super) fn steps(toolbox: &Arc<Toolbox>) -> Vec<Arc<dyn Step>> {
    let toolbox = || Arc::clone(toolbox);
    vec![Arc::new(Plan(toolbox())), Arc::new(Pull(toolbox())), Arc::new(Push(toolbox())), Arc::new(Due(toolbox()))]
}

struct Plan(Arc<Toolbox>);

#[async_trait]
impl Step for Plan {
    fn kind(&self) -> StepKind {
        PLAN
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        self.0.services.plan_sync(cx).await
    }
}

struct Pull(Arc<Toolbox>);

#[async_trait]
impl Step for Pull {
    fn kind(&self) -> StepKind {
        PULL
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        self.0.services.pull_page(cx).await
    }
}

struct Push(Arc<Toolbox>);

#[async_trait]
impl Step for Push {
    fn kind(&self) -> StepKind {
        PUSH
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        self.0.services.push_texts(cx).await
    }
}

struct Due(Arc<Toolbox>);

#[async_trait]
impl Step for Due {
    fn kind(&self) -> StepKind {
        DUE
    }

    async fn run(&self, _: &StepContext) -> Result<Output, StepError> {
        self.0.services.system().sync_due_sites().await.map_err(fault_of)?;
        Ok(Output::default())
    }
}

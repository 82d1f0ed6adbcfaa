//! The list in which all steps are registered, and what they work with.

mod article;
mod images;
mod publication;
mod schedules;
mod site_sync;
mod sweep;
mod webhooks;

use std::sync::Arc;

use galley_destinations::Destination;
use galley_domain::{Fault, FaultCode, image::ImageModel, writing::Writer};
use galley_engine::{Step, StepError};
use galley_fetch::{Fetcher, search::SearchProvider};
use galley_services::Services;
use galley_webhooks::Sender;

pub use article::{ConfiguredEmbedder, ConfiguredJudge, ReplayRun, Unsupported, WriterAt};
pub use schedules::schedule_steps;

/// What the steps work with; made once from the configuration.
#[derive(Debug)]
pub struct Toolbox {
    pub services: Services,
    pub fetcher: Fetcher,
    pub search: Option<Arc<dyn SearchProvider>>,
    /// How many pages a search may add to an order.
    pub search_results: usize,
    pub writer: Arc<dyn Writer>,
    pub off_topic: OffTopic,
    /// What becomes of sentences of a model that no source supports.
    pub unsupported: Unsupported,
    /// A second opinion on sentences that have support, if one is configured.
    pub judge: Option<ConfiguredJudge>,
    pub embedder: Option<ConfiguredEmbedder>,
    pub image_model: Option<Arc<dyn ImageModel>>,
    /// Where finished articles are put, if anywhere.
    pub destination: Option<Arc<dyn Destination>>,
    /// The one of this process: it counts what is on its way to each host.
    pub sender: Sender,
}

/// What becomes of an order whose sources are about something else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OffTopic {
    /// It fails before anything is written.
    #[default]
    Refuse,
    /// It is written with a warning.
    Warn,
}

/// Every kind of step has its worker here.
pub fn all_steps(toolbox: Toolbox) -> Vec<Arc<dyn Step>> {
    let toolbox = Arc::new(toolbox);
    let mut steps = article::steps(&toolbox);
    steps.extend(publication::steps(&toolbox));
    steps.extend(site_sync::steps(&toolbox));
    steps.extend(schedule_steps(&toolbox.services));
    steps.extend(webhooks::steps(&toolbox));
    steps.push(Arc::new(images::Generate(Arc::clone(&toolbox))));
    steps.push(Arc::new(sweep::Sweep(toolbox)));
    steps
}

/// Computation that would hold up other steps goes to a thread of its own. A panic there is a panic here.
async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StepError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => Ok(value),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => {
            let fault = Fault::transient(FaultCode::WorkflowError, "the process stops").with_detail(error);
            Err(fault.into())
        }
    }
}

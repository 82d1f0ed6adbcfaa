//! Webhooks out: who hears of an event, and sending.

mod deliver;
mod fan_out;
mod resume;

use std::sync::Arc;

use galley_engine::Step;
use galley_services::pipelines::webhooks::{DELIVER, RETRY};

use super::Toolbox;

pub(super) fn steps(toolbox: &Arc<Toolbox>) -> Vec<Arc<dyn Step>> {
    vec![
        Arc::new(fan_out::FanOut(Arc::clone(toolbox))),
        Arc::new(deliver::Deliver { toolbox: Arc::clone(toolbox), kind: DELIVER }),
        Arc::new(deliver::Deliver { toolbox: Arc::clone(toolbox), kind: RETRY }),
        Arc::new(resume::Resume(Arc::clone(toolbox))),
    ]
}

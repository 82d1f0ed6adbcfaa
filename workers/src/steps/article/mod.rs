//! The steps of an article.

mod correct;
mod draft;
mod embed;
mod image;
mod judge;
mod outline;
mod reading;
mod replay;
mod research;
mod seo;
mod substitute;
mod sync;
mod writer;

use std::sync::Arc;

use galley_engine::Step;

use super::{Toolbox, compute};

pub use correct::Unsupported;
pub use embed::ConfiguredEmbedder;
pub(super) use image::store_fault;
pub use judge::ConfiguredJudge;
pub use replay::{ReplayRun, WriterAt};

pub(super) fn steps(toolbox: &Arc<Toolbox>) -> Vec<Arc<dyn Step>> {
    vec![
        Arc::new(research::Research(Arc::clone(toolbox))),
        Arc::new(outline::OutlineStep(Arc::clone(toolbox))),
        Arc::new(draft::Draft(Arc::clone(toolbox))),
        Arc::new(seo::Seo(Arc::clone(toolbox))),
        Arc::new(image::Image(Arc::clone(toolbox))),
        Arc::new(sync::Sync(Arc::clone(toolbox))),
    ]
}

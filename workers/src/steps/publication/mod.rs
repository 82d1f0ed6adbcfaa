//! The step that publishes to blogs.

mod publish;

use std::sync::Arc;

use galley_engine::Step;

use super::Toolbox;

pub(super) fn steps(toolbox: &Arc<Toolbox>) -> Vec<Arc<dyn Step>> {
    vec![Arc::new(publish::Publish(Arc::clone(toolbox)))]
}

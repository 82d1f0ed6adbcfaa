//! Publishing to blogs, and a folder that follows.

mod follow;
mod publish;

use std::sync::Arc;

use galley_engine::Step;

use super::Toolbox;

pub(super) fn steps(toolbox: &Arc<Toolbox>) -> Vec<Arc<dyn Step>> {
    vec![Arc::new(publish::Publish(Arc::clone(toolbox))), Arc::new(follow::Follow(Arc::clone(toolbox)))]
}

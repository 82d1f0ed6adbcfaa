//! Publishing to blogs, and a folder that follows.

mod follow;
mod publish;
mod reconcile;
mod retract;
mod settle;

use std::sync::Arc;

use galley_engine::Step;

use super::Toolbox;

pub(super) fn steps(toolbox: &Arc<Toolbox>) -> Vec<Arc<dyn Step>> {
    vec![
        Arc::new(publish::Publish(Arc::clone(toolbox))),
        Arc::new(retract::Retract(Arc::clone(toolbox))),
        Arc::new(settle::Settle(Arc::clone(toolbox))),
        Arc::new(reconcile::Reconcile(Arc::clone(toolbox))),
        Arc::new(follow::Follow(Arc::clone(toolbox))),
    ]
}

//! The kinds of work, one file each with its policy, and the one list in which they are registered.

pub mod article;
pub mod images;
pub mod publication;
pub mod retraction;
pub mod schedules;
pub mod site_sync;
pub mod upkeep;
pub mod webhooks;

use std::{collections::BTreeMap, sync::Arc};

use galley_domain::task::PoolName;
use galley_engine::Registry;

use crate::restart::Restart;

/// Links, files and searches: waits for others.
pub const READING: PoolName = PoolName::new("reading");
/// Whatever a model may be asked for.
pub const MODELS: PoolName = PoolName::new("models");
/// Renders.
pub const PICTURES: PoolName = PoolName::new("pictures");
/// Blogs and shops, where each address has limits of its own.
pub const DESTINATIONS: PoolName = PoolName::new("destinations");
/// What nobody ordered.
pub const UPKEEP: PoolName = PoolName::new("upkeep");
/// Finding out which endpoints hear of an event.
pub const FANOUT: PoolName = PoolName::new("fanout");
/// Endpoints that answer.
pub const DELIVERIES: PoolName = PoolName::new("deliveries");
/// Endpoints that failed last: they hold up each other, and nobody else.
pub const RETRIES: PoolName = PoolName::new("retries");

/// Looks at schedules that come due: short, and on time while others are busy.
pub const SCHEDULES: PoolName = PoolName::new("schedules");

/// Sized for a small machine: what waits for others runs wide, what computes runs narrow.
pub const POOLS: [(PoolName, usize); 9] = [
    (READING, 8),
    (MODELS, 48),
    (PICTURES, 2),
    (DESTINATIONS, 8),
    (UPKEEP, 2),
    (SCHEDULES, 4),
    (FANOUT, 8),
    (DELIVERIES, 32),
    (RETRIES, 16),
];

/// Every kind of work.
pub fn registry() -> Registry {
    let (sweep, every) = upkeep::sweep();
    let (rescue, rescues_every) = schedules::rescue();
    let (sync, syncs_every) = site_sync::due();
    let registry = Registry::new(POOLS)
        .with(article::Article::default())
        .with(publication::Publication::default())
        .with(retraction::RetractionPipeline::default())
        .with(images::Images::default())
        .with(site_sync::SiteSync::default())
        .with_periodic(sweep, every)
        .with_job(upkeep::cancel_children())
        .with_job(publication::follow())
        .with_job(publication::settle())
        .with_job(publication::reconcile())
        .with_job(schedules::tick())
        .with_periodic(rescue, rescues_every)
        .with_periodic(sync, syncs_every);
    webhooks::register(registry)
}

/// The kinds whose tasks can be run again, in alphabetical order.
pub fn restartable() -> impl Iterator<Item = &'static str> {
    restarts().into_keys()
}

/// How tasks of each kind are run again.
pub(crate) fn restarts() -> BTreeMap<&'static str, Arc<dyn Restart>> {
    BTreeMap::from([(galley_domain::article::TASK, Arc::new(article::Article::default()) as Arc<dyn Restart>)])
}

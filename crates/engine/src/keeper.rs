//! Keeps leases alive and stops what has lost its own.

use std::{sync::Arc, time::Duration};

use galley_store::{StoreError, outage};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{runner::Shared, stats::Part};

/// Renews all leases of the process, three times in the life of a lease.
pub(crate) async fn heartbeat(shared: Arc<Shared>, stop: CancellationToken) {
    let mut beat = interval(shared.settings.lease / 3);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = beat.tick() => {}
        }
        while let Err(error) = renew(&shared).await {
            shared.stats.was_refused(Part::Renew);
            outage::refused(&error, "cannot renew leases");
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }
}

/// A connection can be dead without a word (a lost route, a failover): whoever keeps leases does not wait for the
/// kernel to notice.
pub(crate) async fn patiently<T>(
    shared: &Shared,
    query: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let patience = shared.settings.lease / 3;
    tokio::time::timeout(patience, query).await.unwrap_or(Err(StoreError::Silent(patience)))
}

async fn renew(shared: &Shared) -> Result<(), StoreError> {
    let fences = shared.leases.fences();
    if fences.is_empty() {
        return Ok(());
    }
    let lost = patiently(shared, shared.store().queue().renew(&fences, shared.settings.lease)).await?;
    // A step that finished between the two statements is among the lost and no longer held: stopping it does nothing.
    shared.leases.stop(&lost);
    Ok(())
}

/// Stops running steps of cancelled tasks as soon as the word arrives.
pub(crate) async fn watch_cancels(shared: Arc<Shared>, stop: CancellationToken) {
    let mut cancels = shared.notifications.cancels();
    loop {
        let here = tokio::select! {
            () = stop.cancelled() => return,
            // None: the word may have been missed.
            task = cancels.next() => task.is_none_or(|task| shared.leases.cancelled(task)),
            () = shared.leases.doubt() => true,
        };
        // The leases know whether it is about what runs here; it may be about an earlier run of a task that a client has
        // retried since.
        if here && let Err(error) = renew(&shared).await {
            tracing::debug!(%error, "cannot look after leases; the heartbeat will");
        }
    }
}

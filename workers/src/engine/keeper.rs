//! Keeps leases alive and stops what has lost its own.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Shared;

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
            tracing::warn!(%error, "cannot renew leases; the database may be away");
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }
}

async fn renew(shared: &Shared) -> Result<(), galley_store::StoreError> {
    let fences = shared.held.fences();
    if fences.is_empty() {
        return Ok(());
    }
    let lost = shared.services.store().queue().renew(&fences, shared.settings.lease).await?;
    // A step that finished between the two statements is among the lost and no longer held: stopping it does nothing.
    shared.held.stop(&lost);
    Ok(())
}

/// Stops running steps of cancelled tasks as soon as the word arrives.
pub(crate) async fn watch_cancels(shared: Arc<Shared>, stop: CancellationToken) {
    let mut cancels = shared.wakes.cancels();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            task = cancels.next() => match task {
                Some(task) => shared.held.stop_task(task),
                // Words may have been missed: the leases know.
                None => {
                    if let Err(error) = renew(&shared).await {
                        tracing::debug!(%error, "cannot look after leases; the heartbeat will");
                    }
                }
            }
        }
    }
}

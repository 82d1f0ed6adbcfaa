//! One at a time, for things of a site that must not be made twice: a site has no such lock. It reaches as far as this
//! process; across processes the ledger of effects lets one step at an article.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

static LOCKS: LazyLock<Mutex<HashMap<String, Weak<AsyncMutex<()>>>>> = LazyLock::new(Mutex::default);

/// More names than this are looked through for those that nobody holds.
const MANY: usize = 1_000;

/// Waits until nobody else in this process holds this name. It is for the process and not for one client, since two
/// connections may lead to one site.
pub(super) async fn alone(name: String) -> OwnedMutexGuard<()> {
    let lock = {
        // Every change under the lock is one call, so a panic elsewhere leaves the map whole.
        let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
        if locks.len() > MANY {
            locks.retain(|_, lock| lock.strong_count() > 0);
        }
        let held = locks.get(&name).and_then(Weak::upgrade);
        held.unwrap_or_else(|| {
            let lock = Arc::new(AsyncMutex::new(()));
            locks.insert(name, Arc::downgrade(&lock));
            lock
        })
    };
    lock.lock_owned().await
}

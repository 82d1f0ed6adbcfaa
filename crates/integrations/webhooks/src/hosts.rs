//! How many attempts go to one host at a time. The HTTP client limits idle connections only.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The hosts that attempts are on their way to, by `host:port`.
#[derive(Debug)]
pub(crate) struct Hosts {
    most: usize,
    busy: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place among the attempts to a host, given back when dropped. The last one takes the host out of the list, so that
/// the list is never longer than the attempts that run or wait.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    hosts: &'a Hosts,
    host: String,
    semaphore: Option<Arc<Semaphore>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Hosts {
    /// At least one attempt to a host is let through.
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.clamp(1, Semaphore::MAX_PERMITS), busy: Mutex::default() }
    }

    /// Waits in turn until fewer attempts than the most go to this host.
    pub(crate) async fn place(&self, host: String) -> Place<'_> {
        let semaphore =
            Arc::clone(self.lock().entry(host.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.most))));
        // Made before the wait: a wait that is given up cleans up as well.
        let mut place = Place { hosts: self, host, semaphore: Some(Arc::clone(&semaphore)), permit: None };
        // Nobody closes the semaphore, so there is always a permit.
        place.permit = semaphore.acquire_owned().await.ok();
        place
    }

    /// Would an attempt have to wait now?
    pub(crate) fn is_full(&self, host: &str) -> bool {
        self.lock().get(host).is_some_and(|semaphore| semaphore.available_permits() == 0)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Semaphore>>> {
        // Every change under the lock is one call, so a panic elsewhere leaves the list whole.
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut busy = self.hosts.lock();
        self.permit = None;
        self.semaphore = None;
        // Others are made under the lock only: when the list's own is the last one, nobody is on the way to this host.
        if busy.get(&self.host).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            busy.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn so_many_at_a_time_and_no_trace_afterwards() {
        let hosts = Hosts::new(2);
        let (first, second) = (hosts.place("a:443".to_owned()).await, hosts.place("a:443".to_owned()).await);
        assert!(hosts.is_full("a:443") && !hosts.is_full("b:443"));
        let other = hosts.place("b:443".to_owned()).await;
        {
            let mut third = pin!(hosts.place("a:443".to_owned()));
            tokio::select! {
                biased;
                _ = &mut third => panic!("there is no place"),
                () = tokio::task::yield_now() => {}
            }
            drop(first);
            let third = third.await;
            assert!(hosts.is_full("a:443"));
            drop(third);
        }
        assert!(!hosts.is_full("a:443"));
        drop((second, other));
        assert!(hosts.lock().is_empty());
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_leaves_no_trace() {
        let hosts = Hosts::new(0);
        let only = hosts.place("a:443".to_owned()).await;
        {
            let mut waiting = pin!(hosts.place("a:443".to_owned()));
            tokio::select! {
                biased;
                _ = &mut waiting => panic!("there is no place"),
                () = tokio::task::yield_now() => {}
            }
            drop(only);
        }
        assert!(hosts.lock().is_empty());
    }
}

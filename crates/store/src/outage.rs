//! One account of an outage of the database, in the place of a line for each call that it does not answer: one line when it
//! begins, one a minute, one when it ends.

use std::{
    sync::{Mutex, OnceLock},
    time::Duration,
};

use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::{Store, StoreError};

/// How often it is asked whether the database is back.
const LOOK: Duration = Duration::from_secs(1);
const REPORT: Duration = Duration::from_secs(60);

/// Of the whole process: whoever meets a refusal has only the error at hand.
static REFUSALS: OnceLock<Refusals> = OnceLock::new();

#[derive(Debug, Default)]
struct Refusals {
    /// Since the last [`Refusals::take`], with the first one's error.
    noted: Mutex<(u64, String)>,
    arrived: Notify,
}

impl Refusals {
    fn note(&self, error: &StoreError, what: &str) {
        let mut noted = self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if noted.0 == 0 {
            noted.1 = format!("{what}: {error}");
        }
        noted.0 += 1;
        self.arrived.notify_one();
    }

    fn take(&self) -> (u64, String) {
        std::mem::take(&mut *self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// Reports a call that failed, with what could not be done. An outage is counted where it is watched.
pub fn refused(error: &StoreError, what: &str) {
    match REFUSALS.get() {
        Some(refusals) if error.is_unavailable() => {
            tracing::debug!(%error, "{what}");
            refusals.note(error, what);
        }
        _ => tracing::warn!(%error, "{what}"),
    }
}

/// Watches outages of this store until it is aborted; one store of a process at the most.
pub fn watch(store: Store) -> JoinHandle<()> {
    let refusals = REFUSALS.get_or_init(Refusals::default);
    tokio::spawn(async move {
        loop {
            refusals.arrived.notified().await;
            let (count, first) = refusals.take();
            if count == 0 {
                continue;
            }
            let began = Instant::now();
            if store.ping().await.is_ok() {
                // One connection that broke, or two transactions that met.
                tracing::warn!(refused = count, "{first}; the database answers");
                sleep(LOOK).await;
                continue;
            }
            let mut outage = Outage::new(began, count);
            tracing::error!(first, "the database does not answer; calls are refused and steps wait until it does");
            loop {
                sleep(LOOK).await;
                let is_back = store.ping().await.is_ok();
                match outage.look(Instant::now(), refusals.take().0, is_back) {
                    Some(Report::Lasts { seconds, refused }) => {
                        tracing::warn!(seconds, refused, "the database still does not answer");
                    }
                    Some(Report::Ended { seconds, refused }) => {
                        tracing::info!(seconds, refused, "the database answers again");
                        break;
                    }
                    None => {}
                }
            }
        }
    })
}

#[derive(Debug)]
struct Outage {
    began: Instant,
    reported: Instant,
    refused: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Report {
    Lasts { seconds: u64, refused: u64 },
    Ended { seconds: u64, refused: u64 },
}

impl Outage {
    fn new(now: Instant, refused: u64) -> Self {
        Self { began: now, reported: now, refused }
    }

    fn look(&mut self, now: Instant, refused: u64, is_back: bool) -> Option<Report> {
        self.refused += refused;
        let (seconds, refused) = ((now - self.began).as_secs(), self.refused);
        if is_back {
            return Some(Report::Ended { seconds, refused });
        }
        if now - self.reported < REPORT {
            return None;
        }
        self.reported = now;
        Some(Report::Lasts { seconds, refused })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_reported_once_a_minute_and_at_its_end() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut outage = Outage::new(began, 1);
        assert_eq!(outage.look(at(59), 300, false), None);
        assert_eq!(outage.look(at(60), 19, false), Some(Report::Lasts { seconds: 60, refused: 320 }));
        assert_eq!(outage.look(at(61), 1, false), None);
        assert_eq!(outage.look(at(121), 0, false), Some(Report::Lasts { seconds: 121, refused: 321 }));
        assert_eq!(outage.look(at(130), 4, true), Some(Report::Ended { seconds: 130, refused: 325 }));
    }
}

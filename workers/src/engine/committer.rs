//! Collects what attempts have to write and commits it in groups: while one group is on its way to the disk, the next
//! one gathers. A lonely write does not wait for company.

use std::sync::{Arc, atomic::AtomicBool};

use galley_services::{Entry, Ran, Services, What};
use galley_store::StoreError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::held::Lease;

/// Groups that are written side by side. All entries of a task go to the same one, so that they are written in the order
/// in which they came and no group waits for another's lock.
const LANES: usize = 4;
/// The most entries of one transaction.
const GROUP: usize = 128;
/// Entries that wait in a lane before those who bring more have to wait too.
const QUEUE: usize = 1_024;

#[derive(Debug)]
struct Item {
    entry: Entry,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Option<Ran>, StoreError>;

/// Where attempts hand in what they have to write.
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    lanes: Arc<[mpsc::Sender<Item>]>,
}

/// The other end of one lane.
#[derive(Debug)]
pub(crate) struct Lane(mpsc::Receiver<Item>);

impl Committer {
    pub(crate) fn new() -> (Self, Vec<Lane>) {
        let (senders, lanes): (Vec<_>, Vec<_>) =
            (0..LANES).map(|_| mpsc::channel(QUEUE)).map(|(sender, receiver)| (sender, Lane(receiver))).unzip();
        (Self { lanes: senders.into() }, lanes)
    }

    /// Writes one thing about an attempt. An error that is weather means that nothing was written.
    pub(crate) async fn write(&self, lease: &Lease, what: What) -> Answer {
        let step = lease.step();
        let task = step.owner.map_or(Uuid::nil(), |(_, task)| task);
        let lane = usize::try_from(task.as_u128() % LANES as u128).unwrap_or(0);
        let (answer, answered) = oneshot::channel();
        let entry = Entry { step: step.clone(), begun: Arc::clone(lease.begun()), what };
        if self.lanes[lane].send(Item { entry, answer }).await.is_err() {
            return Err(stopped());
        }
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

/// The engine ends lanes only when no attempt is left.
fn stopped() -> StoreError {
    StoreError::Unreadable("the engine has stopped writing".into())
}

impl Lane {
    /// Runs until `stop`, which comes when nothing is in flight any more.
    pub(crate) async fn run(mut self, services: Services, stop: CancellationToken) {
        let mut items = Vec::with_capacity(GROUP);
        loop {
            let came = tokio::select! {
                () = stop.cancelled() => 0,
                came = self.0.recv_many(&mut items, GROUP) => came,
            };
            if came == 0 {
                return;
            }
            let (entries, answers): (Vec<Entry>, Vec<_>) =
                items.drain(..).map(|item| (item.entry, item.answer)).unzip();
            for (answer, written) in answers.into_iter().zip(services.write(&entries).await) {
                // Whoever does not wait any more has been stopped.
                let _ = answer.send(written);
            }
        }
    }
}

/// An attempt's mark that its beginning was written.
pub(crate) type Begun = Arc<AtomicBool>;

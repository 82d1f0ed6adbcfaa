//! Collects what attempts have to write and commits it in groups: while one group is on its way to the disk, the next
//! one gathers. A lonely write does not wait for company.

use std::{collections::HashSet, num::NonZero, sync::Arc, time::Duration};

use galley_store::{ClaimedStep, Fence, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    capacity::Handover,
    commit::{Entry, What},
    keeper::patiently,
    leases::Lease,
    registry::Registry,
    runner::Shared,
    step::Ran,
};

/// Write shards beside those of most steps: one for stages that lock what other tasks lock too, and one for the last steps of
/// tasks, so that charges to the same books do not wait for each other.
const OWN: usize = 2;
/// Permits that fill a shard for all other steps. With more shards the groups get smaller, and a group costs the server as
/// much as a dozen rows in it.
const ENOUGH: usize = 128;
/// The most of these shards; no more than there are cores.
const MOST: usize = 4;
/// The most entries of one transaction.
const GROUP: usize = 128;
/// Entries that wait in a shard before those who bring more have to wait too.
const QUEUE: usize = 1_024;
/// How long leases of doubtful fate wait for a write that gives them back on its way.
const RECALL: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Item {
    entry: Entry,
    lease: Lease,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Option<Ran>, StoreError>;

/// Where attempts hand in what they have to write.
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    shards: Arc<[mpsc::Sender<Item>]>,
    registry: Arc<Registry>,
}

/// Writes what comes in, group by group.
#[derive(Debug)]
pub(crate) struct WriteShard {
    items: mpsc::Receiver<Item>,
    /// Leases that may or may not stand; nobody runs them. They are given back before anything else is written.
    doubtful: Vec<Fence>,
}

impl Committer {
    /// For a process that runs so many steps at once.
    pub(crate) fn new(registry: Arc<Registry>, permits: usize) -> (Self, Vec<WriteShard>) {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let others = (permits / ENOUGH).clamp(1, cores.min(MOST));
        let (senders, shards): (Vec<_>, Vec<_>) = (0..OWN + others)
            .map(|_| mpsc::channel(QUEUE))
            .map(|(sender, items)| (sender, WriteShard { items, doubtful: Vec::new() }))
            .unzip();
        (Self { shards: senders.into(), registry }, shards)
    }

    /// Writes one thing about an attempt. When the error says that the database is unavailable, nothing was written.
    pub(crate) async fn write(&self, lease: &Lease, what: What) -> Answer {
        let step = lease.step();
        let shard = self.shard_of(step);
        let (answer, answered) = oneshot::channel();
        let entry = Entry { step: step.clone(), last_seen: lease.last_seen().clone(), what };
        if self.shards[shard].send(Item { entry, lease: lease.clone(), answer }).await.is_err() {
            return Err(stopped());
        }
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// All entries of a step go to the same shard, so that they are written in the order in which they came; so do all steps
    /// of a task that run side by side, so that no group waits for another's lock.
    fn shard_of(&self, step: &ClaimedStep) -> usize {
        if self.registry.is_exclusive(step.kind) {
            return 0;
        }
        if self.registry.is_last(step.kind) {
            return 1;
        }
        let whose = step.task.unwrap_or(step.fence.step).as_u128();
        OWN + usize::try_from(whose % (self.shards.len() - OWN) as u128).unwrap_or(0)
    }
}

/// The engine ends shards only when no attempt is left.
fn stopped() -> StoreError {
    StoreError::Unreadable("the engine has stopped writing".into())
}

/// What can be written without a look, and the rest; whatever concerns one task stays together and in its order.
fn apart(items: impl Iterator<Item = Item>) -> (Vec<Item>, Vec<Item>) {
    let task = |item: &Item| item.entry.step.task.unwrap_or(item.entry.step.fence.step);
    let items: Vec<Item> = items.collect();
    let unready: HashSet<_> = items.iter().filter(|item| !item.entry.is_ready()).map(task).collect();
    items.into_iter().partition(|item| !unready.contains(&task(item)))
}

impl WriteShard {
    /// Runs until `stop`, which comes when nothing is in flight any more.
    pub(crate) async fn run(mut self, shared: Arc<Shared>, stop: CancellationToken) {
        let mut items = Vec::with_capacity(GROUP);
        loop {
            let came = tokio::select! {
                () = stop.cancelled() => 0,
                came = self.items.recv_many(&mut items, GROUP) => came,
                () = tokio::time::sleep(RECALL), if !self.doubtful.is_empty() => {
                    // When it fails, the next turn tries again.
                    let _ = self.recall(&shared).await;
                    continue;
                }
            };
            if came == 0 {
                return;
            }
            // Attempts that are about to end come along: a turn of the runtime is shorter than any statement.
            tokio::task::yield_now().await;
            while items.len() < GROUP
                && let Ok(item) = self.items.try_recv()
            {
                items.push(item);
            }
            let (ready, others) = apart(items.drain(..));
            self.write(&shared, ready).await;
            self.write(&shared, others).await;
        }
    }

    /// Writes a group and answers it.
    async fn write(&mut self, shared: &Shared, group: Vec<Item>) {
        if group.is_empty() {
            return;
        }
        let (entries, who): (Vec<Entry>, Vec<_>) =
            group.into_iter().map(|item| (item.entry, (item.lease, item.answer))).unzip();
        let (leases, answers): (Vec<Lease>, Vec<_>) = who.into_iter().unzip();
        for (answer, written) in answers.into_iter().zip(self.answers(shared, &entries, &leases).await) {
            // Whoever does not wait any more has been stopped.
            let _ = answer.send(written);
        }
    }

    async fn answers(&mut self, shared: &Shared, entries: &[Entry], leases: &[Lease]) -> Vec<Answer> {
        if let Err(error) = self.recall(shared).await {
            return vec![Err(error); entries.len()];
        }
        let settings = &shared.settings;
        let mut handover =
            Handover::to(shared.capacity.clone(), settings.kinds.clone(), &settings.worker, settings.lease);
        let written = shared.commits.write(entries, &mut handover).await;
        self.doubtful = written.doubtful;
        if written.was_stale {
            shared.stats.was_stale();
        }
        // The answer says how an attempt ended; whatever else is written of it says nothing.
        let ended = written.answers.iter().zip(leases).filter(|(answer, _)| matches!(answer, Ok(Some(_))));
        ended.filter_map(|(_, lease)| lease.leave()).for_each(|permit| handover.left(permit));
        for (step, last_seen) in written.started {
            let (fence, permit) = (step.fence, handover.permit(step.pool));
            if !shared.launch(step, last_seen, permit) {
                self.doubtful.push(fence);
            }
        }
        drop(handover);
        // What began while the process was told to stop goes back before the answers let it end.
        if let Err(error) = self.recall(shared).await {
            tracing::debug!(%error, "leases of doubtful fate could not be given back; the next write tries again");
        }
        written.answers
    }

    async fn recall(&mut self, shared: &Shared) -> Result<(), StoreError> {
        if !self.doubtful.is_empty() {
            patiently(shared, shared.store().queue().give_back(&self.doubtful)).await?;
            self.doubtful.clear();
        }
        Ok(())
    }
}

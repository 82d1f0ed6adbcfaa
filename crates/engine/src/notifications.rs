//! One LISTEN connection per process, handed out to whoever waits: the claimer, running steps, readers of events.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use galley_domain::task::PoolName;
use galley_store::{Notification, Store, outage};
use tokio::sync::{Notify, broadcast, watch};
use uuid::Uuid;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Stands for every pool.
pub(crate) const EVERYWHERE: PoolName = PoolName::new("*");

type Watched = HashMap<Uuid, watch::Sender<u64>>;

/// Wakes those who wait. Cheap to clone; [`Notifications::run`] does the listening.
#[derive(Debug, Clone)]
pub struct Notifications {
    claimers: Arc<Mutex<Vec<Weak<Claimable>>>>,
    clock: watch::Sender<u64>,
    cancels: broadcast::Sender<Uuid>,
    events: Arc<Mutex<Watched>>,
}

/// What one claimer was told since it looked last.
#[derive(Debug, Default)]
struct Claimable {
    /// Pools in which steps became claimable, each with the lowest rank of them.
    pools: Mutex<BTreeMap<PoolName, i64>>,
    told: Notify,
}

/// Wakes when steps may have become claimable.
#[derive(Debug)]
pub struct StepWatch(Arc<Claimable>);

impl StepWatch {
    pub async fn changed(&mut self) {
        self.0.told.notified().await;
    }

    /// The pools of which something was said since the last call, each with the lowest rank that was named.
    pub fn woken(&mut self) -> BTreeMap<PoolName, i64> {
        std::mem::take(&mut *self.0.pools.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Wakes when a task has a new event.
#[derive(Debug)]
pub struct EventWatch {
    task: Uuid,
    receiver: watch::Receiver<u64>,
    events: Arc<Mutex<Watched>>,
}

impl EventWatch {
    /// Waits for the next word about the task. It may come without a new event.
    pub async fn changed(&mut self) {
        // The sender lives in the map for as long as anyone watches.
        if self.receiver.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for EventWatch {
    fn drop(&mut self) {
        let mut events = lock(&self.events);
        if events.get(&self.task).is_some_and(|sender| sender.receiver_count() <= 1) {
            events.remove(&self.task);
        }
    }
}

/// Wakes when a task is cancelled.
#[derive(Debug)]
pub struct CancelWatch {
    receiver: broadcast::Receiver<Uuid>,
}

impl CancelWatch {
    /// Waits until a task is cancelled; `None` says that any task may have been.
    pub async fn next(&mut self) -> Option<Uuid> {
        match self.receiver.recv().await {
            Ok(task) if !task.is_nil() => Some(task),
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => None,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn lock(events: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    events.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            claimers: Arc::default(),
            clock: watch::Sender::new(0),
            cancels: broadcast::Sender::new(1024),
            events: Arc::new(Mutex::new(HashMap::new())),
        }
    }
}

impl Notifications {
    pub fn steps(&self) -> StepWatch {
        let claimable = Arc::new(Claimable::default());
        let mut claimers = self.claimers.lock().unwrap_or_else(PoisonError::into_inner);
        claimers.retain(|claimer| claimer.strong_count() > 0);
        claimers.push(Arc::downgrade(&claimable));
        drop(claimers);
        StepWatch(claimable)
    }

    fn steps_ready(&self, pool: PoolName, rank: i64) {
        let claimers = self.claimers.lock().unwrap_or_else(PoisonError::into_inner);
        for claimer in claimers.iter().filter_map(Weak::upgrade) {
            let mut pools = claimer.pools.lock().unwrap_or_else(PoisonError::into_inner);
            pools.entry(pool).and_modify(|lowest| *lowest = rank.min(*lowest)).or_insert(rank);
            drop(pools);
            claimer.told.notify_one();
        }
    }

    /// Changes whenever something is to become claimable by the clock.
    pub fn clock(&self) -> watch::Receiver<u64> {
        self.clock.subscribe()
    }

    fn look_at_the_clock(&self) {
        self.clock.send_modify(|count| *count += 1);
    }

    pub fn cancels(&self) -> CancelWatch {
        CancelWatch { receiver: self.cancels.subscribe() }
    }

    pub fn events(&self, task: Uuid) -> EventWatch {
        let receiver = lock(&self.events).entry(task).or_insert_with(|| watch::Sender::new(0)).subscribe();
        EventWatch { task, receiver, events: Arc::clone(&self.events) }
    }

    fn dispatch(&self, notification: Notification) {
        match notification {
            Notification::Steps { pool, rank } => self.steps_ready(pool, rank),
            Notification::Clock => self.look_at_the_clock(),
            // Nobody listening is fine: then nothing runs here.
            Notification::Cancelled { task } => drop(self.cancels.send(task)),
            Notification::Event { task } => {
                if let Some(sender) = lock(&self.events).get(&task) {
                    sender.send_modify(|count| *count += 1);
                }
            }
            Notification::Reconnected => self.anything_may_have_happened(),
        }
    }

    fn anything_may_have_happened(&self) {
        self.steps_ready(EVERYWHERE, i64::MIN);
        self.look_at_the_clock();
        drop(self.cancels.send(Uuid::nil()));
        for sender in lock(&self.events).values() {
            sender.send_modify(|count| *count += 1);
        }
    }

    /// Listens for ever: to this process at once, to the others through the database. A database that is away is waited
    /// for, with growing pauses.
    pub async fn run(self, store: Store) {
        tokio::join!(self.hear_own(store.own_words()), self.hear_others(&store));
    }

    async fn hear_own(&self, mut words: broadcast::Receiver<Arc<[Notification]>>) {
        loop {
            match words.recv().await {
                Ok(said) => said.iter().for_each(|notification| self.dispatch(*notification)),
                Err(broadcast::error::RecvError::Lagged(_)) => self.anything_may_have_happened(),
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    async fn hear_others(&self, store: &Store) {
        let mut pause = FIRST_PAUSE;
        loop {
            match store.listen().await {
                Ok(mut listener) => {
                    pause = FIRST_PAUSE;
                    self.anything_may_have_happened();
                    loop {
                        match listener.next().await {
                            Ok(notification) => self.dispatch(notification),
                            Err(error) => {
                                outage::refused(&error, "lost the connection that listens for wake-ups; trying again");
                                break;
                            }
                        }
                    }
                }
                Err(error) => outage::refused(&error, "cannot listen for wake-ups; trying again"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

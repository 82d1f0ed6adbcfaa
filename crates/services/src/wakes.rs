//! One LISTEN connection per process, handed out to whoever waits: the claimer, running steps, readers of events.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use galley_domain::task::StepKind;
use galley_store::{Store, Wake};
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often steps of a kind became claimable.
type Counts = BTreeMap<StepKind, u64>;
type Watched = HashMap<Uuid, watch::Sender<u64>>;

/// Wakes those who wait. Cheap to clone; [`Wakes::run`] does the listening.
#[derive(Debug, Clone)]
pub struct Wakes {
    steps: watch::Sender<Counts>,
    clock: watch::Sender<u64>,
    cancels: broadcast::Sender<Uuid>,
    events: Arc<Mutex<Watched>>,
}

/// Wakes when steps may have become claimable.
#[derive(Debug)]
pub struct StepWatch {
    receiver: watch::Receiver<Counts>,
    seen: Counts,
}

impl StepWatch {
    pub async fn changed(&mut self) {
        // The sender lives in `Wakes`; whoever waits here has one.
        if self.receiver.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The kinds of which something was said since the last call; all of them at the first.
    pub fn woken(&mut self) -> Vec<StepKind> {
        let counts = self.receiver.borrow_and_update().clone();
        let woken = counts.iter().filter(|(kind, count)| self.seen.get(kind) != Some(count));
        let woken = woken.map(|(kind, _)| *kind).collect();
        self.seen = counts;
        woken
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

impl Default for Wakes {
    fn default() -> Self {
        Self {
            steps: watch::Sender::new(StepKind::ALL.iter().map(|kind| (*kind, 0)).collect()),
            clock: watch::Sender::new(0),
            cancels: broadcast::Sender::new(1024),
            events: Arc::new(Mutex::new(HashMap::new())),
        }
    }
}

impl Wakes {
    pub fn steps(&self) -> StepWatch {
        StepWatch { receiver: self.steps.subscribe(), seen: Counts::new() }
    }

    fn steps_ready(&self, kinds: &[StepKind]) {
        self.steps.send_modify(|counts| {
            for kind in kinds {
                *counts.entry(*kind).or_default() += 1;
            }
        });
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

    fn dispatch(&self, wake: Wake) {
        match wake {
            Wake::Steps { kind } => self.steps_ready(&[kind]),
            Wake::Clock => self.look_at_the_clock(),
            // Nobody listening is fine: then nothing runs here.
            Wake::Cancelled { task } => drop(self.cancels.send(task)),
            Wake::Event { task } => {
                if let Some(sender) = lock(&self.events).get(&task) {
                    sender.send_modify(|count| *count += 1);
                }
            }
            Wake::Reconnected => self.anything_may_have_happened(),
        }
    }

    fn anything_may_have_happened(&self) {
        self.steps_ready(StepKind::ALL);
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

    async fn hear_own(&self, mut words: broadcast::Receiver<Arc<[Wake]>>) {
        loop {
            match words.recv().await {
                Ok(wakes) => wakes.iter().for_each(|wake| self.dispatch(*wake)),
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
                            Ok(wake) => self.dispatch(wake),
                            Err(error) => {
                                tracing::warn!(%error, "lost the connection that listens for wake-ups; trying again");
                                break;
                            }
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot listen for wake-ups; trying again"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

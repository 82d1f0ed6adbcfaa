//! What is said once a transaction stands: to this process at once, to the others over one NOTIFY.
//!
//! NOTIFY inside of the transaction would be simpler and dearer: Postgres lets such transactions commit only one after
//! the other, so that no two of them share a flush to the disk. What a crash swallows between commit and NOTIFY, the
//! slow tick of every process finds.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use galley_domain::task::PoolName;
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

use crate::{db::Db, sql};

pub(crate) const CHANNEL: &str = "galley";
/// Postgres refuses a payload of 8,000 bytes.
const LONGEST_PAYLOAD: usize = 7_500;
/// Transactions that this process may lag behind before its listeners are told that anything may have happened.
const LAG: usize = 1_024;
/// How long words for readers wait for others.
const MOMENT: Duration = Duration::from_millis(5);
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

/// What a transaction said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notification {
    /// Steps of this pool became claimable, none of them below this rank.
    Steps { pool: PoolName, rank: i64 },
    /// A step is to become claimable by the clock, perhaps sooner than anyone expected.
    Clock,
    /// A task was cancelled: its running steps must stop.
    Cancelled { task: Uuid },
    /// A task has a new event.
    Event { task: Uuid },
    /// Words may have been missed; anything may have happened.
    Reconnected,
}

impl Notification {
    fn word(self) -> String {
        match self {
            Self::Steps { pool, rank } => format!("steps:{pool}:{rank}"),
            Self::Clock => "clock".to_owned(),
            Self::Cancelled { task } => format!("cancel:{}", task.simple()),
            Self::Event { task } => format!("event:{}", task.simple()),
            Self::Reconnected => "all".to_owned(),
        }
    }

    fn read(word: &str) -> Option<Self> {
        let task = |id: &str| Uuid::try_parse(id).ok();
        match word.split_once(':') {
            None if word == "clock" => Some(Self::Clock),
            None if word == "all" => Some(Self::Reconnected),
            Some(("steps", rest)) => {
                let (pool, rank) = rest.split_once(':')?;
                Some(Self::Steps { pool: pool.parse().ok()?, rank: rank.parse().ok()? })
            }
            Some(("cancel", id)) => task(id).map(|task| Self::Cancelled { task }),
            Some(("event", id)) => task(id).map(|task| Self::Event { task }),
            _ => None,
        }
    }
}

/// One per process. Ends with its last clone.
#[derive(Debug, Clone)]
pub(crate) struct Announcer {
    origin: Arc<str>,
    local: broadcast::Sender<Arc<[Notification]>>,
    outbox: mpsc::UnboundedSender<Arc<[Notification]>>,
}

impl Announcer {
    pub(crate) fn start(db: Db) -> Self {
        let origin: Arc<str> = Uuid::new_v4().simple().to_string().into();
        let (outbox, words) = mpsc::unbounded_channel();
        tokio::spawn(send(db, Arc::clone(&origin), words));
        Self { origin, local: broadcast::Sender::new(LAG), outbox }
    }

    pub(crate) fn say(&self, notifications: impl IntoIterator<Item = Notification>) {
        let notifications: Arc<[Notification]> = notifications.into_iter().collect();
        if !notifications.is_empty() {
            // Nobody of this process may be listening, and the sender ends only with the process.
            let _ = self.local.send(Arc::clone(&notifications));
            let _ = self.outbox.send(notifications);
        }
    }

    /// What this process says, without the way through the database: all that one transaction said at once.
    pub(crate) fn local(&self) -> broadcast::Receiver<Arc<[Notification]>> {
        self.local.subscribe()
    }

    /// Tells own words from others' on the way back.
    pub(crate) fn origin(&self) -> Arc<str> {
        Arc::clone(&self.origin)
    }
}

/// What waits to be sent, said once: of a pool only its lowest rank.
#[derive(Debug, Default)]
struct Pending {
    pools: HashMap<PoolName, i64>,
    others: HashSet<Notification>,
}

impl Pending {
    fn extend(&mut self, notifications: &[Notification]) {
        for notification in notifications {
            if let Notification::Steps { pool, rank } = *notification {
                self.pools.entry(pool).and_modify(|lowest| *lowest = rank.min(*lowest)).or_insert(rank);
            } else {
                self.others.insert(*notification);
            }
        }
    }

    fn words(&self) -> impl Iterator<Item = Notification> + '_ {
        let pools = self.pools.iter().map(|(pool, rank)| Notification::Steps { pool: *pool, rank: *rank });
        pools.chain(self.others.iter().copied())
    }
}

/// Collects while it sends: what is said a hundred times meanwhile goes out once. Words for readers wait a moment for
/// others; those for workers do not.
async fn send(db: Db, origin: Arc<str>, mut words: mpsc::UnboundedReceiver<Arc<[Notification]>>) {
    while let Some(first) = words.recv().await {
        let mut urgent = is_urgent(&first);
        let mut pending = Pending::default();
        pending.extend(&first);
        let moment = tokio::time::Instant::now() + MOMENT;
        while !urgent && let Ok(Some(more)) = tokio::time::timeout_at(moment, words.recv()).await {
            urgent = is_urgent(&more);
            pending.extend(&more);
        }
        for tried in 1..=TRIES {
            while let Ok(more) = words.try_recv() {
                pending.extend(&more);
            }
            match notify(&db, &payloads(&origin, pending.words())).await {
                Ok(()) => break,
                Err(error) if tried == TRIES => {
                    tracing::debug!(%error, "other processes were not woken; their tick will find it");
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// Readers may hear of an event a little later, workers of a step may not.
fn is_urgent(notifications: &[Notification]) -> bool {
    !notifications.iter().all(|notification| matches!(notification, Notification::Event { .. }))
}

async fn notify(db: &Db, payloads: &[String]) -> Result<(), crate::StoreError> {
    let values = [CHANNEL.into(), payloads.to_vec().into()];
    sql::execute(db, "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload", values).await?;
    Ok(())
}

/// The origin and as many words behind it as fit, several times if need be.
fn payloads(origin: &str, notifications: impl IntoIterator<Item = Notification>) -> Vec<String> {
    let mut payloads = vec![origin.to_owned()];
    for notification in notifications {
        let word = notification.word();
        let last = payloads.last_mut().filter(|last| last.len() + word.len() < LONGEST_PAYLOAD);
        match last {
            Some(last) => *last += &format!(" {word}"),
            None => payloads.push(format!("{origin} {word}")),
        }
    }
    payloads
}

/// The words of another process; none of this one's.
pub(crate) fn heard(origin: &str, payload: &str) -> Vec<Notification> {
    let mut words = payload.split(' ');
    if words.next() == Some(origin) {
        return Vec::new();
    }
    words.filter_map(Notification::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_way_through_the_database_and_own_ones_are_passed_over() {
        let task = Uuid::from_u128(7);
        let steps = Notification::Steps { pool: PoolName::new("models"), rank: -7 };
        let said = [
            steps,
            Notification::Clock,
            Notification::Cancelled { task },
            Notification::Event { task },
            Notification::Reconnected,
        ];
        let payloads = payloads("me", said);
        let [payload] = payloads.as_slice() else { panic!("one payload, not {payloads:?}") };
        assert_eq!(heard("you", payload).into_iter().collect::<HashSet<_>>(), HashSet::from(said));
        assert_eq!(heard("me", payload), []);
        assert_eq!(heard("you", "me nonsense event:x steps:tea steps:tea:x"), []);
    }

    #[test]
    fn of_a_pool_the_lowest_rank_is_said() {
        let pool = PoolName::new("models");
        let mut pending = Pending::default();
        pending.extend(&[9, 3, 5].map(|rank| Notification::Steps { pool, rank }));
        assert_eq!(pending.words().collect::<Vec<_>>(), [Notification::Steps { pool, rank: 3 }]);
    }

    #[test]
    fn many_words_are_split_below_the_longest_payload() {
        let said: HashSet<Notification> =
            (0..2_000).map(|n| Notification::Event { task: Uuid::from_u128(n) }).collect();
        let payloads = payloads("origin", said.iter().copied());
        assert!(payloads.iter().all(|payload| payload.len() < 8_000));
        let back: HashSet<Notification> = payloads.iter().flat_map(|payload| heard("other", payload)).collect();
        assert_eq!(back, said);
    }
}

//! Reads that many ask for at once: who holds a key, how far a task is, what happened in it.
//!
//! What is asked while one statement is on its way goes with the next one, for all who ask. A lonely question does not
//! wait, an answer is never older than its question, and a thousand readers cost a few statements instead of a thousand.

mod sources;

use std::{collections::HashMap, future::Future, hash::Hash, sync::Arc, time::Duration};

use galley_domain::{OrgId, Principal};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::{db::Db, entity::events, error::StoreError, task_state::TaskHead};
use sources::{EventTokens, Events, Following, Keys, Known, Poll, Polled, Polls, Principals, Tasks};

/// The most questions of one statement.
const MOST: usize = 128;
/// Questions that wait before those who bring more have to wait too.
const QUEUE: usize = 1_024;
/// How long one statement may be on its way.
const PATIENCE: Duration = Duration::from_secs(10);

type Answer<V> = Result<V, StoreError>;

struct Question<K, V> {
    key: K,
    answer: oneshot::Sender<Answer<Option<V>>>,
}

/// Where answers come from.
trait Source: Send + Sync + 'static {
    type Key: Clone + Ord + Hash + Send + Sync + 'static;
    type Value: Clone + Send + Sync + 'static;

    /// What is known of these keys, each of which is there once.
    fn read(&self, keys: Vec<Self::Key>) -> impl Future<Output = Answer<HashMap<Self::Key, Self::Value>>> + Send;
}

/// Gathers questions of one kind. Ends with its last clone.
#[derive(Debug)]
struct Gathered<K, V>(mpsc::Sender<Question<K, V>>);

impl<K, V> Clone for Gathered<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Gathered<K, V> {
    fn start<S: Source<Key = K, Value = V>>(source: S) -> Self
    where
        K: Send + 'static,
        V: Send + 'static,
    {
        let (questions, mut asked) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(MOST);
            while gather(&mut asked, &mut batch).await {
                answer(&source, &mut batch).await;
            }
        });
        Self(questions)
    }

    async fn ask(&self, key: K) -> Answer<Option<V>> {
        let (answer, answered) = oneshot::channel();
        let ended = || StoreError::Unreadable("nobody reads any more".into());
        self.0.send(Question { key, answer }).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

/// Waits for a question and takes what else is there; false when nobody can ask any more.
async fn gather<K, V>(asked: &mut mpsc::Receiver<Question<K, V>>, batch: &mut Vec<Question<K, V>>) -> bool {
    if asked.recv_many(batch, MOST).await == 0 {
        return false;
    }
    // Whoever is ready to ask asks first: a turn of the runtime is shorter than any statement, and without it the groups
    // are a few questions each, however many there are.
    tokio::task::yield_now().await;
    while batch.len() < MOST
        && let Ok(question) = asked.try_recv()
    {
        batch.push(question);
    }
    true
}

async fn answer<S: Source>(source: &S, batch: &mut Vec<Question<S::Key, S::Value>>) {
    batch.retain(|question| !question.answer.is_closed());
    if batch.is_empty() {
        return;
    }
    let mut keys: Vec<_> = batch.iter().map(|question| question.key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    // A connection can be dead without a word; nobody waits for ever because of it.
    let found = tokio::time::timeout(PATIENCE, source.read(keys)).await.unwrap_or(Err(StoreError::Silent(PATIENCE)));
    for Question { key, answer } in batch.drain(..) {
        let found = found.as_ref().map(|found| found.get(&key).cloned()).map_err(Clone::clone);
        // Whoever does not wait any more does not want to know.
        let _ = answer.send(found);
    }
}

/// A task, if there is one.
pub type Task = Answer<Option<Arc<TaskHead>>>;

/// What a token for events opens, and the key that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventReader {
    pub org: OrgId,
    pub task: Uuid,
    pub key: Uuid,
}

/// The reads of one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reads {
    principals: Gathered<Vec<u8>, Arc<Answer<Known>>>,
    polls: Gathered<Poll, Arc<Polled>>,
    keys: Gathered<(Uuid, Uuid), ()>,
    event_tokens: Gathered<Vec<u8>, EventReader>,
    tasks: Gathered<(Uuid, Uuid), Arc<TaskHead>>,
    events: Gathered<Following, Arc<[events::Model]>>,
}

impl Reads {
    pub(crate) fn start(db: &Db) -> Self {
        Self {
            principals: Gathered::start(Principals(db.clone())),
            polls: Gathered::start(Polls(db.clone())),
            keys: Gathered::start(Keys(db.clone())),
            event_tokens: Gathered::start(EventTokens(db.clone())),
            tasks: Gathered::start(Tasks(db.clone())),
            events: Gathered::start(Events(db.clone())),
        }
    }

    /// Who holds the key with this hash, if it is in force; marks it as used (at most once a minute).
    pub async fn principal_by_key(&self, hash: Vec<u8>) -> Result<Option<Principal>, StoreError> {
        let Some(found) = self.principals.ask(hash).await? else { return Ok(None) };
        Ok(found.as_ref().as_ref().map_err(Clone::clone)?.principal())
    }

    /// The same, with the task of theirs that has this id, if there is one. A task that cannot be read leaves the principal
    /// who they are.
    pub async fn poll(&self, hash: Vec<u8>, task: Uuid) -> Result<Option<(Principal, Task)>, StoreError> {
        let Some(polled) = self.polls.ask((hash, task)).await? else { return Ok(None) };
        let principal = polled.key.as_ref().map_err(Clone::clone)?.principal();
        Ok(principal.map(|principal| (principal, polled.task.clone())))
    }

    /// False when the key is revoked, expired or not there.
    pub async fn key_in_force(&self, org: OrgId, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.keys.ask((org.0, id)).await?.is_some())
    }

    /// Who made the token with this hash, while it and their key are in force.
    pub async fn event_token(&self, hash: Vec<u8>) -> Result<Option<EventReader>, StoreError> {
        self.event_tokens.ask(hash).await
    }

    pub async fn task(&self, org: OrgId, id: Uuid) -> Result<Option<Arc<TaskHead>>, StoreError> {
        self.tasks.ask((org.0, id)).await
    }

    /// The next events of a task behind this number, some hundred at the most.
    pub async fn events_after(&self, org: OrgId, task: Uuid, seq: i64) -> Result<Arc<[events::Model]>, StoreError> {
        Ok(self.events.ask((org.0, task, seq)).await?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::Notify;

    use super::*;

    type Asked = Arc<Mutex<Vec<Vec<u32>>>>;

    /// A source that notes what it is asked and answers when it may.
    struct Noting {
        asked: Asked,
        go: Arc<Notify>,
    }

    impl Source for Noting {
        type Key = u32;
        type Value = u32;

        async fn read(&self, keys: Vec<u32>) -> Answer<HashMap<u32, u32>> {
            self.asked.lock().expect("not poisoned").push(keys.clone());
            self.go.notified().await;
            match keys.contains(&13) {
                true => Err(StoreError::Silent(Duration::ZERO)),
                false => Ok(keys.into_iter().filter(|key| key % 2 == 0).map(|key| (key, key * 10)).collect()),
            }
        }
    }

    fn source() -> (Gathered<u32, u32>, Asked, Arc<Notify>) {
        let (asked, go) = (Asked::default(), Arc::<Notify>::default());
        (Gathered::start(Noting { asked: Arc::clone(&asked), go: Arc::clone(&go) }), asked, go)
    }

    #[tokio::test]
    async fn what_is_asked_meanwhile_goes_together_and_each_gets_its_own_answer() {
        let (gathered, asked, go) = source();
        let ask = |key| {
            let gathered = gathered.clone();
            tokio::spawn(async move { gathered.ask(key).await })
        };
        let first = ask(2);
        while asked.lock().expect("not poisoned").is_empty() {
            tokio::task::yield_now().await;
        }
        let later: Vec<_> = [4, 5, 4].into_iter().map(ask).collect();
        let gone = ask(6);
        while gathered.0.capacity() > QUEUE - 4 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        assert!(gone.await.is_err());
        go.notify_one();
        assert_eq!(first.await.expect("ran").expect("read"), Some(20));
        go.notify_one();
        let mut answers = Vec::new();
        for answer in later {
            answers.push(answer.await.expect("ran").expect("read"));
        }
        assert_eq!(answers, [Some(40), None, Some(40)]);
        assert_eq!(*asked.lock().expect("not poisoned"), [vec![2], vec![4, 5]]);
    }

    #[tokio::test]
    async fn an_error_reaches_all_who_asked_and_the_next_are_answered() {
        let (gathered, _, go) = source();
        go.notify_one();
        assert!(matches!(gathered.ask(13).await, Err(StoreError::Silent(_))));
        go.notify_one();
        assert_eq!(gathered.ask(2).await.expect("read"), Some(20));
    }
}

//! Reads that many ask for at once: who holds a key, how far a task is, what happened in it.
//!
//! What is asked while one statement is on its way goes with the next one, for all who ask. A lonely question does not
//! wait, an answer is never older than its question, and a thousand readers cost a few statements instead of a thousand.

use std::{collections::HashMap, future::Future, hash::Hash, time::Duration};

use chrono::Utc;
use galley_domain::{Caller, OrgId};
use sea_orm::{DatabaseConnection, FromQueryResult};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::{
    entity::{api_keys, events, tasks},
    error::StoreError,
    sql,
};

/// The most questions of one statement.
const MOST: usize = 128;
/// Questions that wait before those who bring more have to wait too.
const QUEUE: usize = 1_024;
/// How long one statement may be on its way.
const PATIENCE: Duration = Duration::from_secs(10);
/// Events of one task that are read at once.
const EVENTS_AT_ONCE: usize = 200;

type Answer<V> = Result<V, StoreError>;

struct Question<K, V> {
    key: K,
    answer: oneshot::Sender<Answer<Option<V>>>,
}

/// Gathers questions of one kind. Ends with its last clone.
#[derive(Debug)]
struct Gathered<K, V>(mpsc::Sender<Question<K, V>>);

impl<K, V> Clone for Gathered<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Gathered<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn of<F, Fut>(db: &DatabaseConnection, read: F) -> Self
    where
        F: Fn(DatabaseConnection, Vec<K>) -> Fut + Send + 'static,
        Fut: Future<Output = Answer<HashMap<K, V>>> + Send,
    {
        let db = db.clone();
        Self::start(move |keys| read(db.clone(), keys))
    }

    fn start<F, Fut>(read: F) -> Self
    where
        F: Fn(Vec<K>) -> Fut + Send + 'static,
        Fut: Future<Output = Answer<HashMap<K, V>>> + Send,
    {
        let (questions, mut asked) = mpsc::channel::<Question<K, V>>(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(MOST);
            while asked.recv_many(&mut batch, MOST).await > 0 {
                batch.retain(|question| !question.answer.is_closed());
                if batch.is_empty() {
                    continue;
                }
                let reading = read(batch.iter().map(|question| question.key.clone()).collect());
                // A connection can be dead without a word; nobody waits for ever because of it.
                let found = tokio::time::timeout(PATIENCE, reading).await.unwrap_or(Err(StoreError::Silent(PATIENCE)));
                for Question { key, answer } in batch.drain(..) {
                    let found = found.as_ref().map(|found| found.get(&key).cloned()).map_err(Clone::clone);
                    // Whoever does not wait any more does not want to know.
                    let _ = answer.send(found);
                }
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

/// The reads of one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reads {
    callers: Gathered<Vec<u8>, api_keys::Model>,
    keys: Gathered<(Uuid, Uuid), ()>,
    tasks: Gathered<(Uuid, Uuid), tasks::Model>,
    events: Gathered<(Uuid, Uuid, i64), Vec<events::Model>>,
}

impl Reads {
    pub(crate) fn start(db: &DatabaseConnection) -> Self {
        Self {
            callers: Gathered::of(db, read_callers),
            keys: Gathered::of(db, read_keys),
            tasks: Gathered::of(db, read_tasks),
            events: Gathered::of(db, read_events),
        }
    }

    /// Who holds the key with this hash, if it is in force; marks it as used (at most once a minute).
    pub async fn caller_by_key(&self, hash: Vec<u8>) -> Result<Option<Caller>, StoreError> {
        let found = self.callers.ask(hash).await?;
        let Some(key) = found.filter(|key| key.expires_at.is_none_or(|end| end > Utc::now())) else { return Ok(None) };
        Ok(Some(Caller {
            org: OrgId(key.org_id),
            key: key.id,
            permissions: key.permissions.iter().map(|word| word.parse()).collect::<Result<_, _>>()?,
            scopes: key.scopes.iter().map(|word| word.parse()).collect::<Result<_, _>>()?,
        }))
    }

    /// False when the key is revoked, expired or not there.
    pub async fn key_in_force(&self, org: OrgId, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.keys.ask((org.0, id)).await?.is_some())
    }

    pub async fn task(&self, org: OrgId, id: Uuid) -> Result<Option<tasks::Model>, StoreError> {
        self.tasks.ask((org.0, id)).await
    }

    /// The next events of a task behind this number, some hundred at the most.
    pub async fn events_after(&self, org: OrgId, task: Uuid, seq: i64) -> Result<Vec<events::Model>, StoreError> {
        Ok(self.events.ask((org.0, task, seq)).await?.unwrap_or_default())
    }
}

async fn read_callers(db: DatabaseConnection, hashes: Vec<Vec<u8>>) -> Answer<HashMap<Vec<u8>, api_keys::Model>> {
    let found = sql::rows::<api_keys::Model>(
        &db,
        "SELECT k.* FROM api_keys k WHERE k.hash = ANY($1::bytea[]) AND k.revoked_at IS NULL",
        [hashes.into()],
    )
    .await?;
    let stale = Utc::now() - chrono::Duration::minutes(1);
    let used: Vec<Uuid> =
        found.iter().filter(|key| key.last_used_at.is_none_or(|last| last < stale)).map(|key| key.id).collect();
    if !used.is_empty() {
        sql::execute(&db, "UPDATE api_keys SET last_used_at = now() WHERE id = ANY($1)", [used.into()]).await?;
    }
    Ok(found.into_iter().map(|key| (key.hash.clone(), key)).collect())
}

async fn read_keys(db: DatabaseConnection, pairs: Vec<(Uuid, Uuid)>) -> Answer<HashMap<(Uuid, Uuid), ()>> {
    let (orgs, ids): (Vec<Uuid>, Vec<Uuid>) = pairs.into_iter().unzip();
    let rows = sql::all(
        &db,
        "SELECT k.org_id, k.id FROM api_keys k
         WHERE k.id = ANY($2::uuid[]) AND (k.org_id, k.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
            AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())",
        [orgs.into(), ids.into()],
    )
    .await?;
    rows.iter().map(|row| Ok(((row.try_get("", "org_id")?, row.try_get("", "id")?), ()))).collect()
}

async fn read_tasks(db: DatabaseConnection, pairs: Vec<(Uuid, Uuid)>) -> Answer<HashMap<(Uuid, Uuid), tasks::Model>> {
    let (orgs, ids): (Vec<Uuid>, Vec<Uuid>) = pairs.into_iter().unzip();
    let found = sql::rows::<tasks::Model>(
        &db,
        "SELECT t.* FROM tasks t
         WHERE t.id = ANY($2::uuid[]) AND (t.org_id, t.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))",
        [orgs.into(), ids.into()],
    )
    .await?;
    Ok(found.into_iter().map(|task| ((task.org_id, task.id), task)).collect())
}

type Following = (Uuid, Uuid, i64);

async fn read_events(
    db: DatabaseConnection,
    mut asked: Vec<Following>,
) -> Answer<HashMap<Following, Vec<events::Model>>> {
    asked.sort_unstable();
    asked.dedup();
    let rows = sql::all(
        &db,
        "SELECT e.*, w.after FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS w(org, task, after)
         CROSS JOIN LATERAL (
            SELECT * FROM events e
            WHERE e.org_id = w.org AND e.task_id = w.task AND e.group_seq > w.after AND e.seq > w.after
            ORDER BY e.group_seq, e.seq LIMIT $4) e
         ORDER BY e.task_id, w.after, e.seq",
        [
            asked.iter().map(|(org, _, _)| *org).collect::<Vec<_>>().into(),
            asked.iter().map(|(_, task, _)| *task).collect::<Vec<_>>().into(),
            asked.iter().map(|(_, _, after)| *after).collect::<Vec<_>>().into(),
            i64::try_from(EVENTS_AT_ONCE).unwrap_or(i64::MAX).into(),
        ],
    )
    .await?;
    let mut found = HashMap::<Following, Vec<events::Model>>::new();
    for row in rows {
        let event = events::Model::from_query_result(&row, "")?;
        found.entry((event.org_id, event.task_id, row.try_get("", "after")?)).or_default().push(event);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::sync::Notify;

    use super::*;

    type Asked = Arc<Mutex<Vec<Vec<u32>>>>;

    /// A source that notes what it is asked and answers when it may.
    fn source() -> (Gathered<u32, u32>, Asked, Arc<Notify>) {
        let (asked, go) = (Asked::default(), Arc::<Notify>::default());
        let (noted, going) = (Arc::clone(&asked), Arc::clone(&go));
        let read = move |keys: Vec<u32>| {
            noted.lock().expect("not poisoned").push(keys.clone());
            let going = Arc::clone(&going);
            async move {
                going.notified().await;
                match keys.contains(&13) {
                    true => Err(StoreError::Silent(Duration::ZERO)),
                    false => Ok(keys.into_iter().filter(|key| key % 2 == 0).map(|key| (key, key * 10)).collect()),
                }
            }
        };
        (Gathered::start(read), asked, go)
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
        assert_eq!(*asked.lock().expect("not poisoned"), [vec![2], vec![4, 5, 4]]);
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

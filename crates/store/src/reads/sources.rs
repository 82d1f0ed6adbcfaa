//! Where the answers of gathered reads come from: a statement for each kind of question.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use chrono::Utc;
use galley_domain::{OrgId, Principal, Who};
use sea_orm::{FromQueryResult, QueryResult};
use uuid::Uuid;

use super::{Answer, EventReader, Source};
use crate::{
    db::Db,
    entity::{api_keys, events},
    sql,
    task_state::TaskHead,
};

/// Events of one task that are read at once.
const EVENTS_AT_ONCE: i64 = 200;

/// A key that was looked up, and whose it is unless it has expired.
#[derive(Debug, Clone)]
pub(super) struct Known {
    principal: Principal,
    expires_at: Option<chrono::DateTime<Utc>>,
}

impl Known {
    pub(super) fn principal(&self) -> Option<Principal> {
        self.expires_at.is_none_or(|end| end > Utc::now()).then(|| self.principal.clone())
    }
}

/// What is asked by who polls a task: the hash of their key, and the task.
pub(super) type Poll = (Vec<u8>, Uuid);

/// A key that was looked up, and the task of its holder that was asked for, if there is one. What cannot be read of the
/// one says nothing about the other.
#[derive(Debug, Clone)]
pub(super) struct Polled {
    pub key: Answer<Known>,
    pub task: Answer<Option<Arc<TaskHead>>>,
}

/// Notes that these keys are used; at most once a minute.
async fn mark_used(db: &Db, keys: &[api_keys::Model]) -> Answer<()> {
    let stale = Utc::now() - chrono::Duration::minutes(1);
    let used: Vec<Uuid> =
        keys.iter().filter(|key| key.last_used_at.is_none_or(|last| last < stale)).map(|key| key.id).collect();
    if !used.is_empty() {
        sql::execute(db, "UPDATE api_keys SET last_used_at = now() WHERE id = ANY($1)", [used.into()]).await?;
    }
    Ok(())
}

pub(super) struct Principals(pub Db);

impl Source for Principals {
    type Key = Vec<u8>;
    type Value = Arc<Answer<Known>>;

    async fn read(&self, hashes: Vec<Vec<u8>>) -> Answer<HashMap<Vec<u8>, Arc<Answer<Known>>>> {
        let statement = "SELECT k.* FROM api_keys k WHERE k.hash = ANY($1::bytea[]) AND k.revoked_at IS NULL";
        let found: Vec<api_keys::Model> = sql::rows(&self.0, statement, [hashes.into()]).await?;
        mark_used(&self.0, &found).await?;
        // One that cannot be read is its owner's trouble, and nobody's who asked at the same time.
        Ok(found.into_iter().map(|key| (key.hash.clone(), Arc::new(known(&key)))).collect())
    }
}

fn known(key: &api_keys::Model) -> Answer<Known> {
    let principal = Principal {
        org: OrgId(key.org_id),
        who: Who::Key(key.id),
        permissions: key.permissions.iter().map(|word| word.parse()).collect::<Result<_, _>>()?,
        scopes: key.scopes.iter().map(|word| word.parse()).collect::<Result<_, _>>()?,
    };
    Ok(Known { principal, expires_at: key.expires_at })
}

pub(super) struct Polls(pub Db);

/// Prefix of the task's columns in the answer.
const TASK: &str = "task_";

/// The task is looked up under the tenant of the key: nobody else's is found.
static POLLS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT w.task AS asked, k.*, {columns} FROM unnest($1::bytea[], $2::uuid[]) AS w(hash, task)
            JOIN api_keys k ON k.hash = ANY($1::bytea[]) AND k.hash = w.hash AND k.revoked_at IS NULL
            LEFT JOIN tasks t ON t.id = ANY($2::uuid[]) AND t.org_id = k.org_id AND t.id = w.task",
        columns = TaskHead::columns(TASK)
    )
});

impl Source for Polls {
    type Key = Poll;
    type Value = Arc<Polled>;

    async fn read(&self, polls: Vec<Poll>) -> Answer<HashMap<Poll, Arc<Polled>>> {
        let (hashes, ids): (Vec<Vec<u8>>, Vec<Uuid>) = polls.into_iter().unzip();
        let (mut found, mut keys) = (HashMap::new(), Vec::new());
        for row in sql::all(&self.0, &POLLS, [hashes.into(), ids.into()]).await? {
            let key = api_keys::Model::from_query_result(&row, "")?;
            let polled = Polled { key: known(&key), task: polled(&row) };
            found.insert((key.hash.clone(), row.try_get("", "asked")?), Arc::new(polled));
            keys.push(key);
        }
        mark_used(&self.0, &keys).await?;
        Ok(found)
    }
}

fn polled(row: &QueryResult) -> Answer<Option<Arc<TaskHead>>> {
    match row.try_get::<Option<Uuid>>(TASK, "id")? {
        Some(_) => Ok(Some(Arc::new(TaskHead::from_query_result(row, TASK)?))),
        None => Ok(None),
    }
}

pub(super) struct Keys(pub Db);

impl Source for Keys {
    type Key = (Uuid, Uuid);
    type Value = ();

    async fn read(&self, pairs: Vec<(Uuid, Uuid)>) -> Answer<HashMap<(Uuid, Uuid), ()>> {
        let (orgs, ids): (Vec<Uuid>, Vec<Uuid>) = pairs.into_iter().unzip();
        let statement = "SELECT k.org_id, k.id FROM api_keys k
             WHERE k.id = ANY($2::uuid[]) AND (k.org_id, k.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
                AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())";
        let rows = sql::all(&self.0, statement, [orgs.into(), ids.into()]).await?;
        rows.into_iter().map(|row| Ok(((row.try_get("", "org_id")?, row.try_get("", "id")?), ()))).collect()
    }
}

pub(super) struct EventTokens(pub Db);

impl Source for EventTokens {
    type Key = Vec<u8>;
    type Value = EventReader;

    async fn read(&self, hashes: Vec<Vec<u8>>) -> Answer<HashMap<Vec<u8>, EventReader>> {
        let statement = "SELECT t.hash, t.org_id, t.task_id, t.key_id FROM event_tokens t
             JOIN api_keys k ON k.org_id = t.org_id AND k.id = t.key_id
             WHERE t.hash = ANY($1::bytea[]) AND t.expires_at > now()
                AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())";
        let rows = sql::all(&self.0, statement, [hashes.into()]).await?;
        let reader = |row: QueryResult| {
            let org = OrgId(row.try_get("", "org_id")?);
            let reader = EventReader { org, task: row.try_get("", "task_id")?, key: row.try_get("", "key_id")? };
            Ok((row.try_get("", "hash")?, reader))
        };
        rows.into_iter().map(reader).collect()
    }
}

pub(super) struct Tasks(pub Db);

static TASKS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {columns} FROM tasks t
            WHERE t.id = ANY($2::uuid[]) AND (t.org_id, t.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))",
        columns = TaskHead::columns("")
    )
});

impl Source for Tasks {
    type Key = (Uuid, Uuid);
    type Value = Arc<TaskHead>;

    async fn read(&self, pairs: Vec<(Uuid, Uuid)>) -> Answer<HashMap<(Uuid, Uuid), Arc<TaskHead>>> {
        let (orgs, ids): (Vec<Uuid>, Vec<Uuid>) = pairs.into_iter().unzip();
        let found: Vec<TaskHead> = sql::rows(&self.0, &TASKS, [orgs.into(), ids.into()]).await?;
        Ok(found.into_iter().map(|task| ((task.org_id, task.id), Arc::new(task))).collect())
    }
}

/// Organization, task, and the number behind which its events are asked for.
pub(super) type Following = (Uuid, Uuid, i64);

pub(super) struct Events(pub Db);

impl Source for Events {
    type Key = Following;
    type Value = Arc<[events::Model]>;

    async fn read(&self, asked: Vec<Following>) -> Answer<HashMap<Following, Arc<[events::Model]>>> {
        let statement = "SELECT e.*, w.after FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS w(org, task, after)
             CROSS JOIN LATERAL (
                SELECT * FROM events e
                WHERE e.org_id = w.org AND e.task_id = w.task AND e.group_seq > w.after AND e.seq > w.after
                ORDER BY e.group_seq, e.seq LIMIT $4) e
             ORDER BY e.task_id, w.after, e.seq";
        let values = [
            sql::column(&asked, |(org, _, _)| *org),
            sql::column(&asked, |(_, task, _)| *task),
            sql::column(&asked, |(_, _, after)| *after),
            EVENTS_AT_ONCE.into(),
        ];
        let mut found = HashMap::<Following, Vec<events::Model>>::new();
        for row in sql::all(&self.0, statement, values).await? {
            let event = events::Model::from_query_result(&row, "")?;
            found.entry((event.org_id, event.task_id, row.try_get("", "after")?)).or_default().push(event);
        }
        Ok(found.into_iter().map(|(following, events)| (following, events.into())).collect())
    }
}

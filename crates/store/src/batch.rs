//! What workers write about many attempts in one transaction: every statement takes all of its rows at once.
//!
//! What nearly every group writes travels as columns (`advance.rs`), what is rarer as one JSON parameter. Statements name
//! what they touch once more by its ids, `= ANY($n)`: with that the index is the way to it, whatever else the statement
//! joins.

mod advance;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use galley_domain::{OrgId, task::StepKind, usage::Usage};
use sea_orm::FromQueryResult;
use serde::Serialize;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    announce::Wake,
    articles::{NewVersion, hold_names, save_versions},
    error::StoreError,
    queue::{ClaimedStep, Fence},
    scope::{TenantTx, Tx},
    sources::StoredClaim,
    sql::{self, column},
    usage,
};

/// One transaction over steps of many tenants.
#[derive(Debug)]
pub struct StepsTx {
    tx: Tx,
    tenants: BTreeMap<Uuid, TenantTx>,
    /// The tasks as this transaction has found or left them.
    seen: Left,
}

/// Tasks as they were left, which may be a while ago.
pub type Left = HashMap<Uuid, Arc<TaskState>>;

/// The tasks of a batch, and which leases hold.
#[derive(Debug, Default)]
pub struct Standing {
    pub tasks: HashMap<Uuid, TaskState>,
    pub fences: HashSet<Fence>,
}

/// What steps read and change of their task.
#[derive(Debug, Clone, FromQueryResult)]
pub struct TaskState {
    pub id: Uuid,
    pub org_id: Uuid,
    pub status: String,
    pub article_id: Option<Uuid>,
    pub rank: i64,
    pub run: i32,
    pub sources_run: i32,
    pub event_seq: i64,
    pub progress: i16,
    pub current_step: Option<String>,
    pub steps_completed: Vec<String>,
    pub fan_open: i32,
    pub fan_total: i32,
    pub warnings: Json,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub trace_id: String,
}

/// Rows to write. They are written only if the tasks have not changed since they were found and the leases hold.
#[derive(Debug, Default)]
pub struct Changes {
    pub done: Vec<Done>,
    pub delayed: Vec<Delay>,
    pub events: Vec<NewEvent>,
    pub tasks: BTreeMap<Uuid, Arc<TaskState>>,
    pub steps: Vec<NewStep>,
    /// Runs that are paid for now.
    pub settled: Vec<Settlement>,
    /// Articles whose text is there.
    pub ready: Vec<(OrgId, Uuid)>,
    pub versions: Vec<NewVersion>,
    /// What is claimed in a version of an article.
    pub claims: Vec<(OrgId, Uuid, i32, Vec<StoredClaim>)>,
    /// What attempts have used.
    pub usage: Vec<(ClaimedStep, Vec<Usage>)>,
}

/// A text to save: whose, of which article, under which name if nobody else has it.
#[derive(Debug, Clone)]
pub struct Naming {
    pub org: OrgId,
    pub article: Uuid,
    pub slug: String,
}

/// Articles under their locks.
#[derive(Debug, Default)]
pub struct LockedArticles {
    pub articles: HashMap<Uuid, LockedArticle>,
    /// Those whose wanted name another article has.
    pub named_like_others: HashSet<Uuid>,
}

/// What stands about an article before its next text.
#[derive(Debug, Clone, FromQueryResult)]
pub struct LockedArticle {
    pub id: Uuid,
    pub status: String,
    pub version: i32,
    pub published_at: Option<DateTime<Utc>>,
}

/// A step that ended well.
#[derive(Debug)]
pub struct Done {
    pub step: Uuid,
    pub lease: Uuid,
    pub output: Json,
}

/// A step that is to run later.
#[derive(Debug, Serialize)]
pub struct Delay {
    pub step: Uuid,
    pub lease: Uuid,
    pub seconds: f64,
    /// None gives the attempt back: nothing went wrong.
    pub error_code: Option<&'static str>,
    pub error_message: Option<String>,
}

/// The next event of a task that is among those to be written: its `event_seq` counts them.
#[derive(Debug)]
pub struct NewEvent {
    pub task: Uuid,
    pub told: Told,
}

#[derive(Debug)]
pub struct Told {
    /// A plain word: it needs no escapes in JSON.
    pub kind: &'static str,
    /// The text of a JSON object.
    pub data: String,
}

/// A step to add to its task's current run.
#[derive(Debug)]
pub struct NewStep {
    pub id: Uuid,
    pub org: Uuid,
    pub task: Uuid,
    pub run: i32,
    pub kind: StepKind,
    pub position: i32,
    pub rank: i64,
    pub max_attempts: u32,
    pub trace_id: String,
    /// None leaves the step to whoever claims it.
    pub started: Option<Started>,
}

/// A step that begins with the transaction that adds it: as if it had been claimed in the same moment.
#[derive(Debug)]
pub struct Started {
    pub lease: Uuid,
    pub worker: String,
    pub seconds: f64,
}

/// A hold that becomes a charge.
#[derive(Debug, Serialize)]
pub struct Settlement {
    /// Of the ledger entry.
    pub id: Uuid,
    pub org: Uuid,
    pub task: Uuid,
    pub run: i32,
    pub note: &'static str,
}

/// A task is locked before its steps; whatever waited for a lock looks again at what stands then.
const LOCK: &str = "
WITH locked AS MATERIALIZED (
    SELECT t.id, t.org_id, t.status, t.article_id, t.rank, t.run, t.sources_run, t.event_seq, t.progress, t.current_step,
        t.steps_completed, t.fan_open, t.fan_total, t.warnings, t.error_code, t.error_message, t.trace_id
    FROM tasks t
    WHERE t.id = ANY($2::uuid[]) AND (t.org_id, t.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
    ORDER BY t.id FOR UPDATE OF t),
leased AS MATERIALIZED (
    SELECT s.id, s.task_id, s.lease FROM steps s
    WHERE s.id = ANY($3::uuid[])
        AND (s.org_id, s.task_id, s.id, s.lease) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]))
        AND (SELECT count(*) FROM locked) > 0
    ORDER BY s.id FOR UPDATE OF s)
SELECT t.*, l.steps, l.leases FROM locked t LEFT JOIN (
    SELECT task_id, array_agg(id) AS steps, array_agg(lease) AS leases FROM leased GROUP BY task_id) l ON l.task_id = t.id";

/// As [`LOCK`], of what is known already; answers with how much of it is so.
const PIN: &str = "
WITH pinned AS MATERIALIZED (
    SELECT 1 FROM tasks t
    WHERE t.id = ANY($2::uuid[])
        AND (t.org_id, t.id, t.event_seq) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]))
    ORDER BY t.id FOR UPDATE OF t),
leased AS MATERIALIZED (
    SELECT 1 FROM steps s
    WHERE s.id = ANY($4::uuid[]) AND (s.id, s.lease) IN (SELECT * FROM unnest($4::uuid[], $5::uuid[]))
        AND (SELECT count(*) FROM pinned) > 0
    ORDER BY s.id FOR UPDATE OF s)
SELECT (SELECT count(*) FROM pinned) AS tasks, (SELECT count(*) FROM leased) AS leases";

const DELAY_STEPS: &str = "
UPDATE steps s SET state = 'delayed', lease = NULL, lease_until = NULL, worker = NULL,
    run_at = now() + make_interval(secs => w.seconds), error_code = w.error_code, error_message = w.error_message,
    attempt = s.attempt - CASE WHEN w.error_code IS NULL THEN 1 ELSE 0 END
FROM jsonb_to_recordset($1) AS w(step uuid, lease uuid, seconds float8, error_code text, error_message text)
WHERE s.id = ANY($2::uuid[]) AND s.id = w.step AND s.lease = w.lease";

const LOCK_ARTICLES: &str = "
SELECT a.id, a.status, a.version, a.published_at FROM articles a
WHERE a.id = ANY($2::uuid[]) AND (a.org_id, a.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
ORDER BY a.id FOR UPDATE OF a";

const NAMED_LIKE_OTHERS: &str = "
SELECT w.article FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS w(org, article, slug)
WHERE EXISTS (SELECT 1 FROM articles a WHERE a.org_id = w.org AND a.slug = w.slug AND a.id <> w.article)";

const READY_ARTICLES: &str = "
UPDATE articles a SET status = 'draft', error = NULL, updated_at = now()
WHERE a.id = ANY($2::uuid[]) AND (a.org_id, a.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
    AND a.status = 'generating'";

const LOCK_BOOKS: &str = "SELECT 1 FROM organizations WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE";

/// One update for each organization; the balance behind every entry is the one that stood after it.
const SETTLE: &str = "
WITH closed AS (
    UPDATE holds h SET state = 'settled', closed_at = now()
    FROM jsonb_to_recordset($1) AS w(id uuid, org uuid, task uuid, run integer, note text)
    WHERE h.task_id = ANY($2::uuid[]) AND h.org_id = w.org AND h.task_id = w.task AND h.run = w.run AND h.state = 'open'
    RETURNING w.id, h.org_id, h.task_id, h.amount, w.note),
total AS (SELECT org_id, sum(amount) AS amount FROM closed GROUP BY org_id),
paid AS (
    UPDATE organizations o SET balance = o.balance - total.amount, held = o.held - total.amount
    FROM total WHERE o.id = total.org_id RETURNING o.id, o.balance)
INSERT INTO ledger_entries (id, org_id, task_id, kind, amount, balance_after, note)
SELECT c.id, c.org_id, c.task_id, 'charge', -c.amount,
    p.balance + coalesce(sum(c.amount) OVER (PARTITION BY c.org_id ORDER BY c.id
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0), c.note
FROM closed c JOIN paid p ON p.id = c.org_id";

impl StepsTx {
    pub(crate) fn new(tx: Tx, orgs: impl IntoIterator<Item = OrgId>) -> Self {
        let tenants = orgs.into_iter().map(|org| (org.0, TenantTx::new(tx.clone(), org))).collect();
        Self { tx, tenants, seen: HashMap::new() }
    }

    /// One tenant's part of the transaction.
    pub fn tenant(&self, org: Uuid) -> Result<&TenantTx, StoreError> {
        self.tenants.get(&org).ok_or_else(|| StoreError::Unreadable(format!("organization {org} is not in this batch")))
    }

    /// Locks the tasks, then those of the steps whose leases still hold. The order of ids keeps two batches from
    /// waiting for each other.
    pub async fn lock(&mut self, steps: &[(OrgId, Uuid, Fence)]) -> Result<Standing, StoreError> {
        let mut standing = Standing::default();
        let wanted: HashSet<(Uuid, Uuid, Fence)> =
            steps.iter().map(|(org, task, fence)| (org.0, *task, *fence)).collect();
        let column = |of: fn(&(Uuid, Uuid, Fence)) -> Uuid| wanted.iter().map(of).collect::<Vec<_>>().into();
        let values = [column(|row| row.0), column(|row| row.1), column(|row| row.2.step), column(|row| row.2.lease)];
        for row in sql::all(&self.tx, LOCK, values).await? {
            let task = TaskState::from_query_result(&row, "")?;
            standing.tasks.insert(task.id, task);
            let held: Option<Vec<Uuid>> = row.try_get("", "steps")?;
            let leases: Option<Vec<Uuid>> = row.try_get("", "leases")?;
            let fences = held.into_iter().flatten().zip(leases.into_iter().flatten());
            standing.fences.extend(fences.map(|(step, lease)| Fence { step, lease }));
        }
        self.seen = standing.tasks.iter().map(|(id, task)| (*id, Arc::new(task.clone()))).collect();
        Ok(standing)
    }

    /// Takes the tasks as the caller knows them, without a look and without a lock. If that is not how they are,
    /// [`Self::write`] says [`StoreError::Overtaken`], and nothing may be committed.
    pub fn suppose(&mut self, tasks: Left, fences: HashSet<Fence>) -> Standing {
        let standing = tasks.iter().map(|(id, task)| (*id, TaskState::clone(task))).collect();
        self.seen = tasks;
        Standing { tasks: standing, fences }
    }

    /// Locks what is supposed to be so: it comes before whatever else is locked. Fails with [`StoreError::Overtaken`] when
    /// a task has changed or a lease is gone.
    pub async fn pin(&self, fences: &HashSet<Fence>) -> Result<(), StoreError> {
        let tasks: Vec<&TaskState> = self.seen.values().map(Arc::as_ref).collect();
        let values = [
            column(&tasks, |task| task.org_id),
            column(&tasks, |task| task.id),
            column(&tasks, |task| task.event_seq),
            column(fences, |fence| fence.step),
            column(fences, |fence| fence.lease),
        ];
        let row = sql::one(&self.tx, PIN, values).await?.ok_or(StoreError::Overtaken)?;
        let met = |name: &str| row.try_get::<i64>("", name).map(i64::unsigned_abs);
        all_met(met("tasks")?, tasks.len())?;
        all_met(met("leases")?, fences.len())
    }

    /// Locks the articles, then the names that their texts want.
    pub async fn lock_articles(&self, texts: &[Naming]) -> Result<LockedArticles, StoreError> {
        let mut locked = LockedArticles::default();
        if texts.is_empty() {
            return Ok(locked);
        }
        let orgs: Vec<Uuid> = texts.iter().map(|text| text.org.0).collect();
        let articles: Vec<Uuid> = texts.iter().map(|text| text.article).collect();
        let slugs: Vec<String> = texts.iter().map(|text| text.slug.clone()).collect();
        let values = [orgs.clone().into(), articles.clone().into()];
        for article in sql::rows::<LockedArticle>(&self.tx, LOCK_ARTICLES, values).await? {
            locked.articles.insert(article.id, article);
        }
        hold_names(&self.tx, orgs.clone(), slugs.clone()).await?;
        for row in sql::all(&self.tx, NAMED_LIKE_OTHERS, [orgs.into(), articles.into(), slugs.into()]).await? {
            locked.named_like_others.insert(row.try_get("", "article")?);
        }
        Ok(locked)
    }

    /// Writes and empties the changes. The tasks come first, then their steps, articles and the books, as everywhere.
    pub async fn write(&mut self, changes: &mut Changes) -> Result<(), StoreError> {
        let Changes { done, delayed, events, tasks, steps, settled, ready, versions, claims, usage } =
            std::mem::take(changes);
        advance::advance(&self.tx, &self.seen, &advance::Moves { done, tasks: &tasks, steps: &steps, events }).await?;
        let met = self.change(DELAY_STEPS, &delayed, |row| row.step).await?;
        all_met(met, delayed.len())?;
        all_met(save_versions(&self.tx, &versions).await?.len() as u64, versions.len())?;
        for (org, article, version, claims) in &claims {
            self.tenant(org.0)?.add_claims(*article, *version, claims).await?;
        }
        usage::record(&self.tx, &usage).await?;
        if !ready.is_empty() {
            let (orgs, ids): (Vec<Uuid>, Vec<Uuid>) = ready.iter().map(|(org, id)| (org.0, *id)).unzip();
            sql::execute(&self.tx, READY_ARTICLES, [orgs.into(), ids.into()]).await?;
        }
        self.settle(&settled).await?;
        self.tx.say(tasks.keys().map(|task| Wake::Event { task: *task }));
        self.tx.say(steps.iter().filter(|step| step.started.is_none()).map(|step| Wake::Steps { kind: step.kind }));
        self.tx.say((!delayed.is_empty()).then_some(Wake::Clock));
        self.seen.extend(tasks);
        Ok(())
    }

    async fn settle(&self, settled: &[Settlement]) -> Result<(), StoreError> {
        let orgs: HashSet<Uuid> = settled.iter().map(|settlement| settlement.org).collect();
        if orgs.len() > 1 {
            sql::execute(&self.tx, LOCK_BOOKS, [orgs.into_iter().collect::<Vec<_>>().into()]).await?;
        }
        self.change(SETTLE, settled, |settlement| settlement.task).await?;
        Ok(())
    }

    async fn change<T: Serialize>(
        &self,
        statement: &str,
        rows: &[T],
        id: impl Fn(&T) -> Uuid,
    ) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let ids: Vec<Uuid> = rows.iter().map(id).collect();
        sql::execute(&self.tx, statement, [serde_json::to_value(rows)?.into(), ids.into()]).await
    }

    pub async fn rollback(self) -> Result<(), StoreError> {
        drop(self.tenants);
        self.tx.rollback().await
    }

    /// Answers with how the tasks were left.
    pub async fn commit(self) -> Result<Left, StoreError> {
        drop(self.tenants);
        self.tx.commit().await?;
        Ok(self.seen)
    }
}

/// Every row is met, or somebody else was there first.
fn all_met(met: u64, rows: usize) -> Result<(), StoreError> {
    if met == rows as u64 { Ok(()) } else { Err(StoreError::Overtaken) }
}

//! What workers write about many attempts in one transaction: every statement takes all of its rows at once.
//!
//! The rows travel as one JSON parameter. That costs the server a little parsing and saves a round trip for every row.
//! Statements name what they touch once more by its ids, `= ANY($n)`: with that the index is the way to it, whatever else
//! the statement joins.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use galley_domain::{OrgId, task::StepKind};
use sea_orm::FromQueryResult;
use serde::Serialize;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    announce::Wake,
    articles::{NewVersion, hold_names, save_versions},
    entity::tasks,
    error::StoreError,
    queue::Fence,
    scope::{TenantTx, Tx},
    sources::StoredClaim,
    sql,
};

/// One transaction over steps of many tenants.
#[derive(Debug)]
pub struct StepsTx {
    tx: Tx,
    tenants: BTreeMap<Uuid, TenantTx>,
}

/// The tasks of a batch under their locks, and which leases still hold.
#[derive(Debug, Default)]
pub struct Locked {
    pub tasks: HashMap<Uuid, tasks::Model>,
    pub fences: HashSet<Fence>,
    /// The database's clock.
    pub now: DateTime<Utc>,
}

/// Rows to write. Nothing of it is checked again: the caller holds the locks.
#[derive(Debug, Default)]
pub struct Changes {
    pub done: Vec<Done>,
    pub delayed: Vec<Delay>,
    pub events: Vec<NewEvent>,
    pub tasks: BTreeMap<Uuid, TaskChange>,
    pub steps: Vec<NewStep>,
    /// Runs that are paid for now.
    pub settled: Vec<Settlement>,
    /// Articles whose text is there.
    pub ready: Vec<(OrgId, Uuid)>,
    pub versions: Vec<NewVersion>,
    /// What is claimed in a version of an article.
    pub claims: Vec<(OrgId, Uuid, i32, Vec<StoredClaim>)>,
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
#[derive(Debug, Serialize)]
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

/// The caller numbers events, under the lock of their task and without gaps.
#[derive(Debug)]
pub struct NewEvent {
    pub org: Uuid,
    pub task: Uuid,
    pub seq: i64,
    pub told: Told,
}

#[derive(Debug, Serialize)]
pub struct Told {
    pub kind: &'static str,
    pub data: Json,
}

/// All that one transaction tells of a task.
#[derive(Debug, Serialize)]
struct EventGroup {
    org: Uuid,
    task: Uuid,
    /// Of the newest one.
    seq: i64,
    told: Vec<Told>,
}

/// What may change about a task while its steps run.
#[derive(Debug, Serialize)]
pub struct TaskChange {
    org: Uuid,
    id: Uuid,
    status: String,
    sources_run: i32,
    event_seq: i64,
    progress: i16,
    current_step: Option<String>,
    steps_completed: Vec<String>,
    fan_open: i32,
    fan_total: i32,
    warnings: Json,
    error_code: Option<String>,
    error_message: Option<String>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<&tasks::Model> for TaskChange {
    fn from(task: &tasks::Model) -> Self {
        Self {
            org: task.org_id,
            id: task.id,
            status: task.status.clone(),
            sources_run: task.sources_run,
            event_seq: task.event_seq,
            progress: task.progress,
            current_step: task.current_step.clone(),
            steps_completed: task.steps_completed.clone(),
            fan_open: task.fan_open,
            fan_total: task.fan_total,
            warnings: task.warnings.clone(),
            error_code: task.error_code.clone(),
            error_message: task.error_message.clone(),
            started_at: task.started_at,
            finished_at: task.finished_at,
        }
    }
}

/// A step to add to its task's current run.
#[derive(Debug, Serialize)]
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
    #[serde(flatten)]
    pub started: Option<Started>,
}

/// A step that begins with the transaction that adds it: as if it had been claimed in the same moment.
#[derive(Debug, Serialize)]
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
    SELECT t.* FROM tasks t
    WHERE t.id = ANY($2::uuid[]) AND (t.org_id, t.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
    ORDER BY t.id FOR UPDATE OF t),
leased AS MATERIALIZED (
    SELECT s.id, s.task_id, s.lease FROM steps s
    WHERE s.id = ANY($3::uuid[])
        AND (s.org_id, s.task_id, s.id, s.lease) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]))
        AND (SELECT count(*) FROM locked) > 0
    ORDER BY s.id FOR UPDATE OF s)
SELECT t.*, now() AS now, l.steps, l.leases FROM locked t LEFT JOIN (
    SELECT task_id, array_agg(id) AS steps, array_agg(lease) AS leases FROM leased GROUP BY task_id) l ON l.task_id = t.id";

const DELAY_STEPS: &str = "
UPDATE steps s SET state = 'delayed', lease = NULL, lease_until = NULL, worker = NULL,
    run_at = now() + make_interval(secs => w.seconds), error_code = w.error_code, error_message = w.error_message,
    attempt = s.attempt - CASE WHEN w.error_code IS NULL THEN 1 ELSE 0 END
FROM jsonb_to_recordset($1) AS w(step uuid, lease uuid, seconds float8, error_code text, error_message text)
WHERE s.id = ANY($2::uuid[]) AND s.id = w.step AND s.lease = w.lease";

/// All that nearly every group writes, in one statement; answers with how many steps it ended.
const ADVANCE: &str = "
WITH ended AS (
    UPDATE steps s SET state = 'done', output = w.output, lease = NULL, lease_until = NULL, finished_at = now(),
        error_code = NULL, error_message = NULL
    FROM jsonb_to_recordset($1) AS w(step uuid, lease uuid, output jsonb)
    WHERE s.id = ANY($2::uuid[]) AND s.id = w.step AND s.lease = w.lease
    RETURNING s.id),
moved AS (
    UPDATE tasks t SET status = w.status, sources_run = w.sources_run, event_seq = w.event_seq, progress = w.progress,
        current_step = w.current_step, steps_completed = w.steps_completed, fan_open = w.fan_open,
        fan_total = w.fan_total, warnings = w.warnings, error_code = w.error_code, error_message = w.error_message,
        started_at = w.started_at, finished_at = w.finished_at, updated_at = now()
    FROM jsonb_to_recordset($3) AS w(org uuid, id uuid, status text, sources_run integer, event_seq bigint,
        progress smallint, current_step text, steps_completed text[], fan_open integer, fan_total integer,
        warnings jsonb, error_code text, error_message text, started_at timestamptz, finished_at timestamptz)
    WHERE t.id = ANY($4::uuid[]) AND t.org_id = w.org AND t.id = w.id),
added AS (
    INSERT INTO steps (id, org_id, task_id, run, kind, position, state, rank, max_attempts, trace_id, attempt, lease,
        worker, lease_until, started_at)
    SELECT id, org, task, run, kind, position, CASE WHEN lease IS NULL THEN 'ready' ELSE 'running' END, rank,
        max_attempts, trace_id, CASE WHEN lease IS NULL THEN 0 ELSE 1 END, lease, worker,
        now() + make_interval(secs => seconds), CASE WHEN lease IS NOT NULL THEN now() END
    FROM jsonb_to_recordset($5) AS w(id uuid, org uuid, task uuid, run integer, kind text, position integer, rank bigint,
        max_attempts integer, trace_id text, lease uuid, worker text, seconds float8)),
told AS (
    INSERT INTO event_groups (org_id, task_id, seq, told)
    SELECT org, task, seq, told FROM jsonb_to_recordset($6) AS w(org uuid, task uuid, seq bigint, told jsonb))
SELECT count(*) FROM ended";

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
        Self { tx, tenants }
    }

    /// One tenant's part of the transaction.
    pub fn tenant(&self, org: Uuid) -> Result<&TenantTx, StoreError> {
        self.tenants.get(&org).ok_or_else(|| StoreError::Unreadable(format!("organization {org} is not in this batch")))
    }

    /// Locks the tasks, then those of the steps whose leases still hold. The order of ids keeps two batches from
    /// waiting for each other.
    pub async fn lock(&self, steps: &[(OrgId, Uuid, Fence)]) -> Result<Locked, StoreError> {
        let mut locked = Locked::default();
        let wanted: HashSet<(Uuid, Uuid, Fence)> =
            steps.iter().map(|(org, task, fence)| (org.0, *task, *fence)).collect();
        let column = |of: fn(&(Uuid, Uuid, Fence)) -> Uuid| wanted.iter().map(of).collect::<Vec<_>>().into();
        let values = [column(|row| row.0), column(|row| row.1), column(|row| row.2.step), column(|row| row.2.lease)];
        for row in sql::all(&self.tx, LOCK, values).await? {
            let task = tasks::Model::from_query_result(&row, "")?;
            locked.now = row.try_get("", "now")?;
            locked.tasks.insert(task.id, task);
            let held: Option<Vec<Uuid>> = row.try_get("", "steps")?;
            let leases: Option<Vec<Uuid>> = row.try_get("", "leases")?;
            let fences = held.into_iter().flatten().zip(leases.into_iter().flatten());
            locked.fences.extend(fences.map(|(step, lease)| Fence { step, lease }));
        }
        Ok(locked)
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

    /// Writes and empties the changes.
    pub async fn write(&self, changes: &mut Changes) -> Result<(), StoreError> {
        let Changes { done, delayed, events, tasks, steps, settled, ready, versions, claims } = std::mem::take(changes);
        let events = grouped(events);
        self.advance(&done, &tasks, &steps, &events).await?;
        let met = self.change(DELAY_STEPS, &delayed, |row| row.step).await?;
        all_met(met, delayed.len())?;
        all_met(save_versions(&self.tx, &versions).await?.len() as u64, versions.len())?;
        for (org, article, version, claims) in &claims {
            self.tenant(org.0)?.add_claims(*article, *version, claims).await?;
        }
        if !ready.is_empty() {
            let (orgs, ids): (Vec<Uuid>, Vec<Uuid>) = ready.iter().map(|(org, id)| (org.0, *id)).unzip();
            sql::execute(&self.tx, READY_ARTICLES, [orgs.into(), ids.into()]).await?;
        }
        self.settle(&settled).await?;
        self.tx.say(events.keys().map(|task| Wake::Event { task: *task }));
        self.tx.say(steps.iter().filter(|step| step.started.is_none()).map(|step| Wake::Steps { kind: step.kind }));
        self.tx.say((!delayed.is_empty()).then_some(Wake::Clock));
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

    async fn advance(
        &self,
        done: &[Done],
        tasks: &BTreeMap<Uuid, TaskChange>,
        steps: &[NewStep],
        events: &BTreeMap<Uuid, EventGroup>,
    ) -> Result<(), StoreError> {
        if done.is_empty() && tasks.is_empty() {
            return Ok(());
        }
        let values = [
            serde_json::to_value(done)?.into(),
            done.iter().map(|row| row.step).collect::<Vec<_>>().into(),
            serde_json::to_value(tasks.values().collect::<Vec<_>>())?.into(),
            tasks.keys().copied().collect::<Vec<_>>().into(),
            serde_json::to_value(steps)?.into(),
            serde_json::to_value(events.values().collect::<Vec<_>>())?.into(),
        ];
        let row = sql::one(&self.tx, ADVANCE, values).await?;
        let met: i64 = row.map(|row| row.try_get("", "count")).transpose()?.unwrap_or_default();
        all_met(met.unsigned_abs(), done.len())
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

    pub async fn commit(self) -> Result<(), StoreError> {
        drop(self.tenants);
        self.tx.commit().await
    }
}

fn grouped(events: Vec<NewEvent>) -> BTreeMap<Uuid, EventGroup> {
    let mut groups = BTreeMap::new();
    for NewEvent { org, task, seq, told } in events {
        let group = groups.entry(task).or_insert_with(|| EventGroup { org, task, seq, told: Vec::new() });
        group.seq = seq;
        group.told.push(told);
    }
    groups
}

/// What is written is locked, so that every row is met, or the program is wrong and must not go on.
fn all_met(met: u64, rows: usize) -> Result<(), StoreError> {
    if met == rows as u64 {
        return Ok(());
    }
    Err(StoreError::Unreadable(format!("{met} of {rows} rows were still there under their locks")))
}

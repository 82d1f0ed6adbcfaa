//! Those who follow an organization's events: a job for each transaction that tells something.

use std::collections::BTreeMap;

use galley_domain::task::{PoolName, StepKind};
use sea_orm::QueryResult;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{announce::Notification, error::StoreError, scope::TenantTx, sql};

/// Adds the jobs for what `$told` selects: `org_id`, `subject_id`, `rank` (of the task; none for what belongs to no task),
/// `trace_id`, `payload`. A job stands where its task does, and never before what was claimed last: with the rank of the
/// day of the order it would give everybody who orders meanwhile a place in front of all who wait.
macro_rules! add_for_followers {
    ($told:literal) => {
        concat!(
            "INSERT INTO steps (id, org_id, kind, pool, state, rank, max_attempts, trace_id, payload, subject_id)
            SELECT gen_random_uuid(), e.org_id, f.kind, f.pool, 'ready',
                greatest(e.rank, (SELECT last_value FROM fair_clock)), f.max_attempts, e.trace_id, e.payload, e.subject_id
            FROM (",
            $told,
            ") AS e JOIN event_followers f ON f.org_id = e.org_id
            RETURNING pool, rank"
        )
    };
}
pub(crate) use add_for_followers;

/// The lowest rank of each pool of what `$rows` names, as one value called `jobs`; see [`say_jobs`].
macro_rules! lowest_ranks {
    ($rows:literal) => {
        concat!(
            "(SELECT jsonb_object_agg(pool, rank) FROM (SELECT pool, min(rank) AS rank FROM (",
            $rows,
            ") AS j GROUP BY pool) AS lowest) AS jobs"
        )
    };
}
pub(crate) use lowest_ranks;

/// What there is to say about jobs whose place only the database knew.
pub(crate) fn say_jobs(row: &QueryResult) -> Result<Vec<Notification>, StoreError> {
    let Some(jobs) = row.try_get::<Option<Json>>("", "jobs")? else { return Ok(Vec::new()) };
    let ranks: BTreeMap<String, i64> = serde_json::from_value(jobs)?;
    let word = |(pool, rank): (String, i64)| Ok(Notification::Steps { pool: pool.parse::<PoolName>()?, rank });
    ranks.into_iter().map(word).collect()
}

const ANNOUNCE: &str = concat!(
    "WITH heard AS (",
    add_for_followers!(
        "SELECT $1::uuid AS org_id, $2::uuid AS subject_id, NULL::bigint AS rank, $3::text AS trace_id, $4::jsonb AS payload"
    ),
    ") SELECT ",
    lowest_ranks!("SELECT * FROM heard")
);

impl TenantTx {
    /// Tells those who follow the organization's events something that belongs to no task.
    pub async fn announce(&self, kind: &str, subject: Uuid, data: Json) -> Result<(), StoreError> {
        let trace = Uuid::new_v4().simple().to_string();
        let payload = json!({ "events": [{ "kind": kind, "data": data }] });
        let values = [self.org_value(), subject.into(), trace.into(), payload.into()];
        self.say_jobs(sql::one(&self.conn, ANNOUNCE, values).await?)
    }

    pub(crate) fn say_jobs(&self, row: Option<QueryResult>) -> Result<(), StoreError> {
        self.conn.say(row.as_ref().map(say_jobs).transpose()?.unwrap_or_default());
        Ok(())
    }

    /// Lets each transaction that tells something in this organization add a step of this kind.
    pub async fn follow_events(&self, kind: StepKind, pool: PoolName, attempts: u32) -> Result<(), StoreError> {
        let statement = "INSERT INTO event_followers (org_id, kind, pool, max_attempts) VALUES ($1, $2, $3, $4)
             ON CONFLICT (org_id, kind) DO UPDATE SET pool = excluded.pool, max_attempts = excluded.max_attempts";
        let attempts = i32::try_from(attempts.max(1)).unwrap_or(i32::MAX);
        let values = [self.org_value(), kind.as_str().into(), pool.as_str().into(), attempts.into()];
        sql::execute(&self.conn, statement, values).await.map(drop)
    }

    /// Ends what [`TenantTx::follow_events`] began.
    pub async fn unfollow_events(&self, kind: StepKind) -> Result<(), StoreError> {
        let statement = "DELETE FROM event_followers WHERE org_id = $1 AND kind = $2";
        sql::execute(&self.conn, statement, [self.org_value(), kind.as_str().into()]).await.map(drop)
    }
}

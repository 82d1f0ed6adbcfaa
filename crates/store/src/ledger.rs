//! Credits: what an organization owns, what its running orders reserve, and the append-only record of both.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::{
    error::StoreError,
    scope::{Scoped, System, TenantTx},
    sql,
};

/// What came of an attempt to reserve credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldOutcome {
    /// Reserved; the order's place in the queue, and the time of the transaction.
    Held { rank: i64, at: DateTime<Utc> },
    /// Not enough; what is free.
    Insufficient { available: Decimal },
}

/// Reserves $2 for the organization $1 and gives the rank; no row when it has not so much.
///
/// The oldest step that is ready, of any pool, is looked for in the pools `$pools`, in each from the rank of `$floors` on;
/// both name parameters: see [`Known`](crate::heads::Known).
macro_rules! reserve {
    ($pools:literal, $floors:literal) => {
        concat!(
            "UPDATE organizations
         SET held = held + $2, last_rank = greatest(last_rank, coalesce((
            SELECT min(s.rank) - 1 FROM unnest(",
            $pools,
            "::text[], ",
            $floors,
            "::bigint[]) AS known(pool, floor) CROSS JOIN LATERAL (
                SELECT rank FROM steps WHERE state = 'ready' AND pool = known.pool AND rank >= known.floor
                ORDER BY rank, id LIMIT 1) s), (SELECT last_value FROM fair_clock))) + 1
         WHERE id = $1 AND balance - held >= $2 RETURNING last_rank, now() AS at"
        )
    };
}
pub(crate) use reserve;

const RESERVE: &str = reserve!("$3", "$4");

/// One organization's books, for checks: all three differences must be zero.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct LedgerCheck {
    pub org_id: Uuid,
    pub balance: Decimal,
    pub ledger_sum: Decimal,
    pub held: Decimal,
    pub open_holds: Decimal,
}

impl<C: ConnectionTrait> Scoped<C> {
    /// Balance and the part of it that is held.
    pub async fn credits(&self) -> Result<(Decimal, Decimal), StoreError> {
        let row =
            sql::one(&self.conn, "SELECT balance, held FROM organizations WHERE id = $1", [self.org_value()]).await?;
        let row = row.ok_or_else(|| StoreError::Unreadable("the organization is gone".into()))?;
        Ok((row.try_get("", "balance")?, row.try_get("", "held")?))
    }
}

impl TenantTx {
    /// Reserves credits and gives the order its place in the queue, in one update of the organization's row: behind
    /// the tenant's own older orders, but not behind the backlog of others, whichever step that waits at. Where nothing
    /// waits, the clock of what was claimed last keeps a tenant from overtaking with ranks saved up while it was idle.
    /// The transaction must be one of [`Store::begin_order`](crate::Store::begin_order): others know nothing of the queue.
    pub async fn reserve(&self, amount: Decimal) -> Result<HoldOutcome, StoreError> {
        let [pools, floors] = self.conn.heads().values();
        let row = sql::one(&self.conn, RESERVE, [self.org_value(), amount.into(), pools, floors]).await?;
        match row {
            Some(row) => Ok(HoldOutcome::Held { rank: row.try_get("", "last_rank")?, at: row.try_get("", "at")? }),
            None => self.insufficient().await,
        }
    }

    pub(crate) async fn insufficient(&self) -> Result<HoldOutcome, StoreError> {
        let (balance, held) = self.credits().await?;
        Ok(HoldOutcome::Insufficient { available: balance - held })
    }

    /// Writes down what [`Self::reserve`] reserved, once the task exists.
    pub async fn open_hold(&self, task: Uuid, run: i32, amount: Decimal) -> Result<(), StoreError> {
        sql::execute(
            &self.conn,
            "INSERT INTO holds (task_id, run, org_id, amount, state) VALUES ($1, $2, $3, $4, 'open')",
            [task.into(), run.into(), self.org_value(), amount.into()],
        )
        .await?;
        Ok(())
    }

    /// Adds credits.
    pub async fn grant(&self, amount: Decimal, note: &str) -> Result<Decimal, StoreError> {
        let row = sql::one(
            &self.conn,
            "WITH paid AS (UPDATE organizations SET balance = balance + $2 WHERE id = $1 RETURNING balance)
             INSERT INTO ledger_entries (id, org_id, kind, amount, balance_after, note)
             SELECT $3, $1, 'grant', $2, balance, $4 FROM paid RETURNING balance_after",
            [self.org_value(), amount.into(), Uuid::now_v7().into(), note.into()],
        )
        .await?;
        let row = row.ok_or_else(|| StoreError::Unreadable("the organization is gone".into()))?;
        Ok(row.try_get("", "balance_after")?)
    }
}

impl System {
    /// The books of every organization, for operators and tests.
    pub async fn ledger_check(&self) -> Result<Vec<LedgerCheck>, StoreError> {
        sql::rows(
            &self.db,
            "SELECT o.id AS org_id, o.balance, o.held,
                coalesce((SELECT sum(amount) FROM ledger_entries l WHERE l.org_id = o.id), 0) AS ledger_sum,
                coalesce((SELECT sum(amount) FROM holds h WHERE h.org_id = o.id AND h.state = 'open'), 0) AS open_holds
             FROM organizations o ORDER BY o.id",
            [],
        )
        .await
    }
}

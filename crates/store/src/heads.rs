//! What a process knows of the queue's old end, to give each order its place.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use galley_domain::task::PoolName;
use sea_orm::{ConnectionTrait, Value};

use crate::{error::StoreError, sql, whole_looks::WholeLooks};

/// A look at everything: the oldest step that is ready in each pool, found by jumps over the index, and the lowest rank of
/// what is running, or of what was claimed last. A step that follows another has its task's rank, and the oldest is claimed
/// first, so little becomes ready below both: what was paused, delayed or waiting, or stood in a pool that nobody worked on.
const LOOK: &str = "
WITH RECURSIVE heads AS (
    (SELECT pool, rank FROM steps WHERE state = 'ready' ORDER BY pool, rank, id LIMIT 1)
    UNION ALL
    SELECT s.pool, s.rank FROM heads h CROSS JOIN LATERAL (
        SELECT pool, rank FROM steps WHERE state = 'ready' AND pool > h.pool ORDER BY pool, rank, id LIMIT 1) s)
SELECT (SELECT array_agg(pool) FROM heads) AS pools, (SELECT array_agg(rank) FROM heads) AS ranks,
    (SELECT min(rank) FROM steps WHERE state = 'running') AS running, (SELECT last_value FROM fair_clock) AS clock";

/// Of one process.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    known: Mutex<Known>,
}

/// In which pools, and from which rank on in each, the oldest step that is ready is to be looked for.
#[derive(Debug, Default, Clone)]
pub(crate) struct Known {
    pools: BTreeMap<String, i64>,
    looks: WholeLooks,
}

impl Known {
    /// As two parameters for `unnest`.
    pub(crate) fn values(&self) -> [Value; 2] {
        [sql::column(self.pools.keys(), Clone::clone), sql::column(self.pools.values(), |rank| *rank)]
    }
}

impl Heads {
    /// Pools that there may be, whether anything is ready in them or not.
    pub(crate) fn expect(&self, pools: impl IntoIterator<Item = PoolName>) {
        self.lock().pools.extend(pools.into_iter().map(|pool| (pool.as_str().to_owned(), i64::MIN)));
    }

    /// What is known without a look.
    pub(crate) fn so_far(&self) -> Known {
        self.lock().clone()
    }

    /// What is known, after a look at everything where that is due.
    pub(crate) async fn known(&self, conn: &impl ConnectionTrait) -> Result<Known, StoreError> {
        {
            let mut known = self.lock();
            if !known.looks.is_due() {
                return Ok(known.clone());
            }
            known.looks.begins();
        }
        let began = Instant::now();
        let row = sql::one(conn, LOOK, []).await?;
        let row = row.ok_or_else(|| StoreError::Unreadable("a look at the queue has no answer".into()))?;
        let (pools, ranks): (Option<Vec<String>>, Option<Vec<i64>>) =
            (row.try_get("", "pools")?, row.try_get("", "ranks")?);
        let heads = pools.into_iter().flatten().zip(ranks.into_iter().flatten());
        let (running, clock): (Option<i64>, i64) = (row.try_get("", "running")?, row.try_get("", "clock")?);
        let mut known = self.lock();
        known.pools.values_mut().for_each(|rank| *rank = running.unwrap_or(clock));
        known.pools.extend(heads.map(|(pool, rank)| (pool, rank.min(running.unwrap_or(rank)))));
        known.looks.looked_since(began);
        Ok(known.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What a process knows of the queue's old end, to give each order its place.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use galley_domain::task::PoolName;
use sea_orm::{ConnectionTrait, Value};

use crate::{error::StoreError, sql, whole_looks::WholeLooks};

/// A look at everything: the pools in which something is ready, found by jumps over the index, and the lowest rank of what is
/// ready or running. No step becomes ready below that but one that was paused, delayed or waiting, because a step that
/// follows another has its task's rank, and new orders stand behind the oldest step that is ready.
const LOOK: &str = "
WITH RECURSIVE heads AS (
    (SELECT pool, rank FROM steps WHERE state = 'ready' ORDER BY pool, rank, id LIMIT 1)
    UNION ALL
    SELECT s.pool, s.rank FROM heads h CROSS JOIN LATERAL (
        SELECT pool, rank FROM steps WHERE state = 'ready' AND pool > h.pool ORDER BY pool, rank, id LIMIT 1) s)
SELECT (SELECT array_agg(pool) FROM heads) AS pools,
    coalesce(least((SELECT min(rank) FROM heads), (SELECT min(rank) FROM steps WHERE state = 'running')),
        (SELECT last_value FROM fair_clock)) AS floor";

/// Of one process.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    known: Mutex<Known>,
}

/// In which pools, and from which rank on, the oldest step that is ready is to be looked for.
#[derive(Debug, Default, Clone)]
pub(crate) struct Known {
    pools: BTreeSet<String>,
    floor: i64,
    looks: WholeLooks,
}

impl Known {
    /// As two parameters.
    pub(crate) fn values(&self) -> [Value; 2] {
        [sql::column(&self.pools, Clone::clone), self.floor.into()]
    }
}

impl Heads {
    /// Pools that there may be, whether anything is ready in them or not.
    pub(crate) fn expect(&self, pools: impl IntoIterator<Item = PoolName>) {
        self.lock().pools.extend(pools.into_iter().map(|pool| pool.as_str().to_owned()));
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
        let (pools, floor) = (row.try_get::<Option<Vec<String>>>("", "pools")?, row.try_get("", "floor")?);
        let mut known = self.lock();
        known.pools.extend(pools.into_iter().flatten());
        known.floor = floor;
        known.looks.looked_since(began);
        Ok(known.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

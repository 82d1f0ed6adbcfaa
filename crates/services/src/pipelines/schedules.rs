//! Schedules: each active one has one pending step, which looks at it when it comes due, and is followed by the next.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use galley_domain::task::{StepKind, StepPolicy};
use galley_engine::{Brought, Keeper, Kept, Output, Stage, StepSeed};
use galley_recurrence::Decision;
use galley_store::{Start, StepsTx, StoreError, rows};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{SCHEDULES, UPKEEP};
use crate::Orders;

/// Looks at one schedule.
pub const TICK: StepKind = StepKind::new("schedule_tick");
/// Gives schedules that have lost their step a new one.
pub const RESCUE: StepKind = StepKind::new("schedule_rescue");

/// What a tick is given.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct TickPayload {
    /// Compared with the schedule's own: a tick from before a change does nothing.
    pub tick: i64,
}

/// What a tick has found.
#[derive(Debug)]
pub struct Tick {
    /// The number of the schedule's tick, as it was when this was decided.
    pub number: i64,
    pub decision: Decision,
    /// The keeper is registered before there are use cases, so what it takes orders with comes along.
    pub orders: Orders,
}

pub(super) fn tick() -> Stage {
    Stage::new(TICK, SCHEDULES, 0, StepPolicy::new(20, 60)).keeping(Ticks)
}

/// The job, and how often it comes.
pub(super) fn rescue() -> (Stage, Duration) {
    (Stage::new(RESCUE, UPKEEP, 0, StepPolicy::new(3, 120)), Duration::from_secs(300))
}

/// The pending step of a schedule; none when nothing is to come.
pub(crate) fn pending(schedule: &rows::Schedule) -> Result<Option<StepSeed>, StoreError> {
    let payload = serde_json::to_value(TickPayload { tick: schedule.tick })?;
    let at = |due| StepSeed::new(TICK).about(schedule.id).with_payload(payload).starting(Start::At(due));
    Ok(schedule.next_due.map(at))
}

/// What is to be done, if anything is to be done at all.
pub fn looked(tick: Option<Tick>) -> Output {
    tick.map_or_else(Output::default, Output::bringing)
}

/// Writes runs and orders, and adds the next tick.
#[derive(Debug)]
struct Ticks;

#[async_trait]
impl Keeper for Ticks {
    /// Ticks of many schedules take orders of the same organizations.
    fn is_exclusive(&self) -> bool {
        true
    }

    /// In the order of organizations and schedules, and all schedules before the first order: whoever orders by hand
    /// locks a schedule before its organization, too.
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut places = BTreeMap::<(Uuid, Uuid), Vec<usize>>::new();
        for (at, one) in brought.iter().enumerate() {
            let owner = one.step.org.map(|org| org.0).zip(one.step.subject);
            let owner = owner.ok_or_else(|| StoreError::Unreadable("a tick without a schedule".into()))?;
            places.entry(owner).or_default().push(at);
        }
        let mut locked = Vec::with_capacity(places.len());
        for (org, schedule) in places.keys() {
            locked.push(tx.tenant(*org)?.lock_schedule(*schedule).await?);
        }
        let mut kept = vec![Kept::default(); brought.len()];
        for (((org, _), places), schedule) in places.into_iter().zip(locked) {
            // One that was deleted meanwhile needs no further tick.
            let Some(mut schedule) = schedule else { continue };
            for at in places {
                let (step, tick) = (brought[at].step, brought[at].get::<Tick>()?);
                kept[at] = tick.orders.keep_tick(tx.tenant(org)?, &mut schedule, tick, &step.trace_id).await?;
            }
        }
        Ok(kept)
    }
}

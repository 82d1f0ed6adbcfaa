//! Tick: looks at one schedule that has come due and decides what is to be done. The keeper does it.

use async_trait::async_trait;
use galley_domain::{schedule::ScheduleStatus, task::StepKind};
use galley_engine::{Output, Step, StepContext, StepError};
use galley_recurrence::{Missed, Recurrence, decide};
use galley_services::{
    Services,
    pipelines::schedules::{TICK, Tick, TickPayload, looked},
};
use galley_store::StoreError;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

pub(crate) struct TickStep(pub(crate) Services);

#[async_trait]
impl Step for TickStep {
    fn kind(&self) -> StepKind {
        TICK
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, id) = (cx.org()?, cx.subject()?);
        let TickPayload { tick } = cx.payload()?;
        let tx = self.0.store().begin(org).await?;
        let (schedule, now) = (tx.schedule(id).await?, tx.now().await?);
        tx.rollback().await?;
        let counts = |row: &galley_store::rows::Schedule| row.tick == tick && *row.status == ScheduleStatus::Active;
        let Some(schedule) = schedule.filter(counts) else { return Ok(looked(None)) };
        let (recurrence, missed): (Recurrence, Missed) = (read(&schedule.recurrence)?, read(&schedule.missed)?);
        let decision = decide(&recurrence, schedule.last_considered, now, missed);
        Ok(looked(Some(Tick { number: tick, decision, orders: self.0.orders().clone() })))
    }
}

fn read<T: DeserializeOwned>(value: &Json) -> Result<T, StoreError> {
    Ok(serde_json::from_value(value.clone())?)
}

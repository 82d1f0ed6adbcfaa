//! One flow for everything that is done outside of the database: `intended`, `sent`, the call, `confirmed`, each written
//! while the step holds its lease, and no transaction open during a call.
//!
//! An attempt that dies leaves the row as it stood. The next one looks up what is there before it acts again.

use std::time::Duration;

use async_trait::async_trait;
use galley_domain::{Fault, OrgId, effect::EffectState};
use galley_engine::StepError;
use galley_store::{ClaimedStep, EffectKey, EffectMark, StoreError, TenantTx, rows};

use crate::Services;

/// How long a step waits for another one that is at the same effect; costs no attempt.
const HELD_WAIT: Duration = Duration::from_secs(2);

/// One thing to do outside. Its calls are told apart by their faults: a permanent one is a refusal, after any other one
/// nobody knows whether the thing was done.
#[async_trait]
pub trait Effect: Sync {
    /// What is sent; `()` when nothing has to be gathered for it.
    type Message: Send;

    /// What the outside calls it, if it is there; changes nothing.
    async fn look_up(&self) -> Result<Option<String>, Fault>;

    /// Gathers what is sent, before anything is. An error leaves the ledger as it is.
    async fn prepare(&self) -> Result<Self::Message, StepError>;

    /// Does it; what the outside calls it.
    async fn act(&self, message: Self::Message) -> Result<String, Fault>;

    /// Whether one that is confirmed is looked up all the same, and done again if somebody took it away.
    fn may_vanish(&self) -> bool {
        false
    }
}

/// An effect that is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// What the outside calls it.
    pub remote_ref: String,
    /// An earlier attempt did it.
    pub was_there: bool,
}

impl Carried {
    fn earlier(remote_ref: String) -> Self {
        Self { remote_ref, was_there: true }
    }
}

impl Services {
    /// Does something outside, once: what is confirmed is answered from the ledger, and what an earlier attempt left in
    /// doubt is looked up first. While another attempt is at it, the answer is a snooze.
    pub async fn carry_out<E: Effect>(
        &self,
        step: &ClaimedStep,
        key: &EffectKey<'_>,
        effect: &E,
    ) -> Result<Carried, StepError> {
        let ledger = self.intend_effect(step, key).await?;
        match *ledger.state {
            EffectState::Confirmed if !effect.may_vanish() => {
                return Ok(Carried::earlier(ledger.remote_ref.unwrap_or_default()));
            }
            EffectState::Intended => {}
            // Also after a refusal, which may have come when half was done.
            EffectState::Sent | EffectState::Confirmed | EffectState::Unknown | EffectState::Failed => {
                if let Some(name) = effect.look_up().await? {
                    self.mark_effect(step, &ledger, EffectMark::Confirmed(&name)).await?;
                    return Ok(Carried::earlier(name));
                }
            }
        }
        let message = effect.prepare().await?;
        self.send_effect(step, &ledger).await?;
        match effect.act(message).await {
            Ok(remote_ref) => {
                self.mark_effect(step, &ledger, EffectMark::Confirmed(&remote_ref)).await?;
                Ok(Carried { remote_ref, was_there: false })
            }
            Err(fault) => {
                let why = fault.to_string();
                let mark = if fault.is_transient() { EffectMark::Unknown(&why) } else { EffectMark::Failed(&why) };
                self.mark_effect(step, &ledger, mark).await?;
                Err(fault.into())
            }
        }
    }

    async fn intend_effect(&self, step: &ClaimedStep, key: &EffectKey<'_>) -> Result<rows::Effect, StepError> {
        let tx = self.fenced(step).await?;
        let ledger = tx.intend_effect(key, step).await?;
        let is_held = tx.effect_is_held(&ledger).await?;
        tx.commit().await?;
        if is_held { Err(StepError::Snooze(HELD_WAIT)) } else { Ok(ledger) }
    }

    /// Of attempts that have read the same row only the first one sends.
    async fn send_effect(&self, step: &ClaimedStep, ledger: &rows::Effect) -> Result<(), StepError> {
        let tx = self.fenced(step).await?;
        let is_first = tx.send_effect(ledger, step).await?;
        tx.commit().await?;
        if is_first { Ok(()) } else { Err(StepError::Snooze(HELD_WAIT)) }
    }

    async fn mark_effect(
        &self,
        step: &ClaimedStep,
        ledger: &rows::Effect,
        mark: EffectMark<'_>,
    ) -> Result<(), StoreError> {
        let tx = self.fenced(step).await?;
        tx.mark_effect(ledger.id, step, mark).await?;
        tx.commit().await
    }

    /// A transaction that stands only while the step has its lease.
    async fn fenced(&self, step: &ClaimedStep) -> Result<TenantTx, StoreError> {
        let org: OrgId = step.org.ok_or(StoreError::LeaseLost)?;
        let tx = self.store.begin(org).await?;
        tx.hold_fence(step.fence).await?;
        Ok(tx)
    }
}

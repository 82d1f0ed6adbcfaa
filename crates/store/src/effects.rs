//! The ledger of effects outside of the database: `intended → sent → confirmed | unknown | failed`.

use galley_domain::effect::{EffectKind, EffectState};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    entity::effects::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    queue::ClaimedStep,
    scope::{Scoped, TenantTx},
    sql,
    words::TextEnum,
};

/// What tells an effect from all others of an organization: there is one row for each.
#[derive(Debug, Clone, Copy)]
pub struct EffectKey<'a> {
    pub kind: EffectKind,
    /// What it is about: an article, a file, a product.
    pub subject: Uuid,
    /// What the destination is called.
    pub destination: &'a str,
    /// Tells effects of one kind and subject at one destination apart, e.g. by the version; empty when there is only one.
    pub key: &'a str,
}

/// What became of an effect that was sent.
#[derive(Debug, Clone, Copy)]
pub enum EffectMark<'a> {
    /// It is there, under this name of the outside.
    Confirmed(&'a str),
    /// Nobody knows whether it was done, and why.
    Unknown(&'a str),
    /// It was refused, and why.
    Failed(&'a str),
}

impl EffectMark<'_> {
    /// The columns that this sets; a name from before stays while a new attempt is under way.
    fn columns(self) -> ActiveModel {
        let (state, remote_ref, error) = match self {
            Self::Confirmed(name) => (EffectState::Confirmed, Some(name), None),
            Self::Unknown(why) => (EffectState::Unknown, None, Some(why)),
            Self::Failed(why) => (EffectState::Failed, None, Some(why)),
        };
        let mut row =
            ActiveModel { state: Set(TextEnum(state)), error: Set(error.map(str::to_owned)), ..ActiveModel::default() };
        if let Some(name) = remote_ref {
            row.remote_ref = Set(Some(name.to_owned()));
        }
        row
    }
}

/// Signs what an attempt writes.
fn signed(row: ActiveModel, by: &ClaimedStep) -> ActiveModel {
    ActiveModel { task_id: Set(by.task), step_id: Set(Some(by.fence.step)), lease: Set(Some(by.fence.lease)), ..row }
}

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn effect(&self, key: &EffectKey<'_>) -> Result<Option<Model>, StoreError> {
        let found = self
            .find::<Entity>()
            .filter(Column::SubjectId.eq(key.subject))
            .filter(Column::Kind.eq(TextEnum(key.kind)))
            .filter(Column::Destination.eq(key.destination))
            .filter(Column::Key.eq(key.key));
        Ok(found.one(&self.conn).await?)
    }

    /// What was done outside about a subject, in the order in which it was intended.
    pub async fn effects(&self, subject: Uuid) -> Result<Vec<Model>, StoreError> {
        let of_subject = self.find::<Entity>().filter(Column::SubjectId.eq(subject));
        Ok(of_subject.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(&self.conn).await?)
    }

    /// Whether the attempt that has sent the effect still has its lease: then its call may be on its way.
    pub async fn effect_is_held(&self, effect: &Model) -> Result<bool, StoreError> {
        let (Some(step), Some(lease)) = (effect.step_id, effect.lease) else { return Ok(false) };
        let held = sql::one(
            &self.conn,
            "SELECT FROM steps WHERE org_id = $1 AND id = $2 AND lease = $3",
            [self.org_value(), step.into(), lease.into()],
        );
        Ok(*effect.state == EffectState::Sent && held.await?.is_some())
    }
}

impl TenantTx {
    /// Writes the intention down, or finds the one that an earlier attempt wrote.
    pub async fn intend_effect(&self, key: &EffectKey<'_>, by: &ClaimedStep) -> Result<Model, StoreError> {
        sql::execute(
            &self.conn,
            "INSERT INTO effects (id, org_id, kind, subject_id, destination, key, state, task_id, step_id, lease)
             VALUES ($1, $2, $3, $4, $5, $6, 'intended', $7, $8, $9)
             ON CONFLICT (org_id, subject_id, kind, destination, key) DO NOTHING",
            [
                Uuid::now_v7().into(),
                self.org_value(),
                key.kind.as_str().into(),
                key.subject.into(),
                key.destination.into(),
                key.key.into(),
                by.task.into(),
                by.fence.step.into(),
                by.fence.lease.into(),
            ],
        )
        .await?;
        self.effect(key).await?.ok_or_else(|| StoreError::Unreadable("an effect vanished".into()))
    }

    /// Notes that the call is about to be made; false when the effect has moved on since it was read as `seen`.
    pub async fn send_effect(&self, seen: &Model, by: &ClaimedStep) -> Result<bool, StoreError> {
        let row = ActiveModel { state: Set(TextEnum(EffectState::Sent)), error: Set(None), ..ActiveModel::default() };
        let unmoved = self
            .updating::<Entity>()
            .set(signed(row, by))
            .filter(Column::Id.eq(seen.id))
            .filter(Column::State.eq(seen.state))
            .filter(Column::UpdatedAt.eq(seen.updated_at));
        Ok(unmoved.exec(&self.conn).await?.rows_affected == 1)
    }

    pub async fn mark_effect(&self, id: Uuid, by: &ClaimedStep, mark: EffectMark<'_>) -> Result<(), StoreError> {
        self.update::<Entity>(id, signed(mark.columns(), by)).await.map(drop)
    }

    /// Whoever deletes a subject for good calls this first.
    pub(crate) async fn delete_effects(&self, subject: Uuid) -> Result<(), StoreError> {
        self.deleting::<Entity>().filter(Column::SubjectId.eq(subject)).exec(&self.conn).await?;
        Ok(())
    }
}

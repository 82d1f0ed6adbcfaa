//! Table `secrets`, as ciphertext.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "secrets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: Uuid,
    /// Part of what is authenticated: a secret that is set again gets a new one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it is for, for example `model_key`.
    pub purpose: String,
    /// Which one of its purpose.
    pub name: String,
    /// The envelope key over `wrapped_key`.
    pub key_id: String,
    /// At most 256 bytes.
    pub wrapped_key: Vec<u8>,
    /// At most 8,448 bytes.
    pub sealed: Vec<u8>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

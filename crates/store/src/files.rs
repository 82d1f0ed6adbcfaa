//! Uploaded and rendered files: what is known of them. The bytes are in the file store.

use galley_domain::OrgId;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    entity::files,
    error::StoreError,
    scope::{Scoped, System, TenantTx},
    sql,
};

#[derive(Debug, Clone)]
pub struct NewFile {
    pub id: Uuid,
    pub name: String,
    pub kind: String,
    pub size: u64,
    pub sha256: String,
    pub blob: String,
}

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn file(&self, id: Uuid) -> Result<Option<files::Model>, StoreError> {
        Ok(self.find::<files::Entity>().filter(files::Column::Id.eq(id)).one(&self.conn).await?)
    }

    /// Those of `ids` that exist, in no particular order.
    pub async fn files(&self, ids: &[Uuid]) -> Result<Vec<files::Model>, StoreError> {
        Ok(self.find::<files::Entity>().filter(files::Column::Id.is_in(ids.iter().copied())).all(&self.conn).await?)
    }
}

impl TenantTx {
    pub async fn insert_file(&self, file: NewFile) -> Result<(), StoreError> {
        sql::execute(
            &self.conn,
            "INSERT INTO files (id, org_id, name, kind, size, sha256, blob) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [
                file.id.into(),
                self.org_value(),
                file.name.into(),
                file.kind.into(),
                i64::try_from(file.size).unwrap_or(i64::MAX).into(),
                file.sha256.into(),
                file.blob.into(),
            ],
        )
        .await?;
        Ok(())
    }
}

impl System {
    /// Those of an organization's `blobs` that no file has its bytes in, in no particular order.
    pub async fn unnamed_blobs(&self, org: OrgId, blobs: Vec<String>) -> Result<Vec<String>, StoreError> {
        let rows = sql::all(
            &self.db,
            "SELECT blob FROM unnest($2::text[]) AS given (blob)
             WHERE NOT EXISTS (SELECT FROM files WHERE files.org_id = $1 AND files.blob = given.blob)",
            [org.0.into(), blobs.into()],
        )
        .await?;
        rows.iter().map(|row| Ok(row.try_get("", "blob")?)).collect()
    }
}

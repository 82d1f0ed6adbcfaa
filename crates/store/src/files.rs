//! Uploaded and rendered files: what is known of them. The bytes are in the file store.

use std::collections::HashMap;

use galley_domain::OrgId;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, Order, QueryFilter, QuerySelect, sea_query::LockType,
};
use uuid::Uuid;

use crate::{
    crud::contains,
    entity::{articles, files},
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

/// Which files are listed.
#[derive(Debug, Clone, Default)]
pub struct FileFilter {
    /// Part of the name, without regard to case.
    pub search: Option<String>,
    /// `pdf`, `docx`, `png`, …
    pub kind: Option<String>,
    pub limit: u64,
    pub offset: u64,
}

const READERS: &str = "
SELECT named.id, count(DISTINCT t.id) AS readers
FROM tasks t CROSS JOIN LATERAL (
    SELECT (file #>> '{}')::uuid AS id FROM jsonb_path_query(t.input, '$.uploaded_files[*]') AS file) AS named
WHERE t.org_id = $1 AND t.status IN ('pending', 'processing') AND named.id = ANY($2::uuid[])
GROUP BY named.id";

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn file(&self, id: Uuid) -> Result<Option<files::Model>, StoreError> {
        self.get::<files::Entity>(id).await
    }

    /// What all files and pictures take, in bytes.
    pub async fn bytes_of_files(&self) -> Result<u64, StoreError> {
        let sum = "SELECT ((SELECT coalesce(sum(size), 0) FROM files WHERE org_id = $1)
            + (SELECT coalesce(sum(stored_bytes), 0) FROM images WHERE org_id = $1))::bigint AS bytes";
        let row = sql::one(&self.conn, sum, [self.org_value()]).await?;
        let bytes: i64 = row.map(|row| row.try_get("", "bytes")).transpose()?.unwrap_or_default();
        Ok(bytes.unsigned_abs())
    }

    /// One page, newest first, with the number of all that match.
    pub async fn list_files(&self, filter: &FileFilter) -> Result<(Vec<files::Model>, u64), StoreError> {
        let condition = Condition::all()
            .add_option(filter.search.as_deref().map(|text| contains(files::Column::Name, text)))
            .add_option(filter.kind.as_deref().map(|kind| files::Column::Kind.eq(kind)));
        let newest = [(files::Column::CreatedAt, Order::Desc), (files::Column::Id, Order::Asc)];
        self.page::<files::Entity, _>(condition, &newest, filter.limit, filter.offset).await
    }

    /// How many orders that have not ended read each of these files; a file that none reads is left out.
    pub async fn file_readers(&self, ids: Vec<Uuid>) -> Result<HashMap<Uuid, u64>, StoreError> {
        let rows = sql::all(&self.conn, READERS, [self.org_value(), ids.into()]).await?;
        rows.iter().map(|row| Ok((row.try_get("", "id")?, row.try_get::<i64>("", "readers")?.unsigned_abs()))).collect()
    }
}

impl TenantTx {
    /// Those of `ids` that exist, in no particular order. They stay until the transaction ends.
    pub async fn files(&self, ids: &[Uuid]) -> Result<Vec<files::Model>, StoreError> {
        let named = self.find::<files::Entity>().filter(files::Column::Id.is_in(ids.iter().copied()));
        Ok(named.lock(LockType::KeyShare).all(&self.conn).await?)
    }

    pub async fn lock_file(&self, id: Uuid) -> Result<Option<files::Model>, StoreError> {
        self.lock::<files::Entity>(id).await
    }

    pub async fn insert_file(&self, file: NewFile) -> Result<(), StoreError> {
        let row = files::ActiveModel {
            id: Set(file.id),
            name: Set(file.name),
            kind: Set(file.kind),
            size: Set(i64::try_from(file.size).unwrap_or(i64::MAX)),
            sha256: Set(file.sha256),
            blob: Set(file.blob),
            ..Default::default()
        };
        self.insert::<files::Entity>(row).await?;
        Ok(())
    }

    /// Whether an article has this file as its cover.
    pub async fn is_cover(&self, file: Uuid) -> Result<bool, StoreError> {
        let shows = self.find::<articles::Entity>().filter(articles::Column::CoverFileId.eq(file));
        Ok(shows.select_only().column(articles::Column::Id).into_tuple::<Uuid>().one(&self.conn).await?.is_some())
    }

    /// True when there was one. Its effects go with it, and its bytes are swept once no file names them.
    pub async fn delete_file(&self, id: Uuid) -> Result<bool, StoreError> {
        self.delete_effects(id).await?;
        self.delete::<files::Entity>(id).await
    }
}

impl System {
    /// Those of an organization's `blobs` that no file and no picture has its bytes in, in no particular order. What belongs
    /// to a picture alone is named after it (`…/{id}.thumb-….webp`).
    pub async fn unnamed_blobs(&self, org: OrgId, blobs: Vec<String>) -> Result<Vec<String>, StoreError> {
        let rows = sql::all(
            &self.db,
            "SELECT blob FROM unnest($2::text[]) AS given (blob)
             WHERE NOT EXISTS (SELECT FROM files WHERE files.org_id = $1 AND files.blob = given.blob)
               AND NOT EXISTS (SELECT FROM images WHERE images.org_id = $1 AND images.id =
                    substring(given.blob FROM '/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[.][^/]*$')::uuid
                AND (images.blob = given.blob OR EXISTS (
                    SELECT FROM jsonb_each(images.variants) AS size WHERE size.value->>'blob' = given.blob)))",
            [org.0.into(), blobs.into()],
        )
        .await?;
        rows.iter().map(|row| Ok(row.try_get("", "blob")?)).collect()
    }
}

//! Projects: in the list until they go into the trash, and there until somebody takes them out or removes them for good.

use galley_domain::{OrgId, project::Platform};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};
use uuid::Uuid;

use crate::{
    entity::projects::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, System, TenantTx},
    sql,
    words::TextEnum,
};

/// A project to store; it starts as a draft without settings.
#[derive(Debug, Clone)]
pub struct NewProject {
    pub name: String,
    pub platform: Platform,
    /// Free in the organization.
    pub slug: String,
}

/// Covers that only the project's articles show go with the articles; their bytes are swept later. The effects of all of
/// them go too, and those of the project.
const DELETE_ARTICLES: &str = "
WITH gone AS (DELETE FROM articles WHERE org_id = $1 AND project_id = $2 RETURNING id, cover_file_id),
covers AS (
    DELETE FROM files USING gone WHERE files.org_id = $1 AND files.id = gone.cover_file_id AND NOT EXISTS (
        SELECT FROM articles a WHERE a.org_id = $1 AND a.cover_file_id = files.id AND a.project_id IS DISTINCT FROM $2)
    RETURNING files.id)
DELETE FROM effects WHERE org_id = $1
    AND subject_id IN (SELECT id FROM gone UNION ALL SELECT id FROM covers UNION ALL SELECT $2::uuid)";

const DELETE_SCHEDULES: &str = "DELETE FROM schedules WHERE org_id = $1 AND project_id = $2";

const HAS_OPEN_TASKS: &str = "
SELECT FROM articles a JOIN tasks t ON t.org_id = $1 AND t.id IN (a.task_id, a.rewrite_task_id,
    (SELECT p.task_id FROM publications p WHERE p.org_id = a.org_id AND p.id = a.publication_id))
WHERE a.org_id = $1 AND a.project_id = $2 AND t.status IN ('pending', 'processing') LIMIT 1";

const PUBLIC: &str = "
SELECT org_id, id FROM projects WHERE deleted_at IS NULL AND settings->'public_site_definition' = 'true'
    AND CASE WHEN $1::uuid IS NOT NULL THEN id = $1 ELSE slug = $2 END
ORDER BY opened_at, id LIMIT 1";

impl<C: ConnectionTrait> Scoped<C> {
    /// Also one in the trash.
    pub async fn project(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.get::<Entity>(id).await
    }

    /// Those in the trash or those outside of it, newest first.
    pub async fn projects(&self, trashed: bool) -> Result<Vec<Model>, StoreError> {
        let place = if trashed { Column::DeletedAt.is_not_null() } else { Column::DeletedAt.is_null() };
        let newest = self.find::<Entity>().filter(place).order_by_desc(Column::CreatedAt).order_by_asc(Column::Id);
        Ok(newest.all(&self.conn).await?)
    }

    /// Whether a project of the organization, trashed or not, has this slug.
    pub async fn project_slug_taken(&self, slug: &str) -> Result<bool, StoreError> {
        Ok(self.find::<Entity>().filter(Column::Slug.eq(slug)).one(&self.conn).await?.is_some())
    }
}

impl System {
    /// The project that shows itself to everybody, by its id or else by its slug, with its owner. Of several with one slug
    /// the first that was opened, so that nobody takes the place of another.
    pub async fn public_project(
        &self,
        id: Option<Uuid>,
        slug: Option<&str>,
    ) -> Result<Option<(OrgId, Uuid)>, StoreError> {
        let found = sql::one(&self.db, PUBLIC, [id.into(), slug.into()]).await?;
        found.map(|row| Ok((OrgId(row.try_get("", "org_id")?), row.try_get("", "id")?))).transpose()
    }
}

impl TenantTx {
    /// Whether there is such a project outside of the trash; it stays there until the transaction ends.
    pub async fn has_project(&self, id: Uuid) -> Result<bool, StoreError> {
        let open = self.find::<Entity>().filter(Column::Id.eq(id)).filter(Column::DeletedAt.is_null());
        Ok(open.lock(LockType::Share).one(&self.conn).await?.is_some())
    }

    pub async fn lock_project(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.lock::<Entity>(id).await
    }

    pub async fn insert_project(&self, new: NewProject) -> Result<Model, StoreError> {
        let NewProject { name, platform, slug } = new;
        let platform = Set(TextEnum(platform));
        let row =
            ActiveModel { id: Set(Uuid::now_v7()), name: Set(name), platform, slug: Set(slug), ..Default::default() };
        self.insert::<Entity>(row).await
    }

    /// Writes back what the caller changed on a locked project.
    pub async fn save_project(&self, project: Model) -> Result<Model, StoreError> {
        self.save::<Entity>(project).await
    }

    /// Whether an order for the project has not ended.
    pub async fn has_open_tasks(&self, project: Uuid) -> Result<bool, StoreError> {
        Ok(sql::one(&self.conn, HAS_OPEN_TASKS, [self.org_value(), project.into()]).await?.is_some())
    }

    /// Removes a project with its articles, their versions, claims, covers and effects, and with its schedules and their
    /// runs. Tasks and books stay.
    pub async fn delete_project(&self, id: Uuid) -> Result<bool, StoreError> {
        sql::execute(&self.conn, DELETE_ARTICLES, [self.org_value(), id.into()]).await?;
        sql::execute(&self.conn, DELETE_SCHEDULES, [self.org_value(), id.into()]).await?;
        self.delete::<Entity>(id).await
    }
}

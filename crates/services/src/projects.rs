//! Projects: made, changed, put into the trash, taken out of it, removed for good.

use galley_domain::{OrgId, order::Violations, project::Platform};
use galley_store::{NewProject, StoreError, TenantTx, rows};
use galley_text::slug::{numbered, slugify};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    project_settings::check_settings,
    publishing::connections::ProjectIntegrations,
    schedules::ProjectSchedules,
    settings::merge,
};

const MAX_NAME_CHARS: usize = 200;

/// Changes to a project; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ProjectEdit {
    pub name: Option<String>,
    /// Merged key by key; null removes a key.
    pub settings: Option<Map<String, Json>>,
    /// Null detaches. There is nothing to attach yet.
    pub store_connection_id: Option<Option<Uuid>>,
}

impl Services {
    /// Those in the trash or those outside of it, newest first.
    pub async fn projects(&self, org: OrgId, trashed: bool) -> Result<Vec<rows::Project>, ServiceError> {
        Ok(self.store.tenant(org).projects(trashed).await?)
    }

    /// Also one in the trash.
    pub async fn project(&self, org: OrgId, id: Uuid) -> Result<rows::Project, ServiceError> {
        self.store.tenant(org).project(id).await?.ok_or(ServiceError::NotFound(Missing::Project))
    }

    pub async fn create_project(
        &self,
        org: OrgId,
        name: &str,
        platform: Platform,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<rows::Project>, ServiceError> {
        check(&ProjectEdit { name: Some(name.to_owned()), ..ProjectEdit::default() })?;
        let tx = self.store.begin(org).await?;
        once(tx, key, |tx| async move {
            let slug = free_slug(&tx, &slugify(name)).await?;
            let project = tx.insert_project(NewProject { name: name.trim().to_owned(), platform, slug }).await?;
            Ok((tx, project))
        })
        .await
    }

    pub async fn edit_project(&self, org: OrgId, id: Uuid, edit: ProjectEdit) -> Result<rows::Project, ServiceError> {
        check(&edit)?;
        self.change_project(org, id, async |tx, project| {
            if let Some(name) = edit.name {
                project.name = name.trim().to_owned();
            }
            let Some(changes) = edit.settings else { return Ok(()) };
            check_settings(tx, &changes).await?;
            merge(&mut project.settings, changes)?;
            let is_open = project.settings["public_site_definition"] == true;
            let since = project.opened_at.unwrap_or(tx.now().await?);
            project.opened_at = is_open.then_some(since);
            Ok(())
        })
        .await
    }

    /// Puts a project into the trash, where it takes no changes and no orders. Its schedules pause.
    pub async fn delete_project(&self, org: OrgId, id: Uuid) -> Result<rows::Project, ServiceError> {
        let tx = self.store.begin(org).await?;
        let (mut project, schedules) = lock_with_schedules(&tx, id, false).await?;
        refuse_open_tasks(&tx, id).await?;
        project.deleted_at = Some(tx.now().await?);
        let project = tx.save_project(project).await?;
        self.pause_for_trash(&tx, schedules, &project).await?;
        tx.commit().await?;
        Ok(project)
    }

    /// Takes a project out of the trash. The schedules that paused when it went there go on.
    pub async fn restore_project(
        &self,
        org: OrgId,
        id: Uuid,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<rows::Project>, ServiceError> {
        let tx = self.store.begin(org).await?;
        once(tx, key, |tx| async move {
            let (mut project, schedules) = lock_with_schedules(&tx, id, true).await?;
            project.deleted_at = None;
            let project = tx.save_project(project).await?;
            self.resume_after_trash(&tx, schedules, &project).await?;
            Ok((tx, project))
        })
        .await
    }

    /// Removes a project that is in the trash, with its articles, their covers and images, its schedules, and those of its
    /// connections that are no blog connections besides. What was paid for stays in the books, and what was ordered in the
    /// list of tasks.
    pub async fn purge_project(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        lock_with_schedules(&tx, id, true).await?;
        refuse_open_tasks(&tx, id).await?;
        let images = tx.images_of_project(id).await?;
        let integrations = ProjectIntegrations::of(&tx, id).await?;
        let articles = tx.article_ids(id).await?;
        tx.delete_project(id).await?;
        integrations.leave(&tx).await?;
        for article in articles {
            self.follow_in_folder(&tx, article).await?;
        }
        tx.commit().await?;
        self.drop_images(&images).await;
        Ok(())
    }

    /// Changes a project outside of the trash.
    async fn change_project(
        &self,
        org: OrgId,
        id: Uuid,
        change: impl AsyncFnOnce(&TenantTx, &mut rows::Project) -> Result<(), ServiceError>,
    ) -> Result<rows::Project, ServiceError> {
        let tx = self.store.begin(org).await?;
        let mut project = lock_project(&tx, id, false).await?;
        change(&tx, &mut project).await?;
        let project = tx.save_project(project).await?;
        tx.commit().await?;
        Ok(project)
    }
}

/// The project, if it is where it has to be, with all of its schedules.
async fn lock_with_schedules(
    tx: &TenantTx,
    id: Uuid,
    trashed: bool,
) -> Result<(rows::Project, ProjectSchedules), ServiceError> {
    let schedules = ProjectSchedules::lock(tx, id).await?;
    let project = lock_project(tx, id, trashed).await?;
    schedules.refuse_newer(tx).await?;
    Ok((project, schedules))
}

/// The project, if it is where it has to be.
async fn lock_project(tx: &TenantTx, id: Uuid, trashed: bool) -> Result<rows::Project, ServiceError> {
    let project = tx.lock_project(id).await?.ok_or(ServiceError::NotFound(Missing::Project))?;
    match (project.deleted_at.is_some(), trashed) {
        (true, false) => Err(ServiceError::Conflict("the project is in the trash; restore it first".into())),
        (false, true) => Err(ServiceError::Conflict("the project is not in the trash; delete it first".into())),
        _ => Ok(project),
    }
}

/// What is in a project in the trash can be read, and changes when the project is taken out again.
pub(crate) async fn refuse_trashed(tx: &TenantTx, project: Option<Uuid>) -> Result<(), ServiceError> {
    match project {
        Some(project) if !tx.has_project(project).await? => {
            Err(ServiceError::Conflict("the article's project is in the trash; restore it first".into()))
        }
        _ => Ok(()),
    }
}

async fn refuse_open_tasks(tx: &TenantTx, project: Uuid) -> Result<(), ServiceError> {
    match tx.has_open_tasks(project).await? {
        true => Err(ServiceError::Conflict("a task of the project has not ended; wait for it or cancel it".into())),
        false => Ok(()),
    }
}

/// Whoever looks for the same slug at the same time waits until this transaction ends.
async fn free_slug(tx: &TenantTx, base: &str) -> Result<String, StoreError> {
    tx.hold_slug(&format!("project/{base}")).await?;
    let mut number = 1;
    while tx.project_slug_taken(&numbered(base, number)).await? {
        number += 1;
    }
    Ok(numbered(base, number))
}

fn check(edit: &ProjectEdit) -> Result<(), ServiceError> {
    let mut wrong = Violations::default();
    if let Some(name) = &edit.name {
        wrong.length("name", name, 1, MAX_NAME_CHARS);
    }
    let attached = edit.store_connection_id.flatten().is_some();
    wrong.check(attached, "store_connection_id", "there is no such connection; give null");
    wrong.finish().map_err(ServiceError::Validation)
}

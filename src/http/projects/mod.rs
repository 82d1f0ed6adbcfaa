//! Projects: the bodies of work that articles and products belong to, and their trash.

use galley_domain::project::{Platform, ProjectStatus};
use galley_services::ProjectEdit;
use galley_store::rows;
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, ProjectsRead, ProjectsWrite},
        body::Body,
        envelope::views,
        fields::{Patch, fields},
        header::IdempotencyKey,
        problem::Problem,
        query::Query,
        reply::{Created, NoContent, Outcome, Reply},
        scalar::{Id, Moment, Nullable, Word},
        values::{FreeObject, Text},
        view::view,
    },
};

pub struct Projects;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Projects")]
impl Projects {
    /// List projects
    ///
    /// All of them on one page, newest first: those outside of the trash, or those in it.
    #[oai(path = "/projects", method = "get", operation_id = "list_projects")]
    async fn list(&self, auth: Auth<ProjectsRead>, Query(query): Query<ProjectQuery>) -> Outcome<Vec<Project>> {
        let rows = auth.services().projects(auth.org(), query.include_deleted).await?;
        Ok(Reply::new(views(rows)?))
    }

    /// Create a project
    ///
    /// Empty, as a draft.
    #[oai(path = "/projects", method = "post", operation_id = "create_project")]
    async fn create(
        &self,
        auth: Auth<ProjectsWrite, Content>,
        /// The same key with the same project gives the first answer again instead of a second project.
        key: IdempotencyKey,
        project: Body<CreateProject>,
    ) -> Outcome<Project, Created> {
        let key = key.with(&project.canonical)?;
        let CreateProject { name, platform } = project.value;
        let answer = auth.services().create_project(auth.org(), &name.0, platform.0, key.as_ref()).await?;
        let location = format!("/api/v1/projects/{}", answer.value.id);
        Ok(Reply::of(answer, Project::from).at(&location))
    }

    /// Get a project
    ///
    /// Also one in the trash; `deleted_at` tells.
    #[oai(path = "/projects/:project_id", method = "get", operation_id = "get_project")]
    async fn get(&self, auth: Auth<ProjectsRead>, project_id: Path<Id>) -> Outcome<Project> {
        Ok(Reply::new(auth.services().project(auth.org(), project_id.0.0).await?.into()))
    }

    /// Change a project
    ///
    /// What is left out stays. In the trash nothing changes: that is a CONFLICT.
    #[oai(path = "/projects/:project_id", method = "patch", operation_id = "update_project")]
    async fn update(
        &self,
        auth: Auth<ProjectsWrite, Content>,
        project_id: Path<Id>,
        change: Body<UpdateProject>,
    ) -> Outcome<Project> {
        let row = auth.services().edit_project(auth.org(), project_id.0.0, change.value.into()).await?;
        Ok(Reply::new(row.into()))
    }

    /// Put a project into the trash
    ///
    /// What is in it can be read, but not changed or ordered. Its schedules pause. A project in the trash, and one with a
    /// task that has not ended, is a CONFLICT.
    #[oai(path = "/projects/:project_id", method = "delete", operation_id = "delete_project")]
    async fn delete(&self, auth: Auth<ProjectsWrite, Content>, project_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().delete_project(auth.org(), project_id.0.0).await?;
        Ok(NoContent)
    }

    /// Take a project out of the trash
    ///
    /// With all that is in it. The schedules that paused when it went there go on; of the times that came meanwhile, the
    /// `missed` of each says what becomes. One that is not in the trash is a CONFLICT.
    #[oai(path = "/projects/:project_id/restore", method = "post", operation_id = "restore_project")]
    async fn restore(
        &self,
        auth: Auth<ProjectsWrite, Content>,
        project_id: Path<Id>,
        key: IdempotencyKey,
    ) -> Outcome<Project> {
        let key = key.with(b"")?;
        let restored = auth.services().restore_project(auth.org(), project_id.0.0, key.as_ref()).await?;
        Ok(Reply::of(restored, Project::from))
    }

    /// Remove a project for good
    ///
    /// With its articles, their covers, and the schedules that order into it; their tasks, and what was paid for them,
    /// stay. Only from the trash: otherwise it is a CONFLICT.
    #[oai(path = "/projects/:project_id/permanent", method = "delete", operation_id = "purge_project")]
    async fn purge(&self, auth: Auth<ProjectsWrite, Content>, project_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().purge_project(auth.org(), project_id.0.0).await?;
        Ok(NoContent)
    }
}

fields! {
    /// Which projects to list.
    pub struct ProjectQuery {
        /// Only those in the trash, instead of only those outside of it.
        include_deleted: bool = false,
    }
}

fields! {
    /// A project to create.
    pub struct CreateProject: ignores_unknown, takes_forms {
        /// 1 to 200 characters.
        name: Text<1, 200>,
        /// Where what is written goes in the end; wordpress: a blog without a store.
        platform: Word<Platform>,
    }
}

fields! {
    /// Changes to a project; what is left out stays.
    pub struct UpdateProject: ignores_unknown {
        /// 1 to 200 characters.
        name: Patch<Text<1, 200>>,
        /// Merged key by key; null removes a key. At most 200 keys and 64 KiB as JSON in all, and no
        /// number beyond 1e300.
        ///
        /// Galley goes by these, and refuses what it could not go by; all other keys are yours:
        /// `publish_gate` {`no_unsupported_claims` bool, `min_score` 0 to 100, `approved` bool, `cover` bool}: what must hold before
        /// a text is published. `default_blog_connection_id`: through which blog connection posts are published that name none.
        /// `quiet_hours` {`start`, `end`} as 22:00: the calendar warns of posts that go out then. `public_site_definition` bool: the
        /// published texts can be read without a key at `/publisher/site-definition`. `language`, `tone`, `word_count`,
        /// `custom_instructions`, `ai_provider`, `ai_model`, `source_images`: of posts whose order does not say.
        /// `strict_provider` bool: another `ai_provider` or `ai_model` than the server's is refused.
        settings: Patch<FreeObject>,
        /// Null detaches. There is no connection to attach yet.
        store_connection_id: Patch<Nullable<Uuid>>,
    }
}

impl From<UpdateProject> for ProjectEdit {
    fn from(change: UpdateProject) -> Self {
        Self {
            name: change.name.0.map(|name| name.0),
            settings: change.settings.0.map(|settings| settings.0),
            store_connection_id: change.store_connection_id.0.map(|id| id.0),
        }
    }
}

view! {
    /// A body of work.
    pub struct Project of rows::Project {
        id: Uuid,
        name: String,
        platform: Word<Platform>,
        status: Word<ProjectStatus>,
        /// Unique in the organization, made of the first name.
        slug: String,
        domain: Nullable<String>,
        description: String,
        settings: FreeObject,
        created_at: Moment,
        completed_at: Nullable<Moment>,
        /// When it went into the trash.
        deleted_at: Nullable<Moment>,
        // Items, sources and connections come with the commerce issue.
        item_count: u32 = 0,
        flagged_count: u32 = 0,
        source_count: u32 = 0,
        status_counts: StatusCounts = StatusCounts::default(),
        store_connection_id: Nullable<Uuid> = Nullable(None),
        store_connection_name: Nullable<String> = Nullable(None),
    }
}

/// How many items are in each state; together they are `item_count`.
#[derive(Debug, Default, Object)]
pub struct StatusCounts {
    pending: u32,
    generated: u32,
    flagged: u32,
    approved: u32,
    rejected: u32,
    synced: u32,
    excluded: u32,
}

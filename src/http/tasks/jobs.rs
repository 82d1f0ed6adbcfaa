//! Jobs: tasks as the e-commerce document sees them.

use galley_domain::{article, publishing, publishing::site_sync, task::TaskStatus};
use galley_services::{TaskView, pipelines::images};
use poem_openapi::{Object, OpenApi, param::Path};
use serde_json::Value;
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{Auth, Class, Content, OwnTask, ProjectsRead, Right, TasksRead, TasksWrite},
        fields::fields,
        problem::Problem,
        query::Query,
        reply::{Outcome, Reply},
        scalar::{Id, Moment, Nullable, Word, words},
        values::FreeObject,
    },
};

/// The document's.
const MOST: u64 = 50;

pub struct Jobs;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Tasks")]
impl Jobs {
    /// List the jobs of a project
    ///
    /// The newest 50 tasks about its texts and its sites.
    #[oai(path = "/projects/:project_id/jobs", method = "get", operation_id = "list_project_jobs")]
    async fn list(
        &self,
        auth: Auth<ProjectsRead>,
        project_id: Path<Id>,
        Query(query): Query<JobQuery>,
    ) -> Outcome<Vec<Job>> {
        let status = query.status.map(|status| status.0.of_tasks()).unwrap_or_default();
        let views = auth.services().project_tasks(auth.org(), project_id.0.0, status, MOST).await?;
        Ok(Reply::new(views.iter().map(Job::of).collect()))
    }

    /// Get a job
    ///
    /// How far it is, and what came of it. It is the task of the same id.
    #[oai(path = "/jobs/:job_id", method = "get", operation_id = "get_job")]
    async fn get(&self, own: OwnTask<TasksRead>, job_id: Path<Id>) -> Outcome<JobDetail> {
        let (auth, view) = own.with_id(job_id.0.0)?;
        Ok(Reply::new(detail(&auth, view).await?))
    }

    /// Cancel a job
    ///
    /// Stops one that has not ended within moments; what it held goes back. One that has ended is a CONFLICT.
    #[oai(path = "/jobs/:job_id/cancel", method = "post", operation_id = "cancel_job")]
    async fn cancel(&self, own: OwnTask<TasksWrite, Content>, job_id: Path<Id>) -> Outcome<JobDetail> {
        let (auth, _) = own.with_id(job_id.0.0)?;
        let view = auth.services().cancel(auth.org(), job_id.0.0).await?;
        Ok(Reply::new(detail(&auth, view).await?))
    }
}

async fn detail<R: Right, C: Class>(auth: &Auth<R, C>, view: TaskView) -> Result<JobDetail, Problem> {
    let project = auth.services().project_of(auth.org(), &view).await?;
    Ok(JobDetail::of(&view, project))
}

words! {
    /// What becomes of a job.
    pub enum JobStatus {
        Queued = "queued",
        Running = "running",
        Paused = "paused",
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

impl JobStatus {
    fn of(view: &TaskView) -> Self {
        match view.status {
            TaskStatus::Pending | TaskStatus::Processing if view.row.paused => Self::Paused,
            TaskStatus::Pending => Self::Queued,
            TaskStatus::Processing => Self::Running,
            TaskStatus::Completed => Self::Completed,
            TaskStatus::Failed => Self::Failed,
            TaskStatus::Cancelled => Self::Cancelled,
        }
    }

    /// The status of the task, and whether it is paused.
    fn of_tasks(self) -> (Option<TaskStatus>, Option<bool>) {
        match self {
            Self::Queued => (Some(TaskStatus::Pending), Some(false)),
            Self::Running => (Some(TaskStatus::Processing), Some(false)),
            Self::Paused => (None, Some(true)),
            Self::Completed => (Some(TaskStatus::Completed), None),
            Self::Failed => (Some(TaskStatus::Failed), None),
            Self::Cancelled => (Some(TaskStatus::Cancelled), None),
        }
    }
}

fields! {
    /// Which jobs to list.
    pub struct JobQuery {
        /// Only jobs in this state.
        status: Option<Word<JobStatus>>,
    }
}

/// A piece of work in the background.
#[derive(Debug, Object)]
pub struct Job {
    id: Uuid,
    /// blog_post: writing one. publication: publishing one, now or at its hour. image: making a picture of one. sync:
    /// bringing a site and its texts into line. Other kinds may come.
    job_type: String,
    status: Word<JobStatus>,
    progress_current: i32,
    progress_total: i32,
    created_at: Moment,
    started_at: Nullable<Moment>,
    /// When it ended, however it did.
    completed_at: Nullable<Moment>,
    /// Why it failed.
    error: Nullable<String>,
}

/// The document's words where it has one, ours otherwise.
fn job_type(kind: &str) -> &str {
    match kind {
        article::TASK => "blog_post",
        publishing::TASK => "publication",
        images::TASK => "image",
        site_sync::TASK => "sync",
        other => other,
    }
}

/// What the task is about, where that is a post.
fn post_of(view: &TaskView) -> Option<Uuid> {
    let is_about_a_post = [article::TASK, publishing::TASK, images::TASK].contains(&view.row.kind.as_str());
    view.row.subject_id.filter(|_| is_about_a_post)
}

/// Counted in items where it has some, in percent where it has none.
fn progress(view: &TaskView) -> (i32, i32) {
    match view.row.items_total {
        0 => (view.row.progress.into(), 100),
        total => (view.row.items_done + view.row.items_failed, total),
    }
}

impl Job {
    fn of(view: &TaskView) -> Self {
        let (progress_current, progress_total) = progress(view);
        Self {
            id: view.row.id,
            job_type: job_type(&view.row.kind).to_owned(),
            status: Word(JobStatus::of(view)),
            progress_current,
            progress_total,
            created_at: Moment(view.row.created_at),
            started_at: view.row.started_at.map(Moment).into(),
            completed_at: view.row.finished_at.map(Moment).into(),
            error: view.row.error_message.clone().into(),
        }
    }
}

/// A job with what came of it.
#[derive(Debug, Object)]
pub struct JobDetail {
    id: Uuid,
    /// blog_post: writing one. publication: publishing one, now or at its hour. image: making a picture of one. sync:
    /// bringing a site and its texts into line. Other kinds may come.
    job_type: String,
    status: Word<JobStatus>,
    progress_current: i32,
    progress_total: i32,
    /// What became of single items; empty where it has none.
    progress_detail: Vec<FreeObject>,
    /// Null until it has ended well.
    result: Nullable<JobResult>,
    error: Nullable<String>,
    project_id: Nullable<Uuid>,
    created_at: Moment,
    started_at: Nullable<Moment>,
    completed_at: Nullable<Moment>,
}

/// What came of a job.
#[derive(Debug, Object)]
pub struct JobResult {
    /// The post that it was about; null for a sync.
    post_id: Nullable<Uuid>,
    /// What did not work but did not stop it either.
    warnings: Vec<String>,
}

impl JobDetail {
    fn of(view: &TaskView, project: Option<Uuid>) -> Self {
        let job = Job::of(view);
        let warnings = view.row.warnings.as_array().into_iter().flatten().filter_map(Value::as_str);
        let result = JobResult { post_id: post_of(view).into(), warnings: warnings.map(str::to_owned).collect() };
        Self {
            id: job.id,
            job_type: job.job_type,
            status: job.status,
            progress_current: job.progress_current,
            progress_total: job.progress_total,
            progress_detail: Vec::new(),
            result: (view.status == TaskStatus::Completed).then_some(result).into(),
            error: job.error,
            project_id: project.into(),
            created_at: job.created_at,
            started_at: job.started_at,
            completed_at: job.completed_at,
        }
    }
}

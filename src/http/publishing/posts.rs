//! Blog posts of a project: ordered, read, changed, published, scheduled.

use galley_domain::{
    FaultCode,
    publishing::{PostStatus, Visibility},
    task::TaskStatus,
};
use galley_services::{Answer, PublishRequest, TaskView};
use galley_store::rows;
use poem::http::StatusCode;
use poem_openapi::{OpenApi, param::Path};
use tokio::time::Instant;
use uuid::Uuid;

pub mod body;
pub mod counts;
pub mod view;

use body::{CreateBlogPost, PublishBlogPost, RegenerateBlogPost, ScheduleBlogPost, UpdateBlogPost};
use counts::BlogAnalytics;
use view::{Beside, BlogPost, BlogPostSummary};

use crate::http::{
    Area,
    kit::{
        auth::{Ai, Auth, Class, Content, ProjectsRead, ProjectsWrite, PublishWrite, Right},
        body::Body,
        envelope::views,
        fields::fields,
        header::IdempotencyKey,
        problem::{Code, Problem},
        query::Query,
        reply::{Accepted, NoContent, Outcome, Reply, Waited},
        scalar::{Id, Word},
        waiting,
    },
};

pub struct Posts;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl Posts {
    /// List blog posts
    ///
    /// All posts of the project, newest first, also those that were ordered as tasks or articles.
    #[oai(path = "/projects/:project_id/blog-posts", method = "get", operation_id = "list_blog_posts")]
    async fn list(
        &self,
        auth: Auth<ProjectsRead>,
        project_id: Path<Id>,
        Query(query): Query<BlogPostQuery>,
    ) -> Outcome<Vec<BlogPostSummary>> {
        let status = query.status.map(|status| status.0);
        let rows = auth.services().posts(auth.org(), project_id.0.0, status).await?;
        let ids: Vec<(Uuid, bool)> = rows.iter().map(|row| (row.id, row.version > 0)).collect();
        let mut links = auth.services().featured_links(auth.org(), &ids).await?;
        let shown = rows.into_iter().map(|row| (links.remove(&row.id), row)).map(|(link, row)| (row, link));
        Ok(Reply::new(views(shown)?))
    }

    /// Order a blog post
    ///
    /// Starts the work and answers with the post, whose status is `generating` until it becomes `draft` or `failed`.
    /// `job_id` is the task that does it; its warnings say what was asked for and cannot be done here. Costs what an article
    /// costs.
    ///
    /// How it is written is taken from `ai_settings`, then from the template (its tone, and the sum of its words), then from the
    /// settings of the project. What the template and its sections ask for is added to `custom_instructions`.
    #[oai(path = "/projects/:project_id/blog-posts", method = "post", operation_id = "create_blog_post")]
    async fn create(
        &self,
        auth: Auth<ProjectsWrite, Ai>,
        project_id: Path<Id>,
        key: IdempotencyKey,
        body: Body<CreateBlogPost>,
    ) -> Outcome<BlogPost, Accepted> {
        let key = key.with(&body.canonical)?;
        let request = body.value.request(project_id.0.0);
        let answer = auth.services().create_post(&auth.principal, request, auth.trace_id(), key.as_ref()).await?;
        ordered(&auth, project_id.0.0, answer).await
    }

    /// Get a blog post
    ///
    /// With its text as HTML.
    #[oai(path = "/projects/:project_id/blog-posts/:post_id", method = "get", operation_id = "get_blog_post")]
    async fn get(&self, auth: Auth<ProjectsRead>, project_id: Path<Id>, post_id: Path<Id>) -> Outcome<BlogPost> {
        Ok(Reply::new(shown(&auth, (project_id.0.0, post_id.0.0)).await?))
    }

    /// Change a blog post
    ///
    /// What is left out stays. `content` is HTML; what does not belong into an article is taken out of it. A change of the
    /// text makes a version. Of a published post it changes what stands here; publish again to send it.
    ///
    /// An image of the post stands in its text by the address `reference`; a link to it means the same. Answers have fresh
    /// links in its place. One that the post does not have is left out of answers and publications, and told in the preview.
    ///
    /// `featured_image_url` is a link to an image of the post, or an https address whose picture is fetched at once and added
    /// to the post; null takes it away.
    #[oai(path = "/projects/:project_id/blog-posts/:post_id", method = "patch", operation_id = "update_blog_post")]
    async fn update(
        &self,
        auth: Auth<ProjectsWrite, Content>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        body: Body<UpdateBlogPost>,
    ) -> Outcome<BlogPost> {
        let row = auth.services().edit_post(auth.org(), (project_id.0.0, post_id.0.0), body.value.into()).await?;
        Ok(Reply::new(with_job(&auth, row).await?))
    }

    /// Write a blog post anew
    ///
    /// By the settings that it was ordered with, and by its template and its project as they are now. The old text stays until
    /// the new one is there, and stays when that fails. Costs what an article costs.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/regenerate",
        method = "post",
        operation_id = "regenerate_blog_post"
    )]
    async fn regenerate(
        &self,
        auth: Auth<ProjectsWrite, Ai>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        key: IdempotencyKey,
        body: Body<RegenerateBlogPost>,
    ) -> Outcome<BlogPost, Accepted> {
        let key = key.with(&body.canonical)?;
        let place = (project_id.0.0, post_id.0.0);
        let (services, given) = (auth.services(), body.value.into());
        let answer = services.regenerate_post(&auth.principal, place, given, auth.trace_id(), key.as_ref()).await?;
        ordered(&auth, place.0, answer).await
    }

    /// Publish a blog post
    ///
    /// Puts the post to the blog, once, or brings the one that is there to its newest text. Waits for at most 55 s; then the
    /// answer is 202 and the attempts go on: follow `job_id`. A refusal of the site is a 502 and leaves the text as it is.
    /// Over what somebody has changed there nothing is sent without `force`.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/publish",
        method = "post",
        operation_id = "publish_blog_post"
    )]
    async fn publish(
        &self,
        auth: Auth<PublishWrite, Content>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        key: IdempotencyKey,
        body: Body<PublishBlogPost>,
    ) -> Result<Waited<BlogPost>, Problem> {
        let (key, began) = (key.with(&body.canonical)?, Instant::now());
        let place = (project_id.0.0, post_id.0.0);
        auth.services().post(auth.org(), place.0, place.1).await?;
        let request = PublishRequest::from(body.value);
        let ordered = auth.services().publish(&auth.principal, place.1, request, auth.trace_id(), key.as_ref()).await?;
        awaited(&auth, place, ordered, began).await
    }

    /// Take a blog post back
    ///
    /// It becomes a draft at every blog that has it, and here; its place there is kept for the next publication. A wait beyond
    /// 55 s becomes a 202 with the task to look at.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/unpublish",
        method = "post",
        operation_id = "unpublish_blog_post"
    )]
    async fn unpublish(
        &self,
        auth: Auth<PublishWrite, Content>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        key: IdempotencyKey,
    ) -> Result<Waited<BlogPost>, Problem> {
        let (key, began) = (key.with(b"")?, Instant::now());
        let place = (project_id.0.0, post_id.0.0);
        auth.services().post(auth.org(), place.0, place.1).await?;
        let ordered = auth.services().unpublish(&auth.principal, place.1, auth.trace_id(), key.as_ref()).await?;
        awaited(&auth, place, ordered, began).await
    }

    /// Schedule a blog post
    ///
    /// Promises that the post goes out at an hour; what stands then goes out. Again while it is scheduled: moves it. A wall
    /// time that the clock of its zone skips is the next one that exists, one that comes twice is the first;
    /// `schedule_note` says so.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/schedule",
        method = "post",
        operation_id = "schedule_blog_post"
    )]
    async fn schedule(
        &self,
        auth: Auth<PublishWrite, Content>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        key: IdempotencyKey,
        body: Body<ScheduleBlogPost>,
    ) -> Outcome<BlogPost> {
        let key = key.with(&body.canonical)?;
        let place = (project_id.0.0, post_id.0.0);
        auth.services().post(auth.org(), place.0, place.1).await?;
        let request = body.value.into();
        let services = auth.services();
        let done = services.schedule_post(&auth.principal, place.1, request, auth.trace_id(), key.as_ref()).await?;
        let value = shown(&auth, place).await?;
        Ok(Reply::of(Answer { value, replayed: done.replayed }, |post| post))
    }

    /// Take a promise back
    ///
    /// The post is a draft again.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/unschedule",
        method = "post",
        operation_id = "unschedule_blog_post"
    )]
    async fn unschedule(
        &self,
        auth: Auth<PublishWrite, Content>,
        project_id: Path<Id>,
        post_id: Path<Id>,
    ) -> Outcome<BlogPost> {
        let place = (project_id.0.0, post_id.0.0);
        auth.services().post(auth.org(), place.0, place.1).await?;
        auth.services().unschedule_post(auth.org(), place.1).await?;
        Ok(Reply::new(shown(&auth, place).await?))
    }

    /// Delete a blog post
    ///
    /// For good, with its versions and images; its job or its promise is cancelled. A published copy stays at its blog
    /// unless `remote` is `trash`, for which the key needs the scope `publish`, too.
    #[oai(path = "/projects/:project_id/blog-posts/:post_id", method = "delete", operation_id = "delete_blog_post")]
    async fn delete(
        &self,
        auth: Auth<ProjectsWrite, Content>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        Query(query): Query<DeleteBlogPostQuery>,
    ) -> Result<NoContent, Problem> {
        let place = (project_id.0.0, post_id.0.0);
        auth.services().post(auth.org(), place.0, place.1).await?;
        if query.remote.is_some() {
            auth.demand::<PublishWrite>()?;
            let began = Instant::now();
            let task = auth.services().remove_remote(&auth.principal, place.1, auth.trace_id()).await?;
            taken_away(&auth, task, began).await?;
        }
        auth.services().delete_article(auth.org(), place.1).await?;
        Ok(NoContent)
    }

    /// Sum up the blog posts
    ///
    /// What is known of them: how many are in each state, words, scores and cost. Nothing is guessed about their readers.
    #[oai(path = "/projects/:project_id/blog-posts/analytics", method = "get", operation_id = "get_blog_analytics")]
    async fn analytics(&self, auth: Auth<ProjectsRead>, project_id: Path<Id>) -> Outcome<BlogAnalytics> {
        Ok(Reply::new(auth.services().post_counts(auth.org(), project_id.0.0).await?.try_into()?))
    }
}

fields! {
    /// Which posts to list.
    pub struct BlogPostQuery {
        /// Only posts in this state.
        status: Option<Word<PostStatus>>,
    }
}

crate::http::kit::scalar::words! {
    /// What becomes of a published copy.
    pub enum RemoteCopy { Trash = "trash" }
}

fields! {
    /// What else is deleted.
    pub struct DeleteBlogPostQuery {
        /// `trash`: the copy at its blog goes into the trash there, first.
        remote: Option<Word<RemoteCopy>>,
    }
}

/// A post of a project, or an article wherever it is.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    project: Option<Uuid>,
    id: Uuid,
}

impl From<(Uuid, Uuid)> for Place {
    fn from((project, id): (Uuid, Uuid)) -> Self {
        Self { project: Some(project), id }
    }
}

impl From<Uuid> for Place {
    fn from(id: Uuid) -> Self {
        Self { project: None, id }
    }
}

/// The post as it stands, with the job that is at it.
pub async fn shown<R: Right, C: Class>(auth: &Auth<R, C>, place: impl Into<Place>) -> Result<BlogPost, Problem> {
    let Place { project, id } = place.into();
    let row = match project {
        Some(project) => auth.services().post(auth.org(), project, id).await?,
        None => auth.services().article(auth.org(), id).await?,
    };
    with_job(auth, row).await
}

async fn with_job<R: Right, C: Class>(auth: &Auth<R, C>, mut row: rows::Article) -> Result<BlogPost, Problem> {
    let task = match row.publication_id {
        Some(publication) => auth.services().publication_task(auth.org(), publication).await?,
        None => None,
    };
    let featured = auth.services().featured_links(auth.org(), &[(row.id, row.version > 0)]).await?.remove(&row.id);
    let score = auth.services().score_post(auth.org(), &row, None).await?.map(|scored| scored.report.score);
    row.content_markdown = auth.services().with_image_links(auth.org(), row.id, row.content_markdown).await?;
    BlogPost::with(row, Beside { publishing: task, featured, score })
}

/// A post whose text was ordered.
async fn ordered(
    auth: &Auth<ProjectsWrite, Ai>,
    project: Uuid,
    answer: Answer<rows::Article>,
) -> Outcome<BlogPost, Accepted> {
    let Answer { value: row, replayed } = answer;
    let location = format!("/api/v1/projects/{project}/blog-posts/{}", row.id);
    let value = with_job(auth, row).await?;
    Ok(Reply::of(Answer { value, replayed }, |post| post).at(&location))
}

/// What came of a publication or of taking one back, as far as it can be waited for.
pub async fn awaited<T: Into<Option<Uuid>>>(
    auth: &Auth<PublishWrite, Content>,
    place: impl Into<Place>,
    ordered: Answer<T>,
    began: Instant,
) -> Result<Waited<BlogPost>, Problem> {
    let Answer { value: task, replayed } = ordered;
    let ended = match task.into() {
        Some(task) => Some(waiting::for_task(auth.front(), auth.org(), task, began).await?),
        None => None,
    };
    let answer = Answer { value: shown(auth, place).await?, replayed };
    match ended {
        Some(task) if !task.status.is_ended() => {
            let path = format!("/api/v1/tasks/{}", task.row.id);
            Ok(Waited::GoesOn(Reply::of(answer, |post| post).at(&path)))
        }
        Some(task) => fails(&task).map(|()| Waited::Done(Reply::of(answer, |post| post))),
        None => Ok(Waited::Done(Reply::of(answer, |post| post))),
    }
}

/// The problem that a task has ended with.
fn fails(task: &TaskView) -> Result<(), Problem> {
    match (&task.row.error_message, task.status) {
        (_, TaskStatus::Cancelled) => Err(conflict("it was cancelled before it had ended")),
        (Some(message), _) if task.row.error_code.as_deref() == Some(FaultCode::Conflict.as_str()) => {
            Err(conflict(message))
        }
        (Some(message), _) => Err(Problem::new(StatusCode::BAD_GATEWAY, Code::WorkflowError, message.clone())),
        (None, _) => Ok(()),
    }
}

fn conflict(detail: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, Code::Conflict, detail)
}

/// The copies of a post are away, or that they are not yet.
async fn taken_away<R: Right>(auth: &Auth<R, Content>, task: Option<Uuid>, began: Instant) -> Result<(), Problem> {
    let Some(task) = task else { return Ok(()) };
    let task = waiting::for_task(auth.front(), auth.org(), task, began).await?;
    match task.status.is_ended() {
        true => fails(&task),
        false => Err(conflict("its copies are still being taken away; delete it again in a moment")),
    }
}

impl From<PublishBlogPost> for PublishRequest {
    fn from(body: PublishBlogPost) -> Self {
        Self {
            connection_id: Some(body.connection_id),
            visibility: Some(body.wp_status.map_or(Visibility::Publish, |status| status.0.into())),
            force: body.force,
            ..Self::default()
        }
    }
}

//! A picture from a prompt: a task whose end the call waits for, as long as clients do.

use std::time::Duration;

use galley_domain::image::{ImageQuality, ImageRequest, ImageSize, ImageStyle};
use galley_services::{MadeImage, PostId};
use poem::{IntoResponse, Response};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::Path,
    registry::{MetaResponses, Registry},
};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::images::{BlogImage, post};
use crate::http::{
    Area,
    kit::{
        auth::{Ai, Auth, ProjectsWrite},
        body::Body,
        fields::fields,
        header::IdempotencyKey,
        problem::Problem,
        reply::{Accepted, Created, Reply},
        scalar::{Id, Word},
        values::Text,
    },
};

/// Proxies and clients that wait give up after a minute.
const PATIENCE: Duration = Duration::from_secs(55);

pub struct GeneratedImages;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Images")]
impl GeneratedImages {
    /// Generate an image
    ///
    /// By the operator's image model. The call waits for it up to 55 seconds; after that it answers 202, and the image comes
    /// when its task ends. What the model's rules refuse is told of the field `prompt`, and costs nothing.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/images/ai-generate",
        method = "post",
        operation_id = "generate_post_image"
    )]
    async fn generate(
        &self,
        auth: Auth<ProjectsWrite, Ai>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        /// The same key with the same prompt gives the same image instead of a second one.
        key: IdempotencyKey,
        order: Body<GenerateImage>,
    ) -> Result<Generated, Problem> {
        let key = key.with(&order.canonical)?;
        let (post, request) = (post(&project_id, &post_id), order.value.into());
        let ordered = auth.services().order_image(&auth.principal, post, request, auth.trace_id(), key.as_ref());
        let task = ordered.await?.value.task_id;
        made(&auth, post, task).await
    }
}

/// Whoever stops waiting does not stop the work.
async fn made(auth: &Auth<ProjectsWrite, Ai>, post: PostId, task: Uuid) -> Result<Generated, Problem> {
    let state = &auth.front().state;
    let mut events = state.notifications.events(task);
    let until = Instant::now() + PATIENCE;
    loop {
        if let MadeImage::Ready(image) = auth.services().made_image(auth.org(), task).await? {
            let location = format!("/api/v1/projects/{}/blog-posts/{}/images", post.project, post.post);
            return Ok(Generated::Ready(Box::new(Reply::new(BlogImage::from(*image)).at(&location))));
        }
        // A notification may have been lost, and a process that stops keeps nobody.
        let look = until.min(Instant::now() + state.limits.look);
        tokio::select! {
            _ = timeout_at(look, events.changed()) => {}
            () = state.stop.cancelled() => {}
        }
        if Instant::now() >= until || state.stop.is_cancelled() {
            let (job_id, task_id) = (task, task);
            let reply = Reply::new(ImageJob { job_id, task_id, status: "running".to_owned() });
            return Ok(Generated::Later(reply.at(&format!("/api/v1/tasks/{task}"))));
        }
    }
}

fields! {
    /// A picture to make.
    pub struct GenerateImage: ignores_unknown {
        /// What it shows; 1 to 4,000 characters.
        prompt: Text<1, 4000>,
        /// Pixels. What new models do not make becomes the nearest that they do.
        size: Word<ImageSize> = Word(ImageSize::Square),
        /// hd costs more.
        quality: Word<ImageQuality> = Word(ImageQuality::Standard),
        style: Word<ImageStyle> = Word(ImageStyle::Natural),
    }
}

impl From<GenerateImage> for ImageRequest {
    fn from(order: GenerateImage) -> Self {
        let GenerateImage { prompt, size, quality, style } = order;
        Self { prompt: prompt.0, size: size.0, quality: quality.0, style: style.0 }
    }
}

/// An image that is still being made.
#[derive(Debug, Object)]
pub struct ImageJob {
    job_id: Uuid,
    /// The same as `job_id`: a task, which `GET /api/v1/tasks/{task_id}` shows.
    task_id: Uuid,
    /// running
    status: String,
}

/// The image, or the work that makes it.
pub enum Generated {
    Ready(Box<Reply<BlogImage, Created>>),
    Later(Reply<ImageJob, Accepted>),
}

impl IntoResponse for Generated {
    fn into_response(self) -> Response {
        match self {
            Self::Ready(reply) => reply.into_response(),
            Self::Later(reply) => reply.into_response(),
        }
    }
}

impl ApiResponse for Generated {
    fn meta() -> MetaResponses {
        let mut meta = Reply::<BlogImage, Created>::meta();
        meta.responses.extend(Reply::<ImageJob, Accepted>::meta().responses);
        meta
    }

    fn register(registry: &mut Registry) {
        Reply::<BlogImage, Created>::register(registry);
        Reply::<ImageJob, Accepted>::register(registry);
    }
}

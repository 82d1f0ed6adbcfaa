//! What publishing would do, and what others have done at the site since.

use galley_domain::publishing::Visibility;
use galley_services::{self as services, DriftState, Keep};
use poem_openapi::{Object, OpenApi, param::Path};
use tokio::time::Instant;
use uuid::Uuid;

use super::posts::{Place, awaited, body::WpStatus, view::BlogPost};
use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, PublishRead, PublishWrite},
        body::Body,
        fields::fields,
        header::IdempotencyKey,
        problem::Problem,
        query::Query,
        reply::{Asked, Outcome, Reply, Waited},
        scalar::{Id, Moment, Nullable, Word},
    },
};

pub struct Drifts;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl Drifts {
    /// Preview a publication
    ///
    /// What publishing would do, field by field, and what keeps it from doing so. Nothing is sent but what reads.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/publish/preview",
        method = "get",
        operation_id = "preview_publication"
    )]
    async fn preview(
        &self,
        auth: Auth<PublishRead>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        Query(query): Query<PreviewQuery>,
    ) -> Outcome<PublicationPreview, Asked> {
        auth.services().post(auth.org(), project_id.0.0, post_id.0.0).await?;
        previewed(&auth, post_id.0.0, query).await
    }

    /// Preview a publication of an article
    ///
    /// As of a blog post; the article may belong to no project.
    #[oai(path = "/articles/:article_id/publish/preview", method = "get", operation_id = "preview_article_publication")]
    async fn preview_article(
        &self,
        auth: Auth<PublishRead>,
        article_id: Path<Id>,
        Query(query): Query<PreviewQuery>,
    ) -> Outcome<PublicationPreview, Asked> {
        previewed(&auth, article_id.0.0, query).await
    }

    /// Get the drift of a blog post
    ///
    /// Compares the copy at the blog with what was sent, field by field. What the blog itself changes in a text is no change.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/drift",
        method = "get",
        operation_id = "get_blog_post_drift"
    )]
    async fn drift(
        &self,
        auth: Auth<PublishRead>,
        project_id: Path<Id>,
        post_id: Path<Id>,
    ) -> Outcome<BlogPostDrift, Asked> {
        auth.services().post(auth.org(), project_id.0.0, post_id.0.0).await?;
        Ok(Reply::new(auth.services().drift(auth.org(), post_id.0.0).await?.into()))
    }

    /// Get the drift of an article
    ///
    /// As of a blog post; the article may belong to no project.
    #[oai(path = "/articles/:article_id/drift", method = "get", operation_id = "get_article_drift")]
    async fn article_drift(&self, auth: Auth<PublishRead>, article_id: Path<Id>) -> Outcome<BlogPostDrift, Asked> {
        Ok(Reply::new(auth.services().drift(auth.org(), article_id.0.0).await?.into()))
    }

    /// Resolve the drift of a blog post
    ///
    /// `remote`: what was changed there is taken over; a text from there becomes a new version here. `local`: the text from
    /// here is sent over it, as what it stood there; theirs is kept as a version. Where nobody has changed anything it is a
    /// CONFLICT.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/drift/resolve",
        method = "post",
        operation_id = "resolve_blog_post_drift"
    )]
    async fn resolve(
        &self,
        auth: Auth<PublishWrite, Content>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        key: IdempotencyKey,
        body: Body<ResolveDrift>,
    ) -> Result<Waited<BlogPost>, Problem> {
        let place = (project_id.0.0, post_id.0.0);
        auth.services().post(auth.org(), place.0, place.1).await?;
        resolved(&auth, place.into(), post_id.0.0, key, body).await
    }

    /// Resolve the drift of an article
    ///
    /// As of a blog post; the article may belong to no project.
    #[oai(path = "/articles/:article_id/drift/resolve", method = "post", operation_id = "resolve_article_drift")]
    async fn resolve_article(
        &self,
        auth: Auth<PublishWrite, Content>,
        article_id: Path<Id>,
        key: IdempotencyKey,
        body: Body<ResolveDrift>,
    ) -> Result<Waited<BlogPost>, Problem> {
        resolved(&auth, article_id.0.0.into(), article_id.0.0, key, body).await
    }
}

async fn previewed(auth: &Auth<PublishRead>, id: Uuid, query: PreviewQuery) -> Outcome<PublicationPreview, Asked> {
    let visibility = query.wp_status.map_or(Visibility::Publish, |status| status.0.into());
    Ok(Reply::new(auth.services().preview(auth.org(), id, query.connection_id, visibility).await?.into()))
}

async fn resolved(
    auth: &Auth<PublishWrite, Content>,
    place: Place,
    id: Uuid,
    key: IdempotencyKey,
    body: Body<ResolveDrift>,
) -> Result<Waited<BlogPost>, Problem> {
    let (key, began, services) = (key.with(&body.canonical)?, Instant::now(), auth.services());
    let resolution = services.resolve_drift(&auth.principal, id, body.value.keep.0, auth.trace_id(), key.as_ref());
    awaited(auth, place, resolution.await?, began).await
}

fields! {
    /// Where it would be published.
    pub struct PreviewQuery {
        /// By default the project's connection, else the one that was used last.
        connection_id: Option<Uuid>,
        /// As what it would stand there; published by default.
        wp_status: Option<Word<WpStatus>>,
    }
}

fields! {
    /// Which text stays.
    pub struct ResolveDrift {
        keep: Word<Keep>,
    }
}

/// A copy of a post at a blog.
#[derive(Debug, Object)]
pub struct PublicationTarget {
    external_id: String,
    url: String,
    /// How it is shown there.
    status: String,
}

/// A field as it is here and as it is there.
#[derive(Debug, Object)]
pub struct PublicationField {
    field: String,
    local: String,
    remote: String,
    changed: bool,
}

/// Something that keeps a post in.
#[derive(Debug, Object)]
pub struct GateReason {
    /// Of the project's `publish_gate`.
    rule: String,
    message: String,
}

/// Whether the project lets the post out.
#[derive(Debug, Object)]
pub struct Gate {
    passed: bool,
    reasons: Vec<GateReason>,
}

/// What publishing would do.
#[derive(Debug, Object)]
pub struct PublicationPreview {
    /// create, update or none.
    action: String,
    connection_id: Uuid,
    target: Nullable<PublicationTarget>,
    fields: Vec<PublicationField>,
    drift: Word<DriftState>,
    gate: Gate,
    /// written, ignored, not_supported or unknown: as it was at the last publication.
    seo_meta: String,
    warnings: Vec<String>,
}

impl From<services::Preview> for PublicationPreview {
    fn from(preview: services::Preview) -> Self {
        let target = preview.target.map(|(external_id, url, status)| PublicationTarget {
            external_id,
            url,
            status: status.as_str().to_owned(),
        });
        let field = |one: services::PreviewedField| PublicationField {
            field: one.field.to_owned(),
            local: one.local,
            remote: one.remote,
            changed: one.is_changed,
        };
        let reason = |error: galley_domain::order::FieldError| GateReason {
            rule: error.field.trim_start_matches("publish_gate.").to_owned(),
            message: error.message,
        };
        Self {
            action: preview.action.as_str().to_owned(),
            connection_id: preview.connection_id,
            target: target.into(),
            fields: preview.fields.into_iter().map(field).collect(),
            drift: Word(preview.drift),
            gate: Gate { passed: preview.gate.is_empty(), reasons: preview.gate.into_iter().map(reason).collect() },
            seo_meta: preview.seo_meta.unwrap_or_else(|| "unknown".to_owned()),
            warnings: preview.warnings,
        }
    }
}

/// A field that somebody has changed there.
#[derive(Debug, Object)]
pub struct DriftField {
    field: String,
    /// As it was sent.
    published: String,
    /// As it is here now.
    local: String,
    /// As it is there now.
    remote: String,
}

/// How a post and its copy stand to each other.
#[derive(Debug, Object)]
pub struct BlogPostDrift {
    state: Word<DriftState>,
    checked_at: Moment,
    fields: Vec<DriftField>,
    url: Nullable<String>,
    /// Where it was, if its address has changed.
    previous_url: Nullable<String>,
}

impl From<services::Drift> for BlogPostDrift {
    fn from(drift: services::Drift) -> Self {
        let field = |one: services::DriftedField| DriftField {
            field: one.field,
            published: one.published,
            local: one.local,
            remote: one.remote,
        };
        Self {
            state: Word(drift.state),
            checked_at: Moment(drift.checked_at),
            fields: drift.fields.into_iter().map(field).collect(),
            url: drift.url.into(),
            previous_url: drift.previous_url.into(),
        }
    }
}

//! Blog posts as clients see them.

use galley_domain::publishing::{PostStatus, PostType};
use galley_services::{Promise, post_status, status_of};
use galley_store::rows;
use poem_openapi::Object;
use uuid::Uuid;

use crate::http::kit::{
    problem::Problem,
    scalar::{Moment, Nullable, Word},
    statuses::unreadable,
    values::FreeObject,
};

/// A blog post in a list.
#[derive(Debug, Object)]
pub struct BlogPostSummary {
    id: Uuid,
    title: String,
    status: Word<PostStatus>,
    post_type: Word<PostType>,
    topic: Nullable<String>,
    featured_image_url: Nullable<String>,
    /// What its blog calls it.
    wp_post_id: Nullable<i64>,
    published_url: Nullable<String>,
    published_at: Nullable<Moment>,
    /// The hour that is promised.
    scheduled_at: Nullable<Moment>,
    /// A day without a promise, as 2027-01-15.
    planned_for: Nullable<String>,
    categories: Vec<String>,
    tags: Vec<String>,
    created_at: Moment,
    updated_at: Moment,
}

/// The image that was chosen, else that of a text that came from a site.
fn cover(featured: Option<String>, of_site: Option<String>) -> Nullable<String> {
    featured.or(of_site).into()
}

fn wp_id(external_id: Option<String>) -> Nullable<i64> {
    external_id.and_then(|id| id.parse().ok()).into()
}

impl TryFrom<(rows::ArticleHead, Option<String>)> for BlogPostSummary {
    type Error = Problem;

    /// With the link to the picture that it shows first.
    fn try_from((row, featured): (rows::ArticleHead, Option<String>)) -> Result<Self, Problem> {
        let status = post_status(&row.status, row.rewrite_task_id.is_some(), row.publish_error.is_some())?;
        Ok(Self {
            id: row.id,
            title: row.title,
            status: Word(status),
            post_type: Word(row.post_type.0),
            topic: row.topic.into(),
            featured_image_url: cover(featured, row.featured_url),
            wp_post_id: wp_id(row.external_id),
            published_url: row.external_url.into(),
            published_at: row.published_at.into(),
            scheduled_at: row.scheduled_at.into(),
            planned_for: row.planned_for.map(|day| day.to_string()).into(),
            categories: row.categories,
            tags: row.tags,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

/// What search engines are told.
#[derive(Debug, Object)]
pub struct BlogSeoMeta {
    meta_title: String,
    meta_description: String,
    focus_keyword: Nullable<String>,
}

/// What is known of how a post does.
#[derive(Debug, Object)]
pub struct BlogPostAnalytics {
    word_count: i32,
    /// 0 to 100, the same as `…/seo-score` gives without a keyword; null as long as there is no text.
    seo_score: Nullable<u8>,
}

/// A blog post.
#[derive(Debug, Object)]
pub struct BlogPost {
    id: Uuid,
    project_id: Nullable<Uuid>,
    organization_id: Uuid,
    title: String,
    /// HTML; empty until an order of it has come to its end.
    content: String,
    excerpt: Nullable<String>,
    slug: String,
    status: Word<PostStatus>,
    post_type: Word<PostType>,
    topic: Nullable<String>,
    featured_image_url: Nullable<String>,
    seo_meta: BlogSeoMeta,
    /// What its blog calls it.
    wp_post_id: Nullable<i64>,
    /// Of its blog.
    wp_category_ids: Vec<i64>,
    /// By name; `A > B` is B below A.
    categories: Vec<String>,
    tags: Vec<String>,
    published_url: Nullable<String>,
    published_at: Nullable<Moment>,
    /// The hour that is promised.
    scheduled_at: Nullable<Moment>,
    /// The zone that the hour was given in.
    schedule_timezone: Nullable<String>,
    /// What is to be said of a wall time that does not exist or exists twice.
    schedule_note: Nullable<String>,
    /// A day without a promise, as 2027-01-15.
    planned_for: Nullable<String>,
    source_item_ids: Vec<Uuid>,
    product_links: FreeObject,
    /// What the client gave, and nothing that comes from a template, a project or a default.
    ai_settings: FreeObject,
    template_id: Nullable<Uuid>,
    analytics: BlogPostAnalytics,
    /// The task that is at it, or has written its text.
    job_id: Nullable<Uuid>,
    /// Why it, or its newest publication, failed.
    error: Nullable<String>,
    /// Counts from 1; 0 as long as there is no text to read.
    version: i32,
    created_at: Moment,
    updated_at: Moment,
}

/// What of a post does not stand in its row.
#[derive(Debug, Default)]
pub struct Beside {
    /// The task of a publication that is under way.
    pub publishing: Option<Uuid>,
    /// The link to the picture that it shows first.
    pub featured: Option<String>,
    pub score: Option<u8>,
}

impl BlogPost {
    pub fn with(row: rows::Article, beside: Beside) -> Result<Self, Problem> {
        let Beside { publishing, featured, score } = beside;
        let status = status_of(&row)?;
        let promise: Option<Promise> = row.schedule.map(serde_json::from_value).transpose().map_err(unreadable)?;
        let (timezone, note) = promise.map(|promise| (Some(promise.timezone), promise.note)).unwrap_or_default();
        Ok(Self {
            id: row.id,
            project_id: row.project_id.into(),
            organization_id: row.org_id,
            title: row.title,
            content: galley_text::markdown::to_html(&row.content_markdown),
            excerpt: row.excerpt.into(),
            slug: row.slug,
            status: Word(status),
            post_type: Word(row.post_type.0),
            topic: row.topic.into(),
            featured_image_url: cover(featured, row.featured_url),
            seo_meta: BlogSeoMeta {
                meta_title: row.seo_title,
                meta_description: row.seo_description,
                focus_keyword: row.focus_keyword.or_else(|| row.keywords.into_iter().next()).into(),
            },
            wp_post_id: wp_id(row.external_id),
            wp_category_ids: row.wp_category_ids,
            categories: row.categories,
            tags: row.tags,
            published_url: row.external_url.into(),
            published_at: row.published_at.into(),
            scheduled_at: row.scheduled_at.into(),
            schedule_timezone: timezone.into(),
            schedule_note: note.into(),
            planned_for: row.planned_for.map(|day| day.to_string()).into(),
            source_item_ids: row.source_item_ids,
            product_links: row.product_links.into(),
            ai_settings: row.ai_settings.into(),
            template_id: row.template_id.into(),
            analytics: BlogPostAnalytics { word_count: row.word_count, seo_score: score.into() },
            job_id: publishing.or(row.rewrite_task_id).or(row.task_id).into(),
            error: row.error.or(row.publish_error).into(),
            version: row.version,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

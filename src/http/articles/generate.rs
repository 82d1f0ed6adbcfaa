//! The Articles API's way of ordering: generate, then poll the status of the article.

use std::sync::Arc;

use galley_domain::{
    article::{ArticleStatus, Length},
    order::{ArticleOrder, FieldError, GenerateRequest, limits},
    writing::Tone,
};
use galley_services::{Receipt, ServiceError};
use galley_store::rows;
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{Ai, ArticlesRead, ArticlesWrite, Auth},
        body::{Body, Fields, FromBody},
        failure::{Ordering, Reading, plain_not_found, unreadable},
        header::{Head, Once},
        page::Envelope,
        problem::Problem,
        reply::{Accepted, Outcome, Reply},
        scalar::{Amount, Id, Moment, Nullable, Word},
        shape::{Filled, Language, Link, Said},
    },
    tasks::{FileReference, file_references},
};

pub struct Generate;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Articles")]
impl Generate {
    /// Generate an article
    ///
    /// Starts the work and answers at once with the id of the article, whose status is `generating` until it becomes
    /// `draft` or `failed`. Costs 40 credits unless the operator has set another price. Its `content` is HTML.
    #[oai(path = "/articles/generate", method = "post", operation_id = "generate_article")]
    async fn generate(
        &self,
        auth: Auth<ArticlesWrite, Ai>,
        /// The same key with the same request gives the first answer again instead of a second article.
        #[oai(name = "Idempotency-Key")]
        once: Head<Once>,
        order: Body<Generation>,
    ) -> Outcome<Envelope<Generating>, Ordering, Accepted> {
        let key = once.0.key(&order.canonical)?;
        let order = order.value.0;
        let answer = auth.services().order(&auth.caller, order, auth.trace_id(), key.as_ref()).await?;
        let location = format!("/api/v1/articles/{}/status", answer.value.article_id);
        Ok(Reply::of(answer, |receipt| Envelope::of(receipt.into())).at(&location))
    }

    /// Check how far an article is
    ///
    /// Ask every five seconds or so until the status is `draft`, `published` or `failed`.
    #[oai(path = "/articles/:article_id/status", method = "get", operation_id = "get_article_status")]
    async fn status(&self, auth: Auth<ArticlesRead>, article_id: Path<Id>) -> Outcome<Envelope<Status>, Reading> {
        let article = auth.services().article(auth.org(), article_id.0.0).await.map_err(plain_not_found)?;
        let task = task_of(&auth, &article).await?;
        Ok(Reply::new(Envelope::of(Status::of(article, task)?)))
    }
}

async fn task_of(auth: &Auth<ArticlesRead>, article: &rows::Article) -> Result<Option<Arc<rows::Task>>, Problem> {
    let Some(id) = article.task_id else { return Ok(None) };
    match auth.services().task(auth.org(), id).await {
        Ok(view) => Ok(Some(view.row)),
        // Retention may have removed it in the meantime.
        Err(ServiceError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What an article is generated from.
#[derive(Object)]
pub struct GenerateArticle {
    /// The topic or title, 3 to 500 characters.
    topic: Said<Filled<{ limits::TOPIC_CHARS.0 }, { limits::TOPIC_CHARS.1 }>>,
    /// What the article wants to be found for: at most 20, each up to 100 characters. The first one counts most.
    #[oai(validator(max_items = 20))]
    keywords: Option<Vec<Said<Filled<1, { limits::KEYWORD_CHARS }>>>>,
    /// professional (when not given), casual, academic or conversational.
    tone: Option<Said<Tone>>,
    /// short (about 800 words), medium (about 1,500; when not given) or long (about 2,500).
    length: Option<Said<Length>>,
    /// The language to write in, ISO 639-1; `en` when not given.
    language: Option<Said<Language>>,
    /// A project to put the article in.
    project_id: Option<Uuid>,
    /// Addresses of pages or documents to write from: at most 5, http or https.
    #[oai(validator(max_items = 5))]
    reference_links: Option<Vec<Said<Link>>>,
    /// Uploaded files to write from: at most 10.
    #[oai(validator(max_items = 10))]
    uploaded_files: Option<Vec<FileReference>>,
}

/// A checked order of the Articles API.
#[derive(Debug)]
pub struct Generation(pub(in crate::http) ArticleOrder);

impl FromBody for Generation {
    type Shape = GenerateArticle;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Vec<FieldError>> {
        let request = GenerateRequest {
            topic: fields.required_text("topic"),
            keywords: fields.texts("keywords").unwrap_or_default(),
            tone: fields.text("tone"),
            length: fields.text("length"),
            language: fields.text("language"),
            project_id: fields.id("project_id"),
            reference_links: fields.texts("reference_links").unwrap_or_default(),
            uploaded_files: file_references(fields),
        };
        request.into_order().map(Self)
    }
}

/// What a generation has started.
#[derive(Debug, Object)]
#[oai(rename = "GenerationStarted")]
pub struct Generating {
    article_id: Uuid,
    /// The task that does the work.
    task_id: Uuid,
    /// Always `generating`.
    status: Word<ArticleStatus>,
    /// The price. It is held now, charged when the article is there, and given back when it fails.
    credits_used: Amount,
    /// Seconds that it usually takes.
    estimated_time_seconds: u32,
}

impl From<Receipt> for Generating {
    fn from(receipt: Receipt) -> Self {
        Self {
            article_id: receipt.article_id,
            task_id: receipt.task_id,
            status: Word(ArticleStatus::Generating),
            credits_used: Amount(receipt.price),
            estimated_time_seconds: receipt.estimated_time_seconds,
        }
    }
}

/// How far an article is.
#[derive(Debug, Object)]
#[oai(rename = "ArticleProgress")]
pub struct Status {
    article_id: Uuid,
    task_id: Nullable<Uuid>,
    status: Word<ArticleStatus>,
    title: String,
    /// Percent, 0 to 100.
    progress: i16,
    steps_completed: Vec<String>,
    /// The step that runs: research, outline, drafting, seo, image or sync.
    current_step: Nullable<String>,
    /// Why it failed.
    error: Nullable<String>,
    created_at: Moment,
    updated_at: Moment,
}

impl Status {
    fn of(article: rows::Article, task: Option<Arc<rows::Task>>) -> Result<Self, Problem> {
        let changed = task.as_ref().map_or(article.updated_at, |task| article.updated_at.max(task.updated_at));
        let (progress, steps_completed, current_step) = task.map_or((100, Vec::new(), None), |task| {
            (task.progress, task.steps_completed.clone(), task.current_step.clone())
        });
        Ok(Self {
            article_id: article.id,
            task_id: article.task_id.into(),
            status: Word(article.status.parse().map_err(unreadable)?),
            title: article.title,
            progress,
            steps_completed,
            current_step: current_step.into(),
            error: article.error.into(),
            created_at: Moment(article.created_at),
            updated_at: Moment(changed),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::kit::body::testing::{read, reader_and_description_agree};

    #[test]
    fn the_published_example_is_an_order() {
        let order: Generation = read(json!({
            "topic": "AI-Powered Content Marketing Strategies",
            "keywords": ["AI marketing", "content strategy", "automation"],
            "tone": "professional",
            "length": "long",
        }))
        .expect("right");
        assert_eq!((order.0.brief.words.min, order.0.brief.words.max), (2250, 2750));
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        let errors = read::<Generation>(json!({
            "topic": "ab", "keywords": vec!["k"; 21], "tone": 1, "length": "epic", "language": "EN", "project_id": "p",
        }))
        .expect_err("wrong");
        let fields: Vec<&str> = errors.iter().filter_map(|error| error.split(' ').next()).collect();
        assert_eq!(fields, ["tone", "project_id", "topic", "keywords", "language", "length"]);
    }

    #[test]
    fn the_order_that_is_read_is_the_one_described() {
        reader_and_description_agree::<Generation>();
    }
}

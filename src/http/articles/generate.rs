//! The Articles API's way of ordering: generate, then poll the status of the article.

use std::sync::Arc;

use galley_domain::{
    article::{ArticleStatus, Length, ListedStatus},
    image::SourceImages,
    order::{ArticleOrder, FieldError, GenerateRequest, limits},
    writing::Tone,
};
use galley_services::{Receipt, ServiceError};
use galley_store::rows;
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::view::why;
use crate::http::{
    Area,
    kit::{
        auth::{Ai, ArticlesRead, ArticlesWrite, Auth},
        body::Draft,
        envelope::ArticlesAnswer,
        fields::fields,
        header::IdempotencyKey,
        problem::Problem,
        reply::{Accepted, Outcome, Reply},
        scalar::{Amount, Id, Moment, Nullable, Word},
        statuses::{plain_not_found, unreadable},
        values::{Language, Text},
    },
    tasks::{Keywords, Links, UploadedFiles, WorkError, files, links, sources::OrderForm, texts},
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
        key: IdempotencyKey,
        order: Draft<GenerateArticle>,
    ) -> Outcome<ArticlesAnswer<Generating>, Accepted> {
        let key = key.with(&order.canonical)?;
        let order = order.order(&auth).await?;
        let answer = auth.services().order(&auth.principal, order, auth.trace_id(), key.as_ref()).await?;
        let article = answer.value.subject.ok_or_else(|| Problem::internal(&"an order of an article without one"))?;
        let location = format!("/api/v1/articles/{article}/status");
        Ok(Reply::of(answer, |receipt| ArticlesAnswer::of(Generating::of(article, &receipt), auth.context()))
            .at(&location))
    }

    /// Check how far an article is
    ///
    /// Ask every five seconds or so until the status is `draft`, `published` or `failed`.
    #[oai(path = "/articles/:article_id/status", method = "get", operation_id = "get_article_status")]
    async fn status(&self, auth: Auth<ArticlesRead>, article_id: Path<Id>) -> Outcome<ArticlesAnswer<Status>> {
        let article = auth.services().article(auth.org(), article_id.0.0).await.map_err(plain_not_found)?;
        let task = task_of(&auth, &article).await?;
        Ok(Reply::new(ArticlesAnswer::of(Status::of(article, task)?, auth.context())))
    }
}

async fn task_of(auth: &Auth<ArticlesRead>, article: &rows::Article) -> Result<Option<Arc<rows::TaskHead>>, Problem> {
    let Some(id) = article.task_id else { return Ok(None) };
    match auth.services().task(auth.org(), id).await {
        Ok(view) => Ok(Some(view.row)),
        // Retention may have removed it in the meantime.
        Err(ServiceError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fields! {
    /// What an article is generated from.
    pub struct GenerateArticle {
        /// The topic or title, 3 to 500 characters.
        topic: Text<{ limits::TOPIC_CHARS.0 }, { limits::TOPIC_CHARS.1 }>,
        /// What the article wants to be found for: at most 20, each up to 100 characters. The first one counts most.
        keywords: Option<Keywords<{ limits::KEYWORDS_GENERATE }>>,
        /// professional (when not given), casual, academic or conversational.
        tone: Option<Word<Tone>>,
        /// short (about 800 words), medium (about 1,500; when not given) or long (about 2,500).
        length: Option<Word<Length>>,
        /// The language to write in, ISO 639-1; `en` when not given.
        language: Option<Language>,
        /// A project to put the article in.
        project_id: Option<Uuid>,
        /// Addresses of pages or documents to write from: at most 5, http or https.
        reference_links: Option<Links>,
        /// Uploaded files to write from: at most 10.
        uploaded_files: Option<UploadedFiles>,
        /// What becomes of the images in the sources. offer (when not given): they are kept with the article. place: they also
        /// stand in its text, behind what was written from the passage next to them. none: they are left. Whoever publishes
        /// them needs the right to do so.
        source_images: Option<Word<SourceImages>>,
    }
}

impl From<GenerateArticle> for GenerateRequest {
    fn from(body: GenerateArticle) -> Self {
        Self {
            topic: body.topic.0,
            keywords: texts(body.keywords),
            tone: body.tone.map(|tone| tone.0.as_str().to_owned()),
            length: body.length.map(|length| length.0.as_str().to_owned()),
            language: body.language.map(|language| language.0),
            project_id: body.project_id,
            reference_links: links(body.reference_links),
            uploaded_files: files(body.uploaded_files),
            source_images: body.source_images.map(|word| word.0).unwrap_or_default(),
        }
    }
}

impl OrderForm for GenerateArticle {
    fn into_order(self) -> Result<ArticleOrder, Vec<FieldError>> {
        GenerateRequest::from(self).into_order()
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
    status: Word<ListedStatus>,
    /// The price. It is held now, charged when the article is there, and given back when it fails.
    credits_used: Amount,
    /// Seconds that it usually takes.
    estimated_time_seconds: u32,
}

impl Generating {
    fn of(article_id: Uuid, receipt: &Receipt) -> Self {
        Self {
            article_id,
            task_id: receipt.task_id,
            status: Word(ListedStatus::Generating),
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
    status: Word<ListedStatus>,
    title: String,
    /// Percent, 0 to 100.
    progress: i16,
    /// Of outline, research, drafting, optimizing and saving.
    steps_completed: Vec<String>,
    /// The step that runs, one of the same.
    current_step: Nullable<String>,
    /// Why it failed.
    error: Nullable<WorkError>,
    created_at: Moment,
    updated_at: Moment,
}

/// The step of a task, and the word of 001 for it. Several steps may share a word; it is completed with the last of them.
const WORDS: [(&str, &str); 6] = [
    ("research", "research"),
    ("outline", "outline"),
    ("drafting", "drafting"),
    ("seo", "optimizing"),
    ("image", "saving"),
    ("sync", "saving"),
];

/// A step that 001 has no word for is not shown.
fn word(step: &str) -> Option<String> {
    WORDS.iter().find(|(known, _)| *known == step).map(|(_, word)| (*word).to_owned())
}

fn completed(steps: &[String]) -> Vec<String> {
    let is_last = |at: usize| WORDS[at + 1..].iter().all(|(_, word)| *word != WORDS[at].1);
    let is_done = |at: &usize| is_last(*at) && steps.iter().any(|step| step == WORDS[*at].0);
    (0..WORDS.len()).filter(is_done).map(|at| WORDS[at].1.to_owned()).collect()
}

impl Status {
    fn of(article: rows::Article, task: Option<Arc<rows::TaskHead>>) -> Result<Self, Problem> {
        let changed = task.as_ref().map_or(article.updated_at, |task| article.updated_at.max(task.updated_at));
        let code = task.as_ref().and_then(|task| task.error_code.clone());
        let (progress, steps_completed, current_step) = task.map_or((100, Vec::new(), None), |task| {
            (task.progress, completed(&task.steps_completed), task.current_step.as_deref().and_then(word))
        });
        Ok(Self {
            article_id: article.id,
            task_id: article.task_id.into(),
            status: Word(article.status.parse::<ArticleStatus>().map_err(unreadable)?.listed()),
            title: article.title,
            progress,
            steps_completed,
            current_step: current_step.into(),
            error: why(article.error, code),
            created_at: Moment(article.created_at),
            updated_at: Moment(changed),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::kit::{
        body::testing::read,
        scalar::{ArticleStep, Vocabulary},
    };

    #[test]
    fn the_published_example_is_an_order() {
        let order: GenerateArticle = read(json!({
            "topic": "AI-Powered Content Marketing Strategies",
            "keywords": ["AI marketing", "content strategy", "automation"],
            "tone": "professional",
            "length": "long",
        }))
        .expect("right");
        let order = GenerateRequest::from(order).into_order().expect("right");
        assert_eq!((order.brief.words.min, order.brief.words.max), (2250, 2750));
    }

    #[test]
    fn steps_have_the_words_of_the_document() {
        let steps = |names: &[&str]| completed(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            steps(&["research", "outline", "drafting", "seo", "image"]),
            ["research", "outline", "drafting", "optimizing"]
        );
        assert_eq!(steps(&["image", "sync"]), ["saving"]);
        let words: Vec<_> = ["seo", "image", "sync", "other"].into_iter().map(word).collect();
        assert_eq!(words, [Some("optimizing".into()), Some("saving".into()), Some("saving".into()), None]);
        assert_eq!(WORDS.map(|(step, _)| step).to_vec(), ArticleStep::words(), "every step has its word");
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        let errors = read::<GenerateArticle>(json!({
            "topic": "ab", "keywords": vec!["k"; 21], "tone": 1, "length": "epic", "language": "EN", "project_id": "p",
            "user_prompt": "Tea",
        }))
        .expect_err("wrong");
        let fields: Vec<&str> = errors.iter().filter_map(|error| error.split(' ').next()).collect();
        assert_eq!(fields, ["topic", "keywords", "tone", "length", "language", "project_id", "user_prompt"]);
    }
}

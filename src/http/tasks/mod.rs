//! Tasks: ordering an article, watching the order, cancelling it.

use galley_domain::{
    article,
    image::SourceImages,
    order::{ArticleOrder, FieldError, TaskRequest, limits},
    task::TaskStatus,
    writing::Tone,
};
use galley_store::TaskFilter;
use poem_openapi::{OpenApi, param::Path};
use uuid::Uuid;

use crate::http::{
    Area,
    articles::{self, Article},
    kit::{
        auth::{Ai, ArticlesWrite, Auth, Content, OwnTask, TasksRead, TasksWrite},
        body::Draft,
        envelope,
        fields::fields,
        header::IdempotencyKey,
        page::{ByNumber, Page},
        query::Query,
        reply::{Accepted, Outcome, Reply},
        rights::listed_kinds,
        scalar::{Id, Word},
        values::{Address, Integer, Language, List, Text},
    },
};

pub mod events;
pub mod jobs;
mod receipt;
pub mod retry;
pub mod sources;
mod step;
mod view;

use receipt::OrderedTask;
pub use receipt::TaskReceipt;
pub use sources::FileReference;
use step::Step;
pub use view::{Task, WorkError};

pub struct Tasks;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Tasks")]
impl Tasks {
    /// Order an article
    ///
    /// Takes the order and holds its price; research, outline, drafting, SEO, cover image and publishing run in the
    /// background. Follow the task with GET, or with its events. The price is charged when the article is there and
    /// given back when the task fails or is cancelled.
    #[oai(path = "/tasks", method = "post", operation_id = "create_task")]
    async fn create(
        &self,
        auth: Auth<ArticlesWrite, Ai>,
        /// The same key with the same order gives the first answer again instead of a second article.
        key: IdempotencyKey,
        order: Draft<CreateTask>,
    ) -> Outcome<OrderedTask, Accepted> {
        let key = key.with(&order.canonical)?;
        let order = order.order(&auth).await?;
        let answer = auth.services().order(&auth.principal, order.clone(), auth.trace_id(), key.as_ref()).await?;
        Ok(OrderedTask::reply(order, answer))
    }

    /// List tasks
    ///
    /// Newest first. Orders of articles, unless `kind` asks for others. A kind that the key may not read is refused with 403,
    /// and `all` means those that it may read.
    #[oai(path = "/tasks", method = "get", operation_id = "list_tasks")]
    async fn list(&self, auth: Auth<TasksRead>, Query(query): Query<TaskQuery>) -> Outcome<envelope::List<Task>> {
        let page = &query.page;
        let kind = query.kind.as_ref().map_or(article::TASK, |kind| kind.0.as_str());
        let filter = TaskFilter {
            status: query.status.map(|word| word.0),
            kinds: listed_kinds(&auth.principal, Some(kind).filter(|kind| *kind != "all"))?,
            limit: page.limit,
            offset: page.offset,
            ..TaskFilter::default()
        };
        let (tasks, total) = auth.services().tasks(auth.org(), &filter).await?;
        Ok(Reply::new(envelope::List::page(tasks, total, page)?))
    }

    /// Get a task
    ///
    /// Its state, how far it has come, what it was ordered with, and what went wrong if it failed.
    #[oai(path = "/tasks/:task_id", method = "get", operation_id = "get_task")]
    async fn get(&self, own: OwnTask<TasksRead>, task_id: Path<Id>) -> Outcome<Task> {
        Ok(Reply::new(own.with_id(task_id.0.0)?.1.try_into()?))
    }

    /// Cancel a task
    ///
    /// Stops a pending or processing task within moments and gives the held credits back. A task that has ended is a
    /// CONFLICT.
    #[oai(path = "/tasks/:task_id", method = "delete", operation_id = "cancel_task")]
    async fn cancel(&self, own: OwnTask<TasksWrite, Content>, task_id: Path<Id>) -> Outcome<Task> {
        let (auth, _) = own.with_id(task_id.0.0)?;
        let view = auth.services().cancel(auth.org(), task_id.0.0).await?;
        Ok(Reply::new(view.try_into()?))
    }

    /// Pause a task
    ///
    /// Nothing more of it and of what it has ordered is started until it is resumed; what runs goes on to its end. Its
    /// status stays, `paused` is true. A task that has ended or is paused already is a CONFLICT.
    #[oai(path = "/tasks/:task_id/pause", method = "post", operation_id = "pause_task")]
    async fn pause(&self, own: OwnTask<TasksWrite, Content>, task_id: Path<Id>, key: IdempotencyKey) -> Outcome<Task> {
        let (auth, _) = own.with_id(task_id.0.0)?;
        let key = key.with(b"")?;
        Reply::try_of(auth.services().pause(auth.org(), task_id.0.0, key.as_ref()).await?)
    }

    /// Resume a task
    ///
    /// Goes on where it was paused. A task that has ended or is not paused is a CONFLICT.
    #[oai(path = "/tasks/:task_id/resume", method = "post", operation_id = "resume_task")]
    async fn resume(&self, own: OwnTask<TasksWrite, Content>, task_id: Path<Id>, key: IdempotencyKey) -> Outcome<Task> {
        let (auth, _) = own.with_id(task_id.0.0)?;
        let key = key.with(b"")?;
        Reply::try_of(auth.services().resume(auth.org(), task_id.0.0, key.as_ref()).await?)
    }

    /// List the articles of a task
    ///
    /// What the task has brought; nothing until its text is written.
    #[oai(path = "/tasks/:task_id/articles", method = "get", operation_id = "list_task_articles")]
    async fn articles(&self, own: OwnTask<TasksRead>, task_id: Path<Id>) -> Outcome<envelope::List<Article>> {
        let (auth, _) = own.with_id(task_id.0.0)?;
        let rows = auth.services().task_articles(auth.org(), task_id.0.0).await?;
        let mut data = Vec::with_capacity(rows.len());
        for row in rows {
            data.push(articles::whole(&auth, row, None).await?);
        }
        Ok(Reply::new(envelope::List::whole(data)))
    }

    /// List the steps of a task
    ///
    /// Every step of every run in order, with its attempts. A finished outline step shows its outline, which you may
    /// edit and send with a retry.
    #[oai(path = "/tasks/:task_id/steps", method = "get", operation_id = "list_task_steps")]
    async fn steps(&self, own: OwnTask<TasksRead>, task_id: Path<Id>) -> Outcome<envelope::List<Step>> {
        let (auth, _) = own.with_id(task_id.0.0)?;
        let rows = auth.services().task_steps(auth.org(), task_id.0.0).await?;
        let registry = auth.services().registry();
        let steps = rows.into_iter().map(|row| Step::of(row, registry)).collect::<Result<_, _>>()?;
        Ok(Reply::new(envelope::List::whole(steps)))
    }
}

fields! {
    /// Which tasks to list.
    pub struct TaskQuery {
        /// Only tasks in this state.
        status: Option<Word<TaskStatus>>,
        /// Only orders of this kind: `article` when not given, `all` for every kind.
        kind: Option<Text<1, 64>>,
        page: Page<ByNumber>,
    }
}

fields! {
    /// What an article is ordered with.
    pub struct CreateTask {
        /// The topic, and anything else the writer should know: 1 to 1,000 characters.
        user_prompt: Text<1, { limits::PROMPT_CHARS }>,
        /// What the article wants to be found for: at most 10, each up to 100 characters. The first one counts most.
        keywords: Option<Keywords<{ limits::KEYWORDS_TASK }>>,
        /// Addresses of pages or documents to write from: at most 5, http or https.
        reference_links: Option<Links>,
        /// Uploaded files to write from: at most 10.
        uploaded_files: Option<UploadedFiles>,
        /// The fewest words, 100 to 10,000. With neither end given: 800 to 1,200.
        min_words: Option<WordCount>,
        /// The most words, 100 to 10,000.
        max_words: Option<WordCount>,
        /// professional (when not given), casual, academic or conversational.
        tone: Option<Word<Tone>>,
        /// The language to write in, ISO 639-1; `en` when not given.
        language: Option<Language>,
        /// What becomes of the images in the sources. offer (when not given): they are kept with the article. place: they also
        /// stand in its text, behind what was written from the passage next to them. none: they are left. Whoever publishes
        /// them needs the right to do so.
        source_images: Option<Word<SourceImages>>,
    }
}

type WordCount = Integer<{ limits::WORDS.0 as i64 }, { limits::WORDS.1 as i64 }>;
pub type Keywords<const MAX: usize> = List<Text<1, { limits::KEYWORD_CHARS }>, MAX>;
pub type Links = List<Address, { limits::LINKS }>;
pub type UploadedFiles = List<FileReference, { limits::FILES }>;

impl From<CreateTask> for TaskRequest {
    fn from(body: CreateTask) -> Self {
        Self {
            user_prompt: body.user_prompt.0,
            keywords: texts(body.keywords),
            reference_links: links(body.reference_links),
            uploaded_files: files(body.uploaded_files),
            min_words: body.min_words.map(|words| words.0),
            max_words: body.max_words.map(|words| words.0),
            tone: body.tone.map(|tone| tone.0.as_str().to_owned()),
            language: body.language.map(|language| language.0),
            source_images: body.source_images.map(|word| word.0).unwrap_or_default(),
        }
    }
}

impl sources::OrderForm for CreateTask {
    fn into_order(self) -> Result<ArticleOrder, Vec<FieldError>> {
        TaskRequest::from(self).into_order()
    }
}

pub fn texts<const MAX: usize>(keywords: Option<Keywords<MAX>>) -> Vec<String> {
    keywords.into_iter().flat_map(|keywords| keywords.0).map(|keyword| keyword.0).collect()
}

pub fn links(links: Option<Links>) -> Vec<String> {
    links.into_iter().flat_map(|links| links.0).map(|link| link.0).collect()
}

pub fn files(files: Option<UploadedFiles>) -> Vec<Uuid> {
    files.into_iter().flat_map(|files| files.0).map(|file| file.0).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::kit::body::testing::read;

    #[test]
    fn an_order_takes_files_in_every_form() {
        let ids: Vec<Uuid> = (1..4).map(Uuid::from_u128).collect();
        let order: CreateTask = read(json!({
            "user_prompt": "Tea",
            "uploaded_files": [ids[0], { "id": ids[1], "name": "a.pdf", "url": "/a.pdf" }, { "file_id": ids[2] }],
        }))
        .expect("right");
        assert_eq!(TaskRequest::from(order).uploaded_files, ids);
        let file = json!({ "id": ids[0], "link": "https://example.org/a.pdf" });
        let errors = read::<CreateTask>(json!({ "user_prompt": "Tea", "uploaded_files": [file] })).expect_err("wrong");
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert!(
            error.starts_with("uploaded_files[0].link is not a field here; there are id, file_id, name"),
            "{error}"
        );
        let file = json!({ "id": ids[0], "name": 7 });
        let errors = read::<CreateTask>(json!({ "user_prompt": "Tea", "uploaded_files": [file] })).expect_err("wrong");
        assert_eq!(errors, ["uploaded_files[0].name must be a text, but is a number"]);
    }

    #[test]
    fn everything_wrong_with_an_order_is_named_at_once() {
        let errors = read::<CreateTask>(json!({
            "user_prompt": "x".repeat(1001),
            "keywords": "tea",
            "reference_links": ["https://example.org/", 5],
            "uploaded_files": ["no id", { "name": "a.pdf" }],
            "min_words": "many",
            "max_words": 50,
            "tone": "angry",
            "language": "english",
            "project_id": Uuid::from_u128(1),
        }))
        .expect_err("wrong");
        let fields: Vec<&str> = errors.iter().filter_map(|error| error.split(' ').next()).collect();
        assert_eq!(
            fields,
            [
                "user_prompt",
                "keywords",
                "reference_links[1]",
                "uploaded_files[0]",
                "uploaded_files[1]",
                "min_words",
                "max_words",
                "tone",
                "language",
                "project_id",
            ]
        );
    }

    #[test]
    fn the_published_limits_hold_to_the_last_character() {
        let with = |field: &str, value: Value| {
            let mut body = json!({ "user_prompt": "Tea" });
            body[field] = value;
            read::<CreateTask>(body).map(|_| ()).map_err(|errors| errors.join("; "))
        };
        let links = |count| json!(vec!["https://example.org/"; count]);
        let keywords = |count| (0..count).map(|at: u32| at.to_string()).collect::<Vec<_>>();
        let files = |count| (0..count).map(Uuid::from_u128).collect::<Vec<_>>();
        for (field, right, wrong, message) in [
            ("user_prompt", json!("ä".repeat(1000)), json!("ä".repeat(1001)), "has 1001 characters; give at most 1000"),
            ("user_prompt", json!("x"), json!("\t "), "must not be empty"),
            ("user_prompt", json!("x"), json!("x\0"), "contains a NUL character; remove it"),
            ("keywords", json!(keywords(10)), json!(keywords(11)), "has 11 items; give at most 10"),
            ("keywords", json!(["x".repeat(100)]), json!(["x".repeat(101)]), "has 101 characters; give at most 100"),
            ("keywords", json!([]), json!([""]), "must not be empty"),
            ("keywords", json!(null), json!({}), "must be a list, but is an object"),
            ("reference_links", links(5), links(6), "has 6 items; give at most 5"),
            ("uploaded_files", json!(files(10)), json!(files(11)), "has 11 items; give at most 10"),
            ("min_words", json!(100), json!(99), "must be between 100 and 10000"),
            ("max_words", json!(10_000), json!(10_001), "must be between 100 and 10000"),
            ("max_words", json!(100.0), json!("100"), "must be a whole number, but is a text"),
            ("min_words", json!(10_000), json!(-1e300), "must be between 100 and 10000"),
            ("tone", json!("casual"), json!("Casual"), "must be one of professional"),
            ("language", json!("de"), json!("deu"), "must be a two-letter ISO 639-1 code"),
        ] {
            assert_eq!(with(field, right.clone()), Ok(()), "{field} {right}");
            let error = with(field, wrong.clone()).expect_err(field);
            assert!(error.starts_with(field) && error.contains(message), "{error} for {wrong}");
        }
        let body: CreateTask =
            read(json!({ "user_prompt": "x", "min_words": 300, "max_words": 200 })).expect("right alone");
        let errors = TaskRequest::from(body).into_order().expect_err("the wrong way round");
        assert_eq!(errors[0].message, "is 300, more than max_words, which is 200");
    }
}

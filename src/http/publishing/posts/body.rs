//! What blog posts are ordered, changed and published with.

use chrono::NaiveDate;
use galley_domain::{
    article::ContentFormat,
    order::{ArticleOrder, FieldError, Violations, limits},
    publishing::{Holder, PostStatus, PostType, Visibility},
    writing::{Brief, Tone, WordRange},
};
use galley_recurrence::{Missed, MomentRequest};
use galley_services::{ArticleEdit, Featured, PostEdit, PostRequest, SchedulePostRequest, ServiceError};
use galley_store::rows;
use poem_openapi::registry::MetaSchema;
use serde_json::Value;
use uuid::Uuid;

use super::view::kept_settings;
use crate::http::{
    articles::Slug,
    automation::schedules::body::ScheduleMissedInput,
    kit::{
        fields::{Patch, fields},
        scalar::{Nullable, Word, words},
        values::{FreeObject, Integer, Language, Link, List, Scalar, Text, text_of},
    },
    tasks::{Links, UploadedFiles, files, links},
};

/// About so many words are ordered, give or take an eighth.
const DEFAULT_WORDS: u32 = 1000;

type WordCount = Integer<{ limits::WORDS.0 as i64 }, { limits::WORDS.1 as i64 }>;
type CategoryIds = List<Integer<1, { i64::MAX }>, 50>;
type Names = List<Text<1, 200>, 50>;
type Topic = Text<1, { limits::TOPIC_CHARS.1 }>;

fields! {
    /// How a post is written.
    pub struct BlogAiSettings: ignores_unknown {
        /// ISO 639-1; `en` when not given.
        language: Option<Language>,
        /// professional, casual, academic or conversational; any other is written as professional.
        tone: Option<Text<0, 100>>,
        /// What else the writer should know.
        custom_instructions: Option<Text<0, 4000>>,
        /// About so many; 1,000 when not given.
        word_count: Option<WordCount>,
        /// Addresses of pages or documents to write from: at most 5, http or https.
        reference_links: Option<Links>,
        /// Uploaded files to write from: at most 10.
        uploaded_files: Option<UploadedFiles>,
    }
}

fields! {
    /// A blog post to order.
    pub struct CreateBlogPost: ignores_unknown {
        /// general: about a topic. product: about items of the project.
        post_type: Word<PostType> = Word(PostType::General),
        /// What it is about, 1 to 500 characters; required for general posts.
        topic: Option<Topic>,
        /// Items of the project that it is about; required for product posts.
        source_item_ids: Option<List<Uuid, 100>>,
        /// Categories of the blog that it is published to.
        wp_category_ids: Option<CategoryIds>,
        /// What it is made from; the default template when not given.
        template_id: Option<Uuid>,
        ai_settings: Option<BlogAiSettings>,
    }
    check |post: &CreateBlogPost, wrong: &mut Violations| {
        let is_general = post.post_type.0 == PostType::General;
        wrong.check(is_general && post.topic.is_none(), "topic", "is required for a general post");
        let items = post.source_item_ids.as_ref().map_or(0, |items| items.0.len());
        wrong.check(!is_general && items == 0, "source_item_ids", "is required for a product post");
        wrong.check(items > 0, "source_item_ids", "names items, and the project has none");
    };
}

impl BlogAiSettings {
    /// What is given takes the place of what the order has.
    fn apply(self, order: &mut ArticleOrder) {
        let brief = &mut order.brief;
        if let Some(language) = self.language {
            brief.language = language.0;
        }
        if let Some(tone) = self.tone {
            let known = Tone::ALL.into_iter().find(|known| tone.0.trim().eq_ignore_ascii_case(known.as_str()));
            brief.tone = known.unwrap_or_default();
        }
        if let Some(words) = self.word_count.and_then(|words| u32::try_from(words.0).ok()) {
            brief.words = around(words);
        }
        if let Some(text) = self.custom_instructions {
            brief.instructions = text.0;
        }
        if self.reference_links.is_some() {
            order.reference_links = links(self.reference_links);
        }
        if self.uploaded_files.is_some() {
            order.uploaded_files = files(self.uploaded_files);
        }
    }
}

fn around(words: u32) -> WordRange {
    let (least, most) = limits::WORDS;
    WordRange { min: (words - words / 8).max(least), max: (words + words / 8).min(most) }
}

impl CreateBlogPost {
    pub fn request(self, project: Uuid) -> Result<PostRequest, Vec<FieldError>> {
        let topic = self.topic.map(|topic| topic.0.trim().to_owned()).unwrap_or_default();
        let mut order = ArticleOrder {
            brief: Brief {
                prompt: topic.clone(),
                keywords: Vec::new(),
                tone: Tone::default(),
                language: "en".to_owned(),
                words: around(DEFAULT_WORDS),
                instructions: String::new(),
            },
            reference_links: Vec::new(),
            uploaded_files: Vec::new(),
            project_id: Some(project),
            length: None,
            content_format: ContentFormat::Html,
            search: true,
        };
        if let Some(settings) = self.ai_settings {
            settings.apply(&mut order);
        }
        Ok(PostRequest {
            post_type: self.post_type.0,
            topic,
            template_id: self.template_id,
            wp_category_ids: numbers(self.wp_category_ids),
            ai_settings: kept_settings(&order, &order.brief.instructions),
            order,
        })
    }
}

fn numbers(ids: Option<CategoryIds>) -> Vec<i64> {
    ids.map(|ids| ids.0.into_iter().map(|id| id.0).collect()).unwrap_or_default()
}

fields! {
    /// How to write a post anew.
    pub struct RegenerateBlogPost: ignores_unknown, may_be_empty {
        /// What is left out is as it was.
        ai_settings: Option<BlogAiSettings>,
    }
}

impl RegenerateBlogPost {
    /// The next order, after the one before.
    pub fn apply(self, mut order: ArticleOrder, post: &rows::Article) -> Result<(ArticleOrder, Value), ServiceError> {
        if let Some(topic) = &post.topic {
            order.brief.prompt.clone_from(topic);
        }
        if let Some(settings) = self.ai_settings {
            settings.apply(&mut order);
        }
        let kept = kept_settings(&order, &order.brief.instructions);
        Ok((order, kept))
    }
}

words! {
    /// What people say of a post by hand.
    pub enum StatusByHand { Draft = "draft", Ready = "ready" }
}

fields! {
    /// What search engines are told; what is left out stays.
    pub struct BlogSeoMetaChange: ignores_unknown {
        meta_title: Patch<Text<1, 200>>,
        meta_description: Patch<Text<1, 500>>,
        /// Null: the first keyword.
        focus_keyword: Patch<Nullable<Text<1, 100>>>,
    }
}

fields! {
    /// Changes to a post; what is left out stays.
    pub struct UpdateBlogPost: ignores_unknown {
        /// 1 to 300 characters.
        title: Patch<Text<1, 300>>,
        /// HTML.
        content: Patch<Html>,
        excerpt: Patch<Nullable<Text<0, 2000>>>,
        /// Unique among the posts of the project.
        slug: Patch<Slug>,
        /// draft or ready; everything else has a call of its own.
        status: Patch<Word<StatusByHand>>,
        topic: Patch<Topic>,
        /// The link of one of its images; null takes it away.
        featured_image_url: Patch<Nullable<Link>>,
        seo_meta: Patch<BlogSeoMetaChange>,
        /// Categories of the blog.
        wp_category_ids: Patch<CategoryIds>,
        /// By name; `A > B` is B below A.
        categories: Patch<Names>,
        tags: Patch<Names>,
        source_item_ids: Patch<List<Uuid, 100>>,
        /// By item; null removes one.
        product_links: Patch<FreeObject>,
        /// A day without a promise; null: none.
        planned_for: Patch<Nullable<Day>>,
    }
    check |post: &UpdateBlogPost, wrong: &mut Violations| {
        let items = post.source_item_ids.0.as_ref().map_or(0, |items| items.0.len());
        wrong.check(items > 0, "source_item_ids", "names items, and the project has none");
    };
}

impl From<UpdateBlogPost> for PostEdit {
    fn from(body: UpdateBlogPost) -> Self {
        let seo = body.seo_meta.0;
        let (title, description, focus) =
            seo.map(|seo| (seo.meta_title.0, seo.meta_description.0, seo.focus_keyword.0)).unwrap_or_default();
        let names = |list: Names| list.0.into_iter().map(|name| name.0).collect();
        Self {
            text: ArticleEdit {
                title: body.title.0.map(|title| title.0),
                content: body.content.0.map(|html| galley_text::markdown::of_html(&html.0).unwrap_or(html.0)),
                slug: body.slug.0.map(|slug| slug.0),
                seo_title: title.map(|text| text.0),
                seo_description: description.map(|text| text.0),
                keywords: None,
                publication_status: None,
                if_version: None,
            },
            excerpt: body.excerpt.0.map(|text| text.0.map(|text| text.0)),
            topic: body.topic.0.map(|topic| topic.0),
            status: body.status.0.map(|status| match status.0 {
                StatusByHand::Draft => PostStatus::Draft,
                StatusByHand::Ready => PostStatus::Ready,
            }),
            featured: body.featured_image_url.0.map(|url| url.0.map(|url| featured(url.0))),
            focus_keyword: focus.map(|text| text.0.map(|text| text.0)),
            categories: body.categories.0.map(names),
            tags: body.tags.0.map(names),
            wp_category_ids: body.wp_category_ids.0.map(|ids| numbers(Some(ids))),
            product_links: body.product_links.0.map(|links| links.0),
            planned_for: body.planned_for.0.map(|day| day.0.map(|day| day.0)),
        }
    }
}

/// One of our own is known by its id; signature and expiry of the link do not matter.
fn featured(link: String) -> Featured {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let own = path.split("/api/v1/images/").nth(1).and_then(|rest| rest.split('/').next()?.parse().ok());
    own.map_or(Featured::Elsewhere(link), Featured::Own)
}

fields! {
    /// How a post is published.
    pub struct PublishBlogPost: ignores_unknown {
        /// An active blog connection.
        connection_id: Uuid,
        /// As what it is to stand there; with `draft` and `pending` the state here stays.
        wp_status: Option<Word<WpStatus>>,
        /// Also over what somebody has changed there.
        force: bool = false,
    }
}

fields! {
    /// When a post is published.
    pub struct ScheduleBlogPost: ignores_unknown {
        /// A time with an offset, or a wall time without one beside `timezone`. At most five years ahead.
        scheduled_at: Text<1, 64>,
        /// IANA, such as Europe/Berlin.
        timezone: Option<Text<0, 64>>,
        /// By default that of the project, else the one that was used last.
        connection_id: Option<Uuid>,
        /// What becomes of the post if its hour is missed: by default it goes out late, within 24 hours.
        missed: Option<ScheduleMissedInput>,
        /// `galley`: it is sent at its hour. `site`: it is sent at once, and the blog publishes it itself (its state `future`);
        /// a while after the hour it is looked whether it has. By default as it was promised before, else `galley`.
        held_by: Option<Word<Holder>>,
    }
}

impl From<ScheduleBlogPost> for SchedulePostRequest {
    fn from(body: ScheduleBlogPost) -> Self {
        let moment = MomentRequest { at: body.scheduled_at.0, timezone: body.timezone.map(|zone| zone.0) };
        let missed = body.missed.map(Missed::from);
        let held_by = body.held_by.map(|word| word.0);
        Self { connection_id: body.connection_id, missed, held_by, ..Self::at(moment) }
    }
}

crate::http::kit::scalar::words! {
    /// As what a post is to stand at its blog.
    pub enum WpStatus { Publish = "publish", Draft = "draft", Pending = "pending" }
}

impl From<WpStatus> for Visibility {
    fn from(status: WpStatus) -> Self {
        match status {
            WpStatus::Publish => Self::Publish,
            WpStatus::Draft => Self::Draft,
            WpStatus::Pending => Self::Pending,
        }
    }
}

/// The text of a post as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html(String);

type AnyText = Text<1, 500_000>;

impl Scalar for Html {
    fn schema() -> MetaSchema {
        MetaSchema { description: Some("HTML."), ..<AnyText as Scalar>::schema() }
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        AnyText::of_text(text).map(|text| Self(text.0))
    }
}

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub NaiveDate);

impl Scalar for Day {
    fn schema() -> MetaSchema {
        MetaSchema { example: Some("2027-01-15".into()), ..MetaSchema::new_with_format("string", "date") }
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        let day = text.parse::<NaiveDate>().ok().filter(|day| (1970..=9999).contains(&chrono::Datelike::year(day)));
        day.map(Self).ok_or_else(|| "must be a day such as 2027-01-15".to_owned())
    }
}

//! What blog posts are ordered, changed and published with.

use chrono::NaiveDate;
use galley_domain::{
    image::SourceImages,
    order::{Violations, limits},
    publishing::{self, Holder, PostStatus, PostType, Visibility},
};
use galley_recurrence::{Missed, MomentRequest};
use galley_services::{ArticleEdit, Featured, PostEdit, PostRequest, PostSettings, SchedulePostRequest};
use poem_openapi::registry::MetaSchema;
use serde_json::Value;
use uuid::Uuid;

use crate::http::{
    articles::Slug,
    automation::schedules::body::ScheduleMissedInput,
    kit::{
        fields::{Patch, fields},
        scalar::{Nullable, Word, words},
        values::{FreeObject, Integer, Language, List, Scalar, Text, text_of},
    },
    tasks::{Links, UploadedFiles, files, links},
};

type WordCount = Integer<{ limits::WORDS.0 as i64 }, { limits::WORDS.1 as i64 }>;
type CategoryIds = List<Integer<1, { i64::MAX }>, 50>;
type Names<const CATEGORY: bool> = List<TermName<CATEGORY>, 50>;
/// By name; `A > B` is B below A.
type Categories = Names<true>;
type Tags = Names<false>;
type Topic = Text<1, { limits::TOPIC_CHARS.1 }>;

fields! {
    /// How a post is written.
    pub struct BlogAiSettings: ignores_unknown {
        /// ISO 639-1. When not given, that of the project's settings, else `en`.
        language: Option<Language>,
        /// professional, casual, academic or conversational; any other is written as professional. When not given, that of the
        /// template, else of the project's settings.
        tone: Option<Text<0, 100>>,
        /// What else the writer should know. When not given, those of the project's settings; a template adds its own.
        custom_instructions: Option<Text<0, 4000>>,
        /// About so many. When not given, the sum of the template's words, else that of the project's settings, else 1,000.
        word_count: Option<WordCount>,
        /// Which writer. This server has one, which the operator configures: with another name it writes all the same, and a
        /// warning of the job says so; a project with `strict_provider` refuses it.
        ai_provider: Option<Text<0, 100>>,
        /// Which model, in the same way.
        ai_model: Option<Text<0, 200>>,
        /// Addresses of pages or documents to write from: at most 5, http or https.
        reference_links: Option<Links>,
        /// Uploaded files to write from: at most 10.
        uploaded_files: Option<UploadedFiles>,
        /// What becomes of the images in the sources. offer: they are kept with the post. place: they also stand in its text,
        /// behind what was written from the passage next to them. none: they are left. When not given, as the project's
        /// settings say, else offer. Whoever publishes them needs the right to do so.
        source_images: Option<Word<SourceImages>>,
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
        /// By name; `A > B` is B below A. At most 50, each up to 200 characters.
        categories: Option<Categories>,
        /// At most 50, each up to 200 characters.
        tags: Option<Tags>,
        /// A day without a promise.
        planned_for: Option<Day>,
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

impl From<BlogAiSettings> for PostSettings {
    fn from(body: BlogAiSettings) -> Self {
        Self {
            language: body.language.map(|language| language.0),
            tone: body.tone.map(|tone| tone.0),
            word_count: body.word_count.and_then(|words| u32::try_from(words.0).ok()),
            custom_instructions: body.custom_instructions.map(|text| text.0),
            ai_provider: body.ai_provider.map(|name| name.0),
            ai_model: body.ai_model.map(|name| name.0),
            reference_links: body.reference_links.map(|given| links(Some(given))),
            uploaded_files: body.uploaded_files.map(|given| files(Some(given))),
            source_images: body.source_images.map(|word| word.0),
        }
    }
}

impl CreateBlogPost {
    pub fn request(self, project: Uuid) -> PostRequest {
        PostRequest {
            project,
            post_type: self.post_type.0,
            topic: self.topic.map(|topic| topic.0.trim().to_owned()).unwrap_or_default(),
            template_id: self.template_id,
            wp_category_ids: numbers(self.wp_category_ids),
            categories: self.categories.map(names).unwrap_or_default(),
            tags: self.tags.map(names).unwrap_or_default(),
            planned_for: self.planned_for.map(|day| day.0),
            settings: self.ai_settings.map(Into::into).unwrap_or_default(),
        }
    }
}

fn names<const CATEGORY: bool>(list: Names<CATEGORY>) -> Vec<String> {
    list.0.into_iter().map(|name| name.0).collect()
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

impl From<RegenerateBlogPost> for PostSettings {
    fn from(body: RegenerateBlogPost) -> Self {
        body.ai_settings.map(Into::into).unwrap_or_default()
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
        featured_image_url: Patch<Nullable<ImageLink>>,
        seo_meta: Patch<BlogSeoMetaChange>,
        /// Categories of the blog.
        wp_category_ids: Patch<CategoryIds>,
        /// By name; `A > B` is B below A.
        categories: Patch<Categories>,
        tags: Patch<Tags>,
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

/// The link of an image: an address, or a path of this API as the answers have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageLink(String);

impl Scalar for ImageLink {
    fn schema() -> MetaSchema {
        MetaSchema {
            max_length: Some(galley_services::MAX_LINK_CHARS),
            example: Some("https://example.com/tea.png".into()),
            ..MetaSchema::new_with_format("string", "uri-reference")
        }
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        let origin = if text.starts_with('/') { "https://path.example" } else { "" };
        match galley_services::link_fault(&format!("{origin}{text}")) {
            Some(fault) => Err(fault),
            None => Ok(Self(text.to_owned())),
        }
    }
}

/// The name of a category or of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermName<const CATEGORY: bool>(String);

type AnyTerm = Text<1, { publishing::MAX_TERM_CHARS }>;

impl<const CATEGORY: bool> Scalar for TermName<CATEGORY> {
    fn schema() -> MetaSchema {
        <AnyTerm as Scalar>::schema()
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        let name = AnyTerm::of_text(text)?.0;
        match CATEGORY && publishing::has_nameless_part(&name) {
            true => Err("names a category without a name; put a name on each side of >".to_owned()),
            false => Ok(Self(name)),
        }
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

//! The pictures of a post.

use galley_domain::image::ImageSource;
use galley_services::{Answer, ImageView, PictureOrder, PostId, StockOrder, image_reference};
use poem_openapi::{Object, OpenApi, param::Path};
use serde_json::Value;
use uuid::Uuid;

use crate::http::{
    Area,
    files::UploadForm,
    kit::{
        auth::{Auth, Content, ProjectsRead, ProjectsWrite},
        body::Body,
        fields::fields,
        header::IdempotencyKey,
        problem::Problem,
        query::Query,
        reply::{Created, NoContent, Outcome, Reply},
        scalar::{Id, Moment, Nullable, Word},
        values::{Link, Text},
    },
};

pub struct Images;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Images")]
impl Images {
    /// List the images of a post
    ///
    /// In their order, with fresh links. The rendered title card is among them once the text is there.
    #[oai(path = "/projects/:project_id/blog-posts/:post_id/images", method = "get", operation_id = "list_post_images")]
    async fn list(&self, auth: Auth<ProjectsRead>, project_id: Path<Id>, post_id: Path<Id>) -> Outcome<Vec<BlogImage>> {
        let images = auth.services().post_images(auth.org(), post(&project_id, &post_id)).await?;
        Ok(Reply::new(images.into_iter().map(Into::into).collect()))
    }

    /// Upload an image
    ///
    /// A JPEG, PNG, WebP or GIF, told by its bytes, of at most 20 MiB and 50 million pixels, in the field `file` of a form.
    /// It is turned upright and encoded anew, without its metadata; of an animation the first frame is kept, as PNG or WebP.
    /// Smaller sizes are made of it.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/images/upload",
        method = "post",
        operation_id = "upload_post_image"
    )]
    async fn upload(
        &self,
        auth: Auth<ProjectsWrite, Content>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        Query(query): Query<AltTextQuery>,
        /// The same key with the same file gives the first answer again instead of a second image.
        key: IdempotencyKey,
        form: UploadForm,
    ) -> Outcome<BlogImage, Created> {
        let key = key.with(&form.fingerprint())?;
        let alt_text = query.alt_text.map(|text| text.0);
        let order =
            PictureOrder { bytes: form.upload.bytes.clone(), source: ImageSource::Upload, alt_text, credit: None };
        let post = post(&project_id, &post_id);
        Ok(created(post, auth.services().add_image(auth.org(), post, order, key.as_ref()).await?))
    }

    /// Add a stock photo
    ///
    /// It is fetched from the provider's hosts, which no other address is, and kept with its credit.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/images/from-stock",
        method = "post",
        operation_id = "create_stock_image"
    )]
    async fn add_stock(
        &self,
        auth: Auth<ProjectsWrite, Content>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        /// The same key with the same photo gives the first answer again instead of a second image.
        key: IdempotencyKey,
        photo: Body<StockImage>,
    ) -> Outcome<BlogImage, Created> {
        let key = key.with(&photo.canonical)?;
        let post = post(&project_id, &post_id);
        let answer = auth.services().add_stock_image(auth.org(), post, photo.value.into(), key.as_ref()).await?;
        Ok(created(post, answer))
    }

    /// Delete an image
    ///
    /// With its bytes. If it was the featured one, the post has none then. Where it stands in the text, nothing is shown and
    /// published any more; the preview of a publication says so.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/images/:image_id",
        method = "delete",
        operation_id = "delete_post_image"
    )]
    async fn delete(
        &self,
        auth: Auth<ProjectsWrite, Content>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        image_id: Path<Id>,
    ) -> Result<NoContent, Problem> {
        let post = post(&project_id, &post_id);
        auth.services().delete_image(auth.org(), post, image_id.0.0).await?;
        Ok(NoContent)
    }
}

pub fn post(project: &Path<Id>, post: &Path<Id>) -> PostId {
    PostId { project: project.0.0, post: post.0.0 }
}

fn created(post: PostId, answer: Answer<ImageView>) -> Reply<BlogImage, Created> {
    let location = format!("/api/v1/projects/{}/blog-posts/{}/images", post.project, post.post);
    Reply::of(answer, BlogImage::from).at(&location)
}

fields! {
    /// What an uploaded image shows.
    pub struct AltTextQuery {
        /// For those who do not see it; the title of the post when left out.
        alt_text: Option<Text<0, 500>>,
    }
}

fields! {
    /// A stock photo to add to a post.
    pub struct StockImage: ignores_unknown {
        /// Of the bytes: one of `src` in an answer of the search, with https.
        photo_url: Link,
        /// For those who do not see it; the title of the post when left out.
        alt_text: Option<Text<0, 500>>,
        /// Who took it.
        photographer: Option<Text<0, 200>>,
        /// The page of the photo at the provider.
        original_url: Option<Link>,
    }
}

impl From<StockImage> for StockOrder {
    fn from(photo: StockImage) -> Self {
        Self {
            photo_url: photo.photo_url.0,
            alt_text: photo.alt_text.map(|text| text.0),
            photographer: photo.photographer.map(|text| text.0),
            original_url: photo.original_url.map(|link| link.0),
        }
    }
}

/// An image of a post. Its links need no key and expire; every answer has fresh ones.
#[derive(Debug, Object)]
pub struct BlogImage {
    id: Uuid,
    blog_post_id: Uuid,
    /// Opaque.
    s3_key: String,
    /// A link to the image in full size.
    original_url: String,
    /// What the text of the post calls it: `![](reference)` in Markdown, `<img src="reference">` in HTML. It does not expire.
    reference: String,
    source: Word<ImageSource>,
    /// Never empty.
    alt_text: String,
    /// Pixels.
    width: u32,
    /// Pixels.
    height: u32,
    /// Bytes of the full size, as it is stored.
    file_size: u64,
    variants: ImageLinks,
    credit: Nullable<ImageCredit>,
    /// Whether the post shows it first.
    is_featured: bool,
    created_at: Moment,
    updated_at: Moment,
}

/// Links to smaller sizes, each as WebP and as JPEG; never larger than the image.
#[derive(Debug, Object)]
pub struct ImageLinks {
    /// At most 320 pixels on the longer side.
    thumb_webp: String,
    thumb_jpeg: String,
    /// At most 800 pixels.
    card_webp: String,
    card_jpeg: String,
    /// At most 1,600 pixels.
    hero_webp: String,
    hero_jpeg: String,
}

/// Whose photo it is.
#[derive(Debug, Object)]
pub struct ImageCredit {
    photographer: Nullable<String>,
    /// The page of the photo at the provider.
    url: Nullable<String>,
}

impl From<&Value> for ImageCredit {
    fn from(credit: &Value) -> Self {
        let text = |name: &str| Nullable(credit.get(name).and_then(Value::as_str).map(str::to_owned));
        Self { photographer: text("photographer"), url: text("url") }
    }
}

impl From<ImageView> for BlogImage {
    fn from(view: ImageView) -> Self {
        let ImageView { row, original_url, mut variants } = view;
        let mut link = |name: &str| variants.remove(name).unwrap_or_default();
        Self {
            variants: ImageLinks {
                thumb_webp: link("thumb_webp"),
                thumb_jpeg: link("thumb_jpeg"),
                card_webp: link("card_webp"),
                card_jpeg: link("card_jpeg"),
                hero_webp: link("hero_webp"),
                hero_jpeg: link("hero_jpeg"),
            },
            id: row.id,
            blog_post_id: row.article_id,
            s3_key: row.blob,
            original_url,
            reference: image_reference(row.id),
            source: row.source.into(),
            alt_text: row.alt_text,
            width: row.width.unsigned_abs(),
            height: row.height.unsigned_abs(),
            file_size: row.file_size.unsigned_abs(),
            credit: Nullable(row.credit.as_ref().map(Into::into)),
            is_featured: row.is_featured,
            created_at: Moment(row.created_at),
            updated_at: Moment(row.updated_at),
        }
    }
}

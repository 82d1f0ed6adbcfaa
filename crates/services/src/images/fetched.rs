//! Pictures that a client names by their address: fetched once, and stored as uploads are.

use galley_domain::{OrgId, image::ImageSource};
use galley_photos::fetch_picture;
use serde_json::json;
use uuid::Uuid;

use super::{PictureOrder, PostId};
use crate::{Featured, PostEdit, Services, error::ServiceError};

const FIELD: &str = "featured_image_url";

/// An image that was added for an edit, and is not to stay if the edit fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fetched(Option<Uuid>);

impl Services {
    /// The edit with an image of the post in place of an address elsewhere, whose picture is added to the post. One that was
    /// fetched from there before is taken again.
    pub(crate) async fn with_fetched_image(
        &self,
        org: OrgId,
        post: PostId,
        mut edit: PostEdit,
    ) -> Result<(PostEdit, Fetched), ServiceError> {
        let Some(Some(Featured::Elsewhere(url))) = &edit.featured else { return Ok((edit, Fetched(None))) };
        self.changeable_post(org, post).await?;
        let images = self.store.tenant(org).images(&[post.post]).await?;
        let is_from_there = |credit: &serde_json::Value| credit["url"].as_str() == Some(url);
        let known = images
            .into_iter()
            .find(|image| image.source.0 == ImageSource::Upload && image.credit.as_ref().is_some_and(is_from_there));
        let (image, fetched) = match known {
            Some(image) => (image.id, None),
            None => {
                let id = self.fetch_image(org, post, url).await?;
                (id, Some(id))
            }
        };
        edit.featured = Some(Some(Featured::Own(image)));
        Ok((edit, Fetched(fetched)))
    }

    async fn fetch_image(&self, org: OrgId, post: PostId, url: &str) -> Result<Uuid, ServiceError> {
        let Some(blogs) = &self.blogs else {
            return Err(ServiceError::Conflict("this process fetches no pictures; upload it".into()));
        };
        let bytes = fetch_picture(blogs.clients(), url, galley_images::MAX_PICTURE_BYTES).await;
        let bytes = bytes.map_err(|error| ServiceError::field(FIELD, error.to_string()))?;
        let credit = Some(json!({ "photographer": null, "url": url }));
        let order = PictureOrder { bytes: bytes.into(), source: ImageSource::Upload, alt_text: None, credit };
        let added = self.add_image(org, post, order, None).await;
        Ok(added.map_err(|error| error.of_named_picture(FIELD))?.value.row.id)
    }

    /// Takes an image back whose edit has failed. What cannot be removed now stays an image of the post.
    pub(crate) async fn forget_fetched(&self, org: OrgId, post: PostId, fetched: Fetched) {
        let Some(image) = fetched.0 else { return };
        if let Err(error) = self.delete_image(org, post, image).await {
            tracing::warn!(%error, %image, "an image that was fetched for an edit that failed stays");
        }
    }
}

impl ServiceError {
    /// Of a picture that the client has only named: what is wrong with its bytes is told of the field that names it.
    pub(crate) fn of_named_picture(self, field: &str) -> Self {
        match self {
            Self::WrongKind(text) => Self::field(field, text),
            Self::TooLarge(most) => {
                Self::field(field, format!("is of more than {} MiB, the most that is taken", most >> 20))
            }
            Self::Validation(errors) if errors.iter().any(|error| error.field == "file") => {
                let text = errors.into_iter().next().map(|error| error.message).unwrap_or_default();
                Self::field(field, text)
            }
            error => error,
        }
    }
}

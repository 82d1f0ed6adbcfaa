//! The bytes of pictures, for whoever has a link.

use chrono::Utc;
use galley_services::{ImageBytes, ImageLink};
use poem::{
    Body, IntoResponse, Response,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::Path,
    registry::{MetaResponses, Registry},
};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::Public,
        bytes,
        fields::fields,
        header::IfNoneMatch,
        problem::Problem,
        query::Query,
        scalar::Id,
        values::{Integer, Text},
    },
};

/// Seconds of Unix time up to the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

pub struct ImageContents;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Images")]
impl ImageContents {
    /// Get the bytes of an image
    ///
    /// By a link as answers have it, which needs no key. One that was changed, or has expired, is FORBIDDEN; ask for the
    /// image again for a new one.
    #[oai(path = "/images/:image_id/:part", method = "get", operation_id = "get_image_content")]
    async fn content(
        &self,
        public: Public,
        image_id: Path<Id>,
        /// original, or the name of a variant
        part: Path<String>,
        Query(query): Query<ImageLinkQuery>,
        if_none_match: IfNoneMatch,
    ) -> Result<ImageContent, Problem> {
        let ImageLinkQuery { org, expires, signature } = query;
        let (expires, signature) = (expires.0, signature.0);
        let link = ImageLink { org, image: image_id.0.0, part: part.0, expires, signature };
        let image = public.0.state.services.image_bytes(&link, Utc::now()).await?;
        let is_known = if_none_match.names(&tag(&image));
        Ok(ImageContent { image, is_known })
    }
}

fields! {
    /// What a link to an image says of itself.
    pub struct ImageLinkQuery {
        /// Whose image it is.
        org: Uuid,
        /// Seconds of Unix time.
        expires: Integer<0, LAST_SECOND>,
        /// In hexadecimal.
        signature: Text<64, 64>,
    }
}

fn tag(image: &ImageBytes) -> String {
    format!("\"{}\"", image.sha256)
}

/// The bytes of an image.
pub struct ImageContent {
    image: ImageBytes,
    /// The client has them.
    is_known: bool,
}

impl IntoResponse for ImageContent {
    fn into_response(self) -> Response {
        let Self { image, is_known } = self;
        let response = Response::builder()
            .header(header::CACHE_CONTROL, format!("private, max-age={}", image.seconds_left))
            .header(header::ETAG, tag(&image));
        if is_known {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response
            .content_type(image.media_type)
            .header(header::CONTENT_DISPOSITION, "inline")
            .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox")
            .header(header::CONTENT_LENGTH, image.size)
            .body(Body::from_bytes_stream(image.pieces))
    }
}

impl ApiResponse for ImageContent {
    fn meta() -> MetaResponses {
        bytes::responses(&["image/jpeg", "image/png", "image/webp"])
    }

    fn register(_registry: &mut Registry) {}
}

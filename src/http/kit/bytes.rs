//! How answers that are bytes, and not JSON, are described.

use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef};

/// Bytes of one of these media types, or 304 for whoever has them; both with their `ETag`.
pub fn responses(media_types: &[&'static str]) -> MetaResponses {
    let content = media_types.iter().map(|&content_type| MetaMediaType { content_type, schema: binary() }).collect();
    MetaResponses {
        responses: vec![
            response(200, "The bytes.", content),
            response(304, "You have them already; there is no body.", Vec::new()),
        ],
    }
}

fn response(status: u16, description: &'static str, content: Vec<MetaMediaType>) -> MetaResponse {
    let etag = MetaHeader {
        name: "ETag".to_owned(),
        description: Some("For `If-None-Match`.".to_owned()),
        required: false,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
    };
    MetaResponse { description, status: Some(status), status_range: None, content, headers: vec![etag] }
}

fn binary() -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")))
}

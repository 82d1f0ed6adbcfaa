//! What an order refers to: links, files, a project.

use std::borrow::Cow;

use galley_domain::order::{ArticleOrder, FieldError, References, disordered_words, limits};
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;
use uuid::Uuid;

use crate::http::kit::{
    auth::{Auth, Class, Right},
    body::Draft,
    document::nothing,
    fields::{Errors, Field, Fields, Input, Place, refuse_others},
    problem::Problem,
};

/// A body that orders an article.
pub trait OrderForm: Fields {
    fn into_order(self) -> Result<ArticleOrder, Vec<FieldError>>;
}

/// The order of a body, or all that is wrong with it: with its fields and, in the same answer, with what it refers to.
pub async fn ordered<T: OrderForm, R: Right, C: Class>(
    auth: &Auth<R, C>,
    read: Result<T, Vec<FieldError>>,
    given: &Value,
) -> Result<ArticleOrder, Problem> {
    let wrong = match read.map(T::into_order) {
        Ok(Ok(order)) => return Ok(order),
        Ok(Err(wrong)) | Err(wrong) => wrong,
    };
    Err(Problem::invalid(with_references(auth, given, wrong).await?))
}

impl<T: OrderForm> Draft<T> {
    pub async fn order<R: Right, C: Class>(self, auth: &Auth<R, C>) -> Result<ArticleOrder, Problem> {
        ordered(auth, self.read, &self.given).await
    }
}

/// Adds what is wrong with what an order refers to that is wrong already.
pub async fn with_references<R: Right, C: Class>(
    auth: &Auth<R, C>,
    order: &Value,
    mut wrong: Vec<FieldError>,
) -> Result<Vec<FieldError>, Problem> {
    let number = |name: &str| order.get(name).and_then(Value::as_i64);
    let mut more = auth.services().wrong_references(auth.org(), &references(order)).await?;
    more.extend(disordered_words(number("min_words"), number("max_words")));
    for error in more {
        // A list that is wrong itself has been named.
        if !wrong.iter().any(|known| known.field == error.field) {
            wrong.push(error);
        }
    }
    Ok(wrong)
}

/// What can be read of a wrong order.
fn references(order: &Value) -> References {
    let items = |name: &str, most: usize| {
        let items = order.get(name).and_then(Value::as_array).filter(|items| items.len() <= most);
        items.into_iter().flatten().enumerate()
    };
    let is_given = |name: &str| {
        order.get(name).is_some_and(|value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()))
    };
    References {
        links: items("reference_links", limits::LINKS)
            .filter_map(|(at, link)| Some((at, link.as_str()?.to_owned())))
            .collect(),
        files: items("uploaded_files", limits::FILES)
            .filter_map(|(at, file)| Some((at, FileReference::of(file)?.0)))
            .collect(),
        project: order.get("project_id").and_then(Value::as_str).and_then(|id| id.parse().ok()),
        no_sources: !is_given("reference_links") && !is_given("uploaded_files"),
    }
}

/// An uploaded file by its id: in an order the id itself or an object with it, in an answer always the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileReference(pub(super) Uuid);

/// What an order takes.
const REFERENCE: &str = "FileReference";
/// What an answer has.
const BY_ID: &str = "FileById";

impl FileReference {
    /// All that an answer says of a file, so that it can be given back as it came; and `type`, which document 000 has.
    const FIELDS: [&str; 10] =
        ["id", "file_id", "name", "type", "kind", "size", "sha256", "url", "created_at", "used_by"];
    /// Those of them that are described besides the id, all of them texts.
    const TEXTS: [&str; 2] = ["name", "type"];

    fn id() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "uuid")))
    }

    fn by_id() -> MetaSchema {
        let text = |name| (name, MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))));
        MetaSchema {
            description: Some(
                "An uploaded file. An order may say `file_id` for `id`, as the answer to an upload does.",
            ),
            required: vec!["id"],
            properties: [("id", Self::id())].into_iter().chain(Self::TEXTS.map(text)).collect(),
            additional_properties: Some(nothing()),
            ..MetaSchema::new("object")
        }
    }

    fn register_by_id(registry: &mut Registry) {
        registry.create_schema::<Self, _>(BY_ID.to_owned(), |_| Self::by_id());
    }

    fn of(value: &Value) -> Option<Self> {
        let text = value.as_str().or_else(|| value.get("id").or_else(|| value.get("file_id"))?.as_str())?;
        text.parse().ok().map(Self)
    }
}

impl Type for FileReference {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        BY_ID.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(BY_ID.to_owned())
    }

    fn register(registry: &mut Registry) {
        Self::register_by_id(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::empty())
    }
}

impl ToJSON for FileReference {
    fn to_json(&self) -> Option<Value> {
        Some(serde_json::json!({ "id": self.0 }))
    }
}

impl ParseFromJSON for FileReference {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Self::of(&value.unwrap_or_default()).ok_or_else(ParseError::expected_input)
    }
}

impl Field for FileReference {
    fn schema() -> MetaSchemaRef {
        MetaSchemaRef::Reference(REFERENCE.to_owned())
    }

    fn register(registry: &mut Registry) {
        Self::register_by_id(registry);
        registry.create_schema::<Self, _>(REFERENCE.to_owned(), |_| MetaSchema {
            description: Some("The id of an uploaded file, or an object with that id."),
            example: Some(serde_json::json!({ "id": "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e" })),
            one_of: vec![Self::id(), MetaSchemaRef::Reference(BY_ID.to_owned())],
            ..MetaSchema::ANY
        });
    }

    fn read(input: Input<'_>, place: &Place<'_>, errors: &mut Errors) -> Option<Self> {
        let Input::Json(value) = input else {
            errors.add(place, "must be given as JSON");
            return None;
        };
        let names = value.as_object().into_iter().flat_map(|members| members.keys());
        refuse_others(names, &Self::FIELDS, place, errors);
        for (name, given) in Self::TEXTS.iter().filter_map(|name| Some((name, value.get(name)?))) {
            if !given.is_string() {
                errors.add(&Place::Member(place, name), Input::Json(given).unlike("a text"));
            }
        }
        let found = Self::of(value);
        if found.is_none() {
            errors.add(place, input.unlike("the id of an uploaded file, or an object with that id in 'id'"));
        }
        found
    }
}

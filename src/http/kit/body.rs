//! Bodies: a declaration of [`super::fields`] read from JSON or from a form, so that everything that is wrong is found at
//! once.

use std::collections::BTreeMap;

use galley_domain::order::FieldError;
use poem::{FromRequest, Request, RequestBody, error::ReadBodyError, http::header, web::Form};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry},
};
use serde_json::{Map, Value};

use super::{
    context,
    fields::{self, Errors, Fields, Place, Source, kind_of, read_members},
    problem::Problem,
};

pub const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A body that was read.
pub struct Body<T> {
    pub value: T,
    /// The same bytes for all spellings of the same body.
    pub canonical: Vec<u8>,
}

impl<'a, T: Fields> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        fields::register::<T>(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let types = [JSON, FORM].into_iter().take(if T::RULES.takes_forms { 2 } else { 1 });
        let schema = || MetaSchemaRef::Reference(T::NAME.to_owned());
        let content = types.map(|content_type| MetaMediaType { content_type, schema: schema() }).collect();
        Some(MetaRequest { description: None, content, required: !T::RULES.may_be_empty })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = received(request, body).await?;
        if T::RULES.takes_forms && kind(request.content_type()) == FORM {
            return Ok(read_form::<T>(request, bytes).await?);
        }
        if T::RULES.takes_forms && !is_json(request.content_type()) {
            return Err(Problem::unsupported(&[JSON, FORM]).into());
        }
        Ok(read_json::<T>(json(request, &bytes, T::RULES.may_be_empty)?)?)
    }
}

/// A body that may be wrong: whoever takes it tells what, together with what only the use case can find.
pub struct Draft<T> {
    pub read: Result<T, Vec<FieldError>>,
    /// The object as it came.
    pub given: Value,
    /// The same bytes for all spellings of the same body.
    pub canonical: Vec<u8>,
}

impl<'a, T: Fields> ApiExtractor<'a> for Draft<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        fields::register::<T>(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Body::<T>::request_meta()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let given = json(request, &received(request, body).await?, T::RULES.may_be_empty)?;
        Ok(Self { read: read_object::<T>(&given)?, canonical: canonical_bytes(given.clone()), given })
    }
}

/// A body of JSON as it came, before it is known what it must be; an object without fields when there is none.
pub async fn read_any(request: &Request, body: &mut RequestBody) -> poem::Result<Value> {
    let bytes = received(request, body).await?;
    Ok(json(request, &bytes, true)?)
}

pub(super) async fn received(request: &Request, body: &mut RequestBody) -> poem::Result<Vec<u8>> {
    if is_packed(request) {
        return Err(Problem::packed().into());
    }
    read_bytes(request, body, context::of(request)?.json_bytes).await
}

pub(super) fn json(request: &Request, bytes: &[u8], may_be_empty: bool) -> Result<Value, Problem> {
    if bytes.is_empty() && may_be_empty {
        return Ok(Value::Object(Map::new()));
    }
    if !is_json(request.content_type()) {
        return Err(Problem::unsupported(&[JSON]));
    }
    serde_json::from_slice(bytes).map_err(|error| Problem::wrong("body", format!("is not readable JSON: {error}")))
}

async fn read_bytes(request: &Request, body: &mut RequestBody, limit: usize) -> poem::Result<Vec<u8>> {
    let announced = request.header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Problem::too_large(limit).into());
    }
    match body.take()?.into_bytes_limit(limit).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(ReadBodyError::PayloadTooLarge) => Err(Problem::too_large(limit).into()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a `Content-Encoding` says that the body is something else than it seems.
pub fn is_packed(request: &Request) -> bool {
    let mut codings = request.headers().get_all(header::CONTENT_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn kind(content_type: Option<&str>) -> String {
    content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `application/json` and its relatives such as `application/merge-patch+json`.
fn is_json(content_type: Option<&str>) -> bool {
    let kind = kind(content_type);
    kind == JSON || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Reads a declaration from JSON.
pub fn read_json<T: Fields>(value: Value) -> Result<Body<T>, Problem> {
    let read = read_object::<T>(&value)?.map_err(Problem::invalid)?;
    Ok(Body { value: read, canonical: canonical_bytes(value) })
}

/// What is no object at all is an answer of its own.
fn read_object<T: Fields>(value: &Value) -> Result<Result<T, Vec<FieldError>>, Problem> {
    let Value::Object(map) = value else {
        return Err(Problem::wrong("body", format!("must be a JSON object, but is {}", kind_of(value))));
    };
    let mut errors = Errors::default();
    let read = read_members(Source::Json(map), T::RULES, &Place::Root, &mut errors);
    errors.outcome(read)
}

async fn read_form<T: Fields>(request: &Request, bytes: Vec<u8>) -> Result<Body<T>, Problem> {
    let mut body = RequestBody::new(bytes.into());
    let pairs = <Form<Vec<(String, String)>> as FromRequest>::from_request(request, &mut body).await;
    let Form(pairs) = pairs.map_err(|error| Problem::wrong("body", format!("is not a readable form: {error}")))?;
    let texts = by_name(pairs);
    let mut errors = Errors::default();
    let read = read_members(Source::Texts(&texts), T::RULES, &Place::Root, &mut errors);
    let read = errors.finish(read)?;
    Ok(Body { value: read, canonical: serde_json::to_vec(&texts).map_err(|error| Problem::internal(&error))? })
}

/// What queries and forms say, by name.
pub fn by_name(pairs: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut texts = BTreeMap::<String, Vec<String>>::new();
    for (name, text) in pairs {
        texts.entry(name).or_default().push(text);
    }
    texts
}

/// The same bytes for all spellings of the same JSON.
pub fn canonical_bytes(value: Value) -> Vec<u8> {
    canonical(value).to_string().into_bytes()
}

/// Sorts the members of objects, so that their order does not matter.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.into_iter().map(|(name, value)| (name, canonical(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        other => other,
    }
}

#[cfg(test)]
pub mod testing {
    use super::*;

    /// Reads a body as the front does; errors as `field message`.
    pub fn read<T: Fields>(value: Value) -> Result<T, Vec<String>> {
        read_json::<T>(value).map(|body| body.value).map_err(said)
    }

    pub fn said(problem: Problem) -> Vec<String> {
        problem.errors.into_iter().map(|error| format!("{} {}", error.field, error.message)).collect()
    }
}

#[cfg(test)]
mod tests;

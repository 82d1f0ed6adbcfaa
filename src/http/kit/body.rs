//! JSON bodies, read so that everything that is wrong is found at once: types first, then what the use case says.

use std::collections::BTreeSet;

use galley_domain::order::FieldError;
use poem::{Request, RequestBody, error::ReadBodyError, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry},
    types::Type,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    auth,
    problem::{MAX_ERRORS, Problem},
    scalar::Vocabulary,
};

/// A request that is made from a JSON object.
pub trait FromBody: Sized + Send {
    /// What the OpenAPI description shows.
    type Shape: Type;
    /// Whether an empty body means an empty object.
    const OPTIONAL: bool = false;
    /// Whether `null` is an error instead of an absent field.
    const REFUSES_NULL: bool = false;
    /// Whether at least one of the described fields must be given.
    const NEEDS_A_FIELD: bool = false;

    /// Reads the fields; wrong types are kept in `fields`, the errors returned are about values.
    fn read(fields: &mut Fields<'_>) -> Result<Self, Vec<FieldError>>;
}

/// A body that was read.
pub struct Body<T> {
    pub value: T,
    /// The same bytes for all spellings of the same JSON.
    pub canonical: Vec<u8>,
}

impl<'a, T: FromBody> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::Shape::register(registry);
        let name = T::Shape::name();
        if !T::REFUSES_NULL {
            allow_null(registry, &name);
        }
        if T::NEEDS_A_FIELD
            && let Some(schema) = registry.schemas.get_mut(name.as_ref())
        {
            schema.min_properties = Some(1);
        }
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = MetaMediaType { content_type: "application/json", schema: T::Shape::schema_ref() };
        Some(MetaRequest { description: None, content: vec![content], required: !T::OPTIONAL })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let limit = auth::front(request)?.state.limits.json_bytes;
        if is_packed(request) {
            return Err(Problem::packed().into());
        }
        let bytes = read_bytes(request, body, limit).await?;
        if bytes.is_empty() && T::OPTIONAL {
            return Ok(read_object::<T>(Value::Object(Map::new()))?);
        }
        if !is_json(request.content_type()) {
            return Err(Problem::unsupported("application/json").into());
        }
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::wrong("body", format!("is not readable JSON: {error}")))?;
        Ok(read_object::<T>(value)?)
    }
}

/// Says that optional fields may be `null`, as [`Fields`] reads them, also in the objects within.
fn allow_null(registry: &mut Registry, name: &str) {
    let Some(schema) = registry.schemas.get_mut(name) else { return };
    let required = schema.required.clone();
    let mut inner = Vec::new();
    for (name, property) in &mut schema.properties {
        inner.extend(named(property));
        if let MetaSchemaRef::Inline(schema) = property
            && !required.contains(name)
        {
            schema.nullable = true;
            // With a list of words, null must be one of them.
            if !schema.enum_items.is_empty() && !schema.enum_items.contains(&Value::Null) {
                schema.enum_items.push(Value::Null);
            }
        }
    }
    for name in inner {
        allow_null(registry, &name);
    }
}

/// The schemas that a property refers to.
fn named(property: &MetaSchemaRef) -> Vec<String> {
    match property {
        MetaSchemaRef::Reference(name) => vec![name.clone()],
        MetaSchemaRef::Inline(schema) => schema.all_of.iter().chain(schema.items.as_deref()).flat_map(named).collect(),
    }
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

/// `application/json` and its relatives such as `application/merge-patch+json`.
fn is_json(content_type: Option<&str>) -> bool {
    let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

pub(in crate::http) fn read_object<T: FromBody>(value: Value) -> Result<Body<T>, Problem> {
    let Value::Object(map) = &value else {
        return Err(Problem::wrong("body", format!("must be a JSON object, but is {}", kind_of(&value))));
    };
    let mut fields =
        Fields { map, path: String::new(), wrong: Vec::new(), asked: BTreeSet::new(), nulls: !T::REFUSES_NULL };
    let outcome = T::read(&mut fields);
    let mut wrong = fields.wrong;
    match outcome {
        Ok(read) if wrong.is_empty() => {
            let canonical = canonical(value).to_string().into_bytes();
            return Ok(Body { value: read, canonical });
        }
        Ok(_) => {}
        Err(more) => {
            // What has the wrong type was read as empty; that it is empty is no second error.
            let known: Vec<String> = wrong.iter().map(|error| error.field.clone()).collect();
            wrong.extend(more.into_iter().filter(|error| !known.iter().any(|field| is_within(&error.field, field))));
        }
    }
    Err(Problem::invalid(wrong))
}

fn is_within(field: &str, outer: &str) -> bool {
    field.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
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

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The fields of one object. Every reader returns `None` (or nothing) for an absent or wrong field; wrong ones are
/// remembered.
pub struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
    wrong: Vec<FieldError>,
    asked: BTreeSet<&'static str>,
    nulls: bool,
}

impl<'a> Fields<'a> {
    fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn add(&mut self, field: String, message: String) {
        // One more than is shown, so that the answer can say that there are more.
        if self.wrong.len() <= MAX_ERRORS {
            self.wrong.push(FieldError { field, message });
        }
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.insert(name);
        match self.map.get(name)? {
            Value::Null if self.nulls => None,
            Value::Null => {
                self.add(self.at(name), "must not be null; leave it out to keep it as it is".to_owned());
                None
            }
            value => Some(value),
        }
    }

    fn read<T>(&mut self, name: &'static str, expected: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.value(name)?;
        let read = read(value);
        if read.is_none() {
            self.add(self.at(name), format!("must be {expected}, but is {}", kind_of(value)));
        }
        read
    }

    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.read(name, "a text", Value::as_str).map(str::to_owned)
    }

    pub fn required_text(&mut self, name: &'static str) -> String {
        if self.map.get(name).is_none_or(Value::is_null) {
            self.asked.insert(name);
            self.refuse(name, "is required".to_owned());
            return String::new();
        }
        self.text(name).unwrap_or_default()
    }

    /// A whole number; `1000.0` is one too.
    pub fn integer(&mut self, name: &'static str) -> Option<i64> {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 loses nothing")]
        let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
        self.read(name, "a whole number", |value| value.as_i64().or_else(|| value.as_f64().and_then(whole)))
    }

    /// A whole number that must be there and within bounds; otherwise the lower bound.
    pub fn required_integer(&mut self, name: &'static str, min: i64, max: i64) -> i64 {
        if self.map.get(name).is_none_or(Value::is_null) {
            self.asked.insert(name);
            self.refuse(name, "is required".to_owned());
            return min;
        }
        let Some(number) = self.integer(name) else { return min };
        if !(min..=max).contains(&number) {
            self.refuse(name, format!("must be from {min} to {max}"));
            return min;
        }
        number
    }

    /// Whether any field had a wrong type so far.
    pub fn has_errors(&self) -> bool {
        !self.wrong.is_empty()
    }

    /// Says that a field is wrong.
    pub fn refuse(&mut self, name: &str, message: String) {
        self.add(self.at(name), message);
    }

    pub fn id(&mut self, name: &'static str) -> Option<Uuid> {
        let text = self.text(name)?;
        let id = text.parse().ok();
        if id.is_none() {
            self.add(self.at(name), "must be a UUID".to_owned());
        }
        id
    }

    pub fn word<E: Vocabulary>(&mut self, name: &'static str) -> Option<E> {
        let text = self.text(name)?;
        match E::of(&text) {
            Ok(word) => Some(word),
            Err(message) => {
                self.add(self.at(name), message);
                None
            }
        }
    }

    /// A list whose items are read one by one; a wrong item leaves `T::default()` in its place, so that later errors
    /// name the right index.
    pub fn list<T: Default>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.read(name, "a list", Value::as_array)?;
        let mut out = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let value = read(item);
            if value.is_none() {
                self.add(format!("{}[{at}]", self.at(name)), format!("must be {expected}, but is {}", kind_of(item)));
            }
            out.push(value.unwrap_or_default());
        }
        Some(out)
    }

    pub fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        self.list(name, "a text", |item| item.as_str().map(str::to_owned))
    }

    pub fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Fields<'_>) -> T) -> Option<T> {
        let map = self.read(name, "an object", Value::as_object)?;
        Some(self.inside(map, self.at(name), read))
    }

    pub fn objects<T>(&mut self, name: &'static str, mut read: impl FnMut(&mut Fields<'_>) -> T) -> Option<Vec<T>> {
        let items = self.read(name, "a list", Value::as_array)?;
        let mut out = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let path = format!("{}[{at}]", self.at(name));
            match item.as_object() {
                Some(map) => out.push(self.inside(map, path, &mut read)),
                None => self.add(path, format!("must be an object, but is {}", kind_of(item))),
            }
        }
        Some(out)
    }

    fn inside<T>(&mut self, map: &Map<String, Value>, path: String, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
        let mut inner = Fields { map, path, wrong: Vec::new(), asked: BTreeSet::new(), nulls: self.nulls };
        let out = read(&mut inner);
        for error in inner.wrong {
            self.add(error.field, error.message);
        }
        out
    }
}

#[cfg(test)]
pub mod testing {
    use super::*;

    /// Reads a body as the front does; errors as `field message`.
    pub fn read<T: FromBody>(value: Value) -> Result<T, Vec<String>> {
        match read_object::<T>(value) {
            Ok(body) => Ok(body.value),
            Err(problem) => {
                Err(problem.errors.into_iter().map(|error| format!("{} {}", error.field, error.message)).collect())
            }
        }
    }

    /// Fails unless the reader asks for exactly the fields that the description shows.
    pub fn reader_and_description_agree<T: FromBody>() {
        let mut registry = Registry::new();
        T::Shape::register(&mut registry);
        let name = T::Shape::name();
        let schema = &registry.schemas[name.as_ref()];
        let shown: BTreeSet<&str> = schema.properties.iter().map(|(name, _)| *name).collect();
        let map = Map::new();
        let mut fields =
            Fields { map: &map, path: String::new(), wrong: Vec::new(), asked: BTreeSet::new(), nulls: true };
        drop(T::read(&mut fields));
        assert_eq!(fields.asked, shown, "{name}");
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::Object;
    use serde_json::json;

    use super::{testing::read, *};

    #[derive(Object)]
    struct Shape {
        name: String,
    }

    #[derive(Debug, PartialEq)]
    struct Sample {
        name: String,
        tags: Vec<String>,
        count: Option<i64>,
        inner: Option<Option<Uuid>>,
        rows: Vec<String>,
    }

    impl FromBody for Sample {
        type Shape = Shape;

        fn read(fields: &mut Fields<'_>) -> Result<Self, Vec<FieldError>> {
            let sample = Self {
                name: fields.required_text("name"),
                tags: fields.texts("tags").unwrap_or_default(),
                count: fields.integer("count"),
                inner: fields.object("inner", |inner| inner.id("id")),
                rows: fields.objects("rows", |row| row.required_text("title")).unwrap_or_default(),
            };
            let mut wrong = galley_domain::order::Violations::default();
            wrong.length("name", &sample.name, 1, 5);
            for (at, tag) in sample.tags.iter().enumerate() {
                wrong.length(&format!("tags[{at}]"), tag, 1, 3);
            }
            wrong.finish().map(|()| sample)
        }
    }

    #[test]
    fn a_right_body_is_read_and_unknown_fields_are_ignored() {
        let id = Uuid::from_u128(9);
        let sample: Sample = read(json!({
            "name": "ok", "tags": ["a"], "count": 3.0, "inner": { "id": id }, "rows": [{ "title": "t" }], "else": 1,
        }))
        .expect("right");
        let expected = Sample {
            name: "ok".into(),
            tags: vec!["a".into()],
            count: Some(3),
            inner: Some(Some(id)),
            rows: vec!["t".into()],
        };
        assert_eq!(sample, expected);
    }

    #[test]
    fn wrong_types_and_wrong_values_are_named_together_and_once() {
        let errors = read::<Sample>(json!({
            "name": 5, "tags": ["long", 7], "count": 1.5, "inner": { "id": "x" }, "rows": [3, {}],
        }))
        .expect_err("wrong");
        assert_eq!(
            errors,
            [
                "name must be a text, but is a number",
                "tags[1] must be a text, but is a number",
                "count must be a whole number, but is a number",
                "inner.id must be a UUID",
                "rows[0] must be an object, but is a number",
                "rows[1].title is required",
                "tags[0] has 4 characters; give at most 3",
            ]
        );
    }

    #[test]
    fn a_missing_field_is_required_and_not_also_empty() {
        assert_eq!(read::<Sample>(json!({})).expect_err("wrong"), ["name is required"]);
        assert_eq!(read::<Sample>(json!({ "name": null })).expect_err("wrong"), ["name is required"]);
        assert_eq!(read::<Sample>(json!({ "name": " " })).expect_err("wrong"), ["name must not be empty"]);
        assert_eq!(read::<Sample>(json!([1])).expect_err("wrong"), ["body must be a JSON object, but is a list"]);
    }

    #[test]
    fn errors_are_limited() {
        let tags: Vec<u32> = (0..5000).collect();
        assert_eq!(read::<Sample>(json!({ "name": "a", "tags": tags })).expect_err("wrong").len(), MAX_ERRORS);
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let bytes = |text: &str| canonical(serde_json::from_str(text).expect("JSON")).to_string();
        assert_eq!(
            bytes(r#"{"b":{"y":1,"x":[{"q":1,"p":2}]},"a":2}"#),
            bytes(r#"{"a":2, "b":{"x":[{"p":2,"q":1}],"y":1}}"#)
        );
        assert_ne!(bytes("[1,2]"), bytes("[2,1]"));
    }

    #[test]
    fn json_content_types() {
        for right in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(is_json(Some(right)), "{right}");
        }
        for wrong in ["text/plain", "application/x-www-form-urlencoded", "text/json", "", "application/jsonp"] {
            assert!(!is_json(Some(wrong)), "{wrong}");
        }
        assert!(!is_json(None));
    }
}

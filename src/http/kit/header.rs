//! Headers that steer a request: `Idempotency-Key`, `If-Match`, `Last-Event-ID`.

use chrono::{DateTime, Utc};
use galley_services as services;
use poem::{Request, RequestBody, http::StatusCode};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchema, MetaSchemaRef},
};

use super::{
    problem::{Code, Problem},
    scalar::Moment,
};

/// The largest number of an event that is taken; no task has as many.
pub const MAX_EVENT: i64 = 999_999_999_999_999;

/// What one header says. A header that is wrong, repeated or not ASCII is a 400 and never taken for an absent one.
pub trait RequestHeader: Sized + Send {
    const NAME: &'static str;
    /// With what it is for.
    fn schema() -> MetaSchema;
    /// `text` is `None` when the header is absent.
    fn read(request: &Request, text: Option<&str>) -> Result<Self, Problem>;
}

/// The only value of a header.
fn text_of<'a>(request: &'a Request, name: &'static str) -> Result<Option<&'a str>, Problem> {
    let mut values = request.headers().get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| Problem::wrong(name, "must be visible ASCII characters"))
        }
        (Some(_), Some(_)) => Err(Problem::wrong(name, "is given more than once; give it once")),
    }
}

/// Reads a header as an argument is read.
pub fn read<H: RequestHeader>(request: &Request) -> Result<H, Problem> {
    H::read(request, text_of(request, H::NAME)?)
}

/// Makes arguments of headers. Their name is in the schema, from which `routes.rs` makes the parameter.
macro_rules! extractors {
    ($($type:ty),+) => {$(
        impl<'a> ApiExtractor<'a> for $type {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
            type ParamType = ();
            type ParamRawType = ();

            fn param_in() -> Option<MetaParamIn> {
                Some(MetaParamIn::Header)
            }

            fn param_schema_ref() -> Option<MetaSchemaRef> {
                let schema = MetaSchemaRef::Inline(Box::new(<$type as RequestHeader>::schema()));
                let object =
                    MetaSchema { properties: vec![(<$type as RequestHeader>::NAME, schema)], ..MetaSchema::new("object") };
                Some(MetaSchemaRef::Inline(Box::new(object)))
            }

            async fn from_request(
                request: &'a Request,
                _body: &mut RequestBody,
                _options: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                Ok(read::<Self>(request)?)
            }
        }
    )+};
}

extractors!(IdempotencyKey, IfMatch, IfNoneMatch, IfUnchanged, LastEventId, MustBeUnchanged);

/// `If-None-Match`: the tags of what the client has already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfNoneMatch(Option<String>);

impl RequestHeader for IfNoneMatch {
    const NAME: &'static str = "If-None-Match";

    fn schema() -> MetaSchema {
        let description =
            Some("The `ETag` of what you have already. If it is still the same, the answer is 304 without a body.");
        MetaSchema { description, ..MetaSchema::new("string") }
    }

    fn read(_request: &Request, text: Option<&str>) -> Result<Self, Problem> {
        Ok(Self(text.map(str::to_owned)))
    }
}

impl IfNoneMatch {
    /// Whether the client has what this tag names. Weak and strong are the same here (RFC 9110, 13.1.2).
    pub fn names(&self, tag: &str) -> bool {
        let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let given = self.0.as_deref().unwrap_or_default();
        given.trim() == "*" || given.split(',').any(|one| bare(one) == bare(tag))
    }
}

/// `Idempotency-Key` with the operation it is used for.
pub struct IdempotencyKey(Option<(String, String)>);

impl RequestHeader for IdempotencyKey {
    const NAME: &'static str = "Idempotency-Key";

    fn schema() -> MetaSchema {
        let pattern = Some("^[!-~]+$".to_owned());
        let description =
            Some("The same key with the same request gives the first answer again instead of a second effect.");
        MetaSchema { min_length: Some(1), max_length: Some(255), pattern, description, ..MetaSchema::new("string") }
    }

    fn read(request: &Request, text: Option<&str>) -> Result<Self, Problem> {
        Ok(Self(text.map(|key| (key.to_owned(), format!("{} {}", request.method(), request.uri().path())))))
    }
}

impl IdempotencyKey {
    /// The key for a request with this body. `body` is the same for requests that mean the same.
    pub fn with(self, body: &[u8]) -> Result<Option<services::IdempotencyKey>, Problem> {
        let made = self.0.map(|(key, operation)| services::IdempotencyKey::new(&key, operation, body));
        Ok(made.transpose()?)
    }
}

/// `If-Match`: the version that the client has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<i32>);

impl RequestHeader for IfMatch {
    const NAME: &'static str = "If-Match";

    fn schema() -> MetaSchema {
        let pattern = Some(r#"^(\*|(W/)?"[0-9]{1,9}"|[0-9]{1,9})$"#.to_owned());
        let description =
            Some("The ETag as you read it. If it is another one by now, nothing changes and it is a CONFLICT.");
        MetaSchema { example: Some("\"3\"".into()), pattern, description, ..MetaSchema::new("string") }
    }

    /// Quoted as in `ETag`, weak, or the bare number; `*` sets no condition.
    fn read(_request: &Request, text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text.map(str::trim).filter(|text| *text != "*") else { return Ok(Self(None)) };
        let tag = text.strip_prefix("W/").unwrap_or(text);
        let bare = match tag.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"'),
            None => (tag.len() == text.len()).then_some(tag),
        };
        let digits = bare.filter(|bare| bare.bytes().all(|byte| byte.is_ascii_digit()));
        let version = digits.and_then(|digits| digits.parse().ok());
        let wrong = || Problem::wrong(Self::NAME, "must be the ETag of the article as you read it, for example \"3\"");
        Ok(Self(Some(version.ok_or_else(wrong)?)))
    }
}

/// `If-Match` where it says when the thing was changed last, to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfUnchanged(pub Option<Vec<DateTime<Utc>>>);

impl IfUnchanged {
    /// Tells it from [`IfMatch`] in the description.
    pub const ABOUT: &'static str = "`updated_at` as you read it, or a list of tags of which it may be one. If it is another one by now, nothing changes \
         and the answer is 412, as it is for a weak tag.";
}

impl RequestHeader for IfUnchanged {
    const NAME: &'static str = "If-Match";

    fn schema() -> MetaSchema {
        let example = Some("\"2026-01-15T10:00:00.000Z\"".into());
        MetaSchema { example, description: Some(Self::ABOUT), ..MetaSchema::new("string") }
    }

    /// A list of quoted tags, or the bare time; `*` sets no condition. Weak tags, and tags of something else, match
    /// nothing (RFC 9110, 13.1.1).
    fn read(_request: &Request, text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text.map(str::trim).filter(|text| *text != "*") else { return Ok(Self(None)) };
        if let Some(Moment(time)) = Moment::of(text) {
            return Ok(Self(Some(vec![time])));
        }
        let message = "must be updated_at as you read it, for example \"2026-01-15T10:00:00.000Z\"";
        let tags = strong_tags(text).ok_or_else(|| Problem::wrong(Self::NAME, message))?;
        Ok(Self(Some(tags.into_iter().filter_map(Moment::of).map(|moment| moment.0).collect())))
    }
}

/// As [`IfUnchanged`], where a change without it would undo somebody else's.
pub struct MustBeUnchanged(pub Vec<DateTime<Utc>>);

impl MustBeUnchanged {
    /// Tells it from the others in the description.
    pub const ABOUT: &'static str = "Required: `updated_at` as you read it, or a list of tags of which it may be one. If it is another one by now, nothing \
         changes and the answer is 412; without it, 428.";
}

impl RequestHeader for MustBeUnchanged {
    const NAME: &'static str = IfUnchanged::NAME;

    fn schema() -> MetaSchema {
        MetaSchema { description: Some(Self::ABOUT), ..IfUnchanged::schema() }
    }

    fn read(request: &Request, text: Option<&str>) -> Result<Self, Problem> {
        IfUnchanged::read(request, text)?.0.map(Self).ok_or_else(|| {
            let detail = "If-Match is missing: give updated_at as you read it, so that nobody's change is undone";
            Problem::new(StatusCode::PRECONDITION_REQUIRED, Code::ValidationError, detail)
        })
    }
}

/// What stands in the strong ones of a list of entity tags; `None` when it is no such list.
fn strong_tags(list: &str) -> Option<Vec<&str>> {
    let (mut tags, mut rest) = (Vec::new(), list);
    loop {
        let tag = rest.strip_prefix("W/").unwrap_or(rest);
        let (inside, behind) = tag.strip_prefix('"')?.split_once('"')?;
        if tag.len() == rest.len() {
            tags.push(inside);
        }
        match behind.trim_start() {
            "" => return Some(tags),
            behind => rest = behind.strip_prefix(',')?.trim_start(),
        }
    }
}

/// `Last-Event-ID`: the number of the last event that the client has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastEventId(pub Option<i64>);

impl RequestHeader for LastEventId {
    const NAME: &'static str = "Last-Event-ID";

    fn schema() -> MetaSchema {
        let description =
            Some("The number of the last event that you have seen; browsers send it when they reconnect.");
        MetaSchema { pattern: Some("^[0-9]{0,15}$".to_owned()), description, ..MetaSchema::new("string") }
    }

    fn read(_request: &Request, text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(Self(None)) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && (0..=MAX_EVENT).contains(number));
        let wrong = || Problem::wrong(Self::NAME, "must be the number of an event, as its id says");
        Ok(Self(Some(number.ok_or_else(wrong)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read<H: RequestHeader>(values: &[&[u8]]) -> Result<H, String> {
        let mut request = Request::builder().uri_str("/api/v1/tasks").method(poem::http::Method::POST).finish();
        for value in values {
            let value = poem::http::HeaderValue::from_bytes(value).expect("a header value");
            let name: poem::http::HeaderName = H::NAME.parse().expect("a header name");
            request.headers_mut().append(name, value);
        }
        super::read(&request).map_err(|problem| problem.detail)
    }

    #[tokio::test]
    async fn if_match_takes_every_spelling_of_a_version() {
        for (text, version) in
            [("\"3\"", Some(3)), ("W/\"3\"", Some(3)), ("3", Some(3)), (" \"3\" ", Some(3)), ("*", None)]
        {
            assert_eq!(read::<IfMatch>(&[text.as_bytes()]).await, Ok(IfMatch(version)), "{text}");
        }
        assert_eq!(read::<IfMatch>(&[]).await, Ok(IfMatch(None)));
        for wrong in
            ["", "\"", "\"3", "3\"", "W/3", "\"x\"", "\"-1\"", "\"+1\"", "\"3\", \"4\"", "\"99999999999\"", "\"\""]
        {
            let error = read::<IfMatch>(&[wrong.as_bytes()]).await.expect_err(wrong);
            assert!(error.starts_with("If-Match: must be the ETag"), "{error}");
        }
    }

    #[tokio::test]
    async fn if_none_match_names_what_the_client_has() {
        for (given, names) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            let header: IfNoneMatch = read(&[given.as_bytes()]).await.expect("any text is taken");
            assert_eq!((header.names("\"a\""), header.names("W/\"a\"")), (names, names), "{given}");
        }
        assert!(!read::<IfNoneMatch>(&[]).await.expect("absent").names("\"a\""));
    }

    #[tokio::test]
    async fn last_event_id_is_a_number() {
        assert_eq!(read::<LastEventId>(&[b"12"]).await, Ok(LastEventId(Some(12))));
        assert_eq!(read::<LastEventId>(&[b""]).await, Ok(LastEventId(None)), "browsers send it empty at first");
        assert!(read::<LastEventId>(&[b"-1"]).await.is_err());
        assert!(read::<LastEventId>(&[b"999999999999999"]).await.is_ok());
        assert!(read::<LastEventId>(&[b"1000000000000000"]).await.is_err());
        assert!(read::<LastEventId>(&[b"x"]).await.is_err());
        assert!(read::<LastEventId>(&[b"+1"]).await.is_err());
    }

    #[tokio::test]
    async fn a_key_that_cannot_be_kept_is_an_error_and_not_ignored() {
        let key = async |values: &[&[u8]]| -> Result<_, String> {
            read::<IdempotencyKey>(values).await?.with(b"{}").map_err(|problem| problem.detail)
        };
        assert!(key(&[]).await.expect("fine").is_none());
        let kept = key(&[b"abc"]).await.expect("fine").expect("a key");
        let other = key(&[b"abd"]).await.expect("fine").expect("a key");
        assert_eq!(kept.operation, "POST /api/v1/tasks");
        assert!(!kept.key.contains("abc") && kept.key != other.key, "told apart, and not kept as it came");
        for wrong in [&[b"" as &[u8]] as &[&[u8]], &[b"a b"], &[b"\xff"], &[b"a", b"b"], &[&[b'x'; 256]]] {
            assert!(key(wrong).await.expect_err("refused").starts_with("Idempotency-Key"), "{wrong:?}");
        }
    }
}

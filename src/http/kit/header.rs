//! Headers that steer a request: `Idempotency-Key`, `If-Match`, `Last-Event-ID`.

use galley_services::IdempotencyKey;
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchema, MetaSchemaRef},
};

use super::problem::Problem;

/// The largest number of an event that is taken; no task has as many.
pub const MAX_EVENT: i64 = 999_999_999_999_999;

/// Something that one header says.
pub trait HeaderValue: Sized + Send {
    const NAME: &'static str;
    fn schema() -> MetaSchema;
    /// `text` is `None` when the header is absent.
    fn read(request: &Request, text: Option<&str>) -> Result<Self, Problem>;
}

/// Takes a header; one that is wrong, repeated or not ASCII is a 400 and never taken for an absent one. An operation
/// names it with `#[oai(name = "…")]` for the description.
pub struct Head<H>(pub H);

impl<'a, H: HeaderValue> ApiExtractor<'a> for Head<H> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(MetaSchemaRef::Inline(Box::new(H::schema())))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        let mut values = request.headers().get_all(H::NAME).iter();
        let text = match (values.next(), values.next()) {
            (None, _) => None,
            (Some(value), None) => {
                Some(value.to_str().map_err(|_| Problem::wrong(H::NAME, "must be visible ASCII characters"))?)
            }
            (Some(_), Some(_)) => return Err(Problem::wrong(H::NAME, "is given more than once; give it once").into()),
        };
        Ok(Self(H::read(request, text)?))
    }
}

/// `Idempotency-Key` with the operation it is used for.
pub struct Once(Option<(String, String)>);

impl HeaderValue for Once {
    const NAME: &'static str = "Idempotency-Key";

    fn schema() -> MetaSchema {
        let pattern = Some("^[!-~]+$".to_owned());
        MetaSchema { min_length: Some(1), max_length: Some(255), pattern, ..MetaSchema::new("string") }
    }

    fn read(request: &Request, text: Option<&str>) -> Result<Self, Problem> {
        Ok(Self(text.map(|key| (key.to_owned(), format!("{} {}", request.method(), request.uri().path())))))
    }
}

impl Once {
    /// The key for a request with this body. `body` is the same for requests that mean the same.
    pub fn key(self, body: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
        let made = self.0.map(|(key, operation)| IdempotencyKey::new(&key, operation, body));
        Ok(made.transpose()?)
    }
}

/// `If-Match`: the version that the client has seen.
#[derive(Debug, PartialEq, Eq)]
pub struct IfMatch(pub Option<i32>);

impl HeaderValue for IfMatch {
    const NAME: &'static str = "If-Match";

    fn schema() -> MetaSchema {
        let pattern = Some(r#"^(\*|(W/)?"[0-9]{1,9}"|[0-9]{1,9})$"#.to_owned());
        MetaSchema { example: Some("\"3\"".into()), pattern, ..MetaSchema::new("string") }
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

/// `Last-Event-ID`: the number of the last event that the client has seen.
#[derive(Debug, PartialEq, Eq)]
pub struct LastEventId(pub Option<i64>);

impl HeaderValue for LastEventId {
    const NAME: &'static str = "Last-Event-ID";

    fn schema() -> MetaSchema {
        MetaSchema { pattern: Some("^[0-9]{0,15}$".to_owned()), ..MetaSchema::new("string") }
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

    async fn read<H: HeaderValue>(values: &[&[u8]]) -> Result<H, String> {
        let mut request = Request::builder().uri_str("/api/v1/tasks").method(poem::http::Method::POST).finish();
        for value in values {
            let value = poem::http::HeaderValue::from_bytes(value).expect("a header value");
            let name: poem::http::HeaderName = H::NAME.parse().expect("a header name");
            request.headers_mut().append(name, value);
        }
        let (request, mut body) = request.split();
        let options = ExtractParamOptions::default();
        let head = Head::<H>::from_request(&request, &mut body, options).await;
        head.map(|head| head.0).map_err(|error| Problem::of_error(&error).detail)
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
            read::<Once>(values).await?.key(b"{}").map_err(|problem| problem.detail)
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

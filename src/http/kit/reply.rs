//! Answers: a body, a status, and the headers that go with it.

use std::marker::PhantomData;

use galley_services::Answer;
use poem::{
    IntoResponse, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};

use super::problem::Problem;

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The status and the headers of an answer.
pub trait Kind: Send + Sync + 'static {
    const STATUS: StatusCode;
    const DESCRIPTION: &'static str;
    /// Name and description of headers that may come with it.
    const HEADERS: &'static [(&'static str, &'static str)] = &[];
}

const LOCATION_TEXT: (&str, &str) = ("Location", "The path of what was made.");
const NEXT_TEXT: (&str, &str) = ("Location", "The path to ask for what becomes of it.");
const REPLAYED_TEXT: (&str, &str) = ("Idempotent-Replayed", "`true` when this is the answer to an earlier request.");
const ETAG_TEXT: (&str, &str) = ("ETag", "The version of the article, for `If-Match`.");

/// 200.
pub struct Plain;
impl Kind for Plain {
    const STATUS: StatusCode = StatusCode::OK;
    const DESCRIPTION: &'static str = "Done.";
}

/// 200 after somebody outside was asked, who may have refused: then it is a 502.
pub struct Asked;
impl Kind for Asked {
    const STATUS: StatusCode = StatusCode::OK;
    const DESCRIPTION: &'static str = "Done, and the site has answered.";
    const HEADERS: &'static [(&'static str, &'static str)] = &[REPLAYED_TEXT];
}

/// 200 with an `ETag`.
pub struct Versioned;
impl Kind for Versioned {
    const STATUS: StatusCode = StatusCode::OK;
    const DESCRIPTION: &'static str = "Done.";
    const HEADERS: &'static [(&'static str, &'static str)] = &[ETAG_TEXT, REPLAYED_TEXT];
}

/// 201.
pub struct Created;
impl Kind for Created {
    const STATUS: StatusCode = StatusCode::CREATED;
    const DESCRIPTION: &'static str = "Created.";
    const HEADERS: &'static [(&'static str, &'static str)] = &[LOCATION_TEXT, REPLAYED_TEXT];
}

/// 201 with something that is shown once, and so cannot be replayed.
pub struct CreatedOnce;
impl Kind for CreatedOnce {
    const STATUS: StatusCode = StatusCode::CREATED;
    const DESCRIPTION: &'static str = "Created.";
    const HEADERS: &'static [(&'static str, &'static str)] = &[LOCATION_TEXT];
}

/// 202.
pub struct Accepted;
impl Kind for Accepted {
    const STATUS: StatusCode = StatusCode::ACCEPTED;
    const DESCRIPTION: &'static str = "Taken on; the work goes on in the background.";
    const HEADERS: &'static [(&'static str, &'static str)] = &[NEXT_TEXT, REPLAYED_TEXT];
}

/// What a handler returns: `T` as JSON with the status of `K`, or a problem.
pub type Outcome<T, K = Plain> = Result<Reply<T, K>, Problem>;

/// A good answer.
#[derive(Debug)]
pub struct Reply<T, K = Plain> {
    body: T,
    headers: Vec<(HeaderName, HeaderValue)>,
    kind: PhantomData<K>,
}

impl<T, K> Reply<T, K> {
    pub fn new(body: T) -> Self {
        Self { body, headers: Vec::new(), kind: PhantomData }
    }

    /// An answer that may be the repetition of an earlier one.
    pub fn of<V>(answer: Answer<V>, view: impl FnOnce(V) -> T) -> Self {
        let reply = Self::new(view(answer.value));
        if answer.replayed { reply.with(REPLAYED, "true") } else { reply }
    }

    /// The same, for a view that can fail.
    pub fn try_of<V>(answer: Answer<V>) -> Result<Self, Problem>
    where
        T: TryFrom<V>,
        Problem: From<T::Error>,
    {
        let (view, replayed) = (answer.value.try_into()?, answer.replayed);
        Ok(Self::of(Answer { value: (), replayed }, |()| view))
    }

    /// A value that cannot stand in a header is left out.
    fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    #[must_use]
    pub fn at(self, location: &str) -> Self {
        self.with(header::LOCATION, location)
    }

    #[must_use]
    pub fn version(self, version: i32) -> Self {
        self.with(header::ETAG, &format!("\"{version}\""))
    }
}

impl<T: ToJSON, K: Kind> IntoResponse for Reply<T, K> {
    fn into_response(self) -> Response {
        let mut response =
            Response::builder().status(K::STATUS).content_type("application/json").body(self.body.to_json_string());
        response.headers_mut().extend(self.headers);
        response
    }
}

impl<T: Type + ToJSON, K: Kind> ApiResponse for Reply<T, K> {
    fn meta() -> MetaResponses {
        let headers = K::HEADERS.iter().map(|(name, description)| MetaHeader {
            name: (*name).to_owned(),
            description: Some((*description).to_owned()),
            required: false,
            deprecated: false,
            schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
        });
        let response = MetaResponse {
            description: K::DESCRIPTION,
            status: Some(K::STATUS.as_u16()),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }],
            headers: headers.collect(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// What was waited for: 200 with what came of it, or 202 when it goes on in the background. Somebody outside was asked.
pub enum Waited<T> {
    Done(Reply<T, Asked>),
    GoesOn(Reply<T, Accepted>),
}

impl<T: ToJSON> IntoResponse for Waited<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Done(reply) => reply.into_response(),
            Self::GoesOn(reply) => reply.into_response(),
        }
    }
}

impl<T: Type + ToJSON> ApiResponse for Waited<T> {
    fn meta() -> MetaResponses {
        let [done, goes_on] = [Reply::<T, Asked>::meta(), Reply::<T, Accepted>::meta()];
        MetaResponses { responses: done.responses.into_iter().chain(goes_on.responses).collect() }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// 204: done, and there is nothing to say.
#[derive(Debug)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl ApiResponse for NoContent {
    fn meta() -> MetaResponses {
        let response = MetaResponse {
            description: "Done; there is no body.",
            status: Some(204),
            status_range: None,
            content: Vec::new(),
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_registry: &mut Registry) {}
}

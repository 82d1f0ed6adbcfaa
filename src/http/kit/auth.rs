//! Who calls, and whether they may. An operation declares its right by the type of an argument, and gets at the use
//! cases through nothing else.

mod public;

use std::{marker::PhantomData, sync::Arc, time::Instant};

use galley_domain::{OrgId, Principal, Who};
use galley_services::{Missing, ServiceError, Services, TaskView};
use poem::{
    Request, RequestBody,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use public::visit;

pub use public::Public;

pub use super::rights::{
    ArticlesRead, ArticlesWrite, ProjectsRead, ProjectsWrite, PublishRead, PublishWrite, Right, SecretsRead,
    SecretsWrite, TasksRead, TasksWrite,
};
use super::{
    context::{self, RequestContext},
    problem::{Code, Problem},
    query,
    rate::RateClass,
    rights,
    state::{Front, MetricsAccess},
};

/// The security scheme of `/metrics`.
pub const FIGURES: &str = "metrics_token";
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The security schemes of a key.
const KEY_SCHEMES: [&str; 3] = ["bearer", "api_key", "x_api_key"];
const CHALLENGE: &str = "Bearer realm=\"galley\", ApiKey realm=\"galley\"";
pub(super) const BAD_KEY: &str = "Bearer realm=\"galley\", error=\"invalid_token\", ApiKey realm=\"galley\"";

/// Which budget of calls an operation draws on.
pub trait Class: Send + Sync + 'static {
    const CLASS: RateClass;
}

pub struct General;
impl Class for General {
    const CLASS: RateClass = RateClass::General;
}

pub struct Content;
impl Class for Content {
    const CLASS: RateClass = RateClass::Content;
}

pub struct Ai;
impl Class for Ai {
    const CLASS: RateClass = RateClass::Ai;
}

/// The shared state, which the middleware puts on every request.
pub fn front(request: &Request) -> Result<&Arc<Front>, Problem> {
    request.data::<Arc<Front>>().ok_or_else(|| Problem::internal(&"the request came around the middleware"))
}

/// A principal with the right `R`, and the way to the use cases.
pub struct Auth<R, C = General> {
    pub principal: Principal,
    front: Arc<Front>,
    context: Arc<RequestContext>,
    declared: PhantomData<(R, C)>,
}

impl<R: Right, C: Class> Auth<R, C> {
    pub fn org(&self) -> OrgId {
        self.principal.org
    }

    pub fn services(&self) -> &Services {
        &self.front.state.services
    }

    /// What the envelopes of 001 and 004 are made with.
    pub fn context(&self) -> &RequestContext {
        &self.context
    }

    /// 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.context.trace_id
    }

    pub fn front(&self) -> &Arc<Front> {
        &self.front
    }

    /// A further right, which only some requests to an operation need.
    pub fn demand<Other: Right>(&self) -> Result<(), Problem> {
        rights::demand(&self.principal, Other::PERMISSION, Other::SCOPES)
    }

    /// The principal, and what there is to say about the task of theirs that was asked for.
    async fn check(request: &Request, task: Option<Uuid>) -> Result<(Self, TaskLookup), Problem> {
        let (front, context) = (front(request)?, context::of(request)?);
        let (principal, task) = identify(request, front, context, task).await?;
        // All are set once: each request is checked once.
        let _ = context.who.set(principal.who);
        let _ = context.org.set(principal.org);
        spend(front, context, C::CLASS, principal.who, Instant::now())?;
        rights::demand(&principal, R::PERMISSION, R::SCOPES)?;
        if context.without_query.get().is_some() {
            query::refuse_all(request)?;
        }
        Ok((Self { principal, front: Arc::clone(front), context: Arc::clone(context), declared: PhantomData }, task))
    }
}

/// Counts a call; 429 when it is one too many.
pub(super) fn spend(
    front: &Front,
    context: &RequestContext,
    class: RateClass,
    who: Who,
    now: Instant,
) -> Result<(), Problem> {
    let rate = front.rates.call(class, who, now);
    // Set once: each request is checked once.
    let _ = context.rate.set(rate);
    if rate.allowed {
        return Ok(());
    }
    Err(Problem::too_many(format!("this key has used its {} calls of this minute", rate.limit), rate.reset))
}

/// A task that is looked up with the key. Whether the principal may see it is decided before it is said what is wrong with it.
type TaskLookup = Result<TaskView, ServiceError>;
type Identified = (Principal, TaskLookup);

async fn identify(
    request: &Request,
    front: &Front,
    context: &RequestContext,
    task: Option<Uuid>,
) -> Result<Identified, Problem> {
    let refusal = match presented(request) {
        Ok(secret) => match look_up(secret, front, context, task).await? {
            Some(found) => return Ok(found),
            None => unauthorized("this key is unknown, expired or revoked", BAD_KEY),
        },
        Err(refusal) => refusal,
    };
    Err(failed_sign_in(front, context, refusal))
}

/// Counts a failed sign-in of an address; the answer is `refusal`, or 429 after too many.
pub(super) fn failed_sign_in(front: &Front, context: &RequestContext, refusal: Problem) -> Problem {
    let rate = front.rates.failure(context.address, Instant::now());
    // Set once: each request is checked once.
    let _ = context.rate.set(rate);
    match rate.allowed {
        true => refusal,
        false => Problem::too_many("too many failed sign-ins from this address", rate.reset),
    }
}

/// Who holds the key. Keys from an address that has failed too often are looked up one after the other, so that guessing
/// keeps no more than one connection busy; they are not refused, because a good key may share its address with a guesser.
async fn look_up(
    secret: &str,
    front: &Front,
    context: &RequestContext,
    task: Option<Uuid>,
) -> Result<Option<Identified>, Problem> {
    let turn = match front.rates.may_fail(context.address, Instant::now()) {
        true => None,
        false => Some(front.suspects.acquire().await.map_err(|error| Problem::internal(&error))?),
    };
    let services = &front.state.services;
    let found = match task {
        Some(id) => services.principal_with_task(secret, id).await?,
        None => {
            services.principal(secret).await?.map(|principal| (principal, Err(ServiceError::NotFound(Missing::Task))))
        }
    };
    drop(turn);
    Ok(found)
}

/// The key that a request brings: in `Authorization`, or in `X-API-Key` as clients of 003 send it.
pub(in crate::http) fn presented(request: &Request) -> Result<&str, Problem> {
    let plain = request.headers().get_all(API_KEY).iter();
    let mut values = request.headers().get_all(header::AUTHORIZATION).iter().map(|value| (value, true));
    let mut values = values.by_ref().chain(plain.map(|value| (value, false)));
    let (value, has_scheme) = match (values.next(), values.next()) {
        (Some(value), None) => value,
        (None, _) => {
            let detail = "send a key as 'Authorization: Bearer KEY', 'Authorization: ApiKey KEY' or 'X-API-Key: KEY'";
            return Err(unauthorized(detail, CHALLENGE));
        }
        (Some(_), Some(_)) => return Err(unauthorized("send one key in one header, not several", CHALLENGE)),
    };
    let text = value.to_str().unwrap_or_default().trim();
    let (scheme, key) = match has_scheme {
        true => text.split_once(' ').unwrap_or((text, "")),
        false => ("apikey", text),
    };
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("apikey");
    if !known || key.trim().is_empty() {
        let detail = "the Authorization header must read 'Bearer KEY' or 'ApiKey KEY', and X-API-Key must hold a key";
        return Err(unauthorized(detail, CHALLENGE));
    }
    Ok(key.trim())
}

pub(super) fn unauthorized(detail: &str, challenge: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, detail)
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

impl<'a, R: Right, C: Class> ApiExtractor<'a> for Auth<R, C> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = |ty, description| MetaSecurityScheme {
            ty,
            description: Some(description),
            name: None,
            key_in: None,
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme(
            "bearer",
            MetaSecurityScheme {
                scheme: Some("bearer"),
                bearer_format: Some("API key"),
                ..scheme("http", "An API key, sent as `Authorization: Bearer KEY`.")
            },
        );
        registry.create_security_scheme(
            "api_key",
            MetaSecurityScheme {
                name: Some("Authorization"),
                key_in: Some("header"),
                ..scheme("apiKey", "An API key, sent as `Authorization: ApiKey KEY`: the value begins with `ApiKey `.")
            },
        );
        registry.create_security_scheme(
            "x_api_key",
            MetaSecurityScheme {
                name: Some("X-API-Key"),
                key_in: Some("header"),
                ..scheme("apiKey", "An API key, sent as `X-API-Key: KEY`.")
            },
        );
    }

    fn security_schemes() -> Vec<&'static str> {
        // The right follows for `rights.rs`, which takes it out again.
        [&KEY_SCHEMES, &rights::words::<R, C>()[..]].concat()
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self::check(request, None).await?.0)
    }
}

/// The task that the path names with its only parameter, looked up together with the principal's key: who asks for it again
/// and again costs one look at the database each time, not two. What the right asks for depends on the kind of the task.
pub struct OwnTask<R, C = General>(Auth<R, C>, TaskLookup);

impl<R: Right, C: Class> OwnTask<R, C> {
    /// The task, if the principal has one with this id and the right to tasks of its kind.
    pub fn with_id(self, id: Uuid) -> Result<(Auth<R, C>, TaskView), Problem> {
        let Self(auth, task) = self;
        let task = task?;
        if task.row.id != id {
            return Err(ServiceError::NotFound(Missing::Task).into());
        }
        rights::demand_of_kind(&auth.principal, R::PERMISSION, &task.row.kind)?;
        Ok((auth, task))
    }
}

impl<'a, R: Right, C: Class> ApiExtractor<'a> for OwnTask<R, C> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Auth::<R, C>::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        Auth::<R, C>::security_schemes()
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        // By place, because poem-openapi renames parameters. No task has an id that is none.
        let id = request.path_params::<(Uuid,)>().map(|(id,)| id).ok();
        let (auth, task) = Auth::<R, C>::check(request, id).await?;
        Ok(Self(auth, task))
    }
}

/// A principal with the right `R`, or somebody without a key, for what an address alone can open. Of those without a key
/// each address has so many calls a minute.
pub enum KeyOrNobody<R> {
    Key(Auth<R>),
    Nobody(Arc<Front>, Arc<RequestContext>),
}

impl<R: Right> KeyOrNobody<R> {
    pub fn services(&self) -> &Services {
        match self {
            Self::Key(auth) => auth.services(),
            Self::Nobody(front, _) => &front.state.services,
        }
    }

    /// The principal, for what takes a key after all.
    pub fn key(&self) -> Result<&Auth<R>, Problem> {
        match self {
            Self::Key(auth) => Ok(auth),
            Self::Nobody(front, context) => {
                let detail = "this needs a key, sent as 'Authorization: Bearer KEY'";
                Err(failed_sign_in(front, context, unauthorized(detail, CHALLENGE)))
            }
        }
    }
}

impl<'a, R: Right> ApiExtractor<'a> for KeyOrNobody<R> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Auth::<R>::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        // Without the words of a right: the description says that nothing is needed, and which keys are taken.
        KEY_SCHEMES.to_vec()
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let headers = request.headers();
        if headers.contains_key(header::AUTHORIZATION) || headers.contains_key(API_KEY) {
            return Ok(Self::Key(Auth::check(request, None).await?.0));
        }
        let (front, context) = (front(request)?, context::of(request)?);
        visit(front, context)?;
        Ok(Self::Nobody(Arc::clone(front), Arc::clone(context)))
    }
}

/// Whoever may see the figures: see [`MetricsAccess`].
pub struct FiguresReader;

impl<'a> ApiExtractor<'a> for FiguresReader {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_security_scheme(
            FIGURES,
            MetaSecurityScheme {
                ty: "http",
                description: Some("The setting `metrics.token` as a bearer token, where the service has one."),
                name: None,
                key_in: None,
                scheme: Some("bearer"),
                bearer_format: None,
                flows: None,
                openid_connect_url: None,
            },
        );
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![FIGURES]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let (front, context) = (front(request)?, context::of(request)?);
        let token = match &front.state.metrics_access {
            MetricsAccess::Open => return Ok(Self),
            MetricsAccess::Token(token) => token,
            MetricsAccess::Closed => {
                let detail = "figures are for those who run the service: they have to set metrics.token, and send it as \
                              'Authorization: Bearer TOKEN'";
                return Err(Problem::new(StatusCode::FORBIDDEN, Code::Forbidden, detail).into());
            }
        };
        let detail = "figures need the metrics.token of the service, sent as 'Authorization: Bearer TOKEN'";
        let refusal = match presented(request) {
            // Hashes are compared, so that the time it takes tells nothing of the token.
            Ok(given) if Sha256::digest(given) == Sha256::digest(token.expose()) => return Ok(Self),
            _ => unauthorized(detail, CHALLENGE),
        };
        Err(failed_sign_in(front, context, refusal).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(values: &[&str]) -> Result<String, (String, bool)> {
        let values: Vec<_> = values.iter().map(|value| (header::AUTHORIZATION, *value)).collect();
        key_in(&values)
    }

    fn key_in(values: &[(HeaderName, &str)]) -> Result<String, (String, bool)> {
        let mut request = Request::builder().finish();
        for (name, value) in values {
            request.headers_mut().append(name.clone(), HeaderValue::from_str(value).expect("a header"));
        }
        let challenged = |problem: &Problem| problem.headers.iter().any(|(name, _)| name == header::WWW_AUTHENTICATE);
        presented(&request).map(str::to_owned).map_err(|problem| (problem.detail.clone(), challenged(&problem)))
    }

    #[test]
    fn both_schemes_carry_a_key_in_any_case() {
        for right in ["Bearer gk_1", "bearer gk_1", "ApiKey gk_1", "APIKEY  gk_1 "] {
            assert_eq!(key(&[right]).as_deref(), Ok("gk_1"), "{right}");
        }
    }

    #[test]
    fn a_key_may_stand_in_a_header_of_its_own() {
        assert_eq!(key_in(&[(API_KEY, " gk_1 ")]).as_deref(), Ok("gk_1"));
        for wrong in [
            &[(API_KEY, "")] as &[_],
            &[(API_KEY, "a"), (API_KEY, "b")],
            &[(API_KEY, "a"), (header::AUTHORIZATION, "Bearer a")],
        ] {
            assert!(key_in(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_a_challenge() {
        for wrong in [&["Basic abc"] as &[&str], &["Bearer"], &["Bearer "], &["gk_1"], &[], &["Bearer a", "Bearer b"]] {
            let (detail, challenged) = key(wrong).expect_err("no key");
            assert!(challenged && !detail.is_empty(), "{wrong:?}");
        }
    }
}

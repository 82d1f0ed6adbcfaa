//! Who may follow a task: whoever has a key with the right, and whoever has a token that such a key made for that task.

use std::{marker::PhantomData, sync::Arc, time::Instant};

use galley_domain::{OrgId, Principal, Who};
use galley_services::{Missing, ServiceError, TaskView};
use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSecurityScheme, Registry},
};
use uuid::Uuid;

use super::{
    auth::{API_KEY, Auth, BAD_KEY, failed_sign_in, front, spend, unauthorized},
    context,
    problem::Problem,
    rate::RateClass,
    rights::{self, Right},
    state::Front,
};

/// The security scheme of such a token.
const SCHEME: &str = "event_token";
const PARAMETER: &str = "token";

/// A principal with the right `R`, or a token that one of them made.
pub struct EventAuth<R> {
    pub org: OrgId,
    /// Who it is that follows, or who made the token.
    pub who: Who,
    pub front: Arc<Front>,
    /// The task that the token is for.
    task: Option<Uuid>,
    /// Who brought a key. A token was made by somebody who had the right.
    principal: Option<Principal>,
    right: PhantomData<R>,
}

impl<R: Right> EventAuth<R> {
    /// To a token there is no other task than its own. `with_token`: the address has one.
    pub fn may_follow(&self, task: Uuid, with_token: bool) -> Result<(), Problem> {
        if with_token && self.task.is_none() {
            return Err(Problem::wrong(PARAMETER, "stands beside a key; send the one or the other"));
        }
        match self.task.is_none_or(|own| own == task) {
            true => Ok(()),
            false => Err(ServiceError::NotFound(Missing::Task).into()),
        }
    }

    /// Whether whoever brought a key may see tasks of this kind.
    pub fn may_see(&self, task: &TaskView) -> Result<(), Problem> {
        let Some(principal) = &self.principal else { return Ok(()) };
        rights::demand_of_kind(principal, R::PERMISSION, &task.row.kind)
    }

    async fn by_token(request: &Request, token: &str) -> Result<Self, Problem> {
        let (front, context) = (front(request)?, context::of(request)?);
        let Some(reader) = front.state.services.event_reader(token).await? else {
            let detail = "this token is unknown or expired, or the key that made it has ended; make another one";
            return Err(failed_sign_in(front, context, unauthorized(detail, BAD_KEY)));
        };
        let (org, who) = (reader.org, Who::Key(reader.key));
        // All are set once: each request is checked once.
        let _ = context.who.set(who);
        let _ = context.org.set(org);
        spend(front, context, RateClass::General, who, Instant::now())?;
        let front = Arc::clone(front);
        Ok(Self { org, who, front, task: Some(reader.task), principal: None, right: PhantomData })
    }
}

/// The token in the address, for requests that bring no key.
fn token(request: &Request) -> Option<String> {
    let headers = request.headers();
    if headers.contains_key(header::AUTHORIZATION) || headers.contains_key(API_KEY) {
        return None;
    }
    let pairs = request.params::<Vec<(String, String)>>().ok()?;
    pairs.into_iter().find(|(name, text)| name == PARAMETER && !text.is_empty()).map(|(_, text)| text)
}

impl<'a, R: Right> ApiExtractor<'a> for EventAuth<R> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Auth::<R>::register(registry);
        registry.create_security_scheme(
            SCHEME,
            MetaSecurityScheme {
                ty: "apiKey",
                description: Some("A token for the events of one task, as `POST …/events/token` makes it."),
                name: Some(PARAMETER),
                key_in: Some("query"),
                scheme: None,
                bearer_format: None,
                flows: None,
                openid_connect_url: None,
            },
        );
    }

    fn param_in() -> Option<MetaParamIn> {
        None
    }

    fn security_schemes() -> Vec<&'static str> {
        // Before the words of the right, which `rights.rs` takes out again.
        let mut schemes = Auth::<R>::security_schemes();
        schemes.insert(3, SCHEME);
        schemes
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if let Some(token) = token(request) {
            return Ok(Self::by_token(request, &token).await?);
        }
        let auth = Auth::<R>::from_request(request, body, options).await?;
        let (org, who) = (auth.org(), auth.principal.who);
        let front = Arc::clone(auth.front());
        Ok(Self { org, who, front, task: None, principal: Some(auth.principal), right: PhantomData })
    }
}

//! Who may tell of a site: whoever has a key with the right, and the site itself, which shows the secret of its integration
//! or has signed what it sends with it.

use std::{marker::PhantomData, sync::Arc, time::Instant};

use galley_domain::{OrgId, Who};
use galley_services::{KnownSite, Missing, SITE_SECRET_PREFIX, ServiceError, Services};
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaRequest, MetaSecurityScheme, Registry},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    auth::{Auth, BAD_KEY, Class, failed_sign_in, front, presented, spend, unauthorized},
    body::{self, Body},
    context::{self, RequestContext},
    fields::Fields,
    problem::Problem,
    rights::Right,
    state::Front,
};

/// The security scheme of a signature.
const SCHEME: &str = "site_signature";
const SIGNATURE: &str = "X-Webhook-Signature";
/// What names the integration beside a signature, in the address or in the body.
const INTEGRATION: &str = "integration_id";

/// A principal with the right `R`, or the site of an integration.
pub struct SiteAuth<R, C> {
    pub org: OrgId,
    /// The integration, where it is the site that asks.
    pub site: Option<Uuid>,
    front: Arc<Front>,
    context: Arc<RequestContext>,
    right: PhantomData<(R, C)>,
}

impl<R: Right, C: Class> SiteAuth<R, C> {
    pub fn services(&self) -> &Services {
        &self.front.state.services
    }

    pub fn context(&self) -> &RequestContext {
        &self.context
    }

    /// The integration in the path, if it may be spoken for: to a site there is no other than its own.
    pub fn own(&self, integration: Uuid) -> Result<Uuid, Problem> {
        match self.site.is_none_or(|own| own == integration) {
            true => Ok(integration),
            false => Err(ServiceError::NotFound(Missing::Integration).into()),
        }
    }

    async fn by_header(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        match presented(request) {
            Ok(secret) if secret.starts_with(SITE_SECRET_PREFIX) => Ok(Self::by_secret(request, secret).await?),
            _ => {
                let auth = Auth::<R, C>::from_request(request, body, ExtractParamOptions::default()).await?;
                let context = Arc::clone(context::of(request)?);
                let (org, front) = (auth.org(), Arc::clone(auth.front()));
                Ok(Self { org, site: None, front, context, right: PhantomData })
            }
        }
    }

    async fn by_secret(request: &Request, secret: &str) -> Result<Self, Problem> {
        let found = front(request)?.state.services.site_by_secret(secret).await?;
        Self::of_site(request, found, "this secret is unknown; it is shown when the integration is made")
    }

    fn of_site(request: &Request, found: Option<KnownSite>, refusal: &str) -> Result<Self, Problem> {
        let (front, context) = (front(request)?, context::of(request)?);
        let Some(KnownSite { org, integration }) = found else {
            return Err(failed_sign_in(front, context, unauthorized(refusal, BAD_KEY)));
        };
        // A site draws on a budget of its own, like a key.
        let who = Who::Key(integration.id);
        // All are set once: each request is checked once.
        let _ = context.who.set(who);
        let _ = context.org.set(org);
        spend(front, context, C::CLASS, who, Instant::now())?;
        let site = Some(integration.id);
        Ok(Self { org, site, front: Arc::clone(front), context: Arc::clone(context), right: PhantomData })
    }
}

fn register<R: Right, C: Class>(registry: &mut Registry) {
    Auth::<R, C>::register(registry);
    registry.create_security_scheme(
        SCHEME,
        MetaSecurityScheme {
            ty: "apiKey",
            description: Some(
                "`sha256=` and the HMAC-SHA256 of the body in hexadecimal digits, with the text of the integration's \
                 `webhook_secret` as key, beside `integration_id` in the address or in the body.",
            ),
            name: Some(SIGNATURE),
            key_in: Some("header"),
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        },
    );
}

impl<'a, R: Right, C: Class> ApiExtractor<'a> for SiteAuth<R, C> {
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
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Self::by_header(request, body).await
    }
}

/// A body from a site or from a principal: whoever sent it is known before it is read as what it should be.
pub struct SiteBody<R, C, T> {
    pub from: SiteAuth<R, C>,
    pub value: T,
}

impl<'a, R: Right, C: Class, T: Fields> ApiExtractor<'a> for SiteBody<R, C, T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme, ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register::<R, C>(registry);
        Body::<T>::register(registry);
    }

    fn param_in() -> Option<MetaParamIn> {
        None
    }

    fn request_meta() -> Option<MetaRequest> {
        Body::<T>::request_meta()
    }

    fn security_schemes() -> Vec<&'static str> {
        // Before the words of the right, which `rights.rs` takes out again.
        let mut schemes = Auth::<R, C>::security_schemes();
        schemes.insert(3, SCHEME);
        schemes
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let signature = request.header(SIGNATURE).filter(|_| presented_nothing(request)).map(str::to_owned);
        let Some(signature) = signature else {
            let from = SiteAuth::by_header(request, body).await?;
            let bytes = body::received(request, body).await?;
            return Ok(Self { from, value: body::read_json::<T>(body::json(request, &bytes, false)?)?.value });
        };
        let bytes = body::received(request, body).await?;
        let found = match integration_of(request, &bytes) {
            Some(id) => {
                let services = &front(request)?.state.services;
                services.site_by_signature(id, &signature, &bytes).await.map_err(Problem::from)?
            }
            None => None,
        };
        let refusal = "this signature does not fit; it is made of the body as it is sent, with the integration's \
                       webhook_secret, and needs its integration_id";
        let from = SiteAuth::of_site(request, found, refusal)?;
        Ok(Self { from, value: body::read_json::<T>(body::json(request, &bytes, false)?)?.value })
    }
}

fn presented_nothing(request: &Request) -> bool {
    let headers = request.headers();
    !headers.contains_key(poem::http::header::AUTHORIZATION) && !headers.contains_key(super::auth::API_KEY)
}

/// Which integration is meant, before anything else of the body is looked at.
fn integration_of(request: &Request, body: &[u8]) -> Option<Uuid> {
    let pairs = request.params::<Vec<(String, String)>>().unwrap_or_default();
    if let Some((_, id)) = pairs.into_iter().find(|(name, _)| name == INTEGRATION) {
        return id.parse().ok();
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get(INTEGRATION)?.as_str()?.parse().ok()
}

//! One request with one answer in JSON, for what is not chat: pictures and vectors.

use galley_domain::{Fault, FaultCode, Hidden};
use reqwest::{
    Response, StatusCode,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect::Policy,
};
use serde_json::Value;
use url::Url;

use crate::{
    chat::{
        faults::{Context, scrub},
        record::Record,
    },
    endpoint::{Endpoint, EndpointError},
};

const MAX_ERROR_BYTES: usize = 64 << 10;

/// What the requests of a [`Poster`] are for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errand {
    /// The section of the configuration, for messages.
    pub section: &'static str,
    /// What the answer brings, for messages, such as `a picture`.
    pub made: &'static str,
    /// A longer answer is none.
    pub most_bytes: usize,
    /// What an answer with another status than success means.
    pub refusal: fn(StatusCode, &HeaderMap, &[u8], Context<'_>) -> Fault,
}

#[derive(Debug)]
pub(crate) struct Poster {
    endpoint: Endpoint,
    http: reqwest::Client,
    errand: Errand,
}

impl Poster {
    /// # Errors
    /// When the endpoint's settings cannot work; the message names the setting.
    pub(crate) fn new(endpoint: Endpoint, errand: Errand) -> Result<Self, EndpointError> {
        endpoint.check()?;
        let http = reqwest::Client::builder()
            .connect_timeout(endpoint.timeouts.connect)
            .timeout(endpoint.timeouts.total)
            // A redirected call would carry prompt and key to an address that nobody configured.
            .redirect(Policy::none())
            .user_agent(concat!("galley/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| EndpointError { setting: "base_url", problem: format!("cannot be called: {e}") })?;
        Ok(Self { endpoint, http, errand })
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What messages about a call with this prompt may and may not say.
    pub(crate) fn context<'a>(&'a self, prompt: &'a str) -> Context<'a> {
        let Endpoint { provider, model, key_owner, max_tokens, api_key, .. } = &self.endpoint;
        let key = api_key.as_ref().map_or("", Hidden::expose);
        Context { provider, model, key, key_owner: *key_owner, prompt, asks_json: false, max_tokens: *max_tokens }
    }

    /// The body of a successful answer.
    pub(crate) async fn post(
        &self,
        url: Url,
        body: &Value,
        record: &mut Record,
        context: Context<'_>,
    ) -> Result<Vec<u8>, Fault> {
        let mut builder = self.http.post(url).json(body);
        if !context.key.is_empty() {
            let value = HeaderValue::try_from(format!("Bearer {}", context.key));
            let section = self.errand.section;
            let mut value = value.map_err(|_| permanent(format!("The api_key of [{section}] is not usable.")))?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        let response = builder.send().await.map_err(|error| {
            if error.is_connect() {
                record.not_billable();
            }
            self.unanswered(&error.without_url(), context)
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        if !status.is_success() {
            record.not_billable();
            let body = self.bounded(response, MAX_ERROR_BYTES, context).await.unwrap_or_default();
            return Err((self.errand.refusal)(status, &headers, &body, context));
        }
        self.bounded(response, self.errand.most_bytes, context).await
    }

    async fn bounded(&self, mut response: Response, most: usize, context: Context<'_>) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| self.unanswered(&error.without_url(), context))?
        {
            if body.len() + chunk.len() > most {
                let (provider, made) = (context.provider, self.errand.made);
                return Err(permanent(format!("The model provider {provider} answered with more than {made}.")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn unanswered(&self, error: &reqwest::Error, context: Context<'_>) -> Fault {
        let (provider, Errand { section, made, .. }) = (context.provider, self.errand);
        let message = if error.is_timeout() {
            format!("The model provider {provider} took too long to make {made}.")
        } else if error.is_connect() {
            format!(
                "The model provider {provider} cannot be reached. If that stays so, the operator must check \
                 {section}.base_url."
            )
        } else {
            format!("The model provider {provider} broke off its answer.")
        };
        Fault::transient(FaultCode::LlmError, message).with_detail(scrub(&error.to_string(), context))
    }
}

fn permanent(message: String) -> Fault {
    Fault::permanent(FaultCode::LlmError, message)
}

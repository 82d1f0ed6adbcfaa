//! What the providers have in common: one client, a bounded answer, typed failures.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use galley_domain::{Fault, FaultCode, Hidden};
use percent_encoding::percent_decode_str;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header::HeaderValue, redirect};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    error::{causes, is_transient_status},
    retry::retry_after,
};

/// The name of the setting that holds a provider's address, as messages say it.
pub const URL_SETTING: &str = "search.url";
/// The name of the setting that holds a provider's key, as messages say it.
pub const KEY_SETTING: &str = "search.key";

const TIME: Duration = Duration::from_secs(15);
const CONNECT_TIME: Duration = Duration::from_secs(5);
const MAX_ANSWER_BYTES: usize = 4 << 20;
/// How much of a server's own words goes to the log.
const MAX_DETAIL: usize = 300;

/// A key as a header, marked so that no debug output shows it.
pub(super) fn key_header(prefix: &str, key: &Hidden) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::try_from(format!("{prefix}{}", key.expose().trim())).map_err(|_| {
        let message = format!("the key in `{KEY_SETTING}` has characters that no key has; copy it again");
        Fault::permanent(FaultCode::ValidationError, message)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// One provider's server.
#[derive(Clone)]
pub(super) struct Api {
    provider: &'static str,
    base: Url,
    client: Client,
    /// What servers are sent and may repeat: the key, and the login of the address.
    secrets: Vec<Hidden>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("Api").field("provider", &self.provider).field("host", &self.base.host_str()).finish()
    }
}

impl Api {
    /// `base` is the address that the provider's paths are relative to, with or without a slash at its end.
    pub(super) fn new(
        provider: &'static str,
        base: &str,
        key: Option<&Hidden>,
        user_agent: &str,
    ) -> Result<Self, Fault> {
        let bad = |why: &dyn fmt::Display| {
            let message = format!("`{URL_SETTING}` is not the address of a search service: {why}");
            Fault::permanent(FaultCode::ValidationError, message)
        };
        let mut base = Url::parse(base.trim()).map_err(|error| bad(&error))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(bad(&"it does not start with http:// or https://"));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        base.set_fragment(None);
        // No redirects: they would carry the key to where nobody meant it to go.
        let client = Client::builder()
            .user_agent(user_agent)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .gzip(true)
            .timeout(TIME)
            .connect_timeout(CONNECT_TIME)
            .build()
            .map_err(|error| {
                Fault::permanent(FaultCode::WorkflowError, "web search cannot be set up").with_detail(causes(&error))
            })?;
        let login = base.password().or(Some(base.username()).filter(|name| !name.is_empty()));
        let typed = login.map(|login| Hidden::new(percent_decode_str(login).decode_utf8_lossy()));
        let secrets = key.map(|key| Hidden::new(key.expose().trim())).into_iter();
        let secrets = secrets.chain(login.map(Hidden::new)).chain(typed).collect();
        Ok(Self { provider, base, client, secrets })
    }

    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<RequestBuilder, Fault> {
        let mut url = self.url(path)?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(self.client.get(url))
    }

    pub(super) fn post(&self, path: &str, body: &serde_json::Value) -> Result<RequestBuilder, Fault> {
        Ok(self.client.post(self.url(path)?).json(body))
    }

    fn url(&self, path: &str) -> Result<Url, Fault> {
        self.base.join(path).map_err(|error| self.permanent(format_args!("`{URL_SETTING}` is not usable: {error}")))
    }

    /// Sends the request and reads its JSON. `explain` gives the words for a status that only this provider uses so.
    /// What a fault holds for the log is free of our secrets.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        explain: fn(u16, &str) -> Option<String>,
    ) -> Result<T, Fault> {
        self.exchange(request, explain).await.map_err(|fault| {
            let fault = fault.hiding(&self.secrets);
            // Cut only now: half a key would not have been found.
            fault.shortened(MAX_DETAIL)
        })
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        explain: fn(u16, &str) -> Option<String>,
    ) -> Result<T, Fault> {
        let mut response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let wait = retry_after(response.headers(), SystemTime::now());
        let body = self.body(&mut response).await?;
        if !status.is_success() {
            return Err(self.refused(status, wait, &String::from_utf8_lossy(&body), explain));
        }
        serde_json::from_slice(&body).map_err(|error| {
            self.permanent(format_args!(
                "did not answer with search results; check that `{URL_SETTING}` is its address"
            ))
            .with_detail(error)
        })
    }

    async fn body(&self, response: &mut Response) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(self.permanent(format_args!("answered with more than {} MiB", MAX_ANSWER_BYTES >> 20)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn refused(
        &self,
        status: StatusCode,
        wait: Option<Duration>,
        body: &str,
        explain: fn(u16, &str) -> Option<String>,
    ) -> Fault {
        let number = status.as_u16();
        let fault = match (explain(number, body), number) {
            (Some(words), _) => self.permanent(format_args!("{words}")),
            (None, 429) => self
                .transient(FaultCode::RateLimitError, format_args!("asks for fewer searches (429 Too Many Requests)"))
                .after(wait),
            (None, _) if is_transient_status(number) => {
                self.transient(FaultCode::WorkflowError, format_args!("answered {status}")).after(wait)
            }
            (None, 401 | 403) => {
                self.permanent(format_args!("does not accept the key ({status}); set a valid one in `{KEY_SETTING}`"))
            }
            (None, 300..=399) => {
                self.permanent(format_args!("has moved ({status}); set its new address in `{URL_SETTING}`"))
            }
            (None, 404 | 405) => self.permanent(format_args!("has no search there ({status}); check `{URL_SETTING}`")),
            (None, _) => self.permanent(format_args!("answered {status}")),
        };
        fault.with_detail(body)
    }

    fn unreachable(&self, error: reqwest::Error) -> Fault {
        let words = if error.is_timeout() {
            format!("did not answer within {} s", TIME.as_secs())
        } else if error.is_connect() {
            format!("cannot be reached; check `{URL_SETTING}` and that it runs")
        } else {
            "broke off its answer".to_owned()
        };
        self.transient(FaultCode::WorkflowError, format_args!("{words}")).with_detail(causes(&error))
    }

    fn transient(&self, code: FaultCode, words: fmt::Arguments<'_>) -> Fault {
        Fault::transient(code, format!("the web search ({}) {words}", self.provider))
    }

    fn permanent(&self, words: fmt::Arguments<'_>) -> Fault {
        Fault::permanent(FaultCode::WorkflowError, format!("the web search ({}) {words}", self.provider))
    }
}

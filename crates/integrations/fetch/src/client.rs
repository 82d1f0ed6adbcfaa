//! One GET with redirects: every hop checked, every byte counted.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use reqwest::{
    Response,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, REFRESH},
};
use url::Url;

use crate::{
    address::{LinkError, MAX_LINK_CHARS, Policy, check_url},
    dns::Resolver,
    error::{FetchError, Reason, causes, reason_of},
    guarded::{ClientError, GuardedClients},
    kind,
    packing::{self, PackingError, unpacked},
    refresh,
    retry::retry_after,
};

const ACCEPTED: &str =
    "text/html,application/xhtml+xml,text/plain;q=0.9,text/markdown;q=0.9,application/pdf;q=0.8,*/*;q=0.5";

/// Lines in the head of an answer; sites behind several proxies send more than the hundred that is the usual limit.
const MAX_HEADERS: usize = 1_000;

/// Bounds for one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchLimits {
    /// Redirects that are followed.
    pub redirects: usize,
    /// Bytes of the body after decompression. A longer page is refused, not cut: half a PDF is no PDF.
    pub bytes: usize,
    /// Wall clock for the whole fetch: name, connection, every redirect and the body.
    pub time: Duration,
    /// Wall clock for one connection: name, TCP and TLS.
    pub connect: Duration,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self { redirects: 5, bytes: 5 << 20, time: Duration::from_secs(15), connect: Duration::from_secs(5) }
    }
}

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("web pages cannot be read: {0}")]
pub struct SetupError(#[from] ClientError);

/// What a GET brought: a success with its whole body.
pub(crate) struct Raw {
    pub url: Url,
    pub status: u16,
    /// As declared, e.g. `text/html; charset=utf-8`.
    pub content_type: Option<String>,
    /// The header `Refresh` as it stands there.
    pub refresh: Option<String>,
    /// Unpacked.
    pub body: Vec<u8>,
}

/// What to do with a body that is longer than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlong {
    Refuse,
    Cut,
}

/// Looks at the headers before the body is read.
pub(crate) type HeaderCheck = fn(Option<&str>) -> Result<(), Reason>;

/// Sends GETs and takes their answers, within [`FetchLimits`].
#[derive(Debug)]
pub(crate) struct Web {
    clients: GuardedClients,
    limits: FetchLimits,
}

impl Web {
    pub(crate) fn new(
        limits: FetchLimits,
        policy: Policy,
        user_agent: &str,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, SetupError> {
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static(ACCEPTED)),
            (ACCEPT_ENCODING, HeaderValue::from_static(packing::ACCEPTED)),
        ]);
        let clients = GuardedClients::new(policy, resolver, user_agent, limits.connect, |client| {
            // Bodies are unpacked here, where it is known what servers get wrong.
            client.default_headers(headers.clone()).http1_max_headers(MAX_HEADERS).no_gzip().no_deflate().no_brotli()
        })?;
        Ok(Self { clients, limits })
    }

    pub(crate) fn clients(&self) -> &GuardedClients {
        &self.clients
    }

    pub(crate) fn policy(&self) -> &Policy {
        self.clients.policy()
    }

    pub(crate) fn limits(&self) -> &FetchLimits {
        &self.limits
    }

    /// Sends one GET without following redirects. `link` is what errors name.
    pub(crate) async fn send(&self, link: &str, url: &Url) -> Result<Response, FetchError> {
        self.clients.client_for(url).get(url.clone()).send().await.map_err(|error| self.failed(link, &error))
    }

    /// Where the answer redirects to, if it does; the target is checked like a link.
    pub(crate) fn redirect_of(&self, link: &str, url: &Url, response: &Response) -> Result<Option<Url>, FetchError> {
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(target) = response.headers().get(LOCATION) else { return Ok(None) };
        self.target(link, url, &String::from_utf8_lossy(target.as_bytes())).map(Some)
    }

    /// Where the answer sends its reader on within a few seconds, by its header or by the page itself. A page that only
    /// renews itself is read.
    pub(crate) fn refresh_of(&self, link: &str, raw: &Raw) -> Result<Option<Url>, FetchError> {
        let header = raw.refresh.as_deref().and_then(refresh::target);
        let sent = match header {
            Some(to) => refresh::Sent { to: to.to_owned(), base: None },
            None if kind::is_html(raw) => match refresh::of_page(&raw.body) {
                Some(sent) => sent,
                None => return Ok(None),
            },
            None => return Ok(None),
        };
        let base = sent.base.and_then(|base| raw.url.join(&base).ok()).unwrap_or_else(|| raw.url.clone());
        let mut next = self.target(link, &base, &sent.to)?;
        next.set_fragment(None);
        let mut here = raw.url.clone();
        here.set_fragment(None);
        Ok((next != here).then_some(next))
    }

    /// The address that `target` means, checked like a link.
    fn target(&self, link: &str, url: &Url, target: &str) -> Result<Url, FetchError> {
        let refuse = |why| Err(FetchError::new(link, Reason::RedirectRefused(why)).with_detail(target));
        let chars = target.chars().count();
        if chars > MAX_LINK_CHARS {
            return refuse(LinkError::TooLong { chars });
        }
        let next = match url.join(target) {
            Ok(next) => next,
            Err(error) => return refuse(LinkError::Malformed(error.to_string())),
        };
        match check_url(&next, self.policy()) {
            Ok(()) => Ok(next),
            Err(why) => refuse(why),
        }
    }

    /// Takes the body of an answer that is no redirect.
    pub(crate) async fn read(
        &self,
        link: &str,
        url: Url,
        mut response: Response,
        limit: usize,
        overlong: Overlong,
        check: HeaderCheck,
    ) -> Result<Raw, FetchError> {
        let fail = |reason| FetchError::new(link, reason);
        let status = response.status();
        if !status.is_success() {
            let retry_after = retry_after(response.headers(), SystemTime::now());
            return Err(fail(Reason::Status { status: status.as_u16(), retry_after }));
        }
        let content_type = header(response.headers(), CONTENT_TYPE.as_str());
        check(content_type.as_deref()).map_err(fail)?;
        let coding = all_of(response.headers(), CONTENT_ENCODING.as_str());
        let refresh = response.headers().get(REFRESH).map(|value| String::from_utf8_lossy(value.as_bytes()).into());
        let declared = response.content_length().unwrap_or(0);
        if overlong == Overlong::Refuse && declared > limit as u64 {
            return Err(fail(Reason::TooLarge { limit }).with_detail(format_args!("declared {declared} bytes")));
        }
        let mut body = Vec::with_capacity(usize::try_from(declared).unwrap_or(limit).min(limit));
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(link, &error))? {
            let room = limit - body.len();
            if chunk.len() > room {
                match overlong {
                    Overlong::Refuse => return Err(fail(Reason::TooLarge { limit })),
                    Overlong::Cut => body.extend_from_slice(&chunk[..room]),
                }
                break;
            }
            body.extend_from_slice(&chunk);
        }
        let body = match &coding {
            None => body,
            Some(coding) => unpack(body, coding, limit, overlong).await.map_err(|error| {
                let content_type = || format!("{} (packed as {coding})", content_type.as_deref().unwrap_or("unknown"));
                fail(match error {
                    PackingError::TooLarge => Reason::TooLarge { limit },
                    PackingError::Broken => Reason::Cut,
                    PackingError::Unknown => Reason::Type { content_type: content_type() },
                })
            })?,
        };
        Ok(Raw { url, status: status.as_u16(), content_type, refresh, body })
    }

    pub(crate) fn timed_out(&self, link: &str) -> FetchError {
        FetchError::new(link, Reason::Timeout { limit: self.limits.time })
    }

    fn failed(&self, link: &str, error: &reqwest::Error) -> FetchError {
        let limit = if error.is_connect() { self.limits.connect } else { self.limits.time };
        FetchError::new(link, reason_of(error, limit)).with_detail(causes(error))
    }
}

/// On a thread where it may take its time: megabytes come out of a small body.
async fn unpack(body: Vec<u8>, coding: &str, limit: usize, overlong: Overlong) -> Result<Vec<u8>, PackingError> {
    let coding = coding.to_owned();
    let unpacking = tokio::task::spawn_blocking(move || unpacked(body, Some(&coding), limit, overlong));
    unpacking.await.unwrap_or(Err(PackingError::Broken))
}

/// All lines of a header in one, separated by commas.
fn all_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines =
        headers.get_all(name).iter().take(9).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let text: String = lines.collect::<Vec<_>>().join(",").chars().take(200).filter(|c| !c.is_control()).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A header as text of at most 200 characters; other bytes than printable ASCII become `?`.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.as_bytes();
    let text = value.iter().take(200).map(|&b| if (b' '..=b'~').contains(&b) { char::from(b) } else { '?' });
    Some(text.collect::<String>().trim().to_owned()).filter(|text| !text.is_empty())
}

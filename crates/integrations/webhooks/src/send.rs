//! One attempt: one POST, its answer, and what to make of it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use galley_domain::text_enum;
use galley_fetch::{
    ClientError, GuardedClients,
    address::Policy,
    dns::{Resolver, SystemResolver},
    retry_after_within,
};
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    MAX_RETRY_AFTER, Secret,
    address::check_url,
    failure::Failure,
    hosts::Hosts,
    secret::{sign, sign_003},
};

/// Bytes of an answer that are kept.
pub const MAX_RESPONSE_BYTES: usize = 2 * 1024;
/// Read beyond that, so that a secret at the end is seen whole and struck out.
const SLACK: usize = 512;

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const SIGNATURE_003: HeaderName = HeaderName::from_static("x-webhook-signature");

text_enum! {
    /// The form of payloads and signatures that an endpoint gets.
    Format {
        Standard = "standard",
        V003 = "003",
    }
}

text_enum! {
    /// What an attempt came to.
    Verdict {
        /// Any 2xx.
        Delivered = "delivered",
        /// 410: the endpoint wants nothing more, ever.
        Gone = "gone",
        Failed = "failed",
    }
}

/// Bounds for one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendLimits {
    /// Wall clock for all of it: name, connection, request and answer.
    pub time: Duration,
    /// Wall clock for one connection: name, TCP and TLS.
    pub connect: Duration,
    /// Attempts to one `host:port` at a time, and so its connections; at least 1.
    pub per_host: usize,
}

impl Default for SendLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(15), connect: Duration::from_secs(5), per_host: 8 }
    }
}

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("webhooks cannot be sent: {0}")]
pub struct SetupError(#[from] ClientError);

/// A message on its way to an endpoint.
#[derive(Clone)]
pub struct Attempt<'a> {
    /// As it is stored; checked again.
    pub url: &'a str,
    pub message_id: &'a str,
    /// Of this attempt, in seconds of Unix time. Receivers refuse what is more than 5 minutes off.
    pub timestamp: i64,
    /// Signed and sent as it is.
    pub body: Vec<u8>,
    /// Newest first; two during an overlap.
    pub secrets: &'a [Secret],
    pub format: Format,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// When it began, by this machine's clock.
    pub at: DateTime<Utc>,
    pub duration_ms: u64,
    /// `None` when there was no answer.
    pub status_code: Option<u16>,
    /// A sentence unless it was delivered. It holds no secret and no address but what the URL itself shows.
    pub error: Option<String>,
    /// What only the log may show: addresses, errors of the libraries.
    pub detail: Option<String>,
    /// The first [`MAX_RESPONSE_BYTES`] of the answer as text, without NULs and without the endpoint's secrets. `None`
    /// when nothing came.
    pub response_body: Option<String>,
    /// What a failed attempt's answer asked for, at most [`MAX_RETRY_AFTER`].
    pub retry_after: Option<Duration>,
    pub verdict: Verdict,
}

/// Sends webhooks within [`SendLimits`] to where the [`Policy`] allows. One for the process: it holds the connection pools
/// and counts the attempts to each host.
#[derive(Debug)]
pub struct Sender {
    clients: GuardedClients,
    limits: SendLimits,
    hosts: Hosts,
}

impl Sender {
    /// `policy` is the operator's one for links.
    ///
    /// # Errors
    /// [`SetupError`] if the user agent is not a valid header or the TLS library does not start.
    pub fn new(limits: SendLimits, policy: Policy, user_agent: &str) -> Result<Self, SetupError> {
        Self::with_resolver(limits, policy, user_agent, Arc::new(SystemResolver))
    }

    /// [`Sender::new`] with another way to look up names.
    ///
    /// # Errors
    /// As [`Sender::new`].
    pub fn with_resolver(
        limits: SendLimits,
        policy: Policy,
        user_agent: &str,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, SetupError> {
        let clients = GuardedClients::new(policy, resolver, user_agent, limits.connect, |client| {
            // The start of an answer is kept as it came.
            client.no_gzip().no_deflate().no_brotli().no_zstd()
        })?;
        let hosts = Hosts::new(limits.per_host);
        Ok(Self { clients, limits, hosts })
    }

    pub fn policy(&self) -> &Policy {
        self.clients.policy()
    }

    /// Would an attempt to this URL wait for others to the same host now? Whoever takes deliveries from a queue leaves
    /// those of a busy host there: a slow endpoint then holds up nobody else, and no timestamp grows old in the wait.
    pub fn is_busy(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| self.hosts.is_full(&host_key(&url)))
    }

    /// Makes one attempt. It first waits for its turn among those to the same host; that wait is in no time limit and not
    /// in the duration. Dropping the future ends the connection.
    pub async fn send(&self, attempt: Attempt<'_>) -> Report {
        let began = Utc::now();
        let (url, headers) = match self.prepare(&attempt) {
            Ok(prepared) => prepared,
            Err(failure) => return Report::unanswered(began, Duration::ZERO, failure),
        };
        let _place = self.hosts.place(host_key(&url)).await;
        let (at, clock) = (Utc::now(), Instant::now());
        let deadline = clock + self.limits.time;
        let request = self.clients.client_for(&url).post(url).headers(headers).body(attempt.body);
        let response = match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                return Report::unanswered(at, clock.elapsed(), Failure::unanswered(&error, &self.limits));
            }
            Err(_) => return Report::unanswered(at, clock.elapsed(), Failure::timed_out(self.limits.time)),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_start(response, deadline).await;
        Report::answered(at, clock.elapsed(), status, &headers, text_of(&body, attempt.secrets))
    }

    /// Checks the address again, since the policy may have changed since the endpoint was made, and signs.
    fn prepare(&self, attempt: &Attempt<'_>) -> Result<(Url, HeaderMap), Failure> {
        let url = check_url(attempt.url, self.policy()).map_err(|why| Failure::refused(&why))?;
        let newest = attempt.secrets.first().ok_or_else(Failure::no_secret)?;
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Failure::odd_id());
        let signature = sign(attempt.message_id, attempt.timestamp, &attempt.body, attempt.secrets);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(WEBHOOK_ID, value(attempt.message_id)?);
        headers.insert(WEBHOOK_TIMESTAMP, HeaderValue::from(attempt.timestamp));
        headers.insert(WEBHOOK_SIGNATURE, value(&signature)?);
        if attempt.format == Format::V003 {
            headers.insert(SIGNATURE_003, value(&sign_003(&attempt.body, newest))?);
        }
        Ok((url, headers))
    }
}

impl Report {
    fn unanswered(at: DateTime<Utc>, took: Duration, failure: Failure) -> Self {
        Self {
            at,
            duration_ms: millis(took),
            status_code: None,
            error: Some(failure.error),
            detail: failure.detail,
            response_body: None,
            retry_after: None,
            verdict: Verdict::Failed,
        }
    }

    fn answered(
        at: DateTime<Utc>,
        took: Duration,
        status: StatusCode,
        headers: &HeaderMap,
        response_body: Option<String>,
    ) -> Self {
        let verdict = match status.as_u16() {
            200..=299 => Verdict::Delivered,
            410 => Verdict::Gone,
            _ => Verdict::Failed,
        };
        let failed = verdict == Verdict::Failed;
        Self {
            at,
            duration_ms: millis(took),
            status_code: Some(status.as_u16()),
            error: (verdict != Verdict::Delivered).then(|| Failure::answered(status).error),
            detail: None,
            response_body,
            retry_after: failed.then(|| retry_after_within(headers, SystemTime::now(), MAX_RETRY_AFTER)).flatten(),
            verdict,
        }
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn host_key(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// Reads the start of an answer's body. The status has decided by now, so a body that breaks off or takes too long is
/// kept as far as it came. What is longer is not read: the connection is closed.
async fn read_start(mut response: Response, deadline: Instant) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < MAX_RESPONSE_BYTES + SLACK
        && let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await
    {
        let missing = MAX_RESPONSE_BYTES + SLACK - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(missing)]);
    }
    body
}

fn text_of(body: &[u8], secrets: &[Secret]) -> Option<String> {
    // Postgres takes no NUL in a text.
    let mut text = String::from_utf8_lossy(body).replace('\0', "");
    for secret in secrets {
        text = secret.strike_out(&text);
    }
    text.truncate(text.floor_char_boundary(MAX_RESPONSE_BYTES));
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_text_that_can_be_stored() {
        let none: &[Secret] = &[];
        assert_eq!(text_of(b"", none), None);
        assert_eq!(text_of(b"\0\0", none), None);
        assert_eq!(text_of(b"a\0b\xffc", none).unwrap(), "ab\u{fffd}c");
        assert_eq!(text_of(&[b'x'; 9999], none).unwrap().len(), MAX_RESPONSE_BYTES);
        let wide = text_of("€".repeat(2000).as_bytes(), none).unwrap();
        assert_eq!((wide.len(), wide.chars().all(|c| c == '€')), (2046, true), "no half characters");
    }

    #[test]
    fn a_secret_across_the_end_is_struck_out_whole() {
        let secrets = [Secret::generate().unwrap()];
        let text = secrets[0].text().expose();
        for before in [0, 2000, MAX_RESPONSE_BYTES - 4] {
            let body = format!("{}{text} and more", "x".repeat(before));
            let kept = text_of(body.as_bytes(), &secrets).unwrap();
            assert!(!kept.contains(&text[..8]), "{kept}");
        }
    }
}

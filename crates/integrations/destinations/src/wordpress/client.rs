//! Requests to one site: through the guarded clients, with the login for its own origin only, each within limits.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use galley_domain::{Fault, FaultCode, Hidden};
use galley_fetch::{GuardedClients, causes, retry_after};
use reqwest::{
    Method, Response,
    header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE, DATE, HeaderMap, LINK, LOCATION},
};
use serde_json::Value;
use url::Url;

use super::failure::{Failure, Refusal, page_words};

/// Wall clock for one request with its answer.
pub(super) const TIME: Duration = Duration::from_secs(10);
/// An upload may take longer by this for each MiB.
const TIME_PER_MIB: Duration = Duration::from_secs(5);
/// A post of the largest size is sent back by the site, raw and as it is shown.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// What a request brings.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'a> {
    None,
    Json(&'a Value),
    /// A file with its name and type.
    File {
        bytes: &'a [u8],
        name: &'a str,
        kind: &'a str,
    },
}

/// A site and the login there.
pub(super) struct Client {
    clients: Arc<GuardedClients>,
    site: Url,
    user: String,
    password: Hidden,
    time: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("host", &self.site.host_str()).field("user", &self.user).finish()
    }
}

/// A whole answer of a good status.
#[derive(Debug)]
pub(super) struct Answer {
    pub headers: HeaderMap,
    /// Of an answer that is no JSON: null.
    pub json: Value,
    pub text: String,
}

impl Answer {
    /// Pages of a list.
    pub fn total_pages(&self) -> u64 {
        self.header("x-wp-totalpages").and_then(|pages| pages.parse().ok()).unwrap_or(1)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// When the site's clock says it was sent.
    pub fn date(&self) -> Option<&str> {
        self.headers.get(DATE)?.to_str().ok()
    }

    /// The address of the interface, as pages of the site tell it.
    pub fn rest_link(&self) -> Option<String> {
        let links = self.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
        let named = |link: &str| link.contains("https://api.w.org/");
        let address = |link: &str| Some(link.split_once('<')?.1.split_once('>')?.0.to_owned());
        links.flat_map(|line| line.split(',')).find(|link| named(link)).and_then(address)
    }
}

impl Client {
    pub fn new(clients: Arc<GuardedClients>, site: Url, user: String, password: Hidden, time: Duration) -> Self {
        Self { clients, site, user, password, time }
    }

    pub fn site(&self) -> &Url {
        &self.site
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    /// Asks without the login; what comes need not be JSON.
    pub async fn look(&self, url: Url) -> Result<Answer, Failure> {
        self.exchange(Method::GET, url, Body::None, false).await
    }

    /// Asks with the login; the answer is JSON.
    pub async fn call(&self, method: Method, url: Url, body: Body<'_>) -> Result<Answer, Failure> {
        let answer = self.exchange(method, url, body, true).await?;
        if answer.json.is_null() {
            return Err(self.no_data(&answer.text).into());
        }
        Ok(answer)
    }

    async fn exchange(&self, method: Method, url: Url, body: Body<'_>, login: bool) -> Result<Answer, Failure> {
        if url.origin() != self.site.origin() {
            let message = "the site's interface is on another host than the site; set that address as the site's";
            return Err(Fault::permanent(FaultCode::WorkflowError, message).into());
        }
        let mut request = self.clients.client_for(&url).request(method, url).header(ACCEPT, "application/json");
        let mut time = self.time;
        if login {
            request = request.basic_auth(&self.user, Some(self.password.expose()));
        }
        match body {
            Body::None => {}
            Body::Json(json) => request = request.json(json),
            Body::File { bytes, name, kind } => {
                let mib = u32::try_from(bytes.len() >> 20).unwrap_or(u32::MAX);
                time += TIME_PER_MIB.saturating_mul(mib);
                request = request
                    .header(CONTENT_TYPE, kind)
                    .header(CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
                    .body(bytes.to_vec());
            }
        }
        let response = request.timeout(time).send().await.map_err(|error| self.unreachable(&error))?;
        self.read(response).await
    }

    async fn read(&self, mut response: Response) -> Result<Answer, Failure> {
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_redirection() {
            return Err(self.moved(&headers).into());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(Failure::TooLarge { mib: MAX_ANSWER_BYTES >> 20 });
            }
            body.extend_from_slice(&chunk);
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        let json = json_in(&text);
        if status.is_success() {
            return Ok(Answer { headers, json, text });
        }
        let after = retry_after(&headers, SystemTime::now());
        Err(Failure::Refused(self.refusal(status.as_u16(), &json, &text, after)))
    }

    fn refusal(&self, status: u16, json: &Value, text: &str, after: Option<Duration>) -> Refusal {
        let word = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let said = word("message");
        let message = if said.is_empty() { page_words(text) } else { page_words(&said) };
        Refusal {
            status,
            code: word("code"),
            message: self.without_secrets(&message),
            term: json.pointer("/data/term_id").and_then(Value::as_u64),
            after,
        }
    }

    /// A page where data should be: of a firewall, of maintenance, of an error that the server calls a success.
    fn no_data(&self, text: &str) -> Fault {
        let words = self.without_secrets(&page_words(text));
        let seen = if words.is_empty() { "an empty answer".to_owned() } else { format!("a page: {words}") };
        let message = format!(
            "the site answered with {seen}, not with data; look whether a plugin or a firewall stands before it"
        );
        Fault::transient(FaultCode::WorkflowError, message)
    }

    fn moved(&self, headers: &HeaderMap) -> Fault {
        let target = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let target = target.and_then(|target| self.site.join(target).ok());
        let target = target.map_or_else(|| "another address".to_owned(), |url| url.origin().ascii_serialization());
        let message = format!(
            "the site redirects to {target}, where the password is not sent; set the address that it redirects to"
        );
        Fault::permanent(FaultCode::WorkflowError, message)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Fault {
        let words = if error.is_timeout() {
            format!("the site did not answer within {} s", self.time.as_secs_f32())
        } else if error.is_connect() {
            "the site cannot be reached; check its address and that it runs".to_owned()
        } else {
            "the site broke off its answer".to_owned()
        };
        Fault::transient(FaultCode::WorkflowError, words).with_detail(self.without_secrets(&causes(error)))
    }

    /// Application passwords count with their spaces and without.
    fn without_secrets(&self, text: &str) -> String {
        let tight: String = self.password.expose().split_whitespace().collect();
        Hidden::new(tight).strike_out(&self.password.strike_out(text))
    }
}

/// The JSON of an answer. Notices of PHP before it are passed over.
fn json_in(text: &str) -> Value {
    let text = text.trim_start_matches('\u{feff}').trim();
    if let Ok(json) = serde_json::from_str(text) {
        return json;
    }
    let starts = text.match_indices(['{', '[']).take(MAX_STARTS);
    starts.filter_map(|(at, _)| serde_json::from_str::<Value>(&text[at..]).ok()).find(is_data).unwrap_or_default()
}

/// Places that are tried for the beginning of JSON.
const MAX_STARTS: usize = 20;

fn is_data(json: &Value) -> bool {
    json.is_object() || json.is_array()
}

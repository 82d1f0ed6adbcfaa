use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use galley_domain::{Fault, FaultCode, Hidden, text_enum};
use galley_fetch::{
    ClientError, GuardedClients,
    address::{LinkError, Policy, check_link},
    causes,
    dns::{Resolver, SystemResolver},
    retry_after,
};
use reqwest::{Client, Response, StatusCode, header::HeaderValue, redirect};
use url::Url;

use crate::FoundPhotos;

/// The most photos of one page.
pub const MAX_PER_PAGE: u32 = 80;

const TIME: Duration = Duration::from_secs(20);
const CONNECT_TIME: Duration = Duration::from_secs(5);
const MAX_ANSWER_BYTES: usize = 2 << 20;
/// How much of a server's own words goes to the log.
const MAX_DETAIL: usize = 300;

text_enum! {
    /// How a photo lies.
    Orientation { Landscape = "landscape", Portrait = "portrait", Square = "square" }
}

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhotoQuery {
    pub text: String,
    /// From 1.
    pub page: u32,
    /// 1 to [`MAX_PER_PAGE`].
    pub per_page: u32,
    pub orientation: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub struct PexelsSettings {
    /// The address that `v1/search` is relative to.
    pub base_url: String,
    /// Hosts that photos may be fetched from, with a port where it is not that of the scheme.
    pub image_hosts: Vec<String>,
    /// Bytes of a photo.
    pub max_bytes: usize,
    pub user_agent: String,
}

impl PexelsSettings {
    pub const BASE_URL: &'static str = "https://api.pexels.com";
    pub const IMAGE_HOST: &'static str = "images.pexels.com";
}

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("photos.base_url is no http or https address")]
    BaseUrl,
    #[error("stock photos cannot be fetched: {0}")]
    Client(String),
}

impl From<ClientError> for SetupError {
    fn from(error: ClientError) -> Self {
        Self::Client(error.to_string())
    }
}

/// Why an address is not fetched as a photo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefused {
    #[error("{0}")]
    Link(#[from] LinkError),
    #[error("must begin with https://")]
    NotHttps,
    #[error("is not on a host of the photo provider ({0}); take an address of `src` as the search gives it")]
    OtherHost(String),
}

/// Pexels. One for the process: it holds the connection pools.
pub struct Pexels {
    base: Url,
    api: Client,
    photos: GuardedClients,
    image_hosts: Vec<String>,
    max_bytes: usize,
}

impl fmt::Debug for Pexels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pexels").field("host", &self.base.host_str()).field("image_hosts", &self.image_hosts).finish()
    }
}

impl Pexels {
    /// `policy` is the operator's one for links.
    pub fn new(settings: PexelsSettings, policy: Policy) -> Result<Self, SetupError> {
        Self::with_resolver(settings, policy, Arc::new(SystemResolver))
    }

    /// [`Pexels::new`] with another way to look up names.
    pub fn with_resolver(
        settings: PexelsSettings,
        policy: Policy,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, SetupError> {
        let mut base = Url::parse(settings.base_url.trim()).map_err(|_| SetupError::BaseUrl)?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(SetupError::BaseUrl);
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        // No redirects: they would carry the key to where nobody meant it to go.
        let api = Client::builder()
            .user_agent(&settings.user_agent)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .timeout(TIME)
            .connect_timeout(CONNECT_TIME)
            .build()
            .map_err(|error| SetupError::Client(causes(&error)))?;
        let photos =
            GuardedClients::new(policy, resolver, &settings.user_agent, CONNECT_TIME, |client| client.timeout(TIME))?;
        Ok(Self { base, api, photos, image_hosts: settings.image_hosts, max_bytes: settings.max_bytes })
    }

    /// Searches with a key of Pexels. What a fault holds for the log is free of the key.
    pub async fn search(&self, key: &Hidden, query: &PhotoQuery) -> Result<FoundPhotos, Fault> {
        let found = self.ask(key, query).await;
        found.map_err(|fault| fault.hiding([key]).shortened(MAX_DETAIL))
    }

    async fn ask(&self, key: &Hidden, query: &PhotoQuery) -> Result<FoundPhotos, Fault> {
        let mut url = self.base.join("v1/search").map_err(|_| permanent("photos.base_url has no v1/search"))?;
        url.query_pairs_mut()
            .append_pair("query", &query.text)
            .append_pair("page", &query.page.to_string())
            .append_pair("per_page", &query.per_page.min(MAX_PER_PAGE).to_string());
        if let Some(orientation) = query.orientation {
            url.query_pairs_mut().append_pair("orientation", orientation);
        }
        let mut header = HeaderValue::try_from(key.expose().trim())
            .map_err(|_| permanent("the key of the photo provider has characters that no key has; set it again"))?;
        header.set_sensitive(true);
        let request = self.api.get(url).header("Authorization", header).header("Accept", "application/json");
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        let (status, wait) = (response.status(), retry_after(response.headers(), SystemTime::now()));
        let body = bounded(response, MAX_ANSWER_BYTES).await?;
        if !status.is_success() {
            return Err(refused(status, wait).with_detail(String::from_utf8_lossy(&body)));
        }
        serde_json::from_slice(&body).map_err(|error| {
            permanent("the photo provider did not answer with photos; check photos.base_url").with_detail(error)
        })
    }

    /// The address of a photo, if it is one that may be fetched.
    pub fn check(&self, link: &str) -> Result<Url, LinkRefused> {
        let url = check_link(link, self.photos.policy())?;
        if url.scheme() != "https" && !self.photos.policy().names_host_of(&url) {
            return Err(LinkRefused::NotHttps);
        }
        let host = url.host_str().unwrap_or_default();
        let place = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        match self.image_hosts.iter().any(|known| known.eq_ignore_ascii_case(&place)) {
            true => Ok(url),
            false => Err(LinkRefused::OtherHost(self.image_hosts.join(", "))),
        }
    }

    /// The bytes of a photo whose address [`Pexels::check`] has let pass. A redirect is a failure.
    pub async fn fetch(&self, photo: &Url) -> Result<Vec<u8>, Fault> {
        let request = self.photos.client_for(photo).get(photo.clone()).header("Accept", "image/*");
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        let (status, wait) = (response.status(), retry_after(response.headers(), SystemTime::now()));
        if !status.is_success() {
            return Err(refused(status, wait));
        }
        bounded(response, self.max_bytes).await
    }
}

async fn bounded(mut response: Response, most: usize) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > most {
            return Err(permanent(format!("the photo provider answered with more than {} MiB", most >> 20)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refused(status: StatusCode, wait: Option<Duration>) -> Fault {
    match status.as_u16() {
        429 => transient("the photo provider asks for fewer requests (429); try again later").after(wait),
        408 | 425 | 500.. => transient(format!("the photo provider answered {status}; try again later")).after(wait),
        401 | 403 => permanent(format!("the photo provider does not accept the key ({status}); set a valid one")),
        300..=399 => {
            permanent(format!("the photo provider answered with a redirect ({status}), which is not followed"))
        }
        404 | 410 => permanent(format!("the photo provider has nothing there ({status})")),
        _ => permanent(format!("the photo provider answered {status}")),
    }
}

fn unreachable(error: &reqwest::Error) -> Fault {
    let words = if error.is_timeout() {
        format!("the photo provider did not answer within {} s; try again later", TIME.as_secs())
    } else if error.is_connect() {
        "the photo provider cannot be reached; try again later".to_owned()
    } else {
        "the photo provider broke off its answer; try again".to_owned()
    };
    transient(words).with_detail(causes(error))
}

fn transient(words: impl Into<String>) -> Fault {
    Fault::transient(FaultCode::WorkflowError, words)
}

fn permanent(words: impl Into<String>) -> Fault {
    Fault::permanent(FaultCode::WorkflowError, words)
}

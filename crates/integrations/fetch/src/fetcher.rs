//! Reading one page: address, robots.txt, redirects, body, text.

use std::sync::Arc;

use galley_files::{DEFAULT_BUDGET_MB, Readers};
use url::Url;

use crate::{
    address::{Policy, check_link},
    client::{FetchLimits, Overlong, Raw, SetupError, Web},
    dns::{Resolver, SystemResolver},
    error::{FetchError, Reason},
    kind,
    page::{self, Page},
    robots::{Rules, Verdict},
};

/// Reads pages within [`FetchLimits`] from where the [`Policy`] allows. Cheap to share; holds the connection pools and
/// what the robots.txt files of the sites seen lately say.
#[derive(Debug)]
pub struct Fetcher {
    web: Web,
    rules: Rules,
    readers: Readers,
}

/// On whose word a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    ByClient,
    BySearch,
}

impl Fetcher {
    /// `user_agent` is sent with every request; the part before its first `/` is the name that robots.txt rules are
    /// looked up by, e.g. `Galley/1.0 (+https://example.com/about-our-bot)`.
    ///
    /// # Errors
    /// [`SetupError`] if the user agent is not a valid header or the TLS library does not start.
    pub fn new(limits: FetchLimits, policy: Policy, user_agent: &str) -> Result<Self, SetupError> {
        Self::with_resolver(limits, policy, user_agent, Arc::new(SystemResolver))
    }

    /// [`Fetcher::new`] with another way to look up names.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn with_resolver(
        limits: FetchLimits,
        policy: Policy,
        user_agent: &str,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, SetupError> {
        let readers = Readers::in_process(DEFAULT_BUDGET_MB);
        Ok(Self { web: Web::new(limits, policy, user_agent, resolver)?, rules: Rules::new(user_agent), readers })
    }

    /// For whatever else stands on pages that were read.
    pub fn clients(&self) -> &crate::GuardedClients {
        self.web.clients()
    }

    /// With these readers for what is fetched, in place of threads of this process.
    #[must_use]
    pub fn with_readers(mut self, readers: Readers) -> Self {
        self.readers = readers;
        self
    }

    /// Reads a page that the client named. robots.txt is not asked: it speaks to crawlers, and here a person chose
    /// the page. Dropping the future ends the connection.
    ///
    /// # Errors
    /// [`FetchError`]; see [`FetchError::is_transient`] for whether to try again.
    pub async fn fetch(&self, link: &str) -> Result<Page, FetchError> {
        self.read(link, Named::ByClient).await
    }

    /// Reads a page that a search found: as [`Fetcher::fetch`], but robots.txt is obeyed on every hop.
    ///
    /// # Errors
    /// As [`Fetcher::fetch`], and [`Reason::Robots`].
    pub async fn fetch_found(&self, link: &str) -> Result<Page, FetchError> {
        self.read(link, Named::BySearch).await
    }

    async fn read(&self, link: &str, named: Named) -> Result<Page, FetchError> {
        let url = check_link(link, self.web.policy()).map_err(|why| FetchError::new(link, Reason::Refused(why)))?;
        let time = self.web.limits().time;
        let raw = match tokio::time::timeout(time, self.follow(link, url, named)).await {
            Ok(raw) => raw?,
            Err(_) => return Err(self.web.timed_out(link)),
        };
        page::read(link, raw, &self.readers).await
    }

    /// Follows redirects to the end and takes the body.
    async fn follow(&self, link: &str, mut url: Url, named: Named) -> Result<Raw, FetchError> {
        let limit = self.web.limits().redirects;
        let mut seen = vec![url.clone()];
        loop {
            if named == Named::BySearch {
                self.ask_rules(link, &url).await?;
            }
            let response = self.web.send(link, &url).await?;
            let next = match self.web.redirect_of(link, &url, &response)? {
                Some(next) => next,
                None => {
                    let bytes = self.web.limits().bytes;
                    let raw = self.web.read(link, url, response, bytes, Overlong::Refuse, kind::check).await?;
                    match self.web.refresh_of(link, &raw)? {
                        Some(next) => next,
                        None => return Ok(raw),
                    }
                }
            };
            let circle = seen.contains(&next);
            if circle || seen.len() > limit {
                return Err(FetchError::new(link, Reason::TooManyRedirects { limit, circle }).with_detail(&next));
            }
            seen.push(next.clone());
            url = next;
        }
    }

    async fn ask_rules(&self, link: &str, page: &Url) -> Result<(), FetchError> {
        let Some(address) = Rules::address_of(page) else { return Ok(()) };
        let verdict = match self.rules.known(page) {
            Some(verdict) => verdict,
            None => self.rules.learn(page, self.robots_txt(link, address).await),
        };
        match verdict {
            Verdict::Open => Ok(()),
            Verdict::Closed => Err(FetchError::new(link, Reason::Robots { reached: true }).with_detail(page)),
            Verdict::Unreachable => Err(FetchError::new(link, Reason::Robots { reached: false }).with_detail(page)),
        }
    }

    /// RFC 9309, 2.3.1.2 and 2.5: redirects are followed, and what is over the limit is left out.
    async fn robots_txt(&self, link: &str, mut url: Url) -> Result<Vec<u8>, FetchError> {
        let limit = self.web.limits().redirects;
        for _ in 0..=limit {
            let response = self.web.send(link, &url).await?;
            match self.web.redirect_of(link, &url, &response)? {
                Some(next) => url = next,
                None => {
                    let raw =
                        self.web.read(link, url, response, robotxt::BYTE_LIMIT, Overlong::Cut, |_| Ok(())).await?;
                    return Ok(raw.body);
                }
            }
        }
        Err(FetchError::new(link, Reason::TooManyRedirects { limit, circle: false }))
    }
}

//! robots.txt (RFC 9309), for pages that a search found. Links that the client named are read on the client's word.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use robotxt::{AccessResult, Robots};
use url::Url;

use crate::error::{FetchError, Reason};

/// Sites whose rules are remembered.
const MAX_SITES: usize = 500;
const KEEP: Duration = Duration::from_secs(60 * 60);
/// A site whose rules could not be had is asked again after this.
const KEEP_UNREACHABLE: Duration = Duration::from_secs(60);

/// The rules of the sites seen lately.
#[derive(Debug)]
pub struct Rules {
    /// The product token of our user agent: `Galley` of `Galley/1.0 (+…)`.
    agent: String,
    sites: Mutex<HashMap<String, Entry>>,
}

#[derive(Debug)]
struct Entry {
    until: Instant,
    /// `None` where they could not be had.
    robots: Option<Robots>,
}

impl Entry {
    fn verdict(&self, page: &Url) -> Verdict {
        match &self.robots {
            None => Verdict::Unreachable,
            Some(robots) if robots.is_url_allowed(page) => Verdict::Open,
            Some(_) => Verdict::Closed,
        }
    }
}

/// What a site's rules say about a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Open,
    Closed,
    /// The rules could not be had; RFC 9309 has the site let be for now.
    Unreachable,
}

impl Rules {
    /// For a reader that calls itself `user_agent`.
    pub fn new(user_agent: &str) -> Self {
        let agent = user_agent.split(['/', ' ']).next().unwrap_or_default().to_owned();
        Self { agent, sites: Mutex::default() }
    }

    /// Where the rules of the page's site are.
    pub(crate) fn address_of(page: &Url) -> Option<Url> {
        page.join("/robots.txt").ok()
    }

    /// What is remembered of the page's site; `None` where it has to be asked.
    pub fn known(&self, page: &Url) -> Option<Verdict> {
        let sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = sites.get(&page.origin().ascii_serialization())?;
        (entry.until > Instant::now()).then(|| entry.verdict(page))
    }

    /// Remembers the answer to a robots.txt request and says what it means for the page.
    pub fn learn(&self, page: &Url, answer: Result<Vec<u8>, FetchError>) -> Verdict {
        let now = Instant::now();
        let entry = match access_of(&answer) {
            AccessResult::Unreachable => Entry { until: now + KEEP_UNREACHABLE, robots: None },
            access => Entry { until: now + KEEP, robots: Some(Robots::from_access(access, self.agent.as_str())) },
        };
        let verdict = entry.verdict(page);
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if sites.len() >= MAX_SITES {
            sites.retain(|_, entry| entry.until > now);
        }
        if sites.len() >= MAX_SITES {
            sites.clear();
        }
        sites.insert(page.origin().ascii_serialization(), entry);
        verdict
    }
}

/// RFC 9309, 2.3.1: no file, no rules; a site in trouble is let be.
fn access_of(answer: &Result<Vec<u8>, FetchError>) -> AccessResult<'_> {
    match answer {
        Ok(body) => AccessResult::Successful(body),
        Err(error) => match &error.reason {
            Reason::TooManyRedirects { .. } => AccessResult::TooManyRedirects,
            Reason::Status { status: 500..=599, .. } => AccessResult::Unreachable,
            Reason::Status { .. } | Reason::RedirectRefused(_) | Reason::Refused(_) => AccessResult::Unavailable,
            _ => AccessResult::Unreachable,
        },
    }
}

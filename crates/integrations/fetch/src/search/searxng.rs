//! SearXNG: the self-hosted default. `GET {base}/search?q=…&format=json&pageno=…&language=…`.

use async_trait::async_trait;
use galley_domain::Fault;
use serde::Deserialize;

use super::{Hit, Hits, MAX_HITS, SearchProvider, api::Api, query_of};

/// Pages of results asked for at most; SearXNG has no way to ask for a number of them.
const MAX_PAGES: usize = 3;

#[derive(Debug, Clone)]
pub struct SearxNg {
    api: Api,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    url: Option<String>,
    title: Option<String>,
    content: Option<String>,
}

impl Answer {
    pub(super) fn add_to(&self, hits: &mut Hits) {
        for found in &self.results {
            let text = |field: &Option<String>| field.clone().unwrap_or_default();
            hits.add(&text(&found.url), &text(&found.title), &text(&found.content));
        }
    }
}

impl SearxNg {
    /// `base_url`: where SearXNG's start page is.
    ///
    /// # Errors
    /// Permanent if the address is not one.
    pub fn new(base_url: &str, user_agent: &str) -> Result<Self, Fault> {
        Ok(Self { api: Api::new("searxng", base_url, None, user_agent)? })
    }
}

#[async_trait]
impl SearchProvider for SearxNg {
    fn name(&self) -> &'static str {
        "searxng"
    }

    async fn search(&self, query: &str, language: &str, count: usize) -> Result<Vec<Hit>, Fault> {
        let query = query_of(query, usize::MAX)?;
        let count = count.min(MAX_HITS);
        let language = if language.is_empty() { "all" } else { language };
        let mut hits = Hits::default();
        for page in 1..=MAX_PAGES {
            let before = hits.list.len();
            if before >= count {
                break;
            }
            let number = page.to_string();
            let parameters = [("q", query.as_str()), ("format", "json"), ("pageno", &number), ("language", language)];
            let answer: Answer = match self.api.json(self.api.get("search", &parameters)?, explain).await {
                Ok(answer) => answer,
                // What the first page brought is worth more than a failure of the second.
                Err(_) if before > 0 => break,
                Err(fault) => return Err(fault),
            };
            answer.add_to(&mut hits);
            if hits.list.len() == before {
                break;
            }
        }
        Ok(hits.first(count))
    }
}

/// SearXNG has no keys: 403 means that JSON is not among its formats, or that its limiter is on.
fn explain(status: u16, _body: &str) -> Option<String> {
    (status == 403).then(|| {
        "refuses JSON (403 Forbidden); add `json` to `search.formats` in its settings.yml and turn its limiter off for us"
            .to_owned()
    })
}

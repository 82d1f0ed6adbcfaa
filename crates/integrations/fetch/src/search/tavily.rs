//! Tavily: `POST {base}/search` with a Bearer key.

use async_trait::async_trait;
use galley_domain::{Fault, Hidden};
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::json;

use super::{Hit, Hits, MAX_HITS, SearchProvider, api::Api, api::key_header, query_of};

#[derive(Debug, Clone)]
pub struct Tavily {
    api: Api,
    key: Hidden,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    url: String,
    title: Option<String>,
    content: Option<String>,
}

impl Answer {
    pub(super) fn add_to(&self, hits: &mut Hits) {
        for found in &self.results {
            let text = |field: &Option<String>| field.clone().unwrap_or_default();
            hits.add(&found.url, &text(&found.title), &text(&found.content));
        }
    }
}

impl Tavily {
    pub const BASE_URL: &'static str = "https://api.tavily.com";

    /// # Errors
    /// Permanent if the address is not one.
    pub fn new(base_url: &str, key: Hidden, user_agent: &str) -> Result<Self, Fault> {
        Ok(Self { api: Api::new("tavily", base_url, Some(&key), user_agent)?, key })
    }
}

#[async_trait]
impl SearchProvider for Tavily {
    fn name(&self) -> &'static str {
        "tavily"
    }

    /// Tavily takes no language; the query's own words decide.
    async fn search(&self, query: &str, _language: &str, count: usize) -> Result<Vec<Hit>, Fault> {
        let query = query_of(query, usize::MAX)?;
        let count = count.min(MAX_HITS);
        if count == 0 {
            return Ok(Vec::new());
        }
        let body = json!({ "query": query, "max_results": count, "search_depth": "basic" });
        let request = self.api.post("search", &body)?.header(AUTHORIZATION, key_header("Bearer ", &self.key)?);
        let answer: Answer = self.api.json(request, explain).await?;
        let mut hits = Hits::default();
        answer.add_to(&mut hits);
        Ok(hits.first(count))
    }
}

/// 432 and 433 are Tavily's own: the plan's or the pay-as-you-go limit is reached.
fn explain(status: u16, _body: &str) -> Option<String> {
    matches!(status, 432 | 433).then(|| format!("has no searches left on its plan ({status}); raise the plan's limit"))
}

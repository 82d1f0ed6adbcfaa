//! Brave: `GET {base}/res/v1/web/search` with the key in `X-Subscription-Token`.

use async_trait::async_trait;
use galley_domain::{Fault, Hidden};
use serde::Deserialize;

use super::{
    Hit, Hits, MAX_HITS, SearchProvider,
    api::{Api, KEY_SETTING, key_header},
    query_of,
};

/// Brave takes at most this many words.
const MAX_WORDS: usize = 50;

/// Values of `search_lang`. Others are answered 422, so they are left out of the request.
const LANGUAGES: [&str; 48] = [
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fi", "fr", "gl", "gu", "he", "hi", "hr",
    "hu", "is", "it", "kn", "ko", "lt", "lv", "ml", "mr", "ms", "nb", "nl", "pa", "pl", "ro", "ru", "sk", "sl", "sr",
    "sv", "ta", "te", "th", "tr", "uk", "vi", "jp", "pt-br", "zh-hans",
];

#[derive(Debug, Clone)]
pub struct Brave {
    api: Api,
    key: Hidden,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    /// Missing where nothing was found.
    web: Option<Web>,
}

#[derive(Deserialize)]
struct Web {
    #[serde(default)]
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    url: String,
    title: Option<String>,
    description: Option<String>,
}

impl Answer {
    pub(super) fn add_to(&self, hits: &mut Hits) {
        for found in self.web.iter().flat_map(|web| &web.results) {
            let text = |field: &Option<String>| field.clone().unwrap_or_default();
            hits.add(&found.url, &text(&found.title), &text(&found.description));
        }
    }
}

impl Brave {
    pub const BASE_URL: &'static str = "https://api.search.brave.com";

    /// # Errors
    /// Permanent if the address is not one.
    pub fn new(base_url: &str, key: Hidden, user_agent: &str) -> Result<Self, Fault> {
        Ok(Self { api: Api::new("brave", base_url, Some(&key), user_agent)?, key })
    }
}

#[async_trait]
impl SearchProvider for Brave {
    fn name(&self) -> &'static str {
        "brave"
    }

    async fn search(&self, query: &str, language: &str, count: usize) -> Result<Vec<Hit>, Fault> {
        let query = query_of(query, MAX_WORDS)?;
        let count = count.min(MAX_HITS);
        if count == 0 {
            return Ok(Vec::new());
        }
        let number = count.to_string();
        let mut parameters =
            vec![("q", query.as_str()), ("count", &number), ("text_decorations", "false"), ("result_filter", "web")];
        if let Some(language) = language_of(language) {
            parameters.push(("search_lang", language));
        }
        let request = self.api.get("res/v1/web/search", &parameters)?;
        let request =
            request.header("X-Subscription-Token", key_header("", &self.key)?).header("Accept", "application/json");
        let answer: Answer = self.api.json(request, explain).await?;
        let mut hits = Hits::default();
        answer.add_to(&mut hits);
        Ok(hits.first(count))
    }
}

/// Brave's name of a language (ISO 639-1), which is its own in four cases.
fn language_of(language: &str) -> Option<&'static str> {
    let wanted = match language {
        "ja" => "jp",
        "no" => "nb",
        "pt" => "pt-br",
        "zh" => "zh-hans",
        other => other,
    };
    LANGUAGES.into_iter().find(|known| *known == wanted)
}

/// Brave answers a wrong key with 422 and a code in the body, and a spent quota with 402.
fn explain(status: u16, body: &str) -> Option<String> {
    match status {
        422 if body.contains("SUBSCRIPTION_TOKEN_INVALID") => {
            Some(format!("does not accept the key (422); set a valid one in `{KEY_SETTING}`"))
        }
        402 => Some("has no searches left on its plan (402); raise the plan's limit".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages() {
        for (asked, sent) in [("en", Some("en")), ("ja", Some("jp")), ("pt", Some("pt-br")), ("xx", None), ("", None)] {
            assert_eq!(language_of(asked), sent);
        }
    }
}

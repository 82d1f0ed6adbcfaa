//! Web search: which pages speak about something. Providers are the operator's configuration, so their address may be
//! internal; the pages they name are read under the [`crate::address::Policy`] like any other link.

mod api;
mod brave;
mod searxng;
mod tavily;

use std::collections::HashSet;

use async_trait::async_trait;
use galley_domain::{Fault, FaultCode};

pub use api::{KEY_SETTING, URL_SETTING};
pub use brave::Brave;
pub use searxng::SearxNg;
pub use tavily::Tavily;

/// Hits of one search at most; what Tavily and Brave give in one answer.
pub const MAX_HITS: usize = 20;
/// A longer query is cut at a word; what Tavily and Brave take.
pub const MAX_QUERY_CHARS: usize = 400;
const MAX_TITLE_CHARS: usize = 300;
const MAX_SNIPPET_CHARS: usize = 1_000;

/// A page that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Absolute, http or https; not checked against any policy.
    pub url: String,
    /// One line of plain text; may be empty.
    pub title: String,
    /// A few lines of plain text from the page or about it; may be empty.
    pub snippet: String,
}

#[async_trait]
pub trait SearchProvider: Send + Sync + std::fmt::Debug {
    /// `searxng`, `tavily` or `brave`; for logs and messages.
    fn name(&self) -> &'static str;

    /// Searches for pages in the language (ISO 639-1, e.g. `en`; a wish, not a promise). Returns at most `count` hits
    /// and at most [`MAX_HITS`], best first, each address once; none is no error.
    ///
    /// # Errors
    /// Transient: timeouts, no connection, 408, 409, 425, 429, 5xx, with the wait the provider asked for. Permanent:
    /// an empty query, a key that is not accepted, a spent quota, an answer that is not a search result.
    async fn search(&self, query: &str, language: &str, count: usize) -> Result<Vec<Hit>, Fault>;
}

/// The hits in the body of a provider's answer, as [`SearchProvider::search`] hands them out; `None` where it is no
/// answer of that provider (`searxng`, `tavily` or `brave`).
pub fn hits_of(provider: &str, body: &[u8], count: usize) -> Option<Vec<Hit>> {
    let mut hits = Hits::default();
    match provider {
        "searxng" => serde_json::from_slice::<searxng::Answer>(body).ok()?.add_to(&mut hits),
        "tavily" => serde_json::from_slice::<tavily::Answer>(body).ok()?.add_to(&mut hits),
        "brave" => serde_json::from_slice::<brave::Answer>(body).ok()?.add_to(&mut hits),
        _ => return None,
    }
    Some(hits.first(count))
}

/// The query as it is sent: one line, cut at a word.
fn query_of(query: &str, max_words: usize) -> Result<String, Fault> {
    let mut sent = String::new();
    let mut chars = 0;
    for word in query.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).take(max_words) {
        let length = word.chars().count() + usize::from(!sent.is_empty());
        if chars + length > MAX_QUERY_CHARS {
            if sent.is_empty() {
                sent.extend(word.chars().take(MAX_QUERY_CHARS));
            }
            break;
        }
        if !sent.is_empty() {
            sent.push(' ');
        }
        sent.push_str(word);
        chars += length;
    }
    if sent.is_empty() {
        return Err(Fault::permanent(FaultCode::ValidationError, "there is nothing to search for; give a query"));
    }
    Ok(sent)
}

/// Collects hits: web addresses only, each once, texts on one line and bounded.
#[derive(Debug, Default)]
struct Hits {
    list: Vec<Hit>,
    seen: HashSet<String>,
}

impl Hits {
    fn add(&mut self, url: &str, title: &str, snippet: &str) {
        let Ok(url) = url::Url::parse(url) else { return };
        if !matches!(url.scheme(), "http" | "https") || !self.seen.insert(url.to_string()) {
            return;
        }
        self.list.push(Hit {
            url: url.into(),
            title: one_line(title, MAX_TITLE_CHARS),
            snippet: one_line(snippet, MAX_SNIPPET_CHARS),
        });
    }

    fn first(mut self, count: usize) -> Vec<Hit> {
        self.list.truncate(count.min(MAX_HITS));
        self.list
    }
}

fn one_line(text: &str, max_chars: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = String::new();
    for word in words {
        if line.len() > max_chars * 4 {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_cut_at_a_word() {
        assert_eq!(query_of("  green\n tea\u{0} ", 50).unwrap(), "green tea");
        let long = "word ".repeat(200);
        let sent = query_of(&long, 1000).unwrap();
        assert!(sent.chars().count() <= MAX_QUERY_CHARS && sent.ends_with("word"), "{sent}");
        assert_eq!(query_of(&long, 3).unwrap(), "word word word");
        assert_eq!(query_of(&"ä".repeat(500), 50).unwrap().chars().count(), MAX_QUERY_CHARS);
        for empty in ["", " \n\t", "\u{0}"] {
            let fault = query_of(empty, 50).unwrap_err();
            assert!(!fault.is_transient() && fault.code() == FaultCode::ValidationError);
        }
    }

    #[test]
    fn hits_are_cleaned() {
        let mut hits = Hits::default();
        hits.add("https://example.com/a", " A\n title ", "x\u{7}y");
        hits.add("https://EXAMPLE.com/a", "again", "");
        hits.add("ftp://example.com/", "", "");
        hits.add("not a link", "", "");
        hits.add("https://example.com/b", &"t".repeat(500), "");
        assert_eq!(hits.list.len(), 2);
        assert_eq!((hits.list[0].title.as_str(), hits.list[0].snippet.as_str()), ("A title", "x y"));
        assert_eq!(hits.list[1].title.chars().count(), MAX_TITLE_CHARS + 1);
        assert_eq!(hits.first(1).len(), 1);
    }
}

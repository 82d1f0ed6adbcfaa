//! A site whose interface is found: typed calls for what the other parts need.

use std::{fmt, sync::Arc};

use galley_domain::Fault;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    client::{Answer, Body, Client},
    discovery::{Root, discover},
    failure::Failure,
};

/// Entries of one page of a list: the most that WordPress gives.
pub(super) const PAGE: &str = "100";
/// Pages of a list that are read.
const MAX_PAGES: u64 = 50;

pub(super) struct Site {
    client: Client,
    root: OnceCell<Root>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.client.fmt(f)
    }
}

impl Site {
    pub fn new(client: Client) -> Arc<Self> {
        Arc::new(Self { client, root: OnceCell::new() })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Looked for once, then remembered.
    pub async fn root(&self) -> Result<&Root, Fault> {
        self.root.get_or_try_init(|| discover(&self.client)).await
    }

    /// What has been found by now.
    pub fn known_root(&self) -> Option<&Root> {
        self.root.get()
    }

    /// For locks: what is one site has one name.
    pub fn key(&self, what: &str) -> String {
        let site = self.client.site();
        format!("{}{} {what}", site.origin().ascii_serialization(), site.path().trim_end_matches('/'))
    }

    pub async fn get(&self, route: &str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
        let url = self.root().await?.url(route, query);
        self.client.call(Method::GET, url, Body::None).await
    }

    pub async fn post(&self, route: &str, query: &[(&str, &str)], body: Body<'_>) -> Result<Answer, Failure> {
        let url = self.root().await?.url(route, query);
        self.client.call(Method::POST, url, body).await
    }

    pub async fn delete(&self, route: &str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
        let url = self.root().await?.url(route, query);
        self.client.call(Method::DELETE, url, Body::None).await
    }

    /// All pages of a list, up to a limit.
    pub async fn list<T: DeserializeOwned>(&self, route: &str, query: &[(&str, &str)]) -> Result<Vec<T>, Failure> {
        let mut found = Vec::new();
        for page in 1..=MAX_PAGES {
            let number = page.to_string();
            let mut query = query.to_vec();
            query.extend([("per_page", PAGE), ("page", number.as_str())]);
            let answer = self.get(route, &query).await?;
            let pages = answer.total_pages();
            found.extend(read::<Vec<T>>(answer.json)?);
            if page >= pages {
                break;
            }
        }
        Ok(found)
    }
}

/// An answer as what it should be.
pub(super) fn read<T: DeserializeOwned>(json: Value) -> Result<T, Failure> {
    serde_json::from_value(json).map_err(|error| {
        let message = "the site answered in a form that WordPress does not have; look whether a plugin changes its REST \
                       interface";
        Fault::permanent(galley_domain::FaultCode::WorkflowError, message).with_detail(error).into()
    })
}

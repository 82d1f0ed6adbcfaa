//! Where the REST interface of a site is.

use galley_domain::{Fault, FaultCode};
use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::{
    client::{Answer, Body, Client},
    failure::{Failure, Refusal, page_words},
};

/// The fields of the root that are asked for: with its routes it may have megabytes.
const FIELDS: &str = "name,namespaces,timezone_string,gmt_offset,url";

/// The interface of a site, and what it says of itself without a login.
#[derive(Debug, Clone)]
pub(super) struct Root {
    address: Address,
    /// Strangers are not told about it.
    is_closed: bool,
    pub name: Option<String>,
    pub namespaces: Vec<String>,
    /// An IANA name, or hours from UTC.
    pub timezone: Option<String>,
    /// Its `Date` header.
    pub date: Option<String>,
}

#[derive(Debug, Clone)]
enum Address {
    /// Ends with a slash; paths are appended.
    Pretty(Url),
    /// Paths go into `rest_route`.
    Query(Url),
}

impl Address {
    fn url(&self, route: &str, query: &[(&str, &str)]) -> Url {
        let mut url = match self {
            Self::Pretty(base) => {
                let mut url = base.clone();
                url.set_path(&format!("{}{route}", base.path()));
                url
            }
            Self::Query(base) => {
                let mut url = base.clone();
                url.query_pairs_mut().append_pair("rest_route", &format!("/{route}"));
                url
            }
        };
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl Root {
    /// The address of a route such as `wp/v2/posts`.
    pub fn url(&self, route: &str, query: &[(&str, &str)]) -> Url {
        self.address.url(route, query)
    }

    pub fn has(&self, namespace: &str) -> bool {
        self.namespaces.iter().any(|known| known == namespace)
    }

    /// In words.
    pub fn describe(&self) -> String {
        let closed = if self.is_closed { "; it is open to those only who log in" } else { "" };
        match &self.address {
            Address::Pretty(url) => format!("found at {}{closed}", url.path()),
            Address::Query(_) => format!("found as ?rest_route=, since the site has no pretty permalinks{closed}"),
        }
    }

    fn read(address: Address, answer: &Answer) -> Option<Self> {
        let json = &answer.json;
        let namespaces: Vec<String> =
            json.get("namespaces")?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let word = |key: &str| json.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
        let timezone = word("timezone_string").map(str::to_owned);
        let offset = || json.get("gmt_offset").map(|hours| format!("UTC{:+}", hours.as_f64().unwrap_or_default()));
        namespaces.iter().any(|name| name == "wp/v2").then(|| Self {
            address,
            is_closed: false,
            name: word("name").map(crate::markup::decoded),
            namespaces: namespaces.clone(),
            timezone: timezone.or_else(offset),
            date: answer.date().map(str::to_owned),
        })
    }
}

/// Finds the interface: at `wp-json/`, where the home page says it is, or behind `?rest_route=`. The login is shown only to an
/// address of the site itself that has refused a stranger.
pub(super) async fn discover(client: &Client) -> Result<Root, Fault> {
    let site = client.site();
    let pretty = joined(site, "wp-json/");
    let first = match tried(client, Address::Pretty(pretty)).await {
        Ok(root) => return Ok(root),
        // Nobody is there; further addresses would take as long.
        Err(Failure::Fault(fault)) => return Err(fault),
        Err(refused) if is_closed(&refused) => return Err(refused.into_fault("open its REST interface to this login")),
        Err(refused) => refused,
    };
    if let Ok(home) = client.look(site.clone()).await
        && let Some(link) = home.rest_link().and_then(|link| Url::parse(&link).ok())
        && let Ok(root) = tried(client, told(link)).await
    {
        return Ok(root);
    }
    match tried(client, Address::Query(site.clone())).await {
        Ok(root) => Ok(root),
        Err(_) => Err(not_found(first)),
    }
}

/// What a home page names may be of either form.
fn told(link: Url) -> Address {
    if !link.query_pairs().any(|(key, _)| key == "rest_route") {
        return Address::Pretty(joined(&link, ""));
    }
    let mut base = link;
    base.set_query(None);
    Address::Query(base)
}

async fn tried(client: &Client, address: Address) -> Result<Root, Failure> {
    let url = address.url("", &[("_fields", FIELDS)]);
    let (answer, is_closed) = match client.look(url.clone()).await {
        Err(refused) if is_closed(&refused) => (client.call(Method::GET, url, Body::None).await?, true),
        answer => (answer?, false),
    };
    let root = Root::read(address, &answer).map(|root| Root { is_closed, ..root });
    root.ok_or_else(|| {
        let message = page_words(&answer.text);
        Failure::Refused(Refusal { status: 200, code: String::new(), message, term: None, after: None })
    })
}

fn is_closed(failure: &Failure) -> bool {
    failure.refusal().is_some_and(|refusal| matches!(refusal.status, 401 | 403))
}

fn not_found(first: Failure) -> Fault {
    let said = first.refusal().map(|refusal| format!(" ({}: {})", refusal.status, refusal.message)).unwrap_or_default();
    let is_away = first.refusal().is_some_and(|refusal| refusal.status >= 500 || refusal.status == 429);
    let message = format!(
        "there is no WordPress REST interface at this address{said}; check the address, and that no plugin closes /wp-json/"
    );
    if is_away {
        let after = first.refusal().and_then(|refusal| refusal.after);
        return Fault::transient(FaultCode::WorkflowError, message).after(after);
    }
    Fault::permanent(FaultCode::WorkflowError, message)
}

/// `base` may be in a folder of its host, with or without a slash at its end.
fn joined(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

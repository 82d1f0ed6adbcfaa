//! The HTTP clients for addresses that somebody else has chosen. Pages are read and webhooks are sent through them alone.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, ClientBuilder, redirect};
use url::Url;

use crate::{
    address::Policy,
    dns::{Guard, Resolver},
    error::causes,
};

/// Idle connections are kept this long, so that several requests to one site share one. A kept connection leads to the
/// address that was checked when it was made.
const IDLE: Duration = Duration::from_secs(20);
const IDLE_PER_HOST: usize = 2;

/// Two connection pools: `open` speaks only to hosts that the operator named and takes whatever address they have,
/// `guarded` speaks to all others and connects to admitted addresses only. They never share a connection.
#[derive(Debug)]
pub struct GuardedClients {
    guarded: Client,
    open: Client,
    policy: Arc<Policy>,
}

/// The user agent is not a valid header, or the TLS library does not start.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ClientError(String);

impl GuardedClients {
    /// `connect` is the time for one connection: name, TCP and TLS. `settings` adds what is special about the requests:
    /// headers, and whether answers are unpacked.
    ///
    /// # Errors
    /// [`ClientError`] if a client cannot be set up.
    pub fn new(
        policy: Policy,
        resolver: Arc<dyn Resolver>,
        user_agent: &str,
        connect: Duration,
        settings: impl Fn(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, ClientError> {
        let policy = Arc::new(policy);
        let client = |guard| {
            let builder = settings(Client::builder().user_agent(user_agent).connect_timeout(connect));
            guard_by(builder, guard).build().map_err(|error| ClientError(format!("{error}: {}", causes(&error))))
        };
        let guarded = client(Guard::new(Arc::clone(&resolver), Some(Arc::clone(&policy))))?;
        let open = client(Guard::new(resolver, None))?;
        Ok(Self { guarded, open, policy })
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The client that requests to this URL go through. The URL was checked: an address that stands in it is not looked up,
    /// so the guard of names does not see it.
    pub fn client_for(&self, url: &Url) -> &Client {
        if self.policy.names_host_of(url) { &self.open } else { &self.guarded }
    }
}

/// Everything that would carry state or another address than the checked one is off, whatever features others in the build
/// turn on: proxies of the environment, redirects, referers, retries. Cookies need a store, and there is none. It comes
/// after all other settings, so that none of them undoes it.
fn guard_by(builder: ClientBuilder, guard: Guard) -> ClientBuilder {
    builder
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .dns_resolver(guard)
}

//! Name resolution with the address check inside it. The addresses that pass are the very ones that the connection is
//! then made to, so a name that changes its answer between check and connect (DNS rebinding) gains nothing.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::Policy;

/// More addresses than this of one name are not looked at.
const MAX_ADDRESSES: usize = 16;

/// Turns a host name into addresses.
#[async_trait]
pub trait Resolver: Send + Sync + fmt::Debug {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Every address of the name is closed to us. Found again in the source chain of reqwest's error.
#[derive(Debug, thiserror::Error)]
#[error("{host} leads only to {}, not on the public internet", Listed(.addresses))]
pub(crate) struct ClosedAddresses {
    host: String,
    addresses: Vec<IpAddr>,
}

struct Listed<'a>(&'a [IpAddr]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, ip) in self.0.iter().enumerate() {
            write!(f, "{}{ip}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// What a client resolves names with.
pub(crate) struct Guard {
    resolver: Arc<dyn Resolver>,
    policy: Option<Arc<Policy>>,
}

impl Guard {
    /// `policy` is `None` for the client that only speaks to hosts the operator named.
    pub(crate) fn new(resolver: Arc<dyn Resolver>, policy: Option<Arc<Policy>>) -> Self {
        Self { resolver, policy }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, policy) = (Arc::clone(&self.resolver), self.policy.clone());
        Box::pin(async move {
            let host = name.as_str();
            let mut addresses = resolver.lookup(host).await?;
            addresses.truncate(MAX_ADDRESSES);
            if addresses.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            let open = |ip: &IpAddr| policy.as_ref().is_none_or(|policy| policy.admits(*ip));
            let open: Vec<IpAddr> = addresses.iter().copied().filter(open).collect();
            if open.is_empty() {
                return Err(ClosedAddresses { host: host.to_owned(), addresses }.into());
            }
            // Port 0 stands for the port of the link.
            Ok(Box::new(open.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

//! Connections that should be secure and are not.

use std::net::SocketAddr;

use galley_fetch::{Fetcher, Reason};
use galley_testpeer::tls;

use crate::common::{AGENT, Peer, limits, policy};

async fn reason_at(address: SocketAddr) -> (Reason, String, bool) {
    let fetcher = Fetcher::new(limits(), policy(&[&address.to_string()]), AGENT).unwrap();
    let error = fetcher.fetch(&format!("https://{address}/")).await.unwrap_err();
    (error.reason.clone(), error.to_string(), error.is_transient())
}

#[tokio::test]
async fn a_certificate_of_nobody_we_know() {
    let (reason, message, transient) = reason_at(tls::self_signed().await).await;
    assert_eq!((reason, transient), (Reason::Tls { certificate: true }, false), "{message}");
    assert!(message.contains("security certificate"), "{message}");
}

#[tokio::test]
async fn a_server_that_speaks_plain_http() {
    let (reason, message, transient) = reason_at(tls::plain_http().await).await;
    assert_eq!((reason, transient), (Reason::Tls { certificate: false }, true), "{message}");
}

#[tokio::test]
async fn a_server_that_hangs_up() {
    let peer = Peer::hanging_up(([127, 0, 0, 1], 0).into()).await;
    let (reason, message, _) = reason_at(peer.address).await;
    assert_eq!(reason, Reason::Connect, "{message}");
}

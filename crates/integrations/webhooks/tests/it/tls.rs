//! Connections that should be secure and are not.

use std::net::SocketAddr;

use galley_testpeer::tls;
use galley_webhooks::{Sender, Verdict};

use crate::common::{AGENT, limits, policy, send};

async fn error_at(address: SocketAddr) -> String {
    let sender = Sender::new(limits(), policy(&[&address.to_string()]), AGENT).unwrap();
    let report = send(&sender, &format!("https://{address}/")).await;
    assert_eq!((report.verdict, report.status_code), (Verdict::Failed, None));
    assert!(report.detail.is_some());
    report.error.unwrap()
}

#[tokio::test]
async fn a_certificate_of_nobody_we_know() {
    let error = error_at(tls::self_signed().await).await;
    assert!(error.contains("Nothing was sent: the endpoint's security certificate is not valid"), "{error}");
}

#[tokio::test]
async fn an_endpoint_that_speaks_plain_http() {
    let error = error_at(tls::plain_http().await).await;
    assert!(error.contains("could not be connected to securely"), "{error}");
}

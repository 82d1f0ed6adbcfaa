//! What must not be reached is not reached: addresses in every spelling, names that lead inside, rebinding.

use std::sync::Arc;

use galley_testpeer::Answers;
use galley_webhooks::{Report, Sender, Verdict};

use crate::common::{AGENT, HOOK, Peer, limits, ok, policy, send};

fn refused(report: &Report, words: &str) {
    assert_eq!((report.verdict, report.status_code), (Verdict::Failed, None), "{report:?}");
    let error = report.error.as_ref().unwrap();
    assert!(error.starts_with("Nothing was sent: ") && error.contains(words), "{error}");
}

#[tokio::test]
async fn closed_addresses_in_every_spelling() {
    let endpoint = Peer::start(|_| ok()).await;
    let sender = Sender::new(limits(), policy(&[]), AGENT).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.01",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.1.1",
        "169.254.169.254",
        "2852039166",
        "100.100.100.200",
        "168.63.129.16",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{}/", endpoint.address.port());
            refused(&send(&sender, &url).await, "outside the public internet; the operator can allow it");
        }
    }
    for host in ["localhost", "LOCALHOST.", "hooks.localhost", "metadata.google.internal", "intranet"] {
        refused(&send(&sender, &endpoint.url_at(host, HOOK)).await, "a name inside a private network");
    }
    refused(&send(&sender, &endpoint.url_at("public.example.com", HOOK)).await, "webhooks are sent to https:");
    assert_eq!(endpoint.connections(), 0);
}

#[tokio::test]
async fn a_name_that_leads_inside() {
    let endpoint = Peer::start(|_| ok()).await;
    for inside in [&["127.0.0.1"][..], &["::ffff:127.0.0.1", "10.0.0.1"], &["169.254.169.254"], &["::1"], &["fd00::1"]]
    {
        let sender = Sender::with_resolver(limits(), policy(&[]), AGENT, Answers::new(&[inside])).unwrap();
        let url = format!("https://inside.example.com:{}/", endpoint.address.port());
        let report = send(&sender, &url).await;
        refused(&report, "leads to an address outside the public internet");
        assert!(!report.error.as_ref().unwrap().contains(inside[0]), "the tenant is not told where: {report:?}");
        assert!(report.detail.unwrap().contains(inside[0]), "the log is");
    }
    assert_eq!(endpoint.connections(), 0);
}

#[tokio::test]
async fn an_allowed_host_and_port_works_and_no_other() {
    let (allowed, other) = (Peer::start(|_| ok()).await, Peer::start(|_| ok()).await);
    let sender = Sender::new(limits(), policy(&[&allowed.address.to_string()]), AGENT).unwrap();
    assert_eq!(send(&sender, &allowed.url(HOOK)).await.verdict, Verdict::Delivered);
    assert_eq!(
        send(&sender, &allowed.url_at("2130706433", HOOK)).await.verdict,
        Verdict::Delivered,
        "the same address"
    );
    refused(&send(&sender, &other.url(HOOK)).await, "outside the public internet");
    refused(&send(&sender, &allowed.url_at("localhost", HOOK)).await, "inside a private network");
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn an_allowed_name_and_its_connection_are_not_lent_to_others() {
    let (endpoint, other) = (Peer::start(|_| ok()).await, Peer::start(|_| ok()).await);
    let named = format!("hooks.example.com:{}", endpoint.address.port());
    let sender = Sender::with_resolver(limits(), policy(&[&named]), AGENT, Answers::new(&[&["127.0.0.1"]])).unwrap();
    assert_eq!(send(&sender, &endpoint.url_at("hooks.example.com", HOOK)).await.verdict, Verdict::Delivered);
    let elsewhere = format!("https://hooks.example.com:{}/", other.address.port());
    refused(&send(&sender, &elsewhere).await, "leads to an address outside");
    let neighbour = format!("https://other.example.com:{}/", endpoint.address.port());
    refused(&send(&sender, &neighbour).await, "leads to an address outside");
    assert_eq!((endpoint.connections(), other.connections()), (1, 0));
}

#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let inner = Peer::start(|_| ok()).await;
    let port = inner.address.port();
    // Stands for the public internet.
    let outer = Peer::hanging_up(([127, 0, 0, 2], port).into()).await;
    let answers = Answers::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let sender = Sender::with_resolver(limits(), policy(&["127.0.0.2/32"]), AGENT, Arc::clone(&answers) as _).unwrap();
    let url = format!("https://rebind.example.com:{port}/");
    let first = send(&sender, &url).await;
    assert_eq!(
        (outer.connections(), answers.lookups()),
        (1, 1),
        "no second look-up between check and connect: {first:?}"
    );
    refused(&send(&sender, &url).await, "leads to an address outside");
    assert_eq!((inner.connections(), outer.connections(), answers.lookups()), (0, 1, 2));
}

#[tokio::test]
async fn of_several_addresses_only_the_admitted_ones_are_tried() {
    let inner = Peer::start(|_| ok()).await;
    let port = inner.address.port();
    let outer = Peer::hanging_up(([127, 0, 0, 2], port).into()).await;
    let answers = Answers::new(&[&["127.0.0.1", "127.0.0.2"]]);
    let sender = Sender::with_resolver(limits(), policy(&["127.0.0.2/32"]), AGENT, answers).unwrap();
    send(&sender, &format!("https://both.example.com:{port}/")).await;
    assert_eq!((inner.connections(), outer.connections()), (0, 1));
}

#[tokio::test]
async fn a_network_rule_opens_plain_http_to_its_addresses() {
    let endpoint = Peer::start(|_| ok()).await;
    let sender = Sender::new(limits(), policy(&["127.0.0.0/8"]), AGENT).unwrap();
    assert_eq!(send(&sender, &endpoint.url(HOOK)).await.verdict, Verdict::Delivered);
}

/// A proxy would resolve the name itself, past the guard. The environment belongs to the whole process, so the test above
/// runs once more in one of its own.
#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let nowhere = "http://127.0.0.1:9";
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "guard::an_allowed_host_and_port_works_and_no_other"])
        .envs(["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, nowhere)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

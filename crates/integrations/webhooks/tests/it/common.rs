//! Messages, and a sender to the endpoint that takes them.

use std::time::Duration;

use galley_testpeer::answer;
pub use galley_testpeer::{AGENT, Peer, Reply, policy};
use galley_webhooks::{Attempt, Format, Report, Secret, SendLimits, Sender};

pub const BODY: &[u8] = "{\"id\":\"msg_1\",\"data\":{\"title\":\"Grüner Tee\"}}".as_bytes();
/// What follows host and port of an endpoint.
pub const HOOK: &str = "/hooks?key=hunter2";

pub fn ok() -> Reply {
    Reply::Keep(answer("200 OK", "", b"taken"))
}

/// The defaults, with room for a busy machine.
pub fn limits() -> SendLimits {
    SendLimits { time: Duration::from_secs(60), connect: Duration::from_secs(30), ..SendLimits::default() }
}

/// A time that is to run out.
pub fn short() -> SendLimits {
    SendLimits { time: Duration::from_millis(700), ..limits() }
}

/// A sender that may speak to this endpoint by its address.
pub fn sender_for(endpoint: &Peer, limits: SendLimits) -> Sender {
    Sender::new(limits, policy(&[&endpoint.address.to_string()]), AGENT).unwrap()
}

pub fn secret() -> Secret {
    Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
}

pub async fn send(sender: &Sender, url: &str) -> Report {
    send_signed(sender, url, &[secret()], Format::Standard).await
}

pub async fn send_signed(sender: &Sender, url: &str, secrets: &[Secret], format: Format) -> Report {
    let timestamp = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs().try_into().unwrap();
    let attempt = Attempt { url, message_id: "msg_1", timestamp, body: BODY.to_vec(), secrets, format };
    let report = sender.send(attempt).await;
    for told in [&report.error, &report.detail].into_iter().flatten() {
        assert!(!told.contains("hunter2") && !told.contains("MfKQ9r8"), "the query and the secret stay here: {told}");
    }
    report
}

/// One attempt to an endpoint that always answers so.
pub async fn answered(limits: SendLimits, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Report {
    let endpoint = Peer::start(move |_| reply()).await;
    send(&sender_for(&endpoint, limits), &endpoint.url(HOOK)).await
}

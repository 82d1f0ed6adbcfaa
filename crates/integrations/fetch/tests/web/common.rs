//! Pages, and a fetcher for the peer that has them.

use std::time::Duration;

use galley_fetch::{FetchLimits, Fetcher};
pub use galley_testpeer::{AGENT, Answers, Peer, Reply, Request, policy};

/// A whole answer with its length; `extra` are header lines that end in `\r\n`.
pub fn answer(status: &str, content_type: &str, extra: &str, body: &[u8]) -> Vec<u8> {
    galley_testpeer::answer(status, &format!("Content-Type: {content_type}\r\n{extra}"), body)
}

pub fn html(body: &str) -> Reply {
    Reply::Keep(answer("200 OK", "text/html; charset=utf-8", "", body.as_bytes()))
}

pub fn redirect(to: &str) -> Reply {
    Reply::Keep(answer("302 Found", "text/html", &format!("Location: {to}\r\n"), b""))
}

pub fn article(title: &str, text: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en-GB\"><head><title>{title}</title></head>\
         <body><main><h1>{title}</h1><p>{text}</p></main></body></html>"
    )
}

pub const TEXT: &str = "Green tea is steeped at seventy to eighty degrees, because boiling water makes it bitter.";

/// The defaults, with room for a busy machine.
pub fn limits() -> FetchLimits {
    FetchLimits { time: Duration::from_secs(60), connect: Duration::from_secs(30), ..FetchLimits::default() }
}

/// A fetcher that may speak to this peer by its address.
pub fn fetcher_for(peer: &Peer) -> Fetcher {
    Fetcher::new(limits(), policy(&[&peer.address.to_string()]), AGENT).unwrap()
}

//! A model server that answers well, and sometimes badly: refuses, stalls, cuts off, says nonsense.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// So long that every fault meets some attempts at work.
const THINKING: Range<u64> = 20..800;
/// Longer than the client waits for a token.
const STALL: Duration = Duration::from_secs(8);
const LONGEST_REQUEST: usize = 4 << 20;

#[derive(Debug)]
pub struct Peer {
    port: u16,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    /// So many of a hundred answers are bad.
    bad: AtomicU8,
    calls: AtomicU64,
}

impl Peer {
    pub async fn start(seed: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let call = shared.calls.fetch_add(1, Ordering::Relaxed);
                    let random = fastrand::Rng::with_seed(seed ^ (call << 20));
                    // A client that has gone is not the peer's business.
                    drop(answer(socket, &shared, random).await);
                });
            }
        });
        Ok(Self { port, state, accepting })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn mood(&self, bad: u8) {
        self.state.bad.store(bad, Ordering::Relaxed);
    }

    pub fn calls(&self) -> u64 {
        self.state.calls.load(Ordering::Relaxed)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(mut socket: TcpStream, state: &State, mut random: fastrand::Rng) -> std::io::Result<()> {
    let Some(request) = read(&mut socket).await? else { return Ok(()) };
    tokio::time::sleep(Duration::from_millis(random.u64(THINKING))).await;
    let schema = &request["response_format"]["json_schema"]["schema"]["properties"];
    let text = if schema["sections"].is_object() {
        outline(&mut random)
    } else if schema["description"].is_object() {
        seo(&mut random)
    } else {
        prose(&mut random)
    };
    let bad = random.u8(0..100) < state.bad.load(Ordering::Relaxed);
    let fault = if bad { random.u8(0..6) } else { u8::MAX };
    match fault {
        0 => status(&mut socket, "500 Internal Server Error", "").await,
        1 => status(&mut socket, "429 Too Many Requests", "retry-after: 1\r\n").await,
        2 => {
            stream(&mut socket, &text[..text.len() / 2], None).await?;
            tokio::time::sleep(STALL).await;
            Ok(())
        }
        3 => stream(&mut socket, &text[..text.len() / 3], None).await,
        4 => stream(&mut socket, "{ \"title\": \"never", Some("stop")).await,
        5 => stream(&mut socket, &text[..text.len() / 2], Some("length")).await,
        _ => stream(&mut socket, &text, Some("stop")).await,
    }
}

async fn read(socket: &mut TcpStream) -> std::io::Result<Option<Value>> {
    let mut data = Vec::new();
    let mut part = [0; 16_384];
    while data.len() < LONGEST_REQUEST {
        let count = socket.read(&mut part).await?;
        if count == 0 {
            return Ok(None);
        }
        data.extend_from_slice(&part[..count]);
        let Some(end) = data.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&data[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        if data.len() >= end + 4 + length.unwrap_or(0) {
            return Ok(serde_json::from_slice(&data[end + 4..]).ok());
        }
    }
    Ok(None)
}

async fn status(socket: &mut TcpStream, status: &str, headers: &str) -> std::io::Result<()> {
    let body = r#"{"error":{"message":"not now","type":"server_error"}}"#;
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(format!("{head}{body}").as_bytes()).await
}

/// The text as a stream of events; without an end the connection just closes, or stays as it is.
async fn stream(socket: &mut TcpStream, text: &str, finish: Option<&str>) -> std::io::Result<()> {
    let mut events =
        vec![json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}).to_string()];
    if let Some(finish) = finish {
        events.push(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}).to_string());
        events.push(json!({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 50}}).to_string());
        events.push("[DONE]".to_owned());
    }
    let mut out =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
            .to_owned();
    for event in events {
        let event = format!("data: {event}\n\n");
        out += &format!("{:x}\r\n{event}\r\n", event.len());
    }
    if finish.is_some() {
        out += "0\r\n\r\n";
    }
    socket.write_all(out.as_bytes()).await?;
    socket.flush().await
}

const NOUNS: [&str; 24] = [
    "harvest", "kettle", "valley", "roaster", "ledger", "garden", "bridge", "market", "river", "window", "engine",
    "letter", "season", "village", "barrel", "compass", "orchard", "lantern", "workshop", "harbour", "meadow",
    "archive", "cellar", "quarry",
];
const VERBS: [&str; 12] = [
    "supports",
    "follows",
    "reaches",
    "improves",
    "protects",
    "surrounds",
    "explains",
    "balances",
    "divides",
    "gathers",
    "measures",
    "replaces",
];

fn noun(random: &mut fastrand::Rng) -> &'static str {
    NOUNS[random.usize(..NOUNS.len())]
}

/// About eighty words in ten sentences.
fn prose(random: &mut fastrand::Rng) -> String {
    let sentence = |random: &mut fastrand::Rng| {
        let verb = VERBS[random.usize(..VERBS.len())];
        let (a, b, c, d) = (noun(random), noun(random), noun(random), noun(random));
        format!("The {a} beside the {b} {verb} the old {c} near the {d}.")
    };
    (0..10).map(|_| sentence(random)).collect::<Vec<_>>().join(" ")
}

fn outline(random: &mut fastrand::Rng) -> String {
    let section = |random: &mut fastrand::Rng| json!({ "heading": format!("The {} and the {}", noun(random), noun(random)), "points": [noun(random).repeat(2)] });
    let sections: Vec<Value> = (0..3).map(|_| section(random)).collect();
    json!({ "title": format!("About the {} of the {}", noun(random), noun(random)), "sections": sections }).to_string()
}

fn seo(random: &mut fastrand::Rng) -> String {
    let description = format!("What the {} has to do with the {} and why it matters.", noun(random), noun(random));
    json!({ "title": format!("The {} of the {}", noun(random), noun(random)), "description": description, "keywords": ["harvest"] })
        .to_string()
}

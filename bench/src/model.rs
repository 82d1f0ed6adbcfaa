//! A model server: what it is asked, what it says, and one that says it in its own time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const LONGEST_REQUEST: usize = 4 << 20;
/// What an answer begins with that is a stream of events.
pub const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
/// An answer comes in about so many pieces.
const PIECES: usize = 20;

/// How fast a server says what it has to say.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// All of it within this time, in equal steps.
    Within(Duration),
    /// A word each time, and never the last one.
    Endless(Duration),
}

/// A server that streams good answers. It ends when it is dropped; calls in flight go on until their client has gone.
#[derive(Debug)]
pub struct Model {
    port: u16,
    streaming: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Model {
    pub async fn start(pace: Pace) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let streaming = Arc::new(AtomicUsize::new(0));
        let shared = Arc::clone(&streaming);
        let accepting = tokio::spawn(async move {
            let mut calls = 0;
            while let Ok((socket, _)) = listener.accept().await {
                calls += 1;
                let (shared, random) = (Arc::clone(&shared), fastrand::Rng::with_seed(calls));
                tokio::spawn(async move {
                    // A client that has gone is not the server's business.
                    drop(answer(socket, pace, random, &shared).await);
                });
            }
        });
        Ok(Self { port, streaming, accepting })
    }

    /// What the program is told of it.
    pub fn settings(&self) -> [(&'static str, String); 3] {
        [
            ("GALLEY_WRITER__KIND", "openai".to_owned()),
            ("GALLEY_WRITER__BASE_URL", format!("http://127.0.0.1:{}/v1", self.port)),
            ("GALLEY_WRITER__MODEL", "bench".to_owned()),
        ]
    }

    /// Answers that have begun and not ended.
    pub fn streaming(&self) -> usize {
        self.streaming.load(Ordering::Relaxed)
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Counts itself for as long as it lives.
struct Counted<'c>(&'c AtomicUsize);

impl<'c> Counted<'c> {
    fn in_(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn answer(
    mut socket: TcpStream,
    pace: Pace,
    mut random: fastrand::Rng,
    streaming: &AtomicUsize,
) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let Some(request) = read(&mut socket).await? else { return Ok(()) };
    let text = text(&request, &mut random);
    socket.write_all(HEAD.as_bytes()).await?;
    let _counted = Counted::in_(streaming);
    match pace {
        Pace::Within(time) => {
            let letters: Vec<char> = text.chars().collect();
            let pieces = letters.chunks(letters.len().div_ceil(PIECES).max(1));
            let wait = time.div_f64(pieces.len() as f64);
            for letters in pieces {
                tokio::time::sleep(wait).await;
                socket.write_all(piece(&letters.iter().collect::<String>()).as_bytes()).await?;
            }
            socket.write_all(end_of("stop").as_bytes()).await?;
            socket.shutdown().await
        }
        Pace::Endless(wait) => loop {
            // Servers do not speak in step.
            tokio::time::sleep(wait.mul_f64(0.5 + random.f64())).await;
            socket.write_all(piece("word ").as_bytes()).await?;
        },
    }
}

/// The body of a call; `None` where the client has gone or what it says is no call.
pub async fn read(socket: &mut TcpStream) -> std::io::Result<Option<Value>> {
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

/// What is wanted, by the schema that comes with the call.
pub fn text(request: &Value, random: &mut fastrand::Rng) -> String {
    let schema = &request["response_format"]["json_schema"]["schema"]["properties"];
    if schema["sections"].is_object() {
        outline(random)
    } else if schema["description"].is_object() {
        seo(random)
    } else {
        prose(random)
    }
}

/// A part of the text, as it goes over the wire.
pub fn piece(text: &str) -> String {
    event(&json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}).to_string())
}

/// What comes after the last part.
pub fn end_of(finish: &str) -> String {
    let reason = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}).to_string();
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 50}}).to_string();
    [event(&reason), event(&usage), event("[DONE]"), "0\r\n\r\n".to_owned()].concat()
}

fn event(data: &str) -> String {
    let event = format!("data: {data}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len())
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

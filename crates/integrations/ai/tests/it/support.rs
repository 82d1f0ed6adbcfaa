//! A scripted server in this process: each connection gets the next answer, byte by byte as written.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use galley_ai::{Endpoint, Price, Timeouts};
use galley_domain::Hidden;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// What happens on one connection.
#[derive(Debug, Clone)]
pub struct Script {
    pub bytes: Vec<u8>,
    /// Keeps the connection open after the bytes, until the client leaves.
    pub stall: bool,
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    pub head: String,
    pub body: Value,
}

pub struct Server {
    pub base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    arrivals: Arc<Semaphore>,
}

impl Server {
    /// Serves the scripts in order; later connections are closed at once.
    pub async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let arrivals = Arc::new(Semaphore::new(0));
        let (log, bell) = (seen.clone(), arrivals.clone());
        tokio::spawn(async move {
            for script in scripts {
                let (socket, _) = listener.accept().await.unwrap();
                let (log, bell) = (log.clone(), bell.clone());
                tokio::spawn(async move { serve(socket, script, &log, &bell).await });
            }
        });
        Self { base, seen, arrivals }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until one more request has arrived and its script's bytes are written.
    pub async fn arrived(&self) {
        self.arrivals.acquire().await.unwrap().forget();
    }
}

async fn serve(mut socket: TcpStream, script: Script, log: &Mutex<Vec<Seen>>, bell: &Semaphore) {
    let mut data = Vec::new();
    let (head, body) = loop {
        let mut part = [0; 16_384];
        let n = socket.read(&mut part).await.unwrap_or(0);
        if n == 0 {
            return;
        }
        data.extend_from_slice(&part[..n]);
        let Some(end) = data.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&data[..end]).into_owned();
        let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if data.len() >= end + 4 + length.unwrap_or(0) {
            break (head, data[end + 4..].to_vec());
        }
    };
    log.lock().unwrap().push(Seen { head, body: serde_json::from_slice(&body).unwrap_or(Value::Null) });
    socket.write_all(&script.bytes).await.ok();
    socket.flush().await.ok();
    bell.add_permits(1);
    if script.stall {
        let mut rest = [0; 64];
        while socket.read(&mut rest).await.is_ok_and(|n| n > 0) {}
    }
}

impl Script {
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), stall: false }
    }

    /// An answer with a status, further header lines (each ending in `\r\n`) and a body.
    pub fn status(status: u16, headers: &str, body: &str) -> Self {
        Self::raw(format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: \
             close\r\n\r\n{body}",
            body.len()
        ))
    }

    /// The events as they stand, chunked; `end` closes the body properly.
    pub fn events(events: &[String], end: bool) -> Self {
        let mut out =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: \
                       close\r\n\r\n"
                .to_owned();
        for event in events {
            out.push_str(&format!("{:x}\r\n{event}\r\n", event.len()));
        }
        if end {
            out.push_str("0\r\n\r\n");
        }
        Self::raw(out)
    }

    /// A whole streamed answer with its count.
    pub fn says(text: &str) -> Self {
        Self::ends(text, "stop")
    }

    pub fn ends(text: &str, finish: &str) -> Self {
        let half = text.floor_char_boundary(text.len() / 2);
        Self::events(&[piece(&text[..half]), piece(&text[half..]), finished(finish), counted(120, 30), done()], true)
    }

    #[must_use]
    pub fn stalling(mut self) -> Self {
        self.stall = true;
        self
    }
}

pub fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

pub fn piece(text: &str) -> String {
    data(&json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}))
}

pub fn finished(reason: &str) -> String {
    data(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}))
}

pub fn counted(prompt: u64, completion: u64) -> String {
    data(&json!({"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}}))
}

pub fn done() -> String {
    "data: [DONE]\n\n".to_owned()
}

pub const KEY: &str = "sk-test-0123456789";

/// An endpoint with short timeouts and a price of one and two dollars.
pub fn endpoint(base: &str) -> Endpoint {
    let mut endpoint = Endpoint::new("peer", base, "m1").unwrap();
    endpoint.api_key = Some(Hidden::new(KEY));
    endpoint.price = Some(Price { prompt: "1".parse().unwrap(), completion: "2".parse().unwrap() });
    endpoint.timeouts = Timeouts {
        connect: Duration::from_secs(5),
        first_byte: Duration::from_millis(1_500),
        idle: Duration::from_millis(150),
        total: Duration::from_secs(20),
    };
    endpoint
}

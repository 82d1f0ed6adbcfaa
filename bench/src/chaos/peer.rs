//! A model server that answers well, and sometimes badly: refuses, stalls, cuts off, says nonsense.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::model;

/// So long that every fault meets some attempts at work.
const THINKING: Range<u64> = 20..800;
/// Longer than the client waits for a token.
const STALL: Duration = Duration::from_secs(8);

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
    let Some(request) = model::read(&mut socket).await? else { return Ok(()) };
    tokio::time::sleep(Duration::from_millis(random.u64(THINKING))).await;
    let text = model::text(&request, &mut random);
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
    let end = finish.map(model::end_of).unwrap_or_default();
    socket.write_all(format!("{}{}{end}", model::HEAD, model::piece(text)).as_bytes()).await?;
    socket.flush().await
}

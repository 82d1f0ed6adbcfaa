//! An HTTP server that a test writes the answers of.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

/// A wait that takes longer has failed; nothing is measured by it.
const HANG: Duration = Duration::from_secs(60);

/// What to do with one request.
pub enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes; the connection stays open for the next request.
    Keep(Vec<u8>),
    /// These bytes after so long; the connection stays open for the next request.
    Late(Duration, Vec<u8>),
    /// The head, then `chunk` again and again until the client goes away.
    Endless { head: String, chunk: Vec<u8>, pause: Duration },
    /// These bytes and no more, with the connection held open.
    Stall(Vec<u8>),
}

/// What the peer was asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The path with its query.
    pub path: String,
    /// The whole head, as received.
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    /// The only header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().skip(1).filter_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        let value = values.next();
        assert!(values.next().is_none(), "{name} stands twice");
        value
    }
}

type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// What has happened to a peer so far.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    connections: usize,
    /// Connections that the client has closed.
    closed: usize,
    written: usize,
}

/// Listens on this machine.
#[derive(Debug)]
pub struct Peer {
    pub address: SocketAddr,
    counts: Arc<watch::Sender<Counts>>,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Peer {
    pub async fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), handler).await
    }

    pub async fn start_at(address: SocketAddr, handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let (peer, listener) = Self::listen(address).await;
        let handler: Handler = Arc::new(handler);
        let (counts, asked) = (Arc::clone(&peer.counts), Arc::clone(&peer.asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counts.send_modify(|counts| counts.connections += 1);
                let (handler, counts, asked) = (Arc::clone(&handler), Arc::clone(&counts), Arc::clone(&asked));
                tokio::spawn(async move {
                    serve(stream, handler, &counts, &asked).await;
                    counts.send_modify(|counts| counts.closed += 1);
                });
            }
        });
        peer
    }

    /// Counts connections and closes each at its first byte: for https, of which it need not speak more.
    pub async fn hanging_up(address: SocketAddr) -> Self {
        let (peer, listener) = Self::listen(address).await;
        let counts = Arc::clone(&peer.counts);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counts.send_modify(|counts| counts.connections += 1);
                stream.read_u8().await.ok();
            }
        });
        peer
    }

    async fn listen(address: SocketAddr) -> (Self, TcpListener) {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        (Self { address, counts: Arc::default(), asked: Arc::default() }, listener)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The same port under another host name.
    pub fn url_at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.address.port())
    }

    /// Connections that were made, all told.
    pub fn connections(&self) -> usize {
        self.counts.borrow().connections
    }

    /// Bytes of endless bodies that were taken off its hands.
    pub fn written(&self) -> usize {
        self.counts.borrow().written
    }

    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|request| request.path).collect()
    }

    /// Waits until so many connections were made.
    pub async fn connected(&self, count: usize) {
        self.until(|counts| counts.connections >= count).await;
    }

    /// Waits until the client has closed so many connections.
    pub async fn closed(&self, count: usize) {
        self.until(|counts| counts.closed >= count).await;
    }

    async fn until(&self, test: impl FnMut(&Counts) -> bool) {
        let mut changes = self.counts.subscribe();
        let waited = timeout(HANG, changes.wait_for(test)).await.map(|found| *found.unwrap());
        assert!(waited.is_ok(), "it came to no more than {:?}", *self.counts.borrow());
    }
}

async fn serve(
    mut stream: TcpStream,
    handler: Handler,
    counts: &watch::Sender<Counts>,
    asked: &Mutex<Vec<Request>>,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let request = read_request(&mut stream, &mut buffer).await?;
        asked.lock().unwrap().push(request.clone());
        match handler(&request) {
            Reply::Bytes(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                stream.shutdown().await.ok()?;
                // Read to the end, so that closing does not reset what was just sent.
                return drain(&mut stream).await;
            }
            Reply::Keep(bytes) => stream.write_all(&bytes).await.ok()?,
            Reply::Late(time, bytes) => {
                tokio::time::sleep(time).await;
                stream.write_all(&bytes).await.ok()?;
            }
            Reply::Endless { head, chunk, pause } => {
                stream.write_all(head.as_bytes()).await.ok()?;
                loop {
                    stream.write_all(&chunk).await.ok()?;
                    counts.send_modify(|counts| counts.written += chunk.len());
                    tokio::time::sleep(pause).await;
                }
            }
            Reply::Stall(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                return drain(&mut stream).await;
            }
        }
    }
}

async fn drain(stream: &mut TcpStream) -> Option<()> {
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await.ok()? > 0 {}
    None
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        fill(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let path = head.split(' ').nth(1)?.to_owned();
    let mut request = Request { path, head, body: Vec::new() };
    let whole = end + request.header("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < whole {
        fill(stream, buffer).await?;
    }
    request.body = buffer[end..whole].to_vec();
    buffer.drain(..whole);
    Some(request)
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let read = stream.read(&mut chunk).await.ok()?;
    buffer.extend_from_slice(&chunk[..read]);
    (read > 0).then_some(())
}

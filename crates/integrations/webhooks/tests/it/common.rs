//! An endpoint that answers what a test wants, byte for byte, and a resolver that says what a test wants.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use galley_fetch::{address::Policy, dns::Resolver};
use galley_webhooks::{Attempt, Format, Report, Secret, SendLimits, Sender};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub const AGENT: &str = "Galley/1.0 (+test)";
pub const BODY: &[u8] = "{\"id\":\"msg_1\",\"data\":{\"title\":\"Grüner Tee\"}}".as_bytes();

/// What to do with one request.
pub enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes; the connection stays open for the next request.
    Keep(Vec<u8>),
    /// The head, then `chunk` again and again until the client goes away.
    Endless { head: String, chunk: Vec<u8>, pause: Duration },
    /// These bytes and no more, with the connection held open.
    Stall(Vec<u8>),
}

#[derive(Debug, Clone)]
pub struct Asked {
    /// The whole head, as received.
    pub head: String,
    pub body: Vec<u8>,
}

impl Asked {
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

type Handler = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// Ends with the test's runtime.
pub struct Endpoint {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    written: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Endpoint {
    pub async fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = Self { address, connections: Arc::default(), written: Arc::default(), asked: Arc::default() };
        let handler: Handler = Arc::new(handler);
        let (connections, written, asked) =
            (Arc::clone(&endpoint.connections), Arc::clone(&endpoint.written), Arc::clone(&endpoint.asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (handler, written, asked) = (Arc::clone(&handler), Arc::clone(&written), Arc::clone(&asked));
                tokio::spawn(async move { serve(stream, handler, written, asked).await });
            }
        });
        endpoint
    }

    /// Counts connections and closes each at its first byte: for https, of which it need not speak more.
    pub async fn hanging_up(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = Self { address, connections: Arc::default(), written: Arc::default(), asked: Arc::default() };
        let connections = Arc::clone(&endpoint.connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                stream.read_u8().await.ok();
            }
        });
        endpoint
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks?key=hunter2", self.address)
    }

    /// The same port under another host name.
    pub fn url_at(&self, host: &str) -> String {
        format!("http://{host}:{}/hooks", self.address.port())
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Bytes of an endless body that were taken off its hands.
    pub fn written(&self) -> usize {
        self.written.load(Ordering::SeqCst)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    handler: Handler,
    written: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<Asked>>>,
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
            Reply::Endless { head, chunk, pause } => {
                stream.write_all(head.as_bytes()).await.ok()?;
                loop {
                    stream.write_all(&chunk).await.ok()?;
                    written.fetch_add(chunk.len(), Ordering::SeqCst);
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

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Asked> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        fill(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut asked = Asked { head, body: Vec::new() };
    let whole = end + asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < whole {
        fill(stream, buffer).await?;
    }
    asked.body = buffer[end..whole].to_vec();
    buffer.drain(..whole);
    Some(asked)
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let read = stream.read(&mut chunk).await.ok()?;
    buffer.extend_from_slice(&chunk[..read]);
    (read > 0).then_some(())
}

/// A whole answer with its length; `extra` are header lines that end in `\r\n`.
pub fn answer(status: &str, extra: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{extra}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

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

pub fn policy(rules: &[&str]) -> Policy {
    Policy::new(rules.iter().map(|rule| rule.parse().unwrap()).collect())
}

/// A sender that may speak to this endpoint by its address.
pub fn sender_for(endpoint: &Endpoint, limits: SendLimits) -> Sender {
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
    let endpoint = Endpoint::start(move |_| reply()).await;
    send(&sender_for(&endpoint, limits), &endpoint.url()).await
}

/// Gives one answer after the other, the last one for ever.
#[derive(Debug, Default)]
pub struct Answers {
    list: Mutex<VecDeque<Vec<IpAddr>>>,
    lookups: AtomicUsize,
}

impl Answers {
    pub fn new(list: &[&[&str]]) -> Arc<Self> {
        let list = list.iter().map(|ips| ips.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        Arc::new(Self { list: Mutex::new(list), lookups: AtomicUsize::new(0) })
    }

    pub fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolver for Answers {
    async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut list = self.list.lock().unwrap();
        let next = if list.len() > 1 { list.pop_front() } else { list.front().cloned() };
        next.ok_or_else(|| io::Error::other("no such name"))
    }
}

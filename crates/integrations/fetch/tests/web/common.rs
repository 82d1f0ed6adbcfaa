//! A small HTTP server that answers what a test wants, byte for byte, and a resolver that says what a test wants.

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
use galley_fetch::{FetchLimits, Fetcher, address::Policy, dns::Resolver};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub const AGENT: &str = "Galley/1.0 (+test)";

/// What to do with one request.
pub enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes; the connection stays open for the next request.
    Keep(Vec<u8>),
    /// The head, then `chunk` again and again until the client goes away.
    Endless { head: String, chunk: Vec<u8>, pause: Duration },
    /// Nothing, with the connection held open.
    Stall,
}

#[derive(Debug, Clone)]
pub struct Asked {
    /// The path with its query.
    pub path: String,
    /// The whole head, as received.
    pub head: String,
    pub body: String,
}

type Handler = Arc<dyn Fn(&Asked, SocketAddr) -> Reply + Send + Sync>;

/// Ends with the test's runtime.
pub struct Server {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    pub asked: Arc<Mutex<Vec<Asked>>>,
    pub written: Arc<AtomicUsize>,
}

impl Server {
    pub async fn start(handler: impl Fn(&Asked, SocketAddr) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), handler).await
    }

    pub async fn start_at(
        address: SocketAddr,
        handler: impl Fn(&Asked, SocketAddr) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, connections: Arc::default(), asked: Arc::default(), written: Arc::default() };
        let handler: Handler = Arc::new(handler);
        let (connections, asked, written) =
            (Arc::clone(&server.connections), Arc::clone(&server.asked), Arc::clone(&server.written));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (handler, asked, written) = (Arc::clone(&handler), Arc::clone(&asked), Arc::clone(&written));
                tokio::spawn(async move { serve(stream, address, handler, asked, written).await });
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The same port under another host name.
    pub fn url_at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.address.port())
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn paths(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.path.clone()).collect()
    }

    pub fn heads(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.head.clone()).collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    address: SocketAddr,
    handler: Handler,
    asked: Arc<Mutex<Vec<Asked>>>,
    written: Arc<AtomicUsize>,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let request = read_request(&mut stream, &mut buffer).await?;
        asked.lock().unwrap().push(request.clone());
        match handler(&request, address) {
            Reply::Bytes(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                stream.shutdown().await.ok()?;
                // Read to the end, so that closing does not reset what was just sent.
                let mut rest = [0; 1024];
                while stream.read(&mut rest).await.ok()? > 0 {}
                return None;
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
            Reply::Stall => {
                let mut rest = [0; 1024];
                while stream.read(&mut rest).await.ok()? > 0 {}
                return None;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Asked> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        fill(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    let whole = end + length.unwrap_or(0);
    while buffer.len() < whole {
        fill(stream, buffer).await?;
    }
    let body = String::from_utf8_lossy(&buffer[end..whole]).into_owned();
    buffer.drain(..whole);
    let path = head.split(' ').nth(1)?.to_owned();
    Some(Asked { path, head, body })
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let read = stream.read(&mut chunk).await.ok()?;
    buffer.extend_from_slice(&chunk[..read]);
    (read > 0).then_some(())
}

/// A whole answer with its length; `extra` are header lines that end in `\r\n`.
pub fn answer(status: &str, content_type: &str, extra: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n{extra}\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
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

pub fn policy(rules: &[&str]) -> Policy {
    Policy::new(rules.iter().map(|rule| rule.parse().unwrap()).collect())
}

/// A fetcher that may speak to this server by its address.
pub fn fetcher_for(server: &Server) -> Fetcher {
    Fetcher::new(limits(), policy(&[&server.address.to_string()]), AGENT).unwrap()
}

/// Gives one answer after the other, the last one for ever.
#[derive(Debug, Default)]
pub struct Answers {
    list: Mutex<VecDeque<Vec<IpAddr>>>,
    pub lookups: AtomicUsize,
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

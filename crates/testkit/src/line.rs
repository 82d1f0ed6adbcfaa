//! A line to the database that can swallow an answer: the server has committed, and nobody hears of it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

/// The end of a transaction as a client sends it.
const COMMIT: &[u8] = b"COMMIT\0";
const CHUNK: usize = 64 * 1024;

/// Passes bytes on between clients and the server until it is dropped.
#[derive(Debug)]
pub struct Line {
    pub url: String,
    swallow: Arc<AtomicUsize>,
    passing: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

impl Line {
    /// To the server of this address, whose `host` is the folder of its socket.
    pub fn to(url: &str) -> Self {
        let (base, query) = url.split_once('?').expect("the address names its socket");
        let host = query.split('&').find_map(|part| part.strip_prefix("host=")).expect("the address has a host");
        let folder = host.replace("%2F", "/").replace("%2f", "/");
        let dir = tempfile::tempdir().expect("a temporary folder");
        let port = base.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()).expect("the address has a port");
        let socket = format!(".s.PGSQL.{port}");
        let listener = UnixListener::bind(dir.path().join(&socket)).expect("a socket");
        let socket = Path::new(&folder).join(socket);
        let own = dir.path().to_string_lossy().replace('/', "%2F");
        let url = format!("{base}?{}", query.replace(host, &own));
        let swallow = Arc::new(AtomicUsize::new(0));
        let passing = tokio::spawn(accept(listener, socket, Arc::clone(&swallow)));
        Self { url, swallow, passing, _dir: dir }
    }

    /// The answers to this many commits from now on get lost, and their connections with them.
    pub fn swallow_commits(&self, count: usize) {
        self.swallow.store(count, Ordering::SeqCst);
    }

    /// Answers that are still to get lost.
    pub fn left(&self) -> usize {
        self.swallow.load(Ordering::SeqCst)
    }
}

async fn accept(listener: UnixListener, socket: PathBuf, swallow: Arc<AtomicUsize>) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = UnixStream::connect(&socket).await else { continue };
        tokio::spawn(pass(client, server, Arc::clone(&swallow)));
    }
}

/// Ends with either side, or with an answer that gets lost.
async fn pass(mut client: UnixStream, mut server: UnixStream, swallow: Arc<AtomicUsize>) {
    let (mut said, mut answered) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut lost = false;
    loop {
        tokio::select! {
            read = client.read(&mut said) => {
                let Some(bytes) = read.ok().filter(|count| *count > 0).map(|count| &said[..count]) else { return };
                if bytes.windows(COMMIT.len()).any(|word| word == COMMIT) {
                    let one = swallow.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                    lost = one.is_ok();
                }
                if server.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Some(bytes) = read.ok().filter(|count| *count > 0).map(|count| &answered[..count]) else { return };
                if lost || client.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}

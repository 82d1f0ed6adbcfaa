//! A way to Postgres over TCP on which, for a while, nothing passes: no byte, no error.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinHandle,
};

#[derive(Debug)]
pub struct Proxy {
    port: u16,
    until: watch::Sender<Option<Instant>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub async fn start(socket: PathBuf) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let until = watch::Sender::new(None);
        let stalled = until.subscribe();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (socket, stalled) = (socket.clone(), stalled.clone());
                tokio::spawn(async move {
                    // A server that is away is a connection that ends.
                    if let Ok(server) = UnixStream::connect(&socket).await {
                        carry(client, server, stalled).await;
                    }
                });
            }
        });
        Ok(Self { port, until, accepting })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn stall(&self, time: Duration) {
        self.until.send_replace(Some(Instant::now() + time));
    }

    pub fn heal(&self) {
        self.until.send_replace(None);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(client: TcpStream, server: UnixStream, stalled: watch::Receiver<Option<Instant>>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // The first direction that ends takes the other with it.
    tokio::select! {
        () = pour(from_client, to_server, stalled.clone()) => {}
        () = pour(from_server, to_client, stalled) => {}
    }
}

async fn pour(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut stalled: watch::Receiver<Option<Instant>>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        loop {
            let until = *stalled.borrow_and_update();
            let Some(left) = until.and_then(|until| until.checked_duration_since(Instant::now())) else { break };
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                changed = stalled.changed() => if changed.is_err() { return },
            }
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

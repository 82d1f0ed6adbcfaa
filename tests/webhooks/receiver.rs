//! Somebody's endpoint: real HTTP, answers as it is told, and remembers what came.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use poem::{
    EndpointExt, Request, Response, Server,
    endpoint::make,
    http::{HeaderMap, StatusCode},
    listener::{Acceptor, Listener, TcpListener},
};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::{sync::watch, task::JoinHandle, time::timeout};

/// What the endpoint does with a message.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16),
    Header(u16, &'static str, &'static str),
    Hang,
}

/// What came.
#[derive(Debug, Clone)]
pub struct Came {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub at: Instant,
}

#[derive(Debug)]
pub struct Receiver {
    pub url: String,
    came: Arc<watch::Sender<Vec<Came>>>,
    script: Arc<Mutex<(VecDeque<Reply>, Reply)>>,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub async fn new() -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = *acceptor.local_addr()[0].as_socket_addr().unwrap();
        let came: Arc<watch::Sender<Vec<Came>>> = Arc::default();
        let script = Arc::new(Mutex::new((VecDeque::new(), Reply::Status(200))));
        let (log, said) = (Arc::clone(&came), Arc::clone(&script));
        let answer = make(move |mut request: Request| {
            let (log, said) = (Arc::clone(&log), Arc::clone(&said));
            async move {
                let body = request.take_body().into_bytes().await?.to_vec();
                let headers = request.headers().clone();
                log.send_modify(|came| came.push(Came { headers, body, at: Instant::now() }));
                let reply = {
                    let mut said = said.lock().unwrap();
                    said.0.pop_front().unwrap_or_else(|| said.1.clone())
                };
                let status = |code| StatusCode::from_u16(code).unwrap();
                Ok::<_, poem::Error>(match reply {
                    Reply::Status(code) => Response::builder().status(status(code)).body("noted"),
                    Reply::Header(code, name, value) => {
                        Response::builder().status(status(code)).header(name, value).finish()
                    }
                    Reply::Hang => std::future::pending().await,
                })
            }
        });
        let server = Server::new_with_acceptor(acceptor).run(answer.map_to_response());
        let serving = tokio::spawn(async move { server.await.unwrap() });
        Self { url: format!("http://{address}/hooks?key=1"), came, script, serving }
    }

    /// The next answers; after them it is 200 again.
    pub fn says(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().0.extend(replies);
    }

    pub fn always(&self, reply: Reply) {
        self.script.lock().unwrap().1 = reply;
    }

    pub fn came(&self) -> Vec<Came> {
        self.came.borrow().clone()
    }

    pub async fn waits_for(&self, count: usize) -> Vec<Came> {
        let mut coming = self.came.subscribe();
        let waited = timeout(Duration::from_secs(60), coming.wait_for(|came| came.len() >= count)).await;
        match waited {
            Ok(came) => came.unwrap().clone(),
            Err(_) => panic!("{} of {count} messages came", self.came().len()),
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Came {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().unwrap()
    }

    pub fn signatures(&self) -> Vec<&str> {
        self.headers["webhook-signature"].to_str().unwrap().split(' ').collect()
    }

    /// As the library of the specification sees it.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let mut headers = HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name, self.headers[name].clone());
        }
        Webhook::new(secret).unwrap().verify(&self.body, &headers).is_ok()
    }
}

//! A client for HTTP/1.1 that costs little: what it computes, the server cannot.

use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

/// What is asked again and again.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub key: String,
    pub body: Bytes,
    pub content_type: String,
    pub expected: StatusCode,
}

impl Call {
    pub fn get(path: &str, key: &str) -> Self {
        let (path, key) = (path.to_owned(), key.to_owned());
        Self {
            method: Method::GET,
            path,
            key,
            body: Bytes::new(),
            content_type: "application/json".to_owned(),
            expected: StatusCode::OK,
        }
    }

    pub fn post(path: &str, key: &str, body: &str) -> Self {
        let body = Bytes::from(body.to_owned());
        Self { method: Method::POST, body, expected: StatusCode::ACCEPTED, ..Self::get(path, key) }
    }

    pub fn upload(key: &str, name: &str, bytes: &[u8]) -> Self {
        const BOUNDARY: &str = "a-boundary-that-no-file-here-has";
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: \
             application/octet-stream\r\n\r\n"
        );
        let body = [head.as_bytes(), bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat().into();
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        let expected = StatusCode::CREATED;
        Self { method: Method::POST, body, content_type, expected, ..Self::get("/api/v1/files", key) }
    }

    fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        if !self.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, &self.content_type);
        }
        Ok(request.body(Full::new(self.body.clone()))?)
    }
}

/// A connection to a port of this machine.
pub struct Line(SendRequest<Full<Bytes>>);

impl Line {
    pub async fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Its error is also the error of the call that it broke.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// The answer when its head is there.
    pub async fn begin(&mut self, call: &Call) -> anyhow::Result<Response<Incoming>> {
        self.0.ready().await?;
        let response = self.0.send_request(call.request()?).await?;
        if response.status() == call.expected {
            return Ok(response);
        }
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        anyhow::bail!("{} {} was answered {status}: {}", call.method, call.path, String::from_utf8_lossy(&body))
    }

    /// The status of an answer that may be any.
    pub async fn status(&mut self, call: &Call) -> anyhow::Result<StatusCode> {
        self.0.ready().await?;
        let response = self.0.send_request(call.request()?).await?;
        let status = response.status();
        response.into_body().collect().await?;
        Ok(status)
    }

    pub async fn ask(&mut self, call: &Call) -> anyhow::Result<Bytes> {
        Ok(self.begin(call).await?.into_body().collect().await?.to_bytes())
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Load {
    /// Answers in a second.
    pub rate: f64,
    /// Milliseconds of each answer.
    pub took: Vec<f64>,
}

/// Asks over so many connections for so long, each call after the answer to the last.
pub async fn load(port: u16, connections: usize, window: Duration, call: &Call) -> anyhow::Result<Load> {
    let mut lines = Vec::new();
    for _ in 0..connections {
        let mut line = Line::open(port).await?;
        line.ask(call).await.context("the first call")?;
        lines.push(line);
    }
    let began = Instant::now();
    let mut asking = JoinSet::new();
    for mut line in lines {
        let call = call.clone();
        asking.spawn(async move {
            let mut took = Vec::new();
            while began.elapsed() < window {
                let asked = Instant::now();
                line.ask(&call).await?;
                took.push(asked.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok(took)
        });
    }
    let mut load = Load::default();
    while let Some(took) = asking.join_next().await {
        load.took.extend(took??);
    }
    load.rate = load.took.len() as f64 / began.elapsed().as_secs_f64();
    Ok(load)
}

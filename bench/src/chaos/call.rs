//! Calls to the front, which comes and goes.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// One call. The body is left out when it is null.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub key: &'a str,
    pub body: &'a Value,
    pub idempotency: Option<&'a str>,
    /// How long the answer is waited for.
    pub patience: Duration,
}

#[derive(Debug)]
pub struct Front {
    http: Client<HttpConnector, Full<Bytes>>,
    port: u16,
}

impl Front {
    pub fn new(port: u16) -> Self {
        Self { http: Client::builder(TokioExecutor::new()).build_http(), port }
    }

    /// Status and body; none when the front could not be asked or did not answer.
    pub async fn ask(&self, call: Call<'_>) -> Option<(u16, Value)> {
        let Call { method, path, key, body, idempotency, patience } = call;
        let mut request = hyper::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{}{path}", self.port))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json");
        if let Some(idempotency) = idempotency {
            request = request.header("idempotency-key", idempotency);
        }
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = request.body(Full::new(body)).ok()?;
        let answered = async {
            let response = self.http.request(request).await.ok()?;
            let status = response.status().as_u16();
            let bytes = response.into_body().collect().await.ok()?.to_bytes();
            Some((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
        };
        tokio::time::timeout(patience, answered).await.ok()?
    }
}

//! A model and search server that answers well, or repeats what it was sent.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Server,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// How one call of a model, or one search, is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Good,
    /// A status, with everything that was sent in a body that is JSON.
    Repeats(u16),
    /// A status, with everything that was sent in a body that is text.
    Shouts(u16),
    /// A good status, and a body that is no answer and holds everything that was sent.
    Babbles,
    /// A good status, then an error inside of the stream of events.
    BreaksOff,
}

#[derive(Debug, Default)]
struct State {
    model: Mutex<VecDeque<Mood>>,
    search: Mutex<VecDeque<Mood>>,
    /// The `Authorization` of every call of a model.
    seen: Mutex<Vec<String>>,
}

pub struct Peer {
    pub port: u16,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Peer {
    pub async fn start() -> Self {
        let state = Arc::new(State::default());
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let port = acceptor.local_addr()[0].as_socket_addr().unwrap().port();
        let shared = Arc::clone(&state);
        let endpoint = poem::endpoint::make(move |request| answer(Arc::clone(&shared), request)).boxed();
        let serving = tokio::spawn(serve(acceptor, endpoint));
        Self { port, state, serving }
    }

    /// How the next calls of a model are answered; those after them well.
    pub fn model(&self, moods: impl IntoIterator<Item = Mood>) {
        self.state.model.lock().unwrap().extend(moods);
    }

    pub fn search(&self, moods: impl IntoIterator<Item = Mood>) {
        self.state.search.lock().unwrap().extend(moods);
    }

    /// What the calls of a model were authorized with.
    pub fn seen(&self) -> Vec<String> {
        self.state.seen.lock().unwrap().clone()
    }
}

async fn serve(acceptor: impl Acceptor + 'static, endpoint: impl Endpoint + 'static) {
    Server::new_with_acceptor(acceptor).run(endpoint).await.unwrap();
}

async fn answer(state: Arc<State>, mut request: Request) -> Response {
    let is_model = request.uri().path().ends_with("/chat/completions");
    let head: Vec<String> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let key = request.header("authorization").unwrap_or_default().to_owned();
    let body: Value = request.take_body().into_json().await.unwrap_or_default();
    let moods = if is_model { &state.model } else { &state.search };
    let mood = moods.lock().unwrap().pop_front().unwrap_or(Mood::Good);
    if is_model {
        state.seen.lock().unwrap().push(key.clone());
    }
    let bare = key.trim_start_matches("Bearer ");
    let said = format!("Incorrect API key provided: {bare}. You sent {}", head.join("; "));
    let error = json!({ "error": { "message": said, "type": "invalid_request", "code": bare, "param": bare } });
    let status = |number| StatusCode::from_u16(number).unwrap();
    match mood {
        Mood::Good if is_model => whole(&text(&body)).into_response(),
        Mood::Good => json!({ "results": [], "web": { "results": [] } }).to_string().into_response(),
        Mood::Repeats(number) => Response::builder().status(status(number)).body(error.to_string()),
        Mood::Shouts(number) => Response::builder().status(status(number)).body(said),
        Mood::Babbles => Response::builder().content_type("application/json").body(json!([said]).to_string()),
        Mood::BreaksOff => {
            Response::builder().content_type("text/event-stream").body(format!("data: {error}\n\ndata: [DONE]\n\n"))
        }
    }
}

fn whole(text: &str) -> Response {
    let choice = json!({ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" });
    let usage = json!({ "prompt_tokens": 100, "completion_tokens": 50 });
    let body = json!({ "choices": [choice], "usage": usage }).to_string();
    Response::builder().content_type("application/json").body(body)
}

/// What the prompt asks for, told by its schema.
fn text(body: &Value) -> String {
    let schema = &body["response_format"]["json_schema"]["schema"]["properties"];
    if schema["sections"].is_object() {
        let section = |heading| json!({ "heading": heading, "points": ["what is known"] });
        let sections = [section("How it is grown"), section("How it is roasted"), section("How it is brewed")];
        json!({ "title": "From harvest to kettle", "sections": sections }).to_string()
    } else if schema["description"].is_object() {
        json!({ "title": "From harvest to kettle", "description": "What growers do.", "keywords": ["harvest"] })
            .to_string()
    } else {
        "The growers beside the river follow the old harvest with care and patience. ".repeat(8)
    }
}

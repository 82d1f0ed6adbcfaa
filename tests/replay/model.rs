//! A model that writes from the excerpts that it is shown, adds one falsehood to each section, and repeats its key.

use std::sync::{Arc, Mutex};

use galley_testpeer::{Peer, Reply, Request};
use serde_json::{Value, json};

pub struct Model {
    peer: Peer,
    /// What is answered with a 503 the next time.
    failing: Arc<Mutex<Option<&'static str>>>,
    said: Arc<Mutex<String>>,
}

impl Model {
    pub async fn start() -> Self {
        let failing: Arc<Mutex<Option<&str>>> = Arc::default();
        let said = Arc::new(Mutex::new(String::new()));
        let (fails, says) = (Arc::clone(&failing), Arc::clone(&said));
        let peer = Peer::start(move |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let name = kind_of(&body);
            if fails.lock().unwrap().take_if(|one| *one == name).is_some() {
                return answer("503 Service Unavailable", &json!({ "error": { "message": "loading" } }));
            }
            let text = text(&name, request, &body);
            says.lock().unwrap().push_str(&text);
            let message = json!({ "role": "assistant", "content": text });
            let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
            answer("200 OK", &json!({ "choices": [choice], "usage": { "prompt_tokens": 90, "completion_tokens": 40 } }))
        })
        .await;
        Self { peer, failing, said }
    }

    pub fn url(&self) -> String {
        self.peer.url("/v1")
    }

    pub fn calls(&self) -> usize {
        self.peer.asked().len()
    }

    /// The key that came with each question, with its kind.
    pub fn keys(&self) -> Vec<(String, String)> {
        let key = |request: &Request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let key = request.header("authorization").unwrap_or_default().trim_start_matches("Bearer ").to_owned();
            (kind_of(&body), key)
        };
        self.peer.asked().iter().map(key).collect()
    }

    /// The next question of this kind is answered with a 503.
    pub fn fail_once(&self, kind: &'static str) {
        *self.failing.lock().unwrap() = Some(kind);
    }

    pub fn said(&self, words: &str) -> bool {
        self.said.lock().unwrap().contains(words)
    }
}

fn kind_of(body: &Value) -> String {
    body["response_format"]["json_schema"]["name"].as_str().unwrap_or("section").to_owned()
}

fn answer(status: &str, body: &Value) -> Reply {
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    Reply::Bytes((head + &body).into_bytes())
}

fn text(kind: &str, request: &Request, body: &Value) -> String {
    let section = |heading| json!({ "heading": heading, "points": ["what is known"] });
    match kind {
        "outline" => {
            let sections = [section("Growing and harvest"), section("Roasting and brewing")];
            json!({ "title": "Coffee from Sela Ridge", "sections": sections }).to_string()
        }
        "seo" => json!({
            "title": "Coffee from Sela Ridge",
            "description": "How Sela Ridge grows, roasts and brews its coffee.",
            "keywords": ["Sela Ridge"],
        })
        .to_string(),
        "judge" => {
            let asked = body["messages"].to_string().matches("Pair ").count();
            let said = |number| json!({ "number": number, "answer": if number == 1 { "no" } else { "yes" } });
            json!({ "pairs": (1..=asked).map(said).collect::<Vec<_>>() }).to_string()
        }
        "correct" => json!({ "sentences": [{ "number": 1, "text": "Sela Ridge grows coffee." }] }).to_string(),
        _ => {
            let prompt = body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
            let key = request.header("authorization").unwrap_or_default().trim_start_matches("Bearer ");
            format!("{}\n\nThe cooperative sold 9 million bags in 1887. Its password is {key}.", prose(prompt))
        }
    }
}

/// The paragraphs of the excerpts, in words that are not all theirs.
fn prose(prompt: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in prompt.lines() {
        match line {
            _ if line.starts_with("<excerpt") => inside = true,
            _ if line.starts_with("</excerpt") => inside = false,
            _ if inside && line.ends_with('.') && !line.starts_with(['#', '-', '|']) && !kept.contains(&line) => {
                kept.push(line);
            }
            _ => {}
        }
    }
    kept.iter().map(|line| line.replacen(" and ", " as well as ", 1)).collect::<Vec<_>>().join("\n\n")
}

//! The blog that articles are published to: a WordPress that counts, fails as sites do a share of the time, and is stopped now
//! and then.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use galley_testpeer::wordpress::{FakeWordPress, Like, Trouble};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use uuid::Uuid;

/// The pause before the port is asked for again that somebody else has.
const AGAIN: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_millis(100);
/// What precedes the article's number in the comment that marks its post.
const MARK: &str = "<!-- galley:";

/// How often each trouble was met, by its name.
pub type Met = BTreeMap<&'static str, u32>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub id: String,
    /// As WordPress calls it, such as `publish` or `trash`.
    pub status: String,
    /// The article that its mark names.
    pub article: Option<Uuid>,
}

/// A picture there, by what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub id: String,
    pub hash: u64,
}

/// What stands at the blog.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub posts: Vec<Post>,
    pub media: Vec<Media>,
    pub met: Met,
    /// Times that it was stopped.
    pub stops: u32,
}

#[derive(Default)]
struct State {
    /// So many of a hundred requests meet a trouble.
    bad: AtomicU8,
    met: Mutex<Met>,
    /// Requests that are not answered yet, with idle connections.
    connections: AtomicUsize,
}

/// Reached by a port of its own, which refuses connections while it is stopped.
pub struct Blog {
    site: FakeWordPress,
    state: Arc<State>,
    port: u16,
    runs: watch::Sender<bool>,
    stops: u32,
    starting: Option<JoinHandle<()>>,
    gate: JoinHandle<()>,
}

impl Blog {
    pub async fn start(seed: u64) -> anyhow::Result<Self> {
        let site = FakeWordPress::start(Like::default()).await;
        let state = Arc::new(State::default());
        let (shared, mut random) = (Arc::clone(&state), fastrand::Rng::with_seed(seed.wrapping_mul(131)));
        site.choose_troubles(move |method, route| {
            let is_bad = random.u8(0..100) < shared.bad.load(Ordering::Relaxed);
            let (name, trouble) = is_bad.then(|| any_trouble(&mut random, method, route))?;
            *shared.met.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
            Some(trouble)
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let runs = watch::Sender::new(true);
        let gate = tokio::spawn(gate(listener, site.peer().address, runs.subscribe(), Arc::clone(&state)));
        Ok(Self { site, state, port, runs, stops: 0, starting: None, gate })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn mood(&self, bad: u8) {
        self.state.bad.store(bad, Ordering::Relaxed);
    }

    /// Connections are cut and refused for so long; a further stop makes it longer.
    pub fn stop(&mut self, time: Duration) {
        self.stops += 1;
        if let Some(starting) = self.starting.take() {
            starting.abort();
        }
        self.runs.send_replace(false);
        let runs = self.runs.clone();
        self.starting = Some(tokio::spawn(async move {
            tokio::time::sleep(time).await;
            runs.send_replace(true);
        }));
    }

    /// It runs, and fails no more.
    pub fn heal(&mut self) {
        self.mood(0);
        if let Some(starting) = self.starting.take() {
            starting.abort();
        }
        self.runs.send_replace(true);
    }

    /// Waits until nobody is connected any more.
    pub async fn alone(&self, limit: Duration) {
        let quiet = async {
            while self.state.connections.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        // Whoever keeps a connection open for longer asks nothing by it.
        let _ = tokio::time::timeout(limit, quiet).await;
    }

    pub fn found(&self) -> Found {
        Found {
            posts: self.site.posts().iter().map(post).collect(),
            media: self.site.media().iter().map(media).collect(),
            met: self.state.met.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            stops: self.stops,
        }
    }
}

impl Drop for Blog {
    fn drop(&mut self) {
        self.gate.abort();
    }
}

fn post(post: &Value) -> Post {
    let content = post["content"]["raw"].as_str().unwrap_or_default();
    let mark = content.rfind(MARK).map(|at| &content[at + MARK.len()..]);
    Post {
        id: post["id"].to_string(),
        status: post["status"].as_str().unwrap_or_default().to_owned(),
        article: mark.and_then(|mark| mark.split(':').next()?.parse().ok()),
    }
}

fn media(media: &Value) -> Media {
    Media { id: media["id"].to_string(), hash: media["hash"].as_u64().unwrap_or_default() }
}

/// What befalls a request, with its name.
fn any_trouble(random: &mut fastrand::Rng, method: &str, route: &str) -> (&'static str, Trouble) {
    let is_upload = method == "POST" && route.starts_with("wp/v2/media");
    match random.u8(0..100) {
        0..20 => ("answer lost", Trouble::AnswerLost),
        20..35 => ("half an answer", Trouble::AnswerCut),
        35..50 => ("500 and done", Trouble::ErrorAfter),
        50..60 => ("200 with a page", Trouble::Page),
        60..70 if is_upload => {
            ("413", Trouble::Status("413 Content Too Large", "Content-Type: text/html\r\n", "<h1>Too large</h1>"))
        }
        60..70 => ("503", Trouble::Status("503 Service Unavailable", "Retry-After: 1\r\n", "Busy")),
        70..74 => ("redirect", Trouble::Status("302 Found", "Location: https://elsewhere.example/\r\n", "")),
        74..78 => ("no answer", Trouble::Stall),
        // The longest outlast the client's patience of ten seconds.
        78..92 => ("late answer", Trouble::Late(Duration::from_millis(random.u64(300..12_000)))),
        _ => ("notices", Trouble::Notices),
    }
}

async fn gate(listener: TcpListener, site: std::net::SocketAddr, mut runs: watch::Receiver<bool>, state: Arc<State>) {
    let Ok(here) = listener.local_addr() else { return };
    let mut open = Some(listener);
    loop {
        let Some(listener) = open.take() else {
            if runs.wait_for(|runs| *runs).await.is_err() {
                return;
            }
            match TcpListener::bind(here).await {
                Ok(listener) => open = Some(listener),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
            continue;
        };
        let carried = runs.clone();
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    tokio::spawn(carry(client, site, carried, Arc::clone(&state)));
                }
                open = Some(listener);
            }
            stopped = runs.wait_for(|runs| !*runs) => if stopped.is_err() { return },
        }
    }
}

async fn carry(mut client: TcpStream, site: std::net::SocketAddr, mut runs: watch::Receiver<bool>, state: Arc<State>) {
    state.connections.fetch_add(1, Ordering::Relaxed);
    if let Ok(mut site) = TcpStream::connect(site).await {
        tokio::select! {
            // A connection that ends in an error has ended.
            _ = tokio::io::copy_bidirectional(&mut client, &mut site) => {}
            _ = runs.wait_for(|runs| !*runs) => {}
        }
    }
    state.connections.fetch_sub(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_post_is_known_by_its_mark() {
        let article = Uuid::from_u128(7);
        let content =
            format!("<p>x</p>\n<!-- wp:html -->\n<!-- galley:{}:v3:abc:e -->\n<!-- /wp:html -->", article.simple());
        let found = post(&json!({ "id": 12, "status": "draft", "content": { "raw": content } }));
        assert_eq!(found, Post { id: "12".into(), status: "draft".into(), article: Some(article) });
        assert_eq!(post(&json!({ "id": 1, "content": { "raw": "<p>theirs</p>" } })).article, None);
    }

    #[tokio::test]
    async fn it_can_be_stopped_and_comes_back_under_its_address() {
        let mut blog = Blog::start(1).await.expect("started");
        let there = ("127.0.0.1", blog.port());
        drop(TcpStream::connect(there).await.expect("it runs"));
        blog.stop(Duration::from_secs(60));
        while TcpStream::connect(there).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        blog.heal();
        while TcpStream::connect(there).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(blog.found().stops, 1);
    }

    #[test]
    fn every_trouble_comes_and_only_uploads_are_too_large() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut names = |method, route| -> Vec<&str> {
            let mut names: Vec<_> = (0..500).map(|_| any_trouble(&mut random, method, route).0).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let (posts, media) = (names("POST", "wp/v2/posts"), names("POST", "wp/v2/media"));
        assert_eq!((posts.len(), media.len()), (9, 9));
        assert!(media.contains(&"413") && !posts.contains(&"413"));
    }
}

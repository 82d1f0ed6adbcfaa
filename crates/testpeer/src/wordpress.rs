//! A WordPress that keeps what it is sent, as far as its REST interface is used: posts, media, terms, the trash, names that
//! are taken. It counts, and a test can make it fail in the ways that sites fail.

mod state;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use state::{Call, State};

use crate::{Peer, Reply, Request};

pub const USER: &str = "editor";
pub const PASSWORD: &str = "abcd efgh ijkl mnop";

/// How the site fails one request.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// It is done, and the connection is closed without an answer.
    AnswerLost,
    /// It is done, and half of the answer comes.
    AnswerCut,
    /// It is done, and a plugin fails afterwards.
    ErrorAfter,
    /// Nothing is done; a page with status 200.
    Page,
    /// Nothing is done; this status with these header lines (each with `\r\n`) and this body.
    Status(&'static str, &'static str, &'static str),
    /// Nothing is done, and nothing is answered while the client waits.
    Stall,
    /// It is done, and notices of PHP stand before the data.
    Notices,
    /// It is done, and the answer takes so long.
    Late(Duration),
}

/// Decides by a request's method and route which trouble it meets.
type Choice = Box<dyn FnMut(&str, &str) -> Option<Trouble> + Send>;

/// Requests that a trouble is for.
#[derive(Debug, Clone)]
struct Expected {
    method: &'static str,
    route: &'static str,
    trouble: Trouble,
}

/// What a site is like.
#[derive(Debug, Clone)]
pub struct Like {
    /// Without them, the interface is behind `?rest_route=` only.
    pub has_pretty_permalinks: bool,
    pub namespaces: Vec<&'static str>,
    pub role: &'static str,
    pub capabilities: Vec<&'static str>,
    /// Keys of `meta` that are open for REST.
    pub meta_keys: Vec<&'static str>,
    /// Taken, and not kept.
    pub forgets_meta: bool,
    /// An index of its own that knows no post yet.
    pub search_is_late: bool,
    /// It catches up when a post is made.
    pub search_wakes: bool,
    /// Its search finds no category and no tag.
    pub hides_terms: bool,
    /// The plugin that brings the editor of old is on, and the user may see plugins.
    pub has_classic_editor: bool,
    /// Where the home page says that the interface is, instead of where it is.
    pub links_to: Option<String>,
    /// A plugin closes the interface to those who are not logged in.
    pub is_closed_to_strangers: bool,
    /// A plugin gives each upload a file name of its own.
    pub renames_uploads: bool,
    /// Its clock, in UTC.
    pub now: &'static str,
    /// Somebody else's upload of the same bytes is done just before the next one.
    pub races_upload: bool,
    /// Larger uploads are refused, in bytes.
    pub max_upload: usize,
}

impl Default for Like {
    fn default() -> Self {
        Self {
            has_pretty_permalinks: true,
            namespaces: vec!["oembed/1.0", "wp/v2", "wp-block-editor/v1"],
            role: "editor",
            capabilities: vec!["edit_posts", "publish_posts", "upload_files", "manage_categories"],
            meta_keys: Vec::new(),
            forgets_meta: false,
            search_is_late: false,
            search_wakes: false,
            hides_terms: false,
            has_classic_editor: false,
            links_to: None,
            is_closed_to_strangers: false,
            renames_uploads: false,
            now: "2026-11-29T12:00:00",
            races_upload: false,
            max_upload: usize::MAX,
        }
    }
}

/// Cloned, it is the same site.
#[derive(Clone)]
pub struct FakeWordPress {
    peer: Arc<Peer>,
    state: Arc<Mutex<State>>,
    troubles: Arc<Mutex<VecDeque<Expected>>>,
    choice: Arc<Mutex<Option<Choice>>>,
}

impl FakeWordPress {
    pub async fn start(like: Like) -> Self {
        let state = Arc::new(Mutex::new(State::new(like)));
        let troubles: Arc<Mutex<VecDeque<Expected>>> = Arc::default();
        // As it is shown, and without the blanks: WordPress takes both.
        let encoded = |password: &str| format!("Basic {}", STANDARD.encode(format!("{USER}:{password}")));
        let logins = [encoded(PASSWORD), encoded(&PASSWORD.replace(' ', ""))];
        let choice: Arc<Mutex<Option<Choice>>> = Arc::default();
        let (site, waiting, chosen) = (Arc::clone(&state), Arc::clone(&troubles), Arc::clone(&choice));
        let peer = Peer::start(move |request| {
            let mut site = site.lock().unwrap();
            site.address.clone_from(&format!("http://{}", request.header("host").unwrap_or_default()));
            let call = Call::read(request, &logins);
            let trouble = take(&mut waiting.lock().unwrap(), &call).or_else(|| {
                let mut choice = chosen.lock().unwrap();
                choice.as_mut()?(&call.method, call.route.as_deref()?)
            });
            answered(&mut site, &call, trouble, request)
        })
        .await;
        Self { peer: Arc::new(peer), state, troubles, choice }
    }

    pub fn url(&self) -> String {
        self.peer.url("")
    }

    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The next request of this method to a route that begins so meets this trouble.
    pub fn trouble(&self, method: &'static str, route: &'static str, trouble: Trouble) {
        self.troubles.lock().unwrap().push_back(Expected { method, route, trouble });
    }

    /// From now on each request to the interface asks this which trouble it meets, unless [`Self::trouble`] has one for it.
    pub fn choose_troubles(&self, choice: impl FnMut(&str, &str) -> Option<Trouble> + Send + 'static) {
        *self.choice.lock().unwrap() = Some(Box::new(choice));
    }

    /// Troubles that nobody has met yet.
    pub fn waiting(&self) -> usize {
        self.troubles.lock().unwrap().len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// All posts, also those in the trash.
    pub fn posts(&self) -> Vec<Value> {
        self.state().posts.values().cloned().collect()
    }

    pub fn media(&self) -> Vec<Value> {
        self.state().media.values().cloned().collect()
    }

    /// `categories` or `tags`.
    pub fn terms(&self, taxonomy: &str) -> Vec<Value> {
        let site = self.state();
        site.terms.values().filter(|term| term["taxonomy"] == taxonomy).cloned().collect()
    }

    /// What somebody does there by hand.
    pub fn edit(&self, post: u64, change: impl FnOnce(&mut Value)) {
        change(self.state().posts.get_mut(&post).unwrap());
    }

    /// Somebody describes a picture there.
    pub fn describe(&self, media: u64, alt: &str) {
        self.state().media.get_mut(&media).unwrap()["alt_text"] = alt.into();
    }

    /// Somebody writes a post there.
    pub fn write(&self, slug: &str, content: &str) -> u64 {
        self.state().insert_post(&json!({ "slug": slug, "content": content, "status": "publish", "title": "Theirs" }))
    }

    /// Somebody makes a page there.
    pub fn write_page(&self, slug: &str, content: &str) -> u64 {
        let page = json!({ "slug": slug, "content": content, "status": "publish", "title": "A page", "type": "page" });
        self.state().insert_post(&page)
    }

    /// A request that was given up for lost is carried out after all: the post is made a second time, with a name of its own.
    pub fn make_again(&self, post: u64) -> u64 {
        let mut site = self.state();
        let again = site.posts[&post].clone();
        site.insert_copy(again)
    }

    /// The site's clockwork: what is due is published.
    pub fn run_cron(&self) {
        self.state().publish_due();
    }

    /// Somebody writes below a picture there.
    pub fn caption(&self, media: u64, caption: &str) {
        self.state().media.get_mut(&media).unwrap()["caption"] = caption.into();
    }

    /// As [`Like`], from now on.
    pub fn change(&self, change: impl FnOnce(&mut Like)) {
        change(&mut self.state().like);
    }
}

fn take(waiting: &mut VecDeque<Expected>, call: &Call) -> Option<Trouble> {
    let at = waiting.iter().position(|expected| {
        expected.method == call.method && call.route.as_deref().is_some_and(|route| route.starts_with(expected.route))
    })?;
    waiting.remove(at).map(|expected| expected.trouble)
}

fn answered(site: &mut State, call: &Call, trouble: Option<Trouble>, request: &Request) -> Reply {
    match trouble {
        Some(Trouble::Stall) => return Reply::Stall(Vec::new()),
        Some(Trouble::Page) => {
            return page("200 OK", "", "<title>One moment, please</title><p>Checking your browser</p>");
        }
        Some(Trouble::Status(status, headers, body)) => return page(status, headers, body),
        _ => {}
    }
    let (status, headers, body) = match &call.route {
        Some(_) => {
            let (status, headers, json) = site.answer(call, request);
            (status, headers, json.to_string())
        }
        None => return home(site, &call.path),
    };
    let bytes = crate::answer(status, &format!("Content-Type: application/json\r\n{headers}"), body.as_bytes());
    match trouble {
        Some(Trouble::AnswerLost) => Reply::Bytes(Vec::new()),
        Some(Trouble::AnswerCut) => Reply::Bytes(bytes[..bytes.len() - body.len() / 2].to_vec()),
        Some(Trouble::ErrorAfter) => {
            page("500 Internal Server Error", "", "<p>There has been a critical error on this website.</p>")
        }
        Some(Trouble::Notices) => {
            let body = format!("<br />\n<b>Warning</b>: Undefined array key \"x\" [in] {{plugin}}\n{body}");
            Reply::Keep(crate::answer(status, &headers, body.as_bytes()))
        }
        Some(Trouble::Late(time)) => Reply::Late(time, bytes),
        _ => Reply::Keep(bytes),
    }
}

fn page(status: &str, headers: &str, body: &str) -> Reply {
    Reply::Keep(crate::answer(status, &format!("Content-Type: text/html\r\n{headers}"), body.as_bytes()))
}

/// Pages of the site: the home page names the interface, those of posts say what search engines are told.
fn home(site: &State, path: &str) -> Reply {
    let address = &site.address;
    let rest = if site.like.has_pretty_permalinks { "/wp-json/" } else { "/?rest_route=/" };
    let rest = site.like.links_to.clone().unwrap_or_else(|| format!("{address}{rest}"));
    let link = format!("Link: <{rest}>; rel=\"https://api.w.org/\"\r\n");
    let slug = path.trim_matches('/');
    if slug.is_empty() {
        return page("200 OK", &link, "<meta name=\"generator\" content=\"WordPress 6.9.7\" /><h1>Home</h1>");
    }
    let shown = site.posts.values().find(|post| post["slug"] == slug && post["status"] == "publish");
    match shown {
        Some(post) => {
            let head = site.heads.get(&post["id"].as_u64().unwrap_or_default()).cloned().unwrap_or_default();
            page("200 OK", &link, &format!("<html><head>{head}</head><body>{}</body></html>", post["content"]["raw"]))
        }
        None => page("404 Not Found", &link, "<title>Page not found</title>"),
    }
}

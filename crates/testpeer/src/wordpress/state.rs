//! What the site has, and its answers.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use chrono::{NaiveDateTime, TimeDelta};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Like, USER};
use crate::Request;

/// Of everything, as in WordPress.
const STATUSES: [&str; 6] = ["publish", "future", "draft", "pending", "private", "trash"];

/// A request, read.
pub(super) struct Call {
    pub method: String,
    pub path: String,
    /// Behind the interface's address; `None` for pages.
    pub route: Option<String>,
    pub query: HashMap<String, String>,
    pub is_known: bool,
}

impl Call {
    pub fn read(request: &Request, logins: &[String]) -> Self {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let plain = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let query: HashMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (plain(key), plain(value)))
            .collect();
        let pretty = path.strip_prefix("/wp-json/").map(str::to_owned);
        let route = pretty.or_else(|| Some(query.get("rest_route")?.trim_start_matches('/').to_owned()));
        Self {
            method: request.head.split(' ').next().unwrap_or_default().to_owned(),
            path: path.to_owned(),
            route,
            query,
            is_known: logins.iter().any(|login| request.header("authorization") == Some(login)),
        }
    }

    fn asks(&self, key: &str) -> Option<&str> {
        self.query.get(key).map(String::as_str)
    }
}

type Answered = (&'static str, String, Value);

pub(super) struct State {
    pub like: Like,
    pub address: String,
    pub posts: BTreeMap<u64, Value>,
    pub media: BTreeMap<u64, Value>,
    pub terms: BTreeMap<u64, Value>,
    /// What plugins write into the heads of pages, by post.
    pub heads: HashMap<u64, String>,
    next: u64,
}

fn ok(json: Value) -> Answered {
    ("200 OK", "X-WP-TotalPages: 1\r\n".to_owned(), json)
}

/// A page of a list, as WordPress counts them.
fn paged(call: &Call, list: Value) -> Answered {
    let items = list.as_array().cloned().unwrap_or_default();
    let asked = |key: &str, default: usize| call.asks(key).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (page, size) = (asked("page", 1).max(1), asked("per_page", 10).max(1));
    let (total, pages) = (items.len(), items.len().div_ceil(size));
    if page > pages.max(1) {
        return refused(
            "400 Bad Request",
            "rest_post_invalid_page_number",
            "The page number is larger than all pages.",
        );
    }
    let shown: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    ("200 OK", format!("X-WP-Total: {total}\r\nX-WP-TotalPages: {pages}\r\n"), shown.into())
}

fn kinds(kind: &str) -> Value {
    match kind {
        "types" => json!({
            "post": { "name": "Posts", "rest_base": "posts", "rest_namespace": "wp/v2", "viewable": true },
            "page": { "name": "Pages", "rest_base": "pages", "rest_namespace": "wp/v2", "viewable": true },
            "attachment": { "name": "Media", "rest_base": "media", "rest_namespace": "wp/v2", "viewable": true },
            "wp_block": { "name": "Patterns", "rest_base": "blocks", "rest_namespace": "wp/v2", "viewable": false },
        }),
        _ => json!({
            "category": { "name": "Categories", "rest_base": "categories", "rest_namespace": "wp/v2" },
            "post_tag": { "name": "Tags", "rest_base": "tags", "rest_namespace": "wp/v2" },
            "wp_pattern_category": { "name": "Pattern Categories", "rest_base": "wp_pattern_category" },
        }),
    }
}

/// A picture as its readers see it.
fn shown(media: &Value) -> Value {
    let mut shown = media.clone();
    let caption = media["caption"].as_str().unwrap_or_default();
    let caption = if caption.is_empty() { String::new() } else { format!("<p>{caption}</p>\n") };
    (shown["title"], shown["caption"]) = (json!({ "rendered": media["title"] }), json!({ "rendered": caption }));
    shown
}

fn refused(status: &'static str, code: &str, message: &str) -> Answered {
    let number: u64 = status[..3].parse().unwrap();
    (status, String::new(), json!({ "code": code, "message": message, "data": { "status": number } }))
}

impl State {
    pub fn new(like: Like) -> Self {
        Self {
            like,
            address: String::new(),
            posts: BTreeMap::new(),
            media: BTreeMap::new(),
            terms: BTreeMap::from([(
                1,
                json!({"id": 1, "name": "Uncategorized", "slug": "uncategorized", "parent": 0, "taxonomy": "categories"}),
            )]),
            heads: HashMap::new(),
            next: 1,
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub fn answer(&mut self, call: &Call, request: &Request) -> Answered {
        let route = call.route.as_deref().unwrap_or_default();
        if !self.like.has_pretty_permalinks && call.path.starts_with("/wp-json") {
            return refused("404 Not Found", "", "");
        }
        if self.like.is_closed_to_strangers && !call.is_known {
            return refused("401 Unauthorized", "rest_login_required", "REST API restricted to authenticated users.");
        }
        if route.is_empty() {
            let json =
                json!({ "name": "A &amp; B", "namespaces": self.like.namespaces, "timezone_string": "Europe/Vienna" });
            return ("200 OK", "Date: Sun, 29 Nov 2026 12:00:00 GMT\r\n".to_owned(), json);
        }
        if !call.is_known {
            return refused("401 Unauthorized", "rest_not_logged_in", "You are not currently logged in.");
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let parts: Vec<&str> = route.split('/').collect();
        match (call.method.as_str(), parts.as_slice()) {
            ("GET", ["wp", "v2", "users", "me"]) => {
                let capabilities: HashMap<_, _> = self.like.capabilities.iter().map(|name| (*name, true)).collect();
                ok(json!({ "id": 2, "name": USER, "roles": [self.like.role], "capabilities": capabilities }))
            }
            ("GET", ["wp", "v2", kind @ ("posts" | "pages")]) => paged(call, self.list_posts(kind, call)),
            ("GET", ["wp", "v2", kind @ ("types" | "taxonomies")]) => ok(kinds(kind)),
            ("POST", ["wp", "v2", "posts"]) => self.make_post(&body),
            ("GET", ["wp", "v2", "posts", id]) => self.with_post(id, |_, post| ok(post.clone())),
            ("POST", ["wp", "v2", "posts", id]) => self.change_post(id, &body),
            ("DELETE", ["wp", "v2", "posts", id]) => self.delete_post(id, call.asks("force") == Some("true")),
            ("GET", ["wp", "v2", "media"]) => paged(call, self.list_media(call)),
            ("POST", ["wp", "v2", "media"]) => self.make_media(call, request),
            ("GET" | "POST" | "DELETE", ["wp", "v2", "media", id]) => self.one_media(call, id, &body),
            ("GET", ["wp", "v2", kind @ ("categories" | "tags")]) => paged(call, self.list_terms(kind, call)),
            ("POST", ["wp", "v2", kind @ ("categories" | "tags")]) => self.make_term(kind, &body),
            ("POST", ["rankmath", "v1", "updateMeta"]) if self.like.namespaces.contains(&"rankmath/v1") => {
                self.rank_math(&body)
            }
            ("GET", ["wp", "v2", "plugins", "classic-editor", ..]) if self.like.has_classic_editor => {
                ok(json!({ "status": "active" }))
            }
            ("GET", ["wp", "v2", "plugins", ..]) => refused("403 Forbidden", "rest_cannot_view_plugins", "Sorry."),
            _ => refused("404 Not Found", "rest_no_route", "No route was found."),
        }
    }

    fn list_posts(&self, kind: &str, call: &Call) -> Value {
        let statuses = call.asks("status").unwrap_or("publish");
        let slugs: Option<Vec<&str>> = call.asks("slug").map(|slugs| slugs.split(',').collect());
        let word = call.asks("search");
        let found = self.posts.values().filter(|post| {
            let text = |key: &str| post[key]["raw"].as_str().unwrap_or_default().to_owned();
            let is_page = post["type"] == "page";
            is_page == (kind == "pages")
                && statuses.split(',').any(|status| post["status"] == status)
                && slugs.as_ref().is_none_or(|slugs| slugs.iter().any(|slug| post["slug"] == *slug))
                && call.asks("before").is_none_or(|before| {
                    // Without a zone it is the site's own time, an hour ahead of UTC in winter.
                    let local = |utc: &str| utc.parse::<NaiveDateTime>().unwrap() + TimeDelta::hours(1);
                    let date = post["date_gmt"].as_str().unwrap();
                    match before.strip_suffix('Z') {
                        Some(before) => date < before,
                        None => local(date) < before.parse().unwrap(),
                    }
                })
                && word.is_none_or(|word| {
                    !self.like.search_is_late && (text("content").contains(word) || text("title").contains(word))
                })
        });
        found.cloned().collect()
    }

    fn with_post(&mut self, id: &str, work: impl FnOnce(&mut Self, &mut Value) -> Answered) -> Answered {
        let id: u64 = id.parse().unwrap_or_default();
        let Some(mut post) = self.posts.remove(&id) else {
            return refused("404 Not Found", "rest_post_invalid_id", "Invalid post ID.");
        };
        let answered = work(self, &mut post);
        self.posts.insert(id, post);
        answered
    }

    fn make_post(&mut self, body: &Value) -> Answered {
        if body["status"] == "publish" && !self.like.capabilities.contains(&"publish_posts") {
            return refused("403 Forbidden", "rest_cannot_publish", "Sorry, you are not allowed to publish posts.");
        }
        let id = self.insert_post(body);
        self.like.search_is_late &= !self.like.search_wakes;
        ("201 Created", String::new(), self.posts[&id].clone())
    }

    pub fn insert_post(&mut self, body: &Value) -> u64 {
        let id = self.number();
        let meta: Value = self.like.meta_keys.iter().map(|key| ((*key).to_owned(), json!(""))).collect();
        let mut post = json!({
            "id": id, "slug": "", "status": "draft", "link": "", "date_gmt": self.like.now,
            "title": { "raw": "" }, "content": { "raw": "" }, "excerpt": { "raw": "" },
            "categories": [1], "tags": [], "featured_media": 0, "meta": meta, "password": "",
        });
        if self.like.namespaces.contains(&"aioseo/v1") {
            post["aioseo_meta_data"] = json!([]);
        }
        self.posts.insert(id, post);
        self.change_post(&id.to_string(), body);
        id
    }

    pub fn insert_copy(&mut self, mut post: Value) -> u64 {
        let id = self.number();
        (post["id"], post["slug"]) = (id.into(), self.free_slug(post["slug"].as_str().unwrap_or_default()).into());
        self.posts.insert(id, post);
        id
    }

    pub fn publish_due(&mut self) {
        let now = self.like.now;
        let is_due = |post: &Value| post["status"] == "future" && post["date_gmt"].as_str().unwrap() <= now;
        for post in self.posts.values_mut().filter(|post| is_due(post)) {
            post["status"] = "publish".into();
            post["link"] = format!("{}/{}/", self.address, post["slug"].as_str().unwrap_or_default()).into();
        }
    }

    fn change_post(&mut self, id: &str, body: &Value) -> Answered {
        self.with_post(id, |state, post| {
            for (key, value) in body.as_object().into_iter().flatten() {
                match key.as_str() {
                    "title" | "content" | "excerpt" => post[key] = json!({ "raw": value }),
                    "slug" => post["slug"] = state.free_slug(value.as_str().unwrap_or_default()).into(),
                    "meta" => state.take_meta(post, value),
                    "aioseo_meta_data" if state.like.forgets_meta || post.get(key).is_none() => {}
                    "date_gmt" if value.is_null() => post[key] = state.like.now.into(),
                    "status" if !STATUSES.iter().any(|known| value == known) => {
                        return refused("400 Bad Request", "rest_invalid_param", "Invalid parameter(s): status");
                    }
                    _ => post[key] = value.clone(),
                }
            }
            // Status and date are one thing there: what is dated ahead waits, what waits and is due is published.
            let is_ahead = post["date_gmt"].as_str().unwrap() > state.like.now;
            match post["status"].as_str() {
                Some("publish") if is_ahead => post["status"] = "future".into(),
                Some("future") if !is_ahead => post["status"] = "publish".into(),
                _ => {}
            }
            let link = if post["status"] == "publish" {
                format!("/{}/", post["slug"].as_str().unwrap_or_default())
            } else {
                format!("/?p={}", post["id"])
            };
            post["link"] = format!("{}{link}", state.address).into();
            ok(post.clone())
        })
    }

    fn take_meta(&self, post: &mut Value, meta: &Value) {
        for (key, value) in meta.as_object().into_iter().flatten() {
            if self.like.meta_keys.contains(&key.as_str()) && !self.like.forgets_meta {
                post["meta"][key] = value.as_str().unwrap_or_default().replace('&', "&amp;").into();
            }
        }
    }

    /// Rank Math shows what it has in the heads of pages.
    fn rank_math(&mut self, body: &Value) -> Answered {
        let id = body["objectID"].as_u64().unwrap_or_default();
        if !self.like.forgets_meta {
            let word = |key: &str| body["meta"][key].as_str().unwrap_or_default().replace('&', "&amp;");
            let (title, description) = (word("rank_math_title"), word("rank_math_description"));
            let head = format!("<title>{title}</title><meta name=\"description\" content=\"{description}\"/>");
            self.heads.insert(id, head);
        }
        ok(json!({ "slug": true }))
    }

    fn delete_post(&mut self, id: &str, for_good: bool) -> Answered {
        let answered = self.with_post(id, |_, post| {
            if !for_good && post["status"] == "trash" {
                return refused("410 Gone", "rest_already_trashed", "The post has already been deleted.");
            }
            post["status"] = "trash".into();
            post["slug"] =
                format!("{}__trashed", post["slug"].as_str().unwrap_or_default().replace("__trashed", "")).into();
            ok(post.clone())
        });
        if for_good {
            self.posts.remove(&id.parse().unwrap_or_default());
        }
        answered
    }

    /// Posts and media share their names.
    fn free_slug(&self, wanted: &str) -> String {
        let is_free = |slug: &str| !self.posts.values().chain(self.media.values()).any(|other| other["slug"] == slug);
        let mut names = std::iter::once(wanted.to_owned()).chain((2..).map(|number| format!("{wanted}-{number}")));
        names.find(|name| is_free(name)).unwrap()
    }

    fn list_media(&self, call: &Call) -> Value {
        let slugs: Option<Vec<&str>> = call.asks("slug").map(|slugs| slugs.split(',').collect());
        let found = self.media.values().filter(|media| {
            slugs.as_ref().is_none_or(|slugs| slugs.iter().any(|slug| media["slug"] == *slug))
                && call.asks("search").is_none_or(|word| media["title"].as_str().unwrap_or_default().contains(word))
        });
        found.map(shown).collect()
    }

    fn make_media(&mut self, call: &Call, request: &Request) -> Answered {
        let disposition = request.header("content-disposition").unwrap_or_default();
        let name = disposition.split('"').nth(1).unwrap_or_default().to_owned();
        if name.ends_with(".svg") {
            let message = "Sorry, you are not allowed to upload this file type.";
            return refused("500 Internal Server Error", "rest_upload_sideload_error", message);
        }
        if request.body.len() > self.like.max_upload {
            return refused("413 Content Too Large", "", "");
        }
        if std::mem::take(&mut self.like.races_upload) {
            self.make_media(call, request);
        }
        let id = self.number();
        let slug = self.free_slug(call.asks("slug").unwrap_or(&name));
        let file = if self.like.renames_uploads { format!("{id}.png") } else { name.clone() };
        let mut hasher = DefaultHasher::new();
        request.body.hash(&mut hasher);
        let media = json!({
            "id": id, "slug": slug, "hash": hasher.finish(), "title": call.asks("title").unwrap_or(&name), "bytes": request.body.len(),
            "alt_text": call.asks("alt_text").unwrap_or_default(), "caption": call.asks("caption").unwrap_or_default(),
            "source_url": format!("{}/wp-content/uploads/{file}", self.address),
        });
        self.media.insert(id, media.clone());
        ("201 Created", String::new(), shown(&media))
    }

    fn one_media(&mut self, call: &Call, id: &str, body: &Value) -> Answered {
        let id: u64 = id.parse().unwrap_or_default();
        let Some(media) = self.media.get_mut(&id) else {
            return refused("404 Not Found", "rest_post_invalid_id", "Invalid post ID.");
        };
        for (key, value) in body.as_object().into_iter().flatten() {
            media[key] = value.clone();
        }
        let media = media.clone();
        if call.method == "DELETE" {
            self.media.remove(&id);
        }
        ok(shown(&media))
    }

    fn list_terms(&self, kind: &str, call: &Call) -> Value {
        let included: Option<Vec<u64>> =
            call.asks("include").map(|ids| ids.split(',').filter_map(|id| id.parse().ok()).collect());
        let found = self.terms.values().filter(|term| {
            let name = term["name"].as_str().unwrap_or_default().to_lowercase();
            term["taxonomy"] == kind
                && included.as_ref().is_none_or(|ids| ids.contains(&term["id"].as_u64().unwrap_or_default()))
                && call.asks("search").is_none_or(|word| !self.like.hides_terms && name.contains(&word.to_lowercase()))
                && call.asks("parent").is_none_or(|parent| term["parent"].as_u64() == parent.parse().ok())
        });
        found.cloned().collect()
    }

    fn make_term(&mut self, kind: &str, body: &Value) -> Answered {
        if kind == "categories" && !self.like.capabilities.contains(&"manage_categories") {
            return refused("403 Forbidden", "rest_cannot_create", "Sorry, you are not allowed to create terms.");
        }
        let name = body["name"].as_str().unwrap_or_default().replace('&', "&amp;");
        let parent = body["parent"].as_u64().unwrap_or_default();
        let is_same = |term: &&Value| {
            term["taxonomy"] == kind
                && term["parent"] == parent
                && term["name"].as_str().unwrap_or_default().eq_ignore_ascii_case(&name)
        };
        if let Some(there) = self.terms.values().find(is_same) {
            let data = json!({ "status": 400, "term_id": there["id"] });
            return (
                "400 Bad Request",
                String::new(),
                json!({ "code": "term_exists", "message": "It is there.", "data": data }),
            );
        }
        let id = self.number();
        let term = json!({ "id": id, "name": name, "slug": format!("t-{id}"), "count": 0, "parent": parent, "taxonomy": kind });
        self.terms.insert(id, term.clone());
        ("201 Created", String::new(), term)
    }
}

//! The proof that no secret is ever seen: the program runs with recognisable secrets everywhere, among peers that repeat
//! what they were sent, and then everything that it said or wrote is searched.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use base64::{Engine, engine::general_purpose};
use galley_testkit::TestDatabase;
use galley_vault::new_key;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
};

use super::peer::{Mood, Peer};

// With signs that JSON, addresses and Base64 spell in their own ways.
const OPERATORS: &str = "sk-\"operator/planted+key=01";
const TENANTS: &str = "sk-'tenant/planted+key\\=02";
const SEARCH: &str = "brave-planted/key+03";
const SEARCH_LOGIN: &str = "search-planted-password-04";
const DATABASE: &str = "database-planted-password-05";

/// Every way in which a model's server fails, at the outline; the engine tries none of them again.
const MODEL: [Mood; 7] = [
    Mood::Repeats(401),
    Mood::Shouts(401),
    Mood::Repeats(500),
    Mood::Shouts(500),
    Mood::Repeats(429),
    Mood::Babbles,
    Mood::BreaksOff,
];
const SEARCHES: [Mood; 7] = [
    Mood::Repeats(401),
    Mood::Shouts(403),
    Mood::Repeats(500),
    Mood::Shouts(500),
    Mood::Repeats(429),
    Mood::Shouts(422),
    Mood::Babbles,
];

/// What was said or written, by where it was found.
#[derive(Default)]
struct Haystack(Vec<(String, Vec<u8>)>);

impl Haystack {
    fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.into(), bytes.into()));
    }

    fn folder(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            self.add("the name of a file", path.display().to_string());
            if path.is_dir() {
                self.folder(&path);
            } else {
                self.add(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }

    /// Where a secret stands, in any spelling.
    fn find(&self, secrets: &[(&str, Vec<u8>)]) -> Vec<String> {
        let mut found = Vec::new();
        for (place, bytes) in &self.0 {
            let text = String::from_utf8_lossy(bytes);
            for (name, secret) in secrets {
                for spelling in spellings(secret).iter().filter(|spelling| text.contains(spelling.as_str())) {
                    let at = text.find(spelling.as_str()).unwrap();
                    let around: String = text[..at].chars().rev().take(300).collect::<Vec<_>>().iter().rev().collect();
                    found.push(format!("{name} stands in {place} as {spelling}, after: {around}"));
                }
                let raw = bytes.windows(secret.len()).any(|window| window == secret.as_slice());
                if raw {
                    found.push(format!("{name} stands in {place} as it is"));
                }
            }
        }
        found
    }
}

/// The ways to write it, thought out without looking at what strikes secrets out.
fn spellings(secret: &[u8]) -> Vec<String> {
    let hex = |upper: bool| -> String {
        secret.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
    };
    let mut all = vec![hex(false), hex(true)];
    for engine in [&general_purpose::STANDARD_NO_PAD, &general_purpose::URL_SAFE_NO_PAD] {
        for shift in 0..3 {
            // Behind a whole number of bytes of something else; characters that are shared with neighbours are cut off.
            let encoded = engine.encode([&b"???"[..shift], secret].concat());
            let whole = if (shift + secret.len()).is_multiple_of(3) { encoded.len() } else { encoded.len() - 1 };
            all.push(encoded[[0, 2, 3][shift]..whole].to_owned());
        }
    }
    if let Ok(text) = std::str::from_utf8(secret) {
        let json = serde_json::to_string(text).unwrap();
        let json = json[1..json.len() - 1].to_owned();
        let debug = format!("{text:?}");
        all.extend([json.replace('/', "\\/"), json.replace('\\', "\\\\"), debug[1..debug.len() - 1].to_owned(), json]);
        for signs in ["\"/+='\\", "\"/+'\\", "\"'\\", "\"/'\\+=-"] {
            let encode = |letter: char| {
                if signs.contains(letter) { format!("%{:02X}", u32::from(letter)) } else { letter.to_string() }
            };
            let upper: String = text.chars().map(encode).collect();
            all.extend([upper.to_lowercase().replace(&text.to_lowercase(), text), upper]);
        }
    }
    all.sort();
    all.dedup();
    all
}

/// The program with all its secrets.
struct Planted {
    dir: tempfile::TempDir,
    database: TestDatabase,
    peer: Peer,
    envelope: [String; 2],
}

impl Planted {
    async fn new() -> Self {
        let key = || new_key().unwrap().expose().to_owned();
        let dir = tempfile::tempdir().unwrap();
        Self { dir, database: TestDatabase::new().await, peer: Peer::start().await, envelope: [key(), key()] }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn command(&self, format: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
        let port = self.peer.port;
        command.current_dir(self.dir.path()).kill_on_drop(true).args(args).env("GALLEY_DATA", self.data());
        for kind in ["RESEARCH", "OUTLINE", "DRAFT", "SEO"] {
            command.env(format!("GALLEY_STEPS__{kind}__ATTEMPTS"), "1");
        }
        command.envs([
            ("DATABASE_URL", self.database.url.replacen('@', &format!(":{DATABASE}@"), 1)),
            ("GALLEY_SECRETS__KEY", self.envelope[0].clone()),
            ("GALLEY_SECRETS__PREVIOUS_KEYS", self.envelope[1].clone()),
            ("GALLEY_WRITER__KIND", "openai".into()),
            ("GALLEY_WRITER__BASE_URL", format!("http://127.0.0.1:{port}/v1")),
            ("GALLEY_WRITER__MODEL", "m1".into()),
            ("GALLEY_WRITER__API_KEY", OPERATORS.into()),
            ("GALLEY_SEARCH__PROVIDER", "brave".into()),
            ("GALLEY_SEARCH__URL", format!("http://me:{SEARCH_LOGIN}@127.0.0.1:{port}/")),
            ("GALLEY_SEARCH__KEY", SEARCH.into()),
            ("GALLEY_LISTEN", "127.0.0.1:0".into()),
            ("GALLEY_LOG__FORMAT", format.into()),
            ("GALLEY_LOG", "trace".into()),
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end; its outputs are searched, but for what is meant to be shown.
    async fn run(&self, hay: &mut Haystack, args: &[&str], input: &str, shows: bool) -> (ExitStatus, String) {
        self.finish(hay, self.command("json", args), args, input, shows).await
    }

    async fn finish(
        &self,
        hay: &mut Haystack,
        mut command: Command,
        args: &[&str],
        input: &str,
        shows: bool,
    ) -> (ExitStatus, String) {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        hay.add(format!("what {args:?} logs"), output.stderr);
        if !shows {
            hay.add(format!("what {args:?} prints"), output.stdout.clone());
        }
        (output.status, String::from_utf8(output.stdout).unwrap())
    }

    async fn tables(&self, hay: &mut Haystack) {
        let names = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
        let names = self.database.texts(names).await;
        assert!(names.len() > 15, "{names:?}");
        for name in names {
            let rows = self.database.texts(&format!("SELECT row::text FROM {name} AS row")).await;
            hay.add(format!("the table {name}"), rows.join("\n"));
        }
    }

    fn secrets(&self, client: &str) -> Vec<(&'static str, Vec<u8>)> {
        let raw = |key: &str| general_purpose::STANDARD.decode(key).unwrap();
        vec![
            ("the operator's model key", OPERATORS.into()),
            ("the organization's model key", TENANTS.into()),
            ("the key of the search", SEARCH.into()),
            ("the password of the search", SEARCH_LOGIN.into()),
            ("the password of the database", DATABASE.into()),
            ("the client's key", client.into()),
            ("the envelope key", self.envelope[0].clone().into()),
            ("the envelope key in bytes", raw(&self.envelope[0])),
            ("the previous envelope key", self.envelope[1].clone().into()),
            ("the previous envelope key in bytes", raw(&self.envelope[1])),
        ]
    }
}

/// `galley up`, with a client.
struct Up {
    child: Child,
    printed: Lines<BufReader<ChildStdout>>,
    logged: JoinHandle<Vec<u8>>,
    base: String,
    client: reqwest::Client,
    key: String,
}

impl Up {
    async fn start(planted: &Planted, format: &str, key: &str) -> Self {
        let mut child = planted.command(format, &["up"]).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let logged = tokio::spawn(async move {
            let mut all = Vec::new();
            stderr.read_to_end(&mut all).await.unwrap();
            all
        });
        let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(Duration::from_secs(120), printed.next_line()).await.unwrap().unwrap();
        let line = line.expect("it says where it listens");
        let base = line.split(' ').find(|word| word.starts_with("http://")).unwrap().to_owned();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(120)).build().unwrap();
        Self { child, printed, logged, base, client, key: key.to_owned() }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    async fn send(&self, hay: &mut Haystack, request: reqwest::RequestBuilder) -> Value {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let place = format!("the answer to {} {}", request.method(), request.url().path());
        let answer = client.execute(request).await.unwrap();
        hay.add(format!("{place} (headers)"), format!("{:?}", answer.headers()));
        let text = answer.text().await.unwrap();
        hay.add(place, text.clone());
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn get(&self, hay: &mut Haystack, path: &str) -> Value {
        self.send(hay, self.request(Method::GET, path).bearer_auth(&self.key)).await
    }

    /// Orders an article and waits for its end, told by its stream of events.
    async fn order(&self, hay: &mut Haystack, file: &str) -> Value {
        let order = json!({ "user_prompt": "How coffee is grown", "uploaded_files": [file],
            "min_words": 100, "max_words": 300 });
        let order = self.request(Method::POST, "/api/v1/tasks").bearer_auth(&self.key).json(&order);
        let receipt = self.send(hay, order).await;
        let task = receipt["task_id"].as_str().unwrap_or_else(|| panic!("the order is taken: {receipt}"));
        self.get(hay, &format!("/api/v1/tasks/{task}/events")).await;
        let view = self.get(hay, &format!("/api/v1/tasks/{task}")).await;
        self.get(hay, &format!("/api/v1/tasks/{task}/steps")).await;
        let articles = self.get(hay, &format!("/api/v1/tasks/{task}/articles")).await;
        if let Some(article) = articles["data"][0]["id"].as_str().or(articles[0]["id"].as_str()) {
            for path in ["", "/claims", "/status", "/versions"] {
                self.get(hay, &format!("/api/v1/articles/{article}{path}")).await;
            }
        }
        view
    }

    async fn upload(&self, hay: &mut Haystack) -> String {
        let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/faq.md")).unwrap();
        let part = reqwest::multipart::Part::bytes(bytes).file_name("faq.md");
        let form = reqwest::multipart::Form::new().part("file", part);
        let request = self.request(Method::POST, "/api/v1/files").bearer_auth(&self.key).multipart(form);
        self.send(hay, request).await["id"].as_str().unwrap().to_owned()
    }

    /// A client that puts its key everywhere but where it belongs.
    async fn misplace(&self, hay: &mut Haystack) {
        let key = self.key.as_str();
        let tasks = "/api/v1/tasks";
        let get = |path: String| self.request(Method::GET, &path);
        let post = || self.request(Method::POST, tasks).bearer_auth(key);
        for request in [
            get(format!("/{key}")),
            get(format!("{tasks}?api_key={key}&status={key}&limit={key}")).bearer_auth(key),
            get(format!("{tasks}/{key}")).bearer_auth(key),
            get(tasks.into()).header("authorization", key),
            get(tasks.into()).header("authorization", format!("Basic {}", general_purpose::STANDARD.encode(key))),
            get(tasks.into()).bearer_auth(format!("{key}x")),
            get(tasks.into()).header("x-api-key", key).header("cookie", format!("key={key}")),
            get(tasks.into()).bearer_auth(key).header("x-request-id", key).header("traceparent", key),
            get(format!("{tasks}/{}/events", uuid::Uuid::nil())).bearer_auth(key).header("last-event-id", key),
            post().json(&json!({ key: key, "user_prompt": 7, "tone": key, "language": key, "uploaded_files": [key, { key: key }] })),
            post()
                .json(&json!({ "user_prompt": "Tea", "reference_links": [format!("http://u:{key}@127.0.0.1/{key}")] })),
            post().header("content-type", "application/json").body(format!("{{\"user_prompt\": {key}")),
            post().header("content-type", key).body("{}"),
            post().header("idempotency-key", key).json(&json!({ "user_prompt": 7 })),
        ] {
            self.send(hay, request).await;
        }
    }

    async fn stop(mut self, hay: &mut Haystack, place: &str) -> String {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        let mut printed = self.base;
        while let Some(line) = self.printed.next_line().await.unwrap() {
            printed += &line;
        }
        let status = tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await.unwrap().unwrap();
        let logged = self.logged.await.unwrap();
        let text = String::from_utf8_lossy(&logged).into_owned();
        assert!(status.success(), "{place} ended with {status}");
        hay.add(format!("what {place} prints"), printed);
        hay.add(format!("what {place} logs"), logged);
        text
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_ever_seen() {
    let planted = Planted::new().await;
    let mut hay = Haystack::default();
    let (made, key) = planted.run(&mut hay, &["keys", "create", "--name", "client"], "", true).await;
    assert!(made.success());
    let key = key.trim();
    for format in ["json", "human"] {
        if format == "human" {
            let set = planted.run(&mut hay, &["secrets", "set", "model-key"], &format!("{TENANTS}\n"), false).await;
            assert!(set.0.success());
        }
        let up = Up::start(&planted, format, key).await;
        let file = up.upload(&mut hay).await;
        for (model, search) in MODEL.into_iter().zip(SEARCHES) {
            planted.peer.model([model]);
            planted.peer.search([search]);
            let view = up.order(&mut hay, &file).await;
            assert_eq!(view["status"], "failed", "{model:?}: {view}");
        }
        up.misplace(&mut hay).await;
        let view = up.order(&mut hay, &file).await;
        assert_eq!(view["status"], "completed", "{view}");
        for path in ["/metrics", "/api/v1/tasks", "/api/v1/articles", "/api/v1/credits", "/readyz", "/healthz"] {
            up.get(&mut hay, path).await;
        }
        let logged = up.stop(&mut hay, &format!("`galley up` with logs for {format}")).await;
        assert!(logged.contains("[hidden]"), "peers repeated secrets, and the log shows where they were struck out");
        assert!(logged.contains("TRACE"), "the log is at its most talkative");
    }
    for key in [OPERATORS, TENANTS] {
        let sent = planted.peer.seen().iter().filter(|sent| **sent == format!("Bearer {key}")).count();
        assert!(sent > MODEL.len(), "{key} was sent {sent} times");
    }
    let commands: [&[&str]; 6] = [
        &["doctor"],
        &["config", "show"],
        &["secrets", "status"],
        &["secrets", "rotate"],
        &["keys", "list"],
        &["secrets", "remove", "model-key", "--organization", "00000000-0000-0000-0000-000000000000"],
    ];
    for args in commands {
        planted.run(&mut hay, args, "", false).await;
    }
    // A database that is not there, and addresses that are none.
    for address in
        [format!("postgres://me:{DATABASE}@127.0.0.1:1/x"), format!("postgres://me:{DATABASE}@[::1/x"), DATABASE.into()]
    {
        let mut command = planted.command("json", &["doctor"]);
        command.env("DATABASE_URL", address);
        let (status, _) = planted.finish(&mut hay, command, &["doctor"], "", false).await;
        assert!(!status.success());
    }
    planted.tables(&mut hay).await;
    hay.folder(&planted.data());

    let secrets = planted.secrets(key);
    let mut planted_hay = Haystack::default();
    for (name, secret) in &secrets {
        planted_hay.add(*name, secret.clone());
        spellings(secret).into_iter().for_each(|spelled| planted_hay.add(*name, spelled));
    }
    assert!(planted_hay.find(&secrets).len() >= planted_hay.0.len(), "the search finds what is there");
    let found = hay.find(&secrets);
    assert!(found.is_empty(), "{} places\n{}", found.len(), found.join("\n\n"));
}

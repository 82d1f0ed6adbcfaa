//! The program as it runs for days: what it meets, and what it says.

mod doctor;
mod first_start;
mod outage;
mod refusing_site;
mod troubles;

use std::{path::Path, process::Stdio, time::Duration};

use galley_testkit::TestDatabase;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command},
};

/// How long anything may take here before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// A started program; killed when it is dropped.
pub struct Daemon {
    pub process: Child,
    out: Lines<BufReader<ChildStdout>>,
    log: Lines<BufReader<ChildStderr>>,
}

impl Daemon {
    /// Without a database address it has a private Postgres in its data folder.
    pub fn start(data: &Path, database: Option<&TestDatabase>, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::begin(Command::new(env!("CARGO_BIN_EXE_galley")), data, database, arguments, settings)
    }

    fn begin(
        mut command: Command,
        data: &Path,
        database: Option<&TestDatabase>,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> Self {
        command.env_remove("DATABASE_URL").arg("--data").arg(data).args(arguments).envs(settings.iter().copied());
        if let Some(database) = database {
            command.env("DATABASE_URL", &database.url);
        }
        if arguments != ["work"] {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap()).lines();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        Self { process, out, log }
    }

    /// The next line that has this word in it.
    async fn says(&mut self, word: &str) -> String {
        let reading = async {
            // One of the two may end before the other one has said all.
            let (mut logs, mut prints) = (true, true);
            while logs || prints {
                let line = tokio::select! {
                    line = self.log.next_line(), if logs => line.unwrap().or_else(|| { logs = false; None }),
                    line = self.out.next_line(), if prints => line.unwrap().or_else(|| { prints = false; None }),
                };
                if let Some(line) = line.filter(|line| line.contains(word)) {
                    return line;
                }
            }
            panic!("it ended without saying '{word}'")
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("it does not say '{word}'"))
    }

    /// The key of the first start, and where the front is.
    pub async fn first_start(&mut self) -> (String, String) {
        let told = self.says("API key: in the file ").await;
        let (_, path) = told.split_once(" file ").unwrap();
        let key = std::fs::read_to_string(path.split(';').next().unwrap()).unwrap().trim().to_owned();
        (key, self.address().await)
    }

    async fn address(&mut self) -> String {
        let ready = self.says("Galley is ready on ").await;
        let (_, address) = ready.split_once(" on ").unwrap();
        address.split(' ').next().unwrap().to_owned()
    }

    pub async fn killed(mut self) {
        self.process.kill().await.unwrap();
    }
}

/// The program for which permissions hold. For root that is a copy in this folder, run by `nobody`, who is given the folder.
fn ordinary(folder: &Path) -> Command {
    if !galley_private_postgres::is_root() {
        return Command::new(env!("CARGO_BIN_EXE_galley"));
    }
    let program = folder.join("galley");
    // By another process: what we have open for writing cannot be run while a test beside us forks.
    let run = |name: &str, arguments: &[&std::ffi::OsStr]| {
        let output = std::process::Command::new(name).args(arguments).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    run("cp", &[env!("CARGO_BIN_EXE_galley").as_ref(), program.as_ref()]);
    let id = |flag: &str| run("id", &[flag.as_ref(), "nobody".as_ref()]).parse().unwrap();
    let (uid, gid) = (id("-u"), id("-g"));
    std::os::unix::fs::chown(folder, Some(uid), Some(gid)).unwrap();
    let mut command = Command::new(program);
    command.uid(uid).gid(gid).current_dir(folder).env("HOME", folder);
    command
}

fn signal(process: u32, name: &str) {
    let sent = std::process::Command::new("kill").arg(name).arg(process.to_string()).status().unwrap();
    assert!(sent.success());
}

/// After a power cut everything starts at once, and the database may be the last.
#[tokio::test]
async fn the_daemon_waits_for_a_database_that_is_away() {
    let database = TestDatabase::new().await;
    database.go_away().await;
    for command in [&["up"][..], &["api"], &["work"]] {
        let dir = tempfile::tempdir().unwrap();
        let mut daemon = Daemon::start(dir.path(), Some(&database), command, &[]);
        let waiting = daemon.says("waiting for it").await;
        assert!(waiting.contains("not currently accepting connections"), "{waiting}");
        database.come_back().await;
        daemon.says(if command == ["work"] { "working" } else { "Galley is ready" }).await;
        daemon.killed().await;
        database.go_away().await;
    }
}

/// Somebody kills it, or stops it and does not know who uses it: the daemon starts it again, and work goes on.
#[tokio::test]
async fn a_private_postgres_that_ends_is_started_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(dir.path(), None, &["up"], &[]);
    let address = daemon.address().await;
    let home = std::fs::read_to_string(dir.path().join("location"))
        .map_or_else(|_| dir.path().to_owned(), |path| std::path::PathBuf::from(path.trim()));
    let pid_file = home.join("pgdata/postmaster.pid");
    let postmaster = || {
        let text = std::fs::read_to_string(&pid_file).ok()?;
        text.lines().next()?.parse::<u32>().ok()
    };
    let ready = async || {
        let answer = reqwest::get(format!("{address}/readyz")).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    };
    for name in ["-KILL", "-INT"] {
        let before = postmaster().expect("it runs");
        signal(before, name);
        daemon.says("it was started again").await;
        let back = async {
            while postmaster().is_none_or(|now| now == before) || !ready().await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, back).await.expect("it is back within a minute");
    }
    signal(daemon.process.id().unwrap(), "-TERM");
    assert!(daemon.process.wait().await.unwrap().success(), "and it stops in order");
    assert_eq!(postmaster(), None, "its Postgres with it");
}

/// Who comes back knows that its predecessor is dead, and does not wait for leases that nobody holds any more.
#[tokio::test]
async fn what_a_killed_process_had_is_taken_at_once_by_the_next() {
    // A page that never comes: research waits for it.
    let peer = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = peer.local_addr().unwrap().port();
    let allow = format!("[\"127.0.0.1:{port}\"]");
    let settings = [("GALLEY_FETCH__ALLOW", allow.as_str()), ("GALLEY_ENGINE__LEASE_SECONDS", "3600")];
    let database = TestDatabase::new().await;
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(dir.path(), Some(&database), &["up"], &settings);
    let (key, address) = daemon.first_start().await;
    let order = serde_json::json!({ "user_prompt": "How tea is grown", "reference_links": [format!("http://127.0.0.1:{port}/")] });
    let client = reqwest::Client::new();
    let answer = client.post(format!("{address}/api/v1/tasks")).bearer_auth(key).json(&order).send().await.unwrap();
    assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
    let asked = async || tokio::time::timeout(PATIENCE, peer.accept()).await.expect("the page is asked for").unwrap();
    let _first = asked().await;
    daemon.killed().await;
    let _daemon = Daemon::start(dir.path(), Some(&database), &["up"], &settings);
    let _second = asked().await;
    assert_eq!(database.number("SELECT max(attempt)::bigint FROM steps WHERE kind = 'research'").await, 2);
}

//! Folders, a made cluster to copy, other processes that use a cluster, and a look at what is left running.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Weak},
    time::Duration,
};

use galley_private_postgres::{Settings, find_binaries, start};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};
use tempfile::TempDir;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

/// Long enough for a loaded machine; no test comes near it when it passes.
pub const PATIENCE: Duration = Duration::from_secs(40);

pub fn is_root() -> bool {
    Uid::effective().is_root()
}

pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Clusters to use again, because to make or copy one costs most of a test's time. Lives as long as any test runs, so
/// that its folders are removed with the last.
type Pool = Mutex<Vec<TempDir>>;

fn pool() -> Arc<Pool> {
    static POOL: std::sync::Mutex<Weak<Pool>> = std::sync::Mutex::new(Weak::new());
    let mut slot = POOL.lock().unwrap();
    let pool = slot.upgrade().unwrap_or_default();
    *slot = Arc::downgrade(&pool);
    pool
}

/// A new folder that any user can enter.
pub struct Folder {
    temp: TempDir,
    _pool: Arc<Pool>,
}

impl Folder {
    pub fn path(&self) -> &Path {
        self.temp.path()
    }
}

pub fn open_folder() -> Folder {
    let temp = tempfile::Builder::new().prefix("gpg-").tempdir().unwrap();
    set_mode(temp.path(), 0o755);
    Folder { temp, _pool: pool() }
}

pub fn settings(data_dir: &Path) -> Settings {
    Settings { durable: false, start_timeout: PATIENCE, fallback_dirs: Vec::new(), ..Settings::new(data_dir) }
}

/// A data folder with a stopped cluster that holds the table `kept` with the one value 42.
pub struct Made {
    pub data: PathBuf,
    temp: TempDir,
    pool: Arc<Pool>,
}

impl Made {
    /// The data folder's own parent, for whatever else the test needs.
    pub fn path(&self) -> &Path {
        self.temp.path()
    }

    /// Sees that nothing is left running, and gives the cluster back for another test. Without this it is removed.
    pub async fn finish(self) {
        nothing_left(&self.data).await;
        self.pool.lock().await.push(self.temp);
    }
}

pub async fn made() -> Made {
    let pool = pool();
    let used = pool.lock().await.pop();
    let temp = match used {
        Some(temp) => temp,
        None => {
            let temp = open_folder().temp;
            let cluster = start(settings(&temp.path().join("data"))).await.unwrap();
            sql(&cluster.url("postgres"), "CREATE TABLE kept AS SELECT 42 AS value");
            cluster.stop().await.unwrap();
            temp
        }
    };
    Made { data: temp.path().join("data"), temp, pool }
}

/// Runs statements with `psql`, so that the URL is proven with libpq.
pub fn psql(url: &str, statement: &str) -> Command {
    let mut command = Command::new(find_binaries(None).unwrap().dir.join("psql"));
    command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement]);
    command
}

pub fn sql(url: &str, statement: &str) -> String {
    let output = psql(url, statement).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub fn kept(url: &str) -> String {
    sql(url, "SELECT value FROM kept")
}

/// Another process that uses a cluster: the example `hold`.
pub struct Hold {
    child: Child,
    pub role: String,
    pub postmaster: u32,
    pub url: String,
}

pub fn hold_program() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let program = this.parent().unwrap().parent().unwrap().join("examples").join("hold");
    // `--test cluster` alone does not build it; a whole `cargo test` does.
    assert!(program.is_file(), "build the example first: cargo build -p galley-private-postgres --example hold");
    program
}

/// Starts `hold` without waiting for it.
pub fn begin(mut command: Command, data: &Path) -> Child {
    command.arg(data).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn().unwrap()
}

/// Waits until `hold` says that its cluster is ready.
pub fn ready(mut child: Child) -> Hold {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words.first(), Some(&"ready"), "hold said {line:?}");
    Hold { child, role: words[1].into(), postmaster: words[2].parse().unwrap(), url: words[3].into() }
}

pub fn hold(data: &Path) -> Hold {
    ready(begin(Command::new(hold_program()), data))
}

impl Hold {
    /// `kill -9`.
    pub fn murder(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks for an orderly end and returns what became of the server.
    pub fn stop(mut self) -> String {
        self.child.stdin.take().unwrap().write_all(b"stop\n").unwrap();
        let output = self.child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    pub fn wait(mut self) {
        self.child.wait().unwrap();
    }
}

pub fn murder(pid: u32) {
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
}

/// The living processes that name `data` among their arguments and `word` too.
pub fn processes(data: &Path, word: &str) -> Vec<u32> {
    let path = fs::canonicalize(data).unwrap().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(arguments) = fs::read(entry.path().join("cmdline")) else { continue };
        let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
        if arguments.contains(&path) && arguments.contains(word) {
            found.push(pid);
        }
    }
    found
}

/// Waits until no server, helper or watchdog of `data` is left.
pub async fn nothing_left(data: &Path) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = processes(data, "");
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "still running: {left:?}");
        // The end of a process that is not our child can only be looked for.
        sleep(Duration::from_millis(50)).await;
    }
}

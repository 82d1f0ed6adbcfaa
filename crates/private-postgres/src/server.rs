//! The postmaster: is one running, start one, wait until it takes connections, end it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::OFlag,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    net::UnixStream,
    process::Child,
    time::{Instant, sleep, timeout},
};

use crate::{
    PORT, Settings,
    binaries::Binaries,
    error::{PgError, RUN, tail},
    place::Place,
    socket_file, wire,
};

const TICK: Duration = Duration::from_millis(10);
/// How long one attempt to log in may take before the process is looked at again.
const LOGIN: Duration = Duration::from_secs(5);
/// A log that is larger when the server starts becomes `postgres.log.1`, in bytes.
const MAX_LOG: u64 = 8 << 20;
/// A fast shutdown writes what is in memory to disk; after this long it is cut, and the next start recovers.
const FAST_STOP: Duration = Duration::from_secs(120);
const IMMEDIATE_STOP: Duration = Duration::from_secs(10);

/// A server that takes connections.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) pid: u32,
    pub(crate) socket_dir: PathBuf,
    /// The process, if it is our child. Kept so that it is reaped.
    pub(crate) child: Option<Child>,
}

/// What `postmaster.pid` says: line 1 is the process, line 5 the first socket folder, line 8 the state.
#[derive(Debug, PartialEq, Eq)]
struct PidFile {
    pid: u32,
    socket_dir: Option<PathBuf>,
    ready: bool,
}

impl PidFile {
    fn read(pgdata: &Path) -> Result<Option<Self>, PgError> {
        let path = pgdata.join("postmaster.pid");
        let mut text = String::new();
        match File::open(&path).and_then(|file| file.take(16_384).read_to_string(&mut text)) {
            Ok(_) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PgError::io("read", &path)(error)),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        let pid = lines.first()?.trim().parse().ok().filter(|pid| *pid > 1 && i32::try_from(*pid).is_ok())?;
        let socket_dir = lines.get(4).filter(|dir| dir.starts_with('/')).map(PathBuf::from);
        Some(Self { pid, socket_dir, ready: lines.get(7).is_some_and(|state| state.trim() == "ready") })
    }
}

/// The pid of the living postmaster of `pgdata`, if there is one.
pub(crate) fn running(pgdata: &Path) -> Result<Option<u32>, PgError> {
    Ok(PidFile::read(pgdata)?.map(|file| file.pid).filter(|pid| serves(*pid, pgdata)))
}

/// The folder of the socket on which the living postmaster of `pgdata` takes connections, if there is one.
pub(crate) fn ready_socket(pgdata: &Path) -> Result<Option<PathBuf>, PgError> {
    let file = PidFile::read(pgdata)?.filter(|file| file.ready && serves(file.pid, pgdata));
    Ok(file.and_then(|file| file.socket_dir))
}

/// True if the process `pid` is a postmaster of `pgdata`: not a zombie, and not another program that has got the
/// number since. A postmaster works in its data folder.
#[cfg(target_os = "linux")]
fn serves(pid: u32, pgdata: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::metadata(format!("/proc/{pid}/cwd")), fs::metadata(pgdata)) {
        (Ok(cwd), Ok(pgdata)) => cwd.dev() == pgdata.dev() && cwd.ino() == pgdata.ino(),
        _ => false,
    }
}

/// The same where there is no `/proc`: we start servers with the folder among the arguments.
#[cfg(not(target_os = "linux"))]
fn serves(pid: u32, pgdata: &Path) -> bool {
    let output = std::process::Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&*pgdata.to_string_lossy()))
}

/// Waits for the living server of this place; `None` if there is none or it ends meanwhile.
pub(crate) async fn join(place: &Place, deadline: Instant, settings: &Settings) -> Result<Option<Server>, PgError> {
    let pgdata = place.pgdata();
    while let Some(file) = PidFile::read(&pgdata)?.filter(|file| serves(file.pid, &pgdata)) {
        if let Some(socket_dir) = file.socket_dir.filter(|_| file.ready)
            && answers(&socket_dir).await
        {
            return Ok(Some(Server { pid: file.pid, socket_dir, child: None }));
        }
        if Instant::now() >= deadline {
            return Err(late(place, settings, 0));
        }
        sleep(TICK).await;
    }
    Ok(None)
}

/// Starts a server; the caller has made sure that none is running.
pub(crate) async fn launch(
    place: &Place,
    settings: &Settings,
    binaries: &Binaries,
    deadline: Instant,
) -> Result<Server, PgError> {
    let socket_dir = place.socket_dir().await?;
    loop {
        clear_stale(place, &socket_dir).await?;
        let (log, begin) = open_log(place)?;
        let mut starting = Starting(Some(spawn(place, settings, binaries, &socket_dir, log)?));
        match starting.until_ready(place, settings, &socket_dir, begin, deadline).await {
            Ok(Some(child)) => {
                let pid = child.id().ok_or_else(|| died(place, begin))?;
                return Ok(Server { pid, socket_dir, child: Some(child) });
            }
            // After a crash the old server's helpers need a moment to notice that it is gone.
            Ok(None) => {
                let passing = log_since(place, begin).contains("pre-existing shared memory block");
                if !passing || Instant::now() >= deadline {
                    return Err(died(place, begin));
                }
                sleep(TICK * 10).await;
            }
            Err(error) => {
                starting.give_up().await;
                return Err(error);
            }
        }
    }
}

/// A server that does not take connections yet. The watchdog cannot know it before it has written its pid file, so it is
/// told to end if the start fails or is cancelled.
struct Starting(Option<Child>);

impl Starting {
    /// The child when it takes connections, `None` when it ended instead. Like `pg_ctl`, this reads the state that the
    /// server writes into its pid file; unlike it, it then also logs in.
    async fn until_ready(
        &mut self,
        place: &Place,
        settings: &Settings,
        socket_dir: &Path,
        begin: u64,
        deadline: Instant,
    ) -> Result<Option<Child>, PgError> {
        let pgdata = place.pgdata();
        while let Some(child) = &mut self.0 {
            if child.try_wait().map_err(PgError::io("wait for the server of", &pgdata))?.is_some() {
                self.0 = None;
                break;
            }
            let ready = PidFile::read(&pgdata)?.is_some_and(|file| file.ready && Some(file.pid) == child.id());
            if ready && answers(socket_dir).await {
                return Ok(self.0.take());
            }
            if Instant::now() >= deadline {
                return Err(late(place, settings, begin));
            }
            sleep(TICK).await;
        }
        Ok(None)
    }

    async fn give_up(&mut self) {
        self.interrupt();
        if let Some(child) = &mut self.0 {
            // One that is busy recovering takes longer; by then the watchdog knows it.
            let _ = timeout(IMMEDIATE_STOP, child.wait()).await;
        }
    }

    fn interrupt(&self) {
        if let Some(pid) = self.0.as_ref().and_then(Child::id)
            && let Err(error) = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGINT)
        {
            tracing::debug!("the server {pid} could not be interrupted: {error}");
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.interrupt();
    }
}

/// Removes lock files of a server that is gone where Postgres would be misled by them: it takes any living process
/// with the noted number for the old server, even a zombie. Others it removes itself. Either way its check of the
/// shared memory block keeps a second server from a folder whose old helpers still run.
async fn clear_stale(place: &Place, socket_dir: &Path) -> Result<(), PgError> {
    let pgdata = place.pgdata();
    if let Some(old) = PidFile::read(&pgdata)?.and_then(|file| file.socket_dir)
        && UnixStream::connect(socket_file(&old, PORT)).await.is_ok()
    {
        return Err(PgError::UnseenServer { pgdata });
    }
    let socket_lock = socket_dir.join(format!(".s.PGSQL.{PORT}.lock"));
    for path in [pgdata.join("postmaster.pid"), socket_lock] {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let misleading = match PidFile::parse(&text) {
            Some(file) => kill(Pid::from_raw(file.pid.cast_signed()), None) != Err(Errno::ESRCH),
            None => true,
        };
        if misleading {
            tracing::info!("removing {}, left by a server that is gone", path.display());
            fs::remove_file(&path).map_err(PgError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Opens the server's log and says where this start begins in it.
fn open_log(place: &Place) -> Result<(File, u64), PgError> {
    let path = place.log();
    if fs::metadata(&path).is_ok_and(|found| found.len() > MAX_LOG) {
        let old = path.with_extension("log.1");
        fs::rename(&path, &old).map_err(PgError::io("rename", &path))?;
    }
    let open = || {
        let flags = OFlag::O_NOFOLLOW.bits();
        let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(&path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    };
    open().map_err(PgError::io("open", &path))
}

fn spawn(
    place: &Place,
    settings: &Settings,
    binaries: &Binaries,
    socket_dir: &Path,
    log: File,
) -> Result<Child, PgError> {
    let program = binaries.dir.join("postgres");
    let stdout = log.try_clone().map_err(PgError::io("open", &place.log()))?;
    let mut command = place.account.command(&program, &place.home);
    command.arg("-D").arg(place.pgdata()).stdout(Stdio::from(stdout)).stderr(Stdio::from(log));
    for (name, value) in options(settings, socket_dir) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // In its own process group: a Ctrl-C in the terminal is for us, who then stop the server in order.
    command.process_group(0).spawn().map_err(PgError::io(RUN, &program))
}

/// On the command line, so that they win over the files in `pgdata`; the caller's own come last.
fn options(settings: &Settings, socket_dir: &Path) -> Vec<(String, String)> {
    let socket_dirs = format!("\"{}\"", socket_dir.to_string_lossy().replace('"', "\"\""));
    let port = PORT.to_string();
    let max_connections = settings.max_connections.to_string();
    let mut options = vec![
        ("listen_addresses", ""),
        ("port", &port),
        ("unix_socket_directories", &socket_dirs),
        ("unix_socket_permissions", "0700"),
        ("max_connections", &max_connections),
        ("ssl", "off"),
        ("cluster_name", "galley"),
        ("timezone", "UTC"),
        ("lc_messages", "C"),
        ("log_destination", "stderr"),
        ("logging_collector", "off"),
        ("log_checkpoints", "off"),
        // The text of a failed statement may hold what belongs to a client.
        ("log_min_error_statement", "panic"),
    ];
    if !settings.durable {
        options.extend([("fsync", "off"), ("full_page_writes", "off")]);
    }
    let own = options.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.chain(settings.extra.iter().cloned()).collect()
}

/// Options that the caller may not set: the URL, the locks and the watchdog depend on them.
pub(crate) const RESERVED: [&str; 9] = [
    "listen_addresses",
    "port",
    "unix_socket_directories",
    "unix_socket_permissions",
    "unix_socket_group",
    "max_connections",
    "data_directory",
    "external_pid_file",
    "hba_file",
];

/// True if a log-in succeeds, or is refused for another reason than that the server starts or stops (all connections
/// may be taken).
async fn answers(socket_dir: &Path) -> bool {
    match timeout(LOGIN, wire::Session::connect(socket_dir, "postgres")).await {
        Ok(Ok(_)) => true,
        Ok(Err(PgError::Refused { sqlstate, .. })) => sqlstate != "57P03",
        Ok(Err(_)) | Err(_) => false,
    }
}

/// Ends the running server of this place, if there is one, and waits until it is gone.
pub(crate) async fn stop(place: &Place, child: Option<Child>) -> Result<(), PgError> {
    let pgdata = place.pgdata();
    if let Some(pid) = running(&pgdata)? {
        let cut = [(Signal::SIGINT, FAST_STOP), (Signal::SIGQUIT, IMMEDIATE_STOP)];
        let mut gone = false;
        for (signal, patience) in cut {
            match kill(Pid::from_raw(pid.cast_signed()), signal) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(PgError::io("stop the server of", &pgdata)(error.into())),
            }
            gone = is_gone(pid, &pgdata, patience).await;
            if gone {
                break;
            }
            tracing::warn!("the server of {} did not stop on {signal}", pgdata.display());
        }
        if !gone {
            let what = format!("the server of {} (process {pid}) to stop", pgdata.display());
            return Err(PgError::Timeout { what, after: FAST_STOP + IMMEDIATE_STOP, detail: String::new() });
        }
    }
    if let Some(mut child) = child {
        child.wait().await.map_err(PgError::io("wait for the server of", &pgdata))?;
    }
    Ok(())
}

async fn is_gone(pid: u32, pgdata: &Path, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while serves(pid, pgdata) {
        if Instant::now() >= deadline {
            return false;
        }
        sleep(TICK).await;
    }
    true
}

fn died(place: &Place, begin: u64) -> PgError {
    let output = match log_since(place, begin) {
        silence if silence.is_empty() => "(it logged nothing; is the disk full?)".to_owned(),
        output => output,
    };
    PgError::Died { pgdata: place.pgdata(), log: place.log(), output }
}

fn late(place: &Place, settings: &Settings, begin: u64) -> PgError {
    let what = format!("PostgreSQL to take connections on {}", place.pgdata().display());
    PgError::Timeout { what, after: settings.start_timeout, detail: log_since(place, begin) }
}

/// The end of the log, not reaching back before `begin`.
fn log_since(place: &Place, begin: u64) -> String {
    let mut output = Vec::new();
    let read = File::open(place.log()).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(begin.max(length.saturating_sub(16_384)).min(length)))?;
        file.take(16_384).read_to_end(&mut output)
    });
    match read {
        Ok(_) => tail(&output),
        Err(error) => format!("(the log {} cannot be read: {error})", place.log().display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_is_read_and_nonsense_is_not_a_server() {
        let full = "123\n/d/pgdata\n1700000000\n5432\n/d/run\n\n  5432001    98304\nready   \n";
        let parsed = PidFile::parse(full).unwrap();
        assert_eq!(parsed, PidFile { pid: 123, socket_dir: Some("/d/run".into()), ready: true });
        assert!(!PidFile::parse(&full.replace("ready   ", "starting")).unwrap().ready);
        // A single-user backend notes its number negated; 0 and 1 would reach our group and init.
        for text in ["", "\n", "x", "-123", "0", "1", "99999999999"] {
            assert_eq!(PidFile::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_living_process_elsewhere_does_not_serve_this_folder() {
        let temp = tempfile::tempdir().unwrap();
        assert!(!serves(std::process::id(), temp.path()));
        assert!(!serves(std::process::id(), Path::new("/no/such/folder")));
    }

    #[test]
    fn the_callers_options_come_last_and_paths_are_quoted() {
        let mut settings = Settings::new("/d");
        settings.extra = vec![("work_mem".into(), "8MB".into())];
        let options = options(&settings, Path::new("/d, \"e\"/run"));
        assert_eq!(options.last().unwrap().0, "work_mem");
        assert!(options.contains(&("unix_socket_directories".into(), "\"/d, \"\"e\"\"/run\"".into())));
        assert!(!options.iter().any(|(name, _)| name == "fsync"));
    }
}

//! The processes under test: one front and three workers.

use std::{
    fs::File,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::{Child, Command};

use super::free_port;

pub const WORKERS: usize = 3;
/// A process that was asked to end gives up what runs after two seconds, and closes.
const ENDING: Duration = Duration::from_secs(45);

/// The front is 0, the workers come after it.
#[derive(Debug)]
pub struct Processes {
    galley: PathBuf,
    folder: PathBuf,
    ways: Ways,
    peers: Peers,
    port: u16,
    running: Vec<Option<Child>>,
    /// How long the log of each was when it started last.
    logged: Vec<u64>,
    /// When which of them got no processor.
    sleeps: Vec<Sleep>,
}

/// Where the processes reach the database.
#[derive(Debug)]
pub struct Ways {
    /// Of each process, the front first.
    pub urls: Vec<String>,
    /// Past the pooler, where there is one.
    pub direct: Option<String>,
}

/// The ports at which others are spoken to, and what seals what is known of them.
#[derive(Debug)]
pub struct Peers {
    pub model: u16,
    pub blog: u16,
    pub envelope_key: String,
}

/// A time in which a process got no processor.
#[derive(Debug, Clone, Copy)]
pub struct Sleep {
    pub process: usize,
    pub from: SystemTime,
    pub to: SystemTime,
}

/// How a process ended that was asked to.
#[derive(Debug)]
pub struct Exit {
    pub process: usize,
    pub status: Option<ExitStatus>,
    /// It had not said a word yet.
    pub silent: bool,
}

impl Exit {
    /// In order, or so early that nobody listened for signals yet and nothing had begun.
    pub fn is_good(&self) -> bool {
        let unheard = |status: &ExitStatus| self.silent && status.signal() == Some(Signal::SIGTERM as i32);
        self.status.is_some_and(|status| status.success() || unheard(&status))
    }
}

pub fn signal(pid: u32, signal: Signal) -> anyhow::Result<()> {
    kill(Pid::from_raw(i32::try_from(pid)?), signal).context("the process is not there")
}

impl Processes {
    pub async fn new(galley: &Path, folder: &Path, ways: Ways, peers: Peers) -> anyhow::Result<Self> {
        Ok(Self {
            galley: galley.to_owned(),
            folder: folder.to_owned(),
            running: (0..=WORKERS).map(|_| None).collect(),
            logged: vec![0; WORKERS + 1],
            sleeps: Vec::new(),
            ways,
            peers,
            port: free_port().await?,
        })
    }

    /// Where the front listens, whenever it runs.
    pub fn front(&self) -> u16 {
        self.port
    }

    /// What they write, the front's first.
    pub fn logs(&self) -> Vec<PathBuf> {
        (0..self.running.len()).map(|process| self.log(process)).collect()
    }

    fn log(&self, process: usize) -> PathBuf {
        self.folder.join(format!("process-{process}.log"))
    }

    /// Under root permissions mean nothing, so it runs without the capabilities that make it so.
    fn program(&self) -> Command {
        if !nix::unistd::geteuid().is_root() {
            return Command::new(&self.galley);
        }
        let mut command = Command::new("setpriv");
        let without = "-dac_override,-dac_read_search";
        command.args(["--inh-caps", without, "--bounding-set", without, "--"]).arg(&self.galley);
        command
    }

    fn start(&mut self, process: usize) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(self.log(process))?;
        self.logged[process] = log.metadata()?.len();
        let mut command = self.program();
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GALLEY_")) {
            command.env_remove(name);
        }
        match process {
            0 => command.args(["api", "--listen", &format!("127.0.0.1:{}", self.port)]),
            _ => command.arg("work"),
        };
        command.arg("--data").arg(self.folder.join("data")).current_dir(&self.folder);
        let settings = [
            ("DATABASE_URL", self.ways.urls[process].clone()),
            ("DATABASE_DIRECT_URL", self.ways.direct.clone().unwrap_or_default()),
            ("GALLEY_DATABASE__MAX_CONNECTIONS", "8".to_owned()),
            ("GALLEY_DATABASE__IDLE_SECONDS", "1".to_owned()),
            ("GALLEY_WRITER__KIND", "openai".to_owned()),
            ("GALLEY_WRITER__BASE_URL", format!("http://127.0.0.1:{}/v1", self.peers.model)),
            ("GALLEY_WRITER__MODEL", "chaos".to_owned()),
            ("GALLEY_WRITER__IDLE_SECONDS", "1".to_owned()),
            ("GALLEY_WRITER__TOTAL_SECONDS", "20".to_owned()),
            ("GALLEY_FETCH__ALLOW", format!("[\"127.0.0.1:{}\"]", self.peers.blog)),
            ("GALLEY_SECRETS__KEY", self.peers.envelope_key.clone()),
            ("GALLEY_ENGINE__LEASE_SECONDS", "3".to_owned()),
            ("GALLEY_ENGINE__TICK_SECONDS", "1".to_owned()),
            ("GALLEY_ENGINE__DRAIN_SECONDS", "2".to_owned()),
            ("GALLEY_LOG__FORMAT", "json".to_owned()),
            // The C library keeps pages in an arena for each thread and keeps more the larger the blocks it has seen.
            // Told not to, what stays after work is what the program holds.
            ("MALLOC_ARENA_MAX", "1".to_owned()),
            ("MALLOC_MMAP_THRESHOLD_", "65536".to_owned()),
            ("MALLOC_TRIM_THRESHOLD_", "65536".to_owned()),
        ];
        command.envs(settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        self.running[process] =
            Some(command.spawn().context("the program under test does not start (as root this needs setpriv)")?);
        Ok(())
    }

    /// Starts whatever does not run.
    pub fn revive(&mut self) -> anyhow::Result<()> {
        for process in 0..self.running.len() {
            let ended = match &mut self.running[process] {
                Some(child) => child.try_wait()?.is_some(),
                None => true,
            };
            if ended {
                self.start(process)?;
            }
        }
        Ok(())
    }

    fn send(&self, process: usize, what: Signal) -> anyhow::Result<()> {
        match self.running[process].as_ref().and_then(Child::id) {
            Some(pid) => signal(pid, what),
            None => Ok(()),
        }
    }

    /// Takes the processor away from it for a while, as a machine does that is asleep or moved.
    pub fn pause(&mut self, process: usize, time: Duration) -> anyhow::Result<()> {
        let Some(pid) = self.running[process].as_ref().and_then(Child::id) else { return Ok(()) };
        signal(pid, Signal::SIGSTOP)?;
        let from = SystemTime::now();
        self.sleeps.push(Sleep { process, from, to: from + time });
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            // It may have been killed in its sleep.
            drop(signal(pid, Signal::SIGCONT));
        });
        Ok(())
    }

    pub fn sleeps(&self) -> &[Sleep] {
        &self.sleeps
    }

    /// Whoever is paused goes on.
    pub fn wake(&self) -> anyhow::Result<()> {
        (0..self.running.len()).try_for_each(|process| self.send(process, Signal::SIGCONT))
    }

    pub async fn kill(&mut self, process: usize) -> anyhow::Result<()> {
        self.send(process, Signal::SIGKILL)?;
        if let Some(mut child) = self.running[process].take() {
            child.wait().await?;
        }
        Ok(())
    }

    /// Kills the process of that number, if it is one of ours.
    pub async fn kill_pid(&mut self, pid: u32) -> anyhow::Result<bool> {
        let ours = self.running.iter().position(|child| child.as_ref().and_then(Child::id) == Some(pid));
        match ours {
            Some(process) => self.kill(process).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// The numbers of all processes, the front first.
    pub fn pids(&self) -> anyhow::Result<Vec<u32>> {
        let pids = self.running.iter().map(|child| child.as_ref().and_then(Child::id));
        pids.collect::<Option<_>>().context("a process does not run")
    }

    /// Asks it to end; it is started again once it has.
    pub fn terminate(&self, process: usize) -> anyhow::Result<()> {
        self.send(process, Signal::SIGTERM)
    }

    pub async fn stop_all(&mut self) -> anyhow::Result<Vec<Exit>> {
        for process in 0..self.running.len() {
            self.send(process, Signal::SIGTERM)?;
        }
        let mut exits = Vec::new();
        for process in 0..self.running.len() {
            let Some(mut child) = self.running[process].take() else { continue };
            // A process that does not end is killed with its handle.
            let status = tokio::time::timeout(ENDING, child.wait()).await.ok().transpose()?;
            let silent = self.log(process).metadata()?.len() == self.logged[process];
            exits.push(Exit { process, status, silent });
        }
        Ok(exits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_had_not_begun_may_die_of_the_signal() {
        let ended = |raw, silent| Exit { process: 1, status: raw, silent }.is_good();
        assert!(ended(Some(ExitStatus::from_raw(0)), false));
        assert!(ended(Some(ExitStatus::from_raw(15)), true), "terminated before it listened");
        assert!(!ended(Some(ExitStatus::from_raw(15)), false), "terminated at work");
        assert!(!ended(Some(ExitStatus::from_raw(9)), true) && !ended(Some(ExitStatus::from_raw(256)), true));
        assert!(!ended(None, true), "it did not end");
    }
}

//! The side of a reader that reads: a process that has nothing but the file and its limits.

use std::{
    env,
    io::{self, BufWriter, Read, Write},
    process::ExitCode,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Resource, Rlimit, getpid, getppid, setpriority_process, setrlimit};
use serde::{Deserialize, Serialize};

use super::{Answer, Question};
use crate::{
    error::FileError,
    extract::{STACK_BYTES, extract_here, unreadable},
    html,
    limits::Limits,
};

/// The one variable in the environment of a reader. Other than an argument, only its own user can see it.
pub(super) const JOB: &str = "GALLEY_READER_JOB";
/// Of a share, what the pages of the program itself take. They are no data, so no limit counts them.
const PROGRAM_MB: u32 = 16;
/// A reading that takes longer than this lets others go first: a front that answers, and readings that are brief.
const BRIEF: Duration = Duration::from_millis(100);
const NICENESS: i32 = 15;
/// Starting and answering are no reading.
const CPU_GRACE: u64 = 2;
/// How many times as long as it may compute a reader may take by the clock: it may have to wait for a processor.
const PATIENCE: u32 = 4;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    question: Question,
    limits: Limits,
    share_mb: u32,
    /// On a processor. The clock of `limits` gives it longer, because others go first.
    cpu_seconds: u64,
    /// The process that waits for the answer.
    parent: i32,
}

/// How long a reader may take by the clock.
pub(super) fn clock(limits: &Limits) -> Duration {
    limits.time.saturating_mul(PATIENCE)
}

impl Job {
    /// `limits.time` is what it may compute.
    pub(super) fn new(question: Question, mut limits: Limits, share_mb: u32) -> Self {
        let cpu_seconds = limits.time.as_secs();
        limits.time = clock(&limits);
        Self { question, limits, share_mb, cpu_seconds, parent: getpid().as_raw_nonzero().get() }
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("plain data has a JSON form")
    }

    fn from_environment() -> Option<Self> {
        serde_json::from_str(&env::var(JOB).ok()?).ok()
    }
}

/// Reads what the environment says from standard input and answers on standard output. This process is only for that:
/// from here on it cannot open a file or a connection, nor take more memory and time than it was given.
///
/// It is to be called before anything else is done, above all before threads are started.
pub fn read_in_this_process() -> ExitCode {
    let Some(job) = Job::from_environment() else {
        eprintln!(
            "galley: read-file is called by galley itself, for a file that it reads; there is nothing to do here"
        );
        return ExitCode::FAILURE;
    };
    if let Err(error) = confine(&job) {
        eprintln!("galley: a reader cannot limit itself: {error}");
        return ExitCode::FAILURE;
    }
    let answer = match read(&job) {
        Ok(answer) => answer,
        Err(error) => {
            eprintln!("galley: a reader failed: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match serde_json::to_writer(&mut out, &answer).map_err(io::Error::from).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn confine(job: &Job) -> io::Result<()> {
    // It ends with the thread that started it, which is one of the runtime and lives as long as that. If that is over
    // already, nobody has been told.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    if getppid().map(Pid::as_raw_nonzero).is_none_or(|parent| parent.get() != job.parent) {
        return Err(io::Error::other("who asked is gone"));
    }
    // Where the machine itself has too little memory, a reader goes first. It need not be allowed.
    #[cfg(target_os = "linux")]
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let limit = |resource, most: u64| {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).map_err(io::Error::from)
    };
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    // What is open stays so.
    limit(Resource::Nofile, 0)?;
    let seconds = job.cpu_seconds.saturating_add(CPU_GRACE);
    setrlimit(Resource::Cpu, Rlimit { current: Some(seconds), maximum: Some(seconds.saturating_add(1)) })?;
    // Other systems do not count what an allocator maps.
    #[cfg(target_os = "linux")]
    limit(Resource::Data, u64::from(job.share_mb.saturating_sub(PROGRAM_MB)) << 20)?;
    Ok(())
}

fn read(job: &Job) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(job.limits.bytes as u64 + 1).read_to_end(&mut bytes)?;
    Ok(match &job.question {
        Question::File { name } => Answer::File(on_a_large_stack(|| extract_here(&bytes, name, &job.limits))),
        Question::Page { base_url } => Answer::Page(on_a_large_stack(|| {
            let text = std::str::from_utf8(&bytes).map_err(|_| unreadable())?;
            html::to_text(text, base_url.as_deref(), &job.limits)
        })),
    })
}

/// A panic is the file's fault, as everywhere.
fn on_a_large_stack<T: Send>(read: impl FnOnce() -> Result<T, FileError> + Send) -> Result<T, FileError> {
    thread::scope(|scope| {
        let (begun, reader) = mpsc::channel();
        let reading = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, move || {
            let _ = begun.send(this_thread());
            let result = read();
            // Only now nothing more can come from here.
            drop(begun);
            result
        });
        let reading = reading.map_err(|_| unreadable())?;
        if let Ok(thread) = reader.recv()
            && reader.recv_timeout(BRIEF) == Err(RecvTimeoutError::Timeout)
        {
            // Whoever is that far down already stays there.
            let _ = setpriority_process(thread, NICENESS);
        }
        reading.join().unwrap_or_else(|_| Err(unreadable()))
    })
}

/// What a priority is set for: on Linux a thread, elsewhere the process.
fn this_thread() -> Option<Pid> {
    #[cfg(target_os = "linux")]
    return Some(rustix::thread::gettid());
    #[cfg(not(target_os = "linux"))]
    None
}

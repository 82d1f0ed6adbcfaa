//! The side of a reader that starts it and waits for its answer.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy, sink},
    process::{Child, Command},
    sync::{OwnedSemaphorePermit, oneshot},
};

use super::{
    Answer, Reading, Source,
    child::{JOB, Job, clock},
    rewound,
};
use crate::limits::Limits;

/// A reader ends by itself when its time is over; this long after it, it is ended.
const GRACE: Duration = Duration::from_secs(5);
/// More than any answer: twice the text, for what JSON escapes, and the rest.
const ANSWER_BESIDE_TEXT: usize = 8 << 20;
/// What is kept of what it says on standard error.
const SAID: u64 = 4 << 10;
/// Said by the standard library before it aborts where an allocation fails.
const ALLOCATION_FAILED: &str = "memory allocation of";

#[derive(Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) arguments: Vec<OsString>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    OutOfMemory,
    OutOfTime,
    /// It met something in the file that no parser of ours can read.
    Crashed,
    /// The file is not at fault.
    Failed(String),
}

/// Reads with at most `share` MiB. The permit for them is given back when the process is gone and not before, also where
/// the caller went away.
pub(super) async fn read(
    program: &Program,
    reading: &Reading,
    share: u32,
    permit: OwnedSemaphorePermit,
) -> Result<Answer, Ended> {
    let job = Job::new(reading.question.clone(), reading.limits.clone(), share);
    let (stdin, input) = match &reading.source {
        Source::Bytes(bytes) => (Stdio::piped(), Some(bytes.clone())),
        Source::File(file) => (from_start(file).map_err(failed)?.into(), None),
    };
    let mut command = Command::new(&program.path);
    command.args(&program.arguments).env_clear().env(JOB, job.to_text()).current_dir("/");
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // Ctrl-C on a terminal is for the daemon, which lets steps in flight end.
    command.process_group(0);
    let limits = reading.limits.clone();
    let (send, answer) = oneshot::channel();
    let (waits, gone) = oneshot::channel::<()>();
    // On a thread of the runtime: on Linux a reader ends with the thread that started it.
    tokio::spawn(async move {
        let answer = match command.spawn() {
            Ok(child) => watch(child, input, &limits, gone).await,
            Err(error) => Err(failed(error)),
        };
        drop(permit);
        let _ = send.send(answer);
    });
    let answer = answer.await.unwrap_or_else(|_| Err(Ended::Failed("this process ends".to_owned())));
    drop(waits);
    answer
}

fn from_start(file: &File) -> io::Result<File> {
    rewound(file).map_err(io::Error::other)?.try_clone()
}

fn failed(error: io::Error) -> Ended {
    Ended::Failed(format!("the reader process cannot be started: {error}"))
}

/// Waits until the process is gone: by itself, or ended because its time is over or nobody waits any more.
async fn watch(
    mut child: Child,
    input: Option<Bytes>,
    limits: &Limits,
    gone: oneshot::Receiver<()>,
) -> Result<Answer, Ended> {
    let time = clock(limits).saturating_add(GRACE);
    let talked = tokio::select! {
        talked = talk(&mut child, input, limits) => Some(talked),
        () = tokio::time::sleep(time) => None,
        _ = gone => None,
    };
    let Some(talked) = talked else {
        // It is waited for, too.
        let _ = child.kill().await;
        return Err(Ended::OutOfTime);
    };
    let Ok((answer, said, status)) = talked else {
        let _ = child.kill().await;
        return Err(Ended::Crashed);
    };
    why(status, &said).map_or_else(|| serde_json::from_slice(&answer).map_err(|_| Ended::Crashed), Err)
}

/// Hands it its input and takes its answer; an error where the answer has no end.
async fn talk(child: &mut Child, input: Option<Bytes>, limits: &Limits) -> io::Result<(Vec<u8>, String, ExitStatus)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let give = async {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // One that ends before it has read all has said why.
            let _ = stdin.write_all(&input).await;
        }
        io::Result::Ok(())
    };
    // Pictures take four characters for three bytes.
    let pictures = limits.pictures_bytes / 3 * 4;
    let most = limits.text_bytes.saturating_mul(2).saturating_add(pictures).saturating_add(ANSWER_BESIDE_TEXT) as u64;
    let answer = async {
        let answer = first(stdout, most + 1).await?.0;
        if answer.len() as u64 > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(answer) }
    };
    let said = async {
        let (said, pipe) = first(stderr, SAID).await?;
        if let Some(mut pipe) = pipe {
            copy(&mut pipe, &mut sink()).await?;
        }
        io::Result::Ok(String::from_utf8_lossy(&said).into_owned())
    };
    let ((), answer, said) = tokio::try_join!(give, answer, said)?;
    Ok((answer, said, child.wait().await?))
}

/// The first bytes of what a pipe has, at most so many, and the pipe with the rest.
async fn first<P: AsyncRead + Unpin>(pipe: Option<P>, most: u64) -> io::Result<(Vec<u8>, Option<P>)> {
    let mut bytes = Vec::new();
    let Some(pipe) = pipe else { return Ok((bytes, None)) };
    let mut pipe = pipe.take(most);
    pipe.read_to_end(&mut bytes).await?;
    Ok((bytes, Some(pipe.into_inner())))
}

/// Why a process ended other than well.
fn why(status: ExitStatus, said: &str) -> Option<Ended> {
    use rustix::process::Signal;
    match status.signal().and_then(Signal::from_named_raw) {
        None if status.success() => None,
        Some(Signal::ABORT) if said.contains(ALLOCATION_FAILED) => Some(Ended::OutOfMemory),
        Some(Signal::XCPU) => Some(Ended::OutOfTime),
        // The kernel, when the machine has no memory left, or a person.
        Some(Signal::KILL | Signal::TERM | Signal::INT) => {
            Some(Ended::Failed("the reader process was ended from outside".to_owned()))
        }
        _ => Some(Ended::Crashed),
    }
}

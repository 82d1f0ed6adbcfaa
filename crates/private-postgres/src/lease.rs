//! Keeps the server running exactly as long as somebody uses it; the crate's documentation says how.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{
        fd::OwnedFd,
        unix::fs::{FileTypeExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::stat::Mode,
    unistd::mkfifo,
};
use tokio::{
    process::Child,
    time::{Instant, sleep, timeout},
};

use crate::{
    error::{PgError, RUN},
    place::Place,
};

/// Reads the pipe until nobody holds its other end, then stops the server of the folder.
///
/// A word on the pipe is a user's question whether the pipe is still read; the answer is a file. `quit` says that the
/// last user stopped the server itself. While the server is being stopped the pipe stays open but unread, so a newcomer
/// gets no answer and waits. The pid file may appear late if its server was only just started.
const WATCH: &str = r#"
trap '' HUP INT TERM
run=$1 pgdata=$2
while read -r word; do
  case $word in
    quit) exit 0 ;;
    '') ;;
    *) echo >"$run/ack.$word" ;;
  esac
done
tries=0
until read -r pid <"$pgdata/postmaster.pid"; do
  tries=$((tries + 1))
  [ "$tries" -le 100 ] || exit 0
  sleep 0.1 || sleep 1
done
case $pid in '' | 0 | 1 | *[!0-9]*) exit 0 ;; esac
if [ -e /proc/self ] && ! [ "/proc/$pid/cwd" -ef "$pgdata" ]; then exit 0; fi
kill -INT "$pid" || exit 0
tries=0
while [ "$tries" -lt 6000 ] && read -r now <"$pgdata/postmaster.pid" && [ "$now" = "$pid" ] && kill -0 "$pid"; do
  tries=$((tries + 1))
  sleep 0.1 || sleep 1
done
"#;

const TICK: Duration = Duration::from_millis(5);
/// How long a dismissed watchdog may take to go.
const DISMISSAL: Duration = Duration::from_secs(5);

/// A share in the running server: while any process holds one, the server stays.
#[derive(Debug)]
pub(crate) struct Lease {
    /// The writing end of the pipe. The kernel closes it however we end.
    end: File,
    /// The watchdog, if this lease started it.
    watchdog: Option<Child>,
}

impl Lease {
    /// Joins the watchdog of this place or starts one; waits for one that is just stopping the server. Only one process
    /// may be here at a time.
    pub(crate) async fn take(place: &Place, deadline: Instant, limit: Duration) -> Result<Self, PgError> {
        let fifo = place.run().join("alive");
        if let Some(end) = open_end(&fifo)? {
            let late = || PgError::Timeout {
                what: format!("the process that stops the last server in {}", place.home.display()),
                after: limit,
                detail: String::new(),
            };
            if is_watched(&end, &place.run(), deadline)
                .await
                .map_err(PgError::io("write to", &fifo))?
                .ok_or_else(late)?
            {
                return Ok(Self { end, watchdog: None });
            }
        }
        Self::watch(place, &fifo)
    }

    fn watch(place: &Place, fifo: &Path) -> Result<Self, PgError> {
        match mkfifo(fifo, Mode::S_IRUSR | Mode::S_IWUSR) {
            // Kept from the last time: whoever still holds its writing end goes on counting as a user.
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(error) => return Err(PgError::io("make the pipe", fifo)(error.into())),
        }
        // Without O_NONBLOCK each open would wait for the other end; the watchdog then needs a pipe that does wait.
        let front = OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW).bits())
            .open(fifo)
            .map_err(PgError::io("open", fifo))?;
        let gone = || PgError::io("open", fifo)(io::Error::from(io::ErrorKind::BrokenPipe));
        let end = open_end(fifo)?.ok_or_else(gone)?;
        fcntl(&front, FcntlArg::F_SETFL(OFlag::empty())).map_err(|error| PgError::io("open", fifo)(error.into()))?;
        let mut command = place.account.command("/bin/sh", &place.home);
        command
            .args(["-c", WATCH, "galley-postgres-watch"])
            .arg(place.run())
            .arg(place.pgdata())
            .stdin(Stdio::from(OwnedFd::from(front)))
            .process_group(0);
        let watchdog = command.spawn().map_err(PgError::io(RUN, Path::new("/bin/sh")))?;
        Ok(Self { end, watchdog: Some(watchdog) })
    }

    /// Sends the watchdog away after the last user has stopped the server, and waits until it is gone.
    pub(crate) async fn dismiss(mut self) {
        // A watchdog that is already gone needs no word, one that hangs is no reason to fail a stop that succeeded.
        if self.end.write_all(b"quit\n").is_err() {
            return;
        }
        let gone = async {
            if let Some(mut watchdog) = self.watchdog {
                return watchdog.wait().await.map(drop);
            }
            loop {
                match self.end.write(b"\n") {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                    _ => sleep(TICK).await,
                }
            }
        };
        match timeout(DISMISSAL, gone).await {
            Ok(Ok(())) => {}
            other => tracing::debug!("the watchdog may still be there: {other:?}"),
        }
    }
}

/// Opens the writing end; `None` if nobody reads.
fn open_end(fifo: &Path) -> Result<Option<File>, PgError> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
    let end = match OpenOptions::new().write(true).custom_flags(flags.bits()).open(fifo) {
        Ok(end) => end,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::ENXIO as i32) => return Ok(None),
        Err(error) => return Err(PgError::io("open", fifo)(error)),
    };
    let kind = end.metadata().map_err(PgError::io("open", fifo))?.file_type();
    if !kind.is_fifo() {
        return Err(PgError::io("use", fifo)(io::Error::new(io::ErrorKind::InvalidInput, "it is not a pipe")));
    }
    Ok(Some(end))
}

/// Asks the reader of the pipe whether it counts us: `true` if it answers, `false` if it is gone, `None` if it did
/// neither in time.
async fn is_watched(end: &File, run: &Path, deadline: Instant) -> io::Result<Option<bool>> {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let word = format!("{}-{}", std::process::id(), ASKED.fetch_add(1, Ordering::Relaxed));
    let answer: PathBuf = run.join(format!("ack.{word}"));
    let mut end = end;
    let mut message = format!("{word}\n");
    loop {
        match end.write(message.as_bytes()) {
            Ok(_) => "\n".clone_into(&mut message),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Some(false)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        match std::fs::remove_file(&answer) {
            Ok(()) => return Ok(Some(true)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        sleep(TICK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;

    #[tokio::test]
    async fn only_an_answer_counts() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place { home: temp.path().to_owned(), account: Account::Ours };
        std::fs::create_dir(place.run()).unwrap();
        let fifo = place.run().join("alive");
        assert!(open_end(&fifo).unwrap().is_none());
        mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        assert!(open_end(&fifo).unwrap().is_none(), "nobody reads");

        // A watchdog that has seen the end still has the pipe open while it stops the server.
        let silent = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&fifo).unwrap();
        let end = open_end(&fifo).unwrap().unwrap();
        assert_eq!(is_watched(&end, &place.run(), Instant::now()).await.unwrap(), None);
        drop(silent);
        let soon = Instant::now() + Duration::from_secs(30);
        assert_eq!(is_watched(&end, &place.run(), soon).await.unwrap(), Some(false));
        drop(end);

        let first = Lease::take(&place, soon, Duration::ZERO).await.unwrap();
        let second = Lease::take(&place, soon, Duration::ZERO).await.unwrap();
        assert!(first.watchdog.is_some() && second.watchdog.is_none());
        drop(first);
        assert_eq!(is_watched(&second.end, &place.run(), soon).await.unwrap(), Some(true));
        second.dismiss().await;
        assert!(open_end(&fifo).unwrap().is_none(), "the watchdog is gone");
        let left: Vec<_> = std::fs::read_dir(place.run()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["alive"]);
    }

    #[test]
    fn what_is_not_a_pipe_is_not_written_to() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("alive");
        std::fs::write(&file, "").unwrap();
        assert!(open_end(&file).unwrap_err().to_string().contains("not a pipe"));
    }
}

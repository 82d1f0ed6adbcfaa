//! What can go wrong, told so that the reader of a terminal knows what to do next.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::binaries::OLDEST_MAJOR;

/// Every message names the folder, file or program concerned and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PgError {
    /// A value in [`Settings`](crate::Settings) or an argument cannot be used.
    #[error("{0}")]
    Settings(String),

    /// No server programs on this machine, or only too old or broken ones (`rejected` says which and why).
    #[error(
        "no usable PostgreSQL server, version {OLDEST_MAJOR} or newer, was found on this machine{}. Install one: \
         Debian/Ubuntu `apt install postgresql`, Fedora `dnf install postgresql-server`, Arch `pacman -S postgresql`, \
         Alpine `apk add postgresql`, macOS `brew install postgresql@17`. Or name the folder that holds `postgres` and \
         `initdb`, or set DATABASE_URL to use a server that you already run",
        list(.rejected)
    )]
    NotFound { rejected: Vec<String> },

    /// The cluster on disk was made by a major version that is not installed.
    #[error(
        "the database in {} was made by PostgreSQL {cluster}, but only {} is installed. Install PostgreSQL {cluster} \
         beside it, or move the data with pg_upgrade or pg_dump",
        .pgdata.display(), .installed
    )]
    WrongVersion { pgdata: PathBuf, cluster: u32, installed: String },

    /// `pgdata` exists and holds something that is not a complete cluster. It is never deleted.
    #[error(
        "{} is not a complete PostgreSQL cluster ({reason}). Nothing was changed: restore it from a backup, or move it \
         away to begin with an empty database",
        .pgdata.display()
    )]
    NotACluster { pgdata: PathBuf, reason: String },

    /// The `location` file points to a folder that is gone.
    #[error(
        "{} says that the database is kept in {}, which is not there. Bring that folder back, or delete the file to \
         begin with an empty database",
        .file.display(), .home.display()
    )]
    LostLocation { file: PathBuf, home: PathBuf },

    /// Started as root, and the unprivileged user cannot enter the data folder or any folder tried instead.
    #[error(
        "PostgreSQL does not run as root, and the user `{user}` that runs it instead cannot enter {}. Choose a data \
         folder that this user can reach (--data DIR), or open the folder with `chmod o+x`{}",
        .folder.display(), list(.tried)
    )]
    Unreachable { folder: PathBuf, user: String, tried: Vec<String> },

    /// Started as root, and there is no user to run the server as.
    #[error(
        "PostgreSQL does not run as root, and {0}. Set GALLEY_POSTGRES_USER to an unprivileged user, or start as one"
    )]
    NoAccount(String),

    /// A file or folder could not be read, made or changed.
    #[error("cannot {action} {}: {source}{}", .path.display(), hint(.action, .source))]
    Io { action: &'static str, path: PathBuf, source: io::Error },

    /// `initdb` failed; `output` is the end of what it said.
    #[error("initdb could not make a database in {}{}", .path.display(), reason(.output))]
    Initdb { path: PathBuf, output: String },

    /// The server ended while it was starting; `output` is the end of what it logged.
    #[error("PostgreSQL ended while it was starting on {} (full log: {}){}", .pgdata.display(), .log.display(), reason(.output))]
    Died { pgdata: PathBuf, log: PathBuf, output: String },

    /// A server answers on this folder's socket but its process cannot be seen from here.
    #[error(
        "another PostgreSQL server, which this process cannot see (in another container?), serves {}. Stop it first: \
         two servers on one folder destroy the data",
        .pgdata.display()
    )]
    UnseenServer { pgdata: PathBuf },

    /// Something took longer than it may; `detail` is the end of the server's log, or empty.
    #[error("gave up after {} s waiting for {what}; a slow disk may need a longer start timeout\n{detail}", .after.as_secs())]
    Timeout { what: String, after: Duration, detail: String },

    /// The server refused a statement.
    #[error("PostgreSQL refused ({sqlstate}): {message}")]
    Refused { sqlstate: String, message: String },

    /// The connection to the server broke or spoke something else.
    #[error("cannot talk to PostgreSQL on {}: {source}", .socket.display())]
    Connection { socket: PathBuf, source: io::Error },
}

impl PgError {
    pub(crate) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// The action of an error about a program that does not start.
pub(crate) const RUN: &str = "run";

fn list(entries: &[String]) -> String {
    if entries.is_empty() { String::new() } else { format!(" ({})", entries.join("; ")) }
}

fn hint(action: &str, source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " (free some space, or choose another data folder with --data DIR)"
        }
        io::ErrorKind::PermissionDenied if action == RUN => " (the user that runs the server must be able to reach it)",
        io::ErrorKind::PermissionDenied => " (was it made by another user? Choose another data folder with --data DIR)",
        _ => "",
    }
}

/// What a program said: one sentence with the way out where the disk is to blame, else all of it.
fn reason(output: &str) -> String {
    const KNOWN: [(&str, &str); 3] = [
        ("No space left on device", "free some space, or choose another data folder with --data DIR"),
        ("Disk quota exceeded", "raise the quota, or choose another data folder with --data DIR"),
        ("File too large", "raise the limit for the size of files (ulimit -f)"),
    ];
    let found =
        KNOWN.iter().find_map(|(word, way_out)| Some((output.lines().find(|line| line.contains(word))?, way_out)));
    match found {
        Some((line, way_out)) => {
            // Without time and process, which stand before the severity.
            let said = ["FATAL:", "PANIC:", "ERROR:", "error:"].iter().find_map(|severity| line.split_once(severity));
            format!(": {}; {way_out}", said.map_or(line, |(_, said)| said).trim())
        }
        None => format!(":\n{output}"),
    }
}

/// The end of a program's output: at most 20 lines and 4,000 bytes, which fits a terminal and holds the reason.
pub(crate) fn tail(output: &[u8]) -> String {
    const LINES: usize = 20;
    const BYTES: usize = 4_000;
    let text = String::from_utf8_lossy(&output[output.len().saturating_sub(BYTES)..]);
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_names_the_path_and_the_way_out() {
        let full = io::Error::from_raw_os_error(nix::errno::Errno::ENOSPC as i32);
        let message = PgError::io("write", Path::new("/data/location"))(full).to_string();
        assert!(message.contains("cannot write /data/location"), "{message}");
        assert!(message.contains("free some space"), "{message}");
    }

    #[test]
    fn a_server_without_space_is_one_sentence() {
        let output =
            "initdb: warning: a\n2026-11-29 UTC [7] FATAL:  could not extend \"base/1\": No space left on device\nb";
        let died = PgError::Initdb { path: "/d/pgdata".into(), output: output.into() }.to_string();
        let expected = "initdb could not make a database in /d/pgdata: could not extend \"base/1\": No space left on device; \
                        free some space, or choose another data folder with --data DIR";
        assert_eq!(died, expected);
        assert_eq!(reason("initdb: error: no\nwhy"), ":\ninitdb: error: no\nwhy");
    }

    #[test]
    fn not_found_names_the_packages() {
        let message = PgError::NotFound { rejected: vec!["/x/bin: version 12.1".into()] }.to_string();
        for word in ["apt install", "dnf install", "pacman", "apk add", "brew install", "/x/bin: version 12.1"] {
            assert!(message.contains(word), "{word} in {message}");
        }
    }

    #[test]
    fn tail_keeps_the_end_within_its_limits() {
        let long: String = (0..10_000).map(|n| format!("line {n}\n")).collect();
        let end = tail(long.as_bytes());
        assert_eq!(end.lines().count(), 20);
        assert!(end.ends_with("line 9999"));
        assert!(tail(&vec![b'x'; 100_000]).len() <= 4_000);
        assert_eq!(tail(b""), "");
    }
}

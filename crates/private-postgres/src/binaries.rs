//! Where the server programs are on this machine.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::PgError;

/// The oldest major version that is accepted (`initdb --no-instructions` and the shared-memory check that lets a stale
/// pid file be removed safely are all there from 14 on).
pub(crate) const OLDEST_MAJOR: u32 = 14;

/// A folder that holds `postgres` and `initdb` of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    pub dir: PathBuf,
    pub version: Version,
}

/// A server version such as 15.18. Pre-releases count as minor 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Version {
    /// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-1)`, `postgres (PostgreSQL) 19beta1`.
    fn parse(output: &str) -> Option<Self> {
        let number = output.split_once(") ")?.1.split_whitespace().next()?;
        let (major, rest) = number.split_at(number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len()));
        let minor = rest.strip_prefix('.').and_then(|minor| minor.parse().ok()).unwrap_or(0);
        Some(Self { major: major.parse().ok()?, minor })
    }
}

/// Finds the server programs: `explicit` alone if given; else `$PATH`, what `pg_config` says, and the places where
/// Debian, Red Hat, SUSE, Alpine, Homebrew, MacPorts and Postgres.app put them, the newest first within each place.
///
/// Runs `postgres --version` in each folder until one fits, so it blocks for some milliseconds.
///
/// # Errors
/// [`PgError::Settings`] if `explicit` does not hold usable programs, [`PgError::NotFound`] if no place does.
pub fn find_binaries(explicit: Option<&Path>) -> Result<Binaries, PgError> {
    match explicit {
        Some(dir) => probe(dir).map_err(|reason| {
            PgError::Settings(format!(
                "no usable PostgreSQL in {reason}; let database.bin_dir name the folder that holds `postgres` and `initdb` of \
                 version {OLDEST_MAJOR} or newer, or leave it out to have them searched"
            ))
        }),
        None => choose(&candidates(), |_| true),
    }
}

/// The programs for a cluster that exists already: they must be of its major version.
pub(crate) fn find_major(explicit: Option<&Path>, major: u32, pgdata: &Path) -> Result<Binaries, PgError> {
    let wrong = |installed: String| PgError::WrongVersion { pgdata: pgdata.to_owned(), cluster: major, installed };
    let first = find_binaries(explicit)?;
    if first.version.major == major {
        return Ok(first);
    }
    if explicit.is_some() {
        return Err(wrong(format!("{} in {}", first.version, first.dir.display())));
    }
    choose(&candidates(), |found| found.version.major == major)
        .map_err(|_| wrong(format!("{} in {}", first.version, first.dir.display())))
}

fn choose(candidates: &[PathBuf], fits: impl Fn(&Binaries) -> bool) -> Result<Binaries, PgError> {
    let mut rejected = Vec::new();
    for dir in candidates {
        match probe(dir) {
            Ok(found) if fits(&found) => return Ok(found),
            Ok(_) => {}
            Err(reason) => rejected.push(reason),
        }
    }
    Err(PgError::NotFound { rejected })
}

/// Looks at one folder; the error says which folder and what is wrong with it.
fn probe(dir: &Path) -> Result<Binaries, String> {
    for program in ["postgres", "initdb"] {
        if !dir.join(program).is_file() {
            return Err(format!("{}: there is no `{program}`", dir.display()));
        }
    }
    let output = Command::new(dir.join("postgres"))
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: `postgres` does not run: {error}", dir.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = Version::parse(&text)
        .ok_or_else(|| format!("{}: `postgres --version` says {:?}", dir.display(), text.trim()))?;
    if version.major < OLDEST_MAJOR {
        return Err(format!("{}: version {version} is older than {OLDEST_MAJOR}", dir.display()));
    }
    Ok(Binaries { dir: dir.to_owned(), version })
}

fn candidates() -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    // A name in $PATH is often a link to one program of a folder; the others are beside the link's target.
    for entry in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        if entry.is_absolute()
            && let Ok(real) = fs::canonicalize(entry.join("postgres"))
        {
            dirs.extend(real.parent().map(Path::to_owned));
        }
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).output() {
        let dir = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        if dir.join("postgres").is_file() {
            dirs.push(dir);
        }
    }
    const PLACES: [(&str, &str, &str); 9] = [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/usr/lib", "postgresql", "bin"),
        ("/usr/libexec", "postgresql", ""),
        ("/opt/homebrew/opt", "postgresql", "bin"),
        ("/usr/local/opt", "postgresql", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
        ("/opt/local/lib", "postgresql", "bin"),
    ];
    for (parent, prefix, suffix) in PLACES {
        dirs.extend(versioned(Path::new(parent), prefix, suffix));
    }
    let mut seen = Vec::new();
    dirs.retain(|dir| {
        let fresh = !seen.contains(dir);
        seen.push(dir.clone());
        fresh
    });
    dirs
}

/// `parent/PREFIX<version>/suffix` folders that hold `postgres`, the highest version first.
fn versioned(parent: &Path, prefix: &str, suffix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let digits: String = name.strip_prefix(prefix)?.chars().filter(char::is_ascii_digit).collect();
            let dir = entry.path().join(suffix);
            dir.join("postgres").is_file().then_some((digits.parse().unwrap_or(0), dir))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, dir)| dir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by another process: a program that we have open for writing while a test beside us forks cannot be run.
    fn fake(dir: &Path, version: &str) {
        let script = "mkdir -p \"$1\" && cd \"$1\" && for name in postgres initdb; do
            printf \"#!/bin/sh\\necho 'postgres (PostgreSQL) %s'\\n\" \"$2\" >$name && chmod 755 $name || exit; done";
        let status = Command::new("sh").args(["-c", script, "sh"]).arg(dir).arg(version).status().unwrap();
        assert!(status.success());
    }

    #[test]
    fn versions_are_read() {
        let parse = |text| Version::parse(text).map(|v| (v.major, v.minor));
        assert_eq!(parse("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some((15, 18)));
        assert_eq!(parse("postgres (PostgreSQL) 19beta1"), Some((19, 0)));
        assert_eq!(parse("postgres (PostgreSQL) 17"), Some((17, 0)));
        assert_eq!(parse("postgres"), None);
        assert_eq!(parse("x) y"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_machine_has_one() {
        let found = find_binaries(None).unwrap();
        assert!(found.version.major >= OLDEST_MAJOR);
        assert_eq!(find_binaries(Some(&found.dir)).unwrap(), found);
    }

    #[test]
    fn missing_old_and_broken_ones_are_named() {
        let temp = tempfile::tempdir().unwrap();
        let (empty, old, broken) = (temp.path().join("empty"), temp.path().join("old"), temp.path().join("broken"));
        fs::create_dir(&empty).unwrap();
        fake(&old, "13.9");
        fake(&broken, "");
        let error = find_binaries(Some(&empty)).unwrap_err().to_string();
        assert!(error.contains("empty: there is no `postgres`"), "{error}");
        let error = choose(&[empty, old, broken], |_| true).unwrap_err().to_string();
        assert!(error.contains("version 13.9 is older than 14"), "{error}");
        assert!(error.contains("`postgres --version` says"), "{error}");
        assert!(error.contains("apt install postgresql"), "{error}");
    }

    #[test]
    fn the_newest_in_a_place_comes_first() {
        let temp = tempfile::tempdir().unwrap();
        for version in ["9", "15", "16", "not-one"] {
            fake(&temp.path().join(version).join("bin"), &format!("{version}.1"));
        }
        fs::create_dir(temp.path().join("18")).unwrap();
        let found = versioned(temp.path(), "", "bin");
        assert!(found[0].ends_with("16/bin") && found[1].ends_with("15/bin"), "{found:?}");
        assert_eq!(choose(&found, |b| b.version.major == 15).unwrap().version, Version { major: 15, minor: 1 });
    }

    #[test]
    fn a_cluster_of_another_version_needs_its_own_programs() {
        let temp = tempfile::tempdir().unwrap();
        fake(temp.path(), "16.2");
        let error = find_major(Some(temp.path()), 17, Path::new("/d/pgdata")).unwrap_err();
        assert!(matches!(&error, PgError::WrongVersion { cluster: 17, .. }), "{error}");
        assert!(error.to_string().contains("/d/pgdata was made by PostgreSQL 17"), "{error}");
        assert!(find_major(None, 99, Path::new("/d/pgdata")).is_err());
    }
}

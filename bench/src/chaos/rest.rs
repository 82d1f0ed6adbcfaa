//! What the processes use while nothing is to do: after the plan no more than before it.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::Context;

use super::verdict::Fault;
use crate::world::Database;

/// What an idle process has at most: one connection that listens, and those among which the statements of its tick go
/// round before one of them counts as idle.
const CONNECTIONS: i64 = 5;
/// How many more than at the start all processes together may have: one each.
const CONNECTIONS_MARGIN: i64 = 4;
/// After the same work one process has a little more than another: the allocator keeps pages that are only partly free, and
/// pools and caches are filled to different heights. Two MiB were seen.
const MEMORY_MARGIN: u64 = 4 << 20;
/// Connections that come and go with the tick.
const FILES_MARGIN: usize = 4;
/// Threads for blocking work end after ten idle seconds; a few may just have worked.
const THREADS_MARGIN: usize = 4;
const LOOK: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Private memory in bytes: pages of the program file come and go as the kernel likes.
    pub memory: u64,
    /// Open file descriptors.
    pub files: usize,
    pub threads: usize,
    /// Connections that the other side has closed and that are still open here.
    pub dead: usize,
}

/// All processes at one moment, the front first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rest {
    pub processes: Vec<Usage>,
    /// Client connections of the database, ours not counted.
    pub connections: i64,
    /// Those that are idle within a transaction, or hold an advisory lock.
    pub holding: i64,
}

impl Usage {
    fn of(pid: u32) -> anyhow::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).context("this needs Linux")?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
                .with_context(|| format!("no {name}"))
        };
        Ok(Self {
            memory: number("RssAnon")? * 1024,
            files: fs::read_dir(format!("/proc/{pid}/fd"))?.count(),
            dead: dead(pid)?,
            threads: usize::try_from(number("Threads")?)?,
        })
    }

    fn most(self, other: Self) -> Self {
        Self {
            memory: self.memory.max(other.memory),
            files: self.files.max(other.files),
            threads: self.threads.max(other.threads),
            dead: self.dead.max(other.dead),
        }
    }
}

fn dead(pid: u32) -> anyhow::Result<usize> {
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp"))?;
    // State 08 is CLOSE_WAIT; the tenth field is the inode.
    let waiting = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let waiting: Vec<String> = waiting
        .filter(|fields| fields.get(3) == Some(&"08"))
        .filter_map(|fields| Some(format!("socket:[{}]", fields.get(9)?)))
        .collect();
    let ours = fs::read_dir(format!("/proc/{pid}/fd"))?.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    Ok(ours.filter(|link| link.to_str().is_some_and(|link| waiting.iter().any(|dead| dead == link))).count())
}

impl Rest {
    pub async fn look(pids: &[u32], database: &Database) -> anyhow::Result<Self> {
        let ours = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        let connections = database.number(&format!("SELECT count(*) FROM pg_stat_activity WHERE {ours}")).await?;
        let holding = database
            .number(&format!(
                "SELECT count(*) FROM pg_stat_activity a WHERE {ours} AND (state LIKE 'idle in %'
                    OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory'))"
            ))
            .await?;
        let processes = pids.iter().map(|pid| Usage::of(*pid)).collect::<Result<_, _>>()?;
        Ok(Self { processes, connections, holding })
    }

    /// The first look at which connections that nobody needs are closed.
    pub async fn settled(pids: &[u32], database: &Database, limit: Duration) -> anyhow::Result<Self> {
        let began = Instant::now();
        let most = CONNECTIONS * i64::try_from(pids.len())?;
        loop {
            let now = Self::look(pids, database).await?;
            if now.connections <= most && now.holding == 0 {
                return Ok(now);
            }
            anyhow::ensure!(began.elapsed() < limit, "the processes do not come to rest: {now:?}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What is over the start when the limit has passed; nothing as soon as nothing is.
    pub async fn back(&self, pids: &[u32], database: &Database, limit: Duration) -> anyhow::Result<(Self, Vec<Fault>)> {
        let began = Instant::now();
        loop {
            let now = Self::look(pids, database).await?;
            let faults = self.exceeded_by(&now);
            if faults.is_empty() || began.elapsed() >= limit {
                return Ok((now, faults));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A process is held against the most that one of its kind used at the start, when all were new.
    fn exceeded_by(&self, now: &Self) -> Vec<Fault> {
        let (front, workers) = self.processes.split_first().map_or((Usage::default(), &[][..]), |(f, w)| (*f, w));
        let worker = workers.iter().copied().fold(Usage::default(), Usage::most);
        let mut faults = Vec::new();
        let mut say = |check, what: String| faults.push(Fault::new(check, what));
        for (at, usage) in now.processes.iter().enumerate() {
            let was = if at == 0 { front } else { worker };
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            if usage.memory > was.memory + MEMORY_MARGIN {
                say(
                    "memory is back at the start",
                    format!("process {at} has {:.1} MiB, it was {:.1}", mib(usage.memory), mib(was.memory)),
                );
            }
            if usage.files > was.files + FILES_MARGIN {
                say(
                    "open files are back at the start",
                    format!("process {at} has {}, it was {}", usage.files, was.files),
                );
            }
            if usage.dead > 0 {
                say("no dead connection is kept", format!("process {at} has {}", usage.dead));
            }
            if usage.threads > was.threads + THREADS_MARGIN {
                say(
                    "threads are back at the start",
                    format!("process {at} has {}, it was {}", usage.threads, was.threads),
                );
            }
        }
        if now.connections > self.connections + CONNECTIONS_MARGIN {
            say("connections are back at the start", format!("{} now, {} then", now.connections, self.connections));
        }
        if now.holding > 0 {
            say("nothing is held in the database", format!("{} connections hold a transaction or lock", now.holding));
        }
        faults
    }

    /// The most memory that one of them has, in MiB, and all connections.
    pub fn line(&self) -> String {
        let memory: Vec<String> = self.processes.iter().map(|usage| (usage.memory >> 20).to_string()).collect();
        format!("{} MiB, {} connections", memory.join("/"), self.connections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_did_not_come_back_is_named() {
        let usage = Usage { memory: 50 << 20, files: 20, threads: 6, dead: 0 };
        let start = Rest { processes: vec![usage; 4], connections: 8, holding: 0 };
        assert_eq!(start.exceeded_by(&start), []);
        type Case = (&'static str, fn(&mut Rest));
        let cases: [Case; 6] = [
            ("no dead connection is kept", |now| now.processes[1].dead = 1),
            ("memory is back at the start", |now| now.processes[2].memory += MEMORY_MARGIN + 1),
            ("open files are back at the start", |now| now.processes[0].files += FILES_MARGIN + 1),
            ("threads are back at the start", |now| now.processes[3].threads += THREADS_MARGIN + 1),
            ("connections are back at the start", |now| now.connections += 5),
            ("nothing is held in the database", |now| now.holding = 1),
        ];
        for (check, change) in cases {
            let mut now = start.clone();
            change(&mut now);
            let named: Vec<_> = start.exceeded_by(&now).into_iter().map(|fault| fault.check).collect();
            assert_eq!(named, [check]);
        }
    }

    #[test]
    fn a_front_is_not_held_against_a_worker() {
        let of = |memory| Usage { memory, ..Usage::default() };
        let start = Rest { processes: vec![of(10 << 20), of(90 << 20), of(80 << 20)], ..Rest::default() };
        let now = Rest { processes: vec![of(90 << 20), of(80 << 20), of(93 << 20)], ..Rest::default() };
        let faults = start.exceeded_by(&now);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].detail.contains("process 0"), "{faults:?}");
    }

    #[test]
    fn this_process_uses_something() {
        let usage = Usage::of(std::process::id()).expect("Linux");
        assert!(usage.memory > 100_000 && usage.files > 2 && usage.threads > 0);
    }

    #[test]
    fn a_connection_counts_as_dead_from_its_end_to_its_being_dropped() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let here = std::net::TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        let (there, _) = listener.accept().expect("accepted");
        let pid = std::process::id();
        assert_eq!(dead(pid).expect("Linux"), 0);
        drop(there);
        // The end of the other side is here once reading sees it.
        let mut byte = [0];
        assert_eq!(std::io::Read::read(&mut &here, &mut byte).expect("an end"), 0);
        assert_eq!(dead(pid).expect("Linux"), 1);
        drop(here);
        assert_eq!(dead(pid).expect("Linux"), 0);
    }
}

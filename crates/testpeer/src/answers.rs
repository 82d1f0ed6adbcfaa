//! A resolver that says what a test wants.

use std::{
    collections::VecDeque,
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use galley_fetch::dns::Resolver;

/// Gives one answer after the other, the last one for ever.
#[derive(Debug, Default)]
pub struct Answers {
    list: Mutex<VecDeque<Vec<IpAddr>>>,
    lookups: AtomicUsize,
}

impl Answers {
    pub fn new(list: &[&[&str]]) -> Arc<Self> {
        let list = list.iter().map(|ips| ips.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        Arc::new(Self { list: Mutex::new(list), lookups: AtomicUsize::new(0) })
    }

    pub fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolver for Answers {
    async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut list = self.list.lock().unwrap();
        let next = if list.len() > 1 { list.pop_front() } else { list.front().cloned() };
        next.ok_or_else(|| io::Error::other("no such name"))
    }
}

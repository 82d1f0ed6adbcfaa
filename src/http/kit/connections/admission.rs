//! Who is let in. There are only so many places for connections, and one address gets only so many of them. Beyond that
//! a few are let in all the same, so that probes are answered and everybody else is told why they are not.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use poem::http::StatusCode;
use tokio_util::sync::CancellationToken;

use crate::http::kit::{
    problem::{Code, Problem},
    state::HttpLimits,
};

/// What a connection may ask for that has no place of its own.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// When to come back, in seconds.
const WAIT: u64 = 5;

/// Why a connection is let in for nothing but [`PROBES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// All places are taken.
    Full(usize),
    /// The address has as many as one address gets.
    Address(usize),
    /// The process stops.
    Stopping,
}

impl Refusal {
    /// The answer to a request for this path; none when it is served.
    pub fn of_path(self, path: &str) -> Option<Problem> {
        let path = path.trim_end_matches('/');
        if PROBES.contains(&path) {
            return None;
        }
        let (code, detail) = match self {
            Self::Full(most) => (
                Code::RateLimitError,
                format!("all {most} connections that are taken at once are open (limits.connections); come back soon"),
            ),
            Self::Address(most) => (
                Code::RateLimitError,
                format!(
                    "your address has {most} connections open, the most for one address \
                     (limits.connections_per_address); close some or use them again"
                ),
            ),
            Self::Stopping => (Code::WorkflowError, "the process is stopping; send the request to another one, or again after the seconds that Retry-After names".to_owned()),
        };
        Some(Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(WAIT))
    }
}

/// Counts the connections that are open.
#[derive(Debug)]
pub struct Admission {
    open: Mutex<Open>,
    most: usize,
    /// 0: no limit.
    most_per_address: usize,
    reserve: usize,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
    /// Those beyond the limit, the oldest first.
    reserve: VecDeque<(u64, CancellationToken)>,
    next: u64,
    stopping: bool,
}

/// How a connection was let in.
#[derive(Debug)]
pub struct Admitted {
    pub refusal: Option<Refusal>,
    /// Cancelled when the place is needed for somebody who came later.
    pub ousted: CancellationToken,
    pub permit: Permit,
}

/// The right to be open; given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    admission: Arc<Admission>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Own(Option<IpAddr>),
    Reserve(u64),
}

impl Admission {
    pub fn new(limits: &HttpLimits) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::default(),
            most: limits.connections,
            most_per_address: limits.connections_per_address,
            reserve: limits.reserve.max(1),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on probes alone are served.
    pub fn stop(&self) {
        self.lock().stopping = true;
    }

    /// Lets a connection in. Beyond the limits it takes the place of the one that was let in so before all others, if
    /// there are too many of that kind: probes ask at once, so those who are put out are those who ask for nothing.
    pub fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Admitted {
        let address = address.map(counted);
        let ousted = CancellationToken::new();
        let mut open = self.lock();
        let own = address.and_then(|address| open.by_address.get(&address).copied()).unwrap_or(0);
        let refusal = if open.stopping {
            Some(Refusal::Stopping)
        } else if self.most_per_address > 0 && address.is_some() && own >= self.most_per_address {
            Some(Refusal::Address(self.most_per_address))
        } else if open.all >= self.most {
            Some(Refusal::Full(self.most))
        } else {
            None
        };
        let place = if refusal.is_some() {
            if open.reserve.len() >= self.reserve
                && let Some((_, oldest)) = open.reserve.pop_front()
            {
                oldest.cancel();
            }
            open.next += 1;
            let number = open.next;
            open.reserve.push_back((number, ousted.clone()));
            Place::Reserve(number)
        } else {
            open.all += 1;
            if let Some(address) = address {
                *open.by_address.entry(address).or_insert(0) += 1;
            }
            Place::Own(address)
        };
        drop(open);
        Admitted { refusal, ousted, permit: Permit { admission: Arc::clone(self), place } }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.admission.lock();
        match self.place {
            Place::Reserve(number) => open.reserve.retain(|(known, _)| *known != number),
            Place::Own(address) => {
                open.all -= 1;
                if let Some(address) = address
                    && let Some(count) = open.by_address.get_mut(&address)
                {
                    *count -= 1;
                    if *count == 0 {
                        open.by_address.remove(&address);
                    }
                }
            }
        }
    }
}

/// Whoever has one IPv6 address has the 2^64 of its network too.
fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(connections: usize, connections_per_address: usize, reserve: usize) -> Arc<Admission> {
        Admission::new(&HttpLimits { connections, connections_per_address, reserve, ..HttpLimits::default() })
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn an_address_gets_its_share_and_gives_it_back() {
        let admission = admission(3, 2, 4);
        let near = "10.0.0.1";
        let first = admission.enter(ip(near));
        let second = admission.enter(ip(near));
        assert!(first.refusal.is_none() && second.refusal.is_none());
        assert_eq!(admission.enter(ip(near)).refusal, Some(Refusal::Address(2)));
        assert_eq!(admission.enter(ip("::ffff:10.0.0.1")).refusal, Some(Refusal::Address(2)), "the same in IPv6");
        let third = admission.enter(ip("10.0.0.2"));
        assert!(third.refusal.is_none(), "another address");
        assert_eq!(admission.enter(ip("10.0.0.3")).refusal, Some(Refusal::Full(3)));
        drop(first);
        assert!(admission.enter(ip(near)).refusal.is_none(), "the place was given back");
        drop((second, third));
        let open = admission.lock();
        assert_eq!((open.all, open.by_address.len(), open.reserve.len()), (0, 0, 0), "nothing is left");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_without_a_limit_nobody_is_counted() {
        let one_each = admission(9, 1, 4);
        let _first = one_each.enter(ip("2001:db8::1"));
        assert_eq!(one_each.enter(ip("2001:db8::ffff:0:2")).refusal, Some(Refusal::Address(1)));
        assert!(one_each.enter(ip("2001:db8:0:1::1")).refusal.is_none());
        assert!(one_each.enter(None).refusal.is_none(), "what has no address is not counted by address");
        let free = admission(2, 0, 4);
        let _places = [free.enter(ip("10.0.0.1")), free.enter(ip("10.0.0.1"))];
        assert_eq!(free.enter(ip("10.0.0.1")).refusal, Some(Refusal::Full(2)));
    }

    #[test]
    fn whoever_was_let_in_beyond_the_limit_makes_way_for_those_who_come_later() {
        let admission = admission(0, 0, 2);
        let enter = || admission.enter(ip("10.0.0.1"));
        let (first, second, third) = (enter(), enter(), enter());
        let ousted = |admitted: &Admitted| admitted.ousted.is_cancelled();
        assert_eq!([&first, &second, &third].map(ousted), [true, false, false]);
        drop(first);
        drop(second);
        let fourth = enter();
        assert!(!ousted(&third) && !ousted(&fourth), "there was a place");
    }

    #[test]
    fn probes_are_served_and_all_else_is_told_the_limit() {
        for path in PROBES.iter().copied().chain(["/readyz/"]) {
            assert!(Refusal::Full(7).of_path(path).is_none(), "{path}");
        }
        for (refusal, said) in [
            (Refusal::Full(7), "all 7 connections"),
            (Refusal::Address(7), "limits.connections_per_address"),
            (Refusal::Stopping, "is stopping"),
        ] {
            let problem = refusal.of_path("/api/v1/tasks").expect("refused");
            assert!(problem.detail.contains(said), "{}", problem.detail);
            assert!(problem.headers.iter().any(|(name, _)| name == poem::http::header::RETRY_AFTER), "{said}");
        }
    }

    #[test]
    fn a_process_that_stops_serves_probes_alone() {
        let admission = admission(5, 0, 2);
        admission.stop();
        assert_eq!(admission.enter(ip("10.0.0.1")).refusal, Some(Refusal::Stopping));
    }
}

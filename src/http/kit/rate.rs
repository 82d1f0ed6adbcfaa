//! How often a key may call, by class of operation.
//!
//! A window of one minute begins with its first call; within it, so many calls are let through. That is what the
//! published limits say and what a client can follow from the headers; a library's token bucket would let more through
//! in the first minute and could not say when the budget is whole again.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use galley_domain::Who;

const WINDOW: Duration = Duration::from_secs(60);

/// Calls a minute.
#[derive(Debug, Clone)]
pub struct RateLimits {
    /// Also of an address without a key, where none is needed.
    pub general: u32,
    pub content: u32,
    pub ai: u32,
    /// Failed sign-ins per address.
    pub auth: u32,
    /// The most principals or addresses that are remembered at once; beyond it the one whose window began first is forgotten.
    pub remembered: usize,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { general: 300, content: 100, ai: 60, auth: 20, remembered: 20_000 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateClass {
    General,
    Content,
    Ai,
}

impl RateClass {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Content => "content",
            Self::Ai => "ai",
        }
    }
}

/// Where a principal stands after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub limit: u32,
    pub remaining: u32,
    /// Seconds until the whole budget is back; at least 1.
    pub reset: u64,
    /// False when this call was one too many.
    pub allowed: bool,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    used: u32,
}

/// Windows by whoever is counted, never more than `capacity`.
#[derive(Debug)]
struct Windows<K> {
    open: Mutex<HashMap<K, Window>>,
    capacity: usize,
}

impl<K: Eq + Hash + Clone> Windows<K> {
    fn new(capacity: usize) -> Self {
        Self { open: Mutex::new(HashMap::new()), capacity: capacity.max(1) }
    }

    fn count(&self, counted: K, limit: u32, now: Instant) -> Rate {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= self.capacity && !open.contains_key(&counted) {
            make_room(&mut open, now);
        }
        let window = open.entry(counted).or_insert(Window { began: now, used: 0 });
        if now.duration_since(window.began) >= WINDOW {
            *window = Window { began: now, used: 0 };
        }
        let allowed = window.used < limit;
        window.used += u32::from(allowed);
        let left = WINDOW.saturating_sub(now.duration_since(window.began));
        Rate {
            limit,
            remaining: limit - window.used.min(limit),
            reset: left.as_secs_f64().ceil().max(1.0) as u64,
            allowed,
        }
    }
}

impl<K: Eq + Hash> Windows<K> {
    /// Whether a further call would be let through; counts nothing.
    fn has_room(&self, counted: &K, limit: u32, now: Instant) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(counted).is_none_or(|window| window.used < limit || now.duration_since(window.began) >= WINDOW)
    }
}

/// Forgets the windows that are over, or else the oldest one.
fn make_room<K: Eq + Hash + Clone>(open: &mut HashMap<K, Window>, now: Instant) {
    let before = open.len();
    open.retain(|_, window| now.duration_since(window.began) < WINDOW);
    if open.len() == before
        && let Some(oldest) = open.iter().min_by_key(|(_, window)| window.began).map(|(key, _)| key.clone())
    {
        open.remove(&oldest);
    }
}

/// Counts calls. One for the whole process.
#[derive(Debug)]
pub struct RateLimiter {
    limits: RateLimits,
    calls: Windows<(RateClass, Who)>,
    failures: Windows<Option<IpAddr>>,
    visits: Windows<Option<IpAddr>>,
}

impl RateLimiter {
    pub fn new(limits: RateLimits) -> Self {
        let windows = || Windows::new(limits.remembered);
        Self { calls: Windows::new(limits.remembered), failures: windows(), visits: windows(), limits }
    }

    /// Counts a call of a principal.
    pub fn call(&self, class: RateClass, who: Who, now: Instant) -> Rate {
        let limit = match class {
            RateClass::General => self.limits.general,
            RateClass::Content => self.limits.content,
            RateClass::Ai => self.limits.ai,
        };
        self.calls.count((class, who), limit, now)
    }

    /// Counts a call that an address opens without a key.
    pub fn visit(&self, address: Option<IpAddr>, now: Instant) -> Rate {
        self.visits.count(address.map(network), self.limits.general, now)
    }

    /// Counts a failed sign-in from an address. A good key is never refused for the failures of its neighbours, who
    /// may share its address behind a proxy.
    pub fn failure(&self, address: Option<IpAddr>, now: Instant) -> Rate {
        self.failures.count(address.map(network), self.limits.auth, now)
    }

    /// Whether an address may fail once more.
    pub fn may_fail(&self, address: Option<IpAddr>, now: Instant) -> bool {
        self.failures.has_room(&address.map(network), self.limits.auth, now)
    }
}

/// An IPv6 customer has a whole /64, so that is what counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn limiter(ai: u32, auth: u32, remembered: usize) -> RateLimiter {
        RateLimiter::new(RateLimits { ai, auth, remembered, ..RateLimits::default() })
    }

    #[test]
    fn the_call_after_the_last_is_refused_until_the_window_is_over() {
        let limiter = limiter(3, 20, 10);
        let (key, start) = (Who::Key(Uuid::from_u128(1)), Instant::now());
        let remaining: Vec<u32> = (0..3).map(|_| limiter.call(RateClass::Ai, key, start).remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let late = start + Duration::from_millis(59_500);
        assert_eq!(limiter.call(RateClass::Ai, key, late), Rate { limit: 3, remaining: 0, reset: 1, allowed: false });
        assert!(limiter.call(RateClass::Ai, key, start + WINDOW).allowed);
    }

    #[test]
    fn classes_and_keys_have_budgets_of_their_own() {
        let limiter = limiter(1, 20, 10);
        let now = Instant::now();
        assert!(limiter.call(RateClass::Ai, Who::Key(Uuid::from_u128(1)), now).allowed);
        assert!(!limiter.call(RateClass::Ai, Who::Key(Uuid::from_u128(1)), now).allowed);
        assert!(limiter.call(RateClass::Ai, Who::Key(Uuid::from_u128(2)), now).allowed);
        assert!(limiter.call(RateClass::General, Who::Key(Uuid::from_u128(1)), now).allowed);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let limiter = limiter(1, 1, 10);
        let now = Instant::now();
        let from = |text: &str| limiter.failure(Some(text.parse().expect("an address")), now).allowed;
        assert!(from("2001:db8::1"));
        assert!(!from("2001:db8::2"));
        assert!(from("2001:db8:0:1::2"));
        assert!(from("192.0.2.1"));
        assert!(!from("::ffff:192.0.2.1"), "the same address in its other spelling");
        let left = |text: &str, after: u64| {
            limiter.may_fail(Some(text.parse().expect("an address")), now + Duration::from_secs(after))
        };
        assert_eq!([left("192.0.2.1", 0), left("192.0.2.1", 60), left("192.0.2.2", 0)], [false, true, true]);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let limiter = limiter(1, 20, 2);
        let start = Instant::now();
        for key in 0..50 {
            limiter.call(RateClass::Ai, Who::Key(Uuid::from_u128(key)), start + Duration::from_millis(key as u64));
        }
        assert_eq!(limiter.calls.open.lock().expect("not poisoned").len(), 2);
        assert!(!limiter.call(RateClass::Ai, Who::Key(Uuid::from_u128(49)), start).allowed, "the newest is remembered");
    }
}

//! How many streams of events are open: in all, of an organization, of a key.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use galley_domain::{OrgId, Who};
use poem::http::StatusCode;

use crate::http::kit::{
    problem::{Code, Problem},
    state::HttpLimits,
};

/// What to wait for before asking again when there are too many streams, in seconds.
const FULL_WAIT: u64 = 15;

/// Counts open streams.
pub struct Streams {
    open: Arc<Mutex<HashMap<(OrgId, Who), usize>>>,
    most: usize,
    most_per_organization: usize,
    most_per_key: usize,
}

/// A stream's right to be open; given back when it is dropped.
pub struct Place {
    key: (OrgId, Who),
    open: Arc<Mutex<HashMap<(OrgId, Who), usize>>>,
}

fn lock(open: &Mutex<HashMap<(OrgId, Who), usize>>) -> MutexGuard<'_, HashMap<(OrgId, Who), usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    pub fn new(limits: &HttpLimits) -> Self {
        Self {
            open: Arc::default(),
            most: limits.streams,
            most_per_organization: limits.streams_per_organization,
            most_per_key: limits.streams_per_key,
        }
    }

    pub fn enter(&self, org: OrgId, who: Who) -> Result<Place, Problem> {
        let mut open = lock(&self.open);
        let count = |counts: &dyn Fn(&(OrgId, Who)) -> bool| -> usize {
            open.iter().filter(|(key, _)| counts(key)).map(|(_, count)| count).sum()
        };
        let (own, of_organization, all) =
            (count(&|key| *key == (org, who)), count(&|key| key.0 == org), count(&|_| true));
        for (whose, used, most, setting) in [
            ("this key", own, self.most_per_key, "streams_per_key"),
            ("your organization", of_organization, self.most_per_organization, "streams_per_organization"),
        ] {
            if used >= most {
                let detail = format!(
                    "{whose} has {used} event streams open, the most that are allowed (limits.{setting}); close some, or \
                     come back when some have ended"
                );
                return Err(Problem::too_many(detail, FULL_WAIT));
            }
        }
        if all >= self.most {
            let detail = format!(
                "all {all} event streams that this server allows are open (limits.streams); come back when some have \
                 ended, or ask for the task itself now and then"
            );
            let full = Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::RateLimitError, detail);
            return Err(full.retry_after(FULL_WAIT));
        }
        *open.entry((org, who)).or_insert(0) += 1;
        drop(open);
        Ok(Place { key: (org, who), open: Arc::clone(&self.open) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn places_are_limited_and_given_back() {
        let limits =
            HttpLimits { streams: 4, streams_per_organization: 3, streams_per_key: 2, ..HttpLimits::default() };
        let streams = Streams::new(&limits);
        let (one, two) = (OrgId(Uuid::from_u128(1)), OrgId(Uuid::from_u128(2)));
        let [a, b, c] = [1, 2, 3].map(|id| Who::Key(Uuid::from_u128(id)));
        let refused = |org, who| {
            let problem = streams.enter(org, who).err().expect("too many");
            (problem.status.as_u16(), problem.detail, problem.headers.len())
        };
        let first = streams.enter(one, a).expect("room");
        let _second = streams.enter(one, a).expect("room");
        let (status, detail, headers) = refused(one, a);
        assert!(status == 429 && detail.starts_with("this key has 2 ") && headers == 1, "{detail}");
        let _third = streams.enter(one, b).expect("room for another key");
        let (status, detail, _) = refused(one, b);
        assert!(status == 429 && detail.contains("limits.streams_per_organization"), "{detail}");
        let _fourth = streams.enter(two, c).expect("room for another organization");
        let (status, detail, headers) = refused(two, c);
        assert!(status == 503 && detail.contains("limits.streams)") && headers == 1, "{detail}");
        drop(first);
        assert!(streams.enter(two, c).is_ok());
        assert_eq!(lock(&streams.open).len(), 3);
    }
}

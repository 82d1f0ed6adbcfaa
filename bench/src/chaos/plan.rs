//! What happens when, all of it from the seed.

use std::time::Duration;

use super::{any_process, any_worker, site::SiteFault};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    Kill(usize),
    Terminate(usize),
    CutConnections {
        all: bool,
    },
    /// An immediate stop, and a start after so long.
    StopPostgres(Duration),
    /// The same, and a process that dies with it is started before Postgres is.
    StartInOutage(usize, Duration),
    /// Postgres takes no changes for so long.
    OnlyReads(Duration),
    /// Postgres takes no new connections for so long, and ends the old ones.
    Refuse(Duration),
    /// Nothing passes between one worker and Postgres for so long.
    Stall(usize, Duration),
    /// One worker gets no processor for so long, and does not notice.
    Pause(usize, Duration),
    /// Something befalls the folder of publications for so long.
    Site(SiteFault, Duration),
    /// A worker dies after it published and before it wrote that down.
    KillPublisher,
    /// A worker dies so long after it began to speak to the blog for a publication.
    KillPoster(Duration),
    /// So many of a hundred answers of the model are bad.
    Mood(u8),
    /// So many of a hundred answers of the blog are bad.
    BlogMood(u8),
    /// The blog refuses connections for so long.
    StopBlog(Duration),
}

#[derive(Debug)]
pub struct Plan {
    pub events: Vec<(Duration, Event)>,
}

/// The longest stall; longer than the lease of three seconds.
const LONGEST_STALL: u64 = 8_000;
/// Postgres is left alone for so long after a stop.
const BETWEEN_STOPS: Duration = Duration::from_secs(12);

impl Plan {
    pub fn new(seed: u64, length: Duration) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut events = vec![(Duration::ZERO, Event::Mood(20)), (Duration::ZERO, Event::BlogMood(12))];
        let mut at = Duration::from_millis(1_500);
        let mut stopped = Duration::ZERO;
        while at < length {
            let event = match random.u8(0..100) {
                0..20 => Event::Kill(any_process(&mut random)),
                20..32 => Event::Terminate(any_process(&mut random)),
                32..40 => Event::CutConnections { all: random.bool() },
                40..56 if at > stopped + BETWEEN_STOPS => {
                    stopped = at;
                    outage(&mut random)
                }
                40..62 => Event::Stall(any_worker(&mut random), Duration::from_millis(random.u64(500..LONGEST_STALL))),
                62..70 => Event::Pause(any_worker(&mut random), Duration::from_millis(random.u64(500..LONGEST_STALL))),
                70..78 => site(&mut random),
                78..84 => Event::KillPoster(Duration::from_millis(random.u64(0..150))),
                84..87 => Event::KillPublisher,
                87..91 => Event::BlogMood(random.u8(0..30)),
                91..96 => Event::StopBlog(Duration::from_millis(random.u64(500..LONGEST_STALL))),
                _ => Event::Mood(random.u8(0..60)),
            };
            events.push((at, event));
            at += Duration::from_millis(random.u64(300..3_000));
        }
        Self { events }
    }

    pub fn count(&self, test: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, event)| test(event)).count()
    }
}

fn outage(random: &mut fastrand::Rng) -> Event {
    let time = Duration::from_millis(random.u64(100..4_000));
    match random.u8(0..5) {
        0 => Event::StopPostgres(time),
        1 | 2 => Event::StartInOutage(any_process(random), time),
        3 => Event::OnlyReads(time),
        _ => Event::Refuse(time),
    }
}

/// A turn is held for longer than a publication waits for it; what makes publications fail for good passes sooner.
fn site(random: &mut fastrand::Rng) -> Event {
    let (fault, longest) = match random.u8(0..3) {
        0 => (SiteFault::Locked, 12_000),
        1 => (SiteFault::Closed, 3_000),
        _ => (SiteFault::Replaced, 2_000),
    };
    Event::Site(fault, Duration::from_millis(random.u64(300..longest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_plan_and_another_seed_is_another() {
        let minute = Duration::from_secs(60);
        let plan = Plan::new(7, minute);
        assert_eq!(plan.events, Plan::new(7, minute).events);
        assert_ne!(plan.events, Plan::new(8, minute).events);
        assert!(plan.events.len() > 20 && plan.events.iter().all(|(at, _)| *at < minute));
        let outages: [fn(&Event) -> bool; 4] = [
            |event| matches!(event, Event::StopPostgres(_)),
            |event| matches!(event, Event::StartInOutage(..)),
            |event| matches!(event, Event::OnlyReads(_)),
            |event| matches!(event, Event::Refuse(_)),
        ];
        for outage in outages {
            assert!((0..50).any(|seed| Plan::new(seed, minute).count(outage) > 0));
        }
    }
}

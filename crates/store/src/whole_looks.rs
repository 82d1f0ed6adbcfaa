//! How often to look at everything.
//!
//! What was claimed leaves dead entries in the indexes until a vacuum, and a transaction that stays open anywhere in the
//! database holds every vacuum back. A look from the beginning passes all of these entries, so it takes longer with each
//! claim. Most looks therefore begin where an earlier one ended. Those at everything, which find what nobody was told
//! of, are so far apart that they take a hundredth of the time, however long one takes.

use std::time::{Duration, Instant};

const SHARE: u32 = 100;

/// When one kind of look was last taken from the beginning, and how long it took.
#[derive(Debug, Clone, Copy, Default)]
pub struct WholeLooks {
    last: Option<(Instant, Duration)>,
}

impl WholeLooks {
    /// Whether the next look should be one at everything.
    pub fn is_due(&self) -> bool {
        self.is_due_at(Instant::now())
    }

    fn is_due_at(&self, now: Instant) -> bool {
        self.last.is_none_or(|(ended, took)| now.saturating_duration_since(ended) >= took.saturating_mul(SHARE))
    }

    /// One is under way: those who ask meanwhile need not take another, unless nobody has ever looked.
    pub(crate) fn begins(&mut self) {
        self.last = self.last.map(|(_, took)| (Instant::now(), took));
    }

    /// A look at everything that began then has just ended.
    pub fn looked_since(&mut self, began: Instant) {
        self.looked(began, Instant::now());
    }

    fn looked(&mut self, began: Instant, ended: Instant) {
        self.last = Some((ended, ended.saturating_duration_since(began)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_looks_take_a_hundredth_of_the_time_however_long_one_takes() {
        let start = Instant::now();
        let mut looks = WholeLooks::default();
        assert!(looks.is_due_at(start), "the first look is one at everything");
        for took in [Duration::from_millis(1), Duration::from_millis(300), Duration::from_secs(20)] {
            let ended = start + took;
            looks.looked(start, ended);
            assert!(!looks.is_due_at(ended + took * 99), "{took:?}");
            assert!(looks.is_due_at(ended + took * 100), "{took:?}");
        }
    }
}

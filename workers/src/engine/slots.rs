//! How many steps this process may run at once, of each kind and in all, and of which kinds steps may be waiting.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use galley_domain::task::StepKind;
use galley_store::Wanted;
use tokio::sync::Notify;

#[derive(Debug, Default)]
struct State {
    free: BTreeMap<StepKind, usize>,
    /// Places that all kinds share.
    places: usize,
    /// Kinds of which steps may be ready that nobody here has seen. A step that follows another does not begin here at
    /// once while older ones may wait for the slot.
    looking: BTreeSet<StepKind>,
    /// Nothing more begins here.
    closed: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Pool {
    state: Arc<Mutex<State>>,
    freed: Arc<Notify>,
}

/// Slots of one kind, or places that all kinds share, taken to be filled. Dropping it frees what is left of them.
#[derive(Debug)]
pub(crate) struct Slots {
    /// None for places.
    of: Option<StepKind>,
    count: usize,
    pool: Pool,
}

impl Slots {
    fn split(&mut self) -> Option<Self> {
        self.count = self.count.checked_sub(1)?;
        Some(Self { of: self.of, count: 1, pool: self.pool.clone() })
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        if self.count > 0 {
            let mut state = self.pool.lock();
            match self.of {
                Some(kind) => *state.free.entry(kind).or_default() += self.count,
                None => state.places += self.count,
            }
            drop(state);
            self.pool.freed.notify_one();
        }
    }
}

/// What one running step occupies.
#[derive(Debug)]
pub(crate) struct Seat {
    slot: Slots,
    place: Slots,
}

/// All that is free for kinds of which steps may be ready.
#[derive(Debug)]
pub(crate) struct Vacancy {
    slots: Vec<Slots>,
    places: Slots,
}

impl Vacancy {
    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        let wanted = |slots: &Slots| Some(Wanted { kind: slots.of?, slots: slots.count });
        self.slots.iter().filter_map(wanted).collect()
    }

    pub(crate) fn seat(&mut self, kind: StepKind) -> Option<Seat> {
        let slots = self.slots.iter_mut().find(|slots| slots.of == Some(kind) && slots.count > 0)?;
        Some(Seat { place: self.places.split()?, slot: slots.split()? })
    }

    /// Says of which kinds there was less than would have found a seat.
    pub(crate) fn found_all(self) {
        let mut state = self.places.pool.lock();
        for slots in self.slots.iter().filter(|slots| slots.count > 0) {
            state.looking.retain(|kind| slots.of != Some(*kind));
        }
    }
}

impl Pool {
    pub(crate) fn new(slots: BTreeMap<StepKind, usize>, places: usize) -> Self {
        let places = places.min(slots.values().sum());
        Self { state: Arc::new(Mutex::new(State { free: slots, places, ..State::default() })), freed: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when a slot was freed since the last call.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Steps of these kinds may be ready.
    pub(crate) fn look_for(&self, kinds: &[StepKind]) {
        let mut state = self.lock();
        let here: Vec<StepKind> = kinds.iter().filter(|kind| state.free.contains_key(kind)).copied().collect();
        state.looking.extend(here);
    }

    /// Whether steps may be ready that have not been won yet.
    pub(crate) fn looks(&self) -> bool {
        !self.lock().looking.is_empty()
    }

    /// Takes what is free for kinds of which steps may be ready: for all of these kinds, or, when there are not places for
    /// all of them, for the one that is nearest to the end of its task.
    pub(crate) fn vacancy(&self) -> Option<Vacancy> {
        let mut state = self.lock();
        let State { free, places, looking, .. } = &mut *state;
        let wanted = |kind: &StepKind| free.get(kind).map_or(0, |free| (*free).min(*places));
        let mut wanted: Vec<(StepKind, usize)> = looking.iter().map(|kind| (*kind, wanted(kind))).collect();
        wanted.retain(|(_, count)| *count > 0);
        if wanted.iter().map(|(_, count)| count).sum::<usize>() > *places {
            wanted.drain(..wanted.len() - 1);
        }
        let mut slots = Vec::with_capacity(wanted.len());
        let mut taken = 0;
        for (kind, count) in wanted {
            taken += count;
            *places -= count;
            *free.entry(kind).or_default() -= count;
            slots.push(Slots { of: Some(kind), count, pool: self.clone() });
        }
        drop(state);
        (taken > 0).then(|| Vacancy { slots, places: Slots { of: None, count: taken, pool: self.clone() } })
    }

    /// Whether a step that follows one of this process may begin here now.
    fn open_to(&self, kind: StepKind) -> bool {
        let state = self.lock();
        !state.closed && state.free.contains_key(&kind) && !state.looking.contains(&kind)
    }

    fn take(&self, of: Option<StepKind>) -> Option<Slots> {
        let mut state = self.lock();
        let free = match of {
            Some(kind) => state.free.get_mut(&kind)?,
            None => &mut state.places,
        };
        *free = free.checked_sub(1)?;
        drop(state);
        Some(Slots { of, count: 1, pool: self.clone() })
    }

    /// Nothing more begins here.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }
}

/// The seats of the steps that follow what one transaction ends: those that are free, and those of the attempts that end
/// with it.
#[derive(Debug)]
pub(crate) struct Succession {
    pool: Pool,
    /// Seats of attempts that end if the transaction stands and that nobody has taken over.
    ending: BTreeMap<StepKind, usize>,
    ending_places: usize,
    /// What the transaction that is on its way has taken.
    taken: Vec<Slots>,
    /// What transactions that stand have taken.
    sure: Vec<Slots>,
}

impl Succession {
    pub(crate) fn new(pool: Pool) -> Self {
        let (ending, taken, sure) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { pool, ending, ending_places: 0, taken, sure }
    }

    /// An attempt of this kind ends.
    pub(crate) fn ends(&mut self, kind: StepKind) {
        *self.ending.entry(kind).or_default() += 1;
        self.ending_places += 1;
    }

    /// Takes a seat for a step that follows.
    pub(crate) fn take(&mut self, kind: StepKind) -> bool {
        self.pool.open_to(kind) && self.try_take(kind).is_some()
    }

    fn try_take(&mut self, kind: StepKind) -> Option<()> {
        let ending = self.ending.entry(kind).or_default();
        let slot = if *ending > 0 { None } else { Some(self.pool.take(Some(kind))?) };
        let place = if self.ending_places > 0 { None } else { Some(self.pool.take(None)?) };
        if slot.is_none() {
            *ending -= 1;
        }
        if place.is_none() {
            self.ending_places -= 1;
        }
        self.taken.extend(slot);
        self.taken.extend(place);
        Some(())
    }

    /// How the transaction ended.
    pub(crate) fn written(&mut self, stands: bool) {
        self.ending.clear();
        self.ending_places = 0;
        let taken = std::mem::take(&mut self.taken);
        if stands {
            self.sure.extend(taken);
        }
    }

    /// The seat of an attempt that has ended.
    pub(crate) fn left(&mut self, seat: Seat) {
        self.sure.extend([seat.slot, seat.place]);
    }

    /// A seat that was taken.
    pub(crate) fn seat(&mut self, kind: StepKind) -> Option<Seat> {
        let slot = self.sure.iter().position(|slots| slots.of == Some(kind))?;
        let slot = self.sure.swap_remove(slot);
        let place = self.sure.iter().position(|slots| slots.of.is_none())?;
        Some(Seat { slot, place: self.sure.swap_remove(place) })
    }
}

#[cfg(test)]
mod tests {
    use StepKind::{Draft, Outline, Research};

    use super::*;

    fn pool(slots: &[(StepKind, usize)], places: usize) -> Pool {
        Pool::new(slots.iter().copied().collect(), places)
    }

    fn free(pool: &Pool) -> (Vec<usize>, usize) {
        let state = pool.lock();
        (state.free.values().copied().collect(), state.places)
    }

    fn wanted(vacancy: &Vacancy) -> Vec<(StepKind, usize)> {
        vacancy.wanted().into_iter().map(|want| (want.kind, want.slots)).collect()
    }

    #[test]
    fn a_claim_asks_for_what_is_free_of_the_kinds_that_may_be_ready() {
        let pool = pool(&[(Research, 2), (Outline, 3), (Draft, 1)], usize::MAX);
        assert!(pool.vacancy().is_none(), "nothing is looked for");
        pool.look_for(&[Research, Outline, StepKind::Sync]);
        let mut vacancy = pool.vacancy().expect("room");
        assert_eq!(wanted(&vacancy), [(Research, 2), (Outline, 3)]);
        assert!(pool.vacancy().is_none(), "all of it is asked for");
        let seats: Vec<Seat> = [Outline, Research, Research].map(|kind| vacancy.seat(kind).expect("a seat")).into();
        vacancy.found_all();
        assert!(pool.looks(), "more research may wait");
        assert_eq!(free(&pool), (vec![0, 2, 1], 3));
        drop(seats);
        assert_eq!(wanted(&pool.vacancy().expect("room")), [(Research, 2)]);
        assert_eq!(free(&pool), (vec![2, 3, 1], 6));
    }

    #[test]
    fn a_process_that_is_nearly_full_asks_for_the_latest_kind_first() {
        let pool = pool(&[(Research, 2), (Outline, 2)], 2);
        pool.look_for(&[Research, Outline]);
        let mut vacancy = pool.vacancy().expect("room");
        assert_eq!(wanted(&vacancy), [(Outline, 2)]);
        let seat = vacancy.seat(Outline).expect("a seat");
        vacancy.found_all();
        let mut vacancy = pool.vacancy().expect("room");
        assert_eq!(wanted(&vacancy), [(Research, 1)]);
        let last = vacancy.seat(Research).expect("a seat");
        vacancy.found_all();
        assert!(pool.looks() && pool.vacancy().is_none(), "the process is full");
        drop((seat, last));
        assert_eq!(free(&pool), (vec![2, 2], 2));
    }

    #[test]
    fn a_step_takes_over_the_seat_of_the_one_before() {
        let pool = pool(&[(Research, 1), (Outline, 1)], 1);
        pool.look_for(&[Research]);
        let seat = pool.vacancy().and_then(|mut vacancy| vacancy.seat(Research)).expect("a seat");
        let mut succession = Succession::new(pool.clone());
        assert!(!succession.take(Outline), "the process is full");
        succession.ends(Research);
        assert!(succession.take(Outline) && !succession.take(Outline));
        succession.written(true);
        succession.left(seat);
        let next = succession.seat(Outline).expect("a seat");
        assert!(succession.seat(Outline).is_none());
        drop(succession);
        assert_eq!(free(&pool), (vec![1, 0], 0));
        drop(next);
        assert_eq!(free(&pool), (vec![1, 1], 1));
    }

    #[test]
    fn what_a_transaction_took_that_did_not_stand_is_free_again() {
        let pool = pool(&[(Outline, 2)], 2);
        let mut succession = Succession::new(pool.clone());
        assert!(succession.take(Outline));
        succession.written(false);
        assert_eq!(free(&pool), (vec![2], 2));
        assert!(succession.seat(Outline).is_none());
    }

    #[test]
    fn nothing_overtakes_older_steps_and_nothing_begins_after_the_end() {
        let pool = pool(&[(Outline, 2)], 2);
        let mut succession = Succession::new(pool.clone());
        pool.look_for(&[Outline]);
        assert!(!succession.take(Outline), "older ones may wait");
        pool.vacancy().expect("room").found_all();
        assert!(succession.take(Outline));
        assert!(!succession.take(Draft), "not worked on here");
        pool.close();
        assert!(!succession.take(Outline));
    }
}

//! How many steps this process may run at once, in each pool and in all, and in which pools steps may be waiting.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use galley_domain::task::{PoolName, StepKind};
use galley_store::Wanted;
use tokio::sync::Notify;

use crate::notifications::EVERYWHERE;

#[derive(Debug, Default)]
struct State {
    free: BTreeMap<PoolName, usize>,
    /// Permits that all pools share.
    process: usize,
    /// Pools in which steps may be ready that nobody here has seen, each with a rank below which there are none. A step that
    /// follows another does not begin here at once while older ones may wait for the permit.
    looking: BTreeMap<PoolName, i64>,
    /// How far each pool has ever been claimed here.
    claimed: BTreeMap<PoolName, i64>,
    /// The pool that was asked for last when not all could be.
    asked: Option<PoolName>,
    /// Nothing more begins here.
    closed: bool,
}

impl State {
    /// Pools in which steps may be ready and permits are free: how many, and from which rank to look.
    fn wanted(&self) -> Vec<(PoolName, usize, i64)> {
        let wanted = self.looking.iter().map(|(pool, rank)| {
            let free = self.free.get(pool).map_or(0, |free| (*free).min(self.process));
            (*pool, free, *rank)
        });
        wanted.filter(|(_, count, _)| *count > 0).collect()
    }
}

/// The permits of one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Capacity {
    state: Arc<Mutex<State>>,
    freed: Arc<Notify>,
}

/// Permits of one pool, or of the process, taken to be filled. Dropping it frees what is left of them.
#[derive(Debug)]
pub(crate) struct Permits {
    /// None for those of the process.
    of: Option<PoolName>,
    count: usize,
    capacity: Capacity,
}

impl Permits {
    fn split(&mut self) -> Option<Self> {
        self.count = self.count.checked_sub(1)?;
        Some(Self { of: self.of, count: 1, capacity: self.capacity.clone() })
    }
}

impl Drop for Permits {
    fn drop(&mut self) {
        if self.count > 0 {
            let mut state = self.capacity.lock();
            match self.of {
                Some(pool) => *state.free.entry(pool).or_default() += self.count,
                None => state.process += self.count,
            }
            drop(state);
            self.capacity.freed.notify_one();
        }
    }
}

/// What one running step occupies.
#[derive(Debug)]
pub(crate) struct Permit {
    pool: Permits,
    process: Permits,
}

/// All that is free in pools in which steps may be ready.
#[derive(Debug)]
pub(crate) struct FreePermits {
    pools: Vec<(Permits, i64)>,
    process: Permits,
}

impl FreePermits {
    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        let wanted = |(permits, from_rank): &(Permits, i64)| {
            Some(Wanted { pool: permits.of?, slots: permits.count, from_rank: *from_rank })
        };
        self.pools.iter().filter_map(wanted).collect()
    }

    /// For a step of this rank that a claim has won.
    pub(crate) fn permit(&mut self, pool: PoolName, rank: i64) -> Option<Permit> {
        let (permits, from_rank) = self.pools.iter_mut().find(|(permits, _)| permits.of == Some(pool))?;
        *from_rank = rank.max(*from_rank);
        Some(Permit { process: self.process.split()?, pool: permits.split()? })
    }

    /// All that the claim has won is taken: says in which pools there was less than would have found a permit, and how far
    /// the others have been claimed.
    pub(crate) fn all_found(self) {
        let mut state = self.process.capacity.lock();
        for (permits, from_rank) in &self.pools {
            let Some(pool) = permits.of else { continue };
            let claimed = state.claimed.entry(pool).or_insert(i64::MIN);
            *claimed = (*from_rank).max(*claimed);
            if permits.count > 0 {
                state.looking.remove(&pool);
            } else {
                state.looking.insert(pool, *from_rank);
            }
        }
    }
}

impl Capacity {
    /// Pools with their sizes, and how many steps run at once in all of them together.
    pub fn new(pools: BTreeMap<PoolName, usize>, process: usize) -> Self {
        let process = process.min(pools.values().sum());
        Self { state: Arc::new(Mutex::new(State { free: pools, process, ..State::default() })), freed: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when a permit was freed since the last call.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Steps of these pools may be ready, none below its rank unless that is known already.
    pub(crate) fn look_for(&self, pools: impl IntoIterator<Item = (PoolName, i64)>) {
        let mut state = self.lock();
        for (pool, rank) in pools {
            if pool == EVERYWHERE {
                let all: Vec<PoolName> = state.free.keys().copied().collect();
                state.looking.extend(all.into_iter().map(|pool| (pool, i64::MIN)));
            } else if state.free.contains_key(&pool) {
                state.looking.entry(pool).and_modify(|known| *known = rank.min(*known)).or_insert(rank);
            }
        }
    }

    /// Anything may be ready.
    pub(crate) fn look_everywhere(&self) {
        self.look_for([(EVERYWHERE, i64::MIN)]);
    }

    /// Anything may be ready from where each pool has been claimed last.
    pub(crate) fn look_further(&self) {
        let state = self.lock();
        let claimed = |pool: &PoolName| state.claimed.get(pool).copied().unwrap_or(i64::MIN);
        let pools: Vec<_> = state.free.keys().map(|pool| (*pool, claimed(pool))).collect();
        drop(state);
        self.look_for(pools);
    }

    /// Pools that are to be looked at from the beginning are looked at from where they have been claimed last.
    pub(crate) fn look_no_further_back(&self) {
        let mut state = self.lock();
        let State { looking, claimed, .. } = &mut *state;
        for (pool, from) in looking {
            *from = claimed.get(pool).copied().unwrap_or(i64::MIN).max(*from);
        }
    }

    /// Whether steps may be ready that have not been won yet.
    pub(crate) fn looks(&self) -> bool {
        !self.lock().looking.is_empty()
    }

    /// The pools in which steps may be ready, with the ranks to look from, when the process has not permits for all of them.
    pub(crate) fn contended(&self) -> Vec<(PoolName, i64)> {
        let state = self.lock();
        let wanted = state.wanted();
        let contended = wanted.iter().map(|(_, count, _)| count).sum::<usize>() > state.process;
        if contended { wanted.into_iter().map(|(pool, _, rank)| (pool, rank)).collect() } else { Vec::new() }
    }

    /// A look has found that nothing is ready in these pools.
    pub(crate) fn nothing_in(&self, pools: impl IntoIterator<Item = PoolName>) {
        let mut state = self.lock();
        for pool in pools {
            state.looking.remove(&pool);
        }
    }

    /// Takes what is free in pools in which steps may be ready: in all of these pools, or, when the process has not permits
    /// for all of them, in `first`, or else in one of them after the other.
    pub(crate) fn take_free(&self, first: Option<PoolName>) -> Option<FreePermits> {
        let mut state = self.lock();
        let mut wanted = state.wanted();
        let State { free, process, asked, .. } = &mut *state;
        if wanted.iter().map(|(_, count, _)| count).sum::<usize>() > *process {
            let first = wanted.iter().position(|(pool, ..)| Some(*pool) == first);
            let next = || wanted.iter().position(|(pool, ..)| Some(*pool) > *asked);
            wanted = vec![wanted[first.or_else(next).unwrap_or(0)]];
            *asked = Some(wanted[0].0);
        }
        let mut pools = Vec::with_capacity(wanted.len());
        let mut taken = 0;
        for (pool, count, rank) in wanted {
            taken += count;
            *process -= count;
            *free.entry(pool).or_default() -= count;
            pools.push((Permits { of: Some(pool), count, capacity: self.clone() }, rank));
        }
        drop(state);
        (taken > 0).then(|| FreePermits { pools, process: Permits { of: None, count: taken, capacity: self.clone() } })
    }

    /// Whether a step that follows one of this process may begin here now.
    fn is_open_to(&self, pool: PoolName) -> bool {
        let state = self.lock();
        !state.closed && state.free.contains_key(&pool) && !state.looking.contains_key(&pool)
    }

    fn take(&self, of: Option<PoolName>) -> Option<Permits> {
        let mut state = self.lock();
        let free = match of {
            Some(pool) => state.free.get_mut(&pool)?,
            None => &mut state.process,
        };
        *free = free.checked_sub(1)?;
        drop(state);
        Some(Permits { of, count: 1, capacity: self.clone() })
    }

    /// Nothing more begins here.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }
}

/// The permits of the steps that follow what one transaction ends: those that are free, and those of the attempts that end
/// with it.
#[derive(Debug)]
pub struct Handover {
    /// None: everything that follows waits to be claimed.
    to: Option<(Capacity, Vec<StepKind>)>,
    worker: String,
    lease: Duration,
    /// Permits of attempts that end if the transaction stands and that nobody has taken over.
    ending: BTreeMap<PoolName, usize>,
    ending_in_process: usize,
    /// What the transaction that is on its way has taken.
    taken: Vec<Permits>,
    /// What transactions that stand have taken.
    sure: Vec<Permits>,
}

impl Handover {
    /// To this process, under its name, for kinds that it works on.
    pub fn to(capacity: Capacity, kinds: Vec<StepKind>, worker: &str, lease: Duration) -> Self {
        Self { to: Some((capacity, kinds)), worker: worker.to_owned(), lease, ..Self::none() }
    }

    /// Everything that follows waits to be claimed.
    pub fn none() -> Self {
        Self {
            to: None,
            worker: String::new(),
            lease: Duration::ZERO,
            ending: BTreeMap::new(),
            ending_in_process: 0,
            taken: Vec::new(),
            sure: Vec::new(),
        }
    }

    pub(crate) fn worker(&self) -> &str {
        &self.worker
    }

    pub(crate) fn lease(&self) -> Duration {
        self.lease
    }

    /// An attempt in this pool ends.
    pub(crate) fn ends(&mut self, pool: PoolName) {
        *self.ending.entry(pool).or_default() += 1;
        self.ending_in_process += 1;
    }

    /// Takes a permit for a step that follows.
    pub(crate) fn take(&mut self, pool: PoolName, kind: StepKind) -> bool {
        let Some((capacity, kinds)) = &self.to else { return false };
        let capacity = (kinds.contains(&kind) && capacity.is_open_to(pool)).then(|| capacity.clone());
        capacity.is_some_and(|capacity| self.try_take(&capacity, pool).is_some())
    }

    fn try_take(&mut self, capacity: &Capacity, pool: PoolName) -> Option<()> {
        let ending = self.ending.entry(pool).or_default();
        let own = if *ending > 0 { None } else { Some(capacity.take(Some(pool))?) };
        let process = if self.ending_in_process > 0 { None } else { Some(capacity.take(None)?) };
        if own.is_none() {
            *ending -= 1;
        }
        if process.is_none() {
            self.ending_in_process -= 1;
        }
        self.taken.extend(own);
        self.taken.extend(process);
        Some(())
    }

    /// How the transaction ended.
    pub(crate) fn written(&mut self, stands: bool) {
        self.ending.clear();
        self.ending_in_process = 0;
        let taken = std::mem::take(&mut self.taken);
        if stands {
            self.sure.extend(taken);
        }
    }

    /// The permit of an attempt that has ended.
    pub(crate) fn left(&mut self, permit: Permit) {
        self.sure.extend([permit.pool, permit.process]);
    }

    /// A permit that was taken.
    pub(crate) fn permit(&mut self, pool: PoolName) -> Option<Permit> {
        let own = self.sure.iter().position(|permits| permits.of == Some(pool))?;
        let own = self.sure.swap_remove(own);
        let process = self.sure.iter().position(|permits| permits.of.is_none())?;
        Some(Permit { pool: own, process: self.sure.swap_remove(process) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: PoolName = PoolName::new("reading");
    const MODELS: PoolName = PoolName::new("models");
    const MAIL: PoolName = PoolName::new("mail");
    const STEP: StepKind = StepKind::new("step");

    fn capacity(pools: &[(PoolName, usize)], process: usize) -> Capacity {
        Capacity::new(pools.iter().copied().collect(), process)
    }

    fn handover(capacity: &Capacity) -> Handover {
        Handover::to(capacity.clone(), vec![STEP], "here", Duration::from_secs(1))
    }

    fn free(capacity: &Capacity) -> (Vec<usize>, usize) {
        let state = capacity.lock();
        (state.free.values().copied().collect(), state.process)
    }

    fn wanted(free: &FreePermits) -> Vec<(PoolName, usize)> {
        free.wanted().into_iter().map(|want| (want.pool, want.slots)).collect()
    }

    fn look(capacity: &Capacity, pools: &[PoolName]) {
        capacity.look_for(pools.iter().map(|pool| (*pool, i64::MIN)));
    }

    #[test]
    fn a_claim_asks_for_what_is_free_in_pools_that_may_have_something() {
        let capacity = capacity(&[(READING, 2), (MODELS, 3), (MAIL, 1)], usize::MAX);
        assert!(capacity.take_free(None).is_none(), "nothing is looked for");
        look(&capacity, &[READING, MODELS, PoolName::new("strange")]);
        let mut free_permits = capacity.take_free(None).expect("permits");
        assert_eq!(wanted(&free_permits), [(MODELS, 3), (READING, 2)]);
        assert!(capacity.take_free(None).is_none(), "all of it is asked for");
        let held: Vec<Permit> =
            [MODELS, READING, READING].map(|pool| free_permits.permit(pool, 1).expect("a permit")).into();
        free_permits.all_found();
        assert!(capacity.looks(), "more may wait to be read");
        assert_eq!(free(&capacity), (vec![1, 2, 0], 3));
        drop(held);
        assert_eq!(wanted(&capacity.take_free(None).expect("permits")), [(READING, 2)]);
        assert_eq!(free(&capacity), (vec![1, 3, 2], 6));
    }

    #[test]
    fn a_process_that_is_nearly_full_asks_for_one_pool_after_the_other() {
        let capacity = capacity(&[(READING, 2), (MODELS, 2)], 2);
        look(&capacity, &[READING, MODELS]);
        let mut first = capacity.take_free(None).expect("permits");
        let pool = wanted(&first)[0].0;
        let held = first.permit(pool, 1).expect("a permit");
        let more = first.permit(pool, 2).expect("a permit");
        first.all_found();
        drop((held, more));
        let second = capacity.take_free(None).expect("permits");
        assert_ne!(wanted(&second)[0].0, pool, "the other one is not starved");
        drop(second);
        assert_eq!(capacity.contended().len(), 2);
        assert_eq!(wanted(&capacity.take_free(Some(pool)).expect("permits"))[0].0, pool, "the one that is asked for");
        assert_eq!(free(&capacity), (vec![2, 2], 2));
    }

    #[test]
    fn a_claim_begins_where_the_last_one_ended_unless_something_lower_came() {
        let capacity = capacity(&[(MODELS, 2)], 2);
        look(&capacity, &[MODELS]);
        let mut permits = capacity.take_free(None).expect("permits");
        let held = [4, 7].map(|rank| permits.permit(MODELS, rank).expect("a permit"));
        permits.all_found();
        drop(held);
        let from = |permits: &FreePermits| permits.wanted()[0].from_rank;
        assert_eq!(from(&capacity.take_free(None).expect("permits")), 7);
        capacity.look_for([(MODELS, 3)]);
        assert_eq!(from(&capacity.take_free(None).expect("permits")), 3);
        capacity.look_further();
        assert_eq!(from(&capacity.take_free(None).expect("permits")), 3, "what is known to be there is not forgotten");
        capacity.take_free(None).expect("permits").all_found();
        capacity.look_further();
        assert_eq!(from(&capacity.take_free(None).expect("permits")), 7);
        capacity.look_everywhere();
        assert_eq!(from(&capacity.take_free(None).expect("permits")), i64::MIN);
        capacity.look_no_further_back();
        assert_eq!(from(&capacity.take_free(None).expect("permits")), 7, "a look at everything was given up");
    }

    #[test]
    fn a_step_takes_over_the_permit_of_the_one_before() {
        let capacity = capacity(&[(READING, 1), (MODELS, 1)], 1);
        look(&capacity, &[READING]);
        let permit = capacity.take_free(None).and_then(|mut free| free.permit(READING, 1)).expect("a permit");
        let mut handover = handover(&capacity);
        assert!(!handover.take(MODELS, STEP), "the process is full");
        handover.ends(READING);
        assert!(handover.take(MODELS, STEP) && !handover.take(MODELS, STEP));
        handover.written(true);
        handover.left(permit);
        let next = handover.permit(MODELS).expect("a permit");
        assert!(handover.permit(MODELS).is_none());
        drop(handover);
        assert_eq!(free(&capacity), (vec![0, 1], 0));
        drop(next);
        assert_eq!(free(&capacity), (vec![1, 1], 1));
    }

    #[test]
    fn what_a_transaction_took_that_did_not_stand_is_free_again() {
        let capacity = capacity(&[(MODELS, 2)], 2);
        let mut handover = handover(&capacity);
        assert!(handover.take(MODELS, STEP));
        handover.written(false);
        assert_eq!(free(&capacity), (vec![2], 2));
        assert!(handover.permit(MODELS).is_none());
    }

    #[test]
    fn nothing_overtakes_older_steps_and_nothing_begins_after_the_end() {
        let capacity = capacity(&[(MODELS, 2)], 2);
        let mut handover = handover(&capacity);
        look(&capacity, &[MODELS]);
        assert!(!handover.take(MODELS, STEP), "older ones may wait");
        capacity.take_free(None).expect("permits").all_found();
        assert!(handover.take(MODELS, STEP));
        assert!(!handover.take(READING, STEP), "no such pool here");
        assert!(!handover.take(MODELS, StepKind::new("other")), "not worked on here");
        capacity.close();
        assert!(!handover.take(MODELS, STEP));
    }
}

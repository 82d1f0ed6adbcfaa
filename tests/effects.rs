//! Rule 5: what is done outside of the database is done once, wherever an attempt ends.

use std::{
    collections::VecDeque,
    sync::Mutex,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use galley_domain::{
    Fault, FaultCode, OrgId, article,
    effect::{EffectKind, EffectState},
};
use galley_engine::StepError;
use galley_services::{Carried, Effect};
use galley_store::{ClaimedStep, EffectKey, StoreError, rows};
use galley_testkit::{Harness, TestDatabase};
use tokio::sync::{Barrier, Notify};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(300);
const UPLOAD: EffectKind = EffectKind::new("upload");
const MAIL: EffectKind = EffectKind::new("mail");
const STORE_WRITE: EffectKind = EffectKind::new("store_write");
const SUBJECT: Uuid = Uuid::from_u128(7);

/// How far an attempt comes that goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    /// The intention is written.
    Intended,
    /// `sent` is written, and nothing has left.
    Sent,
    /// It is done, and not confirmed.
    Done,
}

/// What happens to one attempt that gets as far as sending.
#[derive(Debug, Clone, Copy)]
enum Call {
    Hangs(Point),
    Refused,
    TimesOut { done: bool },
}

/// A place outside that counts what it is asked.
#[derive(Debug, Default)]
struct Outside {
    /// What was made there. It makes as many as it is told to.
    made: Mutex<Vec<String>>,
    looks: AtomicUsize,
    acts: AtomicUsize,
    calls: Mutex<VecDeque<Call>>,
    reached: Notify,
    /// Attempts wait for each other before they send.
    meeting: Option<Barrier>,
    /// Where a transaction that is open during a call would be seen.
    database: Option<TestDatabase>,
    looked_for_transactions: AtomicBool,
}

impl Outside {
    fn next(&self, call: Call) {
        self.calls.lock().unwrap().push_back(call);
    }

    fn make(&self) -> String {
        let mut made = self.made.lock().unwrap();
        let place = format!("place-{}", made.len() + 1);
        made.push(place.clone());
        place
    }

    /// Times that it was looked up, tried, and made.
    fn counts(&self) -> (usize, usize, usize) {
        (self.looks.load(Ordering::SeqCst), self.acts.load(Ordering::SeqCst), self.made.lock().unwrap().len())
    }

    async fn hang(&self, at: Point) {
        let hangs = |call: &Call| matches!(call, Call::Hangs(point) if *point == at);
        if self.calls.lock().unwrap().front().is_some_and(hangs) {
            self.calls.lock().unwrap().pop_front();
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }

    async fn look_for_transactions(&self) {
        let Some(database) = &self.database else { return };
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL
                        AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        assert_eq!(database.number(open).await, 0, "no transaction is open during a call");
        self.looked_for_transactions.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Effect for Outside {
    type Message = ();

    async fn look_up(&self) -> Result<Option<String>, Fault> {
        self.look_for_transactions().await;
        self.looks.fetch_add(1, Ordering::SeqCst);
        Ok(self.made.lock().unwrap().first().cloned())
    }

    async fn prepare(&self) -> Result<(), StepError> {
        self.hang(Point::Intended).await;
        if let Some(meeting) = &self.meeting {
            self.reached.notify_one();
            meeting.wait().await;
        }
        Ok(())
    }

    async fn act(&self, (): ()) -> Result<String, Fault> {
        self.look_for_transactions().await;
        self.acts.fetch_add(1, Ordering::SeqCst);
        self.hang(Point::Sent).await;
        let call = self.calls.lock().unwrap().pop_front();
        match call {
            None => Ok(self.make()),
            Some(Call::Hangs(point)) => {
                self.make();
                self.calls.lock().unwrap().push_front(Call::Hangs(point));
                self.hang(Point::Done).await;
                unreachable!("an attempt hangs at {point:?}")
            }
            Some(Call::Refused) => Err(Fault::permanent(FaultCode::WorkflowError, "not like this")),
            Some(Call::TimesOut { done }) => {
                if done {
                    self.make();
                }
                Err(Fault::transient(FaultCode::WorkflowError, "no answer within 1 s"))
            }
        }
    }
}

fn upload(subject: Uuid) -> EffectKey<'static> {
    EffectKey { kind: UPLOAD, subject, destination: "blog", key: "cover" }
}

/// A step that runs.
async fn step(harness: &Harness) -> ClaimedStep {
    harness.order().await;
    claim(harness).await
}

async fn claim(harness: &Harness) -> ClaimedStep {
    harness.claim(article::RESEARCH, 1, "w", LEASE).await.steps.remove(0)
}

/// The step again, after its worker has died.
async fn again(harness: &Harness, step: &ClaimedStep) -> ClaimedStep {
    harness.services.store().queue().give_back(&[step.fence]).await.unwrap();
    let next = claim(harness).await;
    assert!(next.fence.step == step.fence.step && next.fence.lease != step.fence.lease);
    next
}

async fn carry_out(harness: &Harness, step: &ClaimedStep, outside: &Outside) -> Result<Carried, StepError> {
    harness.services.carry_out(step, &upload(SUBJECT), outside).await
}

/// Drops an attempt once it has come so far.
async fn crash(harness: &Harness, step: &ClaimedStep, outside: &Outside, at: Point) {
    outside.next(Call::Hangs(at));
    tokio::select! {
        ended = carry_out(harness, step, outside) => panic!("it hangs at {at:?}: {ended:?}"),
        () = outside.reached.notified() => {}
    }
}

/// The one row of the ledger.
async fn ledger(harness: &Harness, org: OrgId) -> rows::Effect {
    let mut effects = harness.services.store().tenant(org).effects(SUBJECT).await.unwrap();
    assert_eq!(effects.len(), 1, "one row for one intention");
    effects.remove(0)
}

async fn state(harness: &Harness) -> EffectState {
    *ledger(harness, harness.principal.org).await.state
}

fn place(number: u32, was_there: bool) -> Carried {
    Carried { remote_ref: format!("place-{number}"), was_there }
}

fn is_snoozed(result: &Result<Carried, StepError>) -> bool {
    matches!(result, Err(StepError::Snooze(_)))
}

#[tokio::test]
async fn an_effect_is_done_once_and_then_answered_from_the_ledger() {
    let harness = Harness::new().await;
    let outside = Outside { database: Some(harness.database.clone()), ..Outside::default() };
    let first = step(&harness).await;
    assert_eq!(carry_out(&harness, &first, &outside).await.unwrap(), place(1, false));
    let row = ledger(&harness, harness.principal.org).await;
    assert_eq!((*row.state, row.remote_ref.as_deref(), row.error), (EffectState::Confirmed, Some("place-1"), None));
    assert_eq!((row.task_id, row.step_id), (first.task, Some(first.fence.step)));
    let next = again(&harness, &first).await;
    assert_eq!(carry_out(&harness, &next, &outside).await.unwrap(), place(1, true));
    assert_eq!(outside.counts(), (0, 1, 1), "what is confirmed costs no call");
    assert!(outside.looked_for_transactions.load(Ordering::SeqCst));
}

#[tokio::test]
async fn wherever_an_attempt_dies_the_next_one_makes_it_once() {
    // Where it dies, what the ledger says then, and how often the next attempt looks up and acts.
    let cases = [
        (Point::Intended, EffectState::Intended, (0, 1)),
        (Point::Sent, EffectState::Sent, (1, 1)),
        (Point::Done, EffectState::Sent, (1, 0)),
    ];
    for (point, left, (looks, acts)) in cases {
        let harness = Harness::new().await;
        let outside = Outside { database: Some(harness.database.clone()), ..Outside::default() };
        let first = step(&harness).await;
        crash(&harness, &first, &outside, point).await;
        assert_eq!(state(&harness).await, left, "{point:?}");
        let before = outside.counts();
        let next = again(&harness, &first).await;
        let carried = carry_out(&harness, &next, &outside).await.unwrap();
        assert_eq!(carried, place(1, point == Point::Done), "{point:?}");
        assert_eq!(outside.counts(), (before.0 + looks, before.1 + acts, 1), "{point:?}");
        assert_eq!(state(&harness).await, EffectState::Confirmed);
    }
}

#[tokio::test]
async fn after_a_timeout_the_next_attempt_looks_up_and_acts_only_if_nothing_is_there() {
    for done in [true, false] {
        let harness = Harness::new().await;
        let outside = Outside::default();
        outside.next(Call::TimesOut { done });
        let first = step(&harness).await;
        let fault = carry_out(&harness, &first, &outside).await.unwrap_err();
        assert!(matches!(fault, StepError::Fault(fault) if fault.is_transient()));
        let row = ledger(&harness, harness.principal.org).await;
        assert_eq!((*row.state, row.error.as_deref()), (EffectState::Unknown, Some("no answer within 1 s")));
        let next = again(&harness, &first).await;
        assert_eq!(carry_out(&harness, &next, &outside).await.unwrap(), place(1, done));
        assert_eq!(outside.counts(), (1, if done { 1 } else { 2 }, 1));
        let row = ledger(&harness, harness.principal.org).await;
        assert_eq!((*row.state, row.error, row.lease), (EffectState::Confirmed, None, Some(next.fence.lease)));
    }
}

#[tokio::test]
async fn what_was_refused_is_tried_again_by_the_next_attempt() {
    let harness = Harness::new().await;
    let outside = Outside::default();
    outside.next(Call::Refused);
    let first = step(&harness).await;
    let fault = carry_out(&harness, &first, &outside).await.unwrap_err();
    assert!(matches!(fault, StepError::Fault(fault) if !fault.is_transient()));
    let row = ledger(&harness, harness.principal.org).await;
    assert_eq!((*row.state, row.error.as_deref()), (EffectState::Failed, Some("not like this")));
    assert_eq!(carry_out(&harness, &again(&harness, &first).await, &outside).await.unwrap(), place(1, false));
    assert_eq!(outside.counts(), (1, 2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_attempts_that_read_the_same_intention_one_sends() {
    const ATTEMPTS: usize = 6;
    let harness = Harness::new().await;
    let outside = Outside { meeting: Some(Barrier::new(ATTEMPTS)), ..Outside::default() };
    let mut steps = Vec::new();
    for _ in 0..ATTEMPTS {
        steps.push(step(&harness).await);
    }
    let all = futures::future::join_all(steps.iter().map(|step| carry_out(&harness, step, &outside))).await;
    assert_eq!(outside.counts(), (0, 1, 1), "{all:?}");
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|one| is_snoozed(one)).count(), ATTEMPTS - 1, "{all:?}");
    for step in &steps {
        assert_eq!(carry_out(&harness, step, &outside).await.unwrap(), place(1, true));
    }
    assert_eq!(outside.counts(), (0, 1, 1));
}

#[tokio::test]
async fn nobody_sends_while_a_call_is_on_its_way_also_not_the_same_attempt() {
    let harness = Harness::new().await;
    let outside = Outside::default();
    let (holder, other) = (step(&harness).await, step(&harness).await);
    crash(&harness, &holder, &outside, Point::Done).await;
    // Nobody knows yet that the holder is dead.
    for step in [&other, &holder] {
        let met = carry_out(&harness, step, &outside).await;
        assert!(is_snoozed(&met), "{met:?}");
    }
    assert_eq!(outside.counts(), (0, 1, 1), "nothing was asked outside");
    harness.services.store().queue().give_back(&[holder.fence]).await.unwrap();
    assert_eq!(carry_out(&harness, &other, &outside).await.unwrap(), place(1, true));
    assert_eq!(outside.counts(), (1, 1, 1));
    assert_eq!(ledger(&harness, harness.principal.org).await.step_id, Some(other.fence.step));
}

#[tokio::test]
async fn whoever_has_lost_the_lease_sends_nothing_and_writes_nothing() {
    let harness = Harness::new().await;
    let outside = Outside::default();
    let first = step(&harness).await;
    let next = again(&harness, &first).await;
    let lost = carry_out(&harness, &first, &outside).await.unwrap_err();
    assert!(matches!(lost, StepError::Store(StoreError::LeaseLost)), "{lost:?}");
    assert!(harness.services.store().tenant(harness.principal.org).effects(SUBJECT).await.unwrap().is_empty());

    // Lost while it prepares.
    let meeting = Outside { meeting: Some(Barrier::new(2)), ..Outside::default() };
    let (lost, later) = tokio::join!(carry_out(&harness, &next, &meeting), async {
        meeting.reached.notified().await;
        let later = again(&harness, &next).await;
        meeting.meeting.as_ref().unwrap().wait().await;
        later
    });
    assert!(matches!(lost, Err(StepError::Store(StoreError::LeaseLost))), "{lost:?}");
    assert_eq!((meeting.counts(), state(&harness).await), ((0, 0, 0), EffectState::Intended));

    assert_eq!(carry_out(&harness, &later, &outside).await.unwrap(), place(1, false));
}

#[tokio::test]
async fn another_tenant_with_the_same_subject_has_a_ledger_of_its_own() {
    let harness = Harness::new().await;
    let (ours, theirs) = (Outside::default(), Outside::default());
    let mine = step(&harness).await;
    carry_out(&harness, &mine, &ours).await.unwrap();
    let other = harness.other_tenant().await.0;
    assert!(harness.services.store().tenant(other.org).effects(SUBJECT).await.unwrap().is_empty());
    harness.order_as(&other).await;
    let stranger = claim(&harness).await;
    assert_eq!(stranger.org, Some(other.org));
    assert_eq!(carry_out(&harness, &stranger, &theirs).await.unwrap(), place(1, false));
    assert_eq!((ours.counts(), theirs.counts()), ((0, 1, 1), (0, 1, 1)));
    assert_ne!(ledger(&harness, other.org).await.id, ledger(&harness, harness.principal.org).await.id);
}

#[tokio::test]
async fn kinds_destinations_and_keys_do_not_meet() {
    let harness = Harness::new().await;
    let step = step(&harness).await;
    let first = upload(SUBJECT);
    let keys = [
        first,
        EffectKey { kind: MAIL, ..first },
        EffectKey { kind: STORE_WRITE, ..first },
        EffectKey { destination: "shop", ..first },
        EffectKey { key: "banner", ..first },
    ];
    for key in &keys {
        let outside = Outside::default();
        let carried = harness.services.carry_out(&step, key, &outside).await.unwrap();
        assert_eq!((carried, outside.counts()), (place(1, false), (0, 1, 1)), "{key:?}");
    }
    let effects = harness.services.store().tenant(harness.principal.org).effects(SUBJECT).await.unwrap();
    let of_row = |row: &rows::Effect| (row.kind.as_str(), row.destination.clone(), row.key.clone());
    let expected = keys.map(|key| (key.kind.as_str(), key.destination.to_owned(), key.key.to_owned()));
    assert_eq!(effects.iter().map(of_row).collect::<Vec<_>>(), expected, "in the order in which they were intended");
}

//! What attempts have to write, many of them in one transaction.

mod ending;
mod events;
mod last_seen;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, hash_map},
    sync::Arc,
};

use galley_domain::{Fault, OrgId, task::TaskStatus, usage::Usage};
use galley_store::{
    Changes, ClaimedStep, EventText, Fence, NewEvent, NewStep, SeenTasks, Settlement, Standing, Start, Started,
    StepsTx, Store, StoreError, TaskState,
};
use uuid::Uuid;

use crate::{
    capacity::Handover,
    pipeline::{Kept, Output, StepSeed},
    registry::Registry,
    step::{Outcome, Ran},
};
use events::{OfStep, OfTask, Run, text};
pub use last_seen::LastSeen;

/// One thing to write about an attempt.
#[derive(Debug, Clone)]
pub struct Entry {
    pub step: ClaimedStep,
    /// Shared by all entries of the attempt.
    pub last_seen: LastSeen,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    /// The attempt runs.
    Begun,
    /// How far it has come, for whoever listens.
    Progress(String),
    Ended {
        outcome: Arc<Outcome>,
        usage: Vec<Usage>,
    },
}

impl Entry {
    /// Whether this can be written without a look at its task, because it is known here how that was left. It is worth
    /// keeping such entries apart from others.
    pub fn is_ready(&self) -> bool {
        self.output().is_some() && (self.step.task.is_none() || self.last_seen.has_task())
    }

    /// What the attempt brought, if it ended well.
    fn output(&self) -> Option<&Output> {
        let What::Ended { outcome, .. } = &self.what else { return None };
        let Outcome::Done(output) = &**outcome else { return None };
        Some(output)
    }

    fn is_failure(&self) -> bool {
        matches!(&self.what, What::Ended { outcome, .. } if matches!(**outcome, Outcome::Failed(_)))
    }
}

/// What became of one entry: how the attempt ended, if that is what was written.
type Answer = Result<Option<Ran>, StoreError>;

/// What became of a group of entries.
#[derive(Debug, Default)]
pub struct Written {
    /// One for each entry.
    pub answers: Vec<Answer>,
    /// Steps that have begun with this, leased to this process.
    pub started: Vec<(ClaimedStep, LastSeen)>,
    /// Leases like that which may or may not stand: the connection broke, and nobody said how the transaction ended.
    pub doubtful: Vec<Fence>,
    /// Whether it was written twice, because somebody else had changed a task that was known here.
    pub was_stale: bool,
}

/// Writes the ends of attempts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Commits {
    pub(crate) store: Store,
    pub(crate) registry: Arc<Registry>,
}

impl Commits {
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self { store, registry }
    }

    /// Writes the end of an attempt that has begun, with all that follows. [`StoreError::LeaseLost`] means that nothing
    /// was written but the usage; any other error means that nothing was written and the call may be repeated.
    pub async fn finish_step(&self, step: &ClaimedStep, outcome: &Outcome, usage: &[Usage]) -> Result<Ran, StoreError> {
        let what = What::Ended { outcome: Arc::new(outcome.clone()), usage: usage.to_vec() };
        let entry = Entry { step: step.clone(), last_seen: LastSeen::begun(), what };
        let written = self.write(&[entry], &mut Handover::none()).await;
        let ran = written.answers.into_iter().next_back().and_then(Result::transpose).transpose()?;
        ran.ok_or_else(|| StoreError::Unreadable("the end of a step was not written".into()))
    }

    /// Keeps what an attempt paid for whose outcome nobody wants any more.
    pub async fn record_usage(&self, step: &ClaimedStep, usage: &[Usage]) -> Result<(), StoreError> {
        let Some(org) = step.org.filter(|_| !usage.is_empty()) else { return Ok(()) };
        let tx = self.store.begin(org).await?;
        let is_gone = match step.task {
            Some(task) => tx.task(task).await?.is_none(),
            None => false,
        };
        if !is_gone {
            tx.record_usage(step, usage).await?;
        }
        tx.commit().await
    }

    /// Writes all entries in one transaction, each fenced by its own lease, and answers each of them. One that cannot
    /// be written fails alone: the others are then written without it.
    pub async fn write(&self, entries: &[Entry], handover: &mut Handover) -> Written {
        let mut written = Written::default();
        match self.write_for(entries, handover, &mut written).await {
            Ok(answers) => written.answers = answers,
            Err(error) if entries.len() == 1 || error.is_unavailable() => {
                written.answers = vec![Err(error); entries.len()];
            }
            Err(error) => {
                tracing::debug!(%error, entries = entries.len(), "a group of writes failed; writing one by one");
                for entry in entries {
                    let alone = self.write_for(std::slice::from_ref(entry), handover, &mut written).await;
                    written.answers.push(alone.and_then(|mut answers| {
                        answers.pop().unwrap_or_else(|| Err(StoreError::Unreadable("a write without an answer".into())))
                    }));
                }
            }
        }
        written
    }

    /// First as this process knows the tasks, without a look; if somebody else was there meanwhile, under their locks.
    async fn write_for(
        &self,
        entries: &[Entry],
        handover: &mut Handover,
        written: &mut Written,
    ) -> Result<Vec<Answer>, StoreError> {
        if let Some(supposed) = self.suppose(entries) {
            let answers = self.write_together(entries, Some(supposed), handover, written).await;
            handover.written(answers.is_ok());
            if !matches!(answers, Err(StoreError::StaleVersion)) {
                return answers;
            }
            written.was_stale = true;
        }
        let answers = self.write_together(entries, None, handover, written).await;
        handover.written(answers.is_ok());
        answers
    }

    async fn write_together(
        &self,
        entries: &[Entry],
        supposed: Option<Supposed>,
        handover: &mut Handover,
        written: &mut Written,
    ) -> Result<Vec<Answer>, StoreError> {
        // Until this is known to stand, nobody knows how the tasks are.
        entries.iter().for_each(|entry| entry.last_seen.forget());
        let orgs: BTreeSet<Uuid> = entries.iter().filter_map(|entry| entry.step.org).map(|org| org.0).collect();
        let tx = self.store.begin_steps(orgs.into_iter().map(OrgId)).await?;
        let mut batch = Batch::new(&self.registry, handover, tx);
        let filled = batch.fill(entries, supposed).await;
        let Batch { tx, begun, started, .. } = batch;
        let answers = match filled {
            Ok(answers) => answers,
            Err(error) => {
                // Whoever tries again at once would wait for these locks. That it failed is the news, not how this goes.
                let _ = tx.rollback().await;
                return Err(error);
            }
        };
        let left = match tx.commit().await {
            Ok(left) => left,
            Err(error) => {
                written.doubtful.extend(started.iter().map(|step| step.fence));
                return Err(error);
            }
        };
        let seen = learn(entries, &left, &begun);
        written.started.extend(started.into_iter().map(|step| {
            let before = step.task.and_then(|task| seen.get(&task));
            let of_next = before.map_or_else(LastSeen::begun, LastSeen::of_next);
            (step, of_next)
        }));
        Ok(answers)
    }

    /// How the tasks of these entries were left, if nobody else has changed them since; none when it is not known of all.
    fn suppose(&self, entries: &[Entry]) -> Option<Supposed> {
        let mut supposed = Supposed { tasks: SeenTasks::default(), fences: HashSet::new(), rows_only: true };
        for entry in entries {
            let output = entry.output()?;
            if let Some(task) = entry.step.task
                && let hash_map::Entry::Vacant(place) = supposed.tasks.entry(task)
            {
                place.insert(entry.last_seen.task()?);
            }
            supposed.fences.insert(entry.step.fence);
            let keeps = self.registry.stage(entry.step.kind).is_some_and(|stage| stage.keeper.is_some());
            supposed.rows_only &= !(keeps && output.brought.is_some());
        }
        Some(supposed)
    }
}

/// What entries are written from without a look.
struct Supposed {
    tasks: SeenTasks,
    fences: HashSet<Fence>,
    /// Nothing but tasks and steps is written before these are met.
    rows_only: bool,
}

/// Notes what stands now, for what is written next about the same tasks.
fn learn(entries: &[Entry], left: &SeenTasks, begun: &HashSet<Fence>) -> HashMap<Uuid, LastSeen> {
    let mut seen = HashMap::new();
    for entry in entries {
        if begun.contains(&entry.step.fence) {
            entry.last_seen.set_begun();
        }
        let Some(task) = entry.step.task else { continue };
        if let Some(state) = left.get(&task) {
            entry.last_seen.learn(Arc::clone(state));
            seen.insert(task, entry.last_seen.clone());
        }
    }
    seen
}

/// The state of one transaction: what it found, and what is to be written.
pub(crate) struct Batch<'a> {
    registry: &'a Registry,
    handover: &'a mut Handover,
    tx: StepsTx,
    standing: Standing,
    /// What keepers made of the outputs of these leases.
    kept: HashMap<Fence, Kept>,
    begun: HashSet<Fence>,
    /// Steps that this transaction adds and leases.
    started: Vec<ClaimedStep>,
    /// Tasks that ended within this batch: nothing more is written about their other steps.
    ended: BTreeMap<Uuid, TaskStatus>,
    /// Tasks of which too much has failed, each with why: they end when all of the batch is counted.
    doomed: BTreeMap<Uuid, Fault>,
    /// Tasks that are to be written.
    changed: BTreeSet<Uuid>,
    changes: Changes,
    settled: Vec<Settlement>,
}

impl<'a> Batch<'a> {
    fn new(registry: &'a Registry, handover: &'a mut Handover, tx: StepsTx) -> Self {
        Self {
            registry,
            handover,
            tx,
            standing: Standing::default(),
            kept: HashMap::new(),
            begun: HashSet::new(),
            started: Vec::new(),
            ended: BTreeMap::new(),
            doomed: BTreeMap::new(),
            changed: BTreeSet::new(),
            changes: Changes::default(),
            settled: Vec::new(),
        }
    }

    /// Over tasks that the caller has locked.
    pub(crate) fn over(
        registry: &'a Registry,
        handover: &'a mut Handover,
        tx: StepsTx,
        tasks: HashMap<Uuid, TaskState>,
    ) -> Self {
        let mut batch = Self::new(registry, handover, tx);
        batch.standing.tasks = tasks;
        batch
    }

    /// A task stands like this now.
    pub(crate) fn stands(&mut self, task: &TaskState) {
        self.standing.tasks.insert(task.id, task.clone());
    }

    pub(crate) fn into_tx(self) -> StepsTx {
        self.tx
    }

    /// Finds out how the tasks stand and writes all entries; only the commit is left to do.
    async fn fill(&mut self, entries: &[Entry], supposed: Option<Supposed>) -> Result<Vec<Answer>, StoreError> {
        self.standing = match supposed {
            Some(Supposed { tasks, fences, rows_only }) => {
                let standing = self.tx.suppose(tasks, fences);
                if !rows_only {
                    self.tx.pin(&standing.fences).await?;
                }
                standing
            }
            None => {
                let steps: Vec<&ClaimedStep> = entries.iter().map(|entry| &entry.step).collect();
                self.tx.lock(&steps).await?
            }
        };
        self.keep(entries).await?;
        let mut answers: Vec<Option<Answer>> = entries.iter().map(|_| None).collect();
        // A failure ends its task and cancels what is open: what others of the group have brought comes before it.
        let (good, bad): (Vec<_>, Vec<_>) = (0..entries.len()).partition(|at| !entries[*at].is_failure());
        for at in good.into_iter().chain(bad) {
            answers[at] = Some(match self.take(&entries[at]) {
                Err(StoreError::LeaseLost) => Err(StoreError::LeaseLost),
                other => Ok(other?),
            });
        }
        self.end_doomed()?;
        // What began with this and whose task ends with it as well never runs.
        let ended = &self.ended;
        self.started.retain(|step| step.task.is_none_or(|task| !ended.contains_key(&task)));
        self.flush().await?;
        let unanswered = || Err(StoreError::Unreadable("a write without an answer".into()));
        Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(unanswered)).collect())
    }

    fn take(&mut self, entry: &Entry) -> Result<Option<Ran>, StoreError> {
        let step = &entry.step;
        // What was paid for stays recorded, whoever has the lease.
        let known = step.task.is_none_or(|task| self.standing.tasks.contains_key(&task));
        if let What::Ended { usage, .. } = &entry.what
            && !usage.is_empty()
            && known
        {
            self.changes.usage.push((step.clone(), usage.clone()));
        }
        if !self.standing.fences.contains(&step.fence) {
            return Err(StoreError::LeaseLost);
        }
        let Some(task_id) = step.task else { return self.apply_job(entry) };
        if self.ended.contains_key(&task_id) {
            return Err(StoreError::LeaseLost);
        }
        let mut task = self.standing.tasks.remove(&task_id).ok_or(StoreError::LeaseLost)?;
        let taken = self.apply(&mut task, entry);
        self.standing.tasks.insert(task_id, task);
        taken
    }

    fn apply(&mut self, task: &mut TaskState, entry: &Entry) -> Result<Option<Ran>, StoreError> {
        let step = &entry.step;
        if !entry.last_seen.has_begun() && !self.begun.contains(&step.fence) {
            self.begin(task, step)?;
            self.begun.insert(step.fence);
        }
        match &entry.what {
            What::Begun => Ok(None),
            What::Progress(message) => {
                let told = text(&OfStep::new(self.registry, step).message(message))?;
                self.emit(task, "step.progress", told);
                Ok(None)
            }
            What::Ended { outcome, .. } => {
                self.standing.fences.remove(&step.fence);
                self.handover.ends(step.pool);
                self.end(task, step, outcome).map(Some)
            }
        }
    }

    /// A step without a task has nobody to tell.
    fn apply_job(&mut self, entry: &Entry) -> Result<Option<Ran>, StoreError> {
        let What::Ended { outcome, .. } = &entry.what else { return Ok(None) };
        self.standing.fences.remove(&entry.step.fence);
        self.handover.ends(entry.step.pool);
        self.end_job(&entry.step, outcome).map(Some)
    }

    fn begin(&mut self, task: &mut TaskState, step: &ClaimedStep) -> Result<(), StoreError> {
        if task.status()?.is_ended() {
            return Err(StoreError::LeaseLost);
        }
        let first = task.status == TaskStatus::Pending.as_str();
        task.status = TaskStatus::Processing.as_str().to_owned();
        task.current_step = Some(self.registry.public_name(step.kind).to_owned());
        if first {
            let run = Run { run: task.run };
            self.emit(task, "task.started", text(&run)?);
        }
        let told = text(&OfStep::new(self.registry, step))?;
        self.emit(task, "step.started", told);
        Ok(())
    }

    /// Appends an event and with it notes that the task has changed.
    fn emit(&mut self, task: &mut TaskState, kind: &'static str, data: String) {
        task.event_seq += 1;
        self.changes.events.push(NewEvent { task: task.id, event: EventText { kind, data } });
        self.changed(task);
    }

    /// Appends an event that says how the task stands.
    pub(crate) fn tell_state(&mut self, task: &mut TaskState, kind: &'static str) -> Result<(), StoreError> {
        let told = text(&OfTask::new(task))?;
        self.emit(task, kind, told);
        Ok(())
    }

    /// The task is written as it stands in the end.
    fn changed(&mut self, task: &TaskState) {
        self.changed.insert(task.id);
    }

    /// Adds a step to a task; answers with it when it begins here at once. Whoever calls then says so with [`Self::begin`].
    fn add_step(&mut self, task: &TaskState, seed: StepSeed) -> Result<Option<ClaimedStep>, StoreError> {
        let rank = task.rank.saturating_add(seed.rank_offset);
        let mut step = self.registry.new_step(seed, &task.trace_id)?;
        (step.org, step.task, step.run, step.rank) = (Some(task.org_id), Some(task.id), task.run, rank);
        step.paused = task.paused;
        Ok(self.push(step))
    }

    /// A job that follows another.
    fn add_job(&mut self, org: Option<OrgId>, seed: StepSeed, trace_id: &str) -> Result<(), StoreError> {
        let step = self.registry.new_step(seed, trace_id)?;
        self.push(NewStep { org: org.map(|org| org.0), ..step });
        Ok(())
    }

    fn push(&mut self, mut step: NewStep) -> Option<ClaimedStep> {
        let begins = step.start == Start::Now && !step.paused && self.handover.take(step.pool, step.kind);
        step.started = begins.then(|| Started {
            lease: Uuid::new_v4(),
            worker: self.handover.worker().to_owned(),
            seconds: self.handover.lease().as_secs_f64(),
        });
        let claimed = step.started.as_ref().map(|started| ClaimedStep {
            fence: Fence { step: step.id, lease: started.lease },
            org: step.org.map(OrgId),
            task: step.task,
            kind: step.kind,
            pool: step.pool,
            rank: step.rank,
            run: step.run,
            position: step.position,
            attempt: 1,
            max_attempts: step.max_attempts,
            trace_id: step.trace_id.clone(),
            payload: step.payload.clone(),
            subject: step.subject,
        });
        self.changes.steps.push(step);
        self.started.extend(claimed.clone());
        claimed
    }
}

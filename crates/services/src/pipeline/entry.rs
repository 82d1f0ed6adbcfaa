//! What attempts have to write, many of them in one transaction.

use std::{
    collections::{BTreeSet, HashMap, HashSet, hash_map},
    sync::Arc,
    time::Duration,
};

use galley_domain::{
    OrgId,
    task::{StepKind, TaskStatus},
    usage::Usage,
};
use galley_store::{
    Changes, ClaimedStep, Fence, Left, LockedArticles, Naming, NewEvent, NewStep, Standing, Started, StepsTx,
    StoreError, TaskState, TenantTx, Told,
};
use uuid::Uuid;

use super::{
    Known, Outcome, Ran, StepOutput,
    telling::{OfStep, Run, text},
};
use crate::Services;

/// One thing to write about an attempt.
#[derive(Debug, Clone)]
pub struct Entry {
    pub step: ClaimedStep,
    /// Shared by all entries of the attempt.
    pub known: Known,
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
        self.output().is_some() && self.known.has_task()
    }

    /// What the attempt brought, if it ended well.
    fn output(&self) -> Option<&StepOutput> {
        let What::Ended { outcome, .. } = &self.what else { return None };
        let Outcome::Done(output) = &**outcome else { return None };
        Some(output)
    }
}

/// The process that writes, as far as steps that follow may begin there at once instead of waiting to be claimed.
pub trait Room: Sync {
    /// Its name, for operators.
    fn worker(&self) -> &str;
    /// How long a lease lasts.
    fn lease(&self) -> Duration;
    /// An attempt of this kind ends with what is being written.
    fn ends(&self, kind: StepKind);
    /// Takes a slot for a step of this kind; false when none is free or older steps may wait for it.
    fn take(&self, kind: StepKind) -> bool;
    /// Whether what was said since the last call stands. Nobody may know: then it does not.
    fn written(&self, stands: bool);
}

/// Everything that follows waits to be claimed.
#[derive(Debug, Clone, Copy)]
pub struct NoRoom;

impl Room for NoRoom {
    fn worker(&self) -> &'static str {
        ""
    }

    fn lease(&self) -> Duration {
        Duration::ZERO
    }

    fn ends(&self, _: StepKind) {}

    fn take(&self, _: StepKind) -> bool {
        false
    }

    fn written(&self, _: bool) {}
}

/// What became of one entry: how the attempt ended, if that is what was written.
type Answer = Result<Option<Ran>, StoreError>;

/// What became of a group of entries.
#[derive(Debug, Default)]
pub struct Written {
    /// One for each entry.
    pub answers: Vec<Answer>,
    /// Steps that have begun with this, leased to the room.
    pub started: Vec<(ClaimedStep, Known)>,
    /// Leases like that which may or may not stand: the connection broke, and nobody said how the transaction ended.
    pub doubtful: Vec<Fence>,
    /// Whether it was written twice, because somebody else had changed a task that was known here.
    pub overtaken: bool,
}

impl Services {
    /// Writes the end of an attempt that has begun, with all that follows. [`StoreError::LeaseLost`] means that nothing
    /// was written but the usage; any other error means that nothing was written and the call may be repeated.
    pub async fn finish_step(&self, step: &ClaimedStep, outcome: &Outcome, usage: &[Usage]) -> Result<Ran, StoreError> {
        let what = What::Ended { outcome: Arc::new(outcome.clone()), usage: usage.to_vec() };
        let entry = Entry { step: step.clone(), known: Known::begun(), what };
        let ran = self.write(&[entry], &NoRoom).await.answers.pop().and_then(Result::transpose).transpose()?;
        ran.ok_or_else(|| StoreError::Unreadable("the end of a step was not written".into()))
    }

    /// Writes all entries in one transaction, each fenced by its own lease, and answers each of them. One that cannot
    /// be written fails alone: the others are then written without it.
    pub async fn write(&self, entries: &[Entry], room: &dyn Room) -> Written {
        let mut written = Written::default();
        match self.write_for(entries, room, &mut written).await {
            Ok(answers) => written.answers = answers,
            Err(error) if entries.len() == 1 || error.is_weather() => {
                written.answers = vec![Err(error); entries.len()];
            }
            Err(error) => {
                tracing::debug!(%error, entries = entries.len(), "a group of writes failed; writing one by one");
                for entry in entries {
                    let alone = self.write_for(std::slice::from_ref(entry), room, &mut written).await;
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
        room: &dyn Room,
        written: &mut Written,
    ) -> Result<Vec<Answer>, StoreError> {
        if let Some(supposed) = suppose(entries) {
            let answers = self.write_together(entries, Some(supposed), room, written).await;
            room.written(answers.is_ok());
            if !matches!(answers, Err(StoreError::Overtaken)) {
                return answers;
            }
            written.overtaken = true;
        }
        let answers = self.write_together(entries, None, room, written).await;
        room.written(answers.is_ok());
        answers
    }

    async fn write_together(
        &self,
        entries: &[Entry],
        supposed: Option<Supposed>,
        room: &dyn Room,
        written: &mut Written,
    ) -> Result<Vec<Answer>, StoreError> {
        // Until this is known to stand, nobody knows how the tasks are.
        entries.iter().for_each(|entry| entry.known.forget());
        let wanted: Vec<(OrgId, Uuid, Fence)> = entries
            .iter()
            .filter_map(|entry| entry.step.owner.map(|(org, task)| (org, task, entry.step.fence)))
            .collect();
        let orgs: BTreeSet<Uuid> = wanted.iter().map(|(org, _, _)| org.0).collect();
        let tx = self.store.begin_steps(orgs.into_iter().map(OrgId)).await?;
        let mut batch = Batch {
            services: self,
            room,
            tx,
            standing: Standing::default(),
            articles: LockedArticles::default(),
            names: HashSet::new(),
            begun: HashSet::new(),
            started: Vec::new(),
            ended: HashSet::new(),
            changed: BTreeSet::new(),
            changes: Changes::default(),
        };
        let filled = batch.fill(entries, &wanted, supposed).await;
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
        let known = learn(entries, &left, &begun);
        written.started.extend(started.into_iter().map(|step| {
            let before = step.owner.and_then(|(_, task)| known.get(&task));
            let of_next = before.map_or_else(Known::begun, Known::of_next);
            (step, of_next)
        }));
        Ok(answers)
    }
}

/// How the tasks of these entries were left, if nobody else has changed them since; none when it is not known of all.
fn suppose(entries: &[Entry]) -> Option<Supposed> {
    let mut supposed = Supposed { tasks: Left::default(), fences: HashSet::new(), alone: true };
    for entry in entries {
        let (output, (_, task)) = entry.output().zip(entry.step.owner)?;
        if let hash_map::Entry::Vacant(place) = supposed.tasks.entry(task) {
            place.insert(entry.known.task()?);
        }
        supposed.fences.insert(entry.step.fence);
        supposed.alone &= output.is_alone();
    }
    Some(supposed)
}

/// What entries are written from without a look.
struct Supposed {
    tasks: Left,
    fences: HashSet<Fence>,
    /// Nothing but tasks and steps is written before these are met.
    alone: bool,
}

/// Notes what stands now, for what is written next about the same tasks.
fn learn(entries: &[Entry], left: &Left, begun: &HashSet<Fence>) -> HashMap<Uuid, Known> {
    let mut known = HashMap::new();
    for entry in entries {
        if begun.contains(&entry.step.fence) {
            entry.known.set_begun();
        }
        let Some((_, task)) = entry.step.owner else { continue };
        if let Some(state) = left.get(&task) {
            entry.known.learn(Arc::clone(state));
            known.insert(task, entry.known.clone());
        }
    }
    known
}

/// The texts that these entries bring, as far as their leases hold.
fn texts(entries: &[Entry], standing: &Standing) -> Vec<Naming> {
    let text = |entry: &Entry| {
        let StepOutput::Article(text) = entry.output()? else { return None };
        let (org, task) = entry.step.owner.filter(|_| standing.fences.contains(&entry.step.fence))?;
        let article = standing.tasks.get(&task)?.article_id?;
        Some(Naming { org, article, slug: text.slug.clone() })
    };
    entries.iter().filter_map(text).collect()
}

/// The state of one transaction: what it found, and what is to be written.
pub(super) struct Batch<'a> {
    pub(super) services: &'a Services,
    room: &'a dyn Room,
    tx: StepsTx,
    standing: Standing,
    pub(super) articles: LockedArticles,
    /// Slugs that texts of this batch take.
    pub(super) names: HashSet<(OrgId, String)>,
    begun: HashSet<Fence>,
    /// Steps that this transaction adds and leases.
    started: Vec<ClaimedStep>,
    /// Tasks that ended within this batch: nothing more is written about their other steps.
    pub(super) ended: HashSet<Uuid>,
    /// Tasks that are to be written.
    changed: BTreeSet<Uuid>,
    pub(super) changes: Changes,
}

impl Batch<'_> {
    /// Finds out how the tasks stand and writes all entries; only the commit is left to do.
    async fn fill(
        &mut self,
        entries: &[Entry],
        wanted: &[(OrgId, Uuid, Fence)],
        supposed: Option<Supposed>,
    ) -> Result<Vec<Answer>, StoreError> {
        self.standing = match supposed {
            Some(Supposed { tasks, fences, alone }) => {
                let standing = self.tx.suppose(tasks, fences);
                if !alone {
                    self.tx.pin(&standing.fences).await?;
                }
                standing
            }
            None => self.tx.lock(wanted).await?,
        };
        self.articles = self.tx.lock_articles(&texts(entries, &self.standing)).await?;
        let mut answers = Vec::with_capacity(entries.len());
        for entry in entries {
            match self.take(entry).await {
                Err(StoreError::LeaseLost) => answers.push(Err(StoreError::LeaseLost)),
                other => answers.push(Ok(other?)),
            }
        }
        self.flush(None).await?;
        Ok(answers)
    }

    async fn take(&mut self, entry: &Entry) -> Result<Option<Ran>, StoreError> {
        let step = &entry.step;
        let (_, task_id) = step.owner.ok_or_else(|| StoreError::Unreadable("a maintenance step has no task".into()))?;
        let Some(mut task) = self.standing.tasks.remove(&task_id) else { return Err(StoreError::LeaseLost) };
        // What was paid for stays recorded, whoever has the lease.
        if let What::Ended { usage, .. } = &entry.what
            && !usage.is_empty()
        {
            self.changes.usage.push((step.clone(), usage.clone()));
        }
        let taken = if self.standing.fences.contains(&step.fence) && !self.ended.contains(&task_id) {
            self.apply(&mut task, entry).await
        } else {
            Err(StoreError::LeaseLost)
        };
        self.standing.tasks.insert(task_id, task);
        taken
    }

    async fn apply(&mut self, task: &mut TaskState, entry: &Entry) -> Result<Option<Ran>, StoreError> {
        let step = &entry.step;
        if !entry.known.has_begun() && !self.begun.contains(&step.fence) {
            self.begin(task, step)?;
            self.begun.insert(step.fence);
        }
        match &entry.what {
            What::Begun => Ok(None),
            What::Progress(message) => {
                self.emit(task, "step.progress", text(&OfStep::new(step).message(message))?);
                Ok(None)
            }
            What::Ended { outcome, .. } => {
                self.standing.fences.remove(&step.fence);
                self.room.ends(step.kind);
                self.end(task, step, outcome).await.map(Some)
            }
        }
    }

    pub(super) fn begin(&mut self, task: &mut TaskState, step: &ClaimedStep) -> Result<(), StoreError> {
        if task.status.parse::<TaskStatus>()?.is_ended() {
            return Err(StoreError::LeaseLost);
        }
        let first = task.status == TaskStatus::Pending.as_str();
        task.status = TaskStatus::Processing.as_str().to_owned();
        task.current_step = Some(step.kind.public_name().to_owned());
        if first {
            let run = Run { run: task.run };
            self.emit(task, "task.started", text(&run)?);
        }
        self.emit(task, "step.started", text(&OfStep::new(step))?);
        Ok(())
    }

    /// Appends an event and with it notes that the task has changed.
    pub(super) fn emit(&mut self, task: &mut TaskState, kind: &'static str, data: String) {
        task.event_seq += 1;
        self.changes.events.push(NewEvent { task: task.id, told: Told { kind, data } });
        self.changed(task);
    }

    /// The task is written as it stands now, unless it changes again before that.
    pub(super) fn changed(&mut self, task: &TaskState) {
        self.changed.insert(task.id);
    }

    /// Adds a step; answers with it when it begins here at once. Whoever calls then says so with [`Self::begin`].
    pub(super) fn add_step(&mut self, task: &TaskState, kind: StepKind, position: i32) -> Option<ClaimedStep> {
        let room = self.room;
        let started = room.take(kind).then(|| Started {
            lease: Uuid::new_v4(),
            worker: room.worker().to_owned(),
            seconds: room.lease().as_secs_f64(),
        });
        let step = NewStep {
            id: Uuid::now_v7(),
            org: task.org_id,
            task: task.id,
            run: task.run,
            kind,
            position,
            rank: task.rank,
            max_attempts: self.services.settings.policy(kind).max_attempts,
            trace_id: task.trace_id.clone(),
            started,
        };
        let claimed = step.started.as_ref().map(|started| ClaimedStep {
            fence: Fence { step: step.id, lease: started.lease },
            owner: Some((OrgId(step.org), step.task)),
            kind,
            run: step.run,
            position,
            attempt: 1,
            max_attempts: step.max_attempts,
            trace_id: step.trace_id.clone(),
        });
        self.changes.steps.push(step);
        self.started.extend(claimed.clone());
        claimed
    }

    /// What is not written in bulk is written through the tenant's view of the same transaction.
    pub(super) fn tenant(&self, org: OrgId) -> Result<&TenantTx, StoreError> {
        self.tx.tenant(org.0)
    }

    /// Writes what has gathered; `current` is the task that an entry is just changing.
    pub(super) async fn flush(&mut self, current: Option<&TaskState>) -> Result<(), StoreError> {
        for id in std::mem::take(&mut self.changed) {
            let task = current.filter(|task| task.id == id).or_else(|| self.standing.tasks.get(&id));
            self.changes.tasks.extend(task.map(|task| (id, Arc::new(task.clone()))));
        }
        self.tx.write(&mut self.changes).await
    }
}

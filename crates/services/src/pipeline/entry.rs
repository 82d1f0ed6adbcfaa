//! What attempts have to write, many of them in one transaction.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use galley_domain::{
    OrgId,
    task::{StepKind, TaskStatus},
    usage::Usage,
};
use galley_store::{
    Changes, ClaimedStep, Fence, Locked, LockedArticles, Naming, NewEvent, NewStep, Started, StepsTx, StoreError,
    TenantTx, Told, rows,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Outcome, Ran, StepOutput, describe};
use crate::Services;

/// One thing to write about an attempt.
#[derive(Debug, Clone)]
pub struct Entry {
    pub step: ClaimedStep,
    /// Shared by all entries of the attempt: whether its beginning stands in the database.
    pub begun: Arc<AtomicBool>,
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

/// What became of a group of entries.
#[derive(Debug, Default)]
pub struct Written {
    /// One for each entry.
    pub answers: Vec<Result<Option<Ran>, StoreError>>,
    /// Steps that have begun with this, leased to the room.
    pub started: Vec<ClaimedStep>,
    /// Leases like that which may or may not stand: the connection broke, and nobody said how the transaction ended.
    pub doubtful: Vec<Fence>,
}

impl Services {
    /// Writes the end of an attempt that has begun, with all that follows. [`StoreError::LeaseLost`] means that nothing
    /// was written but the usage; any other error means that nothing was written and the call may be repeated.
    pub async fn finish_step(&self, step: &ClaimedStep, outcome: &Outcome, usage: &[Usage]) -> Result<Ran, StoreError> {
        let what = What::Ended { outcome: Arc::new(outcome.clone()), usage: usage.to_vec() };
        let entry = Entry { step: step.clone(), begun: Arc::new(AtomicBool::new(true)), what };
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

    async fn write_for(
        &self,
        entries: &[Entry],
        room: &dyn Room,
        written: &mut Written,
    ) -> Result<Vec<Result<Option<Ran>, StoreError>>, StoreError> {
        let answers = self.write_together(entries, room, written).await;
        room.written(answers.is_ok());
        answers
    }

    async fn write_together(
        &self,
        entries: &[Entry],
        room: &dyn Room,
        written: &mut Written,
    ) -> Result<Vec<Result<Option<Ran>, StoreError>>, StoreError> {
        let wanted: Vec<(OrgId, Uuid, Fence)> = entries
            .iter()
            .filter_map(|entry| entry.step.owner.map(|(org, task)| (org, task, entry.step.fence)))
            .collect();
        let orgs: BTreeSet<Uuid> = wanted.iter().map(|(org, _, _)| org.0).collect();
        let tx = self.store.begin_steps(orgs.into_iter().map(OrgId)).await?;
        let locked = tx.lock(&wanted).await?;
        let articles = tx.lock_articles(&texts(entries, &locked)).await?;
        let mut batch = Batch {
            services: self,
            room,
            tx,
            locked,
            articles,
            names: HashSet::new(),
            begun: HashSet::new(),
            started: Vec::new(),
            ended: HashSet::new(),
            changes: Changes::default(),
        };
        let mut answers = Vec::with_capacity(entries.len());
        for entry in entries {
            match batch.take(entry).await {
                Err(StoreError::LeaseLost) => answers.push(Err(StoreError::LeaseLost)),
                other => answers.push(Ok(other?)),
            }
        }
        batch.flush().await?;
        if let Err(error) = batch.tx.commit().await {
            written.doubtful.extend(batch.started.iter().map(|step| step.fence));
            return Err(error);
        }
        written.started.append(&mut batch.started);
        for entry in entries.iter().filter(|entry| batch.begun.contains(&entry.step.fence)) {
            entry.begun.store(true, Ordering::Release);
        }
        Ok(answers)
    }
}

/// The texts that these entries bring, as far as their leases hold.
fn texts(entries: &[Entry], locked: &Locked) -> Vec<Naming> {
    let text = |entry: &Entry| {
        let What::Ended { outcome, .. } = &entry.what else { return None };
        let Outcome::Done(StepOutput::Article(text)) = &**outcome else { return None };
        let (org, task) = entry.step.owner.filter(|_| locked.fences.contains(&entry.step.fence))?;
        let article = locked.tasks.get(&task)?.article_id?;
        Some(Naming { org, article, slug: text.slug.clone() })
    };
    entries.iter().filter_map(text).collect()
}

/// The state of one transaction: what is locked, and what is to be written.
pub(super) struct Batch<'a> {
    pub(super) services: &'a Services,
    room: &'a dyn Room,
    tx: StepsTx,
    locked: Locked,
    pub(super) articles: LockedArticles,
    /// Slugs that texts of this batch take.
    pub(super) names: HashSet<(OrgId, String)>,
    begun: HashSet<Fence>,
    /// Steps that this transaction adds and leases.
    started: Vec<ClaimedStep>,
    /// Tasks that ended within this batch: nothing more is written about their other steps.
    pub(super) ended: HashSet<Uuid>,
    pub(super) changes: Changes,
}

/// A task out of the batch while an entry changes it.
pub(super) struct Held {
    pub(super) row: rows::Task,
    pub(super) now: chrono::DateTime<chrono::Utc>,
}

impl Batch<'_> {
    async fn take(&mut self, entry: &Entry) -> Result<Option<Ran>, StoreError> {
        let step = &entry.step;
        let (org, task_id) =
            step.owner.ok_or_else(|| StoreError::Unreadable("a maintenance step has no task".into()))?;
        let Some(row) = self.locked.tasks.remove(&task_id) else { return Err(StoreError::LeaseLost) };
        let mut task = Held { row, now: self.locked.now };
        // What was paid for stays recorded, whoever has the lease.
        if let What::Ended { usage, .. } = &entry.what {
            self.tenant(org)?.record_usage(task_id, step, usage).await?;
        }
        let taken = if self.locked.fences.contains(&step.fence) && !self.ended.contains(&task_id) {
            self.apply(&mut task, entry).await
        } else {
            Err(StoreError::LeaseLost)
        };
        self.locked.tasks.insert(task_id, task.row);
        taken
    }

    async fn apply(&mut self, task: &mut Held, entry: &Entry) -> Result<Option<Ran>, StoreError> {
        let step = &entry.step;
        if !entry.begun.load(Ordering::Acquire) && !self.begun.contains(&step.fence) {
            self.begin(task, step)?;
            self.begun.insert(step.fence);
        }
        match &entry.what {
            What::Begun => Ok(None),
            What::Progress(message) => {
                let mut data = describe(step);
                data["message"] = message.as_str().into();
                self.emit(task, "step.progress", data);
                Ok(None)
            }
            What::Ended { outcome, .. } => {
                self.locked.fences.remove(&step.fence);
                self.room.ends(step.kind);
                self.end(task, step, outcome).await.map(Some)
            }
        }
    }

    pub(super) fn begin(&mut self, task: &mut Held, step: &ClaimedStep) -> Result<(), StoreError> {
        if task.row.status.parse::<TaskStatus>()?.is_ended() {
            return Err(StoreError::LeaseLost);
        }
        let first = task.row.status == TaskStatus::Pending.as_str();
        task.row.status = TaskStatus::Processing.as_str().to_owned();
        task.row.current_step = Some(step.kind.public_name().to_owned());
        task.row.started_at = task.row.started_at.or(Some(task.now));
        if first {
            self.emit(task, "task.started", json!({ "run": task.row.run }));
        }
        self.emit(task, "step.started", describe(step));
        Ok(())
    }

    /// Appends an event and with it notes that the task has changed.
    pub(super) fn emit(&mut self, task: &mut Held, kind: &'static str, data: Json) {
        task.row.event_seq += 1;
        self.changes.events.push(NewEvent {
            org: task.row.org_id,
            task: task.row.id,
            seq: task.row.event_seq,
            told: Told { kind, data },
        });
        self.changed(task);
    }

    /// The task is written as it stands now, unless it changes again before that.
    pub(super) fn changed(&mut self, task: &Held) {
        self.changes.tasks.insert(task.row.id, (&task.row).into());
    }

    /// Adds a step; answers with it when it begins here at once. Whoever calls then says so with [`Self::begin`].
    pub(super) fn add_step(&mut self, task: &Held, kind: StepKind, position: i32) -> Option<ClaimedStep> {
        let room = self.room;
        let started = room.take(kind).then(|| Started {
            lease: Uuid::new_v4(),
            worker: room.worker().to_owned(),
            seconds: room.lease().as_secs_f64(),
        });
        let step = NewStep {
            id: Uuid::now_v7(),
            org: task.row.org_id,
            task: task.row.id,
            run: task.row.run,
            kind,
            position,
            rank: task.row.rank,
            max_attempts: self.services.settings.policy(kind).max_attempts,
            trace_id: task.row.trace_id.clone(),
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

    pub(super) async fn flush(&mut self) -> Result<(), StoreError> {
        self.tx.write(&mut self.changes).await
    }
}

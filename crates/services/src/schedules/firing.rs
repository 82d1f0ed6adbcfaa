//! Runs: what becomes of a time at which a schedule comes due, of a run by hand, and of a question.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use galley_domain::{
    Principal,
    order::FieldError,
    schedule::{RunStatus, RunTrigger, ScheduleStatus},
};
use galley_engine::Kept;
use galley_recurrence::{Due, DueKind, Missed, MissedPolicy, Recurrence};
use galley_store::{
    NewRun, StoreError, TenantTx, TextEnum,
    rows::{Schedule, ScheduleRun},
};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::{
    Work,
    edit::{goes_on, pause},
    new_trace, stored,
    trash::refuse_trashed_project,
};
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    orders::{Orders, Receipt},
    pipelines::schedules::{Tick, pending},
    publishing::publish::{OrderedPublication, PublishRequest, insert_publication},
};

/// So many failed runs in a row pause a schedule.
const MOST_FAILURES: i32 = 10;
/// No local day is longer, whatever a zone does to its clock.
const LONGEST_DAY: TimeDelta = TimeDelta::hours(49);

/// Why no order was taken.
#[derive(Debug)]
enum Refusal {
    /// The schedule has run as often on this day as it may.
    UsedUp(i32),
    /// There is nothing to publish.
    NothingApproved,
    Credits {
        needed: Decimal,
        available: Decimal,
    },
    Wrong(Vec<FieldError>),
}

impl Refusal {
    fn reason(&self) -> String {
        match self {
            Self::NothingApproved => "no approved article of the project waits".to_owned(),
            Self::UsedUp(max) => format!("max_per_day: {max} runs of this day are used up"),
            Self::Credits { .. } => "INSUFFICIENT_CREDITS".to_owned(),
            Self::Wrong(wrong) => {
                let lines: Vec<String> =
                    wrong.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
                lines.join("; ")
            }
        }
    }
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Credits { needed, available } => Self::InsufficientCredits { needed, available },
            other => Self::Conflict(other.reason()),
        }
    }
}

impl Services {
    /// Runs a schedule now, whatever its status is.
    pub async fn run_schedule(
        &self,
        principal: &Principal,
        id: Uuid,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<ScheduleRun>, ServiceError> {
        let tx = self.store.begin_order(principal.org).await?;
        once(tx, key, |tx| async move {
            let mut schedule = tx.lock_schedule(id).await?.ok_or(ServiceError::NotFound(Missing::Schedule))?;
            let now = tx.now().await?;
            refuse_trashed_project(&tx, schedule.project_id).await?;
            let receipt = self.orders.take_due(&tx, principal, &schedule, now, trace_id).await??;
            let run = new_run(id, now, RunTrigger::Manual, RunStatus::Skipped, 0);
            let run = tx.insert_run(run).await?.ok_or_else(|| StoreError::Unreadable("a run was not stored".into()))?;
            let run = fired(&tx, &mut schedule, run, &receipt, now).await?;
            tx.save_tick(&schedule).await?;
            Ok((tx, run))
        })
        .await
    }

    /// Decides about a run that waits for that.
    pub async fn decide_run(
        &self,
        principal: &Principal,
        (id, run_id): (Uuid, Uuid),
        runs: bool,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<ScheduleRun>, ServiceError> {
        let tx = self.store.begin_order(principal.org).await?;
        once(tx, key, |tx| async move {
            let mut schedule = tx.lock_schedule(id).await?.ok_or(ServiceError::NotFound(Missing::Schedule))?;
            let run = tx.lock_run(run_id).await?.filter(|run| run.schedule_id == id);
            let mut run = run.ok_or(ServiceError::NotFound(Missing::ScheduleRun))?;
            if *run.status != RunStatus::Asked {
                let text = format!("the run waits for no decision; it is {}", run.status.as_str());
                return Err(ServiceError::Conflict(text));
            }
            let now = tx.now().await?;
            run.late_seconds = seconds((now - run.due_at).num_seconds());
            if !runs {
                let run = ended(&tx, run, RunStatus::Skipped, "somebody decided that it does not run").await?;
                return Ok((tx, run));
            }
            refuse_trashed_project(&tx, schedule.project_id).await?;
            let receipt = self.orders.take_due(&tx, principal, &schedule, now, trace_id).await??;
            let run = fired(&tx, &mut schedule, run, &receipt, now).await?;
            tx.save_tick(&schedule).await?;
            Ok((tx, run))
        })
        .await
    }
}

impl Orders {
    /// Writes what a tick has decided, in the transaction that ends it, about a locked schedule.
    pub(crate) async fn keep_tick(
        &self,
        tx: &TenantTx,
        schedule: &mut Schedule,
        tick: &Tick,
        trace_id: &str,
    ) -> Result<Kept, StoreError> {
        if *schedule.status != ScheduleStatus::Active || schedule.tick != tick.number {
            return Ok(Kept::of(json!({ "out_of_date": true })));
        }
        let missed: Missed = stored(&schedule.missed)?;
        if let (MissedPolicy::Skip, Some(span)) = (missed.policy, &tick.decision.missed) {
            let text = format!("{} missed times are skipped", span.times);
            announce(tx, "schedule.skipped", schedule.id, None, (Some(span.newest.at), Some(&text))).await?;
        }
        let mut runs = Vec::new();
        if let Some(due) = &tick.decision.due {
            runs.extend(self.come_due(tx, schedule, due).await?.map(|run| run.id));
        }
        schedule.last_considered = tick.decision.last_considered;
        goes_on(schedule, tick.decision.next.as_ref().map(|next| next.at));
        if schedule.failures >= MOST_FAILURES && *schedule.status == ScheduleStatus::Active {
            pause(schedule);
            let text = format!("{MOST_FAILURES} runs in a row have failed");
            announce(tx, "schedule.paused", schedule.id, None, (Some(schedule.last_considered), Some(&text))).await?;
        }
        schedule.tick += 1;
        tx.save_tick(schedule).await?;
        tracing::debug!(schedule = %schedule.id, ?runs, trace_id, "a schedule came due");
        let follow = pending(schedule)?.into_iter().collect();
        Ok(Kept { output: json!({ "runs": runs }), follow })
    }

    /// None when this time has had its run.
    async fn come_due(
        &self,
        tx: &TenantTx,
        schedule: &mut Schedule,
        due: &Due,
    ) -> Result<Option<ScheduleRun>, StoreError> {
        let (status, reason) = match due.kind {
            DueKind::OnTime | DueKind::Late => (RunStatus::Skipped, None),
            DueKind::Missed => (RunStatus::Missed, Some("nobody looked at it within missed.within_hours".to_owned())),
            DueKind::Ask => (RunStatus::Asked, None),
        };
        let new = new_run(schedule.id, due.occurrence.at, RunTrigger::Schedule, status, due.late_seconds);
        let Some(run) = tx.insert_run(NewRun { reason, ..new }).await? else { return Ok(None) };
        match due.kind {
            DueKind::Missed => tell(tx, "schedule.missed", &run).await?,
            DueKind::Ask => tell(tx, "schedule.asked", &run).await?,
            DueKind::OnTime | DueKind::Late => return self.fire(tx, schedule, run).await.map(Some),
        }
        Ok(Some(run))
    }

    async fn fire(&self, tx: &TenantTx, schedule: &mut Schedule, run: ScheduleRun) -> Result<ScheduleRun, StoreError> {
        let now = tx.now().await?;
        match self.take_due(tx, &Principal::system(tx.org()), schedule, now, &new_trace()).await? {
            Ok(receipt) => fired(tx, schedule, run, &receipt, now).await,
            Err(refusal @ (Refusal::UsedUp(_) | Refusal::NothingApproved)) => {
                ended(tx, run, RunStatus::Skipped, &refusal.reason()).await
            }
            Err(refusal) => {
                schedule.failures = schedule.failures.saturating_add(1);
                ended(tx, run, RunStatus::Failed, &refusal.reason()).await
            }
        }
    }

    /// Orders what the schedule orders, within the caller's transaction, which may go on after a refusal. The order is
    /// noted under the key of whoever runs the schedule by hand, else under the one that made the schedule: neither
    /// system nor operator has one.
    async fn take_due(
        &self,
        tx: &TenantTx,
        principal: &Principal,
        schedule: &Schedule,
        now: DateTime<Utc>,
        trace_id: &str,
    ) -> Result<Result<Receipt, Refusal>, StoreError> {
        if let Some(max) = schedule.max_per_day {
            let zone = stored::<Recurrence>(&schedule.recurrence)?.timezone();
            let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
            let fired = tx.fired_since(schedule.id, now - LONGEST_DAY).await?;
            let today = fired.into_iter().filter(|at| day(*at) == day(now)).count();
            if i32::try_from(today).unwrap_or(i32::MAX) >= max {
                return Ok(Err(Refusal::UsedUp(max)));
            }
        }
        let order = match stored(&schedule.work)? {
            Work::Order { order } => order,
            Work::Publish { project_id, connection_id } => {
                return self.publish_oldest(tx, principal, project_id, connection_id, trace_id).await;
            }
        };
        let wrong = self.wrong_references(tx, &order.references()).await?;
        if !wrong.is_empty() {
            return Ok(Err(Refusal::Wrong(wrong)));
        }
        let key = principal.key().or(schedule.api_key_id);
        match self.insert(tx, &order, trace_id, key).await {
            Ok(receipt) => Ok(Ok(receipt)),
            Err(ServiceError::InsufficientCredits { needed, available }) => {
                Ok(Err(Refusal::Credits { needed, available }))
            }
            Err(ServiceError::Store(error)) => Err(error),
            Err(other) => Err(StoreError::Unreadable(other.to_string())),
        }
    }
}

impl Orders {
    /// Lets the oldest approved article of a project go out.
    async fn publish_oldest(
        &self,
        tx: &TenantTx,
        principal: &Principal,
        project: Uuid,
        connection_id: Option<Uuid>,
        trace_id: &str,
    ) -> Result<Result<Receipt, Refusal>, StoreError> {
        let mut wrong = None;
        for _ in 0..MOST_REFUSED {
            let Some(article) = tx.oldest_approved(project).await? else { break };
            let (subject, mut refused) = (Some(article.id), article.clone());
            let request = PublishRequest { connection_id, ..PublishRequest::default() };
            match insert_publication(tx, self.registry(), principal, article, request, None, trace_id).await {
                Ok(OrderedPublication { task_id, .. }) => {
                    let (price, estimated_time_seconds) = (Decimal::ZERO, 0);
                    return Ok(Ok(Receipt { task_id, subject, price, estimated_time_seconds, created_at: None }));
                }
                Err(ServiceError::Store(error)) => return Err(error),
                Err(ServiceError::Refused(text, reasons)) => {
                    // It waits for somebody, and no longer for a time; the next one is not held up by it.
                    refused.publish_error = Some(text);
                    tx.save_article(refused).await?;
                    wrong = wrong.or(Some(reasons));
                }
                Err(other) => {
                    let error = FieldError { field: "action".into(), message: other.to_string() };
                    return Ok(Err(Refusal::Wrong(vec![error])));
                }
            }
        }
        Ok(Err(wrong.map_or(Refusal::NothingApproved, Refusal::Wrong)))
    }
}

/// So many articles that the gate does not let out are passed over in one run.
const MOST_REFUSED: usize = 20;

fn new_run(schedule: Uuid, due_at: DateTime<Utc>, trigger: RunTrigger, status: RunStatus, late: i64) -> NewRun {
    NewRun { schedule, due_at, trigger, status, late_seconds: seconds(late), reason: None }
}

fn seconds(late: i64) -> i32 {
    i32::try_from(late.max(0)).unwrap_or(i32::MAX)
}

/// Notes what was ordered, and forgets earlier failures.
async fn fired(
    tx: &TenantTx,
    schedule: &mut Schedule,
    mut run: ScheduleRun,
    receipt: &Receipt,
    now: DateTime<Utc>,
) -> Result<ScheduleRun, StoreError> {
    schedule.failures = 0;
    run.status = TextEnum(RunStatus::Fired);
    run.fired_at = Some(now);
    (run.task_id, run.article_id, run.reason) = (Some(receipt.task_id), receipt.subject, None);
    let run = tx.save_run(run).await?;
    tell(tx, "schedule.fired", &run).await?;
    Ok(run)
}

async fn ended(
    tx: &TenantTx,
    mut run: ScheduleRun,
    status: RunStatus,
    reason: &str,
) -> Result<ScheduleRun, StoreError> {
    run.status = TextEnum(status);
    run.reason = Some(reason.to_owned());
    let run = tx.save_run(run).await?;
    let kind = if status == RunStatus::Failed { "schedule.failed" } else { "schedule.skipped" };
    tell(tx, kind, &run).await?;
    Ok(run)
}

async fn tell(tx: &TenantTx, kind: &str, run: &ScheduleRun) -> Result<(), StoreError> {
    announce(tx, kind, run.schedule_id, Some(run), (Some(run.due_at), run.reason.as_deref())).await
}

/// Tells what has happened to a schedule: the run that it is about, a time at which it came due, and the reason, if any.
pub(super) async fn announce(
    tx: &TenantTx,
    kind: &str,
    schedule: Uuid,
    run: Option<&ScheduleRun>,
    (due_at, reason): (Option<DateTime<Utc>>, Option<&str>),
) -> Result<(), StoreError> {
    let data = json!({
        "schedule_id": schedule,
        "run_id": run.map(|run| run.id),
        "due_at": due_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        "task_id": run.and_then(|run| run.task_id),
        "article_id": run.and_then(|run| run.article_id),
        "reason": reason,
    });
    tx.announce(kind, schedule, data).await
}

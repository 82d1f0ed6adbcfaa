//! What a project's way into the trash and out of it means to the schedules that order into it.

use chrono::{DateTime, Utc};
use galley_domain::schedule::ScheduleStatus;
use galley_recurrence::Recurrence;
use galley_store::{
    StoreError, TenantTx,
    rows::{Project, Schedule},
};
use uuid::Uuid;

use super::{
    edit::{goes_on, pause},
    firing::announce,
    new_trace, stored,
};
use crate::{Services, error::ServiceError, pipelines::schedules::TICK};

/// The schedules of a project, locked, with their pending steps cancelled.
#[derive(Debug)]
pub(crate) struct ProjectSchedules {
    project: Uuid,
    locked: Vec<Schedule>,
}

impl ProjectSchedules {
    /// Before the project is locked: whoever runs or changes a schedule locks the schedule first.
    pub(crate) async fn lock(tx: &TenantTx, project: Uuid) -> Result<Self, StoreError> {
        let ids = tx.project_schedules(project).await?;
        tx.cancel_jobs(TICK, &ids).await?;
        Ok(Self { project, locked: tx.lock_schedules(&ids).await? })
    }

    /// Refuses to go on without one that was made, or moved to the project, before the project was locked. From then on
    /// there can be no other.
    pub(crate) async fn refuse_newer(&self, tx: &TenantTx) -> Result<(), ServiceError> {
        let ids = tx.project_schedules(self.project).await?;
        // One that was moved away before it was locked has a step of its own again, which was cancelled here.
        let left = self.locked.iter().any(|schedule| schedule.project_id != Some(self.project));
        match !left && ids.iter().all(|id| self.locked.iter().any(|schedule| schedule.id == *id)) {
            true => Ok(()),
            false => Err(ServiceError::Conflict(
                "a schedule of the project was made or changed at the same time; send the request again".into(),
            )),
        }
    }
}

impl Services {
    /// Pauses those that are active. How far they have come stays, and with it what they miss from now on.
    pub(crate) async fn pause_for_trash(
        &self,
        tx: &TenantTx,
        schedules: ProjectSchedules,
        project: &Project,
    ) -> Result<(), ServiceError> {
        let reason = format!("its project `{}` is in the trash", project.name);
        for mut schedule in schedules.locked {
            if *schedule.status == ScheduleStatus::Active {
                pause(&mut schedule);
                schedule.paused_by_trash = true;
                self.keep_pause(tx, schedule, "schedule.paused", &reason).await?;
            }
        }
        Ok(())
    }

    /// Lets those that the trash has paused go on from where they were: what came meanwhile is missed, and their policy
    /// says what becomes of it.
    pub(crate) async fn resume_after_trash(
        &self,
        tx: &TenantTx,
        schedules: ProjectSchedules,
        project: &Project,
    ) -> Result<(), ServiceError> {
        let reason = format!("its project `{}` was taken out of the trash", project.name);
        for mut schedule in schedules.locked {
            if schedule.paused_by_trash {
                let recurrence: Recurrence = stored(&schedule.recurrence)?;
                let next = recurrence.next(schedule.last_considered);
                goes_on(&mut schedule, next.map(|next| next.at));
                self.keep_pause(tx, schedule, "schedule.resumed", &reason).await?;
            } else if *schedule.status == ScheduleStatus::Active {
                // Its step was cancelled with the others'. An older version put the project into the trash and left it active.
                schedule.tick += 1;
                let schedule = tx.save_schedule(schedule).await?;
                self.arm(tx, &schedule, &new_trace()).await?;
            }
        }
        Ok(())
    }

    /// Writes a schedule whose status has changed, adds its next step if it is to have one, and tells of it.
    async fn keep_pause(
        &self,
        tx: &TenantTx,
        mut schedule: Schedule,
        kind: &str,
        reason: &str,
    ) -> Result<(), ServiceError> {
        schedule.tick += 1;
        let schedule = tx.save_schedule(schedule).await?;
        self.arm(tx, &schedule, &new_trace()).await?;
        if kind == "schedule.paused" || *schedule.status == ScheduleStatus::Active {
            announce(tx, kind, schedule.id, None, (None::<DateTime<Utc>>, Some(reason))).await?;
        }
        Ok(())
    }
}

/// Refuses what would order into a project that is in the trash. The project stays where it is until the transaction ends.
pub(super) async fn refuse_trashed_project(tx: &TenantTx, project: Option<Uuid>) -> Result<(), ServiceError> {
    let Some(id) = project else { return Ok(()) };
    if tx.has_project(id).await? {
        return Ok(());
    }
    match tx.project(id).await? {
        Some(project) => Err(ServiceError::Conflict(format!(
            "the schedule's project `{}` ({id}) is in the trash; restore it first",
            project.name
        ))),
        // Whoever orders is told that there is no such project.
        None => Ok(()),
    }
}

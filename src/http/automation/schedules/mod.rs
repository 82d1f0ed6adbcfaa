//! Recurring schedules: orders that come again and again.

use galley_domain::schedule::{RunStatus, ScheduleStatus};
use galley_store::ScheduleFilter;
use poem_openapi::{OpenApi, param::Path};

use crate::http::{
    Area,
    kit::{
        auth::{Ai, Auth, Content, PublishRead, PublishWrite},
        body::{Body, Draft},
        envelope::{List, views},
        fields::fields,
        header::{IdempotencyKey, IfUnchanged},
        page::{ByNumber, Page},
        problem::Problem,
        query::Query,
        reply::{Accepted, Created, NoContent, Outcome, Reply},
        scalar::{Id, Moment, Word},
        values::{Integer, Text},
    },
};

pub mod body;
mod times;
mod view;

use body::{CreateSchedule, UpdateSchedule, checked};
use times::Times;
use view::{Schedule, ScheduleRun, ScheduleTimes};

pub struct Schedules;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Schedules")]
impl Schedules {
    /// Create a schedule
    ///
    /// Orders an article each time it comes due, at the price and under the rules of an order made by hand. Times are
    /// wall time in the zone: an hour that the clock skips runs at the next minute that exists, an hour that comes twice
    /// runs once. The order is checked now as it is at ordering.
    #[oai(path = "/schedules", method = "post", operation_id = "create_schedule")]
    async fn create(
        &self,
        auth: Auth<PublishWrite, Content>,
        key: IdempotencyKey,
        body: Draft<CreateSchedule>,
    ) -> Outcome<Schedule, Created> {
        let key = key.with(&body.canonical)?;
        let request = checked(&auth, body).await?.into();
        let made = auth.services().create_schedule(&auth.principal, request, auth.trace_id(), key.as_ref()).await?;
        let location = format!("/api/v1/schedules/{}", made.value.row.id);
        Ok(Reply::of(made, Schedule::from).at(&location))
    }

    /// List schedules
    ///
    /// Newest first.
    #[oai(path = "/schedules", method = "get", operation_id = "list_schedules")]
    async fn list(&self, auth: Auth<PublishRead>, Query(query): Query<ScheduleQuery>) -> Outcome<List<Schedule>> {
        let page = &query.page;
        let filter = ScheduleFilter {
            status: query.status.map(|word| word.0),
            search: query.search.map(|text| text.0),
            project_id: None,
            limit: page.limit,
            offset: page.offset,
        };
        let (rows, total) = auth.services().schedules(auth.org(), &filter).await?;
        Ok(Reply::new(List { data: views(rows)?, pagination: page.of(total) }))
    }

    /// Get a schedule
    ///
    /// What it does, its next ten times, and what became of the newest one.
    #[oai(path = "/schedules/:schedule_id", method = "get", operation_id = "get_schedule")]
    async fn get(&self, auth: Auth<PublishRead>, schedule_id: Path<Id>) -> Outcome<Schedule> {
        Ok(Reply::new(auth.services().schedule(auth.org(), schedule_id.0.0).await?.into()))
    }

    /// Change a schedule
    ///
    /// What is left out stays, also of `missed`. A `cron` takes the place of a `rule` and the other way. New times count
    /// from now on, and must leave some to come; a schedule that has ended begins again with them. One whose project is in
    /// the trash cannot be made active: that is a CONFLICT.
    #[oai(path = "/schedules/:schedule_id", method = "patch", operation_id = "update_schedule")]
    async fn update(
        &self,
        auth: Auth<PublishWrite, Content>,
        schedule_id: Path<Id>,
        seen: IfUnchanged,
        body: Draft<UpdateSchedule>,
    ) -> Outcome<Schedule> {
        let (id, edit) = (schedule_id.0.0, checked(&auth, body).await?.into());
        let changed = auth.services().edit_schedule(auth.org(), id, edit, seen.0, auth.trace_id()).await?;
        Ok(Reply::new(changed.into()))
    }

    /// Delete a schedule
    ///
    /// With its runs. The tasks that they have ordered go on.
    #[oai(path = "/schedules/:schedule_id", method = "delete", operation_id = "delete_schedule")]
    async fn delete(&self, auth: Auth<PublishWrite, Content>, schedule_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().delete_schedule(auth.org(), schedule_id.0.0).await?;
        Ok(NoContent)
    }

    /// Pause a schedule
    ///
    /// Times that come during the pause are not missed: they do not come. A schedule that is paused or has ended is a
    /// CONFLICT.
    #[oai(path = "/schedules/:schedule_id/pause", method = "post", operation_id = "pause_schedule")]
    async fn pause(
        &self,
        auth: Auth<PublishWrite, Content>,
        schedule_id: Path<Id>,
        key: IdempotencyKey,
    ) -> Outcome<Schedule> {
        let key = key.with(b"")?;
        let paused = auth.services().pause_schedule(auth.org(), schedule_id.0.0, auth.trace_id(), key.as_ref()).await?;
        Ok(Reply::of(paused, Schedule::from))
    }

    /// Resume a schedule
    ///
    /// The next time after now is the first. A schedule that is active or has ended, or whose project is in the trash, is
    /// a CONFLICT.
    #[oai(path = "/schedules/:schedule_id/resume", method = "post", operation_id = "resume_schedule")]
    async fn resume(
        &self,
        auth: Auth<PublishWrite, Content>,
        schedule_id: Path<Id>,
        key: IdempotencyKey,
    ) -> Outcome<Schedule> {
        let key = key.with(b"")?;
        let going = auth.services().resume_schedule(auth.org(), schedule_id.0.0, auth.trace_id(), key.as_ref()).await?;
        Ok(Reply::of(going, Schedule::from))
    }

    /// Run a schedule now
    ///
    /// Also one that is paused. It counts for `max_per_day`, which is a CONFLICT when it is used up, and changes no
    /// `next_runs`. An order that would be refused, or a project in the trash, is a CONFLICT, too.
    #[oai(path = "/schedules/:schedule_id/run", method = "post", operation_id = "run_schedule")]
    async fn run(
        &self,
        auth: Auth<PublishWrite, Ai>,
        schedule_id: Path<Id>,
        key: IdempotencyKey,
    ) -> Outcome<ScheduleRun, Accepted> {
        let key = key.with(b"")?;
        let run = auth.services().run_schedule(&auth.principal, schedule_id.0.0, auth.trace_id(), key.as_ref()).await?;
        let location = run.value.task_id.map(|task| format!("/api/v1/tasks/{task}")).unwrap_or_default();
        Ok(Reply::of(run, ScheduleRun::from).at(&location))
    }

    /// List the times to come
    ///
    /// Those of the schedule as it stands, also while it is paused.
    #[oai(path = "/schedules/:schedule_id/next", method = "get", operation_id = "list_schedule_times")]
    async fn next(
        &self,
        auth: Auth<PublishRead>,
        schedule_id: Path<Id>,
        Query(query): Query<TimesQuery>,
    ) -> Outcome<ScheduleTimes> {
        let (count, after) = (number(query.count), query.after.map(|moment| moment.0));
        let found = auth.services().schedule_times(auth.org(), schedule_id.0.0, count, after).await?;
        Ok(Reply::new(found.into()))
    }

    /// Preview times
    ///
    /// What a schedule like this would do. Nothing is stored, and an `Idempotency-Key` is checked and not needed.
    #[oai(path = "/schedules/preview", method = "post", operation_id = "preview_schedule")]
    async fn preview(
        &self,
        auth: Auth<PublishWrite>,
        key: IdempotencyKey,
        body: Body<PreviewSchedule>,
    ) -> Outcome<ScheduleTimes> {
        key.with(&body.canonical)?;
        let PreviewSchedule { times: Times(recurrence), count, after } = body.value;
        let after = after.map(|moment| moment.0);
        let times = auth.services().times_of(auth.org(), &recurrence, number(count), after).await?;
        Ok(Reply::new((recurrence, times).into()))
    }

    /// List the runs of a schedule
    ///
    /// What became of each time at which it came due, newest due first.
    #[oai(path = "/schedules/:schedule_id/runs", method = "get", operation_id = "list_schedule_runs")]
    async fn runs(
        &self,
        auth: Auth<PublishRead>,
        schedule_id: Path<Id>,
        Query(query): Query<RunQuery>,
    ) -> Outcome<List<ScheduleRun>> {
        let (page, status) = (&query.page, query.status.map(|word| word.0));
        let (id, services) = (schedule_id.0.0, auth.services());
        let (rows, total) = services.schedule_runs(auth.org(), id, status, page.limit, page.offset).await?;
        Ok(Reply::new(List { data: views(rows)?, pagination: page.of(total) }))
    }

    /// Decide about a run
    ///
    /// About one that is `asked`; any other is a CONFLICT. It runs now or never.
    #[oai(path = "/schedules/:schedule_id/runs/:run_id/decide", method = "post", operation_id = "decide_schedule_run")]
    async fn decide(
        &self,
        auth: Auth<PublishWrite, Ai>,
        schedule_id: Path<Id>,
        run_id: Path<Id>,
        key: IdempotencyKey,
        body: Body<DecideScheduleRun>,
    ) -> Outcome<ScheduleRun> {
        let key = key.with(&body.canonical)?;
        let (ids, runs) = ((schedule_id.0.0, run_id.0.0), body.value.run);
        let run = auth.services().decide_run(&auth.principal, ids, runs, auth.trace_id(), key.as_ref()).await?;
        Ok(Reply::of(run, ScheduleRun::from))
    }
}

type Count = Integer<1, { galley_services::MAX_TIMES as i64 }>;

fn number(count: Count) -> usize {
    usize::try_from(count.0).unwrap_or(0)
}

fields! {
    /// Which schedules to list.
    pub struct ScheduleQuery {
        /// Only schedules in this state.
        status: Option<Word<ScheduleStatus>>,
        /// Part of the name, in any case.
        search: Option<Text<1, 200>>,
        page: Page<ByNumber>,
    }
}

fields! {
    /// Which runs to list.
    pub struct RunQuery {
        /// Only runs that ended like this.
        status: Option<Word<RunStatus>>,
        page: Page<ByNumber>,
    }
}

fields! {
    /// Which times to list.
    pub struct TimesQuery {
        /// How many, 1 to 100.
        count: Count = Integer(10),
        /// Only times after this one; after now when not given.
        after: Option<Moment>,
    }
}

fields! {
    /// Times to try out.
    pub struct PreviewSchedule {
        times: Times,
        /// How many, 1 to 100.
        count: Count = Integer(10),
        /// Only times after this one; after now when not given.
        after: Option<Moment>,
    }
}

fields! {
    /// What is to become of a run that asks.
    pub struct DecideScheduleRun {
        /// Whether it runs now.
        run: bool,
    }
}

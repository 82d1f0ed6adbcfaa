//! `galley schedules`.

use clap::Subcommand;
use galley_domain::{Operator, OrgId, schedule::ScheduleStatus};
use galley_recurrence::When;
use galley_services::{ScheduleView, Services};
use galley_store::{ScheduleFilter, rows::ScheduleRun};
use uuid::Uuid;

use crate::{
    compose::Parts,
    config::Config,
    telemetry::{self, Audience},
};

const PORTION: u64 = 100;

#[derive(Debug, Subcommand)]
pub enum SchedulesCommand {
    /// List schedules, newest first.
    List {
        /// `active`, `paused` or `ended`.
        #[arg(long)]
        status: Option<ScheduleStatus>,
    },
    /// Show a schedule with its last runs.
    Show { id: Uuid },
    /// Let no more times come.
    Pause { id: Uuid },
    /// Go on with the next time after now.
    Resume { id: Uuid },
    /// Run a schedule now.
    Run { id: Uuid },
    /// Show the times to come.
    Next {
        id: Uuid,
        /// How many, 1 to 100.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
        count: u8,
    },
}

pub async fn run(config: Config, command: SchedulesCommand) -> anyhow::Result<u8> {
    let _log = telemetry::start(&config.log, Audience::Person)?;
    let parts = Parts::open(config).await?;
    let org = parts.organization().await?;
    let (services, trace) = (&parts.services, Uuid::new_v4().simple().to_string());
    match command {
        SchedulesCommand::List { status } => list(services, org, status).await?,
        SchedulesCommand::Show { id } => show(services, org, id).await?,
        SchedulesCommand::Pause { id } => {
            services.pause_schedule(org, id, &trace, None).await?;
            println!("paused {id}");
        }
        SchedulesCommand::Resume { id } => {
            let view = services.resume_schedule(org, id, &trace, None).await?.value;
            println!("resumed {id}; next {}", next_of(&view));
        }
        SchedulesCommand::Run { id } => {
            let operator = Operator::of_this_machine().within(org);
            println!("{}", line_of(&services.run_schedule(&operator, id, &trace, None).await?.value));
        }
        SchedulesCommand::Next { id, count } => {
            let (recurrence, times) = services.schedule_times(org, id, usize::from(count), None).await?;
            for time in times {
                let note = time.note.as_deref().unwrap_or_default();
                println!("{}{}  {}  {note}", time.local_text(), time.offset_text(), recurrence.timezone());
            }
        }
    }
    parts.close().await;
    Ok(0)
}

async fn list(services: &Services, org: OrgId, status: Option<ScheduleStatus>) -> anyhow::Result<()> {
    let mut filter = ScheduleFilter { status, limit: PORTION, ..ScheduleFilter::default() };
    loop {
        let (views, total) = services.schedules(org, &filter).await?;
        for view in &views {
            let (status, times) = (view.row.status.as_str(), times_of(view));
            println!("{}  {status}  {times}  next {}  {}", view.row.id, next_of(view), view.row.name);
        }
        filter.offset += PORTION;
        if views.is_empty() || filter.offset >= total {
            return Ok(());
        }
    }
}

async fn show(services: &Services, org: OrgId, id: Uuid) -> anyhow::Result<()> {
    let view = services.schedule(org, id).await?;
    println!("{}  {}", view.row.id, view.row.name);
    println!("status    {}, {} failed runs in a row", view.row.status.as_str(), view.row.failures);
    println!("times     {}", times_of(&view));
    println!("next      {}", next_of(&view));
    println!("missed    {}, within {} hours", view.missed.policy.as_str(), view.missed.within_hours);
    println!("action    {}", view.row.action);
    for run in services.schedule_runs(org, id, None, 10, 0).await?.0 {
        println!("{}", line_of(&run));
    }
    Ok(())
}

fn times_of(view: &ScheduleView) -> String {
    let zone = view.recurrence.timezone();
    match view.recurrence.when() {
        When::Cron(cron) => format!("'{cron}' {zone}"),
        When::Rule(_) => format!("{} {zone}", view.row.recurrence["rule"]),
    }
}

fn next_of(view: &ScheduleView) -> String {
    view.next.first().map_or_else(|| "none".to_owned(), |time| format!("{}{}", time.local_text(), time.offset_text()))
}

fn line_of(run: &ScheduleRun) -> String {
    let what = run.task_id.map(|task| format!("task {task}")).or_else(|| run.reason.clone()).unwrap_or_default();
    format!("run {}  due {:.0}  {}  {what}", run.id, run.due_at, run.status.as_str())
}

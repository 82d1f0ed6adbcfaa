//! The live progress of one task on standard error.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use galley_domain::OrgId;
use galley_engine::Notifications;
use galley_services::{ServiceError, Services, TaskView};
use galley_store::rows::Event;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How much to say.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub talk: bool,
    /// A terminal: the current line is redrawn.
    pub live: bool,
}

/// Shows events until the task has ended. An interruption cancels the task and waits for its end. A database that is away
/// is waited for: the task goes on where it stood when it is back.
pub async fn follow(
    services: &Services,
    notifications: &Notifications,
    org: OrgId,
    task: Uuid,
    style: Style,
    interrupted: &CancellationToken,
) -> anyhow::Result<TaskView> {
    let mut watch = notifications.events(task);
    let mut printer = Printer { style, seen: 0, started: Instant::now(), away: false };
    loop {
        match look(services, org, task, &mut printer, interrupted.is_cancelled()).await {
            Ok(view) if view.status.is_ended() => {
                printer.end();
                return Ok(view);
            }
            Ok(_) => printer.away = false,
            Err(ServiceError::Store(error)) if error.is_unavailable() => printer.database_is_away(),
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = watch.changed() => {}
            // Covers a notification that was lost with its connection.
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = interrupted.cancelled(), if !interrupted.is_cancelled() => {}
        }
    }
}

/// Cancels the task if that is wanted, and shows what is new.
async fn look(
    services: &Services,
    org: OrgId,
    task: Uuid,
    printer: &mut Printer,
    cancel: bool,
) -> Result<TaskView, ServiceError> {
    if cancel {
        match services.cancel(org, task).await {
            // It has ended, by itself or by an earlier look.
            Ok(_) | Err(ServiceError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let view = services.task(org, task).await?;
    for event in services.task_events(org, task, printer.seen, 1000).await? {
        printer.show(&event);
    }
    Ok(view)
}

struct Printer {
    style: Style,
    seen: i64,
    started: Instant,
    /// It was said that the database is away.
    away: bool,
}

impl Printer {
    fn show(&mut self, event: &Event) {
        self.seen = event.seq;
        if !self.style.talk {
            return;
        }
        let text = |name: &str| event.data[name].as_str().unwrap_or_default().to_owned();
        let step = text("step");
        match event.kind.as_str() {
            "step.started" => self.current(&format!("{step} …")),
            "step.progress" => self.line(&format!("{step}: {}", text("message"))),
            "task.warning" => self.line(&format!("note: {}", text("message"))),
            "step.retry" => {
                let wait = event.data["retry_in_seconds"].as_f64().unwrap_or_default();
                let message = event.data["error"]["message"].as_str().unwrap_or_default();
                self.line(&format!("{step}: {message}; trying again in {wait:.1} s"));
            }
            "task.progress" => {
                let progress = &event.data["progress"];
                let done: Vec<&str> = event.data["steps_completed"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|name| name.as_str())
                    .collect();
                self.line(&format!("{progress:>3} %  {}", done.join(" · ")));
            }
            _ => {}
        }
    }

    /// Says so once until it is back.
    fn database_is_away(&mut self) {
        if self.style.talk && !self.away {
            self.line("the database does not answer; waiting for it");
        }
        self.away = true;
    }

    /// A line that stays.
    fn line(&self, text: &str) {
        let clear = if self.style.live { "\r\x1b[2K" } else { "" };
        eprintln!("{clear}{:>6.1} s  {text}", self.started.elapsed().as_secs_f64());
    }

    /// A line that the next one replaces; left out where lines cannot be replaced.
    fn current(&self, text: &str) {
        if self.style.live {
            eprint!("\r\x1b[2K{:>6.1} s  {text}", self.started.elapsed().as_secs_f64());
            // Progress that cannot be shown is no reason to stop.
            let _ = std::io::stderr().flush();
        }
    }

    fn end(&self) {
        if self.style.live {
            eprint!("\r\x1b[2K");
        }
    }
}

#[cfg(test)]
mod tests {
    use galley_domain::task::TaskStatus;
    use galley_testkit::{Harness, Script};

    use super::*;

    const QUIET: Style = Style { talk: false, live: false };

    #[tokio::test]
    async fn a_database_that_is_away_is_waited_for() {
        let harness = Harness::new().await;
        let task = harness.order().await;
        let (services, notifications, org) =
            (harness.services.clone(), harness.notifications.clone(), harness.principal.org);
        harness.database.go_away().await;
        let following = tokio::spawn(async move {
            follow(&services, &notifications, org, task, QUIET, &CancellationToken::new()).await
        });
        while harness.services.store().ping().await.is_ok() {}
        assert!(!following.is_finished(), "it waits");
        harness.database.come_back().await;
        let engine = harness.scripted(&Script::default());
        let view = following.await.expect("no panic").expect("the order went through");
        assert_eq!(view.status, TaskStatus::Completed);
        engine.stop().await;
    }

    #[tokio::test]
    async fn an_interruption_while_the_database_is_away_cancels_when_it_is_back() {
        let harness = Harness::new().await;
        let task = harness.order().await;
        let (services, notifications, org) =
            (harness.services.clone(), harness.notifications.clone(), harness.principal.org);
        harness.database.go_away().await;
        let interrupted = CancellationToken::new();
        interrupted.cancel();
        let following =
            tokio::spawn(async move { follow(&services, &notifications, org, task, QUIET, &interrupted).await });
        assert!(harness.services.store().ping().await.is_err(), "the database is away");
        harness.database.come_back().await;
        let view = following.await.expect("no panic").expect("it was cancelled");
        assert_eq!(view.status, TaskStatus::Cancelled);
    }
}

//! The live progress of one task on standard error.

use std::{io::Write, time::Instant};

use galley_domain::{OrgId, task::TaskStatus};
use galley_services::{ServiceError, TaskView};
use galley_store::rows::Event;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::compose::Parts;

/// How much to say.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub talk: bool,
    /// A terminal: the current line is redrawn.
    pub live: bool,
}

/// Shows events until the task has ended. An interruption cancels the task and waits for its end.
pub async fn follow(
    parts: &Parts,
    org: OrgId,
    task: Uuid,
    style: Style,
    interrupted: &CancellationToken,
) -> anyhow::Result<TaskView> {
    let services = &parts.services;
    let mut watch = parts.wakes.events(task);
    let mut printer = Printer { style, seen: 0, started: Instant::now() };
    let mut cancelling = false;
    loop {
        let view = services.task(org, task).await?;
        for event in services.task_events(org, task, printer.seen, 1000).await? {
            printer.show(&event);
        }
        if view.status.is_ended() && (!cancelling || view.status != TaskStatus::Processing) {
            printer.end();
            return Ok(view);
        }
        tokio::select! {
            () = watch.changed() => {}
            // Covers a notification that was lost with its connection.
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
            () = interrupted.cancelled(), if !cancelling => {
                cancelling = true;
                match services.cancel(org, task).await {
                    // It ended by itself just now.
                    Ok(_) | Err(ServiceError::Conflict(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}

struct Printer {
    style: Style,
    seen: i64,
    started: Instant,
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

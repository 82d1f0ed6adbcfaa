//! Steps that do nothing, in the ways that the figures need, and an engine that runs them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use galley_domain::{
    article,
    task::StepKind,
    writing::{Outline, SectionPlan, SectionText, WordRange},
};
use galley_engine::{Engine, EngineSettings, Output, Step, StepContext, StepError};
use galley_services::{WrittenArticle, pipelines};
use tokio::{
    sync::{mpsc::UnboundedSender, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::Parts;

/// How long a sleeping step sleeps; longer than any figure takes.
const SLEEP: Duration = Duration::from_secs(3600);

/// Nanoseconds since 1970, which two processes of one machine agree on.
pub fn clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// When a handler was entered and left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub task: Uuid,
    pub kind: StepKind,
    pub began: u64,
    pub returned: u64,
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} {}", self.task, self.kind, self.began, self.returned)
    }
}

impl std::str::FromStr for Stamp {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let parts: Vec<&str> = line.split(' ').collect();
        let [task, kind, began, returned] = parts[..] else { anyhow::bail!("not a stamp: {line}") };
        Ok(Self { task: task.parse()?, kind: kind.parse()?, began: began.parse()?, returned: returned.parse()? })
    }
}

/// What the steps do besides returning the smallest valid output.
#[derive(Debug, Clone)]
pub enum Play {
    /// Counts the ends of tasks.
    AtOnce(watch::Sender<usize>),
    /// Says when it was entered and left.
    Stamped(UnboundedSender<Stamp>),
    /// Says when it was entered, then sleeps.
    Asleep(UnboundedSender<Stamp>),
    /// Reports the clock again and again while the research step lasts.
    Telling { every: Duration, until: watch::Receiver<bool> },
}

struct Player {
    kind: StepKind,
    play: Play,
}

#[async_trait]
impl Step for Player {
    fn kind(&self) -> StepKind {
        self.kind
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (_, task) = cx.owner()?;
        let stamp = Stamp { task, kind: self.kind, began: clock(), returned: 0 };
        // Whoever does not listen any more does not want to know.
        match &self.play {
            Play::AtOnce(ended) if self.kind == article::SYNC => ended.send_modify(|count| *count += 1),
            Play::AtOnce(_) => {}
            Play::Stamped(told) => {
                let _ = told.send(Stamp { returned: clock(), ..stamp });
            }
            Play::Asleep(told) => {
                let _ = told.send(stamp);
                tokio::time::sleep(SLEEP).await;
            }
            Play::Telling { every, until } if self.kind == article::RESEARCH => {
                // Tasks that begin together shall not report together.
                tokio::time::sleep(every.mul_f64(f64::from(task.as_bytes()[15]) / 256.0)).await;
                let mut tick = tokio::time::interval(*every);
                while !*until.borrow() {
                    tick.tick().await;
                    cx.report(&clock().to_string()).await;
                }
            }
            Play::Telling { .. } => {}
        }
        Ok(output(self.kind, task))
    }
}

/// The smallest output that is valid.
fn output(kind: StepKind, task: Uuid) -> Output {
    match kind {
        article::RESEARCH => pipelines::article::research(1, pipelines::article::Researched::default(), Vec::new()),
        article::OUTLINE => {
            let words = WordRange { min: 1, max: 1 };
            let section = SectionPlan { heading: None, points: Vec::new(), words, passages: Vec::new() };
            pipelines::article::outline(&Outline { title: "Bench".into(), sections: vec![section] })
        }
        article::DRAFT => pipelines::article::section(&SectionText::default()),
        article::SEO => pipelines::article::text(WrittenArticle {
            title: "Bench".into(),
            // Its own for each task: looking for a free slug among thousands is not what is measured.
            slug: task.simple().to_string(),
            markdown: String::new(),
            seo_title: String::new(),
            seo_description: String::new(),
            keywords: Vec::new(),
            word_count: 0,
            seo_report: serde_json::Value::Null,
            writer: "bench".into(),
            language: None,
            claims: Vec::new(),
            warnings: Vec::new(),
        }),
        article::IMAGE => pipelines::article::cover(None, Vec::new()),
        article::SYNC => pipelines::article::published(None),
        _ => Output::default(),
    }
}

/// An engine at work.
#[derive(Debug)]
pub struct Working {
    stop: CancellationToken,
    working: JoinHandle<()>,
}

impl Working {
    /// Starts an engine with the program's own settings. Nothing is swept meanwhile.
    pub fn start(parts: &Parts, play: &Play) -> Self {
        Self::start_with(parts, play, usize::MAX)
    }

    /// As [`Self::start`], with at most so many steps at once.
    pub fn start_with(parts: &Parts, play: &Play, concurrency: usize) -> Self {
        let steps = article::STEPS.iter().map(|kind| {
            let player = Player { kind: *kind, play: play.clone() };
            Arc::new(player) as Arc<dyn Step>
        });
        Self::run(parts, steps.collect(), EngineSettings { concurrency, ..EngineSettings::default() })
    }

    /// Starts an engine with these steps and no others.
    pub fn run(parts: &Parts, steps: Vec<Arc<dyn Step>>, settings: EngineSettings) -> Self {
        let (store, registry) = (parts.services.store().clone(), Arc::clone(parts.services.registry()));
        let engine = Engine::new(store, registry, parts.notifications.clone(), settings, steps);
        let stop = CancellationToken::new();
        Self { working: tokio::spawn(engine.run(stop.clone())), stop }
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        Ok(self.working.await?)
    }

    /// Drops the engine and what it runs.
    pub async fn abandon(self) {
        self.working.abort();
        // Aborted: its end says nothing.
        let _ = self.working.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_way_through_a_pipe() {
        let stamp = Stamp { task: Uuid::from_u128(7), kind: article::OUTLINE, began: 1, returned: 2 };
        assert_eq!(stamp.to_string().parse::<Stamp>().expect("a stamp"), stamp);
        assert!("7 outline 1".parse::<Stamp>().is_err());
        assert!("noise".parse::<Stamp>().is_err());
    }

    #[test]
    fn what_leads_to_the_next_steps_and_the_text_is_there() {
        let of = |kind| output(kind, Uuid::from_u128(1));
        assert_eq!(of(article::OUTLINE).follow.len(), 1, "one section, so that a task has six steps");
        assert!(of(article::SEO).brought.is_some(), "an article");
    }
}

//! Steps that do what a test tells them, to see what the engine makes of it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use galley_domain::{
    Fault,
    article::{DRAFT, IMAGE, OUTLINE, RESEARCH, SEO, STEPS, SYNC},
    task::StepKind,
    usage::Usage,
    writing::{Origin, Outline, SectionPlan, SectionText, WordRange},
};
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::{
    WrittenArticle,
    pipelines::{self, upkeep::SWEEP},
};
use galley_store::{ClaimedStep, NewSource};
use tokio::sync::watch;
use uuid::Uuid;

/// What one attempt does.
#[derive(Debug, Clone)]
pub enum Move {
    /// Succeeds with a small, valid output.
    Done,
    Fail(Fault),
    Snooze(Duration),
    Panic,
    /// Records usage, then waits until it is dropped.
    Hang(Vec<Usage>),
    /// Waits until [`Script::open`], then succeeds.
    Gate,
}

#[derive(Debug, Default)]
struct State {
    moves: BTreeMap<StepKind, VecDeque<Move>>,
    runs: Vec<(StepKind, i32, u32, Option<Uuid>)>,
    sections: usize,
}

/// What the scripted steps do next and what they did. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Script {
    state: Arc<Mutex<State>>,
    ran: watch::Sender<usize>,
    gate: watch::Sender<bool>,
}

impl Default for Script {
    fn default() -> Self {
        let state = State { sections: 2, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), ran: watch::Sender::new(0), gate: watch::Sender::new(false) }
    }
}

impl Script {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next attempts of a kind do, whichever task they belong to; then they succeed.
    pub fn next(&self, kind: StepKind, moves: impl IntoIterator<Item = Move>) {
        self.lock().moves.entry(kind).or_default().extend(moves);
    }

    /// How many sections an outline has.
    pub fn sections(&self, count: usize) {
        self.lock().sections = count;
    }

    /// Attempts that have begun: kind, position, attempt, task.
    pub fn runs(&self) -> Vec<(StepKind, i32, u32, Option<Uuid>)> {
        self.lock().runs.clone()
    }

    pub fn runs_of(&self, kind: StepKind) -> usize {
        self.runs().iter().filter(|run| run.0 == kind).count()
    }

    /// Waits until so many attempts of a kind have begun.
    pub async fn wait_for_runs(&self, kind: StepKind, count: usize) {
        let mut ran = self.ran.subscribe();
        let waiting = async {
            while self.runs_of(kind) < count {
                ran.changed().await.expect("the script lives");
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(90), waiting).await;
        assert!(came.is_ok(), "{kind} runs {count} times within 90 s, not {}", self.runs_of(kind));
    }

    /// Lets every attempt at a gate go on, now and later.
    pub fn open(&self) {
        self.gate.send_replace(true);
    }

    fn begin(&self, cx: &StepContext) -> Move {
        let mut state = self.lock();
        let step = &cx.step;
        state.runs.push((step.kind, step.position, step.attempt, step.task));
        let next = state.moves.get_mut(&step.kind).and_then(VecDeque::pop_front).unwrap_or(Move::Done);
        drop(state);
        self.ran.send_modify(|count| *count += 1);
        next
    }
}

struct Scripted {
    kind: StepKind,
    script: Script,
}

/// One scripted worker for each kind.
pub fn scripted_steps(script: &Script) -> Vec<Arc<dyn Step>> {
    STEPS
        .into_iter()
        .chain([SWEEP])
        .map(|kind| Arc::new(Scripted { kind, script: script.clone() }) as Arc<dyn Step>)
        .collect()
}

#[async_trait]
impl Step for Scripted {
    fn kind(&self) -> StepKind {
        self.kind
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        match self.script.begin(cx) {
            Move::Done => {}
            Move::Fail(fault) => return Err(fault.into()),
            Move::Snooze(wait) => return Err(StepError::Snooze(wait)),
            Move::Panic => panic!("the script says so"),
            Move::Hang(usage) => {
                usage.into_iter().for_each(|call| cx.meter.record(call));
                std::future::pending::<()>().await;
            }
            Move::Gate => {
                let mut gate = self.script.gate.subscribe();
                gate.wait_for(|open| *open).await.map_err(|_| StepError::Snooze(Duration::ZERO))?;
            }
        }
        let sections = self.script.lock().sections;
        Ok(output(&cx.step, sections))
    }
}

fn output(step: &ClaimedStep, sections: usize) -> Output {
    match step.kind {
        RESEARCH => {
            let researched = pipelines::article::Researched { sources: vec![source()], ..Default::default() };
            pipelines::article::research(step.run, researched, Vec::new())
        }
        OUTLINE => pipelines::article::outline(&Outline {
            title: "Scripted".into(),
            sections: (0..sections).map(section).collect(),
        }),
        DRAFT => {
            let text = format!("Section {} of the script.", step.position);
            pipelines::article::section(&SectionText { paragraphs: vec![text] })
        }
        SEO => pipelines::article::text(WrittenArticle {
            title: "Scripted".into(),
            slug: "scripted".into(),
            markdown: "# Scripted\n\nSection 0 of the script.".into(),
            seo_title: "Scripted".into(),
            seo_description: "A scripted article.".into(),
            keywords: Vec::new(),
            word_count: 5,
            seo_report: Default::default(),
            writer: "scripted".into(),
            language: None,
            claims: Vec::new(),
            warnings: Vec::new(),
        }),
        IMAGE => pipelines::article::cover(None, Vec::new()),
        SYNC => pipelines::article::published(None),
        _ => Output::default(),
    }
}

fn source() -> NewSource {
    NewSource {
        number: 1,
        origin: Origin::File { name: "scripted.txt".into() },
        title: "Scripted".into(),
        language: Some("en".into()),
        text: "The scripted source says one thing.".into(),
        sha256: "00".repeat(32),
        words: 6,
    }
}

fn section(number: usize) -> SectionPlan {
    SectionPlan {
        heading: Some(format!("Part {number}")),
        points: Vec::new(),
        words: WordRange { min: 10, max: 20 },
        passages: Vec::new(),
    }
}

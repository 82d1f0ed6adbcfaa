//! The life of a step between claim and end. Everything that an attempt brought, and everything that follows from it,
//! is written in one transaction that is fenced by the lease.

mod entry;
pub(crate) mod finish;
mod inputs;
mod known;
mod telling;

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use galley_domain::{
    Fault,
    task::StepKind,
    writing::{Claim, Outline, SectionText, Verdict},
};
use galley_store::{NewFile, NewSource};
use serde::Serialize;
use uuid::Uuid;

pub use entry::{Entry, NoRoom, Room, What, Written};
pub(crate) use inputs::snapshots;
pub use known::Known;

/// What a step brought. Persisted together with its end.
#[derive(Debug, Clone)]
pub enum StepOutput {
    Research {
        sources: Vec<NewSource>,
        warnings: Vec<String>,
    },
    Outline(Outline),
    Section(SectionText),
    Article(Box<WrittenArticle>),
    /// None when no card could be made; the warnings say why.
    Image {
        cover: Option<(NewFile, String)>,
        warnings: Vec<String>,
    },
    /// What was published where; None when no destination is configured.
    Sync {
        publication: Option<(Uuid, String)>,
        warnings: Vec<String>,
    },
    /// Maintenance leaves nothing behind.
    Swept,
}

impl StepOutput {
    /// The kind of step that brings this.
    pub fn kind(&self) -> StepKind {
        match self {
            Self::Research { .. } => StepKind::Research,
            Self::Outline(_) => StepKind::Outline,
            Self::Section(_) => StepKind::Draft,
            Self::Article(_) => StepKind::Seo,
            Self::Image { .. } => StepKind::Image,
            Self::Sync { .. } => StepKind::Sync,
            Self::Swept => StepKind::Sweep,
        }
    }

    /// Whether this stays in the step's own row: no article, file, source or publication is written with it.
    fn is_alone(&self) -> bool {
        match self {
            Self::Outline(_) | Self::Section(_) | Self::Swept => true,
            Self::Research { sources, .. } => sources.is_empty(),
            Self::Image { cover, .. } => cover.is_none(),
            Self::Sync { publication, .. } => publication.is_none(),
            Self::Article(_) => false,
        }
    }
}

/// The finished text with everything that is known about it.
#[derive(Debug, Clone)]
pub struct WrittenArticle {
    pub title: String,
    /// Not yet unique; the organization's other articles decide on a number behind it.
    pub slug: String,
    pub markdown: String,
    pub seo_title: String,
    pub seo_description: String,
    pub keywords: Vec<String>,
    pub word_count: u32,
    pub seo_report: serde_json::Value,
    pub writer: String,
    pub claims: Vec<ClaimedText>,
    pub warnings: Vec<String>,
}

/// A sentence with what it rests on, by the number of the source within the task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimedText {
    pub section: u32,
    pub sentence: String,
    pub verdict: Verdict,
    pub source: Option<u32>,
    pub span: Option<(usize, usize)>,
    pub coverage_permille: u16,
    pub missing: Vec<String>,
}

impl ClaimedText {
    pub fn new(section: u32, claim: Claim) -> Self {
        Self {
            section,
            sentence: claim.sentence,
            verdict: claim.verdict,
            source: claim.span.map(|span| span.source),
            span: claim.span.map(|span| (span.start, span.end)),
            coverage_permille: claim.coverage_permille,
            missing: claim.missing,
        }
    }
}

/// How an attempt ended, as the worker saw it.
#[derive(Debug, Clone)]
pub enum Outcome {
    Done(StepOutput),
    /// Nothing went wrong, but it is too early. Costs no attempt.
    Snooze(Duration),
    Failed(Fault),
}

/// What became of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    Done,
    Snoozed,
    Retried { wait: Duration },
    Failed,
}

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A peer that asks for more than this is not waited for as long as it likes.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The wait after failed attempt number `attempt` (from 1): exponential with full jitter, and never less than the peer
/// asked for. `random` is in 0.0..1.0.
pub(crate) fn backoff(attempt: u32, asked: Option<Duration>, random: f64) -> Duration {
    let ceiling = ExponentialBuilder::default()
        .with_min_delay(FIRST_WAIT)
        .with_max_delay(LONGEST_WAIT)
        .with_factor(2.0)
        .with_max_times(64)
        .build()
        .nth(attempt.saturating_sub(1) as usize)
        .unwrap_or(LONGEST_WAIT);
    let jitter = ceiling.mul_f64(random.clamp(0.0, 1.0));
    match asked {
        // Spread behind the moment that the peer named, so that its other clients do not all come back at once.
        Some(asked) => asked.min(LONGEST_RETRY_AFTER) + jitter.min(Duration::from_secs(1)),
        None => jitter,
    }
}

/// How many draft steps an outline asks for: one for each section.
pub(crate) fn fan_out(outline: &Outline) -> i32 {
    i32::try_from(outline.sections.len()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_are_jittered_and_end_at_five_minutes() {
        assert_eq!(backoff(1, None, 1.0), Duration::from_secs(1));
        assert_eq!(backoff(2, None, 1.0), Duration::from_secs(2));
        assert_eq!(backoff(4, None, 1.0), Duration::from_secs(8));
        assert_eq!(backoff(30, None, 1.0), LONGEST_WAIT);
        assert_eq!(backoff(500, None, 1.0), LONGEST_WAIT);
        assert_eq!(backoff(5, None, 0.0), Duration::ZERO, "full jitter");
        assert_eq!(backoff(3, None, 0.5), Duration::from_secs(2));
    }

    #[test]
    fn what_the_peer_asked_for_is_the_least() {
        let asked = Some(Duration::from_secs(20));
        assert_eq!(backoff(1, asked, 0.0), Duration::from_secs(20));
        assert_eq!(backoff(9, asked, 1.0), Duration::from_secs(21));
        assert_eq!(backoff(1, Some(Duration::from_secs(86_400)), 0.0), LONGEST_RETRY_AFTER);
    }
}

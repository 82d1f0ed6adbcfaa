//! What is ordered, what was read, what is planned and what was written: the nouns that the steps hand to each other,
//! and the one trait behind which every writer stands.

use std::{ops::Range, str::FromStr, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Fault, FaultCode},
    hidden::Hidden,
    usage::Meter,
};

/// An inclusive range of words, as ordered. `min <= max`, both within 100..=10_000 for an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordRange {
    pub min: u32,
    pub max: u32,
}

impl WordRange {
    /// The tolerance that the product promises on both ends.
    pub const TOLERANCE_PERCENT: u32 = 10;

    /// The ordered range, widened by the promised tolerance.
    pub fn with_tolerance(self) -> Self {
        Self {
            min: self.min - self.min * Self::TOLERANCE_PERCENT / 100,
            max: self.max + self.max * Self::TOLERANCE_PERCENT / 100,
        }
    }

    pub fn contains(self, words: u32) -> bool {
        (self.min..=self.max).contains(&words)
    }

    /// What to aim for: the middle.
    pub fn target(self) -> u32 {
        self.min.midpoint(self.max)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    #[default]
    Professional,
    Casual,
    Academic,
    Conversational,
}

impl Tone {
    pub const ALL: [Self; 4] = [Self::Professional, Self::Casual, Self::Academic, Self::Conversational];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Professional => "professional",
            Self::Casual => "casual",
            Self::Academic => "academic",
            Self::Conversational => "conversational",
        }
    }
}

/// What the client asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    pub prompt: String,
    pub keywords: Vec<String>,
    pub tone: Tone,
    /// ISO 639-1, e.g. `en`.
    pub language: String,
    pub words: WordRange,
    /// Further wishes, for writers that can be told something; may be empty.
    #[serde(default)]
    pub instructions: String,
}

impl Brief {
    /// Adds the wishes of a template: what it says, and the sections that it names.
    pub fn follow(&mut self, instructions: &str, sections: &[String]) {
        let listed = match sections {
            [] => String::new(),
            sections => format!("Sections, in this order: {}", sections.join("; ")),
        };
        let parts = [self.instructions.as_str(), instructions, &listed].map(str::trim);
        self.instructions = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
    }
}

/// Where a snapshot came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A link that the client gave.
    Link { url: String },
    /// A file that the client uploaded; `name` as it was called there.
    File { name: String },
    /// Found by a search provider.
    Search { url: String, query: String },
}

impl Origin {
    /// The name or address to show a reader.
    pub fn label(&self) -> &str {
        match self {
            Self::Link { url } | Self::Search { url, .. } => url,
            Self::File { name } => name,
        }
    }
}

/// What was read from one source, frozen. Spans point into `text` and stay valid for ever.
///
/// `text` is plain UTF-8 in a small, fixed subset of Markdown, so that structure survives: blocks are separated by
/// exactly one blank line; a heading is a line `# …` to `###### …`; a list item is a line `- …` (items of one list on
/// consecutive lines); a table is consecutive lines `| a | b |` whose first line is the header (a cell's own `|` is
/// written `\|`); everything else is a paragraph on ONE line. No other markup, no trailing spaces, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Counts from 1 within a task; the number in citations.
    pub number: u32,
    pub title: String,
    pub origin: Origin,
    /// ISO 639-1 of the text where it could be told.
    pub language: Option<String>,
    pub text: String,
}

/// A piece of one snapshot: byte offsets into its `text`, on character boundaries, `start < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// [`Snapshot::number`].
    pub source: u32,
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The text that the span points at, if the snapshot is the right one and has it.
    pub fn text_in(self, sources: &[Snapshot]) -> Option<&str> {
        sources.iter().find(|s| s.number == self.source)?.text.get(self.range())
    }
}

/// One section as planned: what it is about, how long, and which passages it may use. Passages of different sections
/// of one outline do not overlap, so that nothing is told twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionPlan {
    /// `None` for the opening section, which stands directly below the title.
    pub heading: Option<String>,
    /// What to say, a line each; may be empty.
    #[serde(default)]
    pub points: Vec<String>,
    /// The budget in words.
    pub words: WordRange,
    /// In the order of use.
    #[serde(default)]
    pub passages: Vec<Span>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    pub title: String,
    pub sections: Vec<SectionPlan>,
}

/// A section as written: paragraphs of plain prose without citations and without its heading. List items are
/// paragraphs that start with `- `.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionText {
    pub paragraphs: Vec<String>,
}

/// What a writer proposes for search engines; the SEO step checks and corrects it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeoProposal {
    pub title: String,
    pub description: String,
    pub keywords: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A span says the same: each clause, with every number, date and name of the sentence in it.
    Supported,
    /// A span says most of it and denies nothing; the words in `missing` stand nowhere in it, or it says more narrowly
    /// what the sentence says without limits.
    Partly,
    /// No span does.
    Unsupported,
    /// The sentence states nothing that could be true or false: a question, a request, a transition.
    NoClaim,
}

impl Verdict {
    pub const ALL: [Self; 4] = [Self::Supported, Self::Partly, Self::Unsupported, Self::NoClaim];

    /// As it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Partly => "partly",
            Self::Unsupported => "unsupported",
            Self::NoClaim => "no_claim",
        }
    }

    /// How many of the sentences that claim something are marked as falling short, in percent.
    pub fn marked_percent(verdicts: impl IntoIterator<Item = Self>) -> u32 {
        let claims = verdicts.into_iter().filter(|verdict| *verdict != Self::NoClaim);
        let (all, marked) =
            claims.fold((0_u32, 0_u32), |(all, marked), one| (all + 1, marked + u32::from(one.falls_short())));
        (marked * 100 + all / 2).checked_div(all).unwrap_or(0)
    }

    /// Whether the sentence claims something that its source does not bear out as a whole.
    pub fn falls_short(self) -> bool {
        matches!(self, Self::Partly | Self::Unsupported)
    }
}

impl FromStr for Verdict {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text).ok_or_else(|| format!("verdict '{text}'"))
    }
}

/// One sentence of an article, tied to what supports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub sentence: String,
    pub verdict: Verdict,
    /// The supporting span; for an unsupported sentence the nearest one, if any came close.
    pub span: Option<Span>,
    /// 0.0..=1.0: how much of the sentence's content the span covers, in thousandths to stay comparable.
    pub coverage_permille: u16,
    /// What of the sentence the span does not have: numbers, dates, names, words; and what the span has against it.
    pub missing: Vec<String>,
}

/// Why no article may print what a model answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unusable {
    /// Nothing but reasoning, marks or remarks about the task.
    Empty,
    /// It declines, or the model speaks of itself.
    Refusal,
    /// It is not in the language of the order.
    OtherLanguage,
    /// It repeats what it was told to do.
    Prompt,
    /// The same syllables, words or groups of words again and again.
    Repetition,
    /// A task is replayed, and nothing was kept that answers this question.
    NotKept,
}

impl Unusable {
    /// For whoever is told: a model is asked again, what was kept is not.
    pub fn also_again(self) -> &'static str {
        if self == Self::NotKept { "" } else { ", also when it was asked once more" }
    }
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "wrote no usable text",
            Self::Refusal => "declined to write",
            Self::OtherLanguage => "wrote in another language than ordered",
            Self::Prompt => "repeated its instructions",
            Self::Repetition => "repeated the same words over and over",
            Self::NotKept => "gave no answer to this question that was kept",
        })
    }
}

/// An answer that no article may print, from a model that was asked once more and told why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "The model {model} {reason}{}. Order again, reword the order, or let the operator choose another model.",
    .reason.also_again()
)]
pub struct UnusableAnswer {
    pub model: String,
    pub reason: Unusable,
}

/// Why a writer brought nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// Another writer may do it in its place.
    #[error(transparent)]
    Unusable(#[from] UnusableAnswer),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Unusable(answer) => Self::permanent(FaultCode::LlmError, answer.to_string()),
            WriteError::Fault(fault) => fault,
        }
    }
}

/// A sentence of a writer that no source bears out as a whole, with what may help to write it anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    pub sentence: String,
    /// What of it no passage has.
    pub missing: Vec<String>,
    /// Passages that come near, nearest first.
    pub passages: Vec<Span>,
}

/// A writer whose calls are paid for by whoever holds the key.
pub trait Keyed: Send + Sync {
    /// The same writer with the key of an organization. Cheap: once for every step.
    ///
    /// # Errors
    /// A permanent fault when the key cannot be one.
    fn with_key(&self, key: Hidden) -> Result<Arc<dyn Writer>, Fault>;
}

/// A writer: it plans and writes from what was read. It never supplies citations; the pipeline attaches and checks them.
///
/// Dropping a returned future drops the call in flight. Every call to a paid service is recorded in the meter, also
/// when it fails or is dropped.
#[async_trait]
pub trait Writer: Send + Sync + std::fmt::Debug {
    /// `extractive` or the name of the provider, for output and logs.
    fn name(&self) -> &str;

    /// Where the writer calls a service with a key, the way to call it with another one.
    fn keyed(&self) -> Option<&dyn Keyed> {
        None
    }

    /// Plans the article. `sources` is not empty and ranked best first. The writer may leave `passages` empty; the
    /// pipeline then assigns them.
    async fn outline(&self, brief: &Brief, sources: &[Snapshot], meter: &Meter) -> Result<Outline, WriteError>;

    /// Writes section `index` of `outline`.
    async fn section(
        &self,
        brief: &Brief,
        outline: &Outline,
        index: usize,
        sources: &[Snapshot],
        meter: &Meter,
    ) -> Result<SectionText, WriteError>;

    /// Whether the writer can write sentences anew; one that only quotes has nothing to correct.
    fn corrects(&self) -> bool {
        false
    }

    /// Writes sentences of its own anew, so that the passages bear them out: one text for each objection, or none where
    /// the passages say nothing of the kind. Asked at most once for a section.
    async fn correct(
        &self,
        _brief: &Brief,
        objections: &[Objection],
        _sources: &[Snapshot],
        _meter: &Meter,
    ) -> Result<Vec<Option<String>>, WriteError> {
        Ok(vec![None; objections.len()])
    }

    /// Proposes title, description and keywords for the finished text (Markdown without citations).
    async fn seo(&self, brief: &Brief, title: &str, markdown: &str, meter: &Meter) -> Result<SeoProposal, WriteError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_marked_sentences_leaves_out_what_claims_nothing() {
        use Verdict::{NoClaim, Partly, Supported, Unsupported};
        assert_eq!(Verdict::marked_percent([]), 0);
        assert_eq!(Verdict::marked_percent([NoClaim]), 0);
        assert_eq!(Verdict::marked_percent([Supported, Supported, Partly, NoClaim]), 33);
        assert_eq!(Verdict::marked_percent([Unsupported, Partly]), 100);
    }
}

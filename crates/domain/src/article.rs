//! Articles: their states and how those look to the clients of both article documents.

use crate::{effect::EffectKind, publishing::PostStatus, task::StepKind, text_enum, writing::WordRange};

/// The kind of task that makes an article.
pub const TASK: &str = "article";

pub const RESEARCH: StepKind = StepKind::new("research");
pub const OUTLINE: StepKind = StepKind::new("outline");
/// One section each; `drafting` on the wire.
pub const DRAFT: StepKind = StepKind::new("draft");
pub const SEO: StepKind = StepKind::new("seo");
pub const IMAGE: StepKind = StepKind::new("image");
/// Publishing to destinations; `sync` is this product's word for it.
pub const SYNC: StepKind = StepKind::new("sync");
/// The steps of an article, in order.
pub const STEPS: [StepKind; 6] = [RESEARCH, OUTLINE, DRAFT, SEO, IMAGE, SYNC];

/// A version of an article, put to a destination.
pub const PUBLICATION: EffectKind = EffectKind::new("publication");

text_enum! {
    /// All states of what is written. Each document sees a projection of them.
    ArticleStatus {
        /// Ordered without what it is to be written from.
        AwaitingInput = "awaiting_input",
        Generating = "generating",
        Draft = "draft",
        Review = "review",
        Approved = "approved",
        Scheduled = "scheduled",
        Published = "published",
        Archived = "archived",
        Failed = "failed",
    }
}

text_enum! {
    /// The states that the Articles API knows.
    ListedStatus {
        Generating = "generating",
        Draft = "draft",
        Scheduled = "scheduled",
        Published = "published",
        Archived = "archived",
        Failed = "failed",
    }
}

impl ArticleStatus {
    /// The three states that the content generation API knows.
    pub fn publication(self) -> PublicationStatus {
        match self {
            Self::Published => PublicationStatus::Published,
            Self::Archived => PublicationStatus::Archived,
            _ => PublicationStatus::Draft,
        }
    }

    pub fn listed(self) -> ListedStatus {
        match self {
            Self::Generating => ListedStatus::Generating,
            Self::AwaitingInput | Self::Draft | Self::Review | Self::Approved => ListedStatus::Draft,
            Self::Scheduled => ListedStatus::Scheduled,
            Self::Published => ListedStatus::Published,
            Self::Archived => ListedStatus::Archived,
            Self::Failed => ListedStatus::Failed,
        }
    }

    /// The states of a blog post.
    pub fn of_post(self) -> PostStatus {
        match self {
            Self::Generating => PostStatus::Generating,
            Self::AwaitingInput | Self::Draft | Self::Review | Self::Archived => PostStatus::Draft,
            Self::Approved => PostStatus::Ready,
            Self::Scheduled => PostStatus::Scheduled,
            Self::Published => PostStatus::Published,
            Self::Failed => PostStatus::Failed,
        }
    }
}

text_enum! {
    PublicationStatus { Draft = "draft", Published = "published", Archived = "archived" }
}

impl From<PublicationStatus> for ArticleStatus {
    fn from(status: PublicationStatus) -> Self {
        match status {
            PublicationStatus::Draft => Self::Draft,
            PublicationStatus::Published => Self::Published,
            PublicationStatus::Archived => Self::Archived,
        }
    }
}

text_enum! {
    /// Which form of the text the client that ordered the article means by `content`.
    ContentFormat { Markdown = "markdown", Html = "html" }
}

text_enum! {
    /// The lengths that can be ordered by name.
    Length { Short = "short", Medium = "medium", Long = "long" }
}

impl Length {
    /// About 800, 1,500 and 2,500 words.
    pub fn words(self) -> WordRange {
        match self {
            Self::Short => WordRange { min: 700, max: 900 },
            Self::Medium => WordRange { min: 1350, max: 1650 },
            Self::Long => WordRange { min: 2250, max: 2750 },
        }
    }
}

//! Publishing: where articles go, and how far they have come there.

use crate::{effect::EffectKind, task::StepKind, text_enum};

/// The kind of task that puts an article to a blog.
pub const TASK: &str = "publication";
/// Its only step.
pub const PUBLISH: StepKind = StepKind::new("publish");
/// Lets the folder of a static site follow what becomes of an article.
pub const FOLLOW: StepKind = StepKind::new("folder_follow");
/// Finds out what became of a call whose publication was given up.
pub const SETTLE: StepKind = StepKind::new("publication_settle");
/// Looks whether a site has published what it held until its hour.
pub const RECONCILE: StepKind = StepKind::new("publication_reconcile");
/// An article as it is put to a blog, under the id of the publication.
pub const POST: EffectKind = EffectKind::new("post");

/// The kind of task that takes an article back from where it stands.
pub const RETRACTION_TASK: &str = "retraction";
/// Its only step.
pub const RETRACT: StepKind = StepKind::new("retract");
/// A copy of an article that is taken back, under the id of the task and that of the connection.
pub const RETRACTED: EffectKind = EffectKind::new("retraction");

text_enum! {
    /// What becomes of the copies of an article that is taken back.
    Retraction { Draft = "draft", Trash = "trash" }
}

/// The most characters of the name of a category or tag, with the names above it.
pub const MAX_TERM_CHARS: usize = 200;

/// Whether a category such as `A > B` has no name on one side of a `>`. No site takes it.
pub fn has_nameless_part(category: &str) -> bool {
    category.split('>').any(|part| part.trim().is_empty())
}

text_enum! {
    /// As what an article stands in a blog.
    Visibility {
        Publish = "publish",
        Draft = "draft",
        Pending = "pending",
        /// Its site publishes it at its hour.
        Future = "future",
    }
}

text_enum! {
    /// Who lets a post go out at its hour.
    #[derive(Default)]
    Holder {
        /// We send it then.
        #[default]
        Galley = "galley",
        /// It is sent at once, and its site publishes it then.
        Site = "site",
    }
}

text_enum! {
    /// How the content of a post is written for a blog.
    PostForm {
        /// Blocks where the site has its block editor, HTML elsewhere.
        Auto = "auto",
        Blocks = "blocks",
        Html = "html",
    }
}

text_enum! {
    /// What becomes of what was placed at a site whose connection gets another address.
    Placements {
        /// It is the same site elsewhere: its posts have the ids that are known here.
        Keep = "keep",
        /// It is another site, which knows none of them.
        Forget = "forget",
    }
}

text_enum! {
    PublicationState {
        /// Waits for its hour, or for a worker.
        Pending = "pending",
        Publishing = "publishing",
        Published = "published",
        Failed = "failed",
        /// Was published and is taken away again.
        Retracted = "retracted",
    }
}

impl PublicationState {
    /// Whether it may still be sent.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Publishing)
    }
}

text_enum! {
    /// What the publications of one call come to.
    DeploymentStatus {
        Pending = "pending",
        Deploying = "deploying",
        Completed = "completed",
        /// None of them went out.
        Failed = "failed",
        /// All of them were taken back.
        RolledBack = "rolled_back",
    }
}

text_enum! {
    /// What is brought into line by a sync, and where.
    SyncDirection {
        Both = "both",
        /// What is approved here, or was changed since it was published, goes to the site.
        ToExternal = "to_external",
        /// What the site has comes here.
        FromExternal = "from_external",
        /// Only state, address and terms come here.
        Metadata = "metadata",
    }
}

impl SyncDirection {
    pub fn reads(self) -> bool {
        self != Self::ToExternal
    }

    pub fn writes(self) -> bool {
        matches!(self, Self::Both | Self::ToExternal)
    }

    pub fn brings_texts(self) -> bool {
        matches!(self, Self::Both | Self::FromExternal)
    }
}

text_enum! {
    #[derive(Default)]
    SyncStatus {
        #[default]
        Idle = "idle",
        Syncing = "syncing",
        Error = "error",
    }
}

text_enum! {
    /// What a blog post is about.
    #[derive(Default)]
    PostType {
        #[default]
        General = "general",
        Product = "product",
    }
}

text_enum! {
    /// The states of a blog post.
    PostStatus {
        Generating = "generating",
        Draft = "draft",
        Ready = "ready",
        Scheduled = "scheduled",
        Published = "published",
        Failed = "failed",
    }
}

/// The kind of task that brings a site and the texts of its project into line, and its steps.
pub mod site_sync {
    use crate::task::StepKind;

    pub const TASK: &str = "site_sync";
    /// Finds out how much there is.
    pub const PLAN: StepKind = StepKind::new("site_sync_plan");
    /// Reads a page of what stands at the site.
    pub const PULL: StepKind = StepKind::new("site_sync_pull");
    /// Orders publications of some texts.
    pub const PUSH: StepKind = StepKind::new("site_sync_push");
}

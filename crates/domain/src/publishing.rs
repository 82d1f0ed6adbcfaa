//! Publishing: where articles go, and how far they have come there.

use crate::{effect::EffectKind, task::StepKind, text_enum};

/// The kind of task that puts an article to a blog.
pub const TASK: &str = "publication";
/// Its only step.
pub const PUBLISH: StepKind = StepKind::new("publish");
/// Lets the folder of a static site follow what becomes of an article.
pub const FOLLOW: StepKind = StepKind::new("folder_follow");
/// An article as it is put to a blog, under the id of the publication.
pub const POST: EffectKind = EffectKind::new("post");

text_enum! {
    /// As what an article stands in a blog.
    Visibility { Publish = "publish", Draft = "draft", Pending = "pending" }
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
    SyncStatus { Idle = "idle", Syncing = "syncing", Error = "error" }
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

//! An article as it stands at its destination.

use chrono::{DateTime, Utc};
use galley_domain::text_enum;
use serde::{Deserialize, Serialize};

text_enum! {
    /// What a destination shows of an article, and to whom.
    RemoteStatus {
        Published = "published",
        Draft = "draft",
        /// Waits for somebody there to approve it.
        Pending = "pending",
        /// Published by the destination itself once its time has come.
        Future = "future",
        /// Published, and shown to those who work there only.
        Private = "private",
        /// Taken away, and can be brought back there.
        Trashed = "trashed",
        /// A word that an extension of the destination brought.
        Other = "other",
    }
}

impl RemoteStatus {
    /// It is published, if only to those who work there.
    pub fn is_shown(self) -> bool {
        matches!(self, Self::Published | Self::Private)
    }
}

text_enum! {
    /// What became of the title, description and keyphrase for search engines.
    SeoOutcome {
        /// Read back after they were written.
        Written = "written",
        /// The destination took them without an error and does not have them.
        Ignored = "ignored",
        /// The destination has no place for them.
        NotSupported = "not_supported",
        /// They could not be read back.
        Unknown = "unknown",
    }
}

text_enum! {
    /// How an article is taken away.
    Removal {
        /// Where the destination has one; elsewhere it is deleted.
        Trash = "trash",
        /// For good.
        Delete = "delete",
    }
}

/// What our own records say of an article at a destination. It helps to find the article when somebody there has taken
/// our marks out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// As in [`Published::external_id`].
    pub external_id: String,
    pub url: String,
    pub slug: String,
    /// The mark of another article that stood in the text when it was found there. The text is this article's all the same.
    pub mark: Option<uuid::Uuid>,
    /// As in [`Published::fields`], if they were kept.
    pub fields: Option<RemoteFields>,
    /// As in [`Published::version`], of the last answer that arrived; 0 where that is not known. What stands there in this
    /// version is whole, SEO fields and all, or people have changed it since.
    #[serde(default)]
    pub version: u32,
}

/// Where the article stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What the destination calls the article: the same for each version of it, and different for two articles.
    pub external_id: String,
    /// Where readers find it; of a folder the end of the address that a generator gives it by default.
    pub url: String,
    /// As it stands there. It may differ from the wanted one, which somebody else may have.
    pub slug: String,
    pub status: RemoteStatus,
    pub version: u32,
    /// This very version with these very fields was there before; nothing was written.
    pub already_there: bool,
    pub seo_meta: SeoOutcome,
    /// As the destination has stored them: what [`crate::differences`] later compares with.
    pub fields: RemoteFields,
    /// Sentences for whoever published: what is there, and differs from what was wanted.
    pub warnings: Vec<String>,
}

/// What is there of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    /// As in [`Published::external_id`].
    pub external_id: String,
    pub url: String,
    pub slug: String,
    /// 0 where somebody edited it away.
    pub version: u32,
    pub status: RemoteStatus,
}

/// What can be changed at a destination by others, raw: texts are as they are stored there, not as they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteFields {
    pub title: String,
    /// In the destination's own form: HTML, blocks, Markdown. Without our marks.
    pub content: String,
    pub excerpt: String,
    pub slug: String,
    pub status: RemoteStatus,
    /// By name; `A > B` is B below A.
    pub categories: Vec<String>,
    pub tags: Vec<String>,
    pub featured: Option<Picture>,
    /// When it was or will be published; `None` for a draft without a date.
    pub date: Option<DateTime<Utc>>,
}

text_enum! {
    /// What publishing would do.
    PreviewAction {
        Create = "create",
        Update = "update",
        /// This version with these fields is there.
        None = "none",
    }
}

/// What publishing would do, field by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub action: PreviewAction,
    /// What would be written over.
    pub target: Option<Existing>,
    /// As they would stand there.
    pub local: RemoteFields,
    /// As they stand there now.
    pub remote: Option<RemoteFields>,
    /// As [`Published::warnings`], as far as they can be told beforehand.
    pub warnings: Vec<String>,
}

/// A picture at a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// What the destination calls it.
    pub id: String,
    pub url: String,
    pub alt: String,
}

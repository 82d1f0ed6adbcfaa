//! What a destination can do for whoever is logged in there.

use galley_domain::text_enum;
use serde::{Deserialize, Serialize};

text_enum! {
    /// What a probe looks at.
    CapabilityId {
        /// The destination speaks the interface that we know.
        RestRoot = "rest_root",
        /// The login is accepted.
        Identity = "identity",
        /// The login arrives: some servers take the header away.
        AuthorizationHeader = "authorization_header",
        Upload = "upload",
        Terms = "terms",
        Publish = "publish",
        SeoMeta = "seo_meta",
        Blocks = "blocks",
        Timezone = "timezone",
        /// The destination publishes at a time by itself.
        Cron = "cron",
        Clock = "clock",
        Redirects = "redirects",
    }
}

text_enum! {
    CapabilityStatus {
        Ok = "ok",
        /// It works, and something about it should be known.
        Warning = "warning",
        Failed = "failed",
        Unknown = "unknown",
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    pub id: CapabilityId,
    pub status: CapabilityStatus,
    /// What was seen, in a sentence. Without secrets.
    pub evidence: String,
    /// What to do about it, in a sentence; empty where nothing has to be done.
    pub help: String,
}

/// What came of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Articles can be published.
    pub success: bool,
    /// One sentence: that it works, or the first thing that does not and the way out.
    pub message: String,
    pub site_name: Option<String>,
    /// Of the software there.
    pub version: Option<String>,
    /// Of whoever is logged in.
    pub role: Option<String>,
    pub capabilities: Vec<Capability>,
}

text_enum! {
    /// What articles are sorted by.
    TermKind {
        Category = "category",
        Tag = "tag",
    }
}

/// A category or a tag of a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    pub id: u64,
    pub name: String,
    pub slug: String,
    /// Articles that have it.
    pub count: u64,
    /// 0 at the top.
    pub parent: u64,
}

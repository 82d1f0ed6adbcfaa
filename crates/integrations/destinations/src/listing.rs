//! What a destination has besides the articles that we sent: for bringing texts from it, and for showing what is there.

use galley_domain::text_enum;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::remote::RemoteFields;

text_enum! {
    /// Things of one kind at a destination.
    Collection {
        Posts = "posts",
        Pages = "pages",
        Products = "products",
        Categories = "categories",
        Tags = "tags",
        Media = "media",
    }
}

/// A text that stands at a destination, whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteItem {
    /// As in [`crate::Published::external_id`].
    pub external_id: String,
    pub url: String,
    /// The article that it is, if it bears our mark.
    pub article: Option<Uuid>,
    /// Shown to those who know a password only. With [`crate::RemoteStatus::Private`] it is what the public may not see.
    pub is_protected: bool,
    pub fields: RemoteFields,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemotePage {
    pub items: Vec<RemoteItem>,
    /// All pages that there are.
    pub pages: u32,
    /// All items that there are.
    pub total: u64,
}

/// A kind of text, or a way to sort texts, that a destination has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    /// Its own name of it, such as `post`.
    pub name: String,
    /// For people.
    pub label: String,
    /// How many there are, if it says so.
    pub count: Option<u64>,
}

/// What a destination is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    pub post_types: Vec<Kind>,
    pub taxonomies: Vec<Kind>,
}

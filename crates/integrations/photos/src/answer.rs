//! What Pexels answers, as far as it is handed on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A page of photos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPhotos {
    #[serde(default)]
    pub total_results: u64,
    pub page: u32,
    pub per_page: u32,
    pub photos: Vec<Photo>,
}

/// A photo, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    pub id: u64,
    pub width: u32,
    pub height: u32,
    /// Its page at the provider.
    pub url: String,
    #[serde(default)]
    pub photographer: String,
    #[serde(default)]
    pub photographer_url: String,
    /// `#978E82`.
    #[serde(default)]
    pub avg_color: Option<String>,
    #[serde(default)]
    pub alt: Option<String>,
    /// Name of a size to the address of the picture.
    #[serde(default)]
    pub src: BTreeMap<String, String>,
}

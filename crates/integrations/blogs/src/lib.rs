//! Where finished articles go: the folder destination, a folder of Markdown with front matter that static site
//! generators (Hugo, Jekyll, Astro, Eleventy) build a site from.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there"))]

mod folder;
mod front_matter;
mod io_fault;
mod post;

pub use folder::{Existing, FolderDestination, Published};
pub use front_matter::{FrontMatterStyle, Stamp, document, stamp};
pub use post::{Asset, AssetRole, FolderPost};

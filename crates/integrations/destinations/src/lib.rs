//! Where finished articles go: the trait that all destinations have, and the first of them, a folder of Markdown with front matter that static site
//! generators (Hugo, Jekyll, Astro, Eleventy) build a site from.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there"))]

mod destination;
mod folder;
mod front_matter;
mod io_fault;
mod post;

pub use destination::{Destination, FolderDestination};
pub use folder::{Existing, Published};
pub use front_matter::{FrontMatterStyle, Stamp, document, stamp};
pub use post::{Asset, AssetRole, Post};

//! Where finished articles go: the trait that all destinations have, a folder of Markdown with front matter that static
//! site generators (Hugo, Jekyll, Astro, Eleventy) build a site from, and WordPress.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there"))]

mod destination;
mod differences;
mod folder;
mod front_matter;
mod io_fault;
mod listing;
mod markup;
mod post;
mod probe;
mod remote;
mod wordpress;

pub use destination::Destination;
pub use differences::{FieldDifference, differences};
pub use folder::FolderDestination;
pub use front_matter::{FrontMatterStyle, Stamp, document, stamp};
pub use listing::{Collection, Kind, RemoteItem, RemotePage, Structure};
pub use post::{Asset, AssetRole, Post, SeoMeta, Visibility};
pub use probe::{Capability, CapabilityId, CapabilityStatus, Probe, Term, TermKind};
pub use remote::{
    Existing, Known, Picture, Preview, PreviewAction, Published, RemoteFields, RemoteStatus, Removal, SeoOutcome,
};
pub use wordpress::{ContentForm, WordPress, WordPressSettings, wordpress_clients, wordpress_clients_with};

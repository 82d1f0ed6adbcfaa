//! Every destination passes the same suite.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

use std::sync::Arc;

use galley_destinations::{FolderDestination, FrontMatterStyle};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_folder_does_what_every_destination_does() {
    let dir = tempfile::tempdir().unwrap();
    let styles = [
        ("hugo", FrontMatterStyle::Hugo),
        ("jekyll", FrontMatterStyle::Jekyll),
        ("astro", FrontMatterStyle::AstroEleventy),
    ];
    for (name, style) in styles {
        let root = dir.path().join(name);
        galley_testkit::conformance::destination(Arc::new(FolderDestination::new(root.clone(), style))).await;
        let left = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name());
        let articles: Vec<_> = left.filter(|name| !name.to_string_lossy().starts_with('.')).collect();
        assert_eq!(articles.len(), 2, "the namesake and the one that eight published: {articles:?}");
    }
}

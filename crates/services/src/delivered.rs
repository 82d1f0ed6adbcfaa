//! What of an article may be read: nothing of a text whose order has never come to its end. Such a text may be
//! unfinished, and its credits went back. It stays where it is for the run that goes on from there.

use galley_domain::article::ArticleStatus;
use galley_store::rows;

/// Whether an order of the article has come to its end once.
pub(crate) fn is_delivered(status: &str) -> bool {
    [ArticleStatus::Generating, ArticleStatus::Failed].iter().all(|open| open.as_str() != status)
}

/// The article as it may be read.
pub(crate) fn article(row: rows::Article) -> rows::Article {
    if is_delivered(&row.status) {
        return row;
    }
    rows::Article {
        content_markdown: String::new(),
        seo_title: String::new(),
        seo_description: String::new(),
        word_count: 0,
        seo_report: None,
        cover_file_id: None,
        cover_alt: None,
        version: 0,
        ..row
    }
}

/// The same, of an article in a list.
pub(crate) fn head(row: rows::ArticleHead) -> rows::ArticleHead {
    if is_delivered(&row.status) {
        return row;
    }
    rows::ArticleHead {
        seo_title: String::new(),
        seo_description: String::new(),
        word_count: 0,
        cover_file_id: None,
        cover_alt: None,
        version: 0,
        ..row
    }
}

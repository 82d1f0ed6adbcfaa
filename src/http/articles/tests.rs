use galley_domain::article::PublicationStatus;
use serde_json::json;

use super::*;
use crate::http::kit::{body::testing::read, query::testing::read as query};

fn filter(pairs: &[(&str, &str)]) -> Option<ArticleFilter> {
    query::<ArticleQuery>(pairs).expect("right").filter()
}

#[test]
fn without_parameters_the_newest_twenty_are_wanted() {
    let filter = filter(&[]).expect("something");
    assert!(filter.statuses.is_empty() && filter.descending);
    assert_eq!((filter.limit, filter.offset, filter.sort), (20, 0, ArticleSort::CreatedAt));
}

#[test]
fn the_two_status_filters_narrow_each_other() {
    let statuses = |pairs| filter(pairs).map(|filter| filter.statuses);
    assert_eq!(statuses(&[("status", "scheduled")]), Some(vec![ArticleStatus::Scheduled]));
    let drafts = vec![
        ArticleStatus::AwaitingInput,
        ArticleStatus::Generating,
        ArticleStatus::Draft,
        ArticleStatus::Review,
        ArticleStatus::Approved,
        ArticleStatus::Scheduled,
        ArticleStatus::Failed,
    ];
    assert_eq!(statuses(&[("publication_status", "draft")]), Some(drafts));
    let both = [("status", "failed"), ("publication_status", "draft")];
    assert_eq!(statuses(&both), Some(vec![ArticleStatus::Failed]));
    let shown_as_draft =
        vec![ArticleStatus::AwaitingInput, ArticleStatus::Draft, ArticleStatus::Review, ArticleStatus::Approved];
    assert_eq!(statuses(&[("status", "draft")]), Some(shown_as_draft));
    let neither = [("status", "failed"), ("publication_status", "published")];
    assert_eq!(statuses(&neither), None);
}

#[test]
fn every_wrong_parameter_is_named() {
    let names = ["page", "limit", "page_size", "status", "publication_status", "project_id", "sort", "order"];
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (*name, "wrong")).collect();
    let wrong = |pairs: &[(&str, &str)]| -> Vec<String> {
        let errors = query::<ArticleQuery>(pairs).expect_err("wrong");
        errors.iter().filter_map(|error| error.split(' ').next()).map(str::to_owned).collect()
    };
    assert_eq!(wrong(&pairs), names);
    assert_eq!(wrong(&[("search", &"x".repeat(201))]), ["search"]);
    assert_eq!(wrong(&[("page", "1000001")]), ["page"]);
}

#[test]
fn an_edit_keeps_what_is_left_out() {
    let edit = |body| ArticleEdit::from(read::<UpdateArticle>(body).expect("right"));
    let published = edit(json!({ "title": "New", "publication_status": "published" }));
    assert_eq!(published.title.as_deref(), Some("New"));
    assert_eq!(published.publication_status, Some(PublicationStatus::Published));
    assert!(published.content.is_none() && published.keywords.is_none());
    let described = edit(json!({ "meta_description": "Of tea" }));
    assert_eq!(described.seo_description.as_deref(), Some("Of tea"));
}

#[test]
fn a_wrong_edit_is_told_everything() {
    let errors = read::<UpdateArticle>(json!({
        "title": null, "content": "<h2>Tea</h2>", "keywords": [1], "publication_status": "scheduled", "slug": "A",
    }))
    .expect_err("wrong");
    assert_eq!(
        errors,
        [
            "title must not be null; leave it out to keep it as it is",
            "content is HTML; send Markdown, as content_markdown of the article shows it",
            "slug must have 1 to 80 lower-case letters a-z, digits and single hyphens",
            "keywords[0] must be a text, but is a number",
            "publication_status 'scheduled' is not one of draft, published, archived",
        ]
    );
    assert_eq!(
        read::<UpdateArticle>(json!({ "seo_description": "a", "meta_description": "b" })).expect_err("differ"),
        ["meta_description is another name for seo_description and differs from it; give one"]
    );
    assert_eq!(
        read::<UpdateArticle>(json!({})).expect_err("empty"),
        ["body changes nothing; give at least one field to change"]
    );
    assert_eq!(read::<UpdateArticle>(json!({ "title": 1 })).expect_err("wrong").len(), 1);
}

#[test]
fn html_is_told_from_markdown() {
    for html in ["<h2>Tea</h2>", "  <p class=\"x\">", "<!DOCTYPE html>", "<UL>", "<p>"] {
        assert!(looks_like_html(html), "{html}");
    }
    for markdown in ["# Tea", "<https://example.org>", "a < b", "<tea@example.org>", "", "<", "< p", "<pear>", "<ä>"] {
        assert!(!looks_like_html(markdown), "{markdown}");
    }
}

use galley_domain::article::PublicationStatus;
use poem_openapi::types::ParseFromParameter;
use serde_json::json;

use super::*;
use crate::http::kit::body::testing::{read, reader_and_description_agree};

/// Reads a query string as the list operation does.
fn query(pairs: &[(&str, &str)]) -> Result<Wanted, Vec<String>> {
    fn given<T: QueryValue>(pairs: &[(&str, &str)], name: &str) -> Given<T> {
        let values = pairs.iter().filter(|(key, _)| *key == name).map(|(_, value)| *value);
        Given::parse_from_parameters(values).unwrap_or_else(|error| panic!("{}", error.message()))
    }
    let query = ListQuery {
        page: given(pairs, "page"),
        limit: given(pairs, "limit"),
        page_size: given(pairs, "page_size"),
        status: given(pairs, "status"),
        publication_status: given(pairs, "publication_status"),
        project_id: given(pairs, "project_id"),
        search: given(pairs, "search"),
        sort: given(pairs, "sort"),
        order: given(pairs, "order"),
    };
    query.read().map_err(|problem| problem.errors.into_iter().map(|error| error.field).collect())
}

#[test]
fn without_parameters_the_newest_twenty_are_wanted() {
    let wanted = query(&[]).expect("right");
    let filter = wanted.filter;
    assert!(filter.statuses.is_empty() && filter.descending && !wanted.nothing);
    assert_eq!((filter.limit, filter.offset, filter.sort), (20, 0, ArticleSort::CreatedAt));
}

#[test]
fn both_documents_words_for_the_size_of_a_page_are_taken() {
    let size = |pairs| query(pairs).map(|wanted| (wanted.filter.limit, wanted.filter.offset));
    assert_eq!(size(&[("page", "3"), ("page_size", "7")]), Ok((7, 14)));
    assert_eq!(size(&[("page", "3"), ("limit", "10")]), Ok((10, 20)));
    assert_eq!(size(&[("limit", "10"), ("page_size", "10")]), Ok((10, 0)));
    assert_eq!(size(&[("limit", "10"), ("page_size", "11")]), Err(vec!["page_size".to_owned()]));
}

#[test]
fn the_two_status_filters_narrow_each_other() {
    let statuses = |pairs| query(pairs).map(|wanted| (wanted.filter.statuses, wanted.nothing)).expect("right");
    assert_eq!(statuses(&[("status", "scheduled")]), (vec![ArticleStatus::Scheduled], false));
    let drafts = vec![ArticleStatus::Generating, ArticleStatus::Draft, ArticleStatus::Scheduled, ArticleStatus::Failed];
    assert_eq!(statuses(&[("publication_status", "draft")]), (drafts, false));
    let both = [("status", "failed"), ("publication_status", "draft")];
    assert_eq!(statuses(&both), (vec![ArticleStatus::Failed], false));
    let neither = [("status", "failed"), ("publication_status", "published")];
    assert_eq!(statuses(&neither), (vec![], true));
}

#[test]
fn every_wrong_parameter_is_named() {
    let names = ["page", "limit", "page_size", "status", "publication_status", "project_id", "sort", "order"];
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (*name, "wrong")).collect();
    assert_eq!(query(&pairs).expect_err("wrong"), names);
    assert_eq!(query(&[("search", &"x".repeat(201))]).expect_err("wrong"), ["search"]);
    assert_eq!(query(&[("page", "1000001")]).expect_err("wrong"), ["page"]);
}

#[test]
fn an_edit_keeps_what_is_left_out() {
    let edit: Edit = read(json!({ "title": "New", "publication_status": "published" })).expect("right");
    assert_eq!(edit.0.title.as_deref(), Some("New"));
    assert_eq!(edit.0.publication_status, Some(PublicationStatus::Published));
    assert!(edit.0.content.is_none() && edit.0.keywords.is_none());
    let edit: Edit = read(json!({ "meta_description": "Of tea" })).expect("right");
    assert_eq!(edit.0.seo_description.as_deref(), Some("Of tea"));
}

#[test]
fn a_wrong_edit_is_told_everything() {
    let errors = read::<Edit>(json!({
        "title": null, "content": "<h2>Tea</h2>", "keywords": [1], "publication_status": "scheduled",
        "seo_description": "a", "meta_description": "b",
    }))
    .expect_err("wrong");
    assert_eq!(
        errors,
        [
            "title must not be null; leave it out to keep it as it is",
            "keywords[0] must be a text, but is a number",
            "publication_status 'scheduled' is not one of draft, published, archived",
            "meta_description is another name for seo_description and differs from it; give one",
            "content is HTML; send Markdown, as content_markdown of the article shows it",
        ]
    );
    assert_eq!(
        read::<Edit>(json!({})).expect_err("empty"),
        ["body changes nothing; give at least one field to change"]
    );
    assert_eq!(read::<Edit>(json!({ "title": 1 })).expect_err("wrong").len(), 1);
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

#[test]
fn the_edit_that_is_read_is_the_one_described() {
    reader_and_description_agree::<Edit>();
}

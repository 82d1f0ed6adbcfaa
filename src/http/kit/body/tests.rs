use serde_json::json;
use uuid::Uuid;

use super::{testing::read, *};
use crate::http::kit::{
    fields::{Patch, fields},
    problem::MAX_ERRORS,
    scalar::Nullable,
    values::{Integer, List, Text},
};

fields! {
    /// Something with fields of every kind.
    pub struct Sample: ignores_unknown, takes_forms {
        /// 1 to 5 characters,
        /// however long.
        name: Text<1, 5>,
        tags: Option<List<Text<1, 3>, 3>>,
        count: Option<Integer<1, 10>>,
        kind as "type": Option<bool>,
        inner: Option<Inner>,
        rows: Option<List<Row, 100>>,
        wait: Integer<1, 60> = Integer(5),
    }
    check |sample: &Sample, wrong: &mut galley_domain::order::Violations| {
        wrong.check(sample.name.0 == "no", "name", "is not a name");
    };
}

fields! {
    pub struct Inner {
        id: Option<Uuid>,
    }
}

fields! {
    pub struct Row {
        title: Text<1, 10>,
    }
}

fields! {
    pub struct Change: needs_a_field {
        name: Patch<Text<1, 5>>,
        note: Patch<Nullable<Text<1, 5>>>,
    }
}

fields! {
    pub struct Many: ignores_unknown {
        tags: List<Text<1, 3>, 100_000>,
    }
}

#[test]
fn a_right_body_is_read_and_unknown_fields_are_ignored_where_it_says_so() {
    let id = Uuid::from_u128(9);
    let sample: Sample = read(json!({
        "name": "ok", "tags": ["a"], "count": 3.0, "inner": { "id": id }, "rows": [{ "title": "t" }], "else": 1,
        "type": true,
    }))
    .expect("right");
    assert_eq!((sample.name.0.as_str(), sample.count, sample.kind), ("ok", Some(Integer(3)), Some(true)));
    assert_eq!(sample.inner.and_then(|inner| inner.id), Some(id));
    assert_eq!(sample.rows.map(|rows| rows.0[0].title.0.clone()).as_deref(), Some("t"));
    assert_eq!(sample.wait, Integer(5), "the default");
    let errors = read::<Sample>(json!({ "name": "ok", "inner": { "ID": id } })).expect_err("unknown");
    assert_eq!(errors, ["inner.ID is not a field here; there are id"]);
}

#[test]
fn everything_wrong_is_named_once_in_the_order_of_the_declaration() {
    let errors = read::<Sample>(json!({
        "name": 5, "tags": ["long", 7], "count": 1.5, "inner": { "id": "x" }, "rows": [3, {}], "wait": 61,
    }))
    .expect_err("wrong");
    assert_eq!(
        errors,
        [
            "name must be a text, but is a number",
            "tags[0] has 4 characters; give at most 3",
            "tags[1] must be a text, but is a number",
            "count must be a whole number, but is 1.5",
            "inner.id must be a UUID",
            "rows[0] must be an object, but is a number",
            "rows[1].title is required",
            "wait must be between 1 and 60",
        ]
    );
    assert_eq!(read::<Sample>(json!({ "name": "no" })).expect_err("checked"), ["name is not a name"]);
}

#[test]
fn a_missing_field_is_required_and_not_also_empty() {
    assert_eq!(read::<Sample>(json!({})).expect_err("wrong"), ["name is required"]);
    assert_eq!(read::<Sample>(json!({ "name": null })).expect_err("wrong"), ["name is required"]);
    assert_eq!(read::<Sample>(json!({ "name": " " })).expect_err("wrong"), ["name must not be empty"]);
    assert_eq!(read::<Sample>(json!([1])).expect_err("wrong"), ["body must be a JSON object, but is a list"]);
}

#[test]
fn a_change_tells_absent_null_and_a_value_apart() {
    let change: Change = read(json!({ "note": null })).expect("right");
    assert_eq!((change.name.0, change.note.0), (None, Some(Nullable(None))));
    let change: Change = read(json!({ "name": "a", "note": "b" })).expect("right");
    assert_eq!(change.note.0, Some(Nullable(Some(Text("b".into())))));
    assert_eq!(
        read::<Change>(json!({ "name": null })).expect_err("wrong"),
        ["name must not be null; leave it out to keep it as it is"]
    );
    assert_eq!(
        read::<Change>(json!({})).expect_err("empty"),
        ["body changes nothing; give at least one field to change"]
    );
}

#[test]
fn errors_are_limited() {
    let tags: Vec<u32> = (0..5000).collect();
    let read =
        |tags| read::<Many>(json!({ "tags": tags })).map(|many| many.tags.0.len()).map_err(|errors| errors.len());
    assert_eq!(read(json!(tags)), Err(MAX_ERRORS));
    assert_eq!(read(json!(["a"])), Ok(1));
}

#[test]
fn the_schema_says_what_the_reader_checks() {
    let mut registry = Registry::new();
    fields::register::<Sample>(&mut registry);
    let sample = serde_json::to_value(&registry.schemas["Sample"]).expect("JSON");
    assert_eq!(sample["required"], json!(["name"]));
    assert_eq!(sample["properties"]["name"]["description"], "1 to 5 characters, however long.");
    assert_eq!(sample["properties"]["tags"]["items"]["maxLength"], 3);
    assert_eq!(sample["properties"]["type"]["nullable"], true);
    assert_eq!(sample["properties"]["wait"]["default"], 5);
    assert_eq!(sample["properties"]["inner"]["allOf"][0]["$ref"], "#/components/schemas/Inner");
    assert!(registry.schemas.contains_key("Row") && sample["additionalProperties"].is_null());
}

#[tokio::test]
async fn a_form_is_read_where_it_is_declared() {
    let request = Request::builder().method(poem::http::Method::POST).content_type(FORM).finish();
    let form = async |text: &str| read_form::<Sample>(&request, text.into()).await;
    let body = form("name=ok&tags=a&tags=b&count=3&wait=&type=false").await.expect("right");
    assert_eq!((body.value.count, body.value.wait, body.value.kind), (Some(Integer(3)), Integer(5), Some(false)));
    assert_eq!(body.value.tags.map(|tags| tags.0.len()), Some(2));
    let errors = testing::said(form("name=&count=x&count=y").await.err().expect("wrong"));
    assert_eq!(errors, ["name is required", "count is given more than once; give it once"]);
}

#[test]
fn the_order_of_members_does_not_matter() {
    let bytes = |text: &str| canonical(serde_json::from_str(text).expect("JSON")).to_string();
    assert_eq!(
        bytes(r#"{"b":{"y":1,"x":[{"q":1,"p":2}]},"a":2}"#),
        bytes(r#"{"a":2, "b":{"x":[{"p":2,"q":1}],"y":1}}"#)
    );
    assert_ne!(bytes("[1,2]"), bytes("[2,1]"));
}

#[test]
fn json_content_types() {
    for right in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
        assert!(is_json(Some(right)), "{right}");
    }
    for wrong in ["text/plain", "application/x-www-form-urlencoded", "text/json", "", "application/jsonp"] {
        assert!(!is_json(Some(wrong)), "{wrong}");
    }
    assert!(!is_json(None));
}

//! What the description says about texts that the use cases check. Nothing is read with these types: a body is read by
//! its `FromBody`, so that everything wrong is named at once.

use std::marker::PhantomData;

use galley_domain::{article::Length, writing::Tone};
use poem_openapi::{
    registry::MetaSchema,
    types::{ParseFromJSON, ParseResult, ToJSON},
};
use serde_json::Value;

use super::scalar::plain_type;

/// A rule that a text follows.
pub trait Form: Send + Sync + 'static {
    fn schema() -> MetaSchema;
}

/// A text of this form.
pub struct Said<F>(String, PhantomData<fn() -> F>);

plain_type!([F: Form] Said<F>, true, "text", F::schema());

impl<F: Form> ToJSON for Said<F> {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.as_str().into())
    }
}

impl<F: Form> ParseFromJSON for Said<F> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
        Ok(Self(text.to_owned(), PhantomData))
    }
}

/// `MIN` to `MAX` characters that are not all blank; blank ones around them do not count for `MIN`.
pub struct Filled<const MIN: usize, const MAX: usize>;

impl<const MIN: usize, const MAX: usize> Form for Filled<MIN, MAX> {
    fn schema() -> MetaSchema {
        let pattern = match MIN {
            0 | 1 => r"\S".to_owned(),
            more => format!(r"\S[\s\S]{{{},}}\S", more - 2),
        };
        MetaSchema { min_length: Some(MIN), max_length: Some(MAX), pattern: Some(pattern), ..MetaSchema::new("string") }
    }
}

/// ISO 639-1.
pub struct Language;

impl Form for Language {
    fn schema() -> MetaSchema {
        MetaSchema { pattern: Some("^[a-z]{2}$".to_owned()), example: Some("en".into()), ..MetaSchema::new("string") }
    }
}

/// An address of the web.
pub struct Link;

impl Form for Link {
    fn schema() -> MetaSchema {
        MetaSchema {
            max_length: Some(galley_services::MAX_LINK_CHARS),
            example: Some("https://example.com/page".into()),
            ..MetaSchema::new_with_format("string", "uri")
        }
    }
}

fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> MetaSchema {
    MetaSchema { enum_items: words.into_iter().map(Value::from).collect(), ..MetaSchema::new("string") }
}

impl Form for Tone {
    fn schema() -> MetaSchema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

impl Form for Length {
    fn schema() -> MetaSchema {
        one_of(Self::ALL.iter().map(|length| length.as_str()))
    }
}

//! Reads the members of an object, a form or a query, and names those that nobody asked for.

use std::collections::BTreeMap;

use galley_domain::order::Violations;
use galley_services::KEY_PREFIX;
use serde_json::{Map, Value};

use super::{Errors, Field, Fields, Input, Member, Place, Rules};

/// A longer name of an unknown field is not repeated.
const LONGEST_NAME: usize = 40;

/// The members of an object, a form or a query.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    Json(&'a Map<String, Value>),
    /// A form.
    Texts(&'a BTreeMap<String, Vec<String>>),
    /// The parameters of an address.
    Query(&'a BTreeMap<String, Vec<String>>),
}

/// Reads the members of one object and remembers which names it was asked for.
pub struct Reader<'a> {
    source: Source<'a>,
    place: &'a Place<'a>,
    errors: &'a mut Errors,
    known: Vec<&'static str>,
    given: usize,
}

impl<'a> Reader<'a> {
    /// What stands under a name. In queries and forms, nothing after the `=` counts as absent.
    pub fn get(&mut self, name: &'static str) -> Option<Input<'a>> {
        self.known.push(name);
        let input = match self.source {
            Source::Json(map) => Input::Json(map.get(name)?),
            Source::Texts(map) | Source::Query(map) => {
                Input::Texts(map.get(name).filter(|texts| texts.iter().any(|t| !t.is_empty()))?)
            }
        };
        self.given += 1;
        Some(input)
    }

    pub(super) fn value<T: Field>(&mut self, input: Input<'_>, name: &str) -> Option<T> {
        <T as Field>::read(input, &Place::Member(self.place, name), self.errors)
    }

    /// Says that a member is wrong. It answers `None`, for readers to return.
    pub fn wrong<T>(&mut self, name: &str, message: impl Into<String>) -> Option<T> {
        self.errors.add(&Place::Member(self.place, name), message);
        None
    }

    /// A member with a value to take when it is left out.
    pub fn read_or<T: Field>(&mut self, name: &'static str, default: T) -> Option<T> {
        <Option<T> as Member>::read(self, name).map(|value| value.unwrap_or(default))
    }
}

/// Reads all members; what is wrong is in `errors`.
pub fn read_members<T: Fields>(source: Source<'_>, rules: Rules, place: &Place<'_>, errors: &mut Errors) -> Option<T> {
    let before = errors.count();
    let mut reader = Reader { source, place, errors, known: Vec::new(), given: 0 };
    let value = T::members(&mut reader);
    let Reader { known, given, .. } = reader;
    if rules.refuses_unknown {
        refuse_unknown(source, &known, place, errors);
    }
    if rules.needs_a_field && given == 0 && errors.count() == before {
        errors.add(place, "changes nothing; give at least one field to change");
    }
    let value = value?;
    let mut wrong = Violations::default();
    value.check(&mut wrong);
    for error in wrong.finish().err().unwrap_or_default() {
        errors.add(&Place::Member(place, &error.field), error.message);
    }
    Some(value)
}

/// Names what is in the source and not among the known names.
pub fn refuse_unknown(source: Source<'_>, known: &[&str], place: &Place<'_>, errors: &mut Errors) {
    match source {
        Source::Json(map) => refuse_others(map.keys(), known, place, errors),
        Source::Texts(map) => refuse_others(map.keys(), known, place, errors),
        Source::Query(map) => refuse("a parameter", map.keys(), known, place, errors),
    }
}

/// Names what is not among the known fields.
pub fn refuse_others<'a>(
    names: impl IntoIterator<Item = &'a String>,
    known: &[&str],
    place: &Place<'_>,
    errors: &mut Errors,
) {
    refuse("a field", names, known, place, errors);
}

fn refuse<'a>(
    what: &str,
    names: impl IntoIterator<Item = &'a String>,
    known: &[&str],
    place: &Place<'_>,
    errors: &mut Errors,
) {
    let known_ones = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    for name in names.into_iter().filter(|name| !known.contains(&name.as_str())) {
        errors.add(&Place::Member(place, shown(name)), format!("is not {what} here; there are {known_ones}"));
    }
}

/// The name of an unknown field as an answer may repeat it: what does not look like a name may be a secret in a wrong place.
fn shown(name: &str) -> &str {
    let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if name.len() <= LONGEST_NAME && is_plain(name) && !name.contains(KEY_PREFIX) { name } else { "[hidden]" }
}

/// Reads an object that stands within another one.
pub fn read_object<T: Fields>(input: Input<'_>, place: &Place<'_>, errors: &mut Errors) -> Option<T> {
    match input {
        Input::Json(Value::Object(map)) => read_members(Source::Json(map), T::RULES, place, errors),
        other => {
            errors.add(place, other.unlike("an object"));
            None
        }
    }
}

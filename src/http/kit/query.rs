//! Query parameters that are read without giving up at the first wrong one.

use galley_domain::order::Violations;
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseFromParameter, ParseResult},
};
use serde_json::Value;
use uuid::Uuid;

use super::scalar::{Vocabulary, plain_type};

/// What a query parameter may say.
pub trait QueryValue: Sized + Send + Sync + 'static {
    fn schema() -> MetaSchema;
    /// The error is a sentence about the parameter that leaves out its name.
    fn read(text: &str) -> Result<Self, String>;
}

/// A parameter as it was given: absent, right or wrong. An empty one counts as absent.
#[derive(Debug, Clone)]
pub struct Given<T>(Option<Result<T, String>>);

plain_type!([T: QueryValue] Given<T>, false, "parameter", or_empty(T::schema()));

/// What is described for a parameter: the value, or nothing after the `=`.
fn or_empty(schema: MetaSchema) -> MetaSchema {
    let is_free_text = schema.ty == "string" && schema.format.is_none() && schema.enum_items.is_empty();
    if is_free_text {
        return schema;
    }
    let empty = MetaSchema { max_length: Some(0), ..MetaSchema::new("string") };
    let any_of = [schema, empty].map(|schema| MetaSchemaRef::Inline(Box::new(schema)));
    MetaSchema { any_of: any_of.into(), ..MetaSchema::ANY }
}

impl<T: QueryValue> ParseFromParameter for Given<T> {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Ok(Self((!text.is_empty()).then(|| T::read(text))))
    }

    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(iter: I) -> ParseResult<Self> {
        let mut values = iter.into_iter();
        let Some(first) = values.next() else { return Ok(Self(None)) };
        if values.next().is_some() {
            return Ok(Self(Some(Err("is given more than once; give it once".to_owned()))));
        }
        Self::parse_from_parameter(first.as_ref())
    }
}

impl<T> Given<T> {
    /// The value, or `None` after writing down what is wrong with it.
    pub fn take(self, name: &str, wrong: &mut Violations) -> Option<T> {
        match self.0? {
            Ok(value) => Some(value),
            Err(message) => {
                wrong.add(name, message);
                None
            }
        }
    }
}

/// A whole number within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> QueryValue for Whole<MIN, MAX> {
    fn schema() -> MetaSchema {
        #[expect(clippy::cast_precision_loss, reason = "bounds of parameters are far below 2^52")]
        let (minimum, maximum) = (MIN as f64, MAX as f64);
        MetaSchema { minimum: Some(minimum), maximum: Some(maximum), ..MetaSchema::new_with_format("integer", "int64") }
    }

    fn read(text: &str) -> Result<Self, String> {
        let number = text.parse::<i64>().ok().filter(|number| (MIN..=MAX).contains(number));
        number.map(Self).ok_or_else(|| format!("must be a whole number from {MIN} to {MAX}"))
    }
}

/// A word out of a fixed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneOf<E>(pub E);

impl<E: Vocabulary> QueryValue for OneOf<E> {
    fn schema() -> MetaSchema {
        MetaSchema { enum_items: E::words().into_iter().map(Value::from).collect(), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Result<Self, String> {
        E::of(text).map(Self)
    }
}

/// A short text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words<const MAX: usize>(pub String);

impl<const MAX: usize> QueryValue for Words<MAX> {
    fn schema() -> MetaSchema {
        MetaSchema { max_length: Some(MAX), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Result<Self, String> {
        match text.chars().count() {
            _ if text.contains('\0') => Err("contains a NUL character; remove it".to_owned()),
            count if count > MAX => Err(format!("has {count} characters; give at most {MAX}")),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl QueryValue for Uuid {
    fn schema() -> MetaSchema {
        MetaSchema::new_with_format("string", "uuid")
    }

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be a UUID".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use galley_domain::task::TaskStatus;
    use poem_openapi::types::Type;

    use super::*;

    type Limit = Given<Whole<1, 100>>;

    fn read<T: QueryValue>(values: &[&str]) -> (Option<T>, Vec<String>) {
        let mut wrong = Violations::default();
        let given = Given::<T>::parse_from_parameters(values).unwrap_or_else(|error| panic!("{}", error.message()));
        let value = given.take("limit", &mut wrong);
        let errors = wrong.finish().err().unwrap_or_default();
        (value, errors.into_iter().map(|error| format!("{} {}", error.field, error.message)).collect())
    }

    #[test]
    fn right_absent_and_empty_parameters_are_no_errors() {
        assert_eq!(read::<Whole<1, 100>>(&["7"]), (Some(Whole(7)), vec![]));
        assert_eq!(read::<Whole<1, 100>>(&[]), (None, vec![]));
        assert_eq!(read::<Whole<1, 100>>(&[""]), (None, vec![]));
    }

    #[test]
    fn wrong_parameters_say_what_would_be_right() {
        let range = "limit must be a whole number from 1 to 100";
        for wrong in ["0", "101", "-1", "1.5", "ten", "99999999999999999999", " 7"] {
            assert_eq!(read::<Whole<1, 100>>(&[wrong]), (None, vec![range.to_owned()]), "{wrong}");
        }
        let twice = "limit is given more than once; give it once".to_owned();
        assert_eq!(read::<Whole<1, 100>>(&["1", "2"]), (None, vec![twice]));
        let (_, errors) = read::<OneOf<TaskStatus>>(&["done"]);
        assert_eq!(errors, ["limit 'done' is not one of pending, processing, completed, failed, cancelled"]);
        assert_eq!(read::<Words<3>>(&["abcd"]).1, ["limit has 4 characters; give at most 3"]);
        assert_eq!(read::<Words<3>>(&["a\0"]).1, ["limit contains a NUL character; remove it"]);
        assert_eq!(read::<Uuid>(&["7"]).1, ["limit must be a UUID"]);
    }

    #[test]
    fn an_empty_parameter_is_described() {
        let shown = serde_json::to_value(Limit::schema_ref().unwrap_inline()).expect("JSON");
        assert_eq!((&shown["anyOf"][0]["maximum"], &shown["anyOf"][1]["maxLength"]), (&100.0.into(), &0.into()));
        let text = serde_json::to_value(Given::<Words<3>>::schema_ref().unwrap_inline()).expect("JSON");
        assert!(text["anyOf"].is_null() && text["maxLength"] == 3, "a text may be empty anyway");
    }

    #[test]
    fn a_parameter_need_not_be_given() {
        const { assert!(!<Limit as Type>::IS_REQUIRED) };
    }
}

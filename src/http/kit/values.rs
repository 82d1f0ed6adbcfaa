//! Values of requests that carry their rule: read by it and described by it.

use std::marker::PhantomData;

use galley_domain::{article::Length, writing::Tone};
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON},
};
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    fields::{Errors, Field, Input, Place},
    scalar::{Amount, Moment, Vocabulary, Word, plain_type},
};

/// A value without parts. Whatever implements it is a [`Field`].
pub trait Scalar: Sized + Send + 'static {
    fn schema() -> MetaSchema;
    /// The error is a sentence about the field that leaves out its name.
    fn of_json(value: &Value) -> Result<Self, String>;
    fn of_text(text: &str) -> Result<Self, String>;

    fn shown(&self) -> Option<Value> {
        None
    }
}

impl<T: Scalar> Field for T {
    fn schema() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(<T as Scalar>::schema()))
    }

    fn read(input: Input<'_>, place: &Place<'_>, errors: &mut Errors) -> Option<Self> {
        let read = match input {
            Input::Json(value) => T::of_json(value),
            Input::Texts([text]) => T::of_text(text),
            Input::Texts(_) => Err("is given more than once; give it once".to_owned()),
        };
        read.map_err(|message| errors.add(place, message)).ok()
    }

    fn shown(&self) -> Option<Value> {
        Scalar::shown(self)
    }
}

/// The text of a JSON string, for scalars that are written as one.
pub fn text_of(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| Input::Json(value).unlike("a text"))
}

/// A text of `MIN` to `MAX` characters as it was sent. Blanks around it do not count for `MIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(pub String);

impl<const MIN: usize, const MAX: usize> Scalar for Text<MIN, MAX> {
    fn schema() -> MetaSchema {
        let pattern = match MIN {
            0 => None,
            1 => Some(r"\S".to_owned()),
            more => Some(format!(r"\S[\s\S]{{{},}}\S", more - 2)),
        };
        let min_length = Some(MIN).filter(|min| *min > 0);
        MetaSchema { min_length, max_length: Some(MAX), pattern, ..MetaSchema::new("string") }
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        let (within, count) = (text.trim().chars().count(), text.chars().count());
        match within {
            0 if MIN > 0 => Err("must not be empty".to_owned()),
            _ if within < MIN => Err(format!("has {within} characters; give at least {MIN}")),
            _ if count > MAX => Err(format!("has {count} characters; give at most {MAX}")),
            _ if text.contains('\0') => Err("contains a NUL character; remove it".to_owned()),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

/// A whole number within bounds; `1000.0` is one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Integer<MIN, MAX> {
    /// For counts, whose bounds are not negative.
    pub fn count(self) -> u64 {
        self.0.unsigned_abs()
    }
}

impl<const MIN: i64, const MAX: i64> Scalar for Integer<MIN, MAX> {
    fn schema() -> MetaSchema {
        #[expect(clippy::cast_precision_loss, reason = "bounds are far below 2^52")]
        let (minimum, maximum) = (MIN as f64, MAX as f64);
        MetaSchema { minimum: Some(minimum), maximum: Some(maximum), ..MetaSchema::new_with_format("integer", "int64") }
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 loses nothing")]
        let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
        let number = value.as_i64().or_else(|| value.as_f64().and_then(whole));
        let number = number.ok_or_else(|| match value.as_f64() {
            Some(broken) if broken.fract() != 0.0 => format!("must be a whole number, but is {value}"),
            Some(_) => format!("must be between {MIN} and {MAX}"),
            None => Input::Json(value).unlike("a whole number"),
        })?;
        let within = Some(number).filter(|number| (MIN..=MAX).contains(number));
        within.map(Self).ok_or_else(|| format!("must be between {MIN} and {MAX}"))
    }

    fn of_text(text: &str) -> Result<Self, String> {
        let number = text.parse::<i64>().ok().filter(|number| (MIN..=MAX).contains(number));
        number.map(Self).ok_or_else(|| format!("must be a whole number from {MIN} to {MAX}"))
    }

    fn shown(&self) -> Option<Value> {
        Some(self.0.into())
    }
}

impl<E: Vocabulary> Scalar for Word<E> {
    fn schema() -> MetaSchema {
        MetaSchema { enum_items: E::words().into_iter().map(Value::from).collect(), ..MetaSchema::new("string") }
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        E::of(text).map(Self)
    }

    fn shown(&self) -> Option<Value> {
        Some(self.0.word().into())
    }
}

impl Scalar for bool {
    fn schema() -> MetaSchema {
        MetaSchema::new("boolean")
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| Input::Json(value).unlike("true or false"))
    }

    fn of_text(text: &str) -> Result<Self, String> {
        // As Python and older forms write it.
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        }
    }

    fn shown(&self) -> Option<Value> {
        Some((*self).into())
    }
}

/// Scalars that are texts of another form: the type, the rest of its schema, how it is parsed, and what it must be.
macro_rules! written_as_text {
    ($($type:ty, $schema:expr, $parse:expr, $rule:literal;)+) => {$(
        impl Scalar for $type {
            fn schema() -> MetaSchema {
                $schema
            }

            fn of_json(value: &Value) -> Result<Self, String> {
                Self::of_text(text_of(value)?)
            }

            fn of_text(text: &str) -> Result<Self, String> {
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(text).ok_or_else(|| $rule.to_owned())
            }
        }
    )+};
}

written_as_text! {
    Uuid, MetaSchema::new_with_format("string", "uuid"), |text| text.parse().ok(), "must be a UUID";
    Language, Language::form(), Language::of, "must be a two-letter ISO 639-1 code in lower case, for example en";
}

impl Scalar for Moment {
    fn schema() -> MetaSchema {
        MetaSchema::new_with_format("string", "date-time")
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        let lost_plus = || text.contains(' ') && Self::of(&text.replacen(' ', "+", 1)).is_some();
        Self::of(text).ok_or_else(|| match lost_plus() {
            true => {
                "has a blank where its zone begins: in an address, + is written %2B, or give the time in UTC with Z"
                    .to_owned()
            }
            false => "must be a time such as 2026-01-15T10:00:00Z".to_owned(),
        })
    }
}

/// ISO 639-1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language(pub String);

impl Language {
    fn form() -> MetaSchema {
        MetaSchema { pattern: Some("^[a-z]{2}$".to_owned()), example: Some("en".into()), ..MetaSchema::new("string") }
    }

    fn of(text: &str) -> Option<Self> {
        let right = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase());
        right.then(|| Self(text.to_owned()))
    }
}

/// An address of the web, http or https, that is kept and shown. One that is asked for something is an [`Address`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(pub String);

impl Scalar for Link {
    fn schema() -> MetaSchema {
        MetaSchema {
            max_length: Some(galley_services::MAX_LINK_CHARS),
            example: Some("https://example.com/page".into()),
            ..MetaSchema::new_with_format("string", "uri")
        }
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        galley_services::link_fault(text).map_or_else(|| Ok(Self(text.to_owned())), Err)
    }
}

/// An address that its use case checks whole, with what else is wrong and in its own words: where it may lead depends on the
/// operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(pub String);

impl Scalar for Address {
    fn schema() -> MetaSchema {
        <Link as Scalar>::schema()
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}

impl Scalar for Amount {
    fn schema() -> MetaSchema {
        MetaSchema { example: Some(40.into()), ..MetaSchema::new("number") }
    }

    /// A number, or a decimal in a text, which loses nothing.
    fn of_json(value: &Value) -> Result<Self, String> {
        match value {
            Value::Number(number) => Self::of_text(&number.to_string()),
            Value::String(text) => Self::of_text(text),
            other => Err(Input::Json(other).unlike("a number")),
        }
    }

    fn of_text(text: &str) -> Result<Self, String> {
        text.parse::<Decimal>().map(Self).map_err(|_| "must be a decimal number".to_owned())
    }
}

/// At most `MAX` values, `MIN` or more. A query gives it by repeating the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MAX: usize, const MIN: usize = 0>(pub Vec<T>);

impl<T: Field, const MAX: usize, const MIN: usize> Field for List<T, MAX, MIN> {
    fn schema() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            items: Some(Box::new(T::schema())),
            min_items: Some(MIN).filter(|min| *min > 0),
            max_items: Some(MAX),
            ..MetaSchema::new("array")
        }))
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn read(input: Input<'_>, place: &Place<'_>, errors: &mut Errors) -> Option<Self> {
        let items: Vec<Input<'_>> = match input {
            Input::Json(Value::Array(items)) => items.iter().map(Input::Json).collect(),
            Input::Texts(texts) => texts.chunks(1).map(Input::Texts).collect(),
            other => {
                errors.add(place, other.unlike("a list"));
                return None;
            }
        };
        if !(MIN..=MAX).contains(&items.len()) {
            let bound = if items.len() > MAX { format!("at most {MAX}") } else { format!("at least {MIN}") };
            errors.add(place, format!("has {} items; give {bound}", items.len()));
            return None;
        }
        // All are read, so that every wrong one is named.
        let read: Vec<Option<T>> =
            items.iter().enumerate().map(|(at, item)| T::read(*item, &Place::Item(place, at), errors)).collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }
}

/// An object whose members nobody checks here, such as settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeObject(pub Map<String, Value>);

plain_type!([] FreeObject, true, "object", FreeObject::form());

impl FreeObject {
    /// Says out loud that it has members, because some makers of clients take an object without that for an empty one.
    fn form() -> MetaSchema {
        let anything = MetaSchemaRef::Inline(Box::new(MetaSchema::ANY));
        MetaSchema { additional_properties: Some(Box::new(anything)), ..MetaSchema::new("object") }
    }
}

/// What is no object is shown as an empty one.
impl From<Value> for FreeObject {
    fn from(value: Value) -> Self {
        let Value::Object(members) = value else { return Self(Map::new()) };
        Self(members)
    }
}

impl ToJSON for FreeObject {
    fn to_json(&self) -> Option<Value> {
        Some(Value::Object(self.0.clone()))
    }
}

impl ParseFromJSON for FreeObject {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(Value::Object(members)) => Ok(Self(members)),
            other => Err(ParseError::expected_type(other.unwrap_or_default())),
        }
    }
}

impl Field for FreeObject {
    fn schema() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(Self::form()))
    }

    fn read(input: Input<'_>, place: &Place<'_>, errors: &mut Errors) -> Option<Self> {
        match input {
            Input::Json(Value::Object(map)) => Some(Self(map.clone())),
            other => {
                errors.add(place, other.unlike("an object"));
                None
            }
        }
    }
}

/// A field that clients may send back as they read it, described as a `T`; nobody looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ignored<T>(PhantomData<T>);

impl<T: Field> Field for Ignored<T> {
    const TAKES_NULL: bool = true;

    fn schema() -> MetaSchemaRef {
        T::schema()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn read(_input: Input<'_>, _place: &Place<'_>, _errors: &mut Errors) -> Option<Self> {
        Some(Self(PhantomData))
    }
}

/// Words of the domain that are only ever asked for.
macro_rules! asked_words {
    ($($type:ty),+) => {$(
        impl Vocabulary for $type {
            fn words() -> Vec<&'static str> {
                Self::ALL.iter().map(|word| word.as_str()).collect()
            }

            fn word(self) -> &'static str {
                self.as_str()
            }

            fn of(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().copied().find(|word| word.as_str() == text);
                found.ok_or_else(|| format!("must be one of {}", <Self as Vocabulary>::words().join(", ")))
            }
        }
    )+};
}

asked_words!(Tone, Length);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_that_are_not_whole_are_shown() {
        let wrong = |value: Value| Integer::<1, 9>::of_json(&value).expect_err("wrong");
        assert_eq!(wrong(json!(1.5)), "must be a whole number, but is 1.5");
        assert_eq!(wrong(json!(1e300)), "must be between 1 and 9");
        assert_eq!(wrong(json!("1")), "must be a whole number, but is a text");
    }

    #[test]
    fn a_link_is_of_the_web_and_no_longer_than_the_schema_says() {
        let read = |text: &str| <Link as Scalar>::of_text(text);
        let most = <Link as Scalar>::schema().max_length.expect("a limit");
        let long = |chars: usize| format!("https://example.com/{}", "a".repeat(chars - "https://example.com/".len()));
        assert_eq!(read(" https://example.com/a "), Ok(Link("https://example.com/a".to_owned())));
        assert!(read(&long(most)).is_ok() && read(&long(most + 1)).is_err());
        assert_eq!(read("javascript:alert(1)"), Err("must begin with http:// or https://".to_owned()));
    }

    #[test]
    fn a_plus_that_an_address_lost_is_told() {
        let read = |text: &str| <Moment as Scalar>::of_text(text);
        assert!(read("2027-01-01T00:00:00+02:00").is_ok());
        let error = read("2027-01-01T00:00:00 02:00").expect_err("a blank");
        assert!(error.contains("%2B"), "{error}");
        assert_eq!(read("tomorrow"), Err("must be a time such as 2026-01-15T10:00:00Z".to_owned()));
    }

    #[test]
    fn truth_is_written_in_several_ways() {
        let read = |text: &str| <bool as Scalar>::of_text(text).ok();
        assert_eq!(
            ["True", "1", "false", "0", "yes"].map(read),
            [Some(true), Some(true), Some(false), Some(false), None]
        );
    }
}

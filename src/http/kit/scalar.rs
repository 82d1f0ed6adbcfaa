//! Small values with a fixed form on the wire.

use std::{borrow::Cow, str::FromStr};

use chrono::{DateTime, SecondsFormat, Timelike, Utc};
use galley_destinations::{CapabilityId, CapabilityStatus, Collection};
use galley_domain::{
    article::{ContentFormat, DRAFT, ListedStatus, PublicationStatus, STEPS},
    image::{ImageQuality, ImageSize, ImageSource, ImageStyle, PhotoProvider, SourceImages},
    project::{Platform, ProjectStatus},
    publishing::{
        DeploymentStatus, Holder, Placements, PostForm, PostStatus, PostType, PublicationState, SyncDirection,
        SyncStatus, Visibility,
    },
    schedule::{RunStatus, RunTrigger, ScheduleStatus},
    task::{StepState, TaskStatus},
    webhook::{DeliveryStatus, DisabledReason, WebhookFormat, WebhookStatus},
};
use galley_photos::Orientation;
use galley_services::{DriftState, Keep};
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::Value;
use uuid::Uuid;

/// Implements what every type without inner types has in common.
macro_rules! plain_type {
    ([$($generics:tt)*] $type:ty, $required:literal, $name:expr, $schema:expr) => {
        impl<$($generics)*> poem_openapi::types::Type for $type {
            const IS_REQUIRED: bool = $required;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn schema_ref() -> poem_openapi::registry::MetaSchemaRef {
                poem_openapi::registry::MetaSchemaRef::Inline(Box::new($schema))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::empty())
            }
        }
    };
}
pub(in crate::http) use plain_type;

/// A value that is always there and may be `null`. poem-openapi describes an `Option` as a field that may be missing,
/// and then sends `null`; this says what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nullable<T>(pub Option<T>);

impl<T> From<Option<T>> for Nullable<T> {
    fn from(value: Option<T>) -> Self {
        Self(value)
    }
}

impl<T: Type> Type for Nullable<T> {
    const IS_REQUIRED: bool = true;
    type RawValueType = T::RawValueType;
    type RawElementValueType = T::RawElementValueType;

    fn name() -> Cow<'static, str> {
        format!("nullable_{}", T::name()).into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let schema = match T::schema_ref() {
            MetaSchemaRef::Inline(schema) => MetaSchema { nullable: true, ..*schema },
            reference => MetaSchema { nullable: true, all_of: vec![reference], ..MetaSchema::ANY },
        };
        MetaSchemaRef::Inline(Box::new(schema))
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        self.0.as_ref().and_then(T::as_raw_value)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        match &self.0 {
            Some(value) => value.raw_element_iter(),
            None => Box::new(std::iter::empty()),
        }
    }
}

impl<T: ToJSON> ToJSON for Nullable<T> {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.as_ref().and_then(ToJSON::to_json).unwrap_or(Value::Null))
    }
}

impl<T: ParseFromJSON> ParseFromJSON for Nullable<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Option::<T>::parse_from_json(value).map(Self).map_err(ParseError::propagate)
    }
}

/// A moment, as `2026-01-15T10:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub DateTime<Utc>);

plain_type!([] Moment, true, "date-time", MetaSchema {
    example: Some("2026-01-15T10:00:00.000Z".into()),
    ..MetaSchema::new_with_format("string", "date-time")
});

impl Moment {
    /// Reads RFC 3339. A leap second is refused: it would be shown again as `…:60`, which few clients can read.
    pub fn of(text: &str) -> Option<Self> {
        text.parse::<DateTime<Utc>>().ok().filter(|time| time.nanosecond() < 1_000_000_000).map(Self)
    }

    fn text(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

impl ToJSON for Moment {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.text()))
    }
}

impl ParseFromJSON for Moment {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Self::of(value.as_ref().and_then(Value::as_str).unwrap_or_default()).ok_or_else(ParseError::expected_input)
    }
}

/// A number of credits: a whole number where it is one, as in the published examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub Decimal);

plain_type!([] Amount, true, "credits", MetaSchema { example: Some(40.into()), ..MetaSchema::new("number") });

impl Amount {
    fn whole(self) -> Option<i64> {
        self.0.fract().is_zero().then(|| self.0.to_i64()).flatten()
    }
}

impl ToJSON for Amount {
    fn to_json(&self) -> Option<Value> {
        Some(self.whole().map_or_else(|| Value::from(self.0.to_f64()), Value::from))
    }
}

impl ParseFromJSON for Amount {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Decimal::parse_from_json(value).map(Self).map_err(ParseError::propagate)
    }
}

/// The id of a thing in a path. What is not a UUID names nothing, so it is read as the nil UUID, which nothing has:
/// it ends in the same 404 as any other id that is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub Uuid);

plain_type!([] Id, true, "uuid", MetaSchema::new_with_format("string", "uuid"));

impl ParseFromParameter for Id {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Ok(Self(text.parse().unwrap_or(Uuid::nil())))
    }
}

/// The number of a version in a path; 0, which no version has, for anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionNumber(pub i32);

plain_type!([] VersionNumber, true, "version", MetaSchema {
    minimum: Some(1.0),
    ..MetaSchema::new_with_format("integer", "int32")
});

impl ParseFromParameter for VersionNumber {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Ok(Self(text.parse().unwrap_or(0)))
    }
}

/// The words of the domain that appear on the wire.
pub trait Vocabulary: Copy + Send + Sync + 'static {
    fn words() -> Vec<&'static str>;
    fn word(self) -> &'static str;
    /// The error names the words that are known.
    fn of(text: &str) -> Result<Self, String>;
}

macro_rules! vocabulary {
    ($($type:ty),+) => {$(
        impl Vocabulary for $type {
            fn words() -> Vec<&'static str> {
                Self::ALL.iter().map(|word| word.as_str()).collect()
            }

            fn word(self) -> &'static str {
                self.as_str()
            }

            fn of(text: &str) -> Result<Self, String> {
                Self::from_str(text).map_err(|error| error.to_string())
            }
        }
    )+};
}

vocabulary!(
    ListedStatus,
    ContentFormat,
    Platform,
    ProjectStatus,
    PublicationStatus,
    RunStatus,
    RunTrigger,
    ScheduleStatus,
    StepState,
    TaskStatus
);
vocabulary!(WebhookStatus, DisabledReason, WebhookFormat, DeliveryStatus);
vocabulary!(PostForm, Placements, Holder);
vocabulary!(PostStatus, PostType, Visibility, CapabilityId, CapabilityStatus, DriftState, Keep);
vocabulary!(ImageQuality, ImageSize, ImageSource, ImageStyle, Orientation, PhotoProvider, SourceImages);
vocabulary!(Collection, DeploymentStatus, PublicationState, SyncDirection, SyncStatus);

/// Declares words of the front's own, such as what a list is sorted by.
macro_rules! words {
    ($(#[$about:meta])* $vis:vis enum $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name { $($variant),+ }

        impl $crate::http::kit::scalar::Vocabulary for $name {
            fn words() -> Vec<&'static str> {
                vec![$($text),+]
            }

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            fn of(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("must be one of {}", [$($text),+].join(", "))),
                }
            }
        }
    };
}
pub(in crate::http) use words;

/// A step of an article, as clients call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArticleStep(pub &'static str);

impl Vocabulary for ArticleStep {
    fn words() -> Vec<&'static str> {
        STEPS.iter().map(|kind| if *kind == DRAFT { "drafting" } else { kind.as_str() }).collect()
    }

    fn word(self) -> &'static str {
        self.0
    }

    /// `draft` is the name of the step in the database.
    fn of(text: &str) -> Result<Self, String> {
        let words = Self::words();
        let wanted = if text == DRAFT.as_str() { "drafting" } else { text };
        let found = words.iter().find(|word| **word == wanted);
        found.copied().map(Self).ok_or_else(|| format!("must be one of {}", words.join(", ")))
    }
}

/// A word of the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<E>(pub E);

plain_type!([E: Vocabulary] Word<E>, true, "word", MetaSchema {
    enum_items: E::words().into_iter().map(Value::from).collect(),
    ..MetaSchema::new("string")
});

impl<E: Vocabulary> ToJSON for Word<E> {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.word().into())
    }
}

impl<E: Vocabulary> ParseFromJSON for Word<E> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
        E::of(text).map(Self).map_err(ParseError::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credits_are_numbers() {
        let json = |text: &str| Amount(text.parse().expect("a decimal")).to_json();
        assert_eq!(json("40.000000"), Some(json!(40)));
        assert_eq!(json("0.5"), Some(json!(0.5)));
    }

    #[test]
    fn moments_end_in_z() {
        let moment = Moment("2026-01-15T12:00:00+02:00".parse().expect("a time"));
        assert_eq!(moment.to_json(), Some(json!("2026-01-15T10:00:00.000Z")));
    }

    #[test]
    fn a_leap_second_is_no_moment() {
        for wrong in ["2027-01-01T00:00:60Z", "2027-01-01T00:00:60.999Z", "2016-12-31T23:59:60Z", "", "2027-01-01"] {
            assert_eq!(Moment::of(wrong), None, "{wrong}");
            assert!(Moment::parse_from_json(Some(wrong.into())).is_err(), "{wrong}");
        }
        let last = Moment::of("2027-01-01T00:00:59.999999999+01:00").expect("a time");
        assert_eq!(last.to_json(), Some(json!("2026-12-31T23:00:59.999Z")));
    }

    #[test]
    fn what_is_no_id_is_the_id_of_nothing() {
        for wrong in ["", "abc", "%00", "a1b2c3d4-e5f6-7890-abcd-ef123456789", "🙂"] {
            assert_eq!(Id::parse_from_parameter(wrong).map(|id| id.0).ok(), Some(Uuid::nil()), "{wrong}");
        }
        let good = Uuid::from_u128(7);
        assert_eq!(Id::parse_from_parameter(&good.to_string()).map(|id| id.0).ok(), Some(good));
    }

    #[test]
    fn a_step_answers_to_both_of_its_names() {
        assert_eq!(ArticleStep::of("drafting"), Ok(ArticleStep("drafting")));
        assert_eq!(ArticleStep::of("draft"), Ok(ArticleStep("drafting")));
        assert_eq!(
            ArticleStep::of("sweep"),
            Err("must be one of research, outline, drafting, seo, image, sync".to_owned())
        );
    }
}

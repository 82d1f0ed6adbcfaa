//! A body, a form or a query is declared once. [`fields!`] makes of that declaration the struct with its values, the
//! reader that names every wrong field, and the schema of the description.
//!
//! ```ignore
//! fields! {
//!     /// A tone to write in.
//!     pub struct CreateTone: needs_a_field {
//!         /// 1 to 100 characters.
//!         name: Text<1, 100>,
//!         /// How to write.
//!         system_prompt: Option<Text<0, 4000>>,
//!         /// Seconds to wait.
//!         wait: Integer<1, 60> = Integer(5),
//!     }
//!     becomes ToneEdit;
//!     check |tone: &CreateTone, wrong: &mut Violations| wrong.check(…);
//! }
//! ```
//!
//! A field of type `T` is required, `Option<T>` may be left out or null, [`Patch<T>`] may be left out but not null,
//! and `Patch<Nullable<T>>` tells absent, null and a value apart. What it `becomes` is a change of the use cases with fields
//! of the same names ([`Becomes`]).

mod input;
mod plain;
mod reader;

use galley_domain::order::Violations;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::Value;

use super::scalar::Nullable;

pub use input::{Errors, Input, Place, kind_of};
pub use plain::{Becomes, Plain};
pub use reader::{Reader, Source, read_members, read_object, refuse_others, refuse_unknown};

/// A value that is there.
pub trait Field: Sized + Send + 'static {
    const TAKES_NULL: bool = false;

    fn schema() -> MetaSchemaRef;
    fn register(_registry: &mut Registry) {}
    /// `None` after saying what is wrong.
    fn read(input: Input<'_>, place: &Place<'_>, errors: &mut Errors) -> Option<Self>;

    /// How a default is shown.
    fn shown(&self) -> Option<Value> {
        None
    }
}

/// A slot of an object: a value that must be there, may be there, or several that belong together ([`super::page::Page`]).
pub trait Member: Sized {
    fn describe(object: &mut MetaSchema, name: &'static str, about: &'static str);
    fn register(_registry: &mut Registry) {}
    fn read(reader: &mut Reader<'_>, name: &'static str) -> Option<Self>;
}

impl<T: Field> Member for T {
    fn describe(object: &mut MetaSchema, name: &'static str, about: &'static str) {
        object.required.push(name);
        object.properties.push((name, described(T::schema(), about)));
    }

    fn register(registry: &mut Registry) {
        <T as Field>::register(registry);
    }

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Option<Self> {
        match reader.get(name) {
            Some(input) if T::TAKES_NULL || !input.is_null() => reader.value(input, name),
            _ => reader.wrong(name, "is required"),
        }
    }
}

impl<T: Field> Member for Option<T> {
    fn describe(object: &mut MetaSchema, name: &'static str, about: &'static str) {
        object.properties.push((name, described(or_null(T::schema()), about)));
    }

    fn register(registry: &mut Registry) {
        <T as Field>::register(registry);
    }

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Option<Self> {
        match reader.get(name).filter(|input| !input.is_null()) {
            None => Some(None),
            Some(input) => reader.value(input, name).map(Some),
        }
    }
}

/// A field of a change: left out it stays as it is. It takes `null` only as `Patch<Nullable<T>>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Patch<T>(pub Option<T>);

impl<T: Field> Member for Patch<T> {
    fn describe(object: &mut MetaSchema, name: &'static str, about: &'static str) {
        object.properties.push((name, described(T::schema(), about)));
    }

    fn register(registry: &mut Registry) {
        <T as Field>::register(registry);
    }

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Option<Self> {
        match reader.get(name) {
            None => Some(Self(None)),
            Some(input) if input.is_null() && !T::TAKES_NULL => {
                reader.wrong(name, "must not be null; leave it out to keep it as it is")
            }
            Some(input) => reader.value(input, name).map(|value| Self(Some(value))),
        }
    }
}

impl<T: Field> Field for Nullable<T> {
    const TAKES_NULL: bool = true;

    fn schema() -> MetaSchemaRef {
        or_null(T::schema())
    }

    fn register(registry: &mut Registry) {
        <T as Field>::register(registry);
    }

    fn read(input: Input<'_>, place: &Place<'_>, errors: &mut Errors) -> Option<Self> {
        if input.is_null() {
            Some(Self(None))
        } else {
            <T as Field>::read(input, place, errors).map(|value| Self(Some(value)))
        }
    }
}

fn described(schema: MetaSchemaRef, about: &'static str) -> MetaSchemaRef {
    match about {
        "" => schema,
        about => schema.merge(MetaSchema { description: Some(about), ..MetaSchema::ANY }),
    }
}

fn or_null(schema: MetaSchemaRef) -> MetaSchemaRef {
    let mut schema = match schema {
        MetaSchemaRef::Inline(schema) => *schema,
        reference => MetaSchema { all_of: vec![reference], ..MetaSchema::ANY },
    };
    schema.nullable = true;
    // With a list of words, null must be one of them.
    if !schema.enum_items.is_empty() && !schema.enum_items.contains(&Value::Null) {
        schema.enum_items.push(Value::Null);
    }
    MetaSchemaRef::Inline(Box::new(schema))
}

/// What a declaration says besides its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub refuses_unknown: bool,
    pub needs_a_field: bool,
    pub may_be_empty: bool,
    pub takes_forms: bool,
}

impl Rules {
    /// Unknown fields are refused, and there is a body of JSON.
    pub const STRICT: Self =
        Self { refuses_unknown: true, needs_a_field: false, may_be_empty: false, takes_forms: false };

    /// 002 and 003: newer clients send more than the document names.
    pub const fn ignores_unknown(self) -> Self {
        Self { refuses_unknown: false, ..self }
    }

    /// A change that changes nothing is an error.
    pub const fn needs_a_field(self) -> Self {
        Self { needs_a_field: true, ..self }
    }

    /// No body at all means an object without fields.
    pub const fn may_be_empty(self) -> Self {
        Self { may_be_empty: true, ..self }
    }

    /// `application/x-www-form-urlencoded` is taken as well as JSON.
    pub const fn takes_forms(self) -> Self {
        Self { takes_forms: true, ..self }
    }
}

/// What [`fields!`] declares.
pub trait Fields: Sized + Send + 'static {
    const NAME: &'static str;
    const RULES: Rules;

    fn schema() -> MetaSchema;
    fn register_members(registry: &mut Registry);
    fn members(reader: &mut Reader<'_>) -> Option<Self>;
    /// What holds between fields, once each of them is right.
    fn check(&self, wrong: &mut Violations);
}

/// Puts the schema of a declaration among the named ones, with those that it refers to.
pub fn register<T: Fields>(registry: &mut Registry) {
    registry.create_schema::<T, _>(T::NAME.to_owned(), |registry| {
        T::register_members(registry);
        T::schema()
    });
}

/// Describes a member that has a default.
pub fn describe_default<T: Field>(object: &mut MetaSchema, name: &'static str, about: &'static str, default: &T) {
    let schema = T::schema().merge(MetaSchema { default: default.shown(), ..MetaSchema::ANY });
    object.properties.push((name, described(schema, about)));
}

/// Declares a body, a form or a query; see [this module](self).
macro_rules! fields {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $name:ident $(: $($rule:ident),+)? {
            $(
                $(#[doc = $doc:literal])*
                $field:ident $(as $wire:literal)? : $type:ty $(= $default:expr)?
            ),* $(,)?
        }
        $(becomes $change:ty;)?
        $(check $check:expr;)?
    ) => {
        $(#[doc = $about])*
        #[derive(Debug)]
        $vis struct $name {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        impl $crate::http::kit::fields::Fields for $name {
            const NAME: &'static str = stringify!($name);
            const RULES: $crate::http::kit::fields::Rules =
                $crate::http::kit::fields::Rules::STRICT $($(.$rule())+)?;

            fn schema() -> poem_openapi::registry::MetaSchema {
                let mut object = poem_openapi::registry::MetaSchema::new("object");
                let about: &'static str = concat!($($about),*).trim_ascii();
                object.description = Some(about).filter(|about| !about.is_empty());
                $($crate::http::kit::fields::fields!(
                    @describe object,
                    $crate::http::kit::fields::fields!(@name $field $($wire)?),
                    concat!($($doc),*).trim_ascii(), $type $(, $default)?
                );)*
                $crate::http::kit::fields::seal(object, Self::RULES)
            }

            fn register_members(registry: &mut poem_openapi::registry::Registry) {
                $(<$type as $crate::http::kit::fields::Member>::register(registry);)*
            }

            fn members(reader: &mut $crate::http::kit::fields::Reader<'_>) -> Option<Self> {
                // All are read before the first one that is wrong ends it.
                $(let $field = $crate::http::kit::fields::fields!(
                    @read reader, $crate::http::kit::fields::fields!(@name $field $($wire)?), $type $(, $default)?
                );)*
                Some(Self { $($field: $field?,)* })
            }

            fn check(&self, wrong: &mut galley_domain::order::Violations) {
                let _ = &wrong;
                $(
                    let check: fn(&Self, &mut galley_domain::order::Violations) = $check;
                    check(self, wrong);
                )?
            }
        }

        impl $crate::http::kit::fields::Field for $name {
            fn schema() -> poem_openapi::registry::MetaSchemaRef {
                poem_openapi::registry::MetaSchemaRef::Reference(stringify!($name).to_owned())
            }

            fn register(registry: &mut poem_openapi::registry::Registry) {
                $crate::http::kit::fields::register::<Self>(registry);
            }

            fn read(
                input: $crate::http::kit::fields::Input<'_>,
                place: &$crate::http::kit::fields::Place<'_>,
                errors: &mut $crate::http::kit::fields::Errors,
            ) -> Option<Self> {
                $crate::http::kit::fields::read_object(input, place, errors)
            }
        }

        $crate::http::kit::fields::fields!(@becomes [$($change)?] $name $($field)*);
    };
    (@becomes [] $name:ident $($field:ident)*) => {};
    (@becomes [$change:ty] $name:ident $($field:ident)*) => {
        impl From<$name> for $change {
            fn from(fields: $name) -> Self {
                let mut change = Self::default();
                $(change.$field = $crate::http::kit::fields::Becomes::becomes(fields.$field);)*
                change
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $wire:literal) => { $wire };
    (@describe $object:ident, $name:expr, $doc:expr, $type:ty) => {
        <$type as $crate::http::kit::fields::Member>::describe(&mut $object, $name, $doc)
    };
    (@describe $object:ident, $name:expr, $doc:expr, $type:ty, $default:expr) => {
        $crate::http::kit::fields::describe_default::<$type>(&mut $object, $name, $doc, &$default)
    };
    (@read $reader:ident, $name:expr, $type:ty) => {
        <$type as $crate::http::kit::fields::Member>::read($reader, $name)
    };
    (@read $reader:ident, $name:expr, $type:ty, $default:expr) => {
        $reader.read_or::<$type>($name, $default)
    };
}
pub(in crate::http) use fields;

/// Says in a schema what the rules say. `additionalProperties: false` is written when the document is, because
/// poem-openapi has no word for it.
pub fn seal(mut object: MetaSchema, rules: Rules) -> MetaSchema {
    if rules.needs_a_field {
        object.min_properties = Some(1);
    }
    if rules.refuses_unknown {
        object.additional_properties = Some(super::document::nothing());
    }
    object
}

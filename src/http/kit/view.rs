//! What clients see of a row is declared once. [`view!`] makes of that declaration the object of the description and how
//! it comes of the row.
//!
//! ```ignore
//! view! {
//!     /// A tone to write in.
//!     pub struct Tone of rows::Tone {
//!         id: Uuid,
//!         name: String,
//!         updated_at: Moment,
//!         in_use: bool = false,
//!     }
//! }
//! ```
//!
//! A field is the row's of the same name, made by `From`; behind `=` stands what has no column. It may be made of the row
//! where that has a name: `struct Tone of rows::Tone as row`.

use chrono::{DateTime, Utc};
use galley_store::TextEnum;

use super::scalar::{Moment, Nullable, Word};

impl From<DateTime<Utc>> for Moment {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment)
    }
}

impl From<Option<DateTime<Utc>>> for Nullable<Moment> {
    fn from(moment: Option<DateTime<Utc>>) -> Self {
        Self(moment.map(Moment))
    }
}

impl<E> From<TextEnum<E>> for Word<E> {
    fn from(word: TextEnum<E>) -> Self {
        Self(word.0)
    }
}

/// Declares what clients see of a row; see [this module](self).
macro_rules! view {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $name:ident of $row:ty { $($fields:tt)* }
    ) => {
        $crate::http::kit::view::view! { $(#[doc = $about])* $vis struct $name of $row as row { $($fields)* } }
    };
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $name:ident of $row:ty as $this:ident {
            $($(#[doc = $doc:literal])* $field:ident: $type:ty $(= $value:expr)?),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, poem_openapi::Object)]
        $vis struct $name {
            $($(#[doc = $doc])* $field: $type,)*
        }

        impl From<$row> for $name {
            fn from($this: $row) -> Self {
                Self { $($field: $crate::http::kit::view::view!(@value $this.$field $(, $value)?),)* }
            }
        }
    };
    (@value $row:ident.$field:ident) => { $row.$field.into() };
    (@value $row:ident.$field:ident, $value:expr) => { $value };
}
pub(in crate::http) use view;

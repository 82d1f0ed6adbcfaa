//! What a declaration becomes for the use cases: the values alone, without the limits that the front has checked.

use serde_json::{Map, Value};

use super::Patch;
use crate::http::kit::{
    scalar::{Id, Moment, Nullable, Word},
    values::{Address, FreeObject, Integer, Link, List, Text},
};

/// A value that the use cases know under another type.
pub trait Plain {
    type Plain;
    fn plain(self) -> Self::Plain;
}

/// A slot of an object as a field of a change: `None` where nothing was said.
pub trait Becomes<P> {
    fn becomes(self) -> Option<P>;
}

impl<T: Plain, P: From<T::Plain>> Becomes<P> for T {
    fn becomes(self) -> Option<P> {
        Some(self.plain().into())
    }
}

impl<T: Plain, P: From<T::Plain>> Becomes<P> for Option<T> {
    fn becomes(self) -> Option<P> {
        self.map(|value| value.plain().into())
    }
}

impl<T: Plain, P: From<T::Plain>> Becomes<P> for Patch<T> {
    fn becomes(self) -> Option<P> {
        self.0.becomes()
    }
}

impl<T: Plain> Plain for Nullable<T> {
    type Plain = Option<T::Plain>;

    fn plain(self) -> Self::Plain {
        self.0.map(T::plain)
    }
}

impl<T: Plain, const MAX: usize, const MIN: usize> Plain for List<T, MAX, MIN> {
    type Plain = Vec<T::Plain>;

    fn plain(self) -> Self::Plain {
        self.0.into_iter().map(T::plain).collect()
    }
}

/// Values that the use cases know as they are.
macro_rules! plain_already {
    ($($type:ty),+) => {$(
        impl Plain for $type {
            type Plain = Self;

            fn plain(self) -> Self {
                self
            }
        }
    )+};
}

plain_already!(bool, uuid::Uuid);

/// Wrappers around the value.
macro_rules! wrappers {
    ($([$($generics:tt)*] $wrapper:ty = $plain:ty),+ $(,)?) => {$(
        impl<$($generics)*> Plain for $wrapper {
            type Plain = $plain;

            fn plain(self) -> Self::Plain {
                self.0
            }
        }
    )+};
}

wrappers! {
    [const MIN: usize, const MAX: usize] Text<MIN, MAX> = String,
    [const MIN: i64, const MAX: i64] Integer<MIN, MAX> = i64,
    [E] Word<E> = E,
    [] Link = String,
    [] Address = String,
    [] Id = uuid::Uuid,
    [] Moment = chrono::DateTime<chrono::Utc>,
    [] FreeObject = Map<String, Value>,
}

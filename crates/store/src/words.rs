//! Columns whose text is one of a few words: read and written as the enum of the domain.

use std::{fmt::Display, ops::Deref, str::FromStr, sync::Arc};

use galley_domain::task::UnknownWord;
use sea_orm::{
    ColIdx, DbErr, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Nullable, StringLen, ValueType, ValueTypeErr},
};
use serde::{Deserialize, Serialize};

/// A word of the domain as a column. A row with another word is an error of that row, not of whoever reads the field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TextEnum<T>(pub T);

/// An enum of the domain with one text for each variant.
pub trait Words: FromStr<Err = UnknownWord> + Display + Copy {}

impl<T: FromStr<Err = UnknownWord> + Display + Copy> Words for T {}

impl<T: Words> From<T> for TextEnum<T> {
    fn from(word: T) -> Self {
        Self(word)
    }
}

impl<T> Deref for TextEnum<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Words> From<TextEnum<T>> for Value {
    fn from(word: TextEnum<T>) -> Self {
        word.0.to_string().into()
    }
}

impl<T: Words> TryGetable for TextEnum<T> {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let unknown = |error| DbErr::TryIntoErr { from: "text", into: "a known word", source: Arc::new(error) };
        Ok(Self(String::try_get_by(row, index)?.parse().map_err(unknown)?))
    }
}

impl<T: Words> ValueType for TextEnum<T> {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        let text = <String as ValueType>::try_from(value)?;
        text.parse().map(Self).map_err(|_| ValueTypeErr)
    }

    fn type_name() -> String {
        "TextEnum".into()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::String(StringLen::None)
    }
}

impl<T: Words> Nullable for TextEnum<T> {
    fn null() -> Value {
        Value::String(None)
    }
}

//! Raw statements, for what reads better as SQL: the queue, and writes that lock, count and decide in one go.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, QueryResult, Statement, Value};

use crate::error::StoreError;

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// Runs a statement and returns how many rows it touched.
pub(crate) async fn execute(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, StoreError> {
    Ok(conn.execute_raw(statement(sql, values)).await?.rows_affected())
}

pub(crate) async fn one(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>, StoreError> {
    Ok(conn.query_one_raw(statement(sql, values)).await?)
}

pub(crate) async fn all(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, StoreError> {
    Ok(conn.query_all_raw(statement(sql, values)).await?)
}

/// Rows of a struct that derives [`FromQueryResult`].
pub(crate) async fn rows<T: FromQueryResult>(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>, StoreError> {
    all(conn, sql, values).await?.iter().map(|row| T::from_query_result(row, "").map_err(Into::into)).collect()
}

/// One parameter for `unnest`: the same of every row.
pub(crate) fn column<T, V>(rows: impl IntoIterator<Item = T>, value: impl Fn(T) -> V) -> Value
where
    Vec<V>: Into<Value>,
{
    rows.into_iter().map(value).collect::<Vec<V>>().into()
}

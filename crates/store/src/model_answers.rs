//! What models answered, where answers are kept. They are written with the usage of their calls.

use galley_domain::usage::Usage;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    entity::model_answers::{Column, Entity, Model},
    error::StoreError,
    queue::ClaimedStep,
    scope::Scoped,
    sql::{self, column},
};

const KEEP: &str = "
INSERT INTO model_answers (org_id, task_id, lease, ordinal, run, kind, position, attempt, model, operation, question, answer,
    ended, prompt_tokens, completion_tokens)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::integer[], $6::text[], $7::integer[],
    $8::integer[], $9::text[], $10::text[], $11::bytea[], $12::text[], $13::text[], $14::bigint[], $15::bigint[])
ON CONFLICT (lease, ordinal) DO NOTHING";

/// Keeps the answers of calls, each with its number in the attempt. A step without a task has nothing to be replayed.
pub(crate) async fn keep(
    conn: &impl ConnectionTrait,
    attempts: &[(ClaimedStep, Vec<Usage>)],
) -> Result<(), StoreError> {
    let rows: Vec<_> = attempts
        .iter()
        .filter_map(|(step, calls)| step.owner().map(|owner| (owner, step, calls)))
        .flat_map(|(owner, step, calls)| {
            let answers =
                (0i32..).zip(calls).filter_map(|(ordinal, call)| Some((ordinal, call, call.answer.as_ref()?)));
            answers.map(move |(ordinal, call, answer)| (owner, step, ordinal, call, answer))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let values = [
        column(&rows, |row| row.0.0.0),
        column(&rows, |row| row.0.1),
        column(&rows, |row| row.1.fence.lease),
        column(&rows, |row| row.2),
        column(&rows, |row| row.1.run),
        column(&rows, |row| row.1.kind.as_str().to_owned()),
        column(&rows, |row| row.1.position),
        column(&rows, |row| i32::try_from(row.1.attempt).unwrap_or(i32::MAX)),
        column(&rows, |row| row.3.model.clone()),
        column(&rows, |row| row.3.operation.clone()),
        column(&rows, |row| row.4.question.to_vec()),
        column(&rows, |row| row.4.text.clone()),
        column(&rows, |row| row.4.end.as_str().to_owned()),
        column(&rows, |row| count(row.3.prompt_tokens)),
        column(&rows, |row| count(row.3.completion_tokens)),
    ];
    sql::execute(conn, KEEP, values).await?;
    Ok(())
}

impl<C: ConnectionTrait> Scoped<C> {
    /// The kept answers of a task: of its newest run and attempts first, each attempt in the order of its calls.
    pub async fn model_answers(&self, task: Uuid) -> Result<Vec<Model>, StoreError> {
        let rows = self.find::<Entity>().filter(Column::TaskId.eq(task));
        let rows = rows.order_by_desc(Column::Run).order_by_desc(Column::Attempt).order_by_desc(Column::CreatedAt);
        Ok(rows.order_by_asc(Column::Lease).order_by_asc(Column::Ordinal).all(&self.conn).await?)
    }
}

//! Orders: everything that an order begins with.

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    announce::Wake,
    articles::NewArticle,
    error::StoreError,
    ledger::{HoldOutcome, queued, reserve},
    scope::TenantTx,
    sql,
    tasks::StepSeed,
};

/// A task as ordered, with the article that will come of it and its first step.
#[derive(Debug, Clone)]
pub struct NewOrder {
    pub id: Uuid,
    pub kind: &'static str,
    pub input: Json,
    pub price: Decimal,
    pub trace_id: String,
    pub api_key_id: Option<Uuid>,
    pub article: NewArticle,
    pub first: StepSeed,
    /// What the event `task.created` says.
    pub told: Json,
}

/// One statement, because all other orders of the organization wait from its first row to the end of the transaction.
const INSERT: &str = concat!(
    "WITH org AS (",
    reserve!(),
    "),
     task AS (
        INSERT INTO tasks (id, org_id, kind, status, input, article_id, rank, event_seq, price, trace_id, api_key_id)
        SELECT $4, $1, $5, 'pending', $6, $7, last_rank, 1, $2, $8, $9 FROM org RETURNING rank),
     article AS (
        INSERT INTO articles (id, org_id, project_id, task_id, status, title, slug, content_format, keywords, tone,
            length, language)
        SELECT $7, $1, $10, $4, 'generating', $11, $12, $13, $14, $15, $16, $17 FROM task),
     hold AS (INSERT INTO holds (task_id, run, org_id, amount, state) SELECT $4, 1, $1, $2, 'open' FROM task),
     event AS (
        INSERT INTO event_groups (org_id, task_id, seq, told) SELECT $1, $4, 1, $18 FROM task),
     step AS (
        INSERT INTO steps (id, org_id, task_id, run, kind, position, state, rank, max_attempts, trace_id)
        SELECT $19, $1, $4, 1, $20, $21, 'ready', rank, $22, $8 FROM task)
     SELECT rank FROM task"
);

impl TenantTx {
    /// Reserves the price as [`TenantTx::reserve`] does and, if there is enough, writes the order: task, article, hold,
    /// event and first step. Wakes the workers at commit.
    pub async fn insert_order(&self, order: NewOrder) -> Result<HoldOutcome, StoreError> {
        let NewOrder { article, first, .. } = order;
        let row = sql::one(
            &self.conn,
            INSERT,
            [
                self.org_value(),
                order.price.into(),
                queued(),
                order.id.into(),
                order.kind.into(),
                order.input.into(),
                article.id.into(),
                order.trace_id.into(),
                order.api_key_id.into(),
                article.project_id.into(),
                article.title.into(),
                article.slug.into(),
                article.content_format.as_str().into(),
                article.keywords.into(),
                article.tone.into(),
                article.length.map(|length| length.as_str().to_owned()).into(),
                article.language.into(),
                json!([{ "kind": "task.created", "data": order.told }]).into(),
                Uuid::now_v7().into(),
                first.kind.as_str().into(),
                first.position.into(),
                i32::try_from(first.max_attempts).unwrap_or(1).into(),
            ],
        )
        .await?;
        let Some(row) = row else { return self.insufficient().await };
        self.say(Wake::Event { task: order.id });
        self.say(Wake::Steps { kind: first.kind });
        Ok(HoldOutcome::Held { rank: row.try_get("", "rank")? })
    }
}

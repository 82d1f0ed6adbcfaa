//! What is said of a task when it is ordered or run again.

use galley_domain::{article, order::ArticleOrder, task::TaskStatus};
use galley_services::{Answer, Receipt};
use poem_openapi::{
    Object,
    registry::MetaSchema,
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON},
};
use serde_json::Value;
use uuid::Uuid;

use super::{FileReference, WorkError};
use crate::http::kit::{
    reply::{Accepted, Reply},
    scalar::{Amount, Moment, Nullable, Word, plain_type},
};

/// A task as it is ordered: what `GET` shows of it from then on, where it is known already.
#[derive(Debug, Object)]
pub struct OrderedTask {
    task_id: Uuid,
    /// The same as `task_id`.
    id: Uuid,
    /// The article that will come of it; until then its status is `generating`.
    article_id: Uuid,
    /// The same as `article_id`, as a list.
    article_ids: Vec<Uuid>,
    /// Always `pending`.
    status: Word<TaskStatus>,
    /// Percent: always 0.
    progress: i16,
    /// Always null: none runs.
    current_step: Nullable<String>,
    /// Always empty.
    steps_completed: Vec<String>,
    user_prompt: String,
    keywords: Vec<String>,
    reference_links: Vec<String>,
    uploaded_files: Vec<FileReference>,
    min_words: u32,
    max_words: u32,
    /// Always null.
    error: Nullable<WorkError>,
    /// Seconds that it usually takes.
    estimated_time_seconds: u32,
    /// Credits that are held until the task ends.
    credits_held: Amount,
    /// Always 0: nothing is charged before the article is there.
    credits_used: Amount,
    /// Null only when this is the answer to an order of an earlier release.
    created_at: Nullable<Moment>,
    /// Always null.
    started_at: Nullable<Moment>,
    /// Always null.
    completed_at: Nullable<Moment>,
}

impl OrderedTask {
    pub fn reply(order: ArticleOrder, answer: Answer<Receipt>) -> Reply<Self, Accepted> {
        let location = format!("/api/v1/tasks/{}", answer.value.task_id);
        Reply::of(answer, |receipt| Self::of(order, receipt)).at(&location)
    }

    fn of(order: ArticleOrder, receipt: Receipt) -> Self {
        let article = receipt.subject.unwrap_or_default();
        Self {
            task_id: receipt.task_id,
            id: receipt.task_id,
            article_id: article,
            article_ids: vec![article],
            status: Word(TaskStatus::Pending),
            progress: 0,
            current_step: Nullable(None),
            steps_completed: Vec::new(),
            user_prompt: order.brief.prompt,
            keywords: order.brief.keywords,
            reference_links: order.reference_links,
            uploaded_files: order.uploaded_files.into_iter().map(FileReference).collect(),
            min_words: order.brief.words.min,
            max_words: order.brief.words.max,
            error: Nullable(None),
            estimated_time_seconds: receipt.estimated_time_seconds,
            credits_held: Amount(receipt.price),
            credits_used: Amount(0.into()),
            created_at: receipt.created_at.map(Moment).into(),
            started_at: Nullable(None),
            completed_at: Nullable(None),
        }
    }
}

/// What running a task again has started.
#[derive(Debug, Object)]
pub struct TaskReceipt {
    task_id: Uuid,
    /// The same as `task_id`.
    id: Uuid,
    /// The article that will come of it; until then its status is `generating`.
    article_id: ArticleId,
    /// Always `pending`.
    status: Word<TaskStatus>,
    /// Seconds that it usually takes.
    estimated_time_seconds: u32,
    /// Credits that are held until the task ends.
    credits_held: Amount,
}

/// The id of the article that a task is about; left out for a task about something else. The description says that it is
/// always there, as it is for every kind of task that clients order or run again today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArticleId(Option<Uuid>);

plain_type!([] ArticleId, true, "article_id", MetaSchema::new_with_format("string", "uuid"));

impl ToJSON for ArticleId {
    fn to_json(&self) -> Option<Value> {
        self.0.map(|id| serde_json::json!(id))
    }
}

impl ParseFromJSON for ArticleId {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Option::<Uuid>::parse_from_json(value).map(Self).map_err(ParseError::propagate)
    }
}

impl TaskReceipt {
    /// Of a task of this kind.
    pub fn reply(kind: &str, answer: Answer<Receipt>) -> Reply<Self, Accepted> {
        let location = format!("/api/v1/tasks/{}", answer.value.task_id);
        Reply::of(answer, |receipt| Self::of(kind, receipt)).at(&location)
    }

    fn of(kind: &str, receipt: Receipt) -> Self {
        Self {
            task_id: receipt.task_id,
            id: receipt.task_id,
            article_id: ArticleId(receipt.subject.filter(|_| kind == article::TASK)),
            status: Word(TaskStatus::Pending),
            estimated_time_seconds: receipt.estimated_time_seconds,
            credits_held: Amount(receipt.price),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_receipt_names_an_article_only_where_there_is_one() {
        let (task_id, subject) = (Uuid::from_u128(1), Some(Uuid::from_u128(2)));
        let receipt =
            |subject| Receipt { task_id, subject, price: 40.into(), estimated_time_seconds: 45, created_at: None };
        let shown = |kind: &str, subject| TaskReceipt::of(kind, receipt(subject)).to_json().expect("an object");
        assert_eq!(shown("article", subject)["article_id"], json!(subject));
        for (kind, subject) in [("digest", subject), ("digest", None)] {
            assert_eq!(shown(kind, subject).get("article_id"), None, "{kind} {subject:?}");
        }
    }
}

//! Articles as blog posts of a project.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};
use galley_domain::publishing::PostStatus;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, FromQueryResult, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};
use uuid::Uuid;

use crate::{
    articles::LEFT_BY_NO_CANCEL,
    entity::articles::{Column, Entity, Head, Model},
    error::StoreError,
    scope::{Scoped, TenantTx},
    sql,
};

/// The state of a post as those who publish see it, in SQL: the same rule as `galley_services::post_status`.
macro_rules! post_state {
    () => {
        "CASE WHEN rewrite_task_id IS NOT NULL THEN 'generating'
            WHEN publish_error IS NOT NULL AND status IN ('awaiting_input', 'draft', 'review', 'archived', 'approved')
                THEN 'failed'
            WHEN status IN ('awaiting_input', 'review', 'archived') THEN 'draft'
            WHEN status = 'approved' THEN 'ready'
            ELSE status END"
    };
}

/// What the blog posts of a project come to.
#[derive(Debug, Clone, FromQueryResult)]
pub struct PostCounts {
    /// How many are in each state of a post.
    pub by_status: serde_json::Value,
    pub by_post_type: serde_json::Value,
    pub total: i64,
    pub published_last_30_days: i64,
    pub scheduled_next_30_days: i64,
    pub average_word_count: Option<f64>,
    pub average_seo_score: Option<f64>,
    pub credits_used: rust_decimal::Decimal,
}

/// Posts that were cancelled before they had a text are not there.
const COUNTS: &str = concat!(
    "WITH posts AS (SELECT a.*, ",
    post_state!(),
    " AS state
    FROM articles a WHERE a.org_id = $1 AND a.project_id = $2 AND NOT (a.status = 'failed' AND EXISTS (
        SELECT FROM tasks t WHERE t.org_id = a.org_id AND t.id = a.task_id AND t.status = 'cancelled')))
SELECT
    coalesce((SELECT jsonb_object_agg(state, number) FROM (SELECT state, count(*) AS number FROM posts GROUP BY state) s),
        '{}') AS by_status,
    coalesce((SELECT jsonb_object_agg(post_type, number)
        FROM (SELECT post_type, count(*) AS number FROM posts GROUP BY post_type) s), '{}') AS by_post_type,
    count(*) AS total,
    count(*) FILTER (WHERE status = 'published' AND published_at > now() - interval '30 days') AS published_last_30_days,
    count(*) FILTER (WHERE status = 'scheduled' AND scheduled_at < now() + interval '30 days') AS scheduled_next_30_days,
    avg(word_count) FILTER (WHERE version > 0)::double precision AS average_word_count,
    avg((seo_report->>'score')::double precision) FILTER (WHERE version > 0) AS average_seo_score,
    coalesce((SELECT -sum(l.amount) FROM ledger_entries l JOIN tasks t ON t.org_id = l.org_id AND t.id = l.task_id
        WHERE l.org_id = $1 AND l.kind = 'charge' AND t.subject_id IN (SELECT id FROM posts)), 0) AS credits_used
FROM posts"
);

/// An article as it stands in the calendar.
#[derive(Debug, Clone, FromQueryResult)]
pub struct CalendarRow {
    pub id: Uuid,
    pub project_id: Option<Uuid>,
    pub title: String,
    pub status: String,
    pub published_at: Option<DateTime<Utc>>,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub planned_for: Option<NaiveDate>,
    pub schedule: Option<serde_json::Value>,
    pub rewrite_task_id: Option<Uuid>,
    pub publish_error: Option<String>,
    pub updated_at: DateTime<Utc>,
}

/// What of a calendar is looked for.
#[derive(Debug, Clone)]
pub struct CalendarFilter {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// The same as dates, the last one included.
    pub days: (NaiveDate, NaiveDate),
    pub project_id: Option<Uuid>,
    pub state: Option<PostState>,
    pub limit: u64,
}

/// Articles that posts show in one state.
#[derive(Debug, Clone, Default)]
pub struct PostState {
    /// What they are here.
    pub statuses: Vec<String>,
    /// Whether that is the state of those that are written anew.
    pub is_rewritten: bool,
    /// Whether that is the state of those that could not be published, if they are one of these here.
    pub has_failed: bool,
    pub may_fail: Vec<String>,
}

/// Each branch along an index of its own.
const DATED: &str = "
WITH found AS (
    SELECT id FROM articles WHERE org_id = $1 AND scheduled_at >= $9 AND scheduled_at < $10
    UNION SELECT id FROM articles WHERE org_id = $1 AND published_at >= $9 AND published_at < $10
    UNION SELECT id FROM articles WHERE org_id = $1 AND planned_for BETWEEN $11 AND $12)";

const UNDATED: &str = "
WITH found AS (
    SELECT id FROM articles WHERE org_id = $1 AND scheduled_at IS NULL AND planned_for IS NULL
        AND published_at IS NULL AND status NOT IN ('archived', 'failed'))";

const SHOWN: &str = "
SELECT a.id, a.project_id, a.title, a.status, a.published_at, a.scheduled_at, a.planned_for, a.schedule,
    a.rewrite_task_id, a.publish_error, a.updated_at
FROM articles a JOIN found USING (id)
LEFT JOIN projects p ON p.org_id = a.org_id AND p.id = a.project_id
WHERE a.org_id = $1 AND p.deleted_at IS NULL AND ($2::uuid IS NULL OR a.project_id = $2)
    AND ($3::boolean OR CASE
        WHEN a.rewrite_task_id IS NOT NULL THEN $4
        WHEN a.publish_error IS NOT NULL AND a.status = ANY($5::text[]) THEN $6
        ELSE a.status = ANY($7::text[]) END)";

static CALENDAR: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{DATED}{SHOWN} ORDER BY coalesce(a.scheduled_at, a.published_at, a.planned_for::timestamptz), a.id LIMIT $8"
    )
});
static SHELF: LazyLock<String> =
    LazyLock::new(|| format!("{UNDATED}{SHOWN} ORDER BY a.updated_at DESC, a.id LIMIT $8"));

impl CalendarFilter {
    /// What both queries ask.
    fn values(&self, org: sea_orm::Value) -> Vec<sea_orm::Value> {
        let state = self.state.clone().unwrap_or_default();
        vec![
            org,
            self.project_id.into(),
            self.state.is_none().into(),
            state.is_rewritten.into(),
            state.may_fail.into(),
            state.has_failed.into(),
            state.statuses.into(),
            i64::try_from(self.limit).unwrap_or(i64::MAX).into(),
        ]
    }
}

impl<C: ConnectionTrait> Scoped<C> {
    /// Newest first; only those in a state, if one is named.
    pub async fn posts(&self, project: Uuid, status: Option<PostStatus>) -> Result<Vec<Head>, StoreError> {
        let in_state = |status: PostStatus| Expr::cust_with_values(concat!(post_state!(), " = $1"), [status.as_str()]);
        let condition = Condition::all()
            .add(Column::ProjectId.eq(project))
            .add(Expr::cust(LEFT_BY_NO_CANCEL))
            .add_option(status.map(in_state));
        let newest = [(Column::CreatedAt, Order::Desc), (Column::Id, Order::Asc)];
        // Most lists of this document are whole; what a person scrolls through ends somewhere.
        Ok(self.page::<Entity, Head>(condition, &newest, 10_000, 0).await?.0)
    }

    /// Of all articles of a project, whatever they are.
    pub async fn article_ids(&self, project: Uuid) -> Result<Vec<Uuid>, StoreError> {
        let of_project = self.find::<Entity>().filter(Column::ProjectId.eq(project)).select_only().column(Column::Id);
        Ok(of_project.into_tuple().all(&self.conn).await?)
    }

    pub async fn post(&self, project: Uuid, id: Uuid) -> Result<Option<Model>, StoreError> {
        let own = self.find::<Entity>().filter(Column::Id.eq(id)).filter(Column::ProjectId.eq(project));
        Ok(own.one(&self.conn).await?)
    }

    pub async fn post_counts(&self, project: Uuid) -> Result<PostCounts, StoreError> {
        let found = sql::rows(&self.conn, COUNTS, [self.org_value(), project.into()]).await?;
        found.into_iter().next().ok_or_else(|| StoreError::Unreadable("counts of posts without a row".into()))
    }

    /// What has a date, in the order of the dates.
    pub async fn calendar(&self, filter: &CalendarFilter) -> Result<Vec<CalendarRow>, StoreError> {
        let mut values = filter.values(self.org_value());
        values.extend([filter.from.into(), filter.to.into(), filter.days.0.into(), filter.days.1.into()]);
        sql::rows(&self.conn, &CALENDAR, values).await
    }

    /// What has no date, the newest first.
    pub async fn shelf(&self, filter: &CalendarFilter) -> Result<Vec<CalendarRow>, StoreError> {
        sql::rows(&self.conn, &SHELF, filter.values(self.org_value())).await
    }
}

const IS_NO_PAGE: &str = "NOT EXISTS (SELECT FROM publications there WHERE there.org_id = articles.org_id
    AND there.article_id = articles.id AND there.metadata->>'external_type' = 'page')";

impl TenantTx {
    /// The approved article of a project that waits longest for its publication; one whose publication has failed waits
    /// for somebody to look at it, and a page of a site goes nowhere. Whoever else looks for one meanwhile gets the next.
    pub async fn oldest_approved(&self, project: Uuid) -> Result<Option<Model>, StoreError> {
        let waiting = self
            .find::<Entity>()
            .filter(Column::ProjectId.eq(project))
            .filter(Column::Status.eq("approved"))
            .filter(Column::PublicationId.is_null())
            .filter(Column::PublishError.is_null())
            .filter(Column::RewriteTaskId.is_null())
            .filter(Expr::cust(IS_NO_PAGE));
        let oldest = waiting.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
        Ok(oldest.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).one(&self.conn).await?)
    }

    /// Writes back what the caller changed on a locked article beside its text, which has its versions.
    pub async fn save_article(&self, article: Model) -> Result<Model, StoreError> {
        self.save::<Entity>(article).await
    }
}

//! What the posts of a project come to.

use std::collections::BTreeMap;

use galley_domain::publishing::{PostStatus, PostType};
use galley_store::PostCounts;
use poem_openapi::Object;
use serde_json::json;

use crate::http::kit::{problem::Problem, scalar::Nullable, statuses::unreadable, values::FreeObject};

/// What is known of the posts of a project.
#[derive(Debug, Object)]
pub struct BlogAnalytics {
    total: i64,
    /// How many are in each state; every state is there.
    by_status: FreeObject,
    /// How many are of each type; every type is there.
    by_post_type: FreeObject,
    published_last_30_days: i64,
    scheduled_next_30_days: i64,
    /// Of those that have a text; 0 when none has.
    average_word_count: f64,
    /// 0 to 100; null when none has a text.
    average_seo_score: Nullable<f64>,
    /// Credits, as a decimal.
    xct_used: String,
}

impl TryFrom<PostCounts> for BlogAnalytics {
    type Error = Problem;

    fn try_from(counts: PostCounts) -> Result<Self, Problem> {
        let states: BTreeMap<String, i64> = serde_json::from_value(counts.by_status).map_err(unreadable)?;
        let in_state =
            |status: &PostStatus| (status.as_str().to_owned(), json!(states.get(status.as_str()).unwrap_or(&0)));
        let types: BTreeMap<String, i64> = serde_json::from_value(counts.by_post_type).map_err(unreadable)?;
        let of_type = |kind: &PostType| (kind.as_str().to_owned(), json!(types.get(kind.as_str()).unwrap_or(&0)));
        Ok(Self {
            total: counts.total,
            by_status: FreeObject(PostStatus::ALL.iter().map(in_state).collect()),
            by_post_type: FreeObject(PostType::ALL.iter().map(of_type).collect()),
            published_last_30_days: counts.published_last_30_days,
            scheduled_next_30_days: counts.scheduled_next_30_days,
            average_word_count: counts.average_word_count.unwrap_or(0.0),
            average_seo_score: counts.average_seo_score.into(),
            xct_used: counts.credits_used.round_dp(4).to_string(),
        })
    }
}

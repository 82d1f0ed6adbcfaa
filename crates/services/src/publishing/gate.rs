//! The publish gate of a project: what must hold before an article goes out, as `settings.publish_gate` says.

use galley_domain::{article::ArticleStatus, order::FieldError};
use galley_store::{StoreError, StoredClaim, TenantTx, rows};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::error::ServiceError;

/// What a project asks of an article.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct PublishGate {
    /// Every sentence rests on something that was read.
    no_unsupported_claims: bool,
    /// Of 100.
    min_score: Option<i64>,
    /// Somebody has said that it is ready.
    approved: bool,
    cover: bool,
}

impl PublishGate {
    /// That of a project. Settings are free, so what cannot be understood is a refusal and not a gate that stands open.
    fn of(settings: &Json) -> Result<Self, ServiceError> {
        match settings.get("publish_gate") {
            None | Some(Json::Null) => Ok(Self::default()),
            Some(gate) => serde_json::from_value(gate.clone()).map_err(|error| {
                let text = format!("settings.publish_gate of the project cannot be read ({error}); mend it first");
                ServiceError::Conflict(text)
            }),
        }
    }

    fn asks_for_claims(&self) -> bool {
        self.no_unsupported_claims
    }

    /// What does not hold, each with the rule that asks for it.
    fn refusals(&self, article: &rows::Article, unsupported: usize, has_image: bool) -> Vec<FieldError> {
        let score = article.seo_report.as_ref().and_then(|report| report["score"].as_i64()).unwrap_or(0);
        // Whoever has let it out once, or promised an hour for it, has said that it is ready.
        let is_approved = [ArticleStatus::Approved, ArticleStatus::Scheduled, ArticleStatus::Published]
            .iter()
            .any(|status| status.as_str() == article.status);
        let has_cover = has_image || article.featured_url.is_some();
        let rules = [
            (
                self.no_unsupported_claims && unsupported > 0,
                "no_unsupported_claims",
                format!(
                    "{unsupported} sentences rest on nothing that was read; mend them, see the claims of the article"
                ),
            ),
            (
                self.min_score.is_some_and(|least| score < least),
                "min_score",
                format!("the score is {score} and the project asks for {}", self.min_score.unwrap_or_default()),
            ),
            (
                self.approved && !is_approved,
                "approved",
                "nobody has said that it is ready; set it to ready first".into(),
            ),
            (self.cover && !has_cover, "cover", "it has no cover; give it a featured image".into()),
        ];
        let refused = rules.into_iter().filter(|(refuses, ..)| *refuses);
        refused.map(|(_, rule, message)| FieldError { field: format!("publish_gate.{rule}"), message }).collect()
    }
}

/// What keeps the article from going out, if anything does.
pub(crate) async fn refusals(tx: &TenantTx, article: &rows::Article) -> Result<Vec<FieldError>, ServiceError> {
    let Some(project) = article.project_id else { return Ok(Vec::new()) };
    let Some(project) = tx.project(project).await? else { return Ok(Vec::new()) };
    let gate = PublishGate::of(&project.settings)?;
    let unsupported = match gate.asks_for_claims() {
        true => unsupported(tx, article).await?,
        false => 0,
    };
    let has_image = !tx.featured_images(&[article.id]).await?.is_empty();
    Ok(gate.refusals(article, unsupported, has_image))
}

async fn unsupported(tx: &TenantTx, article: &rows::Article) -> Result<usize, StoreError> {
    let claims = tx.claims(article.id, article.version).await?;
    let claims = claims.into_iter().map(StoredClaim::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(claims.iter().filter(|claim| claim.verdict.falls_short()).count())
}

/// Refuses an article that the gate does not let out, naming each rule.
pub(crate) async fn check(tx: &TenantTx, article: &rows::Article) -> Result<(), ServiceError> {
    let refusals = refusals(tx, article).await?;
    if refusals.is_empty() {
        return Ok(());
    }
    let text = "the publish gate of the project does not let the article out; see errors".to_owned();
    Err(ServiceError::Refused(text, refusals))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn article(status: ArticleStatus, score: i64) -> rows::Article {
        rows::Article {
            status: status.as_str().into(),
            seo_report: Some(json!({ "score": score })),
            ..rows::Article::default()
        }
    }

    #[test]
    fn each_rule_that_does_not_hold_is_named() {
        let settings = json!({ "publish_gate": { "no_unsupported_claims": true, "min_score": 70, "approved": true, "cover": true } });
        let gate = PublishGate::of(&settings).expect("a gate");
        let fields = |article: &rows::Article, unsupported| -> Vec<String> {
            gate.refusals(article, unsupported, false).into_iter().map(|error| error.field).collect()
        };
        assert_eq!(
            fields(&article(ArticleStatus::Draft, 69), 1),
            [
                "publish_gate.no_unsupported_claims",
                "publish_gate.min_score",
                "publish_gate.approved",
                "publish_gate.cover"
            ]
        );
        let covered = rows::Article { featured_url: Some("https://x".into()), ..article(ArticleStatus::Approved, 70) };
        assert_eq!(fields(&covered, 0), Vec::<String>::new());
    }

    #[test]
    fn a_gate_that_cannot_be_read_is_closed() {
        assert_eq!(PublishGate::of(&json!({})).expect("none"), PublishGate::default());
        assert!(PublishGate::of(&json!({ "publish_gate": { "min_score": "high" } })).is_err());
    }
}

//! What every sentence of an article rests on.

use galley_domain::writing::Verdict;
use galley_services::{ClaimView, ClaimsReport};
use poem_openapi::{Enum, Object, OpenApi, param::Path};
use uuid::Uuid;

use crate::http::{
    Area,
    articles::DataSource,
    kit::{
        auth::{ArticlesRead, Auth},
        page::Pagination,
        problem::Problem,
        reply::{Outcome, Reply},
        scalar::{Id, Nullable},
        statuses::unreadable,
    },
};

pub struct Claims;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Articles")]
impl Claims {
    /// List what the sentences of an article rest on
    ///
    /// Every sentence of the newest version in reading order, with the passage that supports it or with what no
    /// passage has.
    #[oai(path = "/articles/:article_id/claims", method = "get", operation_id = "list_article_claims")]
    async fn list(&self, auth: Auth<ArticlesRead>, article_id: Path<Id>) -> Outcome<Report> {
        let id = article_id.0.0;
        let report = auth.services().article_claims(auth.org(), id).await?;
        Ok(Reply::new(Report::of(id, report)?))
    }
}

/// Whether a sentence has support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ClaimVerdict {
    /// A passage says the same: each clause, with every number, date and name of the sentence.
    Supported,
    /// A passage says most of it and denies nothing; what is in `missing` it does not say, or it says less than the
    /// sentence.
    Partly,
    /// No passage does.
    Unsupported,
    /// The sentence states nothing that could be true or false.
    NoClaim,
}

/// A passage of a source.
#[derive(Debug, Object)]
pub struct Passage {
    /// Where it begins in the text that was read, in bytes of UTF-8.
    start: i32,
    /// Where it ends, in bytes of UTF-8.
    end: i32,
    /// Its words.
    text: String,
}

/// A sentence and what it rests on.
#[derive(Debug, Object)]
pub struct Claim {
    position: i32,
    /// The section that the sentence stands in, counted from 0.
    section: i32,
    sentence: String,
    verdict: ClaimVerdict,
    source: Nullable<DataSource>,
    /// The passage that supports the sentence; for an unsupported one the nearest, if any came close.
    span: Nullable<Passage>,
    /// How much of the sentence the passage covers, 0 to 1.
    coverage: f64,
    /// What of the sentence the passage does not have: numbers, dates, names, words; and what the passage has against it.
    missing: Vec<String>,
}

/// How many sentences there are of each kind.
#[derive(Debug, Default, PartialEq, Eq, Object)]
pub struct ClaimSummary {
    total: usize,
    supported: usize,
    partly: usize,
    unsupported: usize,
    no_claim: usize,
}

/// What the sentences of one version rest on.
#[derive(Debug, Object)]
#[oai(rename = "ClaimsReport")]
pub struct Report {
    article_id: Uuid,
    version: i32,
    summary: ClaimSummary,
    data: Vec<Claim>,
    pagination: Pagination,
}

impl Report {
    fn of(article_id: Uuid, report: ClaimsReport) -> Result<Self, Problem> {
        let data: Vec<Claim> = report.claims.into_iter().map(Claim::try_from).collect::<Result<_, _>>()?;
        let summary = ClaimSummary::of(&data);
        Ok(Self { article_id, version: report.version, summary, pagination: Pagination::whole(data.len()), data })
    }
}

impl ClaimSummary {
    fn of(claims: &[Claim]) -> Self {
        let count = |verdict| claims.iter().filter(|claim| claim.verdict == verdict).count();
        Self {
            total: claims.len(),
            supported: count(ClaimVerdict::Supported),
            partly: count(ClaimVerdict::Partly),
            unsupported: count(ClaimVerdict::Unsupported),
            no_claim: count(ClaimVerdict::NoClaim),
        }
    }
}

impl TryFrom<ClaimView> for Claim {
    type Error = Problem;

    fn try_from(view: ClaimView) -> Result<Self, Problem> {
        let row = view.claim;
        let verdict = match row.verdict.parse().map_err(unreadable)? {
            Verdict::Supported => ClaimVerdict::Supported,
            Verdict::Partly => ClaimVerdict::Partly,
            Verdict::Unsupported => ClaimVerdict::Unsupported,
            Verdict::NoClaim => ClaimVerdict::NoClaim,
        };
        let span = row.span_start.zip(row.span_end).zip(view.quote);
        Ok(Self {
            position: row.position,
            section: row.section,
            sentence: row.sentence,
            verdict,
            source: view.source.map(DataSource::try_from).transpose()?.into(),
            span: span.map(|((start, end), text)| Passage { start, end, text }).into(),
            coverage: f64::from(row.coverage) / 1000.0,
            missing: row.missing,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use galley_store::rows;
    use poem_openapi::types::ToJSON;
    use serde_json::json;

    use super::*;

    fn claim(verdict: &str, span: Option<(i32, i32)>) -> ClaimView {
        let row = rows::Claim {
            org_id: Uuid::nil(),
            article_id: Uuid::nil(),
            version: 2,
            position: 0,
            section: 1,
            sentence: "Tea is old.".into(),
            verdict: verdict.into(),
            source_id: None,
            span_start: span.map(|span| span.0),
            span_end: span.map(|span| span.1),
            coverage: 750,
            missing: vec!["1610".into()],
        };
        let source = rows::SourceHead {
            id: Uuid::from_u128(5),
            number: 1,
            origin: json!({ "kind": "file", "name": "tea.pdf" }),
            title: "Tea".into(),
            language: None,
            sha256: String::new(),
            words: 3,
            fetched_at: DateTime::UNIX_EPOCH,
        };
        ClaimView { claim: row, source: span.map(|_| source), quote: span.map(|_| "Tea is old.".into()) }
    }

    #[test]
    fn a_report_counts_and_shows_its_sentences() {
        let claims = ["supported", "unsupported", "partly", "no_claim"]
            .map(|verdict| claim(verdict, (verdict == "supported").then_some((0, 11))))
            .into();
        let report = Report::of(Uuid::nil(), ClaimsReport { version: 2, claims }).expect("readable");
        let json = report.to_json().expect("JSON");
        assert_eq!(
            json["summary"],
            json!({ "total": 4, "supported": 1, "partly": 1, "unsupported": 1, "no_claim": 1 })
        );
        assert_eq!(json["data"][0]["span"], json!({ "start": 0, "end": 11, "text": "Tea is old." }));
        assert_eq!(
            (&json["data"][0]["source"]["file"], &json["data"][0]["coverage"]),
            (&json!("tea.pdf"), &json!(0.75))
        );
        assert_eq!((&json["data"][1]["span"], &json["data"][1]["source"]), (&json!(null), &json!(null)));
    }

    #[test]
    fn an_unknown_verdict_is_an_error() {
        assert!(Claim::try_from(claim("maybe", None)).is_err());
    }
}

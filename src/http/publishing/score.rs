//! How well a post is made for readers and search engines, with a keyword in view.

use galley_services::SeoScore;
use poem_openapi::{Object, OpenApi, param::Path};

use crate::http::{
    Area,
    kit::{
        auth::{Auth, ProjectsRead},
        fields::fields,
        query::Query,
        reply::{Outcome, Reply},
        scalar::{Id, Nullable},
        values::Text,
    },
};

pub struct Scores;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl Scores {
    /// Score a blog post
    ///
    /// Named checks, each with what was measured and what to do. Costs nothing and changes nothing. As long as there is no
    /// text it is a CONFLICT.
    #[oai(
        path = "/projects/:project_id/blog-posts/:post_id/seo-score",
        method = "get",
        operation_id = "get_blog_post_seo_score"
    )]
    async fn score(
        &self,
        auth: Auth<ProjectsRead>,
        project_id: Path<Id>,
        post_id: Path<Id>,
        Query(query): Query<ScoreQuery>,
    ) -> Outcome<BlogSeoScore> {
        let place = (project_id.0.0, post_id.0.0);
        let focus = query.focus_keyword.map(|keyword| keyword.0);
        Ok(Reply::new(auth.services().seo_score(auth.org(), place, focus).await?.into()))
    }
}

fields! {
    /// What to look for.
    pub struct ScoreQuery {
        /// What the post wants to be found for; by default that of `seo_meta`, then the first keyword.
        focus_keyword: Option<Text<1, 100>>,
    }
}

/// One thing that was looked at.
#[derive(Debug, Object)]
pub struct BlogSeoCheck {
    id: String,
    label: String,
    passed: bool,
    /// 0, 1 or 2.
    score: u8,
    /// 0 where there is nothing to judge: such a check does not count.
    max_score: u8,
    /// What was measured, and what to do about it.
    message: String,
}

/// How well a post is made.
#[derive(Debug, Object)]
pub struct BlogSeoScore {
    /// 0 to 100.
    score: u8,
    /// A from 90, B from 80, C from 70, D from 60, E from 50, else F.
    grade: String,
    focus_keyword: Nullable<String>,
    word_count: u32,
    checks: Vec<BlogSeoCheck>,
    /// What to do, the most urgent first.
    recommendations: Vec<String>,
}

fn grade(score: u8) -> &'static str {
    match score {
        90.. => "A",
        80.. => "B",
        70.. => "C",
        60.. => "D",
        50.. => "E",
        _ => "F",
    }
}

impl From<SeoScore> for BlogSeoScore {
    fn from(scored: SeoScore) -> Self {
        let SeoScore { report, focus_keyword, word_count } = scored;
        let (mut bad, mut middling) = (Vec::new(), Vec::new());
        let mut checks = Vec::with_capacity(report.checks.len());
        for check in report.checks {
            let points = check.status.points();
            match points {
                Some(0) => bad.push(format!("{}: {}", check.name, check.advice)),
                Some(1) => middling.push(format!("{}: {}", check.name, check.advice)),
                _ => {}
            }
            let said = [check.value.as_str(), check.advice.as_str()].into_iter().filter(|text| !text.is_empty());
            checks.push(BlogSeoCheck {
                id: check.id.to_owned(),
                label: check.name.to_owned(),
                passed: points.is_none_or(|points| points == 2),
                score: points.unwrap_or(0),
                max_score: if points.is_some() { 2 } else { 0 },
                message: said.collect::<Vec<_>>().join("; "),
            });
        }
        bad.append(&mut middling);
        Self {
            score: report.score,
            grade: grade(report.score).to_owned(),
            focus_keyword: focus_keyword.into(),
            word_count,
            checks,
            recommendations: bad,
        }
    }
}

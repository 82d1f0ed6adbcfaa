//! SEO: puts the sections together, brings them to the ordered length, ties every sentence to what supports it, and
//! finds title, description and score.

use std::sync::Arc;

use async_trait::async_trait;
use galley_compose::{article::ArticleSection, claims::PlacedClaim};
use galley_domain::{
    Fault,
    task::StepKind,
    writing::{Brief, Outline, SectionText, SeoProposal, Snapshot, Verdict},
};
use galley_services::{ClaimedText, StepOutput, WrittenArticle};
use galley_text::{markdown, seo, slug};
use serde_json::json;

use super::{Toolbox, compute};
use crate::engine::{Step, StepContext, StepError};

pub(crate) struct Seo(pub(crate) Arc<Toolbox>);

/// The article before anyone thought of search engines.
#[derive(Debug, Clone)]
struct Body {
    markdown: String,
    claims: Vec<PlacedClaim>,
}

#[async_trait]
impl Step for Seo {
    fn kind(&self) -> StepKind {
        StepKind::Seo
    }

    async fn run(&self, cx: &StepContext) -> Result<StepOutput, StepError> {
        let (org, task) = cx.owner()?;
        let brief = cx.services.order_of(org, task).await?.brief;
        let outline = cx.services.outline_of(org, task).await?;
        let sections = cx.services.sections_of(org, task, outline.sections.len()).await?;
        let sources = cx.services.snapshots_of(org, task).await?;
        let title = outline.title.clone();
        let body = {
            let brief = brief.clone();
            compute(move || put_together(&brief, outline, sections, &sources)).await??
        };
        let plain = markdown::strip(&body.markdown);
        let proposal = self.0.writer.seo(&brief, &title, &plain, &cx.meter).await?;
        let writer = self.0.writer.name().to_owned();
        let article = compute(move || finish(&brief, title, body, proposal, writer)).await?;
        Ok(StepOutput::Article(Box::new(article)))
    }
}

fn put_together(
    brief: &Brief,
    outline: Outline,
    sections: Vec<SectionText>,
    sources: &[Snapshot],
) -> Result<Body, Fault> {
    let headings: Vec<Option<String>> = outline.sections.iter().map(|plan| plan.heading.clone()).collect();
    let planned = outline.sections.into_iter().zip(sections).collect();
    let texts = galley_compose::fit(brief, planned, sources)?;
    let claims = galley_compose::claims::check(&texts, sources);
    let sections: Vec<ArticleSection> =
        headings.into_iter().zip(texts).map(|(heading, text)| ArticleSection { heading, text }).collect();
    let rendered = galley_compose::article::render(&outline.title, &sections, &claims, sources);
    Ok(Body { markdown: rendered.markdown, claims: rendered.claims })
}

/// Whatever a writer proposes is brought within the limits.
fn finish(brief: &Brief, title: String, body: Body, proposal: SeoProposal, writer: String) -> WrittenArticle {
    let seo_title = seo::fit_title(or(&proposal.title, &title));
    let seo_description = seo::fit_description(or(&proposal.description, &title));
    let keywords = if brief.keywords.is_empty() { proposal.keywords } else { brief.keywords.clone() };
    let slug = slug::slugify(&title);
    let report = seo::score(&seo::SeoInput {
        title: &seo_title,
        description: &seo_description,
        slug: &slug,
        keyphrase: keywords.first().map(String::as_str),
        keywords: &keywords,
        markdown: &body.markdown,
        language: &brief.language,
    });
    WrittenArticle {
        word_count: markdown::word_count(&body.markdown),
        seo_report: json!(report),
        warnings: warnings(&body.claims, &writer),
        claims: body.claims.into_iter().map(|placed| ClaimedText::new(section_number(&placed), placed.claim)).collect(),
        title,
        slug,
        markdown: body.markdown,
        seo_title,
        seo_description,
        keywords,
        writer,
    }
}

fn section_number(placed: &PlacedClaim) -> u32 {
    u32::try_from(placed.section).unwrap_or(u32::MAX)
}

fn or<'a>(proposed: &'a str, fallback: &'a str) -> &'a str {
    if proposed.trim().is_empty() { fallback } else { proposed }
}

fn warnings(claims: &[PlacedClaim], writer: &str) -> Vec<String> {
    let unsupported = claims.iter().filter(|placed| placed.claim.verdict == Verdict::Unsupported).count();
    let mut warnings = Vec::new();
    if unsupported > 0 {
        warnings.push(format!(
            "{unsupported} of {} sentences are not supported by any source; they are marked",
            claims.len()
        ));
    }
    if writer == "extractive" {
        warnings
            .push("the text was composed from the sources by the built-in extractive writer, without a model".into());
    }
    warnings
}

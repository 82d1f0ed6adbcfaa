//! SEO: puts the sections together, brings them to the ordered length, ties every sentence to what supports it, and
//! finds title, description and score.

use std::sync::Arc;

use async_trait::async_trait;
use galley_compose::{
    ExtractiveWriter,
    article::{ArticleSection, render_with},
    claims::{Checker, PlacedClaim},
    figures::{self, SourcePicture},
};
use galley_domain::{
    Fault, article,
    image::SourceImages,
    order::{ArticleOrder, limits},
    task::StepKind,
    usage::Meter,
    writing::{Brief, Outline, SectionText, SeoProposal, Snapshot, Verdict, Writer},
};
use galley_services::{ClaimedText, SourceImage, WrittenArticle, pipelines};
use galley_text::{language, markdown, seo, slug};
use serde_json::json;

use super::{
    Toolbox, Unsupported, compute, correct,
    judge::Bench,
    substitute,
    writer::{is_built_in, order_for},
};
use galley_engine::{Output, Step, StepContext, StepError};

pub(crate) struct Seo(pub(crate) Arc<Toolbox>);

/// Sections of the ordered length and what each of their sentences rests on.
#[derive(Debug)]
struct Fitted {
    title: String,
    headings: Vec<Option<String>>,
    texts: Vec<SectionText>,
    claims: Vec<PlacedClaim>,
    warnings: Vec<String>,
}

/// The article before anyone thought of search engines.
#[derive(Debug, Clone)]
struct Body {
    title: String,
    markdown: String,
    claims: Vec<PlacedClaim>,
    /// What was replaced on the way.
    warnings: Vec<String>,
}

#[async_trait]
impl Step for Seo {
    fn kind(&self) -> StepKind {
        article::SEO
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, task) = cx.owner()?;
        let ArticleOrder { brief, source_images, .. } = self.0.services.order_of(org, task).await?;
        let outline = self.0.services.outline_of(org, task).await?;
        let sections = self.0.services.sections_of(org, task, outline.sections.len()).await?;
        let sources = Arc::new(self.0.services.snapshots_of(org, task).await?);
        let judge = self.0.judge_of(org).await?;
        let bench = Bench { judge: judge.as_ref(), services: &self.0.services, org, keeps: true };
        let writer = self.0.writer_of(org).await?;
        let pictures = match source_images {
            SourceImages::Place => self.0.services.source_images_of(org, task).await?,
            SourceImages::None | SourceImages::Offer => Vec::new(),
        };
        let parts = Parts { brief, outline, sections, sources, pictures };
        Ok(pipelines::article::text(written(writer.as_ref(), parts, bench, self.0.unsupported, &cx.meter).await?))
    }
}

/// What earlier steps brought.
#[derive(Debug)]
pub(super) struct Parts {
    pub brief: Brief,
    pub outline: Outline,
    pub sections: Vec<SectionText>,
    pub sources: Arc<Vec<Snapshot>>,
    /// Of the sources, to be placed in the text.
    pub pictures: Vec<SourceImage>,
}

/// The finished article.
pub(super) async fn written(
    writer: &dyn Writer,
    parts: Parts,
    bench: Bench<'_>,
    unsupported: Unsupported,
    meter: &Meter,
) -> Result<WrittenArticle, StepError> {
    let Parts { brief, outline, sections, sources, pictures } = parts;
    // What the built-in writer proposes stands in the sources.
    let by_model = !is_built_in(writer);
    let ordered = brief.language.clone();
    let brief = Arc::new(order_for(writer, brief, &sources));
    let mut fitted = {
        let (brief, sources) = (Arc::clone(&brief), Arc::clone(&sources));
        compute(move || fitted(&brief, outline, sections, &sources, by_model)).await??
    };
    let judged = bench.judged(&mut fitted.claims, &sources, meter).await?;
    fitted.warnings.extend(judged);
    let mut body = {
        let (brief, sources) = (Arc::clone(&brief), Arc::clone(&sources));
        let drops = by_model && unsupported == Unsupported::Drop;
        compute(move || illustrated(put_together(fitted, drops), pictures, &brief, &sources)).await?
    };
    let plain = markdown::strip(&body.markdown);
    let proposed = writer.seo(&brief, &body.title, &plain, meter).await;
    let own = ExtractiveWriter.seo(&brief, &body.title, &plain, meter).await.map_err(Fault::from)?;
    let (mut proposal, warnings) = substitute::seo(proposed, &own)?;
    body.warnings.extend(warnings);
    if by_model {
        let brief = Arc::clone(&brief);
        let (checked, more) = compute(move || borne_out(proposal, own, &brief, &sources)).await?;
        proposal = checked;
        body.warnings.extend(more);
    }
    let name = writer.name().to_owned();
    compute(move || finish(&brief, &ordered, body, proposal, name)).await
}

fn fitted(
    brief: &Brief,
    outline: Outline,
    sections: Vec<SectionText>,
    sources: &[Snapshot],
    by_model: bool,
) -> Result<Fitted, Fault> {
    let (outline, warnings) = if by_model { grounded(brief, outline, sources) } else { (outline, Vec::new()) };
    let title = outline.title.clone();
    let headings: Vec<Option<String>> = outline.sections.iter().map(|plan| plan.heading.clone()).collect();
    let planned = outline.sections.into_iter().zip(sections).collect();
    let texts = galley_compose::fit(brief, planned, sources)?;
    let claims = galley_compose::claims::check(&texts, sources);
    Ok(Fitted { title, headings, texts, claims, warnings })
}

fn put_together(mut fitted: Fitted, drop_unsupported: bool) -> Fitted {
    if drop_unsupported {
        let (texts, claims, left_out) = correct::supported_only(fitted.texts, fitted.claims);
        (fitted.texts, fitted.claims) = (texts, claims);
        if left_out > 0 {
            fitted.warnings.push(format!("{left_out} sentences were left out: no source supports them"));
        }
    }
    fitted
}

/// The text with those of the pictures that have a place in it. Captions are words too: as many pictures stay as the ordered
/// length has room for.
fn illustrated(fitted: Fitted, pictures: Vec<SourceImage>, brief: &Brief, sources: &[Snapshot]) -> Body {
    let Fitted { title, headings, texts, claims, mut warnings } = fitted;
    let sections: Vec<ArticleSection> =
        headings.into_iter().zip(texts).map(|(heading, text)| ArticleSection { heading, text }).collect();
    let given = pictures.len();
    let pictures: Vec<SourcePicture> = pictures.into_iter().map(source_picture).collect();
    let mut figures = figures::place(&pictures, &claims, sources);
    let rendered = loop {
        let rendered = render_with(&title, &sections, &figures, &claims, sources);
        if markdown::word_count(&rendered.markdown) <= brief.words.max || figures.pop().is_none() {
            break rendered;
        }
    };
    if figures.len() < given {
        let left = given - figures.len();
        warnings
            .push(format!("{left} of {given} images of the sources have no place in the text; they are kept with it"));
    }
    Body { title, markdown: rendered.markdown, claims: rendered.claims, warnings }
}

fn source_picture(image: SourceImage) -> SourcePicture {
    let SourceImage { address, alt_text: alt, source, place } = image;
    SourcePicture { address, alt, caption: place.caption, source, at: place.at }
}

/// The outline without titles and headings that state what nobody gave: in their place those that the built-in writer
/// would set, or none.
fn grounded(brief: &Brief, mut outline: Outline, sources: &[Snapshot]) -> (Outline, Vec<String>) {
    let check = LineCheck::new(brief, sources);
    let mut warnings = Vec::new();
    let mut own: Option<Outline> = None;
    let mut own = || own.get_or_insert_with(|| extractive(brief, sources)).clone();
    if let Some(warning) = check.warning("title", &outline.title) {
        warnings.push(warning);
        outline.title = own().title;
    }
    for index in 0..outline.sections.len() {
        let Some(warning) = outline.sections[index].heading.as_deref().and_then(|h| check.warning("heading", h)) else {
            continue;
        };
        warnings.push(warning);
        let other = own().sections.into_iter().nth(index).and_then(|section| section.heading);
        outline.sections[index].heading =
            other.filter(|h| outline.sections.iter().all(|s| s.heading.as_ref() != Some(h)));
    }
    (outline, warnings)
}

/// What the built-in writer would plan; where it cannot, the order is the title.
fn extractive(brief: &Brief, sources: &[Snapshot]) -> Outline {
    galley_compose::outline(brief, sources)
        .unwrap_or_else(|_| Outline { title: seo::fit_title(&brief.prompt), sections: Vec::new() })
}

/// The proposal with the built-in writer's title and description where its own state what nobody gave.
fn borne_out(
    mut proposal: SeoProposal,
    own: SeoProposal,
    brief: &Brief,
    sources: &[Snapshot],
) -> (SeoProposal, Vec<String>) {
    let check = LineCheck::new(brief, sources);
    let mut warnings = Vec::new();
    if let Some(warning) = check.warning("SEO title", &proposal.title) {
        warnings.push(warning);
        proposal.title = own.title;
    }
    if let Some(warning) = check.warning("SEO description", &proposal.description) {
        warnings.push(warning);
        proposal.description = own.description;
    }
    (proposal, warnings)
}

/// Holds the short lines of a model against the sources and the order.
struct LineCheck<'a> {
    checker: Checker<'a>,
    language: &'a str,
    order: String,
}

impl<'a> LineCheck<'a> {
    fn new(brief: &'a Brief, sources: &'a [Snapshot]) -> Self {
        let order = format!("{}\n{}", brief.prompt, brief.keywords.join(", "));
        Self { checker: Checker::new(sources), language: &brief.language, order }
    }

    fn warning(&self, what: &str, line: &str) -> Option<String> {
        let foreign = self.checker.foreign_facts(line, self.language, &self.order);
        let named = foreign.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
        (!foreign.is_empty()).then(|| format!("a {what} of the model was replaced: no source has {named:.80}"))
    }
}

/// Whatever a writer proposes is brought within the limits.
fn finish(brief: &Brief, ordered: &str, body: Body, proposal: SeoProposal, writer: String) -> WrittenArticle {
    let title = body.title;
    let mut warnings = warnings(&body.claims, &writer);
    warnings.extend(body.warnings);
    let language = written_in(brief, &body.markdown);
    if !language::is_near(&language, ordered.split(['-', '_']).next().unwrap_or(ordered)) {
        warnings.push(format!("the article is in another language ({language}) than ordered ({ordered})"));
    }
    let seo_title = seo::fit_title(or(&proposal.title, &title));
    let seo_description = seo::fit_description(or(&proposal.description, &title));
    let keywords = if brief.keywords.is_empty() { fit_keywords(proposal.keywords) } else { brief.keywords.clone() };
    let slug = slug::slugify(&title);
    let report = seo::score(&seo::SeoInput {
        title: &seo_title,
        description: &seo_description,
        slug: &slug,
        keyphrase: keywords.first().map(String::as_str),
        keywords: &keywords,
        markdown: &body.markdown,
        language: &language,
        site: None,
    });
    WrittenArticle {
        word_count: markdown::word_count(&body.markdown),
        seo_report: json!(report),
        warnings,
        claims: body.claims.into_iter().map(|placed| ClaimedText::new(section_number(&placed), placed.claim)).collect(),
        title,
        slug,
        markdown: body.markdown,
        seo_title,
        seo_description,
        keywords,
        writer,
        language: Some(language),
    }
}

/// The language of the text: the ordered one, unless it is surely another.
fn written_in(brief: &Brief, text: &str) -> String {
    let prose = markdown::strip_headings(text);
    language::other_than(&prose, &brief.language).map_or_else(|| brief.language.clone(), str::to_owned)
}

/// A "word" of the prompt can be a checksum or a whole line in a language without spaces; as a keyword it says nothing, and
/// no destination takes it.
fn fit_keywords(mut keywords: Vec<String>) -> Vec<String> {
    keywords.retain(|keyword| !keyword.trim().is_empty() && keyword.chars().count() <= limits::KEYWORD_CHARS);
    keywords.truncate(limits::KEYWORDS_GENERATE);
    keywords
}

fn section_number(placed: &PlacedClaim) -> u32 {
    u32::try_from(placed.section).unwrap_or(u32::MAX)
}

fn or<'a>(proposed: &'a str, fallback: &'a str) -> &'a str {
    if proposed.trim().is_empty() { fallback } else { proposed }
}

fn warnings(claims: &[PlacedClaim], writer: &str) -> Vec<String> {
    let count = |verdict| claims.iter().filter(|placed| placed.claim.verdict == verdict).count();
    let mut warnings = Vec::new();
    for (verdict, what) in [
        (Verdict::Unsupported, "are not supported by any source"),
        (Verdict::Partly, "say more than their source does"),
    ] {
        let found = count(verdict);
        if found > 0 {
            warnings.push(format!("{found} of {} sentences {what}; they are marked", claims.len()));
        }
    }
    if writer == "extractive" {
        warnings
            .push("the text was composed from the sources by the built-in extractive writer, without a model".into());
    }
    warnings
}

#[cfg(test)]
mod tests {
    use galley_domain::writing::{Origin, SectionPlan, Tone, WordRange};

    use super::*;

    fn brief() -> Brief {
        Brief {
            prompt: "Write about parcel lockers in Riga".into(),
            language: "en".into(),
            tone: Tone::default(),
            words: WordRange { min: 100, max: 200 },
            keywords: Vec::new(),
            instructions: String::new(),
        }
    }

    fn sources() -> Vec<Snapshot> {
        let text = "# Lockers\n\nOmniva opened 120 parcel lockers in Riga on 3 May 2021. A locker holds 60 parcels.";
        let origin = Origin::File { name: "a.txt".into() };
        vec![Snapshot { number: 1, title: "Lockers".into(), origin, language: Some("en".into()), text: text.into() }]
    }

    #[test]
    fn titles_and_headings_of_a_model_state_nothing_that_nobody_gave() {
        let section = |heading: Option<&str>| SectionPlan {
            heading: heading.map(str::to_owned),
            points: Vec::new(),
            words: WordRange { min: 50, max: 100 },
            passages: Vec::new(),
        };
        let plan = |title: &str, heading: &str| Outline {
            title: title.into(),
            sections: vec![section(None), section(Some("How lockers work")), section(Some(heading))],
        };
        let good = plan("120 lockers in Riga", "What a locker holds");
        assert_eq!(grounded(&brief(), good.clone(), &sources()), (good, Vec::new()));

        let (outline, warnings) =
            grounded(&brief(), plan("How Acme lost $5 billion", "Prices fell by 40 %"), &sources());
        assert!(!outline.title.is_empty() && !outline.title.contains("Acme"), "{outline:?}");
        assert_eq!(outline.sections[1].heading.as_deref(), Some("How lockers work"));
        assert_ne!(outline.sections[2].heading.as_deref(), Some("Prices fell by 40 %"));
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].contains("$5 billion") && warnings[1].contains("40 %"), "{warnings:?}");
    }

    #[test]
    fn a_text_in_another_language_than_ordered_is_told_and_labelled_as_what_it_is() {
        let body = |markdown: &str| Body {
            title: "Lockers".into(),
            markdown: markdown.into(),
            claims: Vec::new(),
            warnings: Vec::new(),
        };
        let proposal = || SeoProposal { title: "Lockers".into(), description: "Lockers.".into(), keywords: Vec::new() };
        let german = "# Lockers\n\nDie Automaten stehen meist neben Supermärkten und werden jeden Morgen geleert. Ein \
            Automat fasst sechzig Pakete, und viele Kunden holen ihre Sendungen erst am Abend ab.";
        let article = finish(&brief(), "en", body(german), proposal(), "m".into());
        assert_eq!(article.language.as_deref(), Some("de"));
        assert_eq!(article.warnings, ["the article is in another language (de) than ordered (en)"]);
        let english =
            "# Lockers\n\nThe lockers stand next to supermarkets and are emptied in the morning by the carrier.";
        let article = finish(&brief(), "en", body(english), proposal(), "m".into());
        assert_eq!((article.language.as_deref(), article.warnings.len()), (Some("en"), 0));
        // As the built-in writer was told to write.
        let order = Brief { language: "de".into(), ..brief() };
        let article = finish(&order, "en", body(german), proposal(), "m".into());
        assert_eq!((article.language.as_deref(), article.warnings.len()), (Some("de"), 1));
    }

    #[test]
    fn so_do_its_seo_lines() {
        let proposal = |title: &str, description: &str| SeoProposal {
            title: title.into(),
            description: description.into(),
            keywords: Vec::new(),
        };
        let own = proposal("Parcel lockers in Riga", "A locker holds 60 parcels.");
        let good = proposal("Lockers in Riga", "A locker in Riga holds 60 parcels.");
        assert_eq!(borne_out(good.clone(), own.clone(), &brief(), &sources()), (good, Vec::new()));
        let bad = proposal("Lockers since 1987", "A locker holds 90 parcels.");
        let (checked, warnings) = borne_out(bad, own.clone(), &brief(), &sources());
        assert_eq!((checked, warnings.len()), (own, 2));
    }
}

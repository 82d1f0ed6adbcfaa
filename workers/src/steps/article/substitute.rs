//! What the built-in writer composes in the place of a model whose answers no article may print.

use galley_compose::ExtractiveWriter;
use galley_domain::{
    Fault,
    usage::Meter,
    writing::{Brief, Outline, SectionText, SeoProposal, Snapshot, UnusableAnswer, WriteError, Writer},
};
use galley_text::language;

/// The outline, or one of the built-in writer's with a warning.
pub(super) async fn outline(
    planned: Result<Outline, WriteError>,
    brief: &Brief,
    sources: &[Snapshot],
) -> Result<(Outline, Vec<String>), Fault> {
    let answer = match planned {
        Ok(outline) => return Ok((outline, Vec::new())),
        Err(WriteError::Fault(fault)) => return Err(fault),
        Err(WriteError::Unusable(answer)) => answer,
    };
    let composed = ExtractiveWriter.outline(brief, sources, &Meter::default()).await;
    let lines = |outline: &Outline| {
        let headings = outline.sections.iter().filter_map(|section| section.heading.clone());
        std::iter::once(outline.title.clone()).chain(headings).collect::<Vec<_>>()
    };
    match composed {
        Ok(outline) if is_in(&brief.language, &lines(&outline)) => Ok((outline, vec![warning("the outline", &answer)])),
        _ => Err(nothing_instead(answer)),
    }
}

/// Section `index`, or one of the built-in writer's with a warning.
pub(super) async fn section(
    written: Result<SectionText, WriteError>,
    brief: &Brief,
    outline: &Outline,
    index: usize,
    sources: &[Snapshot],
) -> Result<(SectionText, Vec<String>), Fault> {
    let answer = match written {
        Ok(section) => return Ok((section, Vec::new())),
        Err(WriteError::Fault(fault)) => return Err(fault),
        Err(WriteError::Unusable(answer)) => answer,
    };
    let composed = ExtractiveWriter.section(brief, outline, index, sources, &Meter::default()).await;
    match composed {
        Ok(section) if !section.paragraphs.is_empty() && is_in(&brief.language, &section.paragraphs) => {
            let what = format!("section {} of {}", index + 1, outline.sections.len());
            Ok((section, vec![warning(&what, &answer)]))
        }
        _ => Err(nothing_instead(answer)),
    }
}

/// The proposal for search engines, or `own` with a warning.
pub(super) fn seo(
    proposed: Result<SeoProposal, WriteError>,
    own: &SeoProposal,
) -> Result<(SeoProposal, Vec<String>), Fault> {
    match proposed {
        Ok(proposal) => Ok((proposal, Vec::new())),
        Err(WriteError::Fault(fault)) => Err(fault),
        Err(WriteError::Unusable(answer)) => Ok((own.clone(), vec![warning("the SEO title and description", &answer)])),
    }
}

fn warning(what: &str, answer: &UnusableAnswer) -> String {
    format!(
        "{what} was composed from the sources by the built-in writer: the model {} {}{}",
        answer.model,
        answer.reason,
        answer.reason.also_again()
    )
}

fn nothing_instead(answer: UnusableAnswer) -> Fault {
    Fault::from(WriteError::from(answer))
        .with_detail("the built-in writer could not compose it from the sources either")
}

/// The built-in writer quotes, so that sources in another language than ordered give a text in that language.
fn is_in(ordered: &str, lines: &[String]) -> bool {
    let primary = ordered.split('-').next().unwrap_or(ordered);
    language::detect(&lines.join(" ")).is_none_or(|found| found == primary)
}

#[cfg(test)]
mod tests {
    use galley_domain::writing::{Origin, SectionPlan, Span, Tone, Unusable, WordRange};

    use super::*;

    const ENGLISH: &str = "Parcel lockers cut the cost of a failed delivery by a third. Most lockers in Riga stand next to \
        supermarkets. A locker holds sixty parcels on a normal day.";
    const GERMAN: &str = "Paketautomaten senken die Kosten einer verfehlten Zustellung um ein Drittel. Die meisten Automaten \
        in Riga stehen neben Supermärkten. Ein Automat fasst an einem normalen Tag sechzig Pakete.";

    fn brief() -> Brief {
        Brief {
            prompt: "Write about parcel lockers in Riga".into(),
            language: "en".into(),
            tone: Tone::default(),
            words: WordRange { min: 20, max: 60 },
            keywords: Vec::new(),
            instructions: String::new(),
        }
    }

    fn sources(text: &str) -> Vec<Snapshot> {
        let origin = Origin::File { name: "a.txt".into() };
        vec![Snapshot { number: 1, title: "Lockers".into(), origin, language: None, text: text.into() }]
    }

    fn plan(text: &str) -> Outline {
        let passages = vec![Span { source: 1, start: 0, end: text.len() }];
        let words = WordRange { min: 10, max: 60 };
        let section = SectionPlan { heading: None, points: Vec::new(), words, passages };
        Outline { title: "Parcel lockers".into(), sections: vec![section] }
    }

    fn refusal<T>() -> Result<T, WriteError> {
        Err(UnusableAnswer { model: "m1".into(), reason: Unusable::Refusal }.into())
    }

    #[tokio::test]
    async fn what_a_model_declines_is_composed_from_the_sources() {
        let sources = sources(ENGLISH);
        let (section, warnings) =
            section(refusal(), &brief(), &plan(ENGLISH), 0, &sources).await.expect("a section of the sources");
        let text = section.paragraphs.join(" ");
        assert!(text.contains("stand next to supermarkets"), "{text}");
        assert_eq!(
            warnings,
            [
                "section 1 of 1 was composed from the sources by the built-in writer: the model m1 declined to write, also when \
              it was asked once more"
            ]
        );
        let own = SeoProposal { title: "Lockers".into(), description: "Parcel lockers.".into(), keywords: Vec::new() };
        let (proposal, warnings) = seo(refusal(), &own).expect("its own");
        assert_eq!((proposal, warnings.len()), (own, 1));
    }

    #[tokio::test]
    async fn it_fails_rather_than_to_print_another_language() {
        let sources = sources(GERMAN);
        let fault = section(refusal(), &brief(), &plan(GERMAN), 0, &sources).await.expect_err("German");
        assert!(!fault.is_transient() && fault.to_string().contains("declined to write"), "{fault}");
    }

    #[tokio::test]
    async fn faults_and_texts_come_through() {
        let text = SectionText { paragraphs: vec!["Good.".into()] };
        let sources = sources(ENGLISH);
        let plan = plan(ENGLISH);
        let (same, warnings) = section(Ok(text.clone()), &brief(), &plan, 0, &sources).await.expect("as it is");
        assert_eq!((same, warnings.len()), (text, 0));
        let busy = Fault::transient(galley_domain::FaultCode::RateLimitError, "busy");
        let fault = section(Err(busy.into()), &brief(), &plan, 0, &sources).await.expect_err("busy");
        assert!(fault.is_transient());
    }
}

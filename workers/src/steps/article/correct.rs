//! Sentences of a model that no source bears out go back to it once, with the passages that come nearest.

use std::{ops::Range, sync::Arc};

use galley_compose::{
    ExtractiveWriter,
    claims::{Checker, PlacedClaim},
};
use galley_domain::{
    Fault,
    usage::Meter,
    writing::{Brief, Claim, Objection, Outline, SectionPlan, SectionText, Snapshot, Verdict, WriteError, Writer},
};
use galley_engine::StepError;
use galley_text::sentence;

use super::compute;

/// Passages of the section's plan that are shown beside a sentence that comes near none.
const PASSAGES: usize = 3;

/// What becomes of a sentence that no source supports, also after the model has corrected it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unsupported {
    /// It stays, and is marked.
    #[default]
    Mark,
    /// It is left out.
    Drop,
}

/// A sentence of a section that its source does not bear out as a whole.
#[derive(Debug, Clone)]
struct Doubt {
    paragraph: usize,
    range: Range<usize>,
    claim: Claim,
}

/// Where a section comes from.
pub(super) struct Draft<'a> {
    pub brief: &'a Brief,
    pub outline: &'a Outline,
    pub index: usize,
    pub sources: &'a Arc<Vec<Snapshot>>,
}

/// The section with the sentences that `writer` corrected, and without those that stay unsupported where they are to be
/// dropped.
pub(super) async fn corrected(
    writer: &dyn Writer,
    draft: &Draft<'_>,
    section: SectionText,
    unsupported: Unsupported,
    meter: &Meter,
) -> Result<(SectionText, Vec<String>), StepError> {
    // the built-in writer has nothing to correct
    if !writer.corrects() {
        return Ok((section, Vec::new()));
    }
    let doubts = doubts_in(&section, draft.sources).await?;
    if doubts.is_empty() {
        return Ok((section, Vec::new()));
    }
    let (plan, number) = (&draft.outline.sections[draft.index], draft.index + 1);
    let objections: Vec<Objection> = doubts.iter().map(|doubt| objection(doubt, plan)).collect();
    let (mut warnings, mut section) = (Vec::new(), section);
    match writer.correct(draft.brief, &objections, draft.sources, meter).await {
        Ok(texts) => section = replaced(section, doubts, texts, draft.sources).await?,
        // the section is written and paid for: without its corrections it is marked
        Err(WriteError::Unusable(answer)) => {
            warnings.push(format!("sentences of section {number} could not be corrected: the model {}", answer.reason));
        }
        Err(WriteError::Fault(fault)) => {
            warnings.push(format!("sentences of section {number} could not be corrected: {fault}"));
        }
    }
    if unsupported == Unsupported::Drop {
        let left = doubts_in(&section, draft.sources).await?;
        let left: Vec<Doubt> = left.into_iter().filter(|doubt| doubt.claim.verdict == Verdict::Unsupported).collect();
        if !left.is_empty() {
            warnings
                .push(format!("{} sentences of section {number} were left out: no source supports them", left.len()));
            section = without(section, &left);
            if section.paragraphs.is_empty() {
                let Draft { brief, outline, index, sources } = *draft;
                let composed = ExtractiveWriter.section(brief, outline, index, sources, meter).await;
                section = composed.map_err(Fault::from)?;
            }
        }
    }
    Ok((section, warnings))
}

/// The sentences of a section that fall short of their sources, in reading order.
async fn doubts_in(section: &SectionText, sources: &Arc<Vec<Snapshot>>) -> Result<Vec<Doubt>, StepError> {
    let (paragraphs, sources) = (section.paragraphs.clone(), Arc::clone(sources));
    compute(move || {
        let checker = Checker::new(&sources);
        let mut doubts = Vec::new();
        for (paragraph, text) in paragraphs.iter().enumerate() {
            let body = body_of(text);
            for range in sentence::split(&text[body.clone()]) {
                let range = body.start + range.start..body.start + range.end;
                let claim = checker.check(&text[range.clone()]);
                if claim.verdict.falls_short() {
                    doubts.push(Doubt { paragraph, range, claim });
                }
            }
        }
        doubts
    })
    .await
}

/// A paragraph without the mark of a list item.
fn body_of(paragraph: &str) -> Range<usize> {
    let start = if paragraph.starts_with("- ") { 2 } else { 0 };
    start..paragraph.len()
}

fn objection(doubt: &Doubt, plan: &SectionPlan) -> Objection {
    let passages = match doubt.claim.span {
        Some(span) => vec![span],
        None => plan.passages.iter().copied().take(PASSAGES).collect(),
    };
    Objection { sentence: doubt.claim.sentence.clone(), missing: doubt.claim.missing.clone(), passages }
}

/// The section with the new texts that the sources bear out better than the old ones.
async fn replaced(
    mut section: SectionText,
    doubts: Vec<Doubt>,
    texts: Vec<Option<String>>,
    sources: &Arc<Vec<Snapshot>>,
) -> Result<SectionText, StepError> {
    let sources = Arc::clone(sources);
    let better = compute(move || {
        let checker = Checker::new(&sources);
        let judged = doubts.into_iter().zip(texts).filter_map(|(doubt, text)| {
            let text = text?;
            let verdict = rank(sentence::split(&text).into_iter().map(|range| checker.check(&text[range]).verdict));
            (verdict < rank([doubt.claim.verdict])).then_some((doubt, text))
        });
        judged.collect::<Vec<_>>()
    })
    .await?;
    for (doubt, text) in better.into_iter().rev() {
        section.paragraphs[doubt.paragraph].replace_range(doubt.range, text.trim());
    }
    Ok(section)
}

/// The worst of the verdicts, 0 for good.
fn rank(verdicts: impl IntoIterator<Item = Verdict>) -> u8 {
    let of = |verdict| match verdict {
        Verdict::Supported | Verdict::NoClaim => 0,
        Verdict::Partly => 1,
        Verdict::Unsupported => 2,
    };
    verdicts.into_iter().map(of).max().unwrap_or(2)
}

/// The section without these sentences; paragraphs without any go too.
fn without(mut section: SectionText, doubts: &[Doubt]) -> SectionText {
    for doubt in doubts.iter().rev() {
        let text = &mut section.paragraphs[doubt.paragraph];
        text.replace_range(doubt.range.clone(), "");
    }
    for text in &mut section.paragraphs {
        let mark = if text.starts_with("- ") { "- " } else { "" };
        let body = text[mark.len()..].split_whitespace().collect::<Vec<_>>().join(" ");
        *text = if body.is_empty() { String::new() } else { format!("{mark}{body}") };
    }
    section.paragraphs.retain(|text| !text.is_empty());
    section
}

/// The article without the sentences that nothing supports, its claims at their new places, and how many went.
pub(super) fn supported_only(
    mut texts: Vec<SectionText>,
    claims: Vec<PlacedClaim>,
) -> (Vec<SectionText>, Vec<PlacedClaim>, usize) {
    let before = claims.len();
    let mut kept: Vec<PlacedClaim> = Vec::new();
    for (section, text) in texts.iter_mut().enumerate() {
        let mut paragraphs: Vec<String> = Vec::new();
        for (paragraph, old) in std::mem::take(&mut text.paragraphs).into_iter().enumerate() {
            let mut rest: Vec<PlacedClaim> =
                claims.iter().filter(|c| (c.section, c.paragraph) == (section, paragraph)).cloned().collect();
            let all = rest.len();
            rest.retain(|placed| placed.claim.verdict != Verdict::Unsupported);
            if rest.is_empty() && all > 0 {
                continue;
            }
            if rest.len() < all {
                let mark = if old.starts_with("- ") { "- " } else { "" };
                let sentences: Vec<&str> = rest.iter().map(|placed| placed.claim.sentence.trim()).collect();
                paragraphs.push(format!("{mark}{}", sentences.join(" ")));
            } else {
                paragraphs.push(old);
            }
            let place = paragraphs.len() - 1;
            kept.extend((0..).zip(rest).map(|(index, placed)| PlacedClaim { paragraph: place, index, ..placed }));
        }
        text.paragraphs = paragraphs;
    }
    let left_out = before - kept.len();
    (texts, kept, left_out)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use galley_domain::{
        FaultCode,
        writing::{Origin, SeoProposal, Span, Tone, WordRange},
    };

    use super::*;

    const SOURCE: &str = "Omniva opened 120 parcel lockers in Riga on 3 May 2021. A locker holds 60 parcels.";

    /// Corrects by what it was given.
    #[derive(Debug)]
    struct Fake {
        texts: Vec<Option<String>>,
        fails: bool,
        asked: Mutex<Vec<Objection>>,
    }

    #[async_trait]
    impl Writer for Fake {
        fn name(&self) -> &str {
            "fake"
        }

        fn corrects(&self) -> bool {
            true
        }

        async fn outline(&self, _: &Brief, _: &[Snapshot], _: &Meter) -> Result<Outline, WriteError> {
            Err(Fault::permanent(FaultCode::LlmError, "not asked").into())
        }

        async fn section(
            &self,
            _: &Brief,
            _: &Outline,
            _: usize,
            _: &[Snapshot],
            _: &Meter,
        ) -> Result<SectionText, WriteError> {
            Err(Fault::permanent(FaultCode::LlmError, "not asked").into())
        }

        async fn seo(&self, _: &Brief, _: &str, _: &str, _: &Meter) -> Result<SeoProposal, WriteError> {
            Err(Fault::permanent(FaultCode::LlmError, "not asked").into())
        }

        async fn correct(
            &self,
            _: &Brief,
            objections: &[Objection],
            _: &[Snapshot],
            _: &Meter,
        ) -> Result<Vec<Option<String>>, WriteError> {
            self.asked.lock().expect("no panic").extend_from_slice(objections);
            if self.fails {
                return Err(Fault::transient(FaultCode::RateLimitError, "busy").into());
            }
            Ok(self.texts.clone())
        }
    }

    fn fake(texts: &[Option<&str>]) -> Fake {
        let texts = texts.iter().map(|text| text.map(str::to_owned)).collect();
        Fake { texts, fails: false, asked: Mutex::default() }
    }

    async fn run(writer: &Fake, paragraphs: &[&str], unsupported: Unsupported) -> (Vec<String>, Vec<String>) {
        let brief = Brief {
            prompt: "Write about parcel lockers in Riga".into(),
            language: "en".into(),
            tone: Tone::default(),
            words: WordRange { min: 20, max: 60 },
            keywords: Vec::new(),
            instructions: String::new(),
        };
        let origin = Origin::File { name: "a.txt".into() };
        let source =
            Snapshot { number: 1, title: "Lockers".into(), origin, language: Some("en".into()), text: SOURCE.into() };
        let passages = vec![Span { source: 1, start: 0, end: SOURCE.len() }];
        let plan = SectionPlan { heading: None, points: Vec::new(), words: brief.words, passages };
        let sources = Arc::new(vec![source]);
        let outline = Outline { title: "Lockers".into(), sections: vec![plan] };
        let draft = Draft { brief: &brief, outline: &outline, index: 0, sources: &sources };
        let section = SectionText { paragraphs: paragraphs.iter().map(|p| (*p).to_owned()).collect() };
        let (section, warnings) =
            corrected(writer, &draft, section, unsupported, &Meter::default()).await.expect("no store is asked");
        (section.paragraphs, warnings)
    }

    const FALSE: &str = "A locker holds 90 parcels.";

    #[tokio::test]
    async fn a_sentence_is_corrected_once_with_its_passages() {
        let writer = fake(&[Some("A locker holds 60 parcels.")]);
        let text = format!("Omniva opened 120 parcel lockers in Riga on 3 May 2021. {FALSE}");
        let (paragraphs, warnings) = run(&writer, &[&text], Unsupported::Mark).await;
        assert_eq!(paragraphs, ["Omniva opened 120 parcel lockers in Riga on 3 May 2021. A locker holds 60 parcels."]);
        assert!(warnings.is_empty(), "{warnings:?}");
        let asked = writer.asked.lock().expect("no panic");
        assert_eq!(asked.len(), 1);
        assert_eq!((asked[0].sentence.as_str(), asked[0].missing.is_empty()), (FALSE, false));
        assert!(!asked[0].passages.is_empty());
    }

    #[tokio::test]
    async fn what_stays_unsupported_is_kept_to_be_marked_or_left_out() {
        for texts in [[Some("A locker holds 80 parcels.")], [None]] {
            let item = format!("- {FALSE}");
            let given = ["Omniva opened 120 parcel lockers in Riga on 3 May 2021.", &item];
            let (paragraphs, _) = run(&fake(&texts), &given, Unsupported::Mark).await;
            assert_eq!(paragraphs, given);
            let (paragraphs, warnings) = run(&fake(&texts), &given, Unsupported::Drop).await;
            assert_eq!(paragraphs, given[..1]);
            assert_eq!(warnings, ["1 sentences of section 1 were left out: no source supports them"]);
        }
    }

    #[tokio::test]
    async fn a_correction_that_cannot_be_had_costs_no_section() {
        let writer = Fake { fails: true, ..fake(&[]) };
        let (paragraphs, warnings) = run(&writer, &[FALSE], Unsupported::Mark).await;
        assert_eq!(paragraphs, [FALSE]);
        assert!(warnings[0].contains("busy"), "{warnings:?}");
    }

    #[tokio::test]
    async fn a_section_that_the_sources_bear_out_costs_nothing() {
        let writer = fake(&[]);
        run(&writer, &["A locker holds 60 parcels."], Unsupported::Drop).await;
        assert!(writer.asked.lock().expect("no panic").is_empty());
    }

    #[test]
    fn what_the_judge_finds_unsupported_can_be_left_out_too() {
        let verdicts = [Verdict::Supported, Verdict::Unsupported, Verdict::Unsupported, Verdict::NoClaim];
        let claim = |(at, sentence): (usize, &str)| PlacedClaim {
            section: 0,
            paragraph: at / 2,
            index: at % 2,
            claim: Claim {
                sentence: sentence.into(),
                verdict: verdicts[at],
                span: None,
                coverage_permille: 0,
                missing: Vec::new(),
            },
        };
        let claims: Vec<PlacedClaim> =
            ["One is so.", "Two is not.", "Three is not.", "Is four?"].into_iter().enumerate().map(claim).collect();
        let text = SectionText { paragraphs: vec!["One is so. Two is not.".into(), "- Three is not. Is four?".into()] };
        let (texts, kept, left_out) = supported_only(vec![text], claims.clone());
        assert_eq!(texts[0].paragraphs, ["One is so.", "- Is four?"]);
        let places: Vec<_> = kept.iter().map(|c| (c.paragraph, c.index, c.claim.sentence.as_str())).collect();
        assert_eq!((places, left_out), (vec![(0, 0, "One is so."), (1, 0, "Is four?")], 2));

        let text = SectionText { paragraphs: vec!["Three is not.".into(), "One is so.".into()] };
        let claims = vec![
            PlacedClaim { paragraph: 0, index: 0, ..claims[2].clone() },
            PlacedClaim { paragraph: 1, ..claims[0].clone() },
        ];
        let (texts, kept, _) = supported_only(vec![text], claims);
        assert_eq!((texts[0].paragraphs.len(), kept[0].paragraph), (1, 0));
    }
}

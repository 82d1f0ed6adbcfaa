//! The writer that needs no model: everything it prints stands in the sources.

use async_trait::async_trait;
use galley_domain::{
    usage::Meter,
    writing::{Brief, Outline, SectionText, SeoProposal, Snapshot, WriteError, Writer},
};
use galley_text::{markdown, sentence, seo, word};

use crate::{
    lexicon, outline, rank, section, title,
    vocabulary::{Vocabulary, idf},
};

/// How many search keywords are proposed when the order names none.
const KEYWORDS: usize = 6;
/// A description is no shorter than this where the text has enough; the fitting cuts it to what search engines show.
const DESCRIPTION_CHARS: usize = 110;

/// Composes articles from sentences of the sources. Deterministic, without network and without cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExtractiveWriter;

#[async_trait]
impl Writer for ExtractiveWriter {
    fn name(&self) -> &str {
        "extractive"
    }

    async fn outline(&self, brief: &Brief, sources: &[Snapshot], _: &Meter) -> Result<Outline, WriteError> {
        Ok(outline::outline(brief, sources)?)
    }

    async fn section(
        &self,
        brief: &Brief,
        outline: &Outline,
        index: usize,
        sources: &[Snapshot],
        _: &Meter,
    ) -> Result<SectionText, WriteError> {
        Ok(section::section(brief, outline, index, sources))
    }

    async fn seo(&self, brief: &Brief, title: &str, markdown: &str, _: &Meter) -> Result<SeoProposal, WriteError> {
        Ok(propose(brief, title, markdown))
    }
}

/// Title, description and keywords for a finished text.
fn propose(brief: &Brief, title: &str, text: &str) -> SeoProposal {
    let prose = markdown::strip_headings(text);
    SeoProposal {
        title: seo::fit_title(title),
        description: description(brief, &prose, title),
        keywords: if brief.keywords.is_empty() { key_terms(brief, &prose, title) } else { brief.keywords.clone() },
    }
}

/// The sentence that says most of what was asked, with those behind it while it is short.
fn description(brief: &Brief, prose: &str, title: &str) -> String {
    let lang = lexicon::primary(&brief.language);
    let language = lexicon::of(lang);
    let mut vocabulary = Vocabulary::default();
    let query = rank::query(brief, &mut vocabulary);
    let mut best: Option<(f32, String)> = None;
    for paragraph in prose.lines().map(str::trim).filter(|l| !l.is_empty() && !l.contains(" | ")) {
        let ranges = sentence::split(paragraph);
        for (i, range) in ranges.iter().enumerate() {
            let text = &paragraph[range.clone()];
            if language.is_some_and(|l| crate::usable::judge(text, Some(l)) != Some(crate::usable::Standing::Free)) {
                continue;
            }
            let terms = vocabulary.add(text, lang).content;
            let hit: f32 = query.iter().filter(|(id, _)| terms.binary_search(id).is_ok()).map(|(_, w)| w).sum();
            // A long sentence would be cut.
            let value = hit - if text.chars().count() > 155 { 1.5 } else { 0.0 };
            if best.as_ref().is_none_or(|(most, _)| value > *most) {
                let end = ranges[i..]
                    .iter()
                    .map(|r| r.end)
                    .find(|end| paragraph[range.start..*end].chars().count() >= DESCRIPTION_CHARS);
                let whole = &paragraph[range.start..end.unwrap_or(range.end)];
                best = Some((value, whole.to_owned()));
            }
        }
    }
    let chosen = best.map_or_else(|| prose.split_whitespace().collect::<Vec<_>>().join(" "), |(_, text)| text);
    let fitted = seo::fit_description(&chosen);
    if fitted.is_empty() { seo::fit_description(title) } else { fitted }
}

/// The words and pairs of words that a text is about, most telling first.
fn key_terms(brief: &Brief, prose: &str, title: &str) -> Vec<String> {
    let lang = lexicon::primary(&brief.language);
    let mut vocabulary = Vocabulary::default();
    let sentences: Vec<Vec<u32>> = prose
        .lines()
        .flat_map(|line| sentence::split(line).into_iter().map(|r| line[r].to_owned()).collect::<Vec<_>>())
        .map(|s| vocabulary.add(&s, lang).content)
        .collect();
    let rarity = idf(vocabulary.len(), sentences.iter().map(Vec::as_slice));
    let mut counts = vec![0_u32; vocabulary.len()];
    sentences.iter().flatten().for_each(|id| counts[*id as usize] += 1);
    let titled = vocabulary.find(title, lang).0.content;
    let mut ranked: Vec<(f32, u32)> = (0_u32..)
        .zip(counts.iter().zip(&rarity))
        .filter(|(id, (count, _))| **count > 1 && is_word(vocabulary.surface(*id)))
        .map(|(id, (count, idf))| {
            let in_title = if titled.contains(&id) { 2.0 } else { 1.0 };
            (in_title * (*count as f32).sqrt() * idf.min(3.0), id)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let topic = title::topic(&brief.prompt, lexicon::of(lang));
    let short_topic = Some(topic.to_lowercase()).filter(|t| !t.is_empty() && word::count(t) <= 4);
    let words = ranked.into_iter().map(|(_, id)| vocabulary.surface(id).to_lowercase());
    let mut out: Vec<String> = Vec::new();
    for term in short_topic.into_iter().chain(words) {
        if out.len() < KEYWORDS && !out.contains(&term) {
            out.push(term);
        }
    }
    out
}

fn is_word(surface: &str) -> bool {
    surface.chars().count() > 2 && surface.chars().all(|c| c.is_alphabetic() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::brief;

    const TEXT: &str = "# Lockers\n\nThe sun shines in summer over most of the land. Parcel lockers hold 60 parcels \
        and stand next to supermarkets in all larger towns of the country.\n\n## Cost\n\nParcel lockers are cheap.\n";

    #[test]
    fn the_description_is_the_most_relevant_sentence() {
        let found = propose(&brief("Write about parcel lockers", &[]), "Parcel lockers", TEXT);
        assert!(found.description.starts_with("Parcel lockers hold 60 parcels"), "{found:?}");
        assert_eq!(found.keywords.first().map(String::as_str), Some("parcel lockers"));
    }

    #[test]
    fn given_keywords_stay() {
        let found = propose(&brief("Write about parcel lockers", &["lockers"]), "Parcel lockers", "");
        assert_eq!((found.keywords, found.description), (vec!["lockers".to_owned()], "Parcel lockers".to_owned()));
    }
}

//! How near the passages of the sources are to what an order asks for, as an embedding model sees it. It finds what is
//! said in other words; which words an order and a passage share is told by BM25, and the two are joined.

use std::{collections::HashMap, sync::Arc};

use galley_domain::{
    embedding::{Side, Vector},
    writing::{Brief, Outline, SectionPlan, Snapshot},
};

use crate::{
    lexicon,
    pool::{Pool, pieces},
    title,
};

/// The passages that say most to the order are looked at, and no more: each vector is paid for, and kept for a while.
const MOST_PASSAGES: usize = 400;
const MOST_HEADINGS: usize = 100;
/// Fewer headings with something below them say nothing about how a model judges.
const LEAST_HEADINGS: usize = 4;
/// Of the passages below their headings, this share, in percent, is nearer to them than what counts as near.
const NEAR_PERCENT: usize = 60;
/// A model that sees less difference between the best passage and the others sees none.
const LEAST_DIFFERENCE: f32 = 0.01;

/// What an embedding model is asked about an order and its sources.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// What is asked for: the order's topic, each topic that it names, each section of an outline.
    queries: Vec<String>,
    passages: Vec<Passage>,
}

#[derive(Debug, Clone)]
struct Passage {
    source: u32,
    /// Where each of its sentences starts.
    starts: Vec<usize>,
    text: String,
    /// The heading that it stands below.
    heading: Option<String>,
}

impl Wanted {
    /// All texts, each once, with the side that they are on.
    pub fn texts(&self) -> Vec<(Side, &str)> {
        let mut seen = std::collections::HashSet::new();
        let queries = self.queries.iter().map(String::as_str).chain(self.headings());
        let passages = self.passages.iter().map(|passage| (Side::Passage, passage.text.as_str()));
        let all = queries.map(|text| (Side::Query, text)).chain(passages);
        all.filter(|(side, text)| seen.insert((*side == Side::Query, *text))).collect()
    }

    fn headings(&self) -> impl Iterator<Item = &str> {
        let mut seen = std::collections::HashSet::new();
        let all = self.passages.iter().filter_map(|passage| passage.heading.as_deref());
        all.filter(move |heading| seen.insert(*heading)).take(MOST_HEADINGS)
    }
}

/// What to ask an embedding model; with the outline of a model writer, its sections are asked for as well.
pub fn wanted(brief: &Brief, sources: &[Snapshot], outline: Option<&Outline>) -> Wanted {
    let pool = Pool::new(brief, sources, &Likeness::default());
    let mut queries = vec![subject(brief)];
    queries.extend(pool.request.topics.iter().map(|asked| asked.words.clone()));
    queries.extend(outline.into_iter().flat_map(|outline| &outline.sections).map(of_section));
    queries.retain(|query| !query.trim().is_empty());
    let mut ranked: Vec<(f32, Passage)> = Vec::new();
    for piece in pieces(&pool, &|_| true) {
        let sentences = &pool.sentences[piece.range()];
        let lead = &sentences[0];
        // The title of a source is about all of it.
        let heading = lead.source.headings.iter().skip(1).next_back().cloned();
        let texts: Vec<&str> = sentences.iter().map(|s| s.source.text.as_str()).collect();
        let relevance = sentences.iter().map(|s| s.relevance).sum::<f32>() / sentences.len() as f32;
        let starts = sentences.iter().map(|s| s.source.span.start).collect();
        ranked.push((relevance, Passage { source: lead.source.span.source, starts, text: texts.join(" "), heading }));
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    Wanted { queries, passages: ranked.into_iter().take(MOST_PASSAGES).map(|(_, passage)| passage).collect() }
}

/// What all of an article is about, as a question to an embedding model.
pub(crate) fn subject(brief: &Brief) -> String {
    let topic = title::topic(&brief.prompt, lexicon::of(lexicon::primary(&brief.language)));
    std::iter::once(topic.as_str()).chain(brief.keywords.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
}

/// A planned section as a question.
pub(crate) fn of_section(section: &SectionPlan) -> String {
    let lines = section.heading.iter().chain(&section.points);
    lines.map(String::as_str).collect::<Vec<_>>().join(". ")
}

/// How near the passages are to the queries. Without an embedding model it is empty and changes nothing.
#[derive(Debug, Clone, Default)]
pub struct Likeness(Arc<HashMap<String, Places>>);

/// By number of the source and start of the sentence.
type Places = HashMap<(u32, usize), Near>;

/// How near a passage is to a query.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Near {
    /// 0 for what is as near as passages are on the average, 1 for the nearest.
    pub value: f32,
    /// It is as near to the query as passages of these sources are to their own headings.
    pub stands_out: bool,
}

impl Likeness {
    /// From the vectors of [`Wanted::texts`]; texts without one are as if nobody had asked for them.
    pub fn new<'v>(wanted: &Wanted, vector: impl Fn(Side, &str) -> Option<&'v Vector>) -> Self {
        let passages: Vec<(&Passage, &Vector)> = wanted
            .passages
            .iter()
            .filter_map(|passage| Some((passage, vector(Side::Passage, &passage.text)?)))
            .collect();
        let least = least_near(wanted, &passages, &vector);
        let mut out = HashMap::new();
        for query in &wanted.queries {
            let Some(asked) = vector(Side::Query, query) else { continue };
            let cosines: Vec<f32> = passages.iter().map(|(_, vector)| asked.cosine(vector)).collect();
            let mean = cosines.iter().sum::<f32>() / cosines.len().max(1) as f32;
            let best = cosines.iter().copied().fold(mean, f32::max);
            if best - mean < LEAST_DIFFERENCE {
                continue;
            }
            let mut places = Places::new();
            for ((passage, _), cosine) in passages.iter().zip(&cosines) {
                let value = ((cosine - mean) / (best - mean)).clamp(0.0, 1.0);
                let near = Near { value, stands_out: least.is_some_and(|least| *cosine >= least) };
                places.extend(passage.starts.iter().map(|start| ((passage.source, *start), near)));
            }
            out.insert(query.clone(), places);
        }
        Self(Arc::new(out))
    }

    /// `None` where nobody asked a model about the query.
    pub(crate) fn of(&self, query: &str) -> Option<&Places> {
        self.0.get(query)
    }
}

/// From which cosine on a passage is near. Models differ in what they call near, so the sources say: a heading and what
/// stands below it belong together.
fn least_near<'v>(
    wanted: &Wanted,
    passages: &[(&Passage, &Vector)],
    vector: &impl Fn(Side, &str) -> Option<&'v Vector>,
) -> Option<f32> {
    let mut cosines: Vec<f32> = Vec::new();
    for heading in wanted.headings() {
        let Some(asked) = vector(Side::Query, heading) else { continue };
        let below = passages.iter().filter(|(passage, _)| passage.heading.as_deref() == Some(heading));
        cosines.extend(below.map(|(_, vector)| asked.cosine(vector)).max_by(f32::total_cmp));
    }
    if cosines.len() < LEAST_HEADINGS {
        return None;
    }
    cosines.sort_by(|a, b| b.total_cmp(a));
    cosines.get(cosines.len() * NEAR_PERCENT / 100).copied()
}

#[cfg(test)]
mod tests {
    use galley_domain::writing::WordRange;

    use super::*;
    use crate::{
        outline::{assign_with, outline_with},
        testing::{brief, source},
    };

    /// Two numbers for each text: whether it is about money, whether it is about cold.
    fn vector(text: &str) -> Vector {
        let has = |words: &[&str]| words.iter().filter(|word| text.to_lowercase().contains(**word)).count() as f32;
        let money = has(&["outlay", "euros", "charge", "fare"]);
        let cold = has(&["frost", "minus", "winter", "ice"]);
        Vector::new(vec![0.3 + money, 0.3 + cold, 1.0]).expect("a direction")
    }

    fn sources() -> Vec<Snapshot> {
        vec![source(
            1,
            "en",
            "# Lockers\n\n## What to pay\n\nA box of the middle size comes to 40 euros in a month.\n\n\
             ## Ice and snow\n\nThe doors stay shut below minus 25 degrees and open by hand.\n\n\
             ## The frost of 2021\n\nDuring a winter in Oulu eleven locks broke within one night.\n\n\
             ## The charge\n\nParcels add 30 cents apiece, and the first 100 are free of any fare.\n\n\
             ## Places\n\nLockers stand mostly beside shops and stations of the city.",
        )]
    }

    fn likeness(brief: &Brief, sources: &[Snapshot]) -> Likeness {
        let wanted = wanted(brief, sources, None);
        let vectors: HashMap<String, Vector> =
            wanted.texts().into_iter().map(|(_, text)| (text.to_owned(), vector(text))).collect();
        Likeness::new(&wanted, |_, text| vectors.get(text))
    }

    #[test]
    fn what_is_said_in_other_words_is_near() {
        let (brief, sources) = (brief("Write about parcel lockers: outlay, harsh frost", &[]), sources());
        let likeness = likeness(&brief, &sources);
        let near = likeness.of("outlay").expect("asked for");
        let of = |words: &str| near[&(1, sources[0].text.find(words).expect("in the source"))];
        assert!(of("A box of").stands_out && of("A box of").value > 0.9, "{near:?}");
        assert!(!of("Lockers stand mostly").stands_out && of("Lockers stand mostly").value < 0.1, "{near:?}");
        assert!(likeness.of("something else").is_none());
    }

    /// `outlay` and `charge` stand in no group of related words.
    #[test]
    fn a_topic_that_sources_name_otherwise_gets_its_section() {
        let sources = sources();
        let brief = Brief {
            words: WordRange { min: 40, max: 90 },
            ..brief("Write about parcel lockers. Cover these topics: the outlay, the places", &[])
        };
        let headings = |likeness: &Likeness| {
            let outline = outline_with(&brief, &sources, likeness).expect("an outline");
            let section = outline.sections.into_iter().find(|section| section.points.contains(&"outlay".to_owned()));
            section.map(|section| section.passages.iter().map(|span| span.start).min())
        };
        assert_eq!(headings(&Likeness::default()), None);
        let found = headings(&likeness(&brief, &sources)).flatten().expect("a section with passages");
        let passage = &sources[0].text[found..];
        assert!(passage.starts_with("A box of the") || passage.starts_with("Parcels add 30 cents"), "{passage}");
    }

    #[test]
    fn the_sections_of_a_model_get_what_is_near() {
        let (brief, sources) = (brief("Write about parcel lockers", &[]), sources());
        let section = |heading: &str| SectionPlan {
            heading: Some(heading.to_owned()),
            points: Vec::new(),
            words: WordRange { min: 10, max: 14 },
            passages: Vec::new(),
        };
        let outline =
            Outline { title: "Lockers".into(), sections: vec![section("Outlay"), section("Harsh weather frost")] };
        let wanted = wanted(&brief, &sources, Some(&outline));
        let vectors: HashMap<String, Vector> =
            wanted.texts().into_iter().map(|(_, text)| (text.to_owned(), vector(text))).collect();
        let likeness = Likeness::new(&wanted, |_, text| vectors.get(text));
        let assigned = assign_with(&brief, &outline, &sources, &likeness);
        let text = |section: usize| assigned.sections[section].passages[0].text_in(&sources).expect("in the source");
        assert!(text(0).contains("40 euros") || text(0).contains("30 cents"), "{}", text(0));
        assert!(text(1).contains("minus 25") || text(1).contains("winter"), "{}", text(1));
    }

    #[test]
    fn texts_without_vectors_are_as_if_not_asked_for() {
        let (brief, sources) = (brief("Write about parcel lockers: outlay", &[]), sources());
        let wanted = wanted(&brief, &sources, None);
        assert!(Likeness::new(&wanted, |_, _| None).of("outlay").is_none());
        let all = vector("euros");
        assert!(Likeness::new(&wanted, |_, _| Some(&all)).of("outlay").is_none(), "a model that sees no difference");
    }

    #[test]
    fn each_text_is_asked_for_once() {
        let mut sources = sources();
        sources.push(Snapshot { number: 2, ..sources[0].clone() });
        let wanted = wanted(&brief("Write about lockers: frost", &["frost"]), &sources, None);
        let texts = wanted.texts();
        let mut once = texts.clone();
        once.sort_by_key(|(side, text)| (*side == Side::Query, *text));
        once.dedup();
        assert_eq!(texts.len(), once.len());
        assert!(texts.iter().any(|(side, text)| *side == Side::Query && *text == "What to pay"), "{texts:?}");
    }
}

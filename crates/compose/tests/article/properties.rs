use std::collections::BTreeSet;

use galley_domain::{
    FaultCode,
    writing::{SectionPlan, SectionText, Verdict, WordRange},
};
use galley_text::word;

use crate::fixtures::{brief, sentences, sources, write};

const RANGES: [(u32, u32); 4] = [(100, 200), (300, 450), (600, 900), (1500, 2500)];

#[test]
fn the_ordered_length_is_kept() {
    let sources = sources();
    for (min, max) in RANGES {
        let article = write(&brief(min, max), &sources).expect("an article");
        let headings: u32 = article.outline.sections.iter().filter_map(|s| s.heading.as_deref()).map(word::count).sum();
        let words = headings + article.sections.iter().flat_map(|s| &s.paragraphs).map(|p| word::count(p)).sum::<u32>();
        assert!((min..=max).contains(&words), "{min}..{max}: {words}");
        let sections = article.outline.sections.len();
        assert!((3..=8).contains(&sections), "{min}..{max}: {sections} sections");
    }
}

#[test]
fn the_same_order_gives_the_same_article() {
    let sources = sources();
    let (a, b) = (write(&brief(600, 900), &sources), write(&brief(600, 900), &sources));
    assert_eq!(a.expect("an article").rendered, b.expect("an article").rendered);
}

#[test]
fn nothing_is_told_twice() {
    let sources = sources();
    for (min, max) in RANGES {
        let article = write(&brief(min, max), &sources).expect("an article");
        let sets: Vec<BTreeSet<String>> = sentences(&article.sections)
            .iter()
            .map(|s| word::words(s).into_iter().map(str::to_lowercase).collect())
            .collect();
        for (i, a) in sets.iter().enumerate() {
            for b in &sets[i + 1..] {
                let alike = a.intersection(b).count() as f32 / a.union(b).count() as f32;
                assert!(alike < 0.8, "{a:?}\n{b:?}");
            }
        }
    }
}

#[test]
fn no_sentence_is_cut_orphaned_or_out_of_place() {
    let sources = sources();
    let openers = [
        "This ",
        "That ",
        "These ",
        "Those ",
        "It ",
        "They ",
        "He ",
        "She ",
        "However",
        "Therefore",
        "Such ",
        "Its ",
        "Their ",
    ];
    for (min, max) in RANGES {
        let article = write(&brief(min, max), &sources).expect("an article");
        for section in &article.sections {
            assert!(!section.paragraphs.is_empty());
            for paragraph in &section.paragraphs {
                assert!(!openers.iter().any(|o| paragraph.starts_with(o)), "{paragraph}");
            }
        }
        for sentence in sentences(&article.sections) {
            assert!(sentence.ends_with(['.', '”']), "{sentence}");
            assert!(!sentence.contains('?'), "{sentence}");
            let words: Vec<&str> = word::words(&sentence);
            assert!(
                !words.iter().any(|w| ["I", "we", "We", "our", "Our", "cookies", "Click"].contains(w)),
                "{sentence}"
            );
        }
    }
}

/// A sentence that refers back stands directly behind the one it stood behind in its source.
#[test]
fn antecedents_are_kept() {
    let sources = sources();
    let article = write(&brief(1500, 2500), &sources).expect("an article");
    let all = sentences(&article.sections);
    for (sentence, before) in [
        ("It accounts for almost a third of the returned shoes.", "Retailers call the habit bracketing."),
        ("Rural sites therefore receive battery models first.", "A mains-powered bank takes a day"),
        ("They talk to the carrier's servers", "Most banks run on mains power"),
        ("Before Christmas this happens", "A bank is full when every"),
    ] {
        if let Some(at) = all.iter().position(|s| s.starts_with(sentence)) {
            assert!(at > 0 && all[at - 1].starts_with(before), "{sentence}");
        }
    }
}

#[test]
fn every_sentence_is_supported_by_its_source() {
    let sources = sources();
    for (min, max) in RANGES {
        let article = write(&brief(min, max), &sources).expect("an article");
        for placed in &article.rendered.claims {
            assert_eq!(placed.claim.verdict, Verdict::Supported, "{:?}", placed.claim);
        }
        assert!(!article.rendered.markdown.contains("[unsupported]"));
    }
}

#[test]
fn paragraphs_have_two_to_five_sentences() {
    let sources = sources();
    for (min, max) in RANGES {
        let article = write(&brief(min, max), &sources).expect("an article");
        for section in &article.sections {
            for paragraph in &section.paragraphs {
                let n = galley_text::sentence::split(paragraph).len();
                assert!(n <= 5 && (n >= 2 || section.paragraphs.len() == 1), "{n}: {paragraph}");
            }
        }
    }
}

#[test]
fn passages_do_not_overlap_and_lie_on_sentences() {
    let sources = sources();
    let outline = galley_compose::outline(&brief(1500, 2500), &sources).expect("an outline");
    let mut spans: Vec<_> = outline.sections.iter().flat_map(|s| s.passages.clone()).collect();
    spans.sort();
    for pair in spans.windows(2) {
        assert!(pair[0].source != pair[1].source || pair[0].end <= pair[1].start, "{pair:?}");
    }
    assert!(spans.iter().all(|s| s.text_in(&sources).is_some_and(|t| t.ends_with(['.', '|']))));
}

#[test]
fn headings_are_distinct_informative_and_have_the_keyphrase() {
    let sources = sources();
    for (min, max) in RANGES {
        let outline = galley_compose::outline(&brief(min, max), &sources).expect("an outline");
        let headings: Vec<&String> = outline.sections.iter().filter_map(|s| s.heading.as_ref()).collect();
        let distinct: BTreeSet<_> = headings.iter().collect();
        assert_eq!(distinct.len(), headings.len());
        assert!(headings.iter().all(|h| h.chars().count() <= 60 && *h != "Introduction"));
        let with = headings.iter().filter(|h| h.to_lowercase().contains("locker")).count();
        assert!(with * 100 >= headings.len() * 30, "{headings:?}");
        assert!(outline.title.chars().count() <= 60, "{}", outline.title);
    }
}

#[test]
fn foreign_sources_are_a_last_resort() {
    let sources = sources();
    let article = write(&brief(600, 900), &sources).expect("an article");
    assert!(!article.rendered.cited.contains(&6));
    let mut german = brief(100, 150);
    german.language = "de".to_owned();
    german.prompt = "Schreibe einen Artikel über Paketautomaten".to_owned();
    german.keywords = vec!["Paketautomaten".to_owned()];
    let article = write(&german, &sources).expect("an article");
    assert_eq!(article.rendered.cited.first(), Some(&6), "{}", article.rendered.markdown);
}

#[test]
fn too_little_text_is_a_fault_that_says_how_much_there_is() {
    let sources = &sources()[4..7];
    let fault = galley_compose::outline(&brief(1500, 2500), sources).expect_err("too little");
    assert_eq!(fault.code(), FaultCode::WorkflowError);
    assert!(!fault.is_transient());
    let text = fault.to_string();
    assert!(text.contains("usable words") && text.contains("1500") && text.contains("fewer words"), "{text}");
}

#[test]
fn passages_are_assigned_to_headings_of_anybody() {
    let sources = sources();
    let brief = brief(600, 900);
    let plan = |heading: Option<&str>, points: &[&str]| SectionPlan {
        heading: heading.map(str::to_owned),
        points: points.iter().map(|p| (*p).to_owned()).collect(),
        words: WordRange { min: 0, max: 0 },
        passages: Vec::new(),
    };
    let outline = galley_domain::writing::Outline {
        title: "Parcel lockers".to_owned(),
        sections: vec![
            plan(None, &[]),
            plan(Some("Winter and weather"), &["frost, snow and heat"]),
            plan(Some("Why clothes come back"), &["size and colour as reasons for returns"]),
            plan(Some("Thieves and phishing"), &[]),
        ],
    };
    let assigned = galley_compose::assign(&brief, &outline, &sources);
    let text = |i: usize| galley_compose::section(&brief, &assigned, i, &sources).paragraphs.join(" ");
    assert!(text(1).contains("Northern winters"), "{}", text(1));
    assert!(text(2).contains("Size is the most common reason"), "{}", text(2));
    assert!(text(3).contains("Phishing is the greater danger"), "{}", text(3));
    let pairs = (0..4).map(|i| (assigned.sections[i].clone(), galley_compose::section(&brief, &assigned, i, &sources)));
    assert!(galley_compose::fit(&brief, pairs.collect(), &sources).is_ok());
}

fn model_text(paragraphs: &[&str]) -> SectionText {
    SectionText { paragraphs: paragraphs.iter().map(|p| (*p).to_owned()).collect() }
}

fn model_plan(heading: &str) -> SectionPlan {
    SectionPlan {
        heading: Some(heading.to_owned()),
        points: Vec::new(),
        words: WordRange { min: 40, max: 60 },
        passages: Vec::new(),
    }
}

#[test]
fn a_repetitive_model_is_cleaned_and_topped_up() {
    let sources = sources();
    let chatter = "Lockers are a convenient way to receive parcels. Lockers are a convenient way to receive a parcel. \
        This is why they are loved. Shops save money with lockers.";
    let sections = vec![
        (model_plan("Where to place a locker"), model_text(&[chatter])),
        (model_plan("Cost of a return"), model_text(&[chatter, "- Returns cost 5 euros.", "- Returns cost 5 euros."])),
    ];
    let fitted = galley_compose::fit(&brief(150, 200), sections, &sources).expect("fitted");
    let all = sentences(&fitted);
    assert_eq!(all.iter().filter(|s| s.starts_with("Lockers are a convenient")).count(), 1);
    assert!(!all.iter().any(|s| s.starts_with("This is why they")), "its antecedent is gone: {all:?}");
    assert_eq!(all.iter().filter(|s| s.contains("Returns cost 5 euros")).count(), 1);
    let words: u32 = fitted.iter().flat_map(|s| &s.paragraphs).map(|p| word::count(p)).sum::<u32>() + 9;
    assert!((150..=200).contains(&words), "{words}");
}

#[test]
fn too_long_a_text_loses_trailing_sentences_only() {
    let sentence = |i: usize| format!("Sentence number {i} tells of item{i} and thing{i} and matter{i} alone.");
    let long: Vec<String> = (0..40).map(sentence).collect();
    let sections = vec![
        (model_plan("Long"), SectionText { paragraphs: long.chunks(4).map(|c| c.join(" ")).collect() }),
        (model_plan("Short"), model_text(&["One lonely statement stays here for ever and ever."])),
    ];
    let fitted = galley_compose::fit(&brief(100, 200), sections, &sources()).expect("fitted");
    assert_eq!(fitted[1].paragraphs.len(), 1);
    let kept = sentences(&fitted[..1]);
    assert_eq!(kept, long[..kept.len()]);
}

#[test]
fn what_cannot_be_fitted_is_a_fault() {
    let lonely = vec![(model_plan("Short"), model_text(&["One lonely statement."]))];
    let fault = galley_compose::fit(&brief(600, 900), lonely, &[]).expect_err("no text");
    assert_eq!(fault.code(), FaultCode::WorkflowError);
    let word = "word ".repeat(400);
    let endless = vec![(model_plan("Long"), model_text(&[&format!("Endless {word}.")]))];
    let fault = galley_compose::fit(&brief(100, 200), endless, &[]).expect_err("one sentence");
    assert!(fault.to_string().contains("cannot be cut"), "{fault}");
}

/// `cargo test -p galley-compose -- --ignored --nocapture print` prints articles for an editor's eye.
#[test]
#[ignore = "prints for reading"]
fn print() {
    let sources = sources();
    for (min, max) in [(100, 200), (600, 900), (1500, 2500)] {
        let article = write(&brief(min, max), &sources).expect("an article");
        println!("{}\n=====", article.rendered.markdown);
    }
}

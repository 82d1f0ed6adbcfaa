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
            plan(Some("Stolen codes and theft"), &[]),
        ],
    };
    let assigned = galley_compose::assign(&brief, &outline, &sources);
    let text = |i: usize| galley_compose::section(&brief, &assigned, i, &sources).paragraphs.join(" ");
    assert!(text(1).contains("Northern winters"), "{}", text(1));
    assert!(text(2).contains("Size is the most common reason"), "{}", text(2));
    assert!(text(3).contains("Theft from lockers is rare"), "{}", text(3));
    let pairs = (0..4).map(|i| (assigned.sections[i].clone(), galley_compose::section(&brief, &assigned, i, &sources)));
    assert!(galley_compose::fit(&brief, pairs.collect(), &sources).is_ok());
}

/// Fragments put together at random, by a generator of its own so that every run is the same.
#[test]
fn no_input_panics() {
    const PARTS: [&str; 34] = [
        "# ",
        "## Das Ö",
        "\n",
        "\n\n",
        "- ",
        "| a | 1 |",
        "|",
        "\\|",
        "“",
        "”",
        "„",
        "«",
        "(",
        ")",
        "[1]",
        "1.200,5 €",
        "−3 %",
        "2021-05-03",
        "3 May 2021",
        "\u{a0}",
        "İstanbul ",
        "ß",
        "\u{301}",
        "🚚 ",
        "The parcel lockers in Riga hold 60 parcels on average. ",
        "It is. ",
        "However, ",
        "not ",
        "According to “X”, ",
        "Die Post ",
        "?",
        "… ",
        "a.b.c ",
        "\u{feff}",
    ];
    let mut seed = 7_u64;
    let mut next = move |n: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits") % n
    };
    let languages = [None, Some("en"), Some("de"), Some("fr"), Some("xx"), Some("")];
    for round in 0..150 {
        let mut sources = sources();
        sources.truncate(2);
        for source in &mut sources {
            source.text = (0..next(60)).map(|_| PARTS[next(PARTS.len())]).collect();
            source.language = languages[next(languages.len())].map(str::to_owned);
        }
        let mut order = brief(100, 120);
        order.prompt = (0..next(5)).map(|_| PARTS[next(PARTS.len())]).collect();
        order.keywords = vec![PARTS[next(PARTS.len())].to_owned()];
        order.language = languages[next(languages.len())].unwrap_or("it").to_owned();
        let _ = write(&order, &sources);
        let text = SectionText { paragraphs: vec![sources[0].text.clone(), sources[1].text.clone()] };
        let claims = galley_compose::claims::check(std::slice::from_ref(&text), &sources);
        for span in claims.iter().filter_map(|c| c.claim.span) {
            assert!(span.text_in(&sources).is_some_and(|t| !t.is_empty()), "{round}");
        }
        let part = galley_compose::article::ArticleSection { heading: Some(order.prompt.clone()), text: text.clone() };
        let article = galley_compose::article::render(&order.prompt, &[part], &claims, &sources);
        let _ = galley_compose::article::sources_md("x", &article, &sources, &std::collections::BTreeMap::new());
        let _ = galley_compose::fit(&order, vec![(model_plan(&order.prompt), text)], &sources);
        for source in &sources {
            for sentence in galley_compose::snapshot::sentences(source) {
                assert!(sentence.span.text_in(&sources).is_some(), "{round}");
            }
        }
    }
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

#[tokio::test]
async fn the_writer_stands_behind_the_trait() {
    use galley_domain::{usage::Meter, writing::Writer};
    let writer: Box<dyn Writer> = Box::new(galley_compose::ExtractiveWriter);
    let (sources, brief, meter) = (sources(), brief(300, 450), Meter::default());
    let outline = writer.outline(&brief, &sources, &meter).await.expect("an outline");
    let text = writer.section(&brief, &outline, 0, &sources, &meter).await.expect("a section");
    assert!(text.paragraphs[0].starts_with("Parcel lockers are steel cabinets"), "{text:?}");
    let beyond = writer.section(&brief, &outline, 99, &sources, &meter).await.expect("a section");
    assert!(beyond.paragraphs.is_empty());
    let seo = writer.seo(&brief, &outline.title, &text.paragraphs.join("\n\n"), &meter).await.expect("a proposal");
    assert!(seo.description.contains("arcel lockers") && seo.title == outline.title, "{seo:?}");
    assert_eq!((writer.name(), meter.take().len()), ("extractive", 0));
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

/// Prints an article from snapshots in the JSON file `COMPOSE_SNAPSHOTS`, ordered by `COMPOSE_PROMPT`.
#[test]
#[ignore = "prints for reading"]
fn print_own() {
    let path = std::env::var("COMPOSE_SNAPSHOTS").expect("COMPOSE_SNAPSHOTS is a file with an array of snapshots");
    let text = std::fs::read_to_string(path).expect("readable");
    let sources: Vec<galley_domain::writing::Snapshot> = serde_json::from_str(&text).expect("an array of snapshots");
    let mut order = brief(600, 900);
    order.prompt = std::env::var("COMPOSE_PROMPT").unwrap_or_default();
    order.keywords =
        std::env::var("COMPOSE_KEYWORDS").map(|k| k.split(',').map(str::to_owned).collect()).unwrap_or_default();
    for (min, max) in [(100, 200), (600, 900), (1500, 2500)] {
        order.words = WordRange { min, max };
        let start = std::time::Instant::now();
        match write(&order, &sources) {
            Ok(article) => println!("{}\n===== {:?}", article.rendered.markdown, start.elapsed()),
            Err(fault) => println!("{fault}\n====="),
        }
    }
}

/// Prints how long checking takes; see `print_own`.
#[test]
#[ignore = "measures"]
fn measure() {
    let bytes = 100_000;
    let sources = sources();
    let bulk: Vec<_> = (0..20_u32)
        .map(|n| {
            let mut source = sources[n as usize % 4].clone();
            source.number = n + 1;
            let mut text = String::new();
            let mut i = 0;
            while text.len() < bytes {
                // Words of their own keep the sentences apart.
                for line in source.text.lines().filter(|l| l.len() > 80) {
                    text.push_str(&line.replace("the ", &format!("the k{n}x{i} ")));
                    text.push_str("\n\n");
                    i += 1;
                }
            }
            source.text = text.trim_end().to_owned();
            source
        })
        .collect();
    let paragraphs: Vec<String> = bulk
        .iter()
        .flat_map(|s| s.text.lines().filter(|l| !l.is_empty()).take(40))
        .map(|l| format!("Indeed {}", l.replace(". ", ". Indeed ")))
        .collect();
    let text = SectionText { paragraphs };
    let start = std::time::Instant::now();
    let checker = galley_compose::claims::Checker::new(&bulk);
    let built = start.elapsed();
    let mut n = 0;
    for sentence in sentences(std::slice::from_ref(&text)).iter().take(2000) {
        n += 1;
        let _ = checker.check(sentence);
    }
    println!("index {built:?}, {n} sentences {:?}", start.elapsed() - built);
    let start = std::time::Instant::now();
    let outline = galley_compose::outline(&brief(1500, 2500), &bulk).expect("an outline");
    println!("outline {:?}, {} sections", start.elapsed(), outline.sections.len());
    let start = std::time::Instant::now();
    let texts: Vec<_> =
        (0..outline.sections.len()).map(|i| galley_compose::section(&brief(1500, 2500), &outline, i, &bulk)).collect();
    println!("sections {:?}, {} paragraphs", start.elapsed(), texts.iter().map(|t| t.paragraphs.len()).sum::<usize>());
}

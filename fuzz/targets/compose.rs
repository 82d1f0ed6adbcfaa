//! Composing and checking on hostile sources: spans lie in their source on characters, the article is found again in
//! the Markdown that is put on paper, and nothing of a source becomes markup.
#![no_main]

use galley_compose::{article, claims, outline, section, snapshot};
use galley_domain::writing::{Brief, Origin, SectionText, Snapshot, Tone, WordRange};
use galley_files::extract;
use galley_fuzz::{LIMITS, parts, text_of};
use galley_text::markdown;
use libfuzzer_sys::fuzz_target;

const LANGUAGES: [Option<&str>; 8] =
    [Some("en"), Some("de"), Some("fr"), Some("es"), Some("it"), Some("ru"), Some("pt"), None];

fn check_claims(written: &[SectionText], sources: &[Snapshot]) -> Vec<claims::PlacedClaim> {
    let found = claims::check(written, sources);
    for placed in &found {
        let Some(span) = placed.claim.span else { continue };
        let source = sources.iter().find(|source| source.number == span.source).expect("a source that is there");
        let text = source.text.get(span.start..span.end).expect("a span on characters");
        assert!(!text.trim().is_empty(), "{placed:?}");
    }
    found
}

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let [one, two, prompt, written] = parts::<4>(rest).map(text_of);
    let language = LANGUAGES[usize::from(*first) % LANGUAGES.len()];
    let mut sources = Vec::new();
    for (number, text) in (1..).zip([one, two]) {
        let Ok(read) = extract(text.as_bytes(), "a.md", &LIMITS) else { continue };
        let origin = Origin::File { name: "a.md".to_owned() };
        let title = read.title.unwrap_or_else(|| prompt.to_owned());
        sources.push(Snapshot { number, title, origin, language: language.map(str::to_owned), text: read.text });
    }
    for source in &sources {
        for sentence in snapshot::sentences(source) {
            assert!(!sentence.text.trim().is_empty());
            assert!(source.text.get(sentence.span.start..sentence.span.end).is_some(), "{sentence:?}");
        }
    }
    let brief = Brief {
        prompt: prompt.to_owned(),
        keywords: vec![prompt.chars().take(40).collect()],
        tone: Tone::default(),
        language: language.unwrap_or("en").to_owned(),
        words: WordRange { min: 100, max: 150 },
            instructions: String::new(),
    };
    let paragraphs = written.split('\n').map(str::to_owned).collect();
    let mut sections = vec![article::ArticleSection { heading: None, text: SectionText { paragraphs } }];
    if let Ok(plan) = outline(&brief, &sources) {
        for at in 0..plan.sections.len() {
            let text = section(&brief, &plan, at, &sources);
            sections.push(article::ArticleSection { heading: plan.sections[at].heading.clone(), text });
        }
    }
    let texts: Vec<SectionText> = sections.iter().map(|section| section.text.clone()).collect();
    let found = check_claims(&texts, &sources);
    let rendered = article::render(prompt, &sections, &found, &sources);
    assert_eq!(rendered.claims, found);
    assert!(rendered.cited.iter().all(|number| sources.iter().any(|source| source.number == *number)));
    let html = markdown::to_html(&rendered.markdown);
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
});

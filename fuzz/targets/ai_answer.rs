//! What a model wrote: JSON through its wrapping, prose without its habits; and sources on their way into a prompt.
#![no_main]

use galley_ai::{Completion, Excerpt, Finish, excerpts, paragraphs, read_outline, read_seo};
use galley_domain::writing::WordRange;
use galley_fuzz::{parts, text_of};
use libfuzzer_sys::fuzz_target;

fn check_json(answer: &Completion) {
    let words = WordRange { min: 800, max: 1_200 };
    match read_outline(answer, words, 6) {
        Ok(outline) => {
            assert!(!outline.title.is_empty() && outline.title.chars().count() <= 120);
            assert!(outline.sections.len() <= 7 && outline.sections[0].heading.is_none());
            let headings: Vec<_> = outline.sections[1..].iter().map(|s| s.heading.clone().expect("a heading")).collect();
            for (at, heading) in headings.iter().enumerate() {
                assert!((1..=70).contains(&heading.chars().count()) && !heading.contains(char::is_control));
                assert!(headings[..at].iter().all(|h| h.to_lowercase() != heading.to_lowercase()), "{headings:?}");
            }
            assert_eq!(outline.sections.iter().map(|s| s.words.min).sum::<u32>(), words.min);
            assert!(outline.sections.iter().flat_map(|s| &s.points).all(|p| p.chars().count() <= 200 && !p.is_empty()));
        }
        Err(words) => assert!(!words.is_empty()),
    }
    match read_seo(answer) {
        Ok(seo) => {
            assert!((1..=60).contains(&seo.title.chars().count()), "{seo:?}");
            assert!((1..=155).contains(&seo.description.chars().count()), "{seo:?}");
            assert!(seo.keywords.len() <= 8 && seo.keywords.iter().all(|k| !k.is_empty()));
        }
        Err(words) => assert!(!words.is_empty()),
    }
}

fn check_prose(text: &str, heading: &str, cut: bool) {
    let written = paragraphs(text, &[heading], cut);
    for paragraph in &written {
        assert!(paragraph.trim() == paragraph && !paragraph.is_empty(), "{paragraph:?}");
        assert!(!paragraph.contains(|c: char| c.is_control()), "{paragraph:?}");
        assert!(!paragraph.starts_with("```"), "{paragraph:?}");
    }
    // Without what cleaning leaves out there is nothing to add: prose never grows.
    assert!(written.iter().map(String::len).sum::<usize>() <= text.len() + 2 * written.len());
}

fn check_fence(title: &str, text: &str) {
    for tokens in [120, 2_000] {
        let fenced = excerpts(&[Excerpt { number: 7, title, text }, Excerpt { number: 8, title: text, text: title }], tokens);
        assert!(fenced.len().div_ceil(3) <= tokens, "{} bytes for {tokens} tokens", fenced.len());
        let lower = fenced.to_ascii_lowercase();
        let mut tags = 0;
        for (at, _) in lower.match_indices(['<', '[']) {
            let name = lower[at + 1..].trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            tags += usize::from(lower.as_bytes()[at] == b'<' && name.starts_with("excerpt"));
            let forbidden: &[&str] = match lower.as_bytes()[at] {
                b'<' => &["|", "s>", "start_of_turn", "end_of_turn", "article", "order", "think", "sys>"],
                _ => &["|", "inst]", "think]", "system_prompt]", "available_tools]", "tool_calls]", "tool_results]"],
            };
            assert!(!forbidden.iter().any(|token| name.starts_with(token)), "{name:.20} in {fenced:?}");
        }
        let ours = fenced.lines().filter(|l| l.starts_with("<excerpt source=\"") || *l == "</excerpt>").count();
        assert!(tags == ours && ours <= 4 && ours % 2 == 0, "{tags} tags, {ours} of them ours: {fenced:?}");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let [text, other] = parts::<2>(rest).map(text_of);
    let finish = if first % 2 == 0 { Finish::Stop } else { Finish::Length };
    let answer = Completion { text: text.to_owned(), finish, prompt_tokens: 1, completion_tokens: 1 };
    check_json(&answer);
    check_prose(text, other, finish == Finish::Length);
    check_fence(other, text);
});

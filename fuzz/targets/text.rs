//! Sentences, words, slugs and scores of any text: ranges stand on characters, in order, and nothing is lost.
#![no_main]

use galley_fuzz::text_of;
use galley_text::{language, markdown, sentence, seo, slug, word};
use libfuzzer_sys::fuzz_target;

const LANGUAGES: [&str; 8] = ["en", "de", "fr", "it", "ru", "tr", "ja", ""];

fn check_sentences(text: &str) {
    let mut end = 0;
    let mut whole = String::new();
    for range in sentence::split(text) {
        assert!(range.start >= end && range.start < range.end, "{range:?} behind {end} in {text:?}");
        let (gap, sentence) = (&text[end..range.start], &text[range.clone()]);
        assert!(gap.trim().is_empty(), "{gap:?} is in no sentence of {text:?}");
        assert_eq!(sentence.trim(), sentence);
        whole.push_str(gap);
        whole.push_str(sentence);
        end = range.end;
    }
    assert!(text[end..].trim().is_empty(), "{:?} is in no sentence", &text[end..]);
    assert_eq!(whole + &text[end..], text);
}

fn check_words(text: &str, lang: &str) {
    let mut end = 0;
    for (start, found) in word::indices(text) {
        assert!(start >= end && !found.is_empty() && &text[start..start + found.len()] == found);
        end = start + found.len();
        assert!(found.chars().any(char::is_alphanumeric), "{found:?} is no word");
        assert!(word::syllables_en(found) >= 1);
        let _ = word::stem(found, lang);
        let _ = word::is_stopword(found, lang);
    }
    assert_eq!(word::count(text) as usize, word::words(text).len());
}

fn check_slug(text: &str) {
    for n in [0, 2, u32::MAX] {
        let made = slug::numbered(text, n);
        assert!((1..=slug::LIMIT).contains(&made.len()), "{made:?}");
        assert!(made.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{made:?}");
        assert!(!made.starts_with('-') && !made.ends_with('-') && !made.contains("--"), "{made:?}");
    }
    let made = slug::slugify(text);
    assert_eq!(slug::slugify(&made), made, "a slug is its own slug");
}

fn check_fit(text: &str) {
    for (fitted, limit) in
        [(seo::fit_title(text), seo::TITLE_LIMIT), (seo::fit_description(text), seo::DESCRIPTION_LIMIT)]
    {
        assert!(fitted.chars().count() <= limit, "{fitted:?}");
        assert!(fitted.trim() == fitted && !fitted.contains(|c: char| c.is_control()), "{fitted:?}");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let (text, lang) = (text_of(rest), LANGUAGES[usize::from(*first) % LANGUAGES.len()]);
    check_sentences(text);
    check_words(text, lang);
    check_slug(text);
    check_fit(text);
    let _ = language::detect(text);
    let article = markdown::Article::parse(text);
    for block in &article.blocks {
        assert_eq!(block.text.trim(), block.text);
        assert!(matches!(block.kind, markdown::BlockKind::Heading(_)) || !block.text.is_empty());
        assert!(block.kind == markdown::BlockKind::Code || !block.text.contains('\n'), "{block:?}");
    }
    assert_eq!(article.word_count(), markdown::word_count(text));
    let head = text.lines().next().unwrap_or_default();
    let keywords = [head.to_owned()];
    let report = seo::score(&seo::SeoInput {
        title: head,
        description: head,
        slug: &slug::slugify(head),
        keyphrase: Some(head).filter(|_| data.len() % 2 == 0),
        keywords: &keywords,
        markdown: text,
        language: lang,
        site: Some("https://blog.example"),
    });
    assert!(report.score <= 100 && !report.checks.is_empty());
});

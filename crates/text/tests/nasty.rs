//! No input makes a function panic, and time grows about as fast as the input.

use std::time::{Duration, Instant};

use galley_text::{language, markdown, sentence, seo, slug, word};

const LANGUAGES: [&str; 20] = [
    "ar", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "nl", "no", "pt", "ro", "ru", "sv", "ta", "tr", "uk",
    "",
];

/// Each piece alone and repeated has broken some text library.
const PIECES: [&str; 60] = [
    "",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u{0}",
    "\u{7}\u{1b}[0m",
    "\u{a0}",
    "\u{feff}",
    "\u{200b}",
    "\u{202e}abc\u{202c}",
    "\u{fffd}",
    "a",
    ".",
    "..",
    "a.",
    "A. ",
    "a. A",
    ". .",
    "! ",
    "?!",
    "…",
    "。",
    "\u{37e}",
    "[",
    "]",
    "[1]",
    "[1][",
    "[[",
    "(",
    ")",
    "\"",
    "« ",
    " »",
    "'",
    "l'",
    "-",
    "a-",
    "%",
    "5%",
    "://",
    "a://",
    "a@",
    "👩‍👩‍👧‍👦",
    "🇩🇪",
    "e\u{301}",
    "\u{301}",
    "שלום",
    "مرحبا. ",
    "今日は",
    "हिन्दी।",
    "ß",
    "İ",
    "ŉ",
    "ﬁ",
    "Σς",
    "Я. ",
    "# ",
    "\n\n## Sources\n\n",
    "| a |\n|---|\n",
];

fn everything(text: &str) {
    let mut last = 0;
    for range in sentence::split(text) {
        assert!(range.start >= last && range.start < range.end);
        let piece = &text[range.clone()];
        assert_eq!(piece, piece.trim());
        last = range.end;
    }
    let mut kept: String = sentence::split(text).into_iter().map(|r| &text[r]).collect();
    kept.retain(|c| !c.is_whitespace());
    let all: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    assert_eq!(kept, all, "sentences lose nothing but white space");

    let words = word::words(text);
    assert_eq!(words.len(), word::count(text) as usize);
    for word in words.iter().take(200) {
        assert!(word::syllables_en(word) >= 1);
        for lang in LANGUAGES {
            word::stem(word, lang);
            word::is_stopword(word, lang);
        }
    }
    for lang in LANGUAGES {
        word::stem(text, lang);
    }
    word::syllables_en(text);
    language::detect(text);

    for slug in [slug::slugify(text), slug::numbered(text, 17)] {
        assert!((1..=slug::LIMIT).contains(&slug.len()), "{slug}");
        assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{slug}");
        assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"), "{slug}");
    }
    assert!(seo::fit_title(text).chars().count() <= seo::TITLE_LIMIT);
    assert!(seo::fit_description(text).chars().count() <= seo::DESCRIPTION_LIMIT);

    markdown::strip(text);
    markdown::strip_headings(text);
    markdown::word_count(text);
    markdown::to_html(text);
    markdown::of_html(text);
    let keywords = [text.to_owned()];
    for language in ["en", "ru", text] {
        let input = seo::SeoInput {
            title: text,
            description: text,
            slug: text,
            keyphrase: Some(text),
            keywords: &keywords,
            markdown: text,
            language,
            site: Some(text),
        };
        assert!(seo::score(&input).score <= 100);
    }
}

#[test]
fn nasty_strings_do_no_harm() {
    for piece in PIECES {
        everything(piece);
        everything(&piece.repeat(50));
        everything(&format!("Some text. {piece} More{piece}text"));
    }
}

/// Strings from the pieces in an order that is random but the same in every run.
#[test]
fn mixtures_do_no_harm() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..300 {
        let mut text = String::new();
        for _ in 0..30 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(PIECES[(state >> 33) as usize % PIECES.len()]);
        }
        everything(&text);
    }
}

/// Bytes read in the tests of time, beside a quarter of them. Four times the text takes four times as long where the work
/// is linear, sixteen times as long where it is quadratic.
const SIZE: usize = 60_000;
/// The same for one long line.
const LONG_SIZE: usize = 400_000;
/// The same for HTML, in which one text may be as long as all of it.
const HTML_SIZE: usize = 100_000;
const MOST_TIMES: u32 = 10;
/// What is too short to be measured on a machine that is busy with other things.
const NOISE: Duration = Duration::from_millis(100);
/// A machine may be busier while the longer text is read: one measurement of so many has to be within bounds.
const MEASUREMENTS: usize = 3;

/// Reads a text of pieces and a quarter of it, until the times are in proportion.
fn timed_of(what: &str, piece: &str, size: usize, run: &dyn Fn(&str)) {
    let text = piece.repeat(size / piece.len());
    let quarter = piece.repeat(size / 4 / piece.len());
    let took = |text: &str| {
        let start = Instant::now();
        run(text);
        start.elapsed()
    };
    let mut measured = Vec::new();
    let linear = (0..MEASUREMENTS).any(|_| {
        let (one, four) = (took(&quarter), took(&text));
        measured.push((one, four));
        four < one * MOST_TIMES + NOISE
    });
    assert!(linear, "{what} took {measured:?} for {} and {size} bytes of {piece:?}", size / 4);
}

fn everything_timed(piece: &str, size: usize) {
    let timed = |what: &str, run: &dyn Fn(&str)| timed_of(what, piece, size, run);
    timed("sentence::split", &|text| drop(sentence::split(text)));
    timed("word::count", &|text| _ = word::count(text));
    timed("word::stem", &|text| drop(word::stem(text, "en")));
    timed("word::syllables_en", &|text| _ = word::syllables_en(text));
    timed("language::detect", &|text| _ = language::detect(text));
    timed("slug::slugify", &|text| drop(slug::slugify(text)));
    timed("seo::fit_title", &|text| drop(seo::fit_title(text)));
    timed("seo::fit_description", &|text| drop(seo::fit_description(text)));
    timed("markdown::strip", &|text| drop(markdown::strip(text)));
    timed("markdown::to_html", &|text| drop(markdown::to_html(text)));
    timed("markdown::of_html", &|text| drop(markdown::of_html(text)));
    timed("seo::score", &|text| {
        drop(seo::score(&seo::SeoInput {
            title: "T",
            description: "D",
            slug: "t",
            keyphrase: Some("how to find a b c d in a text?"),
            keywords: &[],
            markdown: text,
            language: "en",
            site: Some("https://blog.example"),
        }));
    });
}

#[test]
fn time_is_linear() {
    for piece in [
        "x ",
        ".",
        "a. ",
        ". ",
        "[1]",
        "[",
        "(",
        "\"",
        "« ",
        "& ",
        "a-",
        "a@",
        "a://",
        "👩‍👩‍👧‍👦",
        "🇩🇪",
        "> ",
        "- ",
        "*a ",
        "**",
        "`",
        "<b>",
        "<",
        "![",
        "](",
        "![&](",
        "| a ",
        "\n\n",
        "Is it a b c d e? ",
    ] {
        everything_timed(piece, SIZE);
    }
}

/// Long enough for what grows with the square of it to be seen.
#[test]
fn html_is_read_in_linear_time() {
    for piece in ["& é ", "&amp; ", "<b title='& é '>x</b> ", "<p>& é ", "£ ", "x <", "<!-- & "] {
        timed_of("markdown::of_html", piece, HTML_SIZE, &|text| drop(markdown::of_html(text)));
    }
    let in_value = |text: &str| drop(markdown::of_html(&format!("<b title=\"{text}\">x</b>")));
    timed_of("markdown::of_html of a value", "& ", HTML_SIZE, &in_value);
}

#[test]
fn a_megabyte_on_one_line_without_spaces_is_read() {
    for piece in ["x", ".", "\u{301}"] {
        everything_timed(piece, LONG_SIZE);
    }
}

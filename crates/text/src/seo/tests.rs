//! Every check at its threshold, on both sides.

mod structure;
mod subject;

use super::*;

/// An input that is empty but for what a test sets.
fn input<'a>() -> SeoInput<'a> {
    SeoInput {
        title: "",
        description: "",
        slug: "",
        keyphrase: None,
        keywords: &[],
        markdown: "",
        language: "en",
        site: None,
    }
}

fn check(input: &SeoInput, id: &str) -> Check {
    score(input).checks.into_iter().find(|c| c.id == id).expect("the check exists")
}

fn status(input: &SeoInput, id: &str) -> Status {
    check(input, id).status
}

fn markdown_status(markdown: &str, id: &str) -> Status {
    status(&SeoInput { markdown, ..input() }, id)
}

/// `n` words of one syllable.
fn words(n: usize) -> String {
    vec!["cat"; n].join(" ")
}

/// `sentences[0].0` sentences of `sentences[0].1` words and so on.
fn prose(sentences: &[(usize, usize)]) -> String {
    let all = sentences.iter().flat_map(|(n, len)| std::iter::repeat_n(format!("The {}.", words(len - 1)), *n));
    all.collect::<Vec<_>>().join(" ")
}

#[test]
fn title_length() {
    for (chars, expected) in
        [(0, Status::Bad), (1, Status::Good), (60, Status::Good), (61, Status::Ok), (70, Status::Ok), (71, Status::Bad)]
    {
        assert_eq!(status(&SeoInput { title: &"ü".repeat(chars), ..input() }, "title_length"), expected, "{chars}");
    }
}

#[test]
fn description_length() {
    for (chars, expected) in [
        (0, Status::Bad),
        (1, Status::Ok),
        (49, Status::Ok),
        (50, Status::Good),
        (155, Status::Good),
        (156, Status::Bad),
    ] {
        let description = &"ü".repeat(chars);
        assert_eq!(status(&SeoInput { description, ..input() }, "description_length"), expected, "{chars}");
    }
}

#[test]
fn reading_ease() {
    assert!((readability::flesch(10.0, 1.5) - 69.785).abs() < 1e-9);
    assert_eq!(markdown_status("The cat sat. The dog ran.", "reading_ease"), Status::Good);
    // 206.835 − 1.015 · words − 84.6: 122.235 is reached with one syllable each, so 61 words give 60.3, 62 give 59.3.
    assert_eq!(markdown_status(&prose(&[(1, 61)]), "reading_ease"), Status::Good);
    assert_eq!(markdown_status(&prose(&[(1, 62)]), "reading_ease"), Status::Ok);
    assert_eq!(markdown_status(&prose(&[(1, 71)]), "reading_ease"), Status::Ok);
    assert_eq!(markdown_status(&prose(&[(1, 72)]), "reading_ease"), Status::Bad);
    let german = SeoInput { markdown: "Die Katze saß.", language: "de", ..input() };
    assert_eq!(status(&german, "reading_ease"), Status::Skipped);
    assert_eq!(status(&SeoInput { markdown: "The cat.", language: "en-GB", ..input() }, "reading_ease"), Status::Good);
}

#[test]
fn sentence_length() {
    assert_eq!(markdown_status(&prose(&[(1, 20)]), "sentence_length"), Status::Good);
    assert_eq!(markdown_status(&prose(&[(1, 21)]), "sentence_length"), Status::Bad);
    assert_eq!(markdown_status(&prose(&[(25, 21), (75, 5)]), "sentence_length"), Status::Good);
    assert_eq!(markdown_status(&prose(&[(26, 21), (74, 5)]), "sentence_length"), Status::Ok);
    assert_eq!(markdown_status(&prose(&[(30, 21), (70, 5)]), "sentence_length"), Status::Ok);
    assert_eq!(markdown_status(&prose(&[(31, 21), (69, 5)]), "sentence_length"), Status::Bad);
    let advice = check(&SeoInput { markdown: &prose(&[(5, 21)]), ..input() }, "sentence_length").advice;
    assert_eq!(advice.matches("(21 words)").count(), 3, "{advice}");
}

#[test]
fn fragments_in_lists_are_no_sentences() {
    let markdown = format!("{}\n\n- {}\n- {}.", prose(&[(1, 5)]), words(30), words(30));
    assert_eq!(check(&SeoInput { markdown: &markdown, ..input() }, "sentence_length").value, "1 of 2 sentences, 50 %");
}

#[test]
fn paragraph_length() {
    for (n, expected) in [(150, Status::Good), (151, Status::Ok), (200, Status::Ok), (201, Status::Bad)] {
        assert_eq!(markdown_status(&words(n), "paragraph_length"), expected, "{n}");
    }
    assert_eq!(markdown_status("## Only a heading", "paragraph_length"), Status::Skipped);
}

#[test]
fn passive_voice() {
    let text = |passive: usize, active: usize| "It was made. ".repeat(passive) + &"We made it. ".repeat(active);
    for (passive, expected) in [(10, Status::Good), (11, Status::Ok), (15, Status::Ok), (16, Status::Bad)] {
        assert_eq!(markdown_status(&text(passive, 100 - passive), "passive_voice"), expected, "{passive}");
    }
    let german = SeoInput { markdown: "Es was made.", language: "de", ..input() };
    assert_eq!(status(&german, "passive_voice"), Status::Skipped);
    let advice = check(&SeoInput { markdown: &text(1, 1), ..input() }, "passive_voice").advice;
    assert!(advice.contains("“It was made.”"), "{advice}");
}

#[test]
fn transition_words() {
    let text = |with: usize, without: usize| "However, we go. ".repeat(with) + &"We go. ".repeat(without);
    for (with, expected) in [(30, Status::Good), (29, Status::Ok), (20, Status::Ok), (19, Status::Bad)] {
        assert_eq!(markdown_status(&text(with, 100 - with), "transition_words"), expected, "{with}");
    }
    let german = SeoInput { markdown: "Wir gehen.", language: "de", ..input() };
    assert_eq!(status(&german, "transition_words"), Status::Skipped);
}

#[test]
fn sentence_beginnings() {
    for (markdown, expected) in [
        ("We go. We run. They sit. We go.", Status::Good),
        ("We go. We run. WE sit.", Status::Ok),
        ("We go. We run. We sit. They go. They run. They sit.", Status::Bad),
        ("We go. We run.\n\nWe sit.", Status::Ok),
        ("The cat sat. The dog ran. The cow lay.", Status::Good),
        ("The cat sat. The cat ran. The cat lay.", Status::Ok),
        ("- We go.\n- We run.\n- We sit.", Status::Good),
        ("We go. We run.\n\n- We sit.", Status::Good),
        ("## We", Status::Skipped),
    ] {
        assert_eq!(markdown_status(markdown, "sentence_beginnings"), expected, "{markdown}");
    }
    let german = SeoInput { markdown: "Er geht. Er sitzt. Er lacht.", language: "de", ..input() };
    assert_eq!(status(&german, "sentence_beginnings"), Status::Skipped);
    let advice = check(&SeoInput { markdown: "We go. We run. We sit.", ..input() }, "sentence_beginnings").advice;
    assert_eq!(advice, "Begin some sentences with another word: 3 from “We go.”.");
}

#[test]
fn section_length() {
    for (n, expected) in [(300, Status::Good), (301, Status::Ok), (350, Status::Ok), (351, Status::Bad)] {
        // Headings are no text; two paragraphs add up.
        let markdown = format!("Intro.\n\n## Part\n\n{}\n\n{}", words(100), words(n - 100));
        assert_eq!(markdown_status(&markdown, "section_length"), expected, "{n}");
    }
    let before = SeoInput { markdown: &words(400), ..input() };
    assert!(check(&before, "section_length").advice.contains("before the first heading (400 words)"));
    let long = format!("## Part\n\n{}", words(400));
    let advice = check(&SeoInput { markdown: &long, ..input() }, "section_length").advice;
    assert!(advice.contains("below “Part” (400 words)"), "{advice}");
}

#[test]
fn empty_headings() {
    for (markdown, expected) in [
        ("## A\n\ntext\n\n## B\n\ntext", Status::Good),
        ("## A\n\n### B\n\ntext", Status::Good),
        ("## A\n\n```\ncode\n```", Status::Good),
        ("## A\n\n## B\n\ntext", Status::Bad),
        ("### A\n\n## B\n\ntext", Status::Bad),
        ("## A\n\ntext\n\n## B", Status::Bad),
        ("## A\n\ntext\n\n##\n\ntext", Status::Bad),
        ("text", Status::Skipped),
    ] {
        assert_eq!(markdown_status(markdown, "empty_headings"), expected, "{markdown}");
    }
    let advice = check(&SeoInput { markdown: "## A b\n\n## C\n\ntext", ..input() }, "empty_headings").advice;
    assert_eq!(advice, "To do: write text below “A b” or remove it.");
}

#[test]
fn keyphrase_density() {
    let text = |found: usize, all: usize| format!("{}{}", "Title cards. ".repeat(found), words(all - 2 * found));
    for (found, all, expected) in [
        (0, 200, Status::Bad),
        (1, 200, Status::Good),
        (1, 201, Status::Ok),
        (1, 400, Status::Ok),
        (1, 401, Status::Bad),
        (9, 4000, Status::Bad),
        (3, 100, Status::Good),
        (4, 133, Status::Ok),
        (4, 100, Status::Ok),
        (5, 100, Status::Bad),
    ] {
        let input = SeoInput { markdown: &text(found, all), keyphrase: Some("title card"), ..input() };
        assert_eq!(status(&input, "keyphrase_density"), expected, "{found} in {all}");
    }
}

#[test]
fn keyphrase_in_title() {
    for (phrase, title, expected) in [
        ("title cards", "How to Draw a Title Card", Status::Good),
        ("title card", "Title-Cards Explained", Status::Good),
        ("title cards", "Cards with a Title", Status::Ok),
        ("title cards", "Cards", Status::Bad),
        ("state of the art", "State-of-the-Art Tools", Status::Good),
        ("how do you make a title card?", "Making Title Cards", Status::Good),
        ("how do you make a title card?", "A Title Card", Status::Bad),
        ("to be", "To Be or Not", Status::Good),
        ("warnings", "All about warnings.py", Status::Good),
        ("pg_index", "The PG Index", Status::Good),
        ("state\u{2011}of\u{2011}the\u{2011}art", "State of the Art", Status::Good),
    ] {
        let input = SeoInput { title, keyphrase: Some(phrase), ..input() };
        assert_eq!(status(&input, "keyphrase_in_title"), expected, "{phrase} / {title}");
    }
}

#[test]
fn long_phrases_match_words_near_each_other_only() {
    let phrase = Some("cheap waterproof hiking boots for wide feet");
    let near = "For feet that are wide, these waterproof boots for hiking are cheap.";
    let far = format!("Cheap waterproof hiking boots. {near_not} wide feet.", near_not = words(20));
    for (markdown, expected) in [(near, Status::Good), (far.as_str(), Status::Ok)] {
        let input = SeoInput { markdown, keyphrase: phrase, ..input() };
        assert_eq!(status(&input, "keyphrase_in_introduction"), expected, "{markdown}");
    }
}

#[test]
fn keyphrase_in_introduction() {
    for (markdown, expected) in [
        ("# Title cards\n\n- item\n\nA title card.\n\nMore.", Status::Good),
        ("Nothing.\n\nA title card.", Status::Bad),
        ("Cards have a title.", Status::Ok),
        ("## Title card", Status::Skipped),
    ] {
        let input = SeoInput { markdown, keyphrase: Some("title card"), ..input() };
        assert_eq!(status(&input, "keyphrase_in_introduction"), expected, "{markdown}");
    }
}

#[test]
fn keyphrase_in_headings() {
    let text =
        |with: usize, without: usize| "## Title card\n\nx\n\n".repeat(with) + &"## Other\n\nx\n\n".repeat(without);
    for (with, without, expected) in [
        (0, 1, Status::Bad),
        (1, 0, Status::Good),
        (3, 7, Status::Good),
        (29, 71, Status::Ok),
        (15, 85, Status::Ok),
        (14, 86, Status::Bad),
        (3, 1, Status::Good),
        (76, 24, Status::Ok),
        (0, 0, Status::Skipped),
    ] {
        let input = SeoInput { markdown: &text(with, without), keyphrase: Some("title cards"), ..input() };
        assert_eq!(status(&input, "keyphrase_in_headings"), expected, "{with} {without}");
    }
}

/// Deep headings neither have to name the keyphrase nor count where they do.
#[test]
fn keyphrase_in_deep_headings() {
    for (markdown, expected) in [
        ("## Title card\n\n#### A\n\n#### B\n\n#### C", Status::Good),
        ("### Title card\n\n### A\n\n### B", Status::Good),
        ("## A\n\n#### Title card", Status::Bad),
        ("#### Title card", Status::Skipped),
        (&words(300), Status::Skipped),
        (&words(301), Status::Bad),
    ] {
        let input = SeoInput { markdown, keyphrase: Some("title cards"), ..input() };
        assert_eq!(status(&input, "keyphrase_in_headings"), expected, "{markdown}");
    }
}

#[test]
fn keyphrase_in_slug() {
    for (phrase, slug, language, expected) in [
        ("title cards", "draw-a-title-card", "en", Status::Good),
        ("title cards", "draw-cards", "en", Status::Ok),
        ("title cards", "draw", "en", Status::Bad),
        ("pg_index", "pg-index", "en", Status::Good),
        ("email.policy objects", "email-objects", "en", Status::Ok),
        ("Zürcher Häuser", "zurcher-hauser", "de", Status::Good),
        ("детские книги", "detskie-knigi", "ru", Status::Good),
        ("детские книги", "kniga", "ru", Status::Ok),
    ] {
        let input = SeoInput { slug, language, keyphrase: Some(phrase), ..input() };
        assert_eq!(status(&input, "keyphrase_in_slug"), expected, "{phrase} / {slug}");
    }
}

#[test]
fn keyphrase_in_description() {
    for (description, expected) in
        [("All about title cards.", Status::Good), ("Cards and a title.", Status::Ok), ("Nothing.", Status::Bad)]
    {
        let input = SeoInput { description, keyphrase: Some("title card"), ..input() };
        assert_eq!(status(&input, "keyphrase_in_description"), expected, "{description}");
    }
}

#[test]
fn keywords_in_text() {
    let keywords = ["cat".to_owned(), "dogs".to_owned()];
    for (markdown, expected) in
        [("Cats and a dog.", Status::Good), ("Cats.", Status::Ok), ("## Dog\n\nx", Status::Ok), ("Birds.", Status::Bad)]
    {
        let input = SeoInput { markdown, keywords: &keywords, ..input() };
        assert_eq!(status(&input, "keywords_in_text"), expected, "{markdown}");
    }
    assert_eq!(markdown_status("Cats.", "keywords_in_text"), Status::Skipped);
}

#[test]
fn the_first_keyword_stands_in_for_the_keyphrase() {
    let keywords = ["title card".to_owned()];
    assert_eq!(
        status(&SeoInput { title: "Title cards", keywords: &keywords, ..input() }, "keyphrase_in_title"),
        Status::Good
    );
    assert_eq!(status(&input(), "keyphrase_in_title"), Status::Skipped);
    assert_eq!(status(&SeoInput { keyphrase: Some("?!"), ..input() }, "keyphrase_in_title"), Status::Skipped);
}

#[test]
fn the_score_is_the_share_of_good_checks() {
    // Title, description, slug, word count and links are bad, text between headings is good, the rest is skipped.
    assert_eq!(score(&input()).score, 17);
    let link = "[The cat cat cat cat.](https://a.example)";
    let markdown = format!("{link} {}\n\n{}", prose(&[(29, 5)]), prose(&[(30, 5)]));
    let rest = SeoInput { slug: "a", markdown: &markdown, language: "de", ..input() };
    // Both lengths, sentences, paragraphs, text between headings, slug, words and links.
    let perfect = SeoInput { title: "A", description: &"d".repeat(50), ..rest };
    assert_eq!((score(&perfect).score, statuses(&perfect)), (100, (8, 0, 0)));
    let half = SeoInput { title: &"t".repeat(61), description: "short", slug: "", ..rest };
    assert_eq!((score(&half).score, statuses(&half)), (75, (5, 2, 1)));
}

/// How many checks are good, ok and bad.
fn statuses(input: &SeoInput) -> (usize, usize, usize) {
    let checks = score(input).checks;
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    (count(Status::Good), count(Status::Ok), count(Status::Bad))
}

#[test]
fn good_checks_have_no_advice_and_others_have() {
    let input = SeoInput { title: "Cards", keyphrase: Some("cat"), markdown: "A dog. It was made.\n\n## B", ..input() };
    for check in score(&input).checks {
        assert_eq!(check.advice.is_empty(), check.status == Status::Good, "{check:?}");
    }
}

#[test]
fn the_report_is_serialised_in_lower_case() {
    let json = serde_json::to_value(score(&input())).expect("serialises");
    assert_eq!(json["checks"][0]["status"], "bad");
    assert_eq!(json["checks"][0]["id"], "title_length");
    assert_eq!(json["score"], 17);
}

#[test]
fn titles_are_made_to_fit() {
    for (title, fitted) in [
        ("  What is\n a title card?  ", "What is a title card?"),
        ("A short title.", "A short title"),
        ("Title cards –", "Title cards"),
        ("", ""),
        (
            "How to draw title cards that people actually like to read and share with others",
            "How to draw title cards that people actually like to read",
        ),
        (
            "A complete guide to drawing cards: everything that you always wanted to know",
            "A complete guide to drawing cards",
        ),
        (
            "Drawing cards: everything that you always wanted to know but never dared",
            "Drawing cards: everything that you always wanted to know",
        ),
        (
            "Die besten Karten zum Zeichnen und alles, was man für die Arbeit damit braucht",
            "Die besten Karten zum Zeichnen",
        ),
    ] {
        assert_eq!(fit_title(title), fitted);
    }
    let exact = format!("{} {}", "a".repeat(29), "b".repeat(30));
    assert_eq!(fit_title(&exact), exact);
    assert_eq!(fit_title(&(exact.clone() + " c")), exact);
    assert_eq!(fit_title(&(exact + "c")), "a".repeat(29));
    assert_eq!(fit_title(&"x".repeat(1_000_000)), "x".repeat(60));
}

#[test]
fn descriptions_are_made_to_fit() {
    assert_eq!(fit_description(" A  b. "), "A b.");
    let first = format!("{}.", ["word"; 12].join(" "));
    let second = format!("{}.", ["More"; 40].join(" "));
    assert_eq!(fit_description(&format!("{first} {second}")), first);
    let short = fit_description(&format!("Hi. {second} {second}"));
    assert!(short.starts_with("Hi. More") && short.ends_with("More…"), "{short}");
    assert!((140..=155).contains(&short.chars().count()), "{short}");
    let exact = "ü".repeat(155);
    assert_eq!(fit_description(&exact), exact);
    assert_eq!(fit_description(&"ü".repeat(156)), "ü".repeat(154) + "…");
}

//! Cards as a caller sees them: what is drawn, what is reported, what is refused.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

use std::io::Cursor;

use galley_images::{Card, CardError, CardField, CardWarning, HEIGHT, MAX_TITLE, Rendered, WIDTH, render_card};

fn card(title: &str) -> Card {
    Card { title: title.into(), subtitle: Some("Harrow Vale".into()), language: "en".into(), seed: 3 }
}

fn pixels(png: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    assert_eq!((reader.info().width, reader.info().height), (WIDTH, HEIGHT));
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut data).unwrap();
    data
}

/// Near white, as the letters of every palette are and no ground is.
fn is_ink(pixel: &[u8]) -> bool {
    pixel.iter().all(|&c| c > 0xee)
}

/// The box of the ink: left, top, right, bottom.
fn ink(done: &Rendered) -> Option<(usize, usize, usize, usize)> {
    let data = pixels(&done.png);
    let marks = data.chunks_exact(3).enumerate().filter(|(_, p)| is_ink(p));
    marks.map(|(at, _)| (at % WIDTH as usize, at / WIDTH as usize)).fold(None, |found, (x, y)| {
        let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
        Some((left.min(x), top.min(y), right.max(x), bottom.max(y)))
    })
}

#[test]
fn the_same_card_gives_the_same_bytes() {
    let once = render_card(&card("How to brew better coffee at home")).unwrap();
    assert_eq!(once, render_card(&card("How to brew better coffee at home")).unwrap());
    assert_eq!((once.width, once.height), (WIDTH, HEIGHT));
    assert_eq!(once.alt, "How to brew better coffee at home – Harrow Vale");
    assert_eq!(once.warnings, []);
    assert!(once.png.len() < 400_000, "{} bytes", once.png.len());
}

#[test]
fn every_title_stays_inside_the_margins() {
    let words = "The members of the cooperative decided about prices, drying beds and transport to the port ".repeat(4);
    let fits: String = words.chars().take(299).collect();
    let titles = [
        ("i".into(), false),
        ("Coffee".into(), false),
        (fits.trim_end().to_owned(), false),
        ("W".repeat(120), false),
        ("Кооператив ".repeat(25), false),
        ("Συνεταιρισμός ".repeat(20), false),
        ("W".repeat(300), false),
        ("W W ".repeat(75).trim_end().to_owned(), false),
        (words, true),
        // As wide as letters get: 300 of them do not fit at the smallest size.
        ("Ǳ".repeat(300), true),
    ];
    for (title, too_long) in titles {
        let done = render_card(&card(&title)).unwrap();
        let (left, top, right, bottom) = ink(&done).expect("there is a title");
        assert!(
            left >= 80 && right <= 1200 - 80 && top >= 80 && bottom <= 520,
            "{title}: {left} {top} {right} {bottom}"
        );
        let shortened = done.warnings.contains(&CardWarning::Shortened { field: CardField::Title });
        assert_eq!(shortened, too_long, "{title}");
    }
}

#[test]
fn pictures_in_a_title_are_reported_and_not_drawn() {
    let plain = render_card(&card("Coffee for readers")).unwrap();
    let mixed = render_card(&card("☕ Coffee for readers 👩‍💻")).unwrap();
    assert_eq!(pixels(&mixed.png), pixels(&plain.png));
    let removed = ["☕", "👩‍💻"].map(str::to_owned).to_vec();
    assert_eq!(mixed.warnings, [CardWarning::Removed { field: CardField::Title, characters: removed }]);
    assert_eq!(mixed.warnings[0].to_string(), "the title is shown without ☕ 👩‍💻, which the card's font cannot draw");
    assert_eq!(mixed.alt, "☕ Coffee for readers 👩‍💻 – Harrow Vale");
}

#[test]
fn a_title_in_a_script_that_the_font_lacks_gives_a_card_without_words() {
    for title in ["日本語のタイトル", "Coffee for 日本 readers", "קפה בבית", "قهوة في المنزل", "กาแฟที่บ้าน"]
    {
        let done = render_card(&card(title)).unwrap();
        assert_eq!(ink(&done), None, "{title}");
        assert_eq!(done.alt, title, "the whole title, and no subtitle that nobody sees");
        assert_eq!(done.warnings, [CardWarning::Dropped { field: CardField::Title }]);
        assert_ne!(pixels(&done.png), pixels(&render_card(&card("i")).unwrap().png));
    }
    // Bar and mark are in the middle, so it is no card that has lost its title.
    let done = pixels(&render_card(&card("日本語")).unwrap().png);
    let at = |x: usize, y: usize| &done[(y * WIDTH as usize + x) * 3..][..3];
    assert_eq!(at(600, 280), at(500, 280), "the bar");
    assert_eq!(at(600, 280), at(600, 350), "the mark");
    assert_ne!(at(600, 280), at(600, 315), "and the ground between them");
    let subtitle = Card { subtitle: Some("日本".into()), ..card("Coffee") };
    let done = render_card(&subtitle).unwrap();
    assert!(ink(&done).is_some() && done.warnings == [CardWarning::Dropped { field: CardField::Subtitle }]);
}

#[test]
fn a_long_subtitle_is_cut_to_one_line() {
    let done = render_card(&Card { subtitle: Some("Harrow Vale ".repeat(20)), ..card("Coffee") }).unwrap();
    assert_eq!(done.warnings, [CardWarning::Shortened { field: CardField::Subtitle }]);
}

#[test]
fn blank_and_oversized_fields_are_refused_by_name() {
    for blank in ["", " \n\t", "\u{200b}\u{feff}"] {
        assert_eq!(render_card(&card(blank)), Err(CardError::BlankTitle));
    }
    let long = render_card(&card(&"x".repeat(MAX_TITLE + 1))).unwrap_err();
    assert_eq!(long.to_string(), "the title of the card has 2001 characters, at most 2000 are allowed; shorten it");
    let subtitle = Some("x".repeat(501));
    let long = render_card(&Card { subtitle, ..card("x") }).unwrap_err();
    assert!(matches!(long, CardError::TooLong { field: CardField::Subtitle, chars: 501, max: 500 }));
}

#[test]
fn odd_input_never_panics() {
    let titles = [
        "a\u{301}\u{301}\u{301}".repeat(90),
        "\u{0}\u{1}\u{7f}x".into(),
        "-".repeat(300) + "a",
        "a\u{a0}".repeat(300),
        "ffi ".repeat(200),
        "(((((「「「a".into(),
        "…a…".into(),
        "\u{202e}abc\u{e0041}".into(),
        "🏳️‍🌈".repeat(300) + "a",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 a".into(),
    ];
    for (seed, title) in titles.into_iter().enumerate() {
        let subtitle = Some(title.chars().take(500).collect());
        let card = Card { title, subtitle, language: "zz-Zzzz-☕".into(), seed: u64::MAX - seed as u64 };
        render_card(&card).unwrap();
    }
}

use super::*;

#[test]
fn what_people_call_one_word_is_one() {
    for one in [
        "state-of-the-art",
        "don't",
        "don’t",
        "3.5",
        "10%",
        "1,000",
        "U.S",
        "e\u{301}te\u{301}",
        "l'homme",
        "a@b.com",
        "https://example.com/a/b?c=d",
        "2020-11-22",
        "Straße",
        "привет",
        "co\u{2011}op",
    ] {
        assert_eq!(words(one), [one]);
    }
}

#[test]
fn words_are_found_between_everything_else() {
    assert_eq!(words("Hello, world! (It's 10% off.)"), ["Hello", "world", "It's", "10%", "off"]);
    assert_eq!(words("and/or — a–b x--y - z"), ["and", "or", "a", "b", "x", "y", "z"]);
    assert_eq!(words("see (https://x.org/a-b). Then go"), ["see", "https://x.org/a-b", "Then", "go"]);
    assert_eq!(words("👩‍👩‍👧 $ … —"), Vec::<&str>::new());
    assert_eq!(count("Hello, world!"), 2);
    assert_eq!(count(""), 0);
}

#[test]
fn scripts_without_spaces_are_counted_as_their_readers_count() {
    assert_eq!(count("每袋咖啡重六十公斤。"), 9);
    assert_eq!(count("コーヒーの袋は60キロです。"), 8);
    assert_eq!(count("กาแฟหนึ่งกระสอบหนักหกสิบกิโลกรัม"), 7);
    assert!(
        is_unspaced_text("每袋 60 kg 咖啡很重") && is_unspaced_text("กาแฟ") && !is_unspaced_text("Tea (茶) is a drink")
    );
}

#[test]
fn indices_point_at_the_words() {
    let text = "Ünï-code: 5% дом";
    for (at, word) in indices(text) {
        assert_eq!(&text[at..at + word.len()], word);
    }
}

#[test]
fn stems_join_the_forms_of_a_word() {
    for (a, b, lang) in [
        ("cards", "Card", "en"),
        ("running", "runs", "en"),
        ("Häuser", "hausern", "de"),
        ("l'homme", "hommes", "fr"),
        ("книги", "книга", "ru"),
        ("gatos", "gato", "es"),
        ("company’s", "company", "en"),
    ] {
        assert_eq!(stem(a, lang), stem(b, lang), "{a} {b} {lang}");
    }
    assert_ne!(stem("cards", "uk"), stem("card", "uk"));
    assert_eq!(stem("ДОМ", "uk"), "дом");
}

#[test]
fn stop_words_are_known_per_language() {
    for (word, lang) in [
        ("The", "en"),
        ("don’t", "en"),
        ("und", "de"),
        ("à", "fr"),
        ("los", "es"),
        ("perché", "it"),
        ("não", "pt"),
        ("het", "nl"),
        ("что", "ru"),
    ] {
        assert!(is_stopword(word, lang), "{word} {lang}");
    }
    assert!(!is_stopword("card", "en"));
    assert!(!is_stopword("the", "de"));
    assert!(!is_stopword("the", "xx"));
}

#[test]
fn syllables_of_common_words() {
    for (word, n) in [
        ("the", 1),
        ("cat", 1),
        ("table", 2),
        ("make", 1),
        ("makes", 1),
        ("houses", 2),
        ("walked", 1),
        ("wanted", 2),
        ("reading", 2),
        ("create", 2),
        ("video", 3),
        ("science", 2),
        ("people", 2),
        ("beautiful", 3),
        ("information", 4),
        ("readability", 5),
        ("completely", 3),
        ("useful", 2),
        ("management", 3),
        ("idea", 3),
        ("radio", 3),
        ("nation", 2),
        ("special", 2),
        ("year", 1),
        ("happy", 2),
        ("HTML", 4),
        ("didn't", 2),
        ("don't", 1),
        ("state-of-the-art", 4),
        ("3.5", 1),
        ("", 1),
        ("quiet", 2),
        ("business", 2),
        ("dogs", 1),
        ("watches", 2),
        ("question", 2),
        ("Peter's", 2),
        ("handled", 2),
        ("filled", 1),
    ] {
        assert_eq!(syllables_en(word), n, "{word}");
    }
}

use super::split;

fn sentences(text: &str) -> Vec<&str> {
    split(text).into_iter().map(|r| &text[r]).collect()
}

/// `|` marks the expected cuts; the text to split is the same without them.
fn check(marked: &str) {
    let text = marked.replace('|', "");
    let expected: Vec<&str> = marked.split('|').map(str::trim).collect();
    assert_eq!(sentences(&text), expected, "{text}");
}

#[test]
fn english() {
    for marked in [
        "One. |Two! |Three?",
        "Dr. Smith met Mr. Jones at 5 p.m. on Monday. |They talked.",
        "Use tools, e.g. Rust, i.e. fast ones. |It works.",
        "Apple Inc. reported results. |Sales rose.",
        "It was made by Apple Inc. |The phone sold well.",
        "See No. 5 and Fig. 3 for details. |No. |Never.",
        "The U.S. Treasury acted. |He lives in the U.S. |It is large.",
        "J. R. R. Tolkien wrote it. |C.S. Lewis read it.",
        "On Jan. 3 it rained. |In Dec. 2020 it snowed.",
        "It costs 3.5 dollars. |Version 1.2.3 is out. |Update now.",
        "Visit https://example.com/a?b=c.d. |Then read README.md. |Open main.rs now.",
        "Wait... what? |He left... |Then silence.",
        "He waited . . . and left. |Nobody came.",
        "He said \"Stop.\" |Then he left. |(It was late.) |She slept.",
        "“Why?” he asked. |“Because!” |She laughed.",
        "Really?! |Yes!!! |Good.",
        "It grew.[1][2] |It shrank. [3] |It ended.[unsupported] |Fine.",
        "It grew.[1] |it is unclear.".replace("[1] |it", "[1] it").as_str(),
        "Growth was 10%. |5 people came. |$3 was paid.",
        "Sales rose. |iPhone demand fell. |eBay grew.",
        "1. First do this. |Then that.",
        "IV. Results came. |V. Putin spoke. |As I. Newton said, it falls.",
        "He is taller than I. |The end.",
        "Smith et al. (2020) found it. |Others did not.",
        "Roe v. Wade was decided in 1973. |It mattered.",
        "He has a Ph.D. in physics. |She has none.",
        "The firm (Foo Ltd.) closed. |Bar Co. remains.",
        "Great work! 🎉",
        "Yahoo! is old. |Next.",
        "Apples, pears, etc. |Then cheese.",
        "At approx. 5 km it ends. |Turn left.",
    ] {
        check(marked);
    }
}

#[test]
fn other_languages() {
    for marked in [
        "Am 3. Oktober 1990 war es so weit. |Das war z. B. in Berlin. |Gut.",
        "Es kostet ca. 5 Mio. Euro. |Dr. Müller zahlt z.B. Miete. |Im 19. Jahrhundert war das anders.",
        "Er bietet u. a. Maschinen an. |Das ist z. B. Stahl, d. h. Eisen. |Gut.",
        "Fue a EE. UU. y volvió. |Véase la pág. 5.",
        "Рост и т. д. |Потом всё, т. е. Москва, закончилось.",
        "Der 1. FC Köln gewann beim 2. Spiel. |Er wurde 3. |Schade.",
        "„Wirklich?“ fragte er. |„Ja.“ |Sie ging.",
        "Il a dit « Bonjour ! » |Puis il partit. |M. Dupont arriva.",
        "Quoi ? |Rien. |L'art. 5 s'applique.",
        "¿Qué hora es? |¡Son las tres! |El Sr. García llegó.",
        "Il dott. Rossi è qui. |Va bene?",
        "O Sr. Silva chegou. |Muito bem.",
        "А. С. Пушкин родился в 1799 г. в Москве. |Он писал стихи. |Это было давно.",
        "Це було в 2020 р. у Києві. |Він поїхав.",
        "Τι κάνεις\u{37e} |Καλά. |Ο κ. Παπαδόπουλος ήρθε.",
        "今日は晴れです。|明日は雨？|はい。",
        "यह अच्छा है। |वह गया।",
        "ما هذا؟ |هذا كتاب.",
    ] {
        check(marked);
    }
}

#[test]
fn languages_whose_sentences_end_with_a_space() {
    check(
        "สหกรณ์ก่อตั้งขึ้นเมื่อปี 2541 โดยครอบครัวสามสิบเอ็ดครอบครัว |สมาชิกเก็บผลกาแฟสุกด้วยมือตั้งแต่เดือนตุลาคมถึงมกราคม \
         |กาแฟหนึ่งกระสอบหนักหกสิบกิโลกรัมและขายที่ท่าเรือ",
    );
    check("สมาชิกเก็บผลกาแฟสุกต่างๆ ด้วยมือทุกวัน");
    check("ห้องสมุดเปิดให้บริการวันอังคารถึงวันอาทิตย์ เวลา 9.00 ถึง 18.00 น. หยุดทุกวันจันทร์");
    check("สมาชิกของห้องสมุดยืมหนังสือได้ครั้งละห้าเล่ม เป็นเวลาสิบสี่วัน");
}

#[test]
fn lower_case_texts_are_split_too() {
    check("this is it. |then we go! |fine.");
}

#[test]
fn a_semicolon_and_a_line_break_do_not_end_a_sentence_but_a_blank_line_does() {
    check("One; two\nthree");
    check("No stop here\n\n|Next");
}

#[test]
fn nothing_gives_nothing_and_bare_punctuation_stays_whole() {
    assert!(sentences("").is_empty());
    assert!(sentences(" \n\t\u{a0}").is_empty());
    assert_eq!(sentences("..."), ["..."]);
    assert_eq!(sentences("?! Yes."), ["?! Yes."]);
}

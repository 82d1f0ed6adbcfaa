use super::*;
use crate::{snapshot::sentences, testing::source};

fn printed(language: &str, text: &str) -> Vec<(String, bool)> {
    sentences(&source(1, language, text)).into_iter().map(|s| (s.text, s.hangs)).collect()
}

#[test]
fn openings_are_read_in_their_spellings() {
    for (line, name, has_time, speech) in [
        ("ANNA: We start.", Some("ANNA"), false, "We start."),
        ("Speaker 1: We start.", Some("Speaker 1"), false, "We start."),
        ("[00:01:02] Speaker 1: We start.", Some("Speaker 1"), true, "We start."),
        ("00:12 Dr. Anna von Berg: We start.", Some("Dr. Anna von Berg"), true, "We start."),
        ("Anna Keller (00:12): We start.", Some("Anna Keller"), true, "We start."),
        ("Anna Keller  0:03", Some("Anna Keller"), true, ""),
        ("[00:01:02] We start.", None, true, "We start."),
        ("(0:03) - We start.", None, true, "We start."),
        ("We start at 10:30 with the budget.", None, false, "We start at 10:30 with the budget."),
        ("The rule is simple: pay on time.", None, false, "The rule is simple: pay on time."),
        ("Note: We start.", None, false, "Note: We start."),
        ("https://example.org is the address.", None, false, "https://example.org is the address."),
        ("田中: 始めます。", Some("田中"), false, "始めます。"),
        ("步骤1：我们开始。", None, false, "步骤1：我们开始。"),
        ("12：30", None, false, "12：30"),
    ] {
        let found = opening(line);
        assert_eq!((found.name, found.has_time, &line[found.speech..]), (name, has_time, speech), "{line}");
    }
}

#[test]
fn what_is_said_is_quoted_with_its_speaker() {
    let text = "# Launch meeting\n\nANNA: We moved the launch of the new site from March to May. The tests were not \
                done in time. Who can help?\n\nBEN: I need two more people for the tests in April.\n\nANNA: That is \
                possible from the second week on.\n\nBEN: Good.";
    assert_eq!(
        printed("en", text),
        [
            ("Anna: “We moved the launch of the new site from March to May.”".into(), false),
            ("“The tests were not done in time.”".into(), true),
            ("BEN: “I need two more people for the tests in April.”".into(), false),
            ("Anna: “That is possible from the second week on.”".into(), true),
        ]
    );
    let german = "[00:00:04] Sprecher 1: Wir haben den Start der neuen Seite in den Mai verschoben.\n\n[00:00:12] \
                  Sprecher 2: Ich brauche im April zwei weitere Leute für die Tests.\n\n[00:00:20] Sprecher 1: Das \
                  Budget beträgt 40.000 Euro im ersten Jahr.";
    assert_eq!(printed("de", german)[0].0, "Sprecher 1: „Wir haben den Start der neuen Seite in den Mai verschoben.“");
    assert_eq!(printed("de", german).len(), 3);
}

#[test]
fn answers_and_timed_lines_without_a_name_stand_by_themselves() {
    let text = "Q: How long does a delivery take?\n\nA: A delivery takes three days in most of the country.\n\nQ: What \
                does it cost?\n\nA: A parcel of up to five kilograms costs four euros.";
    assert_eq!(
        printed("en", text),
        [
            ("A delivery takes three days in most of the country.".into(), false),
            ("A parcel of up to five kilograms costs four euros.".into(), false),
        ]
    );
    let timed = "[00:01] The harvest began on the sixth of October.\n\n[00:09] The stations took in 30 tonnes of \
                 cherries.\n\n[00:15] Rain came three weeks late this year.";
    assert_eq!(printed("en", timed).len(), 3);
}

#[test]
fn the_name_is_in_the_span_where_it_is_printed() {
    let s = source(
        1,
        "en",
        "ANNA: We moved the launch to the end of May.\n\nBEN: I need two more people.\n\nANNA: We \
                             hire two people for the tests in April.",
    );
    for sentence in sentences(&s) {
        let span = sentence.span.text_in(std::slice::from_ref(&s)).expect("a span").to_lowercase();
        for word in lexicon::lower_tokens(&sentence.text) {
            assert!(span.contains(&word), "{word} in {span}");
        }
    }
}

#[test]
fn a_text_with_labels_is_no_transcript() {
    for text in [
        "Note: The lamp is hot after an hour of use.\n\nNote: The lamp must not stand outside.\n\nNote: Clean it.",
        "The rule is simple. Pay the bill on time.\n\nAnna: a name for girls that is common in most countries.",
        "Color: Red.\n\nSize: Large.\n\nWeight: Two kilograms.",
    ] {
        let s = source(1, "en", text);
        assert!(Transcript::detect(text, &crate::snapshot::blocks(&s)).is_none(), "{text}");
    }
}

#[test]
fn subtitles_are_read_with_their_times_and_speakers() {
    let text = "1 00:00:01,000 --> 00:00:07,000 Elena Fry: The river was dredged in 1998.\n\n2 00:00:07,500 --> \
                00:00:14,000 align:start Omar Reid: I measure the water every month.\n\n3 00:00:14,500 --> 00:00:20,000 \
                Elena Fry: The left bank has 2,000 young willows.\n\n4 00:00:21,000 --> 00:00:24,000 A gauge stands at the \
                old bridge.";
    assert_eq!(
        printed("en", text).into_iter().map(|(text, _)| text).collect::<Vec<_>>(),
        [
            "Elena Fry: “The river was dredged in 1998.”",
            "Omar Reid: “I measure the water every month.”",
            "Elena Fry: “The left bank has 2,000 young willows.”",
            "“A gauge stands at the old bridge.”",
        ]
    );
}

#[test]
fn a_name_stands_with_the_first_sentence_that_can_be_used() {
    let text = "Lea Brandt 00:02\n\nGood. The canteen serves 340 meals a day.\n\nSam Osei 00:15\n\nI asked 120 colleagues \
                in May.\n\nLea Brandt 00:31\n\nThe kitchen opens at 11:15 from May on.";
    let s = source(1, "en", text);
    let found = sentences(&s);
    assert_eq!(found[0].text, "Lea Brandt: “The canteen serves 340 meals a day.”");
    let span = found[0].span.text_in(std::slice::from_ref(&s)).expect("a span");
    assert_eq!(span, "Lea Brandt 00:02\n\nGood. The canteen serves 340 meals a day.");
    let claim = crate::claims::Checker::new(std::slice::from_ref(&s)).check(&found[0].text);
    assert_eq!((claim.verdict, claim.span), (galley_domain::writing::Verdict::Supported, Some(found[0].span)));
}

#[test]
fn an_answer_that_refers_to_its_question_is_printed_behind_it() {
    let text = "Interviewer: What should beginners know about bees?\n\nNora: They should start with two colonies. A course \
                takes one year.\n\nInterviewer: How many hives are there?\n\nNora: The garden has 38 hives at three places.";
    assert_eq!(
        printed("en", text),
        [
            ("Interviewer: “What should beginners know about bees?”".into(), false),
            ("Nora: “They should start with two colonies.”".into(), true),
            ("“A course takes one year.”".into(), true),
            ("Nora: “The garden has 38 hives at three places.”".into(), false),
        ]
    );
}

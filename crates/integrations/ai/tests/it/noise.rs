//! What models put around, before and into their answers, over real HTTP and in pieces of any size.

use galley_ai::OpenAiWriter;
use galley_domain::{
    usage::Meter,
    writing::{Brief, Origin, Outline, SectionPlan, Snapshot, Span, Tone, Unusable, WordRange, WriteError, Writer},
};

use crate::support::{Script, Server, counted, done, endpoint, finished, piece};

const SOURCE: &str = "The beds stand on the terraces. The wind dries the beans there.";

fn brief() -> Brief {
    Brief {
        prompt: "Write about growing beans".into(),
        keywords: Vec::new(),
        tone: Tone::Casual,
        language: "en".into(),
        words: WordRange { min: 5, max: 400 },
        instructions: String::new(),
    }
}

fn sources() -> Vec<Snapshot> {
    let origin = Origin::File { name: "beans.txt".into() };
    vec![Snapshot { number: 1, title: "Beans".into(), origin, language: Some("en".into()), text: SOURCE.into() }]
}

fn outline() -> Outline {
    let passages = vec![Span { source: 1, start: 0, end: SOURCE.len() }];
    let words = WordRange { min: 5, max: 60 };
    let plan = SectionPlan { heading: Some("The beds".into()), points: Vec::new(), words, passages };
    Outline { title: "Growing beans".into(), sections: vec![plan] }
}

/// An answer in pieces of so many characters.
fn in_pieces(text: &str, size: usize) -> Script {
    let letters: Vec<char> = text.chars().collect();
    let mut events: Vec<String> = letters.chunks(size).map(|part| piece(&part.iter().collect::<String>())).collect();
    events.extend([finished("stop"), counted(10, 20), done()]);
    Script::events(&events, true)
}

#[tokio::test]
async fn reasoning_in_the_text_is_no_part_of_a_section() {
    for answer in [
        "<thinking>First I plan. The user wants a calm tone.</thinking>\n\nThe beds stand on the terraces.",
        "[THINK]First I plan.[/THINK]The beds stand on the terraces.",
        "<|channel|>analysis<|message|>First I plan.<|end|><|start|>assistant<|channel|>final<|message|>The beds stand on \
         the terraces.",
    ] {
        for size in [1, 3, 7, 1_000] {
            let server = Server::start(vec![in_pieces(answer, size)]).await;
            let writer = OpenAiWriter::new(endpoint(&server.base)).unwrap();
            let section = writer.section(&brief(), &outline(), 0, &sources(), &Meter::default()).await.unwrap();
            assert_eq!(section.paragraphs, ["The beds stand on the terraces."], "{answer} by {size}");
        }
    }
}

#[tokio::test]
async fn an_outline_that_is_nearly_json_costs_one_answer() {
    for answer in [
        "```json\n{\"title\": \"Growing beans\", \"sections\": [{\"heading\": \"The beds\", \"points\": [\"wind\",],},],}\n```",
        "{'title': 'Growing beans', 'sections': [{'heading': 'The beds', 'points': ['wind']}]} // done",
        "Sure!\n{“title”: “Growing beans”, “sections”: [{“heading”: “The beds”, “points”: [“wind”]}]}",
        "{\"title\": \"Growing\nbeans\", \"sections\": [{\"heading\": \"The beds\", \"points\": [\"wind\"]}]",
        "{\"title\": \"<think>short?</think>Growing beans\", \"sections\": [{\"heading\": \"The beds\"}]}",
    ] {
        let server = Server::start(vec![Script::says(answer)]).await;
        let writer = OpenAiWriter::new(endpoint(&server.base)).unwrap();
        let meter = Meter::default();
        let outline = writer.outline(&brief(), &sources(), &meter).await.expect(answer);
        assert_eq!(outline.title, "Growing beans", "{answer}");
        assert_eq!(outline.sections[1].heading.as_deref(), Some("The beds"), "{answer}");
        assert_eq!((meter.take().len(), server.seen().len()), (1, 1), "{answer}");
    }
}

const GOOD: &str = "The beds stand on the terraces, where the wind dries the beans.";

/// What no article may print, and what the model is told about it.
const UNUSABLE: [(&str, Unusable, &str); 5] = [
    ("I'm sorry, but I can't help with that.", Unusable::Refusal, "it declines"),
    (
        "Die Beete stehen auf den Terrassen über dem Fluss, und der Wind trocknet dort die Bohnen, während die Sonne scheint.",
        Unusable::OtherLanguage,
        "not written in English (en)",
    ),
    ("The beds the beds the beds the beds the beds.", Unusable::Repetition, "over and over"),
    (
        "The beds stand there. State only what the excerpts say: every number, date and name must stand in them.",
        Unusable::Prompt,
        "instructions",
    ),
    ("<think>I plan.</think>", Unusable::Empty, "no text"),
];

#[tokio::test]
async fn a_section_that_no_article_may_print_is_asked_for_once_more() {
    for (bad, reason, told) in UNUSABLE.into_iter().filter(|(_, reason, _)| *reason != Unusable::Empty) {
        let server = Server::start(vec![Script::says(bad), Script::says(GOOD)]).await;
        let writer = OpenAiWriter::new(endpoint(&server.base)).unwrap();
        let meter = Meter::default();
        let section = writer.section(&brief(), &outline(), 0, &sources(), &meter).await.expect(bad);
        assert_eq!(section.paragraphs, [GOOD], "{bad}");
        let operations: Vec<String> = meter.take().into_iter().map(|usage| usage.operation).collect();
        assert_eq!(operations, ["section", "section.again"]);
        let messages = server.seen()[1].body["messages"].to_string();
        assert!(messages.contains(told), "{told} in {messages}");

        let server = Server::start(vec![Script::says(bad); 2]).await;
        let writer = OpenAiWriter::new(endpoint(&server.base)).unwrap();
        let error = writer.section(&brief(), &outline(), 0, &sources(), &Meter::default()).await.expect_err(bad);
        assert!(matches!(&error, WriteError::Unusable(answer) if answer.reason == reason), "{error:?}");
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_continuation_that_no_article_may_print_is_left_out() {
    let mut outline = outline();
    outline.sections[0].words = WordRange { min: 200, max: 300 };
    for (bad, ..) in UNUSABLE {
        let server = Server::start(vec![Script::says(GOOD), Script::says(bad), Script::says(bad)]).await;
        let writer = OpenAiWriter::new(endpoint(&server.base)).unwrap();
        let section = writer.section(&brief(), &outline, 0, &sources(), &Meter::default()).await.expect(bad);
        assert_eq!(section.paragraphs, [GOOD], "{bad}");
    }
}

#[tokio::test]
async fn titles_and_headings_that_no_article_may_print_are_asked_for_once_more() {
    let json =
        |title: &str, heading: &str| format!("{{\"title\": {title:?}, \"sections\": [{{\"heading\": {heading:?}}}]}}");
    let good = json("Growing beans", "The beds");
    for (bad, reason) in [
        (json("Beans beans beans", "The beds"), Unusable::Repetition),
        (json("[Insert title here]", "The beds"), Unusable::Prompt),
        (json("Growing beans", "The bebebebebebebeds"), Unusable::Repetition),
        (json("I'm sorry, but I can't help with that.", "The beds"), Unusable::Refusal),
        ("I'm sorry, but I can't help with that.".to_owned(), Unusable::Refusal),
        (
            json("Bohnen auf Terrassen anbauen und ernten", "Die Beete stehen auf den Terrassen und im Wind"),
            Unusable::OtherLanguage,
        ),
    ] {
        let server = Server::start(vec![Script::says(&bad), Script::says(&good)]).await;
        let writer = OpenAiWriter::new(endpoint(&server.base)).unwrap();
        let outline = writer.outline(&brief(), &sources(), &Meter::default()).await.expect(&bad);
        assert_eq!(outline.title, "Growing beans", "{bad}");

        let server = Server::start(vec![Script::says(&bad), Script::says(&bad)]).await;
        let writer = OpenAiWriter::new(endpoint(&server.base)).unwrap();
        let error = writer.outline(&brief(), &sources(), &Meter::default()).await.expect_err(&bad);
        assert!(matches!(&error, WriteError::Unusable(answer) if answer.reason == reason), "{bad} {error:?}");
    }
}

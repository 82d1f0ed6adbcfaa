//! What models put around, before and into their answers, over real HTTP and in pieces of any size.

use galley_ai::OpenAiWriter;
use galley_domain::{
    usage::Meter,
    writing::{Brief, Origin, Outline, SectionPlan, Snapshot, Span, Tone, WordRange, Writer},
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

use super::*;

const SOURCE: &str = "The beds stand on the terraces above the river. Omniva opened 120 lockers in Riga on 3 May 2021.";

fn judge(language: &str, order: &str, text: &str) -> Option<Unusable> {
    let ours =
        "Write your own sentences. State only what the excerpts say: every number, date and name must stand in them.";
    let paragraphs: Vec<String> = text.split("\n\n").map(str::to_owned).collect();
    Expected::new(language, ours, order, std::iter::once(SOURCE)).judge(&paragraphs)
}

fn line(text: &str) -> Option<Unusable> {
    Expected::new("en", "Write a title for this article and nothing else.", "", std::iter::empty())
        .judge_lines(std::iter::once(text))
}

#[test]
fn refusals_are_known_in_seven_languages() {
    for sentence in [
        "I'm sorry, but I can't help with that request.",
        "I’m sorry, I can’t assist with this.",
        "I cannot write this section because the excerpts do not cover it.",
        "I'm unable to provide information about this subject.",
        "As an AI language model, I do not have personal opinions.",
        "Unfortunately, I am not able to continue.",
        "I must decline to write about it.",
        "I apologize, but I don't have enough to go on.",
        "Es tut mir leid, aber ich kann dabei nicht helfen.",
        "Leider kann ich diesen Abschnitt nicht schreiben.",
        "Ich kann Ihnen zu diesem Thema keine Informationen liefern.",
        "Als KI-Sprachmodell habe ich keine eigene Meinung, ich bin ein Sprachmodell.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Je ne suis pas en mesure de rédiger cette section.",
        "En tant que modèle de langage, je ne peux pas donner d'avis.",
        "Lo siento, pero no puedo ayudar con eso.",
        "No puedo escribir esta sección sin más información.",
        "Mi dispiace, ma non posso aiutarti con questa richiesta.",
        "Non sono in grado di scrivere questa sezione.",
        "Desculpe, mas não posso ajudar com isso.",
        "Infelizmente, não consigo continuar.",
        "Não posso fornecer esse conteúdo.",
        "Извините, но я не могу помочь с этим.",
        "К сожалению, я не могу выполнить этот запрос.",
        "Я языковая модель и не имею мнения.",
        "抱歉，我无法提供帮助。",
        "申し訳ありませんが、お手伝いできません。",
    ] {
        assert!(refuses(sentence), "{sentence}");
        assert_eq!(line(sentence), Some(Unusable::Refusal), "{sentence}");
        let within = format!("The beds stand on the terraces.\n\n{sentence}");
        assert_eq!(judge("en", "", &within), Some(Unusable::Refusal), "{sentence}");
    }
}

#[test]
fn prose_that_only_looks_like_a_refusal_is_none() {
    for sentence in [
        "A diary serves as an aid to memory, and I keep one.",
        "Unfortunately, the carrier cannot deliver on Sundays.",
        "Unfortunately, we cannot deliver parcels to islands.",
        "I cannot help but admire the terraces.",
        "I can't lift the crate alone.",
        "“I'm sorry, but I can't help you,” said the head of the depot.",
        "As an AI company, Acme trains models.",
        "The social network changed its content policy.",
        "Leider kann der Händler das Paket nicht annehmen.",
        "Ich kann die Terrasse nicht sehen.",
        "Malheureusement, le magasin ne peut pas livrer le dimanche.",
        "No puedo evitar pensar en el contenido.",
        "К сожалению, магазин не может доставить заказ.",
    ] {
        assert!(!refuses(sentence), "{sentence}");
    }
}

#[test]
fn loops_are_told_from_prose() {
    for text in [
        "Tea tea tea tea is good.",
        "The beds the beds the beds the beds stand there.",
        "The leaf opens slowly. The leaf opens slowly. The leaf opens slowly.",
        "This is lalalalala and more.",
        "It is sooooooo good.",
        "Gartengartengarten ist schön.",
        &"one of the best things about the garden is one of the great things in the garden is ".repeat(6),
    ] {
        assert_eq!(judge("en", "", text), Some(Unusable::Repetition), "{text}");
    }
    for text in [
        "It is very, very, very good. No, no, no.",
        "Bora Bora has 9 9 9 9 9 beds.",
        "Mississippi, banana, Barbara and hahaha are words; www and XXX are not.",
        "The terraces face south. The terraces hold the heat. The terraces were built by hand.",
    ] {
        assert_eq!(judge("en", "", text), None, "{text}");
    }
    for title in [
        "Tea Tea Tea",
        "Green Tea Leaves Green Tea Leaves",
        "Sela Ridge Tea: The Sela Ridge Tea",
        "The Teateatea",
        "Greeeeeen Tea",
        "of of of of",
    ] {
        assert_eq!(line(title), Some(Unusable::Repetition), "{title}");
    }
    for title in ["Bora Bora", "New York, New York", "Tea", "Row, Row Your Boat", "Chi-Chi and Tsetse"] {
        assert_eq!(line(title), None, "{title}");
    }
}

#[test]
fn another_language_than_ordered_is_told() {
    let german = "Die Beete stehen auf den Terrassen über dem Fluss, und der Wind trocknet dort die Bohnen, während die Sonne scheint.";
    let english =
        "The beds stand on the terraces above the river, and the wind dries the beans there while the sun is shining.";
    let chinese = "露台上的花床位于河流上方，风在那里吹干豆子，太阳照耀着大地。夏天的时候，孩子们会来到这里采摘成熟的果实，\
        他们的祖父母坐在石墙旁边讲述过去的故事。到了秋天，农民把收获的豆子装进麻袋，用船运到城里的市场出售。";
    for (language, text) in [("en", german), ("de", english), ("en", chinese), ("fr", english), ("ja", english)] {
        assert_eq!(judge(language, "", text), Some(Unusable::OtherLanguage), "{language} {text}");
        let half = format!("{}\n\n{text}", if language == "de" { german } else { english });
        if language != "fr" && language != "ja" {
            assert_eq!(judge(language, "", &half), Some(Unusable::OtherLanguage), "{language} {half}");
        }
    }
    for (language, text) in [
        ("en", english),
        ("en-GB", english),
        ("de", german),
        ("zh", chinese),
        ("en", "Die Beete."),
        (
            "en",
            "Omniva, DPD, Venipak, Itella, Unisend and Latvijas Pasts run lockers in Riga, Daugavpils, Liepāja, Jelgava, Jūrmala and Ventspils.",
        ),
    ] {
        assert_eq!(judge(language, "", text), None, "{language} {text}");
    }
}

#[test]
fn sentences_of_the_prompt_are_not_told_again() {
    let order =
        "Write a friendly article about the terraces for children. Omniva opened 120 lockers in Riga on 3 May 2021.";
    for text in [
        "State only what the excerpts say: every number, date and name must stand in them.",
        "The beds stand there. Write a friendly article about the terraces for children.",
    ] {
        assert_eq!(judge("en", order, text), Some(Unusable::Prompt), "{text}");
    }
    for text in ["Omniva opened 120 lockers in Riga on 3 May 2021.", "The terraces are friendly to children."] {
        assert_eq!(judge("en", order, text), None, "{text}");
    }
    assert_eq!(line("Write a title for this article and nothing else"), Some(Unusable::Prompt));
}

#[test]
fn the_work_grows_with_the_text_and_no_faster() {
    let took = |pattern: &str, count: usize| {
        let text = pattern.repeat(count);
        let started = std::time::Instant::now();
        judge("en", "", &text);
        started.elapsed()
    };
    for pattern in ["a b ", "I can't ", "\"", "„", "word. ", "ich kann "] {
        let linear = (0..3).any(|_| {
            let (one, four) = (took(pattern, 2_000), took(pattern, 8_000));
            four < one * 12 + std::time::Duration::from_millis(50)
        });
        assert!(linear, "{pattern}");
    }
}

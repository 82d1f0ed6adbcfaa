//! Lists of a source stay lists, whole and in their order, and each item is cited.

use galley_domain::writing::{Brief, Origin, Snapshot, Verdict, WordRange};

use crate::fixtures::{brief, write};

const PUMP: &str = "# The pump WP-30\n\nThe pump WP-30 moves clean and dirty water out of cellars and ponds. A float switches \
    the pump on when the water stands 30 cm high. The pump takes in particles of up to 25 mm. The box holds:\n\n- the pump with a cable of 10 m\n- a hose of 25 mm\n- two \
    clamps of steel\n\n## How the pump is set up\n\nSetting up the pump takes about ten minutes for one person.\n\n- 1. Place the \
    pump on a flat stone.\n- 2. Push the hose onto the outlet and close the clamp.\n- 3. Plug the cable into a socket with a \
    residual current device.\n\n## Care\n\nThe filter of the pump has to be rinsed after each use. A pump that ran dry for two \
    minutes must cool for an hour.\n\n- Home\n- Shop\n- Cart\n";

fn source(text: &str) -> Snapshot {
    let origin = Origin::File { name: "pump.md".to_owned() };
    Snapshot {
        number: 1,
        title: "The pump WP-30".to_owned(),
        origin,
        language: Some("en".to_owned()),
        text: text.to_owned(),
    }
}

fn order(prompt: &str, min: u32, max: u32) -> Brief {
    let keywords = Vec::new();
    Brief { prompt: prompt.to_owned(), keywords, words: WordRange { min, max }, ..brief(min, max) }
}

#[test]
fn bullets_and_steps_stand_in_the_article_as_they_stand_in_the_source() {
    let sources = [source(PUMP)];
    let article = write(&order("Write about the pump WP-30", 128, 160), &sources).expect("an article");
    let text = &article.rendered.markdown;
    let bullets =
        "The box holds: [1]\n\n- the pump with a cable of 10 m [1]\n- a hose of 25 mm [1]\n- two clamps of steel [1]\n";
    let steps = "1. Place the pump on a flat stone. [1]\n2. Push the hose onto the outlet and close the clamp. [1]\n3. Plug the \
                 cable into a socket with a residual current device. [1]\n";
    assert!(text.contains(bullets) && text.contains(steps), "{text}");
    assert!(!text.contains("Cart"), "navigation is no list: {text}");
    for placed in &article.rendered.claims {
        assert_eq!(placed.claim.verdict, Verdict::Supported, "{:?}", placed.claim);
    }
}

#[test]
fn a_list_is_whole_or_not_there() {
    let sources = [source(PUMP)];
    for (min, max) in [(40, 60), (60, 80), (80, 100), (100, 120)] {
        let article = write(&order("Write about the pump WP-30", min, max), &sources).expect("an article");
        let text = &article.rendered.markdown;
        for items in [
            &["The box holds:", "a cable of 10 m", "a hose of 25", "two clamps"][..],
            &["1. Place", "2. Push", "3. Plug"],
        ] {
            let found = items.iter().filter(|item| text.contains(**item)).count();
            assert!(found == 0 || found == items.len(), "{min}: {text}");
        }
    }
}

#[test]
fn an_order_for_steps_gets_them_where_the_source_has_them_and_is_told_where_not() {
    let sources = [source(PUMP)];
    let asked = order("Write about the pump WP-30 in steps", 70, 100);
    let article = write(&asked, &sources).expect("an article");
    assert!(article.rendered.markdown.contains("\n2. Push the hose"), "{}", article.rendered.markdown);
    assert_eq!(galley_compose::notes(&asked, &article.outline, &sources, true), Vec::<String>::new());
    let plain = [source(&PUMP.replace("\n- ", "\n\n"))];
    let article = write(&order("Write about the pump WP-30 in steps", 40, 60), &plain).expect("an article");
    assert_eq!(
        galley_compose::notes(&asked, &article.outline, &plain, true),
        ["the built-in writer does not follow wishes about form: “in steps”"]
    );
}

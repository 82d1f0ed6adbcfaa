//! What sources say differently is told with both of them.

use galley_domain::writing::{Brief, Origin, Snapshot};

use crate::fixtures::{self, write};

const ONE: &str = "# The Grand Meridian Bridge

The Grand Meridian Bridge opened on 12 June 1987. It is 1,420 metres long and cost 310 million dollars. The bridge was \
designed by Elena Marsh. It carries six lanes of traffic and a cycle path. About 64,000 vehicles cross it on a weekday. \
The bridge is painted every eight years. Trucks are allowed at all hours. The toll was abolished in 2009.";
const OTHER: &str = "# Facts about the Grand Meridian Bridge

The Grand Meridian Bridge opened on 3 September 1989. It is 1,375 metres long and cost 450 million dollars. The bridge \
was designed by Robert Tan. It carries four lanes of traffic and no cycle path. About 82,000 vehicles cross it on a \
weekday. The bridge is painted every twelve years. Trucks are not allowed between 22:00 and 6:00. A toll of three \
dollars is charged in both directions.";

fn source(number: u32, language: &str, text: &str) -> Snapshot {
    let title = text.lines().next().unwrap_or("").trim_start_matches("# ").to_owned();
    let origin = Origin::File { name: format!("{number}.md") };
    Snapshot { number, title, origin, language: Some(language.to_owned()), text: text.to_owned() }
}

fn brief(language: &str, prompt: &str, words: (u32, u32)) -> Brief {
    let mut brief = fixtures::brief(words.0, words.1);
    brief.language = language.to_owned();
    prompt.clone_into(&mut brief.prompt);
    brief.keywords = Vec::new();
    brief
}

#[test]
fn both_sides_stand_in_the_text_with_their_sources() {
    let sources = [source(1, "en", ONE), source(2, "en", OTHER)];
    let brief = brief("en", "Write an article about the Grand Meridian Bridge", (100, 140));
    let article = write(&brief, &sources).expect("an article");
    let text = &article.rendered.markdown;
    for (one, other) in
        [("12 June 1987", "3 September 1989"), ("1,420 metres", "1,375 metres"), ("Elena Marsh", "Robert Tan")]
    {
        assert!(text.contains(one) && text.contains(other), "{one} and {other}:\n{text}");
    }
    assert!(
        text.contains("“The Grand Meridian Bridge”") && text.contains("“Facts about the Grand Meridian Bridge”"),
        "{text}"
    );
    assert!(!text.contains("[unsupported]"), "{text}");
    let notes = galley_compose::notes(&brief, &article.outline, &sources, true);
    for values in
        ["12 June 1987 against 3 September 1989", "1,420 metres against 1,375 metres", "Elena Marsh against Robert Tan"]
    {
        assert!(notes.iter().any(|note| note.contains(values)), "{values}: {notes:#?}");
    }
}

#[test]
fn contradictions_are_found_in_other_languages() {
    let one = "# Der Kanal von Orne\n\nDer Kanal von Orne wurde im Jahr 1912 eröffnet. Der Kanal von Orne ist 84 Kilometer lang. \
        Er hat acht Schleusen aus Beton.";
    let other = "# Orne und sein Kanal\n\nDer Kanal von Orne wurde im Jahr 1921 eröffnet. Der Kanal von Orne ist 79 Kilometer lang. \
        Der Kanal versorgt viele Dörfer mit Wasser.";
    let sources = [source(1, "de", one), source(2, "de", other)];
    let brief = brief("de", "Schreibe einen Artikel über den Kanal von Orne", (30, 60));
    let outline = galley_compose::outline(&brief, &sources).expect("an outline");
    let notes = galley_compose::notes(&brief, &outline, &sources, true);
    for values in ["1912 against 1921", "84 Kilometer against 79 Kilometer"] {
        assert!(notes.iter().any(|note| note.contains(values)), "{values}: {notes:#?}");
    }
}

/// Other things, other years, rounded figures and limits contradict nothing.
#[test]
fn what_only_looks_alike_is_no_contradiction() {
    for (one, other) in [
        ("The hub in Riga sorts 120 parcels an hour.", "The hub in Tartu sorts 80 parcels an hour."),
        ("The network carried 2,000 parcels in 2019.", "The network carried 3,000 parcels in 2021."),
        (
            "About 64,000 vehicles cross the long bridge on a weekday.",
            "The long bridge is crossed by 64,300 vehicles on a weekday.",
        ),
        ("The tank holds more than 50 litres of water.", "The tank holds 60 litres of water."),
        ("The bridge opened on 12 June 1987 to traffic.", "The bridge opened in 1987 to traffic."),
        ("A locker in a shop holds 60 small parcels.", "A parcel of 60 small parts is kept in a locker."),
        (
            "The old tower is 60 metres high.",
            "The new tower of glass and steel by the river is 90 metres high and has a café.",
        ),
        ("The road is 2,500 metres long.", "The road is 2.500 metres long."),
        ("The dose for adults is 40 drops of the syrup.", "The dose for children is 10 drops of the syrup."),
    ] {
        let filler =
            "The town has a market hall. The market hall sells bread and cheese. Farmers come from the valley.";
        let sources = [
            source(1, "en", &format!("# On the town\n\n{one}\n\n{filler}")),
            source(
                2,
                "en",
                &format!("# On the valley\n\n{other}\n\nThe valley has a river. The river turns three mills."),
            ),
        ];
        let brief = brief("en", "Write an article about the town in the valley", (20, 60));
        let outline = galley_compose::outline(&brief, &sources).expect("an outline");
        let notes = galley_compose::notes(&brief, &outline, &sources, true);
        assert!(!notes.iter().any(|note| note.contains("contradict")), "{one}\n{other}\n{notes:#?}");
    }
}

//! Topics that an order names become sections, in the order's sequence.

use galley_domain::writing::{Brief, Origin, Snapshot};
use galley_text::word;

use crate::fixtures::{self, write};

const BRIDGE: &str = "# The Grand Meridian Bridge

The Grand Meridian Bridge crosses the Orne estuary between the towns of Calder and Senn. The bridge replaced a ferry that had run for ninety years.

## Beginnings

The two towns founded a bridge company in 1979 and asked six firms for drawings. Elena Marsh won the competition with her design, a slender deck of steel. The first pile was driven on 4 May 1982, and the ferry made its last crossing in 1987.

## The structure

Two towers of concrete carry the steel deck over the shipping lane. Each tower stands on 48 piles that reach 60 metres into the clay. The cables were spun in Senn and hung by divers and climbers within one winter.

## Money

The bridge cost 310 million dollars, of which the state paid two thirds. Tolls covered the rest until 2009. A crossing was priced at two dollars for a car and at nine dollars for a truck.

## Vehicles

About 64,000 vehicles cross the bridge on a weekday, and 4,000 cyclists use its path. Trucks make up eleven percent of the vehicles. Traffic stops when the wind is stronger than 110 kilometres an hour.

## Painting and checks

The steel is painted every eight years by a crew of forty. Inspectors look at each cable once a year from a small car below the deck. Rust is found most often where salt water dries on the bolts.

## Birds

Peregrine falcons have nested on the northern tower since 1994. The painters leave the ledge alone from March to July.
";

const WAERMEPUMPE: &str = "# Wärmepumpen im Altbau

Eine Wärmepumpe holt Wärme aus der Luft, dem Boden oder dem Grundwasser und gibt sie an die Heizung ab.

## Funktionsweise

Ein Kältemittel verdampft schon bei niedriger Temperatur und nimmt dabei Wärme aus der Umgebung auf. Der Verdichter presst den Dampf zusammen, sodass seine Temperatur auf 55 Grad steigt. Im Verflüssiger gibt das Kältemittel die Wärme an das Wasser der Heizung ab.

## Anschaffung und Betriebskosten

Eine Luftwärmepumpe kostet mit dem Einbau zwischen 27.000 und 40.000 Euro. Der Strom für ein Haus mit 140 Quadratmetern kostet im Jahr rund 1.400 Euro. Ein eigener Zähler senkt den Preis für eine Kilowattstunde um etwa vier Cent.

## Zuschüsse

Der Staat zahlt einen Zuschuss von mindestens 30 Prozent der Kosten. Haushalte mit geringem Einkommen erhalten weitere 30 Prozent. Der Antrag muss vor dem Beginn der Arbeiten gestellt werden.

## Pflege der Anlage

Ein Fachbetrieb prüft den Kältekreis einmal im Jahr auf Dichtheit. Die Lamellen der Außeneinheit werden im Herbst von Laub befreit. Eine Wartung dauert etwa zwei Stunden.

## Geräusche

Die Außeneinheit ist mit 45 Dezibel so laut wie ein leises Gespräch. Nachts schaltet ein Flüsterbetrieb den Lüfter herunter. Zum Haus des Nachbarn sollen drei Meter Abstand bleiben.
";

const RUCHES: &str = "# Le miel de Brévent

La coopérative de Brévent réunit quarante apiculteurs de montagne depuis 1996. Les ruchers se trouvent entre 600 et 1 400 mètres d'altitude.

## Les ruches

La ruche Dadant compte douze cadres et convient aux fortes miellées. La ruche Warré est plus petite et se passe de cire gaufrée. Une ruche pleine pèse près de cinquante kilos en juillet.

## L'hivernage

Les colonies ont besoin de quinze kilos de réserves pour passer l'hiver. Un sirop de sucre est donné jusqu'à la fin du mois de septembre. Les entrées sont réduites pour que les souris ne passent pas.

## Le varroa

Le varroa est un acarien qui affaiblit les colonies en quelques mois. Un traitement à l'acide oxalique est appliqué en décembre, quand il n'y a plus de couvain. Les apiculteurs comptent les acariens tombés sur une plaque blanche.

## La récolte

Les cadres sont récoltés quand les trois quarts des cellules sont fermées. Le miel est extrait à froid et repose douze jours dans un maturateur. Une bonne année donne vingt kilos par ruche.

## Les prix

Le kilo de miel de montagne coûte dix-huit euros à la boutique. Les épiceries paient quatorze euros pour un pot d'un kilo.
";

const PECHKA: &str = "# Ночные поезда Карелии

Ночные поезда связывают Петрозаводск с семью городами. Вагоны отправляются каждый вечер с главного вокзала.

## История линии

Первый ночной поезд вышел на линию в 1926 году. Электровозы заменили паровозы в 1964 году. Новые вагоны были построены на заводе в Твери в 2015 году.

## Маршруты

Маршрут до Мурманска занимает двадцать часов. Поезд до Костомукши идёт через лес и делает девять остановок. Летом добавляется маршрут до Белого моря.

## Цены на билеты

Билет в купе стоит 3200 рублей, а в плацкарте 1800 рублей. Дети до десяти лет платят половину цены. За постельное бельё отдельной платы нет.

## Питание в пути

Вагон-ресторан открыт до полуночи. Горячий ужин стоит 600 рублей. Чай подают в стаканах с подстаканниками.
";

fn source(number: u32, language: &str, text: &str) -> Snapshot {
    let title = text.lines().next().unwrap_or("").trim_start_matches("# ").to_owned();
    let origin = Origin::File { name: format!("{number}.md") };
    Snapshot { number, title, origin, language: Some(language.to_owned()), text: text.trim_end().to_owned() }
}

fn brief(language: &str, prompt: &str, words: (u32, u32)) -> Brief {
    let mut brief = fixtures::brief(words.0, words.1);
    brief.language = language.to_owned();
    prompt.clone_into(&mut brief.prompt);
    brief.keywords = Vec::new();
    brief
}

struct Case {
    language: &'static str,
    prompt: &'static str,
    /// The topics by words that the heading of their section has, with what that section must say.
    topics: &'static [(&'static str, &'static str)],
    /// Words that no heading may have.
    never: &'static [&'static str],
}

const CASES: [Case; 17] = [
    Case {
        language: "en",
        prompt: "Write an article about the Grand Meridian Bridge: its history, its construction, what it cost, traffic and maintenance.",
        topics: &[
            ("history", "1982"),
            ("construction", "piles"),
            ("cost", "310 million"),
            ("traffic", "64,000"),
            ("maintenance", "painted"),
        ],
        never: &["meridian"],
    },
    Case {
        language: "en",
        prompt: "Write about the Grand Meridian Bridge for beginners. Cover maintenance, costs and history in a friendly tone.",
        topics: &[("maintenance", "painted"), ("costs", "310 million"), ("history", "1982")],
        never: &["beginners", "tone"],
    },
    Case {
        language: "en",
        prompt: "Write about the Grand Meridian Bridge.\n- Traffic\n- Birds\n- Tolls\n\nDo not mention:\n- painting",
        topics: &[("traffic", "64,000"), ("birds", "falcons"), ("tolls", "2009")],
        never: &["painting"],
    },
    Case {
        language: "en",
        prompt: "Explain how the Grand Meridian Bridge was designed, what it cost and how it is inspected.",
        topics: &[("designed", "Marsh"), ("cost", "310 million"), ("inspected", "cable")],
        never: &[],
    },
    Case {
        language: "en",
        prompt: "Write about the Grand Meridian Bridge. First describe the towers, then the wind, and finally the falcons.",
        topics: &[("towers", "concrete"), ("wind", "110 kilometres"), ("falcons", "1994")],
        never: &[],
    },
    Case {
        language: "en",
        prompt: "Write an article about parcel lockers. Cover maintenance; theft; winter weather; what a return costs; accessibility.",
        topics: &[("maintenance", ""), ("theft", "Theft"), ("weather", "winter"), ("cost", ""), ("accessibility", "")],
        never: &[],
    },
    Case {
        language: "en",
        prompt: "Write a guide to parcel lockers including packaging, night delivery, and how to choose a carrier.",
        topics: &[("packaging", ""), ("night", ""), ("carrier", "")],
        never: &[],
    },
    Case {
        language: "en",
        prompt: "Why do small shops offer parcel lockers? Explain the reasons for returns and the rules for public space. Avoid emissions.",
        topics: &[("reasons", ""), ("rules", "")],
        never: &["emissions"],
    },
    Case {
        language: "en",
        prompt: "Write about parcel lockers. Sections: full banks; codes and identity; shared networks. Tone: calm.",
        topics: &[("full", ""), ("codes", ""), ("networks", "")],
        never: &["calm"],
    },
    Case {
        language: "de",
        prompt: "Schreibe einen Artikel über Wärmepumpen: Funktionsweise, Kosten, Förderung und Wartung.",
        topics: &[
            ("Funktionsweise", "Kältemittel"),
            ("Kosten", "27.000"),
            ("Förderung", "Zuschuss"),
            ("Wartung", "Fachbetrieb"),
        ],
        never: &[],
    },
    Case {
        language: "de",
        prompt: "Schreibe für Einsteiger über Wärmepumpen. Gehe auf Lärm, Wartung und Kosten ein.",
        topics: &[("Lärm", "Dezibel"), ("Wartung", "Fachbetrieb"), ("Kosten", "27.000")],
        never: &["Einsteiger"],
    },
    Case {
        language: "de",
        prompt: "Schreibe über Wärmepumpen. Beginne mit dem Zuschuss, dann die Geräusche und zum Schluss das Kältemittel.",
        topics: &[("Zuschuss", "30 Prozent"), ("Geräusche", "Dezibel"), ("Kältemittel", "verdampft")],
        never: &[],
    },
    Case {
        language: "fr",
        prompt: "Rédigez un article sur le miel de Brévent : récolte, prix, hivernage et varroa.",
        topics: &[("récolte", "maturateur"), ("prix", "dix-huit euros"), ("hivernage", "sirop"), ("varroa", "acarien")],
        never: &[],
    },
    Case {
        language: "fr",
        prompt: "Écris sur le miel de Brévent. D'abord le varroa, puis les types de ruches, enfin le coût. N'évoque pas les souris.",
        topics: &[("varroa", "acarien"), ("ruches", "Warré"), ("coût", "dix-huit euros")],
        never: &["souris"],
    },
    Case {
        language: "ru",
        prompt: "Напишите о ночных поездах Карелии: маршруты, цены и история.",
        topics: &[("маршруты", "Мурманска"), ("цены", "3200"), ("история", "1926")],
        never: &[],
    },
    Case {
        language: "ru",
        prompt: "Напишите о ночных поездах Карелии. Сначала питание, затем маршруты.",
        topics: &[("питание", "ужин"), ("маршруты", "Мурманска")],
        never: &[],
    },
    Case {
        language: "en",
        prompt: "Describe the structure, vehicles and birds of the Grand Meridian Bridge as a checklist in about 200 words.",
        topics: &[("structure", "towers"), ("vehicles", "64,000"), ("birds", "falcons")],
        never: &["checklist"],
    },
];

fn sources(case: &Case) -> (Vec<Snapshot>, (u32, u32)) {
    match case.language {
        "de" => (vec![source(1, "de", WAERMEPUMPE)], (150, 200)),
        "fr" => (vec![source(1, "fr", RUCHES)], (130, 190)),
        "ru" => (vec![source(1, "ru", PECHKA)], (100, 130)),
        _ if case.prompt.contains("Meridian") => (vec![source(1, "en", BRIDGE)], (180, 260)),
        _ => (fixtures::sources(), (500, 700)),
    }
}

#[test]
fn topics_of_the_order_are_sections_in_its_order() {
    let mut faults = Vec::new();
    for case in &CASES {
        let (sources, words) = sources(case);
        let brief = brief(case.language, case.prompt, words);
        let article = write(&brief, &sources).expect("an article");
        let stems = |text: &str| -> Vec<String> { word::iter(text).map(|w| word::stem(w, case.language)).collect() };
        let headings: Vec<String> =
            article.outline.sections.iter().map(|s| s.heading.clone().unwrap_or_default()).collect();
        let mut last = 0;
        for (topic, says) in case.topics {
            let wanted = stems(topic);
            let Some(at) = headings.iter().position(|h| wanted.iter().all(|stem| stems(h).contains(stem))) else {
                faults.push(format!("{}\n  no section on {topic}: {headings:?}", case.prompt));
                continue;
            };
            if at < last {
                faults.push(format!("{}\n  {topic} comes too early: {headings:?}", case.prompt));
            }
            last = at;
            let text = article.sections[at].paragraphs.join("\n");
            if !text.contains(says) {
                faults.push(format!("{}\n  {topic} does not tell {says}: {text}", case.prompt));
            }
        }
        for never in case.never {
            if headings.iter().any(|h| h.to_lowercase().contains(&never.to_lowercase())) {
                faults.push(format!("{}\n  {never} is a heading: {headings:?}", case.prompt));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_topic_that_no_source_knows_gets_no_section() {
    let sources = [source(1, "en", BRIDGE)];
    let brief = brief(
        "en",
        "Write about the Grand Meridian Bridge. Cover traffic, earthquake insurance and birds.",
        (150, 220),
    );
    let outline = galley_compose::outline(&brief, &sources).expect("an outline");
    let headings: Vec<&str> = outline.sections.iter().filter_map(|s| s.heading.as_deref()).collect();
    assert!(headings.contains(&"Traffic") && headings.contains(&"Birds"), "{headings:?}");
    assert!(!headings.iter().any(|h| h.contains("nsurance")), "{headings:?}");
}

#[test]
#[ignore = "prints the articles for a reader"]
fn articles_for_a_reader() {
    for case in &CASES {
        let (sources, words) = sources(case);
        let article = write(&brief(case.language, case.prompt, words), &sources).expect("an article");
        println!("{}\n{}\n-----", case.prompt, article.rendered.markdown);
    }
}

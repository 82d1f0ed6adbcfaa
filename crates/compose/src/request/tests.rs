use super::*;
use crate::testing::brief;

fn of(lang: &str, prompt: &str) -> Request {
    let mut order = brief(prompt, &[]);
    order.language = lang.to_owned();
    read(&order)
}

fn topics(lang: &str, prompt: &str) -> String {
    of(lang, prompt).topics.into_iter().map(|asked| asked.words).collect::<Vec<_>>().join(" | ")
}

/// What the orders name, in their order; `-` where they name nothing but their subject.
fn holds(lang: &str, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(prompt, expected)| (prompt, *expected, topics(lang, prompt)))
        .filter(|(_, expected, found)| found != expected.trim_matches('-'))
        .map(|(prompt, expected, found)| format!("{prompt}\n  expected: {expected}\n  found:    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn topics_of_english_orders() {
    holds(
        "en",
        &[
            (
                "Write an article about beekeeping. Cover hive types, winter feeding, varroa treatment and honey extraction.",
                "hive types | winter feeding | varroa treatment | honey extraction",
            ),
            (
                "Write about heat pumps: how they work; what they cost; noise; maintenance",
                "how they work | what they cost | noise | maintenance",
            ),
            (
                "Write an article for beginners about composting, including what to compost, what to avoid, and turning the heap, in a friendly tone.",
                "what to compost | what to avoid | turning the heap",
            ),
            (
                "Explain how solar panels work, what they cost and how long they last.",
                "how solar panels work | what they cost | how long they last",
            ),
            (
                "A guide to urban trees.\n- planting\n- watering in summer\n- pruning\n- for beginners\n- about 800 words",
                "planting | watering in summer | pruning",
            ),
            (
                "Write about the Baltic ferries.\nTopics:\n1. Routes\n2. Prices and tickets\n3. Safety on board\n\nDo not mention:\n- politics\n- accidents",
                "Routes | Prices and tickets | Safety on board",
            ),
            (
                "Write about night trains. First explain the history, then the routes, and finally the prices.",
                "history | routes | prices",
            ),
            (
                "Start with the origins of the canal, then describe the locks, followed by the traffic today, and end with its future.",
                "origins of the canal | locks | traffic today | future",
            ),
            (
                "Describe the causes, symptoms and treatment of gout in plain language.",
                "causes | symptoms | treatment of gout",
            ),
            (
                "Write an article about tidal power (how it works, costs, environmental effects).",
                "how it works | costs | environmental effects",
            ),
            ("Write an article about how parcel lockers change delivery and returns for small online shops", "-"),
            ("Write an article about choosing between lockers and home delivery", "-"),
            (
                "How Sela Ridge grows, roasts and brews its coffee",
                "How Sela Ridge grows its coffee | How Sela Ridge roasts its coffee | How Sela Ridge brews its coffee",
            ),
            (
                "Write a blog post on sourdough bread. It should cover the starter, kneading and baking, with pros and cons. Avoid brand names. Use short sentences.",
                "starter | kneading | baking | pros and cons",
            ),
            (
                "Write about wind farms. Please include costs, noise and birds. Do not mention nuclear power or politics.",
                "costs | noise | birds",
            ),
            (
                "Write about the Riga bridge, its history, its construction and its traffic.",
                "history | construction | traffic",
            ),
            (
                "Write about electric buses. What do they cost? How far do they go? Keep it under 900 words.",
                "What do they cost | How far do they go",
            ),
            (
                "Write about museum ships. Sections: history; restoration; visiting hours. Tone: calm and friendly.",
                "history | restoration | visiting hours",
            ),
            (
                "Write about rainwater tanks covering (1) sizing, (2) filters and (3) winter care.",
                "sizing | filters | winter care",
            ),
            ("Write a report about how glaciers form and why they retreat", "how glaciers form | why they retreat"),
            (
                "Write about saving 1,420 litres of water, a guide to pumps, pipes and tanks.",
                "saving 1,420 litres of water | guide to pumps | pipes | tanks",
            ),
            ("Write about Riga, the capital of Latvia", "-"),
            ("Write about allotments. Our readers are families with small gardens.", "-"),
            (
                "Write about lime plaster as a checklist for beginners, in German, about 700 words, with a call to action.",
                "-",
            ),
            ("Don't forget to mention the frost and the drainage. Don't mention prices.", "frost | drainage"),
            (
                "Write about peat bogs. Make sure to explain how they form, why they matter and what threatens them. The introduction should be short.",
                "how they form | why they matter | what threatens them",
            ),
            (
                "Create a guide to bicycle repair with sections on brakes, gears, tyres, and cleaning.",
                "brakes | gears | tyres | cleaning",
            ),
            (
                "Summarise the year of the bakery: 1. plans for 2026 2. the shops 3. recipes",
                "plans for 2026 | shops | recipes",
            ),
            (
                "Getting around: write about prices, the stations in Lowton and tickets, in this order.",
                "prices | stations in Lowton | tickets",
            ),
            ("Write about tea: pros and cons, brewing and storage", "pros and cons | brewing | storage"),
        ],
    );
}

#[test]
fn topics_of_german_orders() {
    holds(
        "de",
        &[
            (
                "Schreibe einen Artikel über Wärmepumpen: Funktionsweise, Kosten, Förderung und Wartung.",
                "Funktionsweise | Kosten | Förderung | Wartung",
            ),
            (
                "Schreibe über Imkerei. Gehe auf Beutentypen, Winterfütterung und Honigernte ein.",
                "Beutentypen | Winterfütterung | Honigernte",
            ),
            ("Der Artikel soll Herkunft, Anbau und Ernte von Hopfen behandeln.", "Herkunft | Anbau | Ernte von Hopfen"),
            (
                "Erkläre, wie Gezeitenkraftwerke funktionieren, was sie kosten und wie lange sie halten.",
                "wie Gezeitenkraftwerke funktionieren | was sie kosten | wie lange sie halten",
            ),
            (
                "Schreibe für Anfänger über Kompost. Themen:\n- Standort\n- Was auf den Kompost darf\n- Umsetzen\n- in lockerem Ton",
                "Standort | Was auf den Kompost darf | Umsetzen",
            ),
            (
                "Schreibe über Nachtzüge. Beginne mit der Geschichte, dann die Strecken und zum Schluss die Preise.",
                "Geschichte | Strecken | Preise",
            ),
            (
                "Schreibe über Windräder. Erwähne nicht die Politik. Beschreibe Lärm, Kosten und Vögel.",
                "Lärm | Kosten | Vögel",
            ),
            (
                "Artikel über Stadtbäume, einschließlich Pflanzung, Bewässerung und Schnitt, in etwa 800 Wörtern",
                "Pflanzung | Bewässerung | Schnitt",
            ),
            ("Schreibe einen ausführlichen Artikel über Paketautomaten in Leipzig", "-"),
            (
                "Schreibe über Sauerteig. Es soll um Ansatz, Kneten und Backen gehen. Vermeide Markennamen.",
                "Ansatz | Kneten | Backen",
            ),
        ],
    );
}

#[test]
fn topics_of_romance_orders() {
    holds(
        "fr",
        &[
            (
                "Rédigez un article sur les pompes à chaleur : fonctionnement, coût, entretien et bruit.",
                "fonctionnement | coût | entretien | bruit",
            ),
            (
                "Écris un article sur l'apiculture. Aborde les types de ruches, l'hivernage et la récolte du miel.",
                "types de ruches | hivernage | récolte du miel",
            ),
            (
                "Écris sur le compost pour débutants, y compris l'emplacement, l'arrosage et le brassage.",
                "emplacement | arrosage | brassage",
            ),
            (
                "Expliquez comment fonctionnent les marées, pourquoi elles varient et quand elles montent.",
                "comment fonctionnent les marées | pourquoi elles varient | quand elles montent",
            ),
            (
                "Écris sur les trains de nuit. D'abord l'histoire, puis les lignes, enfin les prix. N'évoque pas la politique.",
                "histoire | lignes | prix",
            ),
            ("Rédigez un article détaillé sur les consignes à colis", "-"),
        ],
    );
    holds(
        "es",
        &[
            (
                "Escribe un artículo sobre bombas de calor: funcionamiento, costes, mantenimiento y ruido.",
                "funcionamiento | costes | mantenimiento | ruido",
            ),
            (
                "Escribe sobre apicultura. Incluye tipos de colmenas, alimentación en invierno y cosecha de la miel.",
                "tipos de colmenas | alimentación en invierno | cosecha de la miel",
            ),
            (
                "Escribe sobre los trenes nocturnos. Primero la historia, luego las rutas y finalmente los precios. No menciones la política.",
                "historia | rutas | precios",
            ),
            (
                "Explica cómo se forman los glaciares y por qué retroceden.",
                "cómo se forman los glaciares | por qué retroceden",
            ),
            ("Escribe un artículo sobre las taquillas de paquetes", "-"),
        ],
    );
    holds(
        "it",
        &[
            (
                "Scrivi un articolo sulle pompe di calore: funzionamento, costi, manutenzione e rumore.",
                "funzionamento | costi | manutenzione | rumore",
            ),
            (
                "Scrivi sull'apicoltura. Tratta i tipi di arnie, l'alimentazione invernale e la raccolta del miele.",
                "tipi di arnie | alimentazione invernale | raccolta del miele",
            ),
            (
                "Scrivi sui treni notturni. Inizia con la storia, poi le linee e infine i prezzi.",
                "storia | linee | prezzi",
            ),
            ("Scrivi un articolo dettagliato sui punti di ritiro", "-"),
        ],
    );
    holds(
        "pt",
        &[
            (
                "Escreva um artigo sobre bombas de calor: funcionamento, custos, manutenção e ruído.",
                "funcionamento | custos | manutenção | ruído",
            ),
            (
                "Escreva sobre apicultura. Inclua tipos de colmeias, alimentação no inverno e colheita do mel.",
                "tipos de colmeias | alimentação no inverno | colheita do mel",
            ),
            (
                "Escreva sobre comboios noturnos. Primeiro a história, depois as rotas e por fim os preços. Não mencione a política.",
                "história | rotas | preços",
            ),
            ("Escreva um artigo sobre os armários de encomendas", "-"),
        ],
    );
}

#[test]
fn topics_of_russian_orders() {
    holds(
        "ru",
        &[
            (
                "Напишите статью о тепловых насосах: принцип работы, стоимость, обслуживание и шум.",
                "принцип работы | стоимость | обслуживание | шум",
            ),
            (
                "Напишите о пчеловодстве. Опишите типы ульев, зимнюю подкормку и сбор мёда.",
                "типы ульев | зимнюю подкормку | сбор мёда",
            ),
            (
                "Напишите о ночных поездах. Сначала история, затем маршруты и в конце цены. Не упоминайте политику.",
                "история | маршруты | цены",
            ),
            (
                "Объясните, как образуются ледники и почему они отступают.",
                "как образуются ледники | почему они отступают",
            ),
            ("Напишите статью о постаматах в городах", "-"),
        ],
    );
}

#[test]
fn what_is_to_be_left_out_is_no_topic() {
    for (lang, prompt, expected) in [
        ("en", "Write about wind farms. Do not mention nuclear power or politics.", "nuclear power or politics"),
        ("en", "Write about trams. Avoid prices, accidents and strikes.", "prices | accidents | strikes"),
        ("en", "Write about trams without mentioning the war.", "war"),
        ("en", "Write about how to live without a car in a small town", ""),
        ("en", "Write about trams. Prices should not be mentioned.", "Prices"),
        ("de", "Schreibe über Straßenbahnen. Vermeide Preise und Unfälle.", "Preise | Unfälle"),
        ("fr", "Écris sur les trams. Ne mentionnez pas les prix.", "prix"),
        ("ru", "Напишите о трамваях. Не упоминайте цены.", "цены"),
    ] {
        assert_eq!(of(lang, prompt).avoid.join(" | "), expected, "{prompt}");
    }
}

#[test]
fn wishes_of_form_are_told_apart() {
    use WishKind::{Format, Language, Length, Readers, Tone};
    for (lang, prompt, expected) in [
        ("en", "Write about lime plaster for absolute beginners", vec![(Readers, "for absolute beginners")]),
        ("en", "Write about lime plaster as a checklist", vec![(Format, "as a checklist")]),
        ("en", "Write about lime plaster in a warm and friendly tone", vec![(Tone, "in a warm and friendly tone")]),
        ("en", "Write about lime plaster in about 800 words", vec![(Length, "in about 800 words")]),
        ("en", "Write about lime plaster in German", vec![(Language, "in German")]),
        ("en", "Write about style guides and the tone of brass bells", vec![]),
        ("en", "Write about small shops for families", vec![]),
        (
            "de",
            "Schreibe über Kalkputz als Checkliste für Anfänger",
            vec![(Format, "als Checkliste"), (Readers, "für Anfänger")],
        ),
        (
            "fr",
            "Écris sur la chaux sur un ton amical pour débutants",
            vec![(Tone, "sur un ton amical"), (Readers, "pour débutants")],
        ),
    ] {
        let wishes = of(lang, prompt).wishes;
        let found: Vec<_> = wishes.iter().map(|wish| (wish.kind, wish.words.as_str())).collect();
        assert_eq!(found, expected, "{prompt}");
    }
}

#[test]
fn the_sections_of_a_template_are_topics() {
    let mut order = brief("Write about parcel lockers", &[]);
    order.follow("Keep it calm.", &["What lockers cost".to_owned(), "Theft".to_owned()]);
    let found: Vec<String> = read(&order).topics.into_iter().map(|asked| asked.words).collect();
    assert_eq!(found, ["What lockers cost", "Theft"]);
}

#[test]
fn any_prompt_is_read_in_time() {
    for text in
        ["", ":", "- ", "1) 2) 3)", "((((", ", , ,", "; ; ;", "and and and how and why", "l'l'l'l'", "İİİ: İ, İ and İ"]
    {
        let _ = of("en", text);
        let _ = of("xx", &text.repeat(3000));
    }
}

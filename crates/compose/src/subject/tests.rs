use super::*;
use crate::testing::{brief, source};

const TRAVEL: &str = "Travel policy\n\nAll flights, trains and hotels are booked through the travel portal. Trips that \
    take less than five hours are made by train. The limit for a night is 140 pounds in London and 130 euros in \
    Rotterdam. Receipts are photographed within 14 days, and claims that arrive later than 60 days after the trip are not \
    paid. Claims up to 500 pounds are approved by the line manager. Meals are paid as a per diem, and no receipts are \
    needed for them. Private accommodation is welcome in all countries of the company.";
const TOMATOES: &str = "# Growing tomatoes on a balcony\n\nTomatoes need at least six hours of sun a day. A pot should hold \
    no less than 15 litres of soil. Water the plants in the morning. Feed the plants every 14 days from June on. Late \
    blight is the most common disease, and a roof over the plants keeps the leaves dry.";
const LOCKERS_DE: &str = "# Paketautomaten in Leipzig\n\nDie Stadt Leipzig hat seit 2021 insgesamt 64 Paketautomaten auf \
    öffentlichen Flächen genehmigt. Ein Automat versorgt im Durchschnitt 900 Haushalte. Händler zahlen für eine Zustellung \
    an den Automaten im Schnitt 70 Cent weniger als für eine Zustellung an die Haustür. Bei Retouren beträgt der Vorteil \
    sogar einen Euro.";
const BREAD_FR: &str = "# Le pain au levain\n\nLe levain se nourrit de farine et d'eau. La pâte repose douze heures avant la \
    cuisson, et le four doit atteindre 240 degrés. Une croûte épaisse garde la mie fraîche pendant plusieurs jours.";
const OIL_ES: &str = "# El aceite de oliva\n\nLas aceitunas se recogen entre octubre y enero. El aceite virgen extra se \
    obtiene en frío durante las primeras horas. Una botella oscura protege el aceite de la luz y conserva su aroma.";
const WINE_IT: &str = "# La vendemmia in Piemonte\n\nLe uve nebbiolo si raccolgono a ottobre. Il vino riposa due anni in botti \
    di rovere prima dell'imbottigliamento. Le colline delle Langhe offrono un terreno calcareo e un clima fresco.";
const CORK_PT: &str = "# A cortiça\n\nA cortiça do sobreiro é retirada de nove em nove anos. Portugal produz metade da cortiça \
    do mundo. As rolhas deixam o vinho respirar, e as aparas servem para isolar casas.";
const BEES_RU: &str = "# Пасека весной\n\nВесной пчеловод осматривает ульи и проверяет запасы корма. Матка откладывает до двух \
    тысяч яиц в день. Пчёлы собирают пыльцу с ивы и клёна. Слабые семьи объединяют до конца апреля.";

fn of(lang: &str, prompt: &str, text: &str) -> Relation {
    let mut brief = brief(prompt, &[]);
    lang.clone_into(&mut brief.language);
    let code = galley_text::language::detect(text).expect("a language");
    relation(&brief, &[source(1, code, text)])
}

/// Orders as people write them, each with a source about what it asks for.
const ON_TOPIC: &[(&str, &str, &str)] = &[
    ("en", "Write an article about growing tomatoes on a balcony for beginners, 800 words", TOMATOES),
    ("en", "Balcony tomatoes", TOMATOES),
    (
        "en",
        "I need a friendly, SEO-optimized blog post that explains how to keep tomato plants healthy. Use short \
        paragraphs, add a checklist at the end and a call to action.",
        TOMATOES,
    ),
    (
        "en",
        "Hello! Please help our small gardening club. We want to publish something useful on our website next month. \
        Topic: tomatoes in pots. Tone: casual. Length: about 600 words. Structure: introduction, soil, watering, \
        diseases, conclusion.",
        TOMATOES,
    ),
    ("en", "10 tips for more tomatoes from your balcony", TOMATOES),
    ("en", "Summarize the attached document", TRAVEL),
    ("en", "Explain our business travel rules to new employees", TRAVEL),
    ("en", "How travellers book trips and what the company pays for", TRAVEL),
    ("en", "What to know about expense claims, per diems and hotel limits in 2026", TRAVEL),
    ("en", "Travel expences and reciepts: a guide for staff", TRAVEL),
    ("en", "Write in a neutral tone. The subject is the travel policy.", TRAVEL),
    (
        "de",
        "Schreibe einen Artikel über Paketautomaten in Leipzig für Anfänger, etwa 800 Wörter, mit Fazit",
        LOCKERS_DE,
    ),
    ("de", "Ratgeber: Was Paketautomaten dem Handel bringen", LOCKERS_DE),
    ("de", "Die Paketzustellung in der Großstadt Leipzig", LOCKERS_DE),
    ("de", "Fasse die beigefügten Dokumente in einfachen Worten zusammen", LOCKERS_DE),
    ("fr", "Rédigez un article détaillé sur le pain au levain pour les débutants, environ 600 mots", BREAD_FR),
    ("fr", "La cuisson du pain : conseils pratiques et astuces", BREAD_FR),
    ("es", "Escribe un artículo sobre el aceite de oliva para principiantes con un tono cercano", OIL_ES),
    ("es", "Cómo conservar el aceite de oliva virgen en casa", OIL_ES),
    ("it", "Scrivi una guida semplice sulla vendemmia del nebbiolo nelle Langhe", WINE_IT),
    ("it", "Il vino piemontese: dalla vigna alla botte", WINE_IT),
    ("pt", "Escreva um artigo sobre a cortiça em Portugal para iniciantes, com uma lista de dicas", CORK_PT),
    ("pt", "A extração da cortiça e a produção de rolhas", CORK_PT),
    ("ru", "Напишите статью о работе пчеловода весной для начинающих, примерно 800 слов", BEES_RU),
    ("ru", "Осмотр ульев весной: советы и пример плана", BEES_RU),
];

/// Orders with a source about something else, and a word that is told to be missing.
const OFF_TOPIC: &[(&str, &str, &str, &str)] = &[
    ("en", "Write an article about growing tomatoes on a balcony for beginners, 800 words", TRAVEL, "tomatoes"),
    ("en", "How heat pumps cut the heating bill of old houses", TRAVEL, "pumps"),
    (
        "en",
        "Write a detailed guide to PostgreSQL backups with examples and a checklist. Use a professional tone.",
        TRAVEL,
        "PostgreSQL",
    ),
    ("en", "The history of lighthouses on the Baltic coast", TOMATOES, "lighthouses"),
    ("en", "Sourdough bread: everything beginners need to know", TOMATOES, "Sourdough"),
    ("de", "Schreibe einen ausführlichen Artikel über den Anbau von Tomaten auf dem Balkon", LOCKERS_DE, "Tomaten"),
    ("de", "Wie Wärmepumpen alte Häuser heizen", LOCKERS_DE, "Wärmepumpen"),
    ("fr", "Rédigez un article sur l'énergie solaire dans les maisons anciennes", BREAD_FR, "solaire"),
    ("es", "Escribe una guía sobre bicicletas eléctricas para la ciudad", OIL_ES, "bicicletas"),
    ("it", "Scrivi un articolo sui pannelli solari per il condominio", WINE_IT, "pannelli"),
    ("pt", "Escreva um artigo sobre bombas de calor e poupança de energia", CORK_PT, "bombas"),
    ("ru", "Напишите подробную статью о тепловых насосах в частном доме", BEES_RU, "насосах"),
];

#[test]
fn realistic_orders_with_fitting_sources_are_no_false_alarm() {
    let alarms: Vec<_> = ON_TOPIC
        .iter()
        .map(|(lang, prompt, text)| (prompt, of(lang, prompt, text)))
        .filter(|(_, found)| *found != Relation::Related)
        .collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn sources_about_something_else_are_told_with_the_words_they_lack() {
    for (lang, prompt, text, word) in OFF_TOPIC {
        let found = of(lang, prompt, text);
        let Relation::Unrelated { missing, of } = &found else { panic!("{prompt}: {found:?}") };
        assert!(missing.iter().any(|m| m == word) && missing.len() <= *of, "{prompt}: {found:?}");
        assert!(found.warning().is_some_and(|warning| warning.contains(word)), "{prompt}");
    }
}

#[test]
fn every_order_is_told_from_the_sources_of_every_other_one_of_its_language() {
    let english = [("growing tomatoes on a balcony", TOMATOES), ("business travel and expense claims", TRAVEL)];
    for (i, (subject, _)) in english.iter().enumerate() {
        for (j, (_, text)) in english.iter().enumerate() {
            let found =
                of("en", &format!("Write a short, practical article about {subject} with an introduction"), text);
            assert_eq!(found == Relation::Related, i == j, "{subject}: {found:?}");
        }
    }
}

#[test]
fn keywords_are_words_of_the_order() {
    let sources = [source(1, "en", TRAVEL)];
    let found = relation(&brief("Write an article", &["balcony tomatoes", "late blight"]), &sources);
    let Relation::Unrelated { missing, of } = found else { panic!("{found:?}") };
    assert_eq!((missing.len(), of), (4, 4));
    assert_eq!(relation(&brief("Write an article", &["travel policy"]), &sources), Relation::Related);
}

#[test]
fn one_word_is_too_little_to_refuse_an_order_for() {
    let found = of("en", "An article on photosynthesis", TRAVEL);
    assert_eq!(found, Relation::Doubtful { missing: vec!["photosynthesis".into()] });
    assert!(found.warning().is_some());
}

#[test]
fn sources_in_another_language_are_not_refused_for_that() {
    // The name is found, so nothing is said.
    assert_eq!(of("en", "Parcel lockers in the city of Leipzig", LOCKERS_DE), Relation::Related);
    let found = of("en", "How parcel machines help merchants save money", LOCKERS_DE);
    assert_eq!(found, Relation::Unchecked { order: "en".into(), sources: vec!["de".into()] });
    assert!(found.warning().is_some_and(|warning| warning.contains("(en)") && warning.contains("(de)")));
    // A German order for an English text with German sources is compared, in German.
    let found = of("en", "Schreibe einen Artikel über Paketautomaten in Leipzig auf Englisch", LOCKERS_DE);
    assert_eq!(found, Relation::Related);
    let found = of("en", "Schreibe einen Artikel über Wärmepumpen und Heizkosten auf Englisch", LOCKERS_DE);
    assert!(matches!(found, Relation::Unrelated { .. }), "{found:?}");
}

#[test]
fn texts_without_spaces_are_compared_by_pairs_of_characters() {
    let text = "每袋咖啡重六十公斤，价格是一百二十美元。社员们在十月到一月之间用手采摘成熟的咖啡果。合作社有两百个家庭，每个村子都有自己的水洗站。";
    assert_eq!(of("zh", "请写一篇关于咖啡采摘的文章", text), Relation::Related);
    assert!(matches!(of("zh", "请写一篇关于太阳能电池板的文章", text), Relation::Unrelated { .. }));
}

#[test]
fn a_language_without_lists_is_refused_only_when_nothing_is_shared() {
    let text = "De koffiebonen worden in oktober met de hand geplukt en daarna gewassen. Een zak koffie weegt zestig kilo en \
        wordt in de haven van Rotterdam verkocht aan branderijen uit heel Europa.";
    assert_eq!(of("nl", "Schrijf een artikel over de oogst van koffie", text), Relation::Related);
    assert!(matches!(of("nl", "Zonnepanelen op oude daken", text), Relation::Unrelated { .. }));
}

#[test]
fn titles_and_names_of_files_count_and_nothing_is_no_error() {
    let mut named = source(1, "en", "The limit for a night is 140 pounds, and all of it is paid back within a month.");
    named.origin = galley_domain::writing::Origin::File { name: "hotel-expenses-2026.pdf".into() };
    assert_eq!(relation(&brief("Hotel expenses at our company", &[]), &[named]), Relation::Related);
    assert_eq!(relation(&brief("", &[]), &[source(1, "en", TRAVEL)]), Relation::Related);
    assert_eq!(relation(&brief("Heat pumps in old houses", &[]), &[]), Relation::Related);
}

//! Words that mean what another word means closely enough to find passages by: `costs` and `price`, `maintenance` and
//! `maintain`. Nothing is ever claimed by them.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::LazyLock,
};

use galley_text::word;

use crate::lexicon;

/// Groups of words of one field by language; what stands in one group finds the others.
static GROUPS: [(&str, &[&str]); 7] = [
    (
        "en",
        &[
            "cost, costs, price, prices, pricing, fee, fees, expense, expenses, expensive, cheap, pay, paid, charge, euro, euros, dollars, pounds, budget, tariff, fare, fares, ticket",
            "benefit, benefits, advantage, advantages, strength, strengths, pros, upside, saves, gain",
            "drawback, drawbacks, disadvantage, disadvantages, weakness, weaknesses, cons, downside, limit, limits, limitations, problem, problems",
            "history, origin, origins, foundation, founders, began, beginning, beginnings, invented, century, early, opened, built, started, past",
            "future, outlook, plans, planned, next, forecast, prospects, trend, trends",
            "maintenance, maintain, care, upkeep, service, servicing, clean, cleaning, cleaned, repair, repairs, inspect, inspection, checks, painting, painted",
            "safety, safe, danger, dangerous, risk, risks, hazard, hazards, protect, security, secure, accident, accidents, injury",
            "install, installation, installing, installed, setup, mount, mounted, fit, fitted, fitting, assemble",
            "work, works, working, operate, operates, operation, function, functions, mechanism, principle",
            "construction, build, built, building, builders, erected, materials, structure, engineering",
            "environment, environmental, climate, emissions, pollution, ecological, nature, carbon, sustainable, sustainability",
            "law, laws, legal, rule, rules, regulation, regulations, permit, permits, requirement, requirements, licence, license",
            "food, feed, feeding, diet, nutrition, eat, eats, fodder",
            "disease, diseases, illness, pest, pests, symptom, symptoms, infection, mite, mites, blight, fungus",
            "treatment, treat, treated, therapy, cure, remedy, control",
            "use, uses, usage, used, application, applications",
            "type, types, kind, kinds, variety, varieties, species, sorts, models",
            "size, sizes, dimensions, capacity, large, length, height, width, metres, meters",
            "buy, buying, choose, choosing, choice, selection, select, purchase",
            "harvest, harvesting, pick, picking, picked, reap, yield, yields",
            "plant, planting, planted, sow, sowing, grow, growing, cultivation, soil",
            "water, watering, irrigation, irrigate, drainage",
            "store, storage, storing, keep, stored, warehouse, shelf",
            "visitor, visitors, visit, visiting, tourism, tourists, guests, opening, admission",
            "result, results, outcome, outcomes, findings, effect, effects, impact, consequences",
            "cause, causes, caused, reason, reasons, because",
            "worker, workers, staff, employees, crew, personnel, jobs, team",
            "customer, customers, users, clients, buyers, passengers, consumers",
            "energy, power, electricity, consumption, kilowatt, fuel, battery",
            "noise, noisy, loud, sound, quiet, decibels",
            "winter, cold, frost, snow, freezing, ice",
            "summer, heat, hot, drought, warm",
            "transport, transportation, delivery, deliver, shipping, ship, traffic, carry",
            "design, designed, designer, architect, architecture, drawings, planned, shape",
            "equipment, tools, tool, gear, device, devices, machine, machines",
            "weather, rain, wind, storm, storms, climate",
            "subsidy, subsidies, grant, grants, funding, support, financing, funded, loan",
            "deadline, deadlines, schedule, timetable, dates, timeline, due",
            "decision, decisions, decided, agreed, resolved, vote, voted",
            "task, tasks, action, actions, responsible, next steps, assigned",
        ],
    ),
    (
        "de",
        &[
            "Kosten, kostet, Preis, Preise, Gebühr, Gebühren, teuer, günstig, Euro, bezahlen, Tarif, Fahrpreis, Ausgaben, Anschaffungskosten, Betriebskosten",
            "Vorteil, Vorteile, Nutzen, Stärken, spart",
            "Nachteil, Nachteile, Schwächen, Grenzen, Probleme, Problem",
            "Geschichte, Ursprung, Herkunft, gegründet, erfunden, Jahrhundert, eröffnet, Entstehung, Anfänge",
            "Zukunft, Ausblick, geplant, Pläne, Prognose",
            "Wartung, warten, gewartet, Pflege, pflegen, Instandhaltung, reinigen, Reinigung, Reparatur",
            "Sicherheit, sicher, Gefahr, Gefahren, gefährlich, Risiko, Risiken, Schutz, Unfall, Unfälle",
            "Einbau, einbauen, Installation, installieren, Montage, montieren, Aufbau, aufstellen",
            "Funktionsweise, funktioniert, funktionieren, Betrieb, arbeitet, Prinzip, Wirkungsweise",
            "Bau, gebaut, Bauweise, Konstruktion, errichtet, Material",
            "Umwelt, Klima, Emissionen, Natur, ökologisch, Nachhaltigkeit",
            "Recht, Gesetz, Gesetze, Vorschrift, Vorschriften, Regel, Regeln, Genehmigung, Anforderungen",
            "Förderung, gefördert, Zuschuss, Zuschüsse, Finanzierung, Kredit",
            "Futter, Fütterung, füttern, Ernährung, Nahrung, fressen, Winterfütterung, Einfütterung",
            "Krankheit, Krankheiten, Schädling, Schädlinge, Symptome, Befall, Pilz, Milben",
            "Behandlung, behandeln, behandelt, Bekämpfung, Therapie",
            "Art, Arten, Sorte, Sorten, Typ, Typen",
            "Größe, Maße, Länge, Höhe, Meter, Kapazität",
            "Ernte, ernten, geerntet, Ertrag, Erträge",
            "Anbau, anbauen, pflanzen, gepflanzt, Pflanzung, säen, Aussaat, Boden",
            "Wasser, gießen, Bewässerung, bewässern, gegossen",
            "Lagerung, lagern, gelagert, aufbewahren",
            "Besucher, Besuch, Tourismus, Gäste, Öffnungszeiten, Eintritt",
            "Ergebnis, Ergebnisse, Wirkung, Auswirkungen, Folgen",
            "Ursache, Ursachen, Grund, Gründe",
            "Energie, Strom, Verbrauch, Kilowattstunden, Stromverbrauch, Leistung",
            "Lärm, laut, Geräusch, leise, Dezibel",
            "Winter, Kälte, Frost, Schnee, Eis",
            "Transport, Lieferung, liefern, Versand, Verkehr",
            "Auswahl, wählen, Kauf, kaufen, Wahl",
            "Standort, Platz, Ort, Lage",
            "Frist, Fristen, Termin, Termine, Zeitplan",
            "Beschluss, Beschlüsse, beschlossen, Entscheidung, entschieden",
        ],
    ),
    (
        "fr",
        &[
            "coût, coûts, coûte, prix, tarif, tarifs, euros, cher, payer, dépenses",
            "avantage, avantages, atouts, bénéfices",
            "inconvénient, inconvénients, limites, faiblesses, problèmes",
            "histoire, origine, origines, fondé, siècle, inauguré, inventé, débuts",
            "avenir, perspectives, projets, prévu",
            "entretien, entretenir, maintenance, nettoyer, nettoyage, réparation",
            "sécurité, danger, dangers, risque, risques, protéger, accidents",
            "installation, installer, installé, montage, pose",
            "fonctionnement, fonctionne, fonctionnent, principe",
            "construction, construit, bâti, matériaux",
            "environnement, climat, émissions, nature, écologique",
            "loi, lois, règle, règles, réglementation, autorisation",
            "aide, aides, subvention, subventions, financement, prime",
            "récolte, récolter, récolté, rendement",
            "plantation, planter, culture, semer, sol",
            "arrosage, arroser, eau, irrigation",
            "maladie, maladies, parasites, symptômes",
            "traitement, traiter, lutte",
            "bruit, bruyant, silencieux, décibels",
            "hiver, hivernage, froid, gel, neige",
            "type, types, sorte, espèces, variétés",
            "cause, causes, raison, raisons",
            "énergie, électricité, consommation",
            "alimentation, nourrir, nourriture, nourrissement",
        ],
    ),
    (
        "es",
        &[
            "coste, costes, costo, costos, cuesta, precio, precios, tarifa, euros, caro, pagar, gastos",
            "ventaja, ventajas, beneficios",
            "desventaja, desventajas, inconvenientes, límites, problemas",
            "historia, origen, orígenes, fundado, siglo, inaugurado, inventado",
            "futuro, perspectivas, planes",
            "mantenimiento, mantener, limpieza, limpiar, reparación, cuidado",
            "seguridad, seguro, peligro, riesgo, riesgos, accidentes",
            "instalación, instalar, montaje",
            "funcionamiento, funciona, funcionan, principio",
            "construcción, construido, materiales",
            "ambiente, clima, emisiones, ecológico",
            "ley, leyes, norma, normas, regulación, permiso",
            "ayuda, ayudas, subvención, subvenciones, financiación",
            "cosecha, cosechar, rendimiento, recolección",
            "plantación, plantar, cultivo, sembrar, suelo",
            "riego, regar, agua",
            "enfermedad, enfermedades, plagas, síntomas",
            "ruido, ruidoso, silencioso",
            "invierno, frío, heladas, nieve",
            "tipo, tipos, clases, especies, variedades",
            "causa, causas, razones",
            "energía, electricidad, consumo",
            "alimentación, alimentar, alimento, comida",
        ],
    ),
    (
        "it",
        &[
            "costo, costi, costa, prezzo, prezzi, tariffa, euro, pagare, spese",
            "vantaggio, vantaggi, benefici",
            "svantaggio, svantaggi, limiti, problemi",
            "storia, origine, origini, fondato, secolo, inaugurato",
            "futuro, prospettive, piani",
            "manutenzione, pulizia, pulire, riparazione, cura",
            "sicurezza, sicuro, pericolo, rischio, rischi, incidenti",
            "installazione, installare, montaggio",
            "funzionamento, funziona, funzionano, principio",
            "costruzione, costruito, materiali",
            "ambiente, clima, emissioni",
            "legge, leggi, norma, norme, regole, permesso",
            "incentivi, contributi, finanziamento",
            "raccolta, raccolto, raccogliere, resa",
            "coltivazione, piantare, seminare, suolo",
            "irrigazione, annaffiare, acqua",
            "malattia, malattie, parassiti, sintomi",
            "rumore, rumoroso, silenzioso",
            "inverno, invernale, freddo, gelo, neve",
            "tipo, tipi, specie, varietà",
            "energia, elettricità, consumo",
            "alimentazione, nutrire, cibo",
        ],
    ),
    (
        "pt",
        &[
            "custo, custos, custa, preço, preços, tarifa, euros, pagar, despesas",
            "vantagem, vantagens, benefícios",
            "desvantagem, desvantagens, limites, problemas",
            "história, origem, origens, fundado, século, inaugurado",
            "futuro, perspectivas, planos",
            "manutenção, manter, limpeza, limpar, reparação, cuidados",
            "segurança, seguro, perigo, risco, riscos, acidentes",
            "instalação, instalar, montagem",
            "funcionamento, funciona, funcionam, princípio",
            "construção, construído, materiais",
            "ambiente, clima, emissões",
            "lei, leis, norma, normas, regras, licença",
            "apoios, subsídio, subsídios, financiamento",
            "colheita, colher, rendimento",
            "plantação, plantar, cultivo, semear, solo",
            "rega, regar, irrigação, água",
            "doença, doenças, pragas, sintomas",
            "ruído, barulho, silencioso",
            "inverno, frio, geada, neve",
            "tipo, tipos, espécies, variedades",
            "energia, eletricidade, consumo",
            "alimentação, alimentar, comida",
        ],
    ),
    (
        "ru",
        &[
            "стоимость, стоит, стоят, цена, цены, тариф, рублей, евро, расходы, затраты",
            "преимущества, плюсы, достоинства, польза",
            "недостатки, минусы, ограничения, проблемы",
            "история, происхождение, основан, век, изобретён, построен, открыт",
            "будущее, перспективы, планы",
            "обслуживание, уход, чистка, ремонт",
            "безопасность, опасность, риск, риски, защита, аварии",
            "установка, монтаж, установить",
            "работа, работают, работает, принцип, устройство",
            "строительство, построен, материалы, конструкция",
            "экология, природа, климат, выбросы",
            "закон, законы, правила, разрешение, нормы",
            "сбор, урожай, собирают",
            "посадка, сажать, выращивание, почва",
            "полив, поливать, вода",
            "болезни, вредители, симптомы",
            "шум, шумный, тихий",
            "зима, зимний, холод, мороз, снег",
            "тип, типы, вид, виды, сорта",
            "энергия, электричество, потребление",
            "корм, подкормка, кормить, питание",
        ],
    ),
];

/// Words that say little about what a topic is, whatever they stand with.
static WEAK: [(&str, &str); 7] = [
    (
        "en",
        "types, type, kinds, kind, sorts, aspects, basics, overview, role, importance, main, different, common, best,
         general, various, key, ways, way, tips, facts, right, use, using, important, work, works, get, make, today,
         current, latest, new, good, rules, rule, regulations, conditions, results, figures, facts, details, issues, process,
         procedure, steps, shown, show, shows, so far, experience, time, matters, aspects, point, points",
    ),
    (
        "de",
        "Regeln, Bedingungen, Ergebnisse, Zahlen, Fakten, Ablauf, Arten, Art, Formen, Aspekte, Grundlagen, Überblick, Rolle, Bedeutung, wichtige, verschiedene, Tipps, richtige, heute",
    ),
    ("fr", "règles, conditions, résultats, chiffres, faits, types, type, sortes, aspects, bases, rôle, importance, différents, principaux, conseils, aujourd'hui"),
    ("es", "normas, reglas, condiciones, resultados, cifras, datos, tipos, tipo, clases, aspectos, papel, importancia, diferentes, principales, consejos, hoy"),
    ("it", "regole, condizioni, risultati, cifre, dati, tipi, tipo, aspetti, ruolo, importanza, diversi, principali, consigli, oggi"),
    ("pt", "regras, condições, resultados, números, dados, tipos, tipo, aspectos, papel, importância, diferentes, principais, dicas, hoje"),
    ("ru", "правила, условия, результаты, цифры, факты, типы, виды, аспекты, роль, важность, разные, основные, советы, сегодня"),
];

static WEAK_STEMS: LazyLock<HashSet<(&'static str, String)>> = LazyLock::new(|| {
    let stems = |(code, list): &(&'static str, &'static str)| {
        let code = *code;
        lexicon::entries(list).map(move |entry| (code, word::stem(&lexicon::lower(entry), code))).collect::<Vec<_>>()
    };
    WEAK.iter().flat_map(stems).collect()
});

pub(crate) fn is_weak(stem: &str, lang: &str) -> bool {
    WEAK.iter().any(|(code, _)| *code == lang && WEAK_STEMS.contains(&(*code, stem.to_owned())))
}

/// By language: the stems of each group, and in which groups a stem is.
struct Concepts {
    groups: Vec<BTreeSet<String>>,
    by_stem: HashMap<String, Vec<usize>>,
}

static CONCEPTS: LazyLock<HashMap<&'static str, Concepts>> = LazyLock::new(|| {
    GROUPS
        .iter()
        .map(|(code, groups)| {
            let groups: Vec<BTreeSet<String>> = groups
                .iter()
                .map(|group| lexicon::entries(group).map(|entry| word::stem(&lexicon::lower(entry), code)).collect())
                .collect();
            let mut by_stem: HashMap<String, Vec<usize>> = HashMap::new();
            for (index, stem) in groups.iter().enumerate().flat_map(|(i, group)| group.iter().map(move |s| (i, s))) {
                by_stem.entry(stem.clone()).or_default().push(index);
            }
            (*code, Concepts { groups, by_stem })
        })
        .collect()
});

/// The stems of the same field as `stem`, without itself.
pub(crate) fn of_one_field<'a>(stem: &'a str, lang: &str) -> impl Iterator<Item = &'static str> + use<'a> {
    let concepts = CONCEPTS.get(lang);
    let groups = concepts.and_then(|concepts| concepts.by_stem.get(stem)).map_or(&[][..], Vec::as_slice);
    groups
        .iter()
        .filter_map(move |index| concepts.and_then(|concepts| concepts.groups.get(*index)))
        .flatten()
        .map(String::as_str)
        .filter(move |other| *other != stem)
}

/// Whether two stems are forms of one word (`mainten` and `maintain`), or one is a compound of the other.
pub(crate) fn is_kin(a: &str, b: &str, lang: &str) -> bool {
    if lang != "de" && a.as_bytes().first() != b.as_bytes().first() {
        return false;
    }
    let (short, long) = if a.chars().count() <= b.chars().count() { (a, b) } else { (b, a) };
    let (least, most) = (short.chars().count(), long.chars().count());
    if least < 4 || short.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let common = short.chars().zip(long.chars()).take_while(|(x, y)| x == y).count();
    let ends = most - common <= 4 && least - common <= 3;
    common >= 5 && ends && common * 10 >= most * 6
        || common == least && most - least <= 2
        || lang == "de" && (long.ends_with(short) || long.starts_with(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_field_find_each_other() {
        let found: Vec<&str> = of_one_field(&word::stem("costs", "en"), "en").collect();
        assert!(found.contains(&word::stem("price", "en").as_str()), "{found:?}");
        assert_eq!(of_one_field("zebra", "en").count(), 0);
        assert_eq!(of_one_field("cost", "xx").count(), 0);
    }

    #[test]
    fn forms_of_a_word_are_kin() {
        let kin = |a: &str, b: &str, lang: &str| is_kin(&word::stem(a, lang), &word::stem(b, lang), lang);
        for (a, b, lang) in [
            ("maintenance", "maintain", "en"),
            ("pollination", "pollinate", "en"),
            ("Kosten", "Anschaffungskosten", "de"),
            ("Winter", "Winterfütterung", "de"),
        ] {
            assert!(kin(a, b, lang), "{a} {b}");
        }
        for (a, b, lang) in
            [("store", "story", "en"), ("port", "portrait", "en"), ("Bau", "Anbau", "de"), ("1200", "12000", "en")]
        {
            assert!(!kin(a, b, lang), "{a} {b}");
        }
    }
}

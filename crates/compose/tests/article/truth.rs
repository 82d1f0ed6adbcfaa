use galley_compose::claims::Checker;
use galley_domain::writing::Verdict;

use crate::fixtures::{brief, sentences, sources, write};

/// Changes the first number of a sentence.
fn with_other_number(sentence: &str) -> Option<String> {
    let at = sentence.find(|c: char| c.is_ascii_digit())?;
    let digit = sentence.as_bytes()[at];
    // Adding seven keeps the number plausible and unlike any neighbour.
    let changed = char::from(b'1' + (digit - b'0' + 6) % 9);
    let changed = if changed as u8 == digit { '5' } else { changed };
    Some(format!("{}{changed}{}", &sentence[..at], &sentence[at + 1..]))
}

fn with_negation(sentence: &str) -> Option<String> {
    [" is ", " are ", " was ", " can ", " must "]
        .iter()
        .find(|verb| sentence.contains(**verb))
        .map(|verb| sentence.replacen(verb, &format!("{verb}not "), 1))
}

fn with_other_name(sentence: &str) -> Option<String> {
    [
        ("Riga", "Gdansk"),
        ("Tallinn", "Turku"),
        ("Tartu", "Bergen"),
        ("Omniva", "Hermes"),
        ("Helsinki", "Aarhus"),
        ("Vilnius", "Warsaw"),
        ("Estonia", "Norway"),
    ]
    .iter()
    .find(|(name, _)| sentence.contains(name))
    .map(|(name, other)| sentence.replacen(name, other, 1))
}

fn with_other_year(sentence: &str) -> Option<String> {
    ["2008", "2020", "2021", "2022", "2023", "2025"]
        .iter()
        .find(|year| sentence.contains(**year))
        .map(|year| sentence.replacen(year, "1997", 1))
}

#[test]
fn lies_are_found() {
    let sources = sources();
    let article = write(&brief(1500, 2500), &sources).expect("an article");
    let checker = Checker::new(&sources);
    let mut counts = [0_usize; 4];
    for sentence in sentences(&article.sections) {
        assert_eq!(checker.check(&sentence).verdict, Verdict::Supported);
        let lies = [
            with_other_number(&sentence),
            with_negation(&sentence),
            with_other_name(&sentence),
            with_other_year(&sentence),
        ];
        for (kind, lie) in lies.into_iter().enumerate() {
            if let Some(lie) = lie {
                counts[kind] += 1;
                assert_eq!(checker.check(&lie).verdict, Verdict::Unsupported, "{kind}: {lie}");
            }
        }
    }
    assert!(counts.iter().all(|n| *n >= 4), "{counts:?}");
}

#[test]
fn honest_paraphrases_are_supported() {
    let sources = sources();
    let checker = Checker::new(&sources);
    for sentence in [
        "In a survey of 4,100 households, 53 percent of customers named size as the reason for returning fashion.",
        "A bank with 60 compartments costs 12,000 to 18,000 euros including its installation.",
        "About 71 % of customers in the four cities walk or cycle to their locker.",
        "In 2023, Omniva shifted 30 % of its locker volume in Tallinn to the night.",
        "Rimi said in 2022 that a locker at the entrance brought 38 extra visits a day on average.",
        "Estonia has 1,150 lockers and a share of locker deliveries of 74 percent.",
        "Theft from lockers is rare: insurers counted 3 stolen parcels per 100,000 deliveries to lockers in 2023.",
    ] {
        let claim = checker.check(sentence);
        assert_eq!(claim.verdict, Verdict::Supported, "{claim:?}");
    }
}

#[test]
fn invented_statements_are_not() {
    let sources = sources();
    let checker = Checker::new(&sources);
    for sentence in [
        "Lockers were invented by a Swiss watchmaker in the nineteenth century.",
        "Parcel lockers double the turnover of every shop within a month.",
        "Amazon plans to buy Omniva for 2 billion euros.",
        "Customers love lockers because they are painted blue.",
        "Theft from lockers is common.",
    ] {
        let claim = checker.check(sentence);
        assert_eq!(claim.verdict, Verdict::Unsupported, "{claim:?}");
    }
}

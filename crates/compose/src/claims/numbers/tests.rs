use super::*;

fn first(text: &str) -> Number {
    first_in(text, "en")
}

fn first_in(text: &str, lang: &str) -> Number {
    read(text, lang).numbers.into_iter().next().unwrap_or_else(|| panic!("no number in {text}"))
}

#[test]
fn the_same_number_in_other_spelling_matches() {
    for (a, b) in [
        ("1,200 orders", "1200 orders"),
        ("1'200", "1\u{a0}200"),
        ("1.2 million parcels", "1,200,000 parcels"),
        ("3 %", "3 per cent"),
        ("3%", "3 percent"),
        ("€5", "5 euros"),
        ("three days", "3 days"),
        ("2,5 %", "2.5 %"),
        ("−5 °C", "-5°C"),
        ("3-day", "3 days"),
        ("$1.5bn", "1.5 billion dollars"),
        ("a million", "1,000,000"),
        ("one hundred shops", "100 shops"),
        ("two hundred thousand", "200,000"),
        ("half a million", "500,000"),
        ("$5 million", "$5m"),
        ("$5M", "$5 m"),
        ("£3k", "3,000 pounds"),
        ("€2bn", "€2 bn"),
        ("5m dollars", "$5 million"),
        ("5 m", "5 metres"),
        ("7 500 euros", "7,500 euros"),
        ("14 days", "2 weeks"),
        ("4 cm", "40 mm"),
        ("2 years", "24 months"),
        ("12 kW", "12,000 watts"),
    ] {
        assert!(first(a).matches(&first(b)), "{a} / {b}: {:?} {:?}", first(a), first(b));
    }
}

#[test]
fn other_numbers_units_and_signs_do_not_match() {
    for (a, b) in [
        ("120", "130"),
        ("3 %", "3 days"),
        ("3 %", "3 orders"),
        ("-5 °C", "5 °C"),
        ("1.5", "15"),
        ("3 days", "3 weeks"),
        ("2 million", "2 billion"),
        ("€5", "$5"),
        ("one million", "one billion"),
        ("half a million", "a million"),
        ("one and a half million", "half a million"),
        ("a hundred", "a thousand"),
        ("$5m", "$5"),
        ("1.2", "1,200"),
        ("40 µm", "40 m"),
        ("4 cm", "4 mm"),
        ("2 weeks", "15 days"),
    ] {
        assert!(!first(a).matches(&first(b)), "{a} / {b}: {:?} {:?}", first(a), first(b));
    }
}

#[test]
fn a_separator_is_read_as_the_language_writes_it() {
    assert_eq!((first_in("1,200", "en").readings, first_in("1.200", "en").readings), (vec![1200.0], vec![1.2]));
    assert_eq!((first_in("1,200", "de").readings, first_in("1.200", "de-AT").readings), (vec![1.2], vec![1200.0]));
    // In a language that is not known both are possible, but not one here and the other there.
    let (thousands, decimal) = (first_in("1,200", ""), first_in("1.2", ""));
    assert_eq!(thousands.readings, [1200.0, 1.2]);
    assert!(thousands.matches(&first_in("1.200", "")) && thousands.matches(&decimal));
    let other = Number { readings: vec![1.2, 0.0012], ..thousands.clone() };
    assert!(!thousands.matches(&other));
}

#[test]
fn a_unit_is_shared_by_a_range_only() {
    let units = |text: &str| read(text, "en").numbers.iter().map(|n| n.unit).collect::<Vec<_>>();
    for text in ["3 to 5 %", "3–5 %", "3 – 5 %", "3-5 %", "3 - 5 %", "3 and 5 %"] {
        assert_eq!(units(text), [Some("%"), Some("%")], "{text}");
    }
    for text in ["Of 3 shops 5 % closed", "Of 3 shops to 5 %", "In 3, 5 % closed", "3/5 %", "Of 3, and 5 %"] {
        assert_eq!(units(text), [None, Some("%")], "{text}");
    }
}

#[test]
fn dates_are_read_in_many_forms() {
    let all =
        ["3 May 2021", "May 3, 2021", "2021-05-03", "3. Mai 2021", "3 de mayo de 2021", "3 мая 2021", "03.05.2021"];
    for text in all {
        let figures = read(&format!("On {text} it was."), "");
        assert_eq!(figures.dates.len(), 1, "{text}: {figures:?}");
        let date = &figures.dates[0];
        assert_eq!((date.year, date.month, date.day), (Some(2021), Some(5), Some(3)), "{text}");
    }
    let part = read("in May 2021", "").dates.remove(0);
    let whole = read("on 3 May 2021", "").dates.remove(0);
    assert!(part.matches(&whole) && !whole.matches(&part));
}

#[test]
fn codes_are_no_numbers() {
    assert_eq!(read("COVID-19 at 14:30 with 3.11.2 and B2B", "").codes, ["covid-19", "3.11.2", "b2b"]);
}

#[test]
fn times_of_the_day_are_one_in_all_spellings() {
    let minutes = |text: &str| read(text, "en").times.iter().map(|t| t.minutes).collect::<Vec<_>>();
    for (text, expected) in [
        ("from 9 am to 8 pm", vec![540, 1200]),
        ("at 20:00", vec![1200]),
        ("um 20.00 Uhr", vec![1200]),
        ("um 20 Uhr", vec![1200]),
        ("à 20h30", vec![1230]),
        ("at 12 a.m. and 12 p.m.", vec![0, 720]),
        ("it takes 20 hours and 3.30 metres", vec![]),
    ] {
        assert_eq!(minutes(text), expected, "{text}");
    }
}

#[test]
fn a_range_shares_its_unit() {
    let figures = read("It takes 5 to 7 days, or 3–5 % more.", "");
    assert_eq!(
        figures.numbers.iter().map(|n| n.unit).collect::<Vec<_>>(),
        [Some("day"), Some("day"), Some("%"), Some("%")]
    );
}

#[test]
fn nothing_breaks_on_odd_input() {
    for text in [
        "",
        "-",
        "−",
        "%",
        "1..2",
        "1,,2",
        ".5",
        "5.",
        "99999999999999999999999999",
        "٣",
        "1\u{a0}",
        "€",
        "²",
        "1-2-3-4",
    ] {
        let _ = read(text, "");
    }
}

use galley_domain::writing::{Snapshot, Verdict};

use super::*;
use crate::testing::source;

fn sources() -> Vec<Snapshot> {
    vec![
        source(
            1,
            "en",
            "# Lockers\n\nOmniva opened 120 parcel lockers in Riga on 3 May 2021. A locker holds 60 parcels on average. \
            It is emptied twice a day.\n\nLockers are not heated in winter, and no staff is needed to run them.\n\n\
            | Hub | Orders | Return rate |\n| Riga | 1,200 | 3 % |\n| Tartu | 800 | 4 % |",
        ),
        source(
            2,
            "de",
            "# Paketautomaten\n\nDie Post in Leipzig betreibt 40 Automaten, die rund um die Uhr geöffnet sind.",
        ),
    ]
}

fn judge(sentence: &str) -> Claim {
    Checker::new(&sources()).check(sentence)
}

#[test]
fn a_verbatim_sentence_is_supported_by_its_own_span() {
    let claim = judge("A locker holds 60 parcels on average.");
    assert_eq!((claim.verdict, claim.coverage_permille), (Verdict::Supported, 1000));
    let sources = sources();
    assert_eq!(claim.span.and_then(|s| s.text_in(&sources)), Some("A locker holds 60 parcels on average."));
}

#[test]
fn a_paraphrase_with_all_facts_is_supported() {
    for sentence in [
        "In May 2021, Omniva opened 120 lockers for parcels in Riga.",
        "On average 60 parcels fit in a locker, which holds them.",
        "Riga has a return rate of 3 percent and 1200 orders.",
        "Rund um die Uhr sind 40 Automaten der Post in Leipzig geöffnet.",
        "A locker holds 60 parcels and is emptied twice a day.",
    ] {
        let claim = judge(sentence);
        assert_eq!(claim.verdict, Verdict::Supported, "{claim:?}");
    }
}

#[test]
fn a_sentence_belongs_to_the_span_that_has_most_of_it() {
    let text = "# Clinic\n\nThe clinic treats patients with knee pain.\n\nA patient may leave the clinic only if the pain is \
        mild.\n\nThe hospital treated 410 patients with flu, and 37 of them needed a bed.";
    let sources = vec![source(1, "en", text)];
    let verdict = |sentence: &str| Checker::new(&sources).check(sentence).verdict;
    assert_ne!(verdict("Patients may leave the clinic."), Verdict::Supported);
    assert_eq!(verdict("37 patients needed a bed."), Verdict::Supported);
}

#[test]
fn a_word_that_stands_nowhere_leaves_a_sentence_supported_in_part() {
    for (sentence, missing) in [
        ("Lockers hold 60 parcels in the basement.", "basement"),
        ("Omniva hastily and secretly opened 120 parcel lockers in Riga on 3 May 2021.", "hastily secretly"),
    ] {
        let claim = judge(sentence);
        assert_eq!((claim.verdict, claim.missing.join(" ").as_str()), (Verdict::Partly, missing), "{claim:?}");
    }
}

#[test]
fn lies_are_unsupported_and_what_is_missing_is_named() {
    for (sentence, missing) in [
        ("Omniva opened 130 parcel lockers in Riga on 3 May 2021.", "130"),
        ("Omniva opened 120 parcel lockers in Tallinn on 3 May 2021.", "Tallinn"),
        ("Omniva opened 120 parcel lockers in Riga on 3 May 2022.", "3 May 2022"),
        ("Venipak opened 120 parcel lockers in Riga on 3 May 2021.", "Venipak"),
        ("A locker never holds 60 parcels on average.", "never"),
        ("Lockers are heated in winter.", "not"),
        ("The hub Riga has 1,200 orders and a return rate of 5 %.", "5 %"),
        ("The hub Tartu has 1,200 orders and a return rate of 4 %.", "1,200"),
        ("Die Post in Hamburg betreibt 40 Automaten, die rund um die Uhr geöffnet sind.", "Hamburg"),
        ("Die Post in Leipzig betreibt 40 Automaten, die nicht rund um die Uhr geöffnet sind.", "nicht"),
    ] {
        let claim = judge(sentence);
        assert_eq!(claim.verdict, Verdict::Unsupported, "{claim:?}");
        assert!(claim.missing.iter().any(|m| m == missing), "{claim:?}");
        assert!(claim.span.is_some(), "{claim:?}");
    }
}

#[test]
fn what_nobody_wrote_has_no_span() {
    let claim = judge("Elephants in Kenya drink 200 litres of water a day.");
    assert_eq!((claim.verdict, claim.span), (Verdict::Unsupported, None));
    assert!(claim.missing.iter().any(|m| m.contains("200")) && claim.missing.iter().any(|m| m == "Kenya"), "{claim:?}");
}

#[test]
fn questions_requests_and_transitions_claim_nothing() {
    for sentence in
        ["How many parcels does a locker hold?", "Contact your carrier for details.", "Read on to learn more.", "…"]
    {
        assert_eq!(judge(sentence).verdict, Verdict::NoClaim, "{sentence}");
    }
}

#[test]
fn a_fact_is_a_claim_in_any_form() {
    for sentence in [
        "#1 rival Acme lost $5 billion in 2023.",
        "Did you know that Acme lost $5 billion in 2023?",
        "See how Acme lost two billion dollars.",
    ] {
        assert_eq!(judge(sentence).verdict, Verdict::Unsupported, "{sentence}");
        assert_eq!(Checker::new(&[]).check(sentence).verdict, Verdict::Unsupported, "{sentence}");
    }
}

/// Of one source in English: what is true of it, and what is not.
fn told(text: &str, claim: &str) -> Verdict {
    Checker::new(&[source(1, "en", &format!("# Report\n\n{text}"))]).check(claim).verdict
}

#[test]
fn figures_are_not_mixed_up() {
    let mut verdicts = Vec::new();
    for (text, right, wrong) in [
        (
            "The post moved one million parcels through the hub last winter.",
            "Last winter the post moved a million parcels through the hub.",
            "The post moved one billion parcels through the hub last winter.",
        ),
        (
            "Nearly a hundred shops in the old town closed during the winter.",
            "During the winter nearly 100 shops in the old town closed.",
            "Nearly a thousand shops in the old town closed during the winter.",
        ),
        (
            "Of 12 shops in the survey, 30 % closed during the long winter.",
            "During the long winter, 30 % of the shops in the survey closed.",
            "In the survey, 12 % of the shops closed during the long winter.",
        ),
        (
            "The carrier paid $5m for the old hub near the river.",
            "For the old hub near the river the carrier paid $5 million.",
            "The carrier paid $5 for the old hub near the river.",
        ),
        (
            "The new road to the hub near the river is 1.2 km long.",
            "The new road to the hub near the river is 1.20 km long.",
            "The new road to the hub near the river is 1,200 km long.",
        ),
    ] {
        verdicts.extend([(told(text, right), right), (told(text, wrong), wrong)]);
    }
    let wanted = [Verdict::Supported, Verdict::Unsupported].into_iter().cycle();
    let misjudged: Vec<_> = verdicts.into_iter().zip(wanted).filter(|((is, _), wanted)| is != wanted).collect();
    assert!(misjudged.is_empty(), "{misjudged:#?}");
}

#[test]
fn an_attribution_binds_the_claim_to_its_source() {
    let mut sources = sources();
    sources[0].title = "Locker report".to_owned();
    sources[1].title = "Die Automaten".to_owned();
    let checker = Checker::new(&sources);
    let own = checker.check("According to “Locker report”, a locker holds 60 parcels on average.");
    assert_eq!(own.verdict, Verdict::Supported);
    let other = checker.check("According to “Die Automaten”, a locker holds 60 parcels on average.");
    assert_eq!(other.verdict, Verdict::Unsupported);
}

#[test]
fn without_sources_nothing_is_supported() {
    assert_eq!(Checker::new(&[]).check("Riga has 120 lockers.").verdict, Verdict::Unsupported);
    assert_eq!(Checker::new(&[]).check("").verdict, Verdict::NoClaim);
}

#[test]
fn facts_of_a_line_that_nobody_gave_are_named() {
    let (sources, order) = (sources(), "Write about Venipak lockers in 2026");
    let checker = Checker::new(&sources);
    for (line, foreign) in [
        ("How lockers work", &[] as &[&str]),
        ("Parcel Lockers Explained: The Ultimate Guide", &[]),
        ("120 lockers in Riga since May 2021", &[]),
        ("Venipak lockers in 2026", &[]),
        ("130 lockers in Riga", &["130"]),
        ("Why DHL Left Riga", &["DHL"]),
        ("Lockers made by Acme", &["Acme"]),
        ("The $5 billion locker", &["$5 billion"]),
    ] {
        assert_eq!(checker.foreign_facts(line, "en", order), foreign, "{line}");
    }
    assert!(checker.foreign_facts("Die Wassertemperatur der Automaten", "de", order).is_empty());
}

#[test]
fn sentences_without_spaces_are_checked() {
    let zh = source(
        1,
        "zh",
        "# 合作社手册\n\n每袋咖啡重六十公斤，价格是一百二十美元。社员们在十月到一月之间用手采摘成熟的咖啡果。2019年合作社卖出了500吨咖啡。",
    );
    let ja = source(
        2,
        "ja",
        "# 協同組合\n\n協同組合は2019年に500トンのコーヒーを販売した。会員は十月から一月まで手で実を摘む。",
    );
    let th = source(3, "th", "# สหกรณ์\n\nสหกรณ์ขายกาแฟ 500 ตันในปี 2019 สมาชิกเก็บเมล็ดกาแฟด้วยมือ");
    for (source, claim, verdict) in [
        (&zh, "社员们在十月到一月之间用手采摘咖啡果。", Verdict::Supported),
        (&zh, "合作社去年卖掉了所有的货船。", Verdict::Unsupported),
        (&zh, "社员们禁止游客进入山谷。", Verdict::Unsupported),
        (&zh, "工厂的屋顶被大风吹走了。", Verdict::Unsupported),
        (&zh, "合作社在2019年卖出了500万吨咖啡。", Verdict::Unsupported),
        (&zh, "合作社在2019年没有卖出500吨咖啡。", Verdict::Unsupported),
        (&ja, "協同組合は2019年に500トンのコーヒーを販売した。", Verdict::Supported),
        (&ja, "協同組合は2019年に800トンのコーヒーを販売した。", Verdict::Unsupported),
        (&ja, "工場の屋根が風で飛ばされた。", Verdict::Unsupported),
        (&th, "สมาชิกเก็บเมล็ดกาแฟด้วยมือ", Verdict::Supported),
        (&th, "หลังคาโรงงานถูกลมพัดไป", Verdict::Unsupported),
    ] {
        let found = Checker::new(std::slice::from_ref(source)).check(claim);
        assert_eq!(found.verdict, verdict, "{found:?}");
    }
}

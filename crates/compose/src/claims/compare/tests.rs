use super::*;

fn against(claim: &str, passage: &str, lang: &str) -> Objections {
    let (claim, passage) = (Statement::read(claim, lang), Statement::read(passage, lang));
    let passage = [&passage];
    let out = compare(&claim, &passage, &[], cover::freedom(&claim, &passage), crate::lexicon::of(lang));
    Objections { agreed: false, ..out }
}

#[test]
fn what_says_more_or_otherwise_is_found() {
    for (claim, passage) in [
        ("Flights must be booked in premium economy.", "Flights may be booked in premium economy."),
        ("All trips are made by train.", "Most trips are made by train."),
        ("Each employee may sign at least four forms a month.", "Each employee may sign at most four forms a month."),
        ("Parcels are returned free of charge.", "Parcels are returned free of charge if the label is printed."),
        ("The gate closes before the horn sounds.", "The gate closes after the horn sounds."),
        ("Late guests are let in even if the hall is full.", "Late guests are let in if the hall has seats."),
        ("Every claim is examined by an expert.", "Claims above 5,000 euros are examined by an expert."),
        ("The fee fell because a receipt was missing.", "The fee fell for every meal. A receipt was missing."),
        ("Only members may enter the hall.", "Members may enter the hall."),
        ("The claims were accepted by the office.", "The claims were rejected by the office."),
    ] {
        assert_ne!(against(claim, passage, "en"), Objections::default(), "{claim}");
    }
}

#[test]
fn what_says_the_same_is_let_through() {
    for (claim, passage) in [
        ("In premium economy, flights may be booked.", "Flights may be booked in premium economy."),
        (
            "If the label is printed, parcels are returned free of charge.",
            "Parcels are returned free of charge if the label is printed.",
        ),
        ("After the horn sounds the gate closes.", "The gate closes after the horn sounds."),
        ("The horn sounds before the gate closes.", "The gate closes after the horn sounds."),
    ] {
        assert_eq!(against(claim, passage, "en"), Objections::default(), "{claim}");
    }
}

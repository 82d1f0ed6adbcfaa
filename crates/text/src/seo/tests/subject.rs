use super::*;

const TRAVEL: &str = "# Growing tomatoes on a balcony\n\n## Booking\n\nAll flights, trains and hotels are booked through the \
    travel portal. Trips that take less than five hours are made by train.\n\n## Receipts\n\nReceipts are photographed \
    within 14 days.";

fn titled<'a>(title: &'a str, markdown: &'a str, language: &'a str) -> SeoInput<'a> {
    SeoInput { title, markdown, language, ..input() }
}

#[test]
fn a_text_about_something_else_than_its_title_does_not_score() {
    let report = score(&titled("Growing tomatoes on a balcony", TRAVEL, "en"));
    let check = report.checks.iter().find(|check| check.id == "subject").expect("the check");
    assert_eq!((check.status, check.value.as_str()), (Status::Bad, "0 of 3 words"));
    assert!(check.advice.contains("tomatoes"), "{}", check.advice);
    assert!(report.score <= OTHER_SUBJECT_SCORE, "{}", report.score);
}

#[test]
fn a_text_about_its_title_is_good_in_every_inflection() {
    for (title, text, language) in [
        ("How to book business trips", TRAVEL, "en"),
        ("Paketautomaten in der Stadt", "Der Paketautomat steht am Markt. Städte stellen ihn auf.", "de"),
        ("Осмотр ульев весной", "Весной пчеловод осматривает ульи и проверяет корм.", "ru"),
    ] {
        assert_eq!(status(&titled(title, text, language), "subject"), Status::Good, "{title}");
    }
}

#[test]
fn what_cannot_be_judged_is_skipped() {
    for (title, text, language) in
        [("Tea", TRAVEL, "en"), ("", TRAVEL, "en"), ("Growing tomatoes", "", "en"), ("咖啡的种植", "咖啡很好。", "zh")]
    {
        assert_eq!(status(&titled(title, text, language), "subject"), Status::Skipped, "{title}");
    }
}

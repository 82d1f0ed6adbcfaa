//! The lengths that search engines show.

use super::{Check, SeoInput, Status, grade};

/// The longest title, in characters.
pub const TITLE_LIMIT: usize = 60;
/// The longest description, in characters.
pub const DESCRIPTION_LIMIT: usize = 155;
/// A shorter description leaves room unused.
pub(super) const DESCRIPTION_LEAST: usize = 50;
/// Up to here a title is mostly shown whole.
const TITLE_TOLERATED: usize = 70;

pub(super) fn checks(input: &SeoInput) -> Vec<Check> {
    vec![title(input.title), description(input.description)]
}

fn title(title: &str) -> Check {
    let chars = title.trim().chars().count();
    let status = grade((1..=TITLE_LIMIT).contains(&chars), (1..=TITLE_TOLERATED).contains(&chars));
    let advice = match chars {
        0 => "Write a title; without one search engines make up their own.".to_owned(),
        _ => format!("Shorten the title by {} characters; search engines cut it.", chars.saturating_sub(TITLE_LIMIT)),
    };
    Check::judged(("title_length", "Title length", "1–60 characters"), status, format!("{chars} characters"), advice)
}

fn description(description: &str) -> Check {
    let chars = description.trim().chars().count();
    let status = match chars {
        DESCRIPTION_LEAST..=DESCRIPTION_LIMIT => Status::Good,
        1..DESCRIPTION_LEAST => Status::Ok,
        _ => Status::Bad,
    };
    let advice = match chars {
        0 => "Write a description; without one search engines show any piece of the text.".to_owned(),
        1..DESCRIPTION_LEAST => {
            format!(
                "The description has room for {} more characters: say what the reader gets.",
                DESCRIPTION_LIMIT - chars
            )
        }
        _ => format!(
            "Shorten the description by {} characters; search engines cut it.",
            chars.saturating_sub(DESCRIPTION_LIMIT)
        ),
    };
    let what = ("description_length", "Description length", "50–155 characters");
    Check::judged(what, status, format!("{chars} characters"), advice)
}

//! The settings of a project that Galley goes by. All other keys are the client's, and nobody looks at them.

use galley_domain::{
    image::SourceImages,
    order::{Violations, limits},
};
use galley_store::{TenantTx, rows};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{error::ServiceError, publishing::connections::is_blog};

const TRUE_OR_FALSE: &str = "must be true or false";

/// Refuses changes to known settings that could not be gone by. `null` removes a setting, so it is always right.
pub(crate) async fn check_settings(tx: &TenantTx, changes: &Map<String, Json>) -> Result<(), ServiceError> {
    let mut wrong = Violations::default();
    for (key, value) in changes.iter().filter(|(_, value)| !value.is_null()) {
        let place = format!("settings.{key}");
        match key.as_str() {
            "publish_gate" => check_gate(&place, value, &mut wrong),
            "quiet_hours" => check_quiet_hours(&place, value, &mut wrong),
            "public_site_definition" | "strict_provider" => wrong.check(!value.is_boolean(), &place, TRUE_OR_FALSE),
            "default_blog_connection_id" => check_connection(tx, &place, value, &mut wrong).await?,
            "language" => {
                let is_language = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase());
                let is_right = value.as_str().is_some_and(is_language);
                wrong.check(!is_right, &place, "must be a two-letter ISO 639-1 code in lower case, for example en");
            }
            "word_count" => {
                let (least, most) = (limits::WORDS.0.into(), limits::WORDS.1.into());
                let is_right = value.as_u64().is_some_and(|words: u64| (least..=most).contains(&words));
                wrong.check(!is_right, &place, format!("must be a whole number between {least} and {most}"));
            }
            "source_images" => {
                let is_right = value.as_str().is_some_and(|word| word.parse::<SourceImages>().is_ok());
                wrong.check(!is_right, &place, "must be one of none, offer, place");
            }
            "tone" | "ai_provider" => check_text(&place, value, 100, &mut wrong),
            "ai_model" => check_text(&place, value, 200, &mut wrong),
            "custom_instructions" => check_text(&place, value, 4000, &mut wrong),
            _ => {}
        }
    }
    wrong.finish().map_err(ServiceError::Validation)
}

fn check_text(place: &str, value: &Json, most: usize, wrong: &mut Violations) {
    match value.as_str() {
        Some(text) if text.chars().count() > most => wrong.add(place, format!("has more than {most} characters")),
        Some(_) => {}
        None => wrong.add(place, "must be a text"),
    }
}

/// A gate with a word that nobody knows would stand open where its owner believes it shut.
fn check_gate(place: &str, value: &Json, wrong: &mut Violations) {
    let Some(gate) = value.as_object() else { return wrong.add(place, "must be an object") };
    for (rule, value) in gate {
        let place = format!("{place}.{rule}");
        match rule.as_str() {
            "no_unsupported_claims" | "approved" | "cover" => wrong.check(!value.is_boolean(), &place, TRUE_OR_FALSE),
            "min_score" => {
                let is_score = value.is_null() || value.as_u64().is_some_and(|score| score <= 100);
                wrong.check(!is_score, &place, "must be a whole number between 0 and 100");
            }
            _ => wrong.add(place, "is no rule; there are no_unsupported_claims, min_score, approved and cover"),
        }
    }
}

fn check_quiet_hours(place: &str, value: &Json, wrong: &mut Violations) {
    let Some(hours) = value.as_object() else { return wrong.add(place, "must be an object with start and end") };
    for end in ["start", "end"] {
        let is_hour = hours.get(end).and_then(Json::as_str).is_some_and(is_wall_time);
        wrong.check(!is_hour, &format!("{place}.{end}"), "must be a time of the day such as 22:00");
    }
}

/// `HH:MM`.
fn is_wall_time(text: &str) -> bool {
    text.len() == 5 && chrono::NaiveTime::parse_from_str(text, "%H:%M").is_ok()
}

async fn check_connection(
    tx: &TenantTx,
    place: &str,
    value: &Json,
    wrong: &mut Violations,
) -> Result<(), ServiceError> {
    let Some(id) = value.as_str().and_then(|text| text.parse::<Uuid>().ok()) else {
        wrong.add(place, "must be the id of a blog connection");
        return Ok(());
    };
    let found = tx.one::<rows::Connection>(id).await?;
    wrong.check(!found.is_some_and(|found| is_blog(&found)), place, format!("there is no blog connection {id}"));
    Ok(())
}

//! Settings: objects that a client fills as it likes, within limits.

use galley_domain::order::Violations;
use serde_json::{Map, Value as Json};

use crate::error::ServiceError;

const MAX_KEYS: usize = 200;
/// As JSON.
const MAX_BYTES: usize = 64 * 1024;
/// Postgres writes every digit of a number, and those of the largest are read back as infinite.
const MAX_NUMBER: f64 = 1e300;

/// Changes `settings` key by key; null removes a key. The limits count what is there already.
pub(crate) fn merge(settings: &mut Json, changes: Map<String, Json>) -> Result<(), ServiceError> {
    let mut merged = settings.as_object().cloned().unwrap_or_default();
    for (key, value) in changes {
        match value {
            Json::Null => merged.remove(&key),
            value => merged.insert(key, value),
        };
    }
    let (keys, merged) = (merged.len(), Json::Object(merged));
    let bytes = merged.to_string().len();
    let mut wrong = Violations::default();
    wrong.check(keys > MAX_KEYS, "settings", format!("has {keys} keys; give at most {MAX_KEYS}"));
    wrong.check(bytes > MAX_BYTES, "settings", format!("has {bytes} bytes as JSON; give at most {MAX_BYTES}"));
    if let Some(text) = unstorable(&merged) {
        wrong.add("settings", text);
    }
    *settings = merged;
    wrong.finish().map_err(ServiceError::Validation)
}

/// What the database does not take, or does not give back as it was.
fn unstorable(value: &Json) -> Option<&'static str> {
    const NUL: &str = "contains a NUL character; remove it";
    match value {
        Json::String(text) => text.contains('\0').then_some(NUL),
        Json::Number(number) => {
            let too_far = number.as_f64().is_some_and(|number| number.abs() > MAX_NUMBER);
            too_far.then_some("holds a number beyond 1e300; give it as a text")
        }
        Json::Array(values) => values.iter().find_map(unstorable),
        Json::Object(values) => {
            values.iter().find_map(|(key, value)| if key.contains('\0') { Some(NUL) } else { unstorable(value) })
        }
        _ => None,
    }
}

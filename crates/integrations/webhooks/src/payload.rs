//! The bytes of a message.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Format;

/// The longest body that is sent.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;
/// `api_version` of 003's payload: the prefix that its product serves under.
pub const API_VERSION_003: &str = "v1";

/// The id of a message, the same in every attempt and resend: `msg_…`, or 003's `evt_…`.
pub fn message_id(format: Format, id: Uuid) -> String {
    match format {
        Format::Standard => format!("msg_{}", id.simple()),
        Format::V003 => format!("evt_{}", id.simple()),
    }
}

/// What a message says.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// Is the header `webhook-id` too.
    pub message_id: &'a str,
    /// As [`crate::Filters::type_for`] gives it.
    pub event_type: &'a str,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    pub organization_id: Uuid,
    /// 003's `site_id`; the standard form leaves it out.
    pub site_id: Uuid,
    /// Grows by object; 003 leaves it out.
    pub sequence: i64,
    pub data: &'a Value,
    /// What stands for `data` that is too long.
    pub object: ObjectLink<'a>,
}

/// Where the object of an event can be read.
#[derive(Debug, Clone, Copy)]
pub struct ObjectLink<'a> {
    pub id: &'a str,
    pub url: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Even without its data.
    #[error("the message has {bytes} bytes without its data; at most {MAX_PAYLOAD_BYTES} are sent")]
    TooLong { bytes: usize },
    #[error("the message cannot be written as JSON: {0}")]
    Json(String),
}

#[derive(Serialize)]
struct Standard<'a> {
    id: &'a str,
    r#type: &'a str,
    timestamp: String,
    organization_id: Uuid,
    sequence: i64,
    data: Sorted<'a>,
}

#[derive(Serialize)]
struct Dialect<'a> {
    id: &'a str,
    r#type: &'a str,
    site_id: Uuid,
    data: Sorted<'a>,
    timestamp: String,
    api_version: &'a str,
}

impl Payload<'_> {
    /// The JSON, at most [`MAX_PAYLOAD_BYTES`]; longer `data` becomes `{id, truncated: true, url}`. The same payload gives
    /// the same bytes: keys within `data` are sorted, whatever order they were put in or a database gave them back in.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn bytes(&self, format: Format) -> Result<Vec<u8>, PayloadError> {
        let whole = self.write(format, self.data)?;
        if whole.len() <= MAX_PAYLOAD_BYTES {
            return Ok(whole);
        }
        let link = json!({ "id": self.object.id, "url": self.object.url, "truncated": true });
        let short = self.write(format, &link)?;
        if short.len() > MAX_PAYLOAD_BYTES {
            return Err(PayloadError::TooLong { bytes: short.len() });
        }
        Ok(short)
    }

    fn write(&self, format: Format, data: &Value) -> Result<Vec<u8>, PayloadError> {
        let (id, r#type, data) = (self.message_id, self.event_type, Sorted(data));
        let timestamp = self.timestamp.to_rfc3339_opts(SecondsFormat::Millis, true);
        let written = match format {
            Format::Standard => serde_json::to_vec(&Standard {
                id,
                r#type,
                timestamp,
                organization_id: self.organization_id,
                sequence: self.sequence,
                data,
            }),
            Format::V003 => serde_json::to_vec(&Dialect {
                id,
                r#type,
                site_id: self.site_id,
                data,
                timestamp,
                api_version: API_VERSION_003,
            }),
        };
        written.map_err(|error| PayloadError::Json(error.to_string()))
    }
}

/// A value with the keys of its objects in order: whether `serde_json` keeps them so depends on a feature that any crate
/// in the build may turn on.
struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => {
                let mut entries: Vec<_> = object.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, &Sorted(value))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&Sorted(item))?;
                }
                seq.end()
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);

    fn payload(data: &Value) -> Payload<'_> {
        Payload {
            message_id: "msg_1",
            event_type: "task.completed",
            timestamp: DateTime::from_timestamp(1_795_348_800, 5_999_999).unwrap(),
            organization_id: ID,
            site_id: ID,
            sequence: 7,
            data,
            object: ObjectLink { id: "task-1", url: "https://galley.example/api/v1/tasks/task-1" },
        }
    }

    fn text(data: &Value, format: Format) -> String {
        String::from_utf8(payload(data).bytes(format).unwrap()).unwrap()
    }

    #[test]
    fn the_forms_to_the_byte() {
        let data = json!({ "task_id": "t", "kind": "article", "error": { "message": "é\u{2028}", "code": null }, "list": [{ "b": 1, "a": 2.5 }] });
        let sorted = "{\"error\":{\"code\":null,\"message\":\"é\u{2028}\"},\"kind\":\"article\",\"list\":[{\"a\":2.5,\"b\":1}],\"task_id\":\"t\"}";
        assert_eq!(
            text(&data, Format::Standard),
            format!(
                "{{\"id\":\"msg_1\",\"type\":\"task.completed\",\"timestamp\":\"2026-11-22T12:00:00.005Z\",\
                 \"organization_id\":\"{ID}\",\"sequence\":7,\"data\":{sorted}}}"
            )
        );
        assert_eq!(
            text(&data, Format::V003),
            format!(
                "{{\"id\":\"msg_1\",\"type\":\"task.completed\",\"site_id\":\"{ID}\",\"data\":{sorted},\
                 \"timestamp\":\"2026-11-22T12:00:00.005Z\",\"api_version\":\"v1\"}}"
            )
        );
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let (mut one, mut other) = (json!({}), json!({}));
        for key in ["b", "a", "ab", "B", "é"] {
            one[key] = json!(1);
        }
        for key in ["é", "B", "ab", "a", "b"] {
            other[key] = json!(1);
        }
        assert_eq!(text(&one, Format::Standard), text(&other, Format::Standard));
    }

    #[test]
    fn data_that_is_too_long_becomes_a_link() {
        for format in [Format::Standard, Format::V003] {
            let room = MAX_PAYLOAD_BYTES - text(&json!({ "text": "" }), format).len();
            let fits = json!({ "text": "x".repeat(room) });
            assert_eq!(text(&fits, format).len(), MAX_PAYLOAD_BYTES);
            let long = json!({ "text": "x".repeat(room + 1) });
            let read: Value = serde_json::from_str(&text(&long, format)).unwrap();
            let link =
                json!({ "id": "task-1", "url": "https://galley.example/api/v1/tasks/task-1", "truncated": true });
            assert_eq!((&read["data"], &read["id"]), (&link, &json!("msg_1")));
        }
    }

    #[test]
    fn bytes_count_and_not_characters() {
        let escaped = json!({ "text": "\u{1}".repeat(MAX_PAYLOAD_BYTES / 4) });
        assert!(text(&escaped, Format::Standard).contains("\"truncated\":true"));
    }

    #[test]
    fn what_is_too_long_without_its_data_is_an_error() {
        let (long, url) = (json!({ "text": "x".repeat(MAX_PAYLOAD_BYTES) }), "u".repeat(MAX_PAYLOAD_BYTES));
        let mut endless = payload(&long);
        endless.object.url = &url;
        let error = endless.bytes(Format::Standard).unwrap_err();
        assert!(matches!(error, PayloadError::TooLong { bytes } if bytes > MAX_PAYLOAD_BYTES), "{error}");
    }

    #[test]
    fn ids_of_messages() {
        assert_eq!(message_id(Format::Standard, ID), "msg_01900000000070008000000000000001");
        assert_eq!(message_id(Format::V003, ID), "evt_01900000000070008000000000000001");
    }
}

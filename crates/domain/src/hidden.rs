//! A secret text that shows as stars, and the striking out of secrets that peers repeat.

use std::fmt;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use zeroize::Zeroizing;

const STARS: &str = "********";
/// What stands where a secret stood.
const STRUCK: &str = "[hidden]";
/// Shorter secrets are struck out as they are only: their other spellings would be found in innocent words.
const LEAST_SPELLED: usize = 6;

/// A key, a password or an address with a login. It shows as stars wherever it is shown or written down, and its memory
/// is cleared when it is dropped. Copies that others made on the way here, such as the environment, are not.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(Zeroizing<String>);

impl Hidden {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A peer's words without this secret.
    pub fn strike_out(&self, text: &str) -> String {
        strike_out(self.expose(), text)
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STARS)
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STARS)
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(STARS)
    }
}

/// Takes what a file may hold instead of a text, so that no error repeats it.
impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Text(String),
            Whole(i64),
            Large(u64),
            Real(f64),
        }
        match Given::deserialize(deserializer) {
            Ok(Given::Text(text)) => Ok(Self::new(text)),
            Ok(Given::Whole(number)) => Ok(Self::new(number.to_string())),
            Ok(Given::Large(number)) => Ok(Self::new(number.to_string())),
            Ok(Given::Real(number)) => Ok(Self::new(number.to_string())),
            Err(_) => Err(D::Error::custom("a secret must be a text")),
        }
    }
}

/// `text` without `secret`, however it is spelled there: as it is, escaped in JSON, percent-encoded, in Base64 (also
/// inside of something longer, as a login is) or in hexadecimal digits.
pub fn strike_out(secret: &str, text: &str) -> String {
    if secret.is_empty() {
        return text.to_owned();
    }
    let mut text = text.replace(secret, STRUCK);
    if secret.len() >= LEAST_SPELLED {
        for spelling in spellings(secret) {
            text = text.replace(spelling.as_str(), STRUCK);
        }
    }
    text
}

/// Longest first where one holds another.
fn spellings(secret: &str) -> Vec<Zeroizing<String>> {
    let quoted = serde_json::Value::from(secret).to_string();
    let json = &quoted[1..quoted.len() - 1];
    let hex = |upper: bool| -> String {
        secret.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
    };
    let mut all = vec![json.replace('/', "\\/"), json.to_owned(), percent(secret, true), percent(secret, false)];
    all.extend([hex(true), hex(false)]);
    for before in 0..3 {
        all.push(base64_core(&STANDARD_NO_PAD, secret, before));
        all.push(base64_core(&URL_SAFE_NO_PAD, secret, before));
    }
    all.into_iter().map(Zeroizing::new).collect()
}

fn percent(secret: &str, upper: bool) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    secret
        .bytes()
        .map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        })
        .collect()
}

/// The characters that depend on nothing but the secret when so many bytes (modulo 3) stand before it.
fn base64_core(engine: &impl Engine, secret: &str, before: usize) -> String {
    let padded = Zeroizing::new([&vec![0; before], secret.as_bytes()].concat());
    let encoded = engine.encode(padded.as_slice());
    let shared_end = usize::from(!padded.len().is_multiple_of(3));
    encoded[(before * 8).div_ceil(6)..encoded.len() - shared_end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk-/a+b\"c\\ü=9";

    #[test]
    fn it_shows_nowhere() {
        let hidden = Hidden::new(SECRET);
        let json = serde_json::to_string(&hidden).expect("a text");
        for shown in [format!("{hidden:?}"), hidden.to_string(), json, format!("{:?}", Some(&hidden))] {
            assert!(!shown.contains("sk-") && shown.contains(STARS), "{shown}");
        }
        assert_eq!(hidden.expose(), SECRET);
    }

    #[test]
    fn what_is_no_text_is_not_repeated() {
        for (given, taken) in [("\"a\"", Some("a")), ("12345678", Some("12345678")), ("1.5", Some("1.5"))] {
            let read: Option<Hidden> = serde_json::from_str(given).ok();
            assert_eq!(read.as_ref().map(Hidden::expose), taken);
        }
        for wrong in ["[12345678]", "true", "{\"a\": 12345678}"] {
            let error = serde_json::from_str::<Hidden>(wrong).expect_err("it is none").to_string();
            assert!(error.contains("must be a text") && !error.contains("1234"), "{error}");
        }
    }

    #[test]
    fn every_spelling_is_struck_out() {
        let login = |engine: &dyn Fn(&[u8]) -> String, user: &str| engine(format!("{user}:{SECRET}!").as_bytes());
        let standard = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let url_safe = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE.encode(bytes);
        let mut spelled = vec![
            SECRET.to_owned(),
            "sk-/a+b\\\"c\\\\ü=9".to_owned(),
            "sk-\\/a+b\\\"c\\\\ü=9".to_owned(),
            "sk-%2Fa%2Bb%22c%5C%C3%BC%3D9".to_owned(),
            "sk-%2fa%2bb%22c%5c%c3%bc%3d9".to_owned(),
            "736b2d2f612b6222635cc3bc3d39".to_owned(),
        ];
        for user in ["", "a", "me", "you"] {
            spelled.extend([login(&standard, user), login(&url_safe, user)]);
        }
        for words in spelled {
            let struck = strike_out(SECRET, &format!("refused {words} today"));
            assert!(struck.contains(STRUCK) && struck.ends_with(" today"), "{words} became {struck}");
            // What may be left of Base64 are the characters that neighbours have a share in.
            let left = struck.replace("refused ", "").replace(" today", "").replace(STRUCK, "");
            assert!(left.len() <= 12, "{words} became {struck}");
        }
    }

    #[test]
    fn short_and_empty_secrets_leave_innocent_words_alone() {
        assert_eq!(strike_out("", "as it was"), "as it was");
        assert_eq!(strike_out("x7", "key x7, 7837, eDc"), "key [hidden], 7837, eDc");
    }
}

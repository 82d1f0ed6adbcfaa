//! Characters whose halves come in two pieces of a stream.
//!
//! A model's tokens are bytes, and a token can end within a character. Careful servers wait for the rest; others send the
//! bytes as they are, so that the JSON is not UTF-8, or write a half of a surrogate pair (`"\ud83c"`) into each piece. Such a half
//! is carried as a private character of plane 16 through the JSON parser and joined with the other one afterwards.

use std::borrow::Cow;

/// A byte 0x80..=0xFF that stands alone: U+10FE80..=U+10FEFF.
const BYTES: u32 = 0x10_FE00;
/// A half of a surrogate pair, U+D800..=U+DFFF: U+10D800..=U+10DFFF.
const SURROGATES: u32 = 0x10_0000;

fn carried(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn is_carried(c: char) -> bool {
    matches!(u32::from(c), 0x10_FE80..=0x10_FEFF | 0x10_D800..=0x10_DFFF)
}

/// The bytes of a JSON text as one that parses, with halves of characters carried. `None` where they are no text at all: so
/// many stray bytes are another encoding.
pub(crate) fn readable(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(carry_bytes(bytes)?),
    };
    Some(if text.contains("\\u") || text.contains("\\U") { carry_surrogates(text) } else { text })
}

fn carry_bytes(bytes: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|b| carried(BYTES + u32::from(*b))));
    }
    // a stray byte outside of a string is no half of a character
    out.starts_with(['{', '[', ' ', '"']).then_some(out)
}

/// Replaces `\udXXX` without its other half.
fn carry_surrogates(text: Cow<'_, str>) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let unit = |at: usize| -> Option<u32> {
        let hex = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
    };
    let mut out = String::new();
    let (mut at, mut done) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        let paired = |code: u32| {
            (0xD800..0xDC00).contains(&code) && unit(at + 6).is_some_and(|low| (0xDC00..0xE000).contains(&low))
        };
        match unit(at) {
            Some(code) if paired(code) => at += 12,
            Some(code) if (0xD800..0xE000).contains(&code) => {
                out.push_str(&text[done..at]);
                out.push(carried(SURROGATES + code));
                at += 6;
                done = at;
            }
            Some(_) => at += 6,
            // `\\` is a backslash; whatever else is escaped is one byte, or the start of a character
            None => at = text.ceil_char_boundary((at + 2).min(text.len())),
        }
    }
    if done == 0 {
        return text;
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// The text with its halves joined. What has no other half becomes U+FFFD.
pub(crate) fn joined(text: String) -> String {
    if !text.contains(is_carried) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match u32::from(c) {
            code @ 0x10_FE80..=0x10_FEFF => {
                let mut bytes = vec![u8::try_from(code - BYTES).unwrap_or_default()];
                while let Some(next) = chars.peek().filter(|c| matches!(u32::from(**c), 0x10_FE80..=0x10_FEFF)) {
                    bytes.push(u8::try_from(u32::from(*next) - BYTES).unwrap_or_default());
                    chars.next();
                }
                out.push_str(&String::from_utf8_lossy(&bytes));
            }
            code @ 0x10_D800..=0x10_DFFF => {
                let low = chars.peek().map(|c| u32::from(*c).wrapping_sub(SURROGATES));
                let low = low.and_then(|code| u16::try_from(code).ok());
                let high = u16::try_from(code - SURROGATES).unwrap_or_default();
                let pair = low.and_then(|low| String::from_utf16(&[high, low]).ok());
                if pair.is_some() {
                    chars.next();
                }
                out.push_str(pair.as_deref().unwrap_or("\u{fffd}"));
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(pieces: &[&[u8]]) -> String {
        let text = |piece: &&[u8]| serde_json::from_str::<String>(&readable(piece).unwrap()).unwrap();
        joined(pieces.iter().map(text).collect())
    }

    #[test]
    fn halves_find_each_other() {
        assert_eq!(strings(&[b"\"caf\xc3\"", b"\"\xa9 au lait\""]), "café au lait");
        assert_eq!(strings(&[b"\"\xe6\x97\"", b"\"\xa5\xe6\"", b"\"\x9c\xac\""]), "日本");
        assert_eq!(strings(&[b"\"a \\ud83c\"", b"\"\\udf75 b\""]), "a 🍵 b");
        assert_eq!(strings(&[b"\"a \\ud83c\\udf75 b\\\\u0041\\n\""]), "a 🍵 b\\u0041\n");
        assert_eq!(strings(&["\"Grüße\"".as_bytes()]), "Grüße");
    }

    #[test]
    fn what_has_no_other_half_is_seen() {
        assert_eq!(strings(&[b"\"caf\xc3\"", b"\"e\""]), "caf\u{fffd}e");
        assert_eq!(strings(&[b"\"\\ud83c x\\udf75\""]), "\u{fffd} x\u{fffd}");
        assert_eq!(readable(b"\xff\xfe"), None);
    }
}

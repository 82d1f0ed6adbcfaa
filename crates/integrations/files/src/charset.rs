//! From bytes to text: the byte order mark decides, then valid UTF-8, then what the page says, then a guess.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The guess looks at no more than this many bytes.
const LOOKED_AT: usize = 256 << 10;

pub(crate) struct Decoded<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Bytes that are no text in the encoding were replaced by U+FFFD.
    pub(crate) replaced: bool,
    /// For people; only where it was guessed.
    pub(crate) guessed: Option<&'static str>,
}

impl Decoded<'_> {
    /// What the owner of the file should know about its encoding.
    pub(crate) fn warning(&self) -> Option<String> {
        let name = self.guessed.unwrap_or("UTF-8");
        self.replaced.then(|| format!("bytes that are not valid {name} were replaced by the character U+FFFD"))
    }
}

/// `declared` is what the file itself says (`<meta charset>`); it counts only where the bytes do not speak.
pub(crate) fn decode<'a>(bytes: &'a [u8], declared: Option<&'static Encoding>) -> Decoded<'a> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return with(&bytes[mark..], encoding, None);
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return with(bytes, encoding, Some(encoding.name()));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Decoded { text: Cow::Borrowed(text), replaced: false, guessed: None };
    }
    if let Some(encoding) = declared.filter(|encoding| *encoding != UTF_8 && !is_utf16(encoding)) {
        return with(bytes, encoding, None);
    }
    if is_mostly_utf8(bytes) {
        return with(bytes, UTF_8, None);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(LOOKED_AT)], true);
    let encoding = detector.guess(None, Utf8Detection::Allow);
    with(bytes, encoding, Some(encoding.name()))
}

fn with<'a>(bytes: &'a [u8], encoding: &'static Encoding, guessed: Option<&'static str>) -> Decoded<'a> {
    let (text, replaced) = encoding.decode_without_bom_handling(bytes);
    Decoded { text, replaced, guessed }
}

fn is_utf16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// Text of a Western script in UTF-16 has a zero in every other byte.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4_096) & !1];
    if sample.len() < 4 {
        return None;
    }
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), sample.len() / 2);
    match (even * 10 > pairs * 7, odd * 10 > pairs * 7) {
        (false, true) if even * 20 < pairs => Some(UTF_16LE),
        (true, false) if odd * 20 < pairs => Some(UTF_16BE),
        _ => None,
    }
}

/// Sequences of several bytes that are right by chance are rare, so a text with more right ones than wrong bytes is
/// UTF-8 with a few faults.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut right, mut wrong) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        right += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        wrong += chunk.invalid().len();
    }
    right > wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let pair = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(pair).collect()
    }

    #[test]
    fn every_usual_encoding_is_told_apart() {
        let text = "Größe über Maß: 5 € je Stück, schön übersichtlich für die Küche.";
        let latin = encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
        let marked = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
        for (name, bytes) in [
            ("UTF-8", text.as_bytes().to_vec()),
            ("UTF-8 with a mark", marked(b"\xef\xbb\xbf", text.as_bytes().to_vec())),
            ("UTF-16 LE with a mark", marked(b"\xff\xfe", utf16(text, true))),
            ("UTF-16 BE with a mark", marked(b"\xfe\xff", utf16(text, false))),
            ("UTF-16 LE", utf16(text, true)),
            ("UTF-16 BE", utf16(text, false)),
            ("Windows-1252", latin),
        ] {
            let decoded = decode(&bytes, None);
            assert_eq!((&*decoded.text, decoded.replaced), (text, false), "{name}");
        }
    }

    #[test]
    fn faulty_utf8_is_repaired_and_reported() {
        let decoded = decode(b"gr\xc3\xbcn und gelb \xc3\xbc \xff rot", None);
        assert_eq!(decoded.text, "grün und gelb ü \u{fffd} rot");
        assert!(decoded.warning().is_some_and(|warning| warning.contains("UTF-8")));
    }

    #[test]
    fn what_the_page_says_counts_only_where_the_bytes_do_not_speak() {
        let cyrillic = encoding_rs::KOI8_R.encode("Привет").0.into_owned();
        assert_eq!(decode(&cyrillic, Some(encoding_rs::KOI8_R)).text, "Привет");
        assert_eq!(decode("Привет".as_bytes(), Some(encoding_rs::KOI8_R)).text, "Привет");
    }
}

//! Bytes of a page to text.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// How far into a page its own declaration is looked for. The HTML Standard says 1,024; real pages put it later.
const DECLARED_WITHIN: usize = 4_096;

/// Text and whether bytes had to be replaced because they are not valid in the encoding.
pub(crate) struct Decoded {
    pub text: String,
    pub replaced: bool,
}

impl Decoded {
    pub(crate) fn warning(&self) -> Option<String> {
        self.replaced.then(|| "some characters could not be read and stand as \u{fffd}".to_owned())
    }
}

/// Decodes a page. A byte order mark decides before all else (HTML Standard, 13.2.3.2), then the charset of the
/// `Content-Type` header, then what the page declares itself (if it is markup), then a guess from the bytes.
pub(crate) fn decode(bytes: &[u8], header: Option<&str>, markup: bool) -> Decoded {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return decode_as(&bytes[mark..], encoding);
    }
    let declared = header.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    let declared = declared.or_else(|| if markup { declared_in(bytes) } else { None });
    decode_as(bytes, declared.unwrap_or_else(|| guess(bytes)))
}

fn decode_as(bytes: &[u8], encoding: &'static Encoding) -> Decoded {
    let (text, replaced) = encoding.decode_without_bom_handling(bytes);
    Decoded { text: Cow::into_owned(text), replaced }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
}

/// `<meta charset=…>`, `<meta http-equiv … content="…; charset=…">` or `<?xml … encoding="…"?>`.
fn declared_in(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(DECLARED_WITHIN)];
    let head: String = head.iter().map(|&b| char::from(b.to_ascii_lowercase())).collect();
    let xml = head.trim_start().strip_prefix("<?xml").and_then(|rest| value_after(until_close(rest), "encoding"));
    let found =
        xml.or_else(|| head.split("<meta").skip(1).find_map(|rest| value_after(until_close(rest), "charset")))?;
    match Encoding::for_label(found.as_bytes())? {
        // The declaration could be read as ASCII, so it cannot be true.
        wide if wide == UTF_16LE || wide == UTF_16BE => Some(UTF_8),
        encoding => Some(encoding),
    }
}

fn until_close(text: &str) -> &str {
    &text[..text.find('>').unwrap_or(text.len())]
}

/// The value in `name=value`, `name = "value"` or `name='value'`.
fn value_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.match_indices(name).find_map(|(at, _)| {
        let value = text[at + name.len()..].trim_start().strip_prefix('=')?;
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let end = value.find(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | ';' | '/' | '?'));
        let value = &value[..end.unwrap_or(value.len())];
        (!value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], header: Option<&str>) -> String {
        decode(bytes, header, true).text
    }

    #[test]
    fn the_header_decides_over_the_page() {
        assert_eq!(text(b"<meta charset=utf-8>Gr\xfc\xdfe", Some("ISO-8859-1")), "<meta charset=utf-8>Grüße");
        assert_eq!(text("Grüße".as_bytes(), Some(" utf-8 ")), "Grüße");
        assert_eq!(text(b"<meta charset=latin1>\xe9", Some("no-such-charset")), "<meta charset=latin1>é");
    }

    #[test]
    fn a_byte_order_mark_decides_over_all() {
        assert_eq!(text("\u{feff}Grüße".as_bytes(), Some("iso-8859-1")), "Grüße");
        assert_eq!(text(b"\xff\xfeG\0r\0\xfc\0", None), "Grü");
        assert_eq!(text(b"\xfe\xff\0G\0r\0\xfc", Some("utf-8")), "Grü");
    }

    #[test]
    fn the_page_declares_itself() {
        for head in [
            "<html><META Charset='windows-1252'>",
            "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=iso-8859-1\">",
            "<meta name=a content=b><meta charset = \"latin1\" />",
            "<meta charset=latin1/>",
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><html>",
        ] {
            let mut page = head.as_bytes().to_vec();
            page.extend(b"caf\xe9 \x80");
            assert!(text(&page, None).ends_with("café €"), "{head}");
        }
        let page = "<meta charset=utf-16le>Grüße".as_bytes();
        assert!(text(page, None).ends_with("Grüße"), "a declaration that cannot be true");
    }

    #[test]
    fn undeclared_pages_are_guessed() {
        assert_eq!(text("Grüße aus Köln, 東京".as_bytes(), None), "Grüße aus Köln, 東京");
        let (koi8, ..) = encoding_rs::KOI8_R.encode("Съешь же ещё этих мягких французских булок, да выпей чаю");
        assert!(text(&koi8, None).starts_with("Съешь же"));
        let (sjis, ..) = encoding_rs::SHIFT_JIS.encode("これは日本語の文章です。文字コードを判定します。");
        assert!(text(&sjis, None).starts_with("これは"));
        assert!(!decode("<meta charset=latin1>é".as_bytes(), None, false).text.contains('Ã'), "plain text has no meta");
    }

    #[test]
    fn invalid_bytes_are_replaced_and_told() {
        let decoded = decode(b"a\xffb", Some("utf-8"), true);
        assert!(decoded.replaced && decoded.text == "a\u{fffd}b");
        assert!(!decode(b"", None, true).replaced);
    }
}

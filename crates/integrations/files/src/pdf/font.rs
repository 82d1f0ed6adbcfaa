//! Fonts of pages: what their codes mean.

use hayro_font::{Font, FontGlyph, GlyphId, hayro_cmap::BfString};
use hayro_syntax::object::{Array, Dict, Stream, dict::keys};

use crate::symbols::{SymbolFont, Symbols, UNKNOWN, is_private};

/// Bytes that one code may mean; the longest ligatures of Arabic have 33.
const MAX_MEANING: usize = 48;

#[derive(Clone)]
pub(super) struct Loaded<'a> {
    pub(super) id: usize,
    pub(super) font: Font<'a>,
    pub(super) bold: bool,
    /// Codes are character codes of some usual encoding where nothing else says what they mean.
    pub(super) simple: bool,
    /// A font of symbols, whose codes are no letters.
    pub(super) symbols: Option<SymbolFont>,
    /// The file says what codes mean, or which glyphs they are.
    pub(super) explained: bool,
}

/// What a code means, with ligatures in single letters; [`UNKNOWN`] where the file does not tell.
pub(super) fn meaning(loaded: &Loaded<'_>, code: u32) -> String {
    if let Some(font) = loaded.symbols.filter(|_| loaded.simple && !loaded.explained) {
        return String::from(font.character(code).unwrap_or(UNKNOWN));
    }
    let glyph = loaded.font.map_code(code);
    let told = match loaded.font.glyph(glyph, code) {
        FontGlyph::Outline(glyph) => glyph.as_unicode(),
        FontGlyph::Type3(glyph) => glyph.as_unicode(),
    };
    let text = match told {
        Some(BfString::Char(c)) => String::from(c),
        Some(BfString::String(text)) if text.len() <= MAX_MEANING => text,
        Some(BfString::String(_)) => String::from(UNKNOWN),
        None => String::from(untold(loaded, code)),
    };
    if loaded.symbols.is_some() || text.contains(is_private) {
        return text.chars().map(|c| shown(c, loaded.symbols)).collect();
    }
    match text.as_str() {
        "\u{a0}" | "\t" | "\r" | "\n" => " ".to_owned(),
        "\0" => String::from(UNKNOWN),
        _ => text,
    }
}

/// A code that nothing in the file explains.
fn untold(loaded: &Loaded<'_>, code: u32) -> char {
    match (loaded.symbols, char::from_u32(code)) {
        (Some(font), _) => font.character(code).unwrap_or(UNKNOWN),
        (None, Some(c)) if loaded.simple && (' '..='~').contains(&c) => c,
        // Line ends and tabs that a program left in its strings.
        (None, Some('\t' | '\n' | '\r')) if loaded.font.map_code(code) == GlyphId::NOTDEF => ' ',
        _ => UNKNOWN,
    }
}

/// A character as its font shows it. Fonts of symbols have no Latin letters, whatever the file calls their codes.
fn shown(c: char, font: Option<SymbolFont>) -> char {
    match font {
        Some(font) if is_private(c) || c.is_ascii_alphabetic() => font.character(c.into()).unwrap_or(UNKNOWN),
        None if is_private(c) => Symbols::default().of_code(c.into(), None),
        _ => c,
    }
}

/// All streams that loading a font unpacks.
pub(super) fn streams<'a>(dict: &Dict<'a>) -> Vec<Stream<'a>> {
    let mut dicts = vec![dict.clone()];
    if let Some(descendants) = dict.get::<Array<'a>>(keys::DESCENDANT_FONTS) {
        dicts.extend(descendants.iter::<Dict<'a>>().take(1));
    }
    let descriptors: Vec<Dict<'a>> = dicts.iter().filter_map(|dict| dict.get::<Dict<'a>>(keys::FONT_DESC)).collect();
    dicts.extend(descriptors);
    let names: [&[u8]; 6] =
        [keys::FONT_FILE, keys::FONT_FILE2, keys::FONT_FILE3, keys::TO_UNICODE, keys::ENCODING, keys::CID_TO_GID_MAP];
    let mut streams: Vec<Stream<'a>> = Vec::new();
    for dict in &dicts {
        streams.extend(names.iter().filter_map(|name| dict.get::<Stream<'a>>(name)));
    }
    // A character map can build on another one.
    for at in 0..4 {
        let Some(base) = streams.get(streams.len().wrapping_sub(1 + at)) else { break };
        let next = base.dict().get::<Stream<'a>>(b"UseCMap".as_slice());
        streams.extend(next);
    }
    streams
}

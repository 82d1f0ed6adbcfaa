//! Characters of symbol fonts as the ones that they show. A symbol font draws `µ` where the text has `m`, or a code of
//! the private use area: whoever reads such text without its font reads another one.

use std::borrow::Cow;

/// Stands where a character cannot be told.
pub(crate) const UNKNOWN: char = char::REPLACEMENT_CHARACTER;

/// The fonts whose characters are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SymbolFont {
    Symbol,
    Wingdings,
    Wingdings2,
    Wingdings3,
    Webdings,
}

impl SymbolFont {
    /// By its name, also as PDF files write it (`ABCDEF+SymbolMT,Bold`).
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.split_once('+').map_or(name, |(_, name)| name);
        let name = name.split([',', '-']).next()?.to_ascii_lowercase().replace(' ', "");
        Some(match name.as_str() {
            "symbol" | "symbolmt" | "standardsymbolsps" | "standardsymbolsl" => Self::Symbol,
            "wingdings" => Self::Wingdings,
            "wingdings2" => Self::Wingdings2,
            "wingdings3" => Self::Wingdings3,
            "webdings" => Self::Webdings,
            _ => return None,
        })
    }

    /// What the font shows for a code from 0x20 to 0xff, or for the same code in the private use area (0xf000 higher).
    pub(crate) fn character(self, code: u32) -> Option<char> {
        let code = u8::try_from(if (0xf000..=0xf0ff).contains(&code) { code - 0xf000 } else { code }).ok()?;
        if code == b' ' || code == 0xa0 {
            return Some(' ');
        }
        match self {
            Self::Symbol => in_rows(code, SYMBOL_LOW, SYMBOL_HIGH),
            Self::Wingdings => in_rows(code, WINGDINGS_LOW, WINGDINGS_HIGH),
            Self::Wingdings2 => in_pairs(code, &WINGDINGS2),
            Self::Wingdings3 => in_pairs(code, &WINGDINGS3),
            Self::Webdings => in_pairs(code, &WEBDINGS),
        }
    }
}

/// Codes 0x21 to 0x7e and 0xa1 to 0xfe; a space where there is none.
const SYMBOL_LOW: &str =
    "!∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλµνοπθρστυϖωξψζ{|}∼";
const SYMBOL_HIGH: &str =
    "ϒ′≤/∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…|—↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ 〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭";
const WINGDINGS_LOW: &str =
    "✏✂✁    ☎✆✉           ⌛⌨      ✇✍✍✌   ☜☞☝☟ ☺ ☹ ☠  ✈☼ ❄ ✞ ✠✡☪☯ ☸♈♉♊♋♌♍♎♏♐♑♒♓  ●❍■□◻❑❒⬧⧫◆❖⬥⌧ ⌘  ❝❞";
const WINGDINGS_HIGH: &str =
    "○   ◎ ▪◻ ✦★✶✴✹✵ ⌖⟡⌑ ✪✰                              ⌫⌦ ➢   ➲  ←→↑↓↖↗↙↘←➔↑↓↖↗↙↘⇦⇨⇧⇩⇔⇳⬁⬀⬃⬂▭▯✗✓☒☑";
const WINGDINGS2: [(u8, char); 10] = [
    (0x4f, '✗'),
    (0x50, '✓'),
    (0x51, '☒'),
    (0x52, '☑'),
    (0x53, '☒'),
    (0x54, '☒'),
    (0x97, '●'),
    (0x98, '●'),
    (0xa2, '■'),
    (0xa3, '□'),
];
const WINGDINGS3: [(u8, char); 8] =
    [(0x70, '▲'), (0x71, '▼'), (0x74, '◀'), (0x75, '▶'), (0x7d, '▶'), (0x67, '←'), (0x66, '←'), (0x22, '→')];
const WEBDINGS: [(u8, char); 9] = [
    (0x33, '◀'),
    (0x34, '▶'),
    (0x35, '▲'),
    (0x36, '▼'),
    (0x61, '✓'),
    (0x63, '□'),
    (0x67, '■'),
    (0x6e, '●'),
    (0x72, '✗'),
];

fn in_rows(code: u8, low: &str, high: &str) -> Option<char> {
    let found = match code {
        0x21..=0x7e => low.chars().nth(usize::from(code - 0x21)),
        0xa1..=0xfe => high.chars().nth(usize::from(code - 0xa1)),
        _ => None,
    };
    found.filter(|c| *c != ' ')
}

fn in_pairs(code: u8, pairs: &[(u8, char)]) -> Option<char> {
    pairs.iter().find(|(at, _)| *at == code).map(|(_, c)| *c)
}

pub(crate) fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10fffd}')
}

/// A character of the private use area whose font is not known: nearly always one of "Symbol"; of the bullets and
/// ticks, "Wingdings".
fn guessed(c: char) -> Option<char> {
    let code = u32::from(c);
    match code {
        0xf06e | 0xf06f | 0xf071 | 0xf076 | 0xf0a7 | 0xf0a8 | 0xf0d8 | 0xf0e0 | 0xf0fb..=0xf0fe => {
            SymbolFont::Wingdings.character(code)
        }
        0xf020..=0xf0ff => SymbolFont::Symbol.character(code),
        _ => None,
    }
}

/// Writes characters of symbol fonts and counts those that it cannot tell.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    unknown: usize,
}

impl Symbols {
    /// Text as that font shows it. In any other font only characters of the private use area are looked at.
    pub(crate) fn written<'t>(&mut self, text: &'t str, font: Option<SymbolFont>) -> Cow<'t, str> {
        if font.is_none() && !text.contains(is_private) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(text.chars().map(|c| self.shown(c, font)).collect())
    }

    /// The character that the font of that name shows for a code.
    pub(crate) fn of_code(&mut self, code: u32, font: Option<&str>) -> char {
        let known = font.and_then(SymbolFont::named);
        let found = match (known, char::from_u32(code)) {
            (Some(font), _) => font.character(code),
            // A font nobody knows draws its own pictures for these codes.
            (None, Some(c)) if font.is_some() && is_private(c) => None,
            (None, Some(c)) if is_private(c) => guessed(c),
            (None, c) => c,
        };
        found.unwrap_or_else(|| self.mark())
    }

    fn shown(&mut self, c: char, font: Option<SymbolFont>) -> char {
        let found = match font {
            // Text that was typed in a symbol font has letters; other characters came from elsewhere.
            Some(font) if c.is_ascii_graphic() || (0xa1..=0xfe).contains(&u32::from(c)) || is_private(c) => {
                font.character(c.into())
            }
            _ if is_private(c) => guessed(c),
            _ => Some(c),
        };
        found.unwrap_or_else(|| self.mark())
    }

    fn mark(&mut self) -> char {
        self.unknown += 1;
        UNKNOWN
    }

    /// For people; `None` where every character was told.
    pub(crate) fn warning(&self) -> Option<String> {
        (self.unknown > 0)
            .then(|| format!("characters of a symbol font that could not be told stand as {UNKNOWN}: {}", self.unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_as_long_as_their_codes() {
        for (low, high) in [(SYMBOL_LOW, SYMBOL_HIGH), (WINGDINGS_LOW, WINGDINGS_HIGH)] {
            assert_eq!((low.chars().count(), high.chars().count()), (0x7e - 0x20, 0xfe - 0xa0), "{low}");
        }
    }

    #[test]
    fn codes_are_the_characters_that_are_seen() {
        let symbol =
            "mab \u{f06d}\u{f0b0}\u{f0a3}\u{f0b1}\u{f0b4}\u{f0b3}\u{f057}\u{f0b9}\u{f0ae}\u{f044}\u{f0e5}\u{f0fe}";
        let mut symbols = Symbols::default();
        assert_eq!(symbols.written(symbol, SymbolFont::named("ABCDEF+SymbolMT")), "µαβ µ°≤±×≥Ω≠→Δ∑⎭");
        let wingdings = "\u{f0fc}\u{f0fb}\u{f0fe}\u{f0a7}\u{f0e0}\u{f0d8}\u{f06c}\u{f04a}\u{f0f0}";
        assert_eq!(symbols.written(wingdings, SymbolFont::named("Wingdings")), "✓✗☑▪→➢●☺⇨");
        assert_eq!(symbols.written("40 \u{f06d}m \u{f0a3} 12 \u{f0b7} \u{f0a7}", None), "40 µm ≤ 12 • ▪");
        assert_eq!(symbols.written("plain m", SymbolFont::named("Times New Roman")), "plain m");
        assert_eq!(symbols.of_code(0xf0b1, Some("Symbol")), '±');
        assert_eq!(symbols.of_code(0x6d, Some("Symbol")), 'µ');
        assert_eq!(symbols.of_code(0x263a, Some("Segoe UI Symbol")), '☺');
        assert_eq!(symbols.warning(), None);
    }

    #[test]
    fn what_cannot_be_told_is_marked_and_counted() {
        let mut symbols = Symbols::default();
        assert_eq!(symbols.written("at \u{e123} 12", None), "at \u{fffd} 12");
        assert_eq!(symbols.of_code(0xf041, Some("Company Logos")), UNKNOWN);
        assert_eq!(
            symbols.warning().as_deref(),
            Some("characters of a symbol font that could not be told stand as \u{fffd}: 2")
        );
    }
}

//! Text of cells: runs with their own fonts, raised, lowered and struck out.

use std::{borrow::Cow, collections::BTreeSet};

use crate::{
    error::FileError,
    limits::Budget,
    script::{Rise, Runs},
    symbols::{SymbolFont, Symbols},
    xml::{Element, Token, Xml},
};

/// Longer texts in a cell are cut: shared strings can stand in any number of cells.
pub(super) const MAX_CELL_CHARS: usize = 8_000;

/// Reads one `si` or `is` element, token by token.
#[derive(Debug, Default)]
pub(super) struct Rich {
    runs: Runs,
    rise: Rise,
    struck: bool,
    font: Option<SymbolFont>,
    in_text: bool,
    in_properties: bool,
    /// Open elements inside one with the reading of Japanese words.
    in_phonetic: usize,
    /// Runs of struck-out text were left out.
    pub(super) was_struck: bool,
    chars: usize,
}

impl Rich {
    pub(super) fn start(&mut self, element: &Element<'_>) {
        if self.in_phonetic > 0 || element.name() == "rPh" {
            self.in_phonetic += 1;
            return;
        }
        match element.name() {
            "r" => (self.rise, self.struck, self.font) = (Rise::Plain, false, None),
            "rPr" => self.in_properties = true,
            "t" => self.in_text = true,
            "strike" if self.in_properties => self.struck = is_on(element),
            "vertAlign" if self.in_properties => self.rise = rise(element),
            "rFont" if self.in_properties => {
                self.font = element.attribute("val").and_then(|name| SymbolFont::named(&name));
            }
            _ => {}
        }
    }

    pub(super) fn end(&mut self, name: &str) {
        if self.in_phonetic > 0 {
            self.in_phonetic -= 1;
            return;
        }
        match name {
            "rPr" => self.in_properties = false,
            "t" => self.in_text = false,
            _ => {}
        }
    }

    pub(super) fn text(&mut self, text: &str, symbols: &mut Symbols) {
        if !self.in_text || self.in_phonetic > 0 || self.chars > MAX_CELL_CHARS {
            return;
        }
        if self.struck {
            self.was_struck |= !text.trim().is_empty();
            return;
        }
        let text = cut(text);
        self.chars += text.chars().count();
        let text = escapes(text);
        self.runs.push(self.rise, &symbols.written(&text, self.font));
    }

    pub(super) fn take(&mut self) -> String {
        let text = self.runs.take();
        *self = Self::default();
        text
    }
}

pub(super) fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_CELL_CHARS).map_or(text, |(end, _)| &text[..end])
}

/// `_x000D_` is how Excel writes a character that XML cannot hold.
fn escapes(text: &str) -> Cow<'_, str> {
    if !text.contains("_x00") {
        return text.into();
    }
    text.replace("_x000D_", " ").replace("_x000A_", " ").replace("_x0009_", " ").replace("_x005F_", "_").into()
}

pub(super) fn is_on(element: &Element<'_>) -> bool {
    !matches!(element.attribute("val").as_deref(), Some("0" | "false" | "none" | "off"))
}

pub(super) fn rise(element: &Element<'_>) -> Rise {
    match element.attribute("val").as_deref() {
        Some("superscript") => Rise::Raised,
        Some("subscript") => Rise::Lowered,
        _ => Rise::Plain,
    }
}

/// The strings that cells share, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    /// Where each ends. There may be millions.
    ends: Vec<u32>,
    /// Those of which struck-out text was left out.
    struck: BTreeSet<usize>,
}

impl Strings {
    pub(super) fn read(text: &str, symbols: &mut Symbols, budget: &Budget) -> Result<Self, FileError> {
        let mut strings = Self::default();
        let mut rich = Rich::default();
        let mut xml = Xml::new(text, "the list of strings", budget);
        while let Some(token) = xml.next()? {
            match token {
                Token::Start(element) if element.name() == "si" => rich = Rich::default(),
                Token::Start(element) => rich.start(&element),
                Token::End(name) if name == "si" => {
                    if rich.was_struck {
                        strings.struck.insert(strings.ends.len());
                    }
                    strings.text.push_str(&rich.take());
                    strings.ends.push(u32::try_from(strings.text.len()).unwrap_or(u32::MAX));
                }
                Token::End(name) => rich.end(&name),
                Token::Text(text) => rich.text(&text, symbols),
            }
        }
        Ok(strings)
    }

    /// The string, and whether struck-out text of it was left out.
    pub(super) fn get(&self, at: usize) -> Option<(&str, bool)> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((self.text.get(start as usize..end as usize)?, self.struck.contains(&at)))
    }
}

//! How cells are shown: the format of their numbers, and fonts that strike out.

use std::collections::BTreeMap;

use super::{
    format::{Format, built_in},
    text::{is_on, rise},
};
use crate::{
    error::FileError,
    limits::Budget,
    script::Rise,
    symbols::SymbolFont,
    xml::{Element, Token, Xml},
};

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Font {
    pub(super) is_struck: bool,
    pub(super) rise: Rise,
    pub(super) symbols: Option<SymbolFont>,
}

/// By the number that a cell names: its format and its font. Cells share them, so that a long format is kept once.
#[derive(Debug, Default)]
pub(super) struct Styles {
    formats: BTreeMap<u32, Format>,
    fonts: Vec<Font>,
    cells: Vec<(u32, usize)>,
}

impl Styles {
    pub(super) fn read(text: &str, budget: &Budget) -> Result<Self, FileError> {
        let mut styles = Self::default();
        let (mut in_formats, mut in_fonts, mut in_cells) = (false, false, false);
        let mut xml = Xml::new(text, "the list of formats", budget);
        while let Some(token) = xml.next()? {
            match token {
                Token::Start(element) => match element.name() {
                    "numFmts" => in_formats = true,
                    "fonts" => in_fonts = true,
                    "cellXfs" => in_cells = true,
                    "numFmt" if in_formats => styles.format(&element),
                    "font" if in_fonts => styles.fonts.push(Font::default()),
                    "xf" if in_cells => {
                        let number = |name| element.attribute(name).and_then(|value| value.parse().ok()).unwrap_or(0);
                        let format = number("numFmtId");
                        styles.cells.push((format, number("fontId") as usize));
                        if let Some(code) = built_in(format).filter(|_| !styles.formats.contains_key(&format)) {
                            styles.formats.insert(format, Format::parse(code));
                        }
                    }
                    _ if in_fonts => styles.font(&element),
                    _ => {}
                },
                Token::End(name) => match name.as_str() {
                    "numFmts" => in_formats = false,
                    "fonts" => in_fonts = false,
                    "cellXfs" => in_cells = false,
                    _ => {}
                },
                Token::Text(_) => {}
            }
        }
        Ok(styles)
    }

    fn format(&mut self, element: &Element<'_>) {
        let id = element.attribute("numFmtId").and_then(|id| id.parse().ok());
        if let (Some(id), Some(code)) = (id, element.attribute("formatCode")) {
            self.formats.insert(id, Format::parse(&code));
        }
    }

    fn font(&mut self, element: &Element<'_>) {
        let Some(font) = self.fonts.last_mut() else { return };
        match element.name() {
            "strike" => font.is_struck = is_on(element),
            "vertAlign" => font.rise = rise(element),
            "name" => font.symbols = element.attribute("val").and_then(|name| SymbolFont::named(&name)),
            _ => {}
        }
    }

    /// `None` where the cell has the format "General".
    pub(super) fn format_of(&self, cell: usize) -> Option<&Format> {
        self.formats.get(&self.cells.get(cell)?.0)
    }

    pub(super) fn font_of(&self, cell: usize) -> Font {
        self.cells.get(cell).and_then(|(_, font)| self.fonts.get(*font)).copied().unwrap_or_default()
    }
}

//! How a run of text looks, as far as that says what it means.

use crate::{script::Rise, symbols::SymbolFont, xml::Element};

/// Text raised or lowered by less than this many half points is moved for its looks.
const LEAST_RISE: i32 = 4;

/// What is said so far; `None` where nothing was said.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    hidden: Option<bool>,
    struck: Option<bool>,
    struck_twice: Option<bool>,
    rise: Option<Rise>,
    face: Option<Face>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Ordinary,
    Symbols(SymbolFont),
}

impl Look {
    /// Notes what a property of a run (a child of `w:rPr`) says.
    pub(super) fn note(&mut self, element: &Element<'_>) {
        let value = element.attribute("val");
        let is_on = !matches!(value.as_deref(), Some("0" | "false" | "off"));
        match element.name() {
            "vanish" => self.hidden = Some(is_on),
            "strike" => self.struck = Some(is_on),
            "dstrike" => self.struck_twice = Some(is_on),
            "vertAlign" => {
                self.rise = Some(match value.as_deref() {
                    Some("superscript") => Rise::Raised,
                    Some("subscript") => Rise::Lowered,
                    _ => Rise::Plain,
                });
            }
            "position" => {
                let by: i32 = value.and_then(|value| value.parse().ok()).unwrap_or(0);
                if by.abs() >= LEAST_RISE && self.rise.is_none_or(|rise| rise == Rise::Plain) {
                    self.rise = Some(if by > 0 { Rise::Raised } else { Rise::Lowered });
                }
            }
            "rFonts" => {
                let name = element.attribute("ascii").or_else(|| element.attribute("hAnsi"));
                if let Some(name) = name {
                    self.face = Some(SymbolFont::named(&name).map_or(Face::Ordinary, Face::Symbols));
                }
            }
            _ => {}
        }
    }

    /// What `other` says counts more.
    pub(super) fn overlay(&mut self, other: Self) {
        self.hidden = other.hidden.or(self.hidden);
        self.struck = other.struck.or(self.struck);
        self.struck_twice = other.struck_twice.or(self.struck_twice);
        self.rise = other.rise.or(self.rise);
        self.face = other.face.or(self.face);
    }

    pub(super) fn is_hidden(self) -> bool {
        self.hidden == Some(true)
    }

    pub(super) fn is_struck(self) -> bool {
        self.struck == Some(true) || self.struck_twice == Some(true)
    }

    pub(super) fn rise(self) -> Rise {
        self.rise.unwrap_or_default()
    }

    pub(super) fn font(self) -> Option<SymbolFont> {
        match self.face {
            Some(Face::Symbols(font)) => Some(font),
            _ => None,
        }
    }
}

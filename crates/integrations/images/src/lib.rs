//! Pictures ([`Picture`]): from anybody's bytes to upright pixels in several sizes.
//!
//! Rendered title cards ([`render_card`]): the picture that an article gets when nobody supplies one.
//!
//! Shaping is `harfrust` (HarfBuzz in Rust, which also reads the outlines), line breaking `unicode-linebreak` (UAX 14),
//! drawing `tiny-skia`, encoding `png`. `cosmic-text` and `parley` would do the same with font discovery, fallback and
//! bidi on top, none of which two embedded fonts need, at several times the compile time; `resvg` has no line breaking.
//! No font of the system is read, nothing is random: one card gives the same bytes on every run.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there"))]

mod canvas;
mod clean;
mod draw;
mod font;
mod layout;
mod palette;
mod pattern;
mod picture;

use clean::Cleaned;
use palette::Palette;

pub use picture::{
    Encoded, Look, MAX_PICTURE_BYTES, MAX_PIXELS, Picture, PictureError, PictureKind, PictureLimits, Size, Variant,
};

/// Width of a card in pixels: the size that social networks and search engines ask of a preview picture.
pub const WIDTH: u32 = 1200;
/// Height of a card in pixels.
pub const HEIGHT: u32 = 630;
/// Longest title taken, in characters. Of a longer one than [`SHOWN_TITLE`] the card shows the beginning.
pub const MAX_TITLE: usize = 2_000;
/// Longest subtitle taken, in characters; what does not fit on one line is cut with an ellipsis.
pub const MAX_SUBTITLE: usize = 500;
/// As many characters (as a reader counts them) of a title are shown; beyond, an ellipsis stands.
pub const SHOWN_TITLE: usize = 300;

/// What to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// At most [`MAX_TITLE`] characters, not blank. Line breaks count as spaces.
    pub title: String,
    /// The name of the site or a keyword; at most [`MAX_SUBTITLE`] characters, blank counts as none.
    pub subtitle: Option<String>,
    /// ISO 639-1 of the text, e.g. `sr`: picks the letter forms of the language. An unknown one changes nothing.
    pub language: String,
    /// Picks colours and pattern. Cards of one site look alike with one seed; a seed per article tells them apart.
    pub seed: u64,
}

/// A card as drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// A PNG of [`WIDTH`] × [`HEIGHT`], 8-bit RGB.
    pub png: Vec<u8>,
    pub width: u32,
    pub height: u32,
    /// What a screen reader says: the title and the subtitle in full, also where the card shows less; of a card without
    /// words the title.
    pub alt: String,
    /// What the card does not show, and why; empty for nearly every card.
    pub warnings: Vec<CardWarning>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardField {
    Title,
    Subtitle,
}

impl std::fmt::Display for CardField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Title => "title",
            Self::Subtitle => "subtitle",
        })
    }
}

/// The card was drawn, but not with everything it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardWarning {
    /// The embedded font has no glyph for these signs (emoji …); each is named once, in the order of the text.
    #[error("the {field} is shown without {}, which the card's font cannot draw", characters.join(" "))]
    Removed { field: CardField, characters: Vec<String> },
    /// Letters of the field are missing in the font, or nothing readable was left of it, so it is not on the card.
    #[error("the {field} is not on the card: the card's font cannot draw all of its letters")]
    Dropped { field: CardField },
    /// The text is longer than the card can show and ends in an ellipsis.
    #[error("the {field} is longer than the card can show and was shortened")]
    Shortened { field: CardField },
}

/// No card was drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    #[error("the title of the card is blank; give it at least one letter")]
    BlankTitle,
    #[error("the {field} of the card has {chars} characters, at most {max} are allowed; shorten it")]
    TooLong { field: CardField, chars: usize, max: usize },
    /// The fonts are part of the program, so this is a fault of the build and no input can cause it.
    #[error("the card could not be drawn: {0}")]
    Internal(&'static str),
}

/// Draws a card. Takes up to ten milliseconds of one core in a release build; call it off the async threads.
///
/// A title with letters that the font cannot draw gives a card without any words, and [`CardWarning::Dropped`]: what would
/// be left of it says something else. Pictures in a title (emoji) are left out.
pub fn render_card(card: &Card) -> Result<Rendered, CardError> {
    let subtitle = card.subtitle.as_deref().filter(|s| !clean::one_line(s).is_empty());
    check_length(CardField::Title, &card.title, MAX_TITLE)?;
    check_length(CardField::Subtitle, subtitle.unwrap_or_default(), MAX_SUBTITLE)?;
    if clean::one_line(&card.title).is_empty() {
        return Err(CardError::BlankTitle);
    }

    let fonts = font::Fonts::embedded(&card.language)?;
    let mut warnings = Vec::new();
    let title = take(clean::clean(&card.title, &fonts.title, SHOWN_TITLE)?, CardField::Title, &mut warnings);
    let shown_subtitle = match subtitle {
        // Under no title it would look like one.
        Some(_) if title.is_none() => None,
        Some(text) => take(clean::clean(text, &fonts.subtitle, MAX_SUBTITLE)?, CardField::Subtitle, &mut warnings),
        None => None,
    };

    let palette = Palette::pick(card.seed);
    let mut canvas = pattern::background(palette, card.seed).ok_or(CardError::Internal("the canvas has no size"))?;
    let shortened = draw::text(&mut canvas, &fonts, palette, title.as_deref(), shown_subtitle.as_deref())?;
    for field in shortened {
        let warning = CardWarning::Shortened { field };
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    let alt = match subtitle.filter(|_| title.is_some()) {
        Some(subtitle) => format!("{} – {}", clean::plain(&card.title), clean::plain(subtitle)),
        None => clean::plain(&card.title),
    };
    Ok(Rendered { png: draw::encode(&canvas)?, width: WIDTH, height: HEIGHT, alt, warnings })
}

fn check_length(field: CardField, text: &str, max: usize) -> Result<(), CardError> {
    let chars = text.chars().count();
    if chars > max { Err(CardError::TooLong { field, chars, max }) } else { Ok(()) }
}

/// Notes what cleaning did; the text is `None` where nothing readable is left.
fn take(cleaned: Cleaned, field: CardField, warnings: &mut Vec<CardWarning>) -> Option<String> {
    if cleaned.lacks_letters {
        warnings.push(CardWarning::Dropped { field });
        return None;
    }
    if !cleaned.removed.is_empty() {
        warnings.push(CardWarning::Removed { field, characters: cleaned.removed });
    }
    if cleaned.text.is_empty() {
        warnings.push(CardWarning::Dropped { field });
        return None;
    }
    if cleaned.shortened {
        warnings.push(CardWarning::Shortened { field });
    }
    Some(cleaned.text)
}

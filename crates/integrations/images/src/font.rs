//! The embedded fonts and shaping: text to positioned glyphs, in font units.

use std::{collections::BTreeMap, str::FromStr, sync::OnceLock};

use harfrust::{
    Buffer, BufferFlags, Direction, Font, GlyphId, Language, ShapeOptions, ShaperFont,
    font::glyph::outline::{DrawMemory, DrawOptions, PathSink},
    shape,
};
use tiny_skia::{Path, PathBuilder};

use crate::CardError;

static TITLE: &[u8] = include_bytes!("../assets/InterDisplay-Bold.otf");
static SUBTITLE: &[u8] = include_bytes!("../assets/Inter-Medium.otf");

/// A glyph of a shaped text. Lengths are in font units, `start` is the byte of the text that it begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glyph {
    pub id: u32,
    pub start: usize,
    pub advance: i32,
    pub dx: i32,
    pub dy: i32,
}

pub(crate) struct Fonts {
    pub title: Typeface,
    pub subtitle: Typeface,
}

impl Fonts {
    pub fn embedded(language: &str) -> Result<Self, CardError> {
        static FACES: OnceLock<Option<(Font, Font)>> = OnceLock::new();
        let faces = FACES.get_or_init(|| Some((Font::new(TITLE, 0)?, Font::new(SUBTITLE, 0)?)));
        let (title, subtitle) = faces.as_ref().ok_or(CardError::Internal("the embedded font cannot be read"))?;
        // A tag of this length covers language, script and region; anything else is no language tag.
        let language = Some(language.trim()).filter(|l| l.len() <= 16 && l.is_ascii());
        let language = language.and_then(|l| Language::from_str(l).ok());
        Ok(Self {
            title: Typeface { font: title.clone(), language: language.clone() },
            subtitle: Typeface { font: subtitle.clone(), language },
        })
    }
}

/// One font, shaping for one language.
pub(crate) struct Typeface {
    font: Font,
    language: Option<Language>,
}

impl Typeface {
    /// Font units per em; never 0.
    pub fn units_per_em(&self) -> f32 {
        f32::from(self.font.units_per_em().max(1))
    }

    /// Height of a capital in ems.
    pub fn cap_height(&self) -> f32 {
        self.font.metrics().cap_height.map_or(0.72, |h| h.to_f64() as f32 / self.units_per_em())
    }

    /// Lays the text out on one endless line, left to right, with kerning and ligatures.
    pub fn shape(&self, text: &str) -> Result<Vec<Glyph>, CardError> {
        let mut buffer = Buffer::new();
        buffer.push_str(text);
        buffer.set_flags(BufferFlags::BEGINNING_OF_TEXT | BufferFlags::END_OF_TEXT);
        buffer.guess_segment_properties();
        // The right-to-left scripts are not in the font, so what is left of such a text runs left to right.
        buffer.set_direction(Direction::LeftToRight);
        if let Some(language) = &self.language {
            buffer.set_language(Some(language.clone()));
        }
        let font = ShaperFont::new(&self.font);
        shape(&font, &mut buffer, ShapeOptions::new()).map_err(|_| CardError::Internal("the text cannot be shaped"))?;
        let glyphs = buffer.glyph_infos().iter().zip(buffer.glyph_positions());
        Ok(glyphs
            .map(|(info, position)| Glyph {
                id: info.glyph_id,
                start: info.cluster as usize,
                advance: position.x_advance,
                dx: position.x_offset,
                dy: position.y_offset,
            })
            .collect())
    }

    /// Whether the font has a glyph for every character of the text.
    pub fn covers(&self, text: &str) -> Result<bool, CardError> {
        Ok(self.shape(text)?.iter().all(|g| g.id != 0))
    }

    /// The outlines of these glyphs in font units, y up; glyphs without ink (spaces) are left out.
    pub fn outlines(&self, glyphs: impl Iterator<Item = u32>) -> BTreeMap<u32, Path> {
        let collection = self.font.outline_glyphs();
        let mut paths = BTreeMap::new();
        for id in glyphs {
            if paths.contains_key(&id) {
                continue;
            }
            let mut sink = Sink(PathBuilder::new());
            let drawn = collection
                .get(GlyphId::new(id))
                .is_some_and(|glyph| glyph.draw(&DrawOptions::new(), DrawMemory::Scratch, &mut sink).is_ok());
            if let Some(path) = sink.0.finish().filter(|_| drawn) {
                paths.insert(id, path);
            }
        }
        paths
    }
}

struct Sink(PathBuilder);

impl PathSink for Sink {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, cx0: f32, cy0: f32, x: f32, y: f32) {
        self.0.quad_to(cx0, cy0, x, y);
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        self.0.cubic_to(cx0, cy0, cx1, cy1, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title() -> Typeface {
        Fonts::embedded("en").expect("the fonts are embedded").title
    }

    fn width(text: &str) -> i32 {
        title().shape(text).unwrap().iter().map(|g| g.advance).sum()
    }

    #[test]
    fn kerns() {
        assert!(width("AV") < width("A") + width("V"));
    }

    #[test]
    fn covers_the_promised_scripts_and_nothing_else() {
        let fonts = Fonts::embedded("en").unwrap();
        for face in [&fonts.title, &fonts.subtitle] {
            for text in [
                "ÀÉÎÕÜ ßæœø Łódź Žluťoučký kůň Îâșț İğış Þórður Việt Nam Ọ̀ẹ́ q̈",
                "Съешь ещё этих мягких булок Їжак ґанок Ђурђевдан Љубав қазақ ңғүұө",
                "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία ΐΰ Ἀθῆναι",
                "“„‘’«»‹›–—…•·€£¥№§©®™°½×÷−≈≤≥→%‰@#&*/\\|~^`",
            ] {
                for word in text.split(' ') {
                    assert!(face.covers(word).unwrap(), "{word}");
                }
            }
            for text in ["日", "☕", "👩‍💻", "ع", "ש", "ก"] {
                assert!(!face.covers(text).unwrap(), "{text}");
            }
        }
    }

    #[test]
    fn an_odd_language_changes_nothing() {
        let plain = title().shape("Straße").unwrap();
        for language in ["", "xx", "not a language at all, far too long", "é", "\0", "-", "en-"] {
            assert_eq!(Fonts::embedded(language).unwrap().title.shape("Straße").unwrap(), plain, "{language:?}");
        }
    }

    #[test]
    fn a_space_has_no_outline_and_a_letter_has_one() {
        let face = title();
        let ids: Vec<u32> = face.shape("A ").unwrap().iter().map(|g| g.id).collect();
        let paths = face.outlines(ids.iter().copied());
        assert!(paths.contains_key(&ids[0]) && !paths.contains_key(&ids[1]));
    }
}

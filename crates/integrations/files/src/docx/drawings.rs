//! The pictures of a document: what it says about each, where they stand, and their bytes.

use crate::{
    archive::Archive,
    error::FileError,
    limits::Limits,
    pictures::{Gallery, Pictures, Shown, words},
    relations::Parts,
    xml::Element,
};

/// Pictures that are looked at.
const MAX_DRAWINGS: usize = 2_000;
/// Units of a drawing's size in one pixel.
const EMU: u64 = 9_525;

/// One picture; `part` is the id of the part with its bytes.
#[derive(Debug)]
struct Drawing {
    part: String,
    shown: Shown,
}

#[derive(Debug, Default)]
pub(super) struct Drawings {
    found: Vec<Drawing>,
    /// How many of the last stand in the paragraph or the table that is being read.
    open: usize,
    /// What is known of the drawing that is open.
    current: Shown,
}

impl Drawings {
    /// Elements of a drawing in their order: its frame, its size, what it is called, the picture in it.
    pub(super) fn note(&mut self, element: &Element<'_>) {
        match element.name() {
            "extent" => {
                let side = |name: &str| Some(element.attribute(name)?.parse::<u64>().ok()? / EMU);
                let pixels = side("cx").zip(side("cy"));
                let number = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
                self.current.size = pixels.map(|(width, height)| (number(width), number(height)));
            }
            "docPr" => {
                let described = [element.attribute("descr"), element.attribute("title")];
                let described = described.into_iter().flatten().find(|text| !text.trim().is_empty());
                self.current.alt = words(&described.unwrap_or_default());
            }
            "blip" => self.picture(element.attribute("embed")),
            "imagedata" => {
                self.current.alt = words(&element.attribute("title").unwrap_or_default());
                self.picture(element.attribute("id"));
            }
            _ => self.current = Shown::default(),
        }
    }

    fn picture(&mut self, part: Option<String>) {
        if let Some(part) = part.filter(|_| self.found.len() < MAX_DRAWINGS) {
            self.found.push(Drawing { part, shown: self.current.clone() });
            self.open += 1;
        }
    }

    /// The paragraph or table with the newest pictures was written; the text ends at `at`.
    pub(super) fn settle(&mut self, at: usize) {
        let open = std::mem::take(&mut self.open);
        self.found.iter_mut().rev().take(open).for_each(|drawing| drawing.shown.at = at);
    }

    /// A caption that is about to be written at `at`: of the pictures that stand right before it, or in it.
    pub(super) fn caption(&mut self, at: usize, text: &str) {
        let (open, count, text) = (self.open, self.found.len(), words(text));
        for (index, drawing) in self.found.iter_mut().enumerate() {
            if index + open >= count || drawing.shown.at == at {
                text.clone_into(&mut drawing.shown.caption);
            }
        }
    }

    /// With their bytes, of which `parts` says where they are.
    pub(super) fn pictures(
        self,
        archive: &mut Archive<'_>,
        parts: &Parts,
        limits: &Limits,
    ) -> Result<Pictures, FileError> {
        let mut gallery = Gallery::new(limits);
        if limits.pictures == 0 {
            return Ok(gallery.into_pictures());
        }
        for Drawing { part, shown } in self.found {
            if gallery.wants(&shown) {
                let name = parts.get(&part).map_or("", |(_, name)| name);
                let bytes = archive.picture(name, gallery.room())?;
                gallery.add_packed(shown, bytes);
            }
        }
        Ok(gallery.into_pictures())
    }
}

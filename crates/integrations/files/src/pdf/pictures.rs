//! The pictures that pages show. One that is a JPEG as it stands in the file is handed out; others would have to be decoded
//! and encoded here, so they are counted.

use std::collections::BTreeMap;

use hayro_syntax::{
    object::{ObjectIdentifier, Stream, dict::keys},
    page::Page,
};

use crate::{
    limits::Limits,
    pictures::{Gallery, Pictures, Shown},
};

/// Pictures that are looked at.
const MAX_PICTURES: usize = 2_000;
/// Of the area of a page: what covers more is the page itself, as it was scanned, or its background.
const WHOLE_PAGE: f64 = 0.7;

struct Seen<'a> {
    /// Counts from 0.
    page: usize,
    /// What shows on several pages is no figure of the text.
    is_repeated: bool,
    covers_page: bool,
    stream: Stream<'a>,
}

/// What was seen so far, page after page.
#[derive(Default)]
pub(super) struct Seeing<'a> {
    seen: Vec<Seen<'a>>,
    known: BTreeMap<ObjectIdentifier, usize>,
    /// The number of the next page, and the area of this one.
    next: usize,
    area: f64,
}

impl<'a> Seeing<'a> {
    pub(super) fn begin(&mut self, page: &Page<'a>) {
        let (width, height) = page.render_dimensions();
        self.area = f64::from(width) * f64::from(height);
        self.next += 1;
    }

    /// `determinant` is that of what brings the unit square to where the picture is drawn.
    pub(super) fn note(&mut self, picture: &Stream<'a>, determinant: f64) {
        let page = self.next.saturating_sub(1);
        if let Some(seen) = self.known.get(&picture.obj_id()).and_then(|at| self.seen.get_mut(*at)) {
            seen.is_repeated |= seen.page != page;
        } else if self.seen.len() < MAX_PICTURES {
            self.known.insert(picture.obj_id(), self.seen.len());
            let covers_page = determinant.abs() > WHOLE_PAGE * self.area;
            self.seen.push(Seen { page, is_repeated: false, covers_page, stream: picture.clone() });
        }
    }

    /// `ends` says for each page where its text ends.
    pub(super) fn pictures(self, ends: &[usize], limits: &Limits) -> Pictures {
        let mut gallery = Gallery::new(limits);
        if limits.pictures == 0 {
            return gallery.into_pictures();
        }
        for Seen { page, is_repeated, covers_page, stream } in self.seen {
            let number = |key| stream.dict().get::<i32>(key).and_then(|pixels| u32::try_from(pixels).ok());
            // A page has no words for them that could be told from its text.
            let alt = if is_repeated || covers_page { String::new() } else { format!("Picture on page {}", page + 1) };
            let at = ends.get(page).or(ends.last()).copied().unwrap_or(0);
            let size = number(keys::WIDTH).zip(number(keys::HEIGHT));
            let shown = Shown { at, alt, size, ..Shown::default() };
            if gallery.wants(&shown) {
                // Its first bytes say whether it is packed once more.
                let raw = stream.raw_data();
                let first = raw.get(..=gallery.room()).unwrap_or(&raw);
                gallery.add_bytes(shown, first.to_vec());
            }
        }
        gallery.into_pictures()
    }
}

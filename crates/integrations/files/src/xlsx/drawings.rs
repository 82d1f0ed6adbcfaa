//! The pictures on a sheet. They lie over its cells, so their place is behind its tables.

use crate::{
    archive::Archive,
    error::FileError,
    limits::Budget,
    pictures::{Gallery, Shown},
    relations,
    xml::{Token, Xml},
};

/// Units of a picture's size in one pixel.
const EMU: u64 = 9_525;
/// Pictures of one sheet that are looked at.
const MAX_PICTURES: usize = 500;

/// Adds the pictures of the sheet in `part`; the text ends at `at`.
pub(super) fn add(
    archive: &mut Archive<'_>,
    part: &str,
    at: usize,
    gallery: &mut Gallery<'_>,
    budget: &Budget,
) -> Result<(), FileError> {
    let drawings = relations::of_part(archive, part, budget)?.into_values();
    for (_, drawing) in drawings.filter(|(kind, _)| kind.ends_with("/drawing")) {
        let parts = relations::of_part(archive, &drawing, budget)?;
        let Some(text) = archive.text(&drawing)? else { continue };
        for (shown, id) in pictures(&text, at, budget)? {
            if gallery.wants(&shown) {
                let name = parts.get(&id).map_or("", |(_, name)| name);
                let bytes = archive.picture(name, gallery.room())?;
                gallery.add_packed(shown, bytes);
            }
        }
    }
    Ok(())
}

/// What a drawing says about its pictures, with the ids of the parts that have their bytes.
fn pictures(text: &str, at: usize, budget: &Budget) -> Result<Vec<(Shown, String)>, FileError> {
    let mut found = Vec::new();
    let mut current: Option<(Shown, String)> = None;
    let mut xml = Xml::new(text, "a drawing", budget);
    while let Some(token) = xml.next()? {
        let element = match token {
            Token::Start(element) => element,
            Token::End(name) if name == "pic" => {
                found.extend(current.take().filter(|_| found.len() < MAX_PICTURES));
                continue;
            }
            _ => continue,
        };
        if element.name() == "pic" {
            current = Some((Shown { at, ..Shown::default() }, String::new()));
        }
        let Some((shown, id)) = &mut current else { continue };
        match element.name() {
            "cNvPr" => {
                let described = [element.attribute("descr"), element.attribute("title")];
                let described = described.into_iter().flatten().find(|text| !text.trim().is_empty());
                shown.alt = described.unwrap_or_default();
            }
            "blip" => *id = element.attribute("embed").unwrap_or_default(),
            "ext" => {
                let side = |name: &str| Some(element.attribute(name)?.parse::<u64>().ok()? / EMU);
                let number = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
                let pixels = side("cx").zip(side("cy")).map(|(width, height)| (number(width), number(height)));
                // Other extensions have the same name and no size.
                shown.size = pixels.or(shown.size);
            }
            _ => {}
        }
    }
    Ok(found)
}

//! Word documents.

mod body;
mod drawings;
mod look;
mod math;
mod numbering;
mod styles;
mod table;

use crate::{
    archive::Archive,
    error::FileError,
    extract::Read,
    limits::{Budget, Limits},
    relations,
    xml::{Token, Xml, core_title},
};
use body::Body;
use numbering::Numbering;
use styles::Styles;

pub(crate) fn read(bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<Read, FileError> {
    let mut archive = Archive::open(bytes, limits, budget)?;
    let main = main_part(&mut archive, budget)?;
    let Some(document) = archive.text(&main)? else {
        return Err(FileError::damaged("the part with the text is missing"));
    };
    let folder = main.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let styles = match archive.text(&format!("{folder}styles.xml"))? {
        Some(text) => Styles::parse(&text, budget)?,
        None => Styles::default(),
    };
    let numbering = match archive.text(&format!("{folder}numbering.xml"))? {
        Some(text) => Numbering::parse(&text, budget)?,
        None => Numbering::default(),
    };
    let mut body = Body::new(&styles, numbering, limits);
    // First, so that each is known where its mark stands.
    for name in ["footnotes.xml", "endnotes.xml"] {
        if let Some(notes) = archive.text(&format!("{folder}{name}"))? {
            body.read(&notes, "the notes", budget)?;
        }
    }
    body.read(&document, "the text", budget)?;
    let title = archive.text("docProps/core.xml")?.and_then(|text| core_title(&text, budget));
    let mut warnings = body.counts.warnings();
    warnings.extend(body.symbols.warning());
    if body.cut {
        warnings
            .push(format!("only the first {} rows and {} columns of a table were read", limits.rows, limits.columns));
    }
    // Of a document whose list of parts is damaged the text is still there.
    let parts = relations::of_part(&mut archive, &main, budget).unwrap_or_default();
    let pictures = body.drawings.pictures(&mut archive, &parts, limits)?;
    Ok(Read { title: title.or(body.title), warnings, truncated: body.cut, pictures, ..Read::new(body.out) })
}

/// Word calls it `word/document.xml`; other programs do not have to.
fn main_part(archive: &mut Archive<'_>, budget: &Budget) -> Result<String, FileError> {
    let types = archive.text("[Content_Types].xml")?.unwrap_or_default();
    let mut xml = Xml::new(&types, "the table of contents of the archive", budget);
    while let Some(token) = xml.next()? {
        let Token::Start(element) = token else { continue };
        let kind = element.attribute("ContentType").unwrap_or_default();
        let is_main = kind.contains("wordprocessingml") && kind.ends_with("main+xml");
        let is_macro = kind.starts_with("application/vnd.ms-word.") && kind.ends_with("main+xml");
        if let Some(name) = element.attribute("PartName").filter(|_| is_main || is_macro) {
            return Ok(name.trim_start_matches('/').to_owned());
        }
    }
    Ok("word/document.xml".to_owned())
}

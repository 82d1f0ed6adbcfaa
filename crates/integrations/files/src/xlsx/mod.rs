//! Excel workbooks: each visible sheet a heading and its tables, with values as the sheet shows them.

mod book;
mod date;
mod drawings;
mod format;
mod number;
mod sheet;
mod styles;
mod text;

use crate::{
    archive::Archive,
    blocks::Blocks,
    error::FileError,
    extract::Read,
    limits::{Budget, Limits},
    pictures::Gallery,
    symbols::Symbols,
    xml::core_title,
};
use book::Book;
use sheet::Shared;
use styles::Styles;
use text::Strings;

pub(crate) fn read(bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<Read, FileError> {
    let mut archive = Archive::open(bytes, limits, budget)?;
    let title = archive.text("docProps/core.xml")?.and_then(|text| core_title(&text, budget));
    let book = Book::read(&mut archive, budget)?;
    let mut symbols = Symbols::default();
    let mut part = |name: Option<&String>| name.map_or(Ok(None), |name| archive.text(name));
    let strings = part(book.strings.as_ref())?;
    let strings = strings.map_or(Ok(Strings::default()), |text| Strings::read(&text, &mut symbols, budget))?;
    let styles = part(book.styles.as_ref())?;
    let styles = styles.map_or(Ok(Styles::default()), |text| Styles::read(&text, budget))?;
    let shared = Shared { strings, styles, from_1904: book.from_1904 };

    let mut read = Read { title, ..Read::new(Blocks::new(limits.text_bytes)) };
    let mut unread = Vec::new();
    let mut gallery = Gallery::new(limits);
    for sheet in &book.sheets {
        if read.blocks.is_full() {
            break;
        }
        let Some(name) = &sheet.part else { continue };
        if sheet.is_hidden {
            read.warnings.push(format!("the hidden sheet \"{:.60}\" was left out", sheet.name));
            continue;
        }
        let text = archive.text(name)?;
        let found = text.map(|text| sheet::read(&text, &shared, limits, &mut symbols, budget));
        match found {
            Some(Ok((table, counts))) => {
                read.warnings.extend(table.warnings(limits, &format!("the sheet \"{:.60}\"", sheet.name)));
                read.warnings.extend(counts.warnings(&sheet.name));
                read.truncated |= table.is_cut();
                if table.columns() > 0 {
                    read.blocks.heading(2, &sheet.name);
                    table.write_sheet(&mut read.blocks);
                }
                if limits.pictures > 0 {
                    // A damaged drawing is no reason to refuse the cells.
                    let _ = drawings::add(&mut archive, name, read.blocks.len(), &mut gallery, budget);
                }
            }
            Some(Err(error)) if !matches!(error, FileError::Damaged { .. }) => return Err(error),
            _ => unread.push(sheet.name.as_str()),
        }
    }
    read.pictures = gallery.into_pictures();
    if read.blocks.is_empty() && !unread.is_empty() {
        return Err(FileError::damaged(format!("the sheet \"{:.60}\"", unread[0])));
    }
    read.warnings.extend(unread.iter().map(|name| format!("the sheet \"{name:.60}\" is damaged and was left out")));
    read.warnings.extend(symbols.warning());
    Ok(read)
}

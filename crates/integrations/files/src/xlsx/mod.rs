//! Excel workbooks: each visible sheet a heading and a table, with values as the sheet shows them.

mod format;

use std::io::{Cursor, Write};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx};
use quick_xml::{Reader, events::Event};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    archive::Archive,
    blocks::Blocks,
    error::FileError,
    extract::Read,
    limits::{Budget, Limits},
    table::Table,
    xml::core_title,
};

/// Longer texts in a cell are cut: shared strings can stand in any number of cells.
const MAX_CELL_CHARS: usize = 8_000;
/// The attribute by which `calamine` reserves memory before a single string is read.
const COUNT: &str = "uniqueCount";
/// Folders with parts that hold no cell values.
const LEFT_OUT: [&str; 9] = [
    "/media/",
    "/drawings/",
    "/charts/",
    "/pivot",
    "/externalLinks/",
    "/comments",
    "/printerSettings/",
    "/customXml/",
    "/embeddings/",
];

pub(crate) fn read(bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<Read, FileError> {
    let mut archive = Archive::open(bytes, limits, budget)?;
    let title = archive.text("docProps/core.xml")?.and_then(|text| core_title(&text, budget));
    let clean = rebuilt(&mut archive, limits, budget)?;
    let mut workbook: Xlsx<_> =
        Xlsx::new(Cursor::new(clean)).map_err(|_| FileError::damaged("the workbook's structure"))?;
    budget.check()?;
    let mut read = Read { title, ..Read::new(Blocks::new(limits.text_bytes)) };
    let mut unread = Vec::new();
    for sheet in workbook.sheets_metadata().to_vec() {
        if read.blocks.is_full() {
            break;
        }
        if sheet.typ != SheetType::WorkSheet {
            continue;
        }
        if sheet.visible != SheetVisible::Visible {
            read.warnings.push(format!("the hidden sheet \"{:.60}\" was left out", sheet.name));
            continue;
        }
        match table(&mut workbook, &sheet.name, limits, budget)? {
            Some(table) if table.columns() > 0 => {
                read.warnings.extend(table.warnings(limits, &format!("the sheet \"{:.60}\"", sheet.name)));
                read.truncated |= table.is_cut();
                read.blocks.heading(2, &sheet.name);
                table.write(&mut read.blocks);
            }
            Some(_) => {}
            None => unread.push(sheet.name),
        }
    }
    if read.blocks.is_empty() && !unread.is_empty() {
        return Err(FileError::damaged(format!("the sheet \"{:.60}\"", unread[0])));
    }
    read.warnings.extend(unread.iter().map(|name| format!("the sheet \"{name:.60}\" is damaged and was left out")));
    Ok(read)
}

/// The cells of one sheet, row by row as the file has them: what the sheet declares about its size is not believed.
/// `None` if it cannot be read.
fn table(
    workbook: &mut Xlsx<Cursor<Vec<u8>>>,
    name: &str,
    limits: &Limits,
    budget: &Budget,
) -> Result<Option<Table>, FileError> {
    let Ok(mut cells) = workbook.worksheet_cells_reader(name) else { return Ok(None) };
    let codes: Vec<Option<String>> = cells
        .styles()
        .iter()
        .map(|style| style.number_format.as_ref().map(|format| format.format_code.clone()))
        .collect();
    let mut table = Table::new(limits);
    let mut row: Vec<String> = Vec::new();
    let mut at_row = 0;
    for count in 1_usize.. {
        if count.is_multiple_of(1_024) {
            budget.check()?;
        }
        let (cell, style) = match cells.next_cell_with_style_id() {
            Ok(Some(found)) => found,
            Ok(None) => break,
            Err(_) => return Ok(None),
        };
        let (r, column) = cell.get_position();
        if r != at_row {
            at_row = r;
            if !table.push_plain(std::mem::take(&mut row)) {
                return Ok(Some(table));
            }
        }
        let text = shown(cell.get_value(), codes.get(style).and_then(Option::as_deref));
        // One column too many, so that the table knows that there are more.
        let column = usize::try_from(column).unwrap_or(usize::MAX).min(limits.columns);
        if !text.is_empty() {
            if row.len() <= column {
                row.resize(column + 1, String::new());
            }
            row[column] = text;
        }
    }
    table.push_plain(row);
    Ok(Some(table))
}

fn shown(value: &DataRef<'_>, code: Option<&str>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => format::number(*number, code),
        DataRef::DateTime(time) => format::date(time, code),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => cut(text).to_owned(),
        DataRef::SharedString(text) => cut(text).to_owned(),
        // What a failed formula shows is no content.
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_CELL_CHARS).map_or(text, |(end, _)| &text[..end])
}

/// A copy with only the parts that hold values, each unpacked within the limits, checked, and stored plain. `calamine`
/// reads that instead of the upload: it unpacks without bounds and reserves as much memory as a part says it needs.
fn rebuilt(archive: &mut Archive<'_>, limits: &Limits, budget: &Budget) -> Result<Vec<u8>, FileError> {
    let names: Vec<String> = archive
        .names()
        .filter(|name| name.ends_with(".xml") || name.ends_with(".rels"))
        .filter(|name| !LEFT_OUT.iter().any(|folder| name.contains(folder)))
        .map(str::to_owned)
        .collect();
    let broken = |_| FileError::damaged("the workbook's parts");
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for name in names {
        budget.check()?;
        let Some(text) = archive.text(&name)? else { continue };
        if text.contains("<!DOCTYPE") {
            return Err(FileError::damaged("a part of the workbook declares XML entities"));
        }
        let text = believable(text, limits, budget)?;
        writer.start_file(name.as_str(), options).map_err(broken)?;
        writer.write_all(text.as_bytes()).map_err(|_| FileError::damaged("the workbook's parts"))?;
    }
    Ok(writer.finish().map_err(broken)?.into_inner())
}

/// A part without what `calamine` reserves or copies memory by: the number of strings that a workbook says it has is
/// renamed, and cell styles that each repeat a long format are refused. Read as `calamine` reads it, so that both see
/// the same tags.
fn believable(text: String, limits: &Limits, budget: &Budget) -> Result<String, FileError> {
    if !text.contains(COUNT) && !text.contains("xf") {
        return Ok(text);
    }
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.check_comments = false;
    config.expand_empty_elements = true;
    let mut out = String::new();
    // What was copied up to; where the last tag began; styles; the longest tag that a style may copy from.
    let (mut done, mut from, mut styles, mut longest) = (0, 0, 0_usize, 0_usize);
    for count in 1_usize.. {
        if count.is_multiple_of(1_024) {
            budget.check()?;
        }
        let event = reader.read_event();
        let to = usize::try_from(reader.buffer_position()).unwrap_or(text.len()).clamp(from, text.len());
        match event {
            Ok(Event::Start(tag)) if tag.local_name().as_ref() == "sst" => {
                out += &text[done..from];
                out += &text[from..to].replace(COUNT, "said");
                done = to;
            }
            Ok(Event::Start(tag)) if tag.local_name().as_ref() == "xf" => styles += 1,
            Ok(Event::Start(_)) => longest = longest.max(to - from),
            Ok(Event::Eof) => break,
            // Nobody reads on from here; if somebody did, it would not be by that attribute.
            Err(_) => {
                out += &text[done..from];
                out += &text[from..].replace(COUNT, "said");
                done = text.len();
                break;
            }
            Ok(_) => {}
        }
        from = to;
    }
    if styles.saturating_mul(longest) > limits.expanded_bytes {
        return Err(FileError::damaged("the cell styles of the workbook are longer than any program writes them"));
    }
    out += &text[done..];
    Ok(out)
}

//! The parts of a workbook: where its sheets, strings and formats are.

use crate::{
    archive::Archive,
    error::FileError,
    limits::Budget,
    relations::{self, Parts},
    xml::{Token, Xml},
};

/// One sheet as the workbook lists it.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) is_hidden: bool,
    /// The name of its part; `None` for charts and dialogs.
    pub(super) part: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) sheets: Vec<Sheet>,
    /// Days count from 1904, as they did on the Macintosh.
    pub(super) from_1904: bool,
    pub(super) strings: Option<String>,
    pub(super) styles: Option<String>,
}

impl Book {
    pub(super) fn read(archive: &mut Archive<'_>, budget: &Budget) -> Result<Self, FileError> {
        let main =
            relations::of_part(archive, "", budget)?.into_values().find(|(kind, _)| kind.ends_with("/officeDocument"));
        let main = main.map_or_else(|| "xl/workbook.xml".to_owned(), |(_, part)| part);
        let Some(text) = archive.text(&main)? else {
            return Err(FileError::damaged("the list of sheets is missing"));
        };
        let parts = relations::of_part(archive, &main, budget)?;
        let mut book =
            Self { strings: part_of(&parts, "/sharedStrings"), styles: part_of(&parts, "/styles"), ..Self::default() };
        let mut xml = Xml::new(&text, "the list of sheets", budget);
        while let Some(token) = xml.next()? {
            let Token::Start(element) = token else { continue };
            match element.name() {
                "workbookPr" => {
                    book.from_1904 = matches!(element.attribute("date1904").as_deref(), Some("1" | "true" | "on"));
                }
                "sheet" => {
                    let part = element.attribute("id").and_then(|id| parts.get(&id));
                    book.sheets.push(Sheet {
                        name: element.attribute("name").unwrap_or_default(),
                        is_hidden: element.attribute("state").is_some_and(|state| state != "visible"),
                        part: part.filter(|(kind, _)| kind.ends_with("/worksheet")).map(|(_, part)| part.clone()),
                    });
                }
                _ => {}
            }
        }
        Ok(book)
    }
}

fn part_of(parts: &Parts, kind: &str) -> Option<String> {
    parts.values().find(|(found, _)| found.ends_with(kind)).map(|(_, part)| part.clone())
}

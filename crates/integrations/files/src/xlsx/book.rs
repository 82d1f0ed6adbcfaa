//! The parts of a workbook: where its sheets, strings and formats are.

use std::collections::BTreeMap;

use crate::{
    archive::Archive,
    error::FileError,
    limits::Budget,
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
        let root = archive.text("_rels/.rels")?.unwrap_or_default();
        let main = relations(&root, "", budget)?.into_values().find(|(kind, _)| kind.ends_with("/officeDocument"));
        let main = main.map_or_else(|| "xl/workbook.xml".to_owned(), |(_, part)| part);
        let Some(text) = archive.text(&main)? else {
            return Err(FileError::damaged("the list of sheets is missing"));
        };
        let (folder, file) = main.rsplit_once('/').unwrap_or(("", &main));
        let own = archive.text(&format!("{folder}/_rels/{file}.rels"))?.unwrap_or_default();
        let parts = relations(&own, folder, budget)?;
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

/// By id: the kind of a part and its name.
type Parts = BTreeMap<String, (String, String)>;

fn part_of(parts: &Parts, kind: &str) -> Option<String> {
    parts.values().find(|(found, _)| found.ends_with(kind)).map(|(_, part)| part.clone())
}

/// The relations that a part in `folder` has to others.
fn relations(text: &str, folder: &str, budget: &Budget) -> Result<Parts, FileError> {
    let mut parts = Parts::new();
    let mut xml = Xml::new(text, "the list of parts", budget);
    while let Some(token) = xml.next()? {
        let Token::Start(element) = token else { continue };
        let (Some(id), Some(kind), Some(target)) =
            (element.attribute("Id"), element.attribute("Type"), element.attribute("Target"))
        else {
            continue;
        };
        let target = match target.strip_prefix('/') {
            Some(from_root) => from_root.to_owned(),
            None if folder.is_empty() => target,
            None => format!("{folder}/{}", target.trim_start_matches("./")),
        };
        parts.insert(id, (kind, target));
    }
    Ok(parts)
}

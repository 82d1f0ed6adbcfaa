//! How the parts of an Office file name each other.

use std::collections::BTreeMap;

use crate::{
    archive::Archive,
    error::FileError,
    limits::Budget,
    xml::{Token, Xml},
};

/// By id: the kind of a part and its name.
pub(crate) type Parts = BTreeMap<String, (String, String)>;

/// The relations of the part `name`, such as `word/document.xml`; the root of the archive has an empty name.
pub(crate) fn of_part(archive: &mut Archive<'_>, name: &str, budget: &Budget) -> Result<Parts, FileError> {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let listed = if folder.is_empty() { format!("_rels/{file}.rels") } else { format!("{folder}/_rels/{file}.rels") };
    relations(&archive.text(&listed)?.unwrap_or_default(), folder, budget)
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
        // A part elsewhere is an address, and no part of this file.
        if element.attribute("TargetMode").is_none_or(|mode| mode != "External") {
            parts.insert(id, (kind, part(folder, &target)));
        }
    }
    Ok(parts)
}

/// The name of a part that one in `folder` calls `target`.
fn part(folder: &str, target: &str) -> String {
    let (from, target) = target.strip_prefix('/').map_or((folder, target), |from_root| ("", from_root));
    let mut steps: Vec<&str> = from.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_named_from_the_root_of_the_archive() {
        for (folder, target, name) in [
            ("", "word/document.xml", "word/document.xml"),
            ("word", "media/a.png", "word/media/a.png"),
            ("xl/drawings", "../media/a.png", "xl/media/a.png"),
            ("xl/worksheets", "/xl/drawings/d.xml", "xl/drawings/d.xml"),
            ("xl", "./styles.xml", "xl/styles.xml"),
            ("xl", "../../../etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(part(folder, target), name, "{folder} {target}");
        }
    }
}

//! What the paragraph styles of a document mean.

use std::collections::BTreeMap;

use super::look::Look;
use crate::{
    error::FileError,
    limits::Budget,
    xml::{Token, Xml},
};

/// Styles build on each other; longer chains are errors or attacks.
const MAX_CHAIN: usize = 10;

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    /// 1 to 6 for headings.
    pub(super) heading: Option<u8>,
    pub(super) is_title: bool,
    pub(super) is_item: bool,
    /// Its list and the level there, as styles name them.
    pub(super) list: Option<String>,
    pub(super) list_level: Option<usize>,
    /// What stands below a picture or above a table.
    pub(super) is_caption: bool,
    /// A line of a table of contents.
    pub(super) is_contents: bool,
}

#[derive(Debug, Default)]
struct Style {
    name: String,
    based_on: Option<String>,
    level: Option<u8>,
    numbered: bool,
    list: Option<String>,
    list_level: Option<usize>,
    look: Look,
}

#[derive(Debug, Default)]
pub(super) struct Styles(BTreeMap<String, Style>);

impl Styles {
    pub(super) fn parse(text: &str, budget: &Budget) -> Result<Self, FileError> {
        let mut styles = Self::default();
        let mut open: Option<(String, Style)> = None;
        let mut xml = Xml::new(text, "the list of styles", budget);
        while let Some(token) = xml.next()? {
            let element = match token {
                Token::Start(element) => element,
                Token::End(name) if name == "style" => {
                    styles.0.extend(open.take());
                    continue;
                }
                _ => continue,
            };
            if element.name() == "style" {
                open = element.attribute("styleId").map(|id| (id, Style::default()));
                continue;
            }
            let Some((_, style)) = &mut open else { continue };
            match element.name() {
                "name" => style.name = element.attribute("val").unwrap_or_default().to_lowercase(),
                "basedOn" => style.based_on = element.attribute("val"),
                "outlineLvl" => style.level = outline_level(element.attribute("val").as_deref()),
                "numPr" => style.numbered = true,
                "numId" => style.list = element.attribute("val"),
                "ilvl" => style.list_level = element.attribute("val").and_then(|level| level.parse().ok()),
                _ => style.look.note(&element),
            }
        }
        Ok(styles)
    }

    /// `id` as the paragraph names it.
    pub(super) fn meaning(&self, id: &str) -> Meaning {
        let mut meaning = Meaning::default();
        let mut next = Some(id);
        for _ in 0..MAX_CHAIN {
            let Some(id) = next else { break };
            let style = self.0.get(id);
            // A document without a list of styles still names the built-in ones.
            let name = style.map_or_else(|| id.to_lowercase(), |style| style.name.clone());
            meaning.is_title |= name == "title";
            meaning.is_caption |= name == "caption";
            meaning.is_contents |= name.starts_with("toc ") || name == "table of contents" || name == "toc heading";
            meaning.is_item |= name.starts_with("list bullet") || name.starts_with("list number");
            let level = name.strip_prefix("heading").and_then(|level| level.trim().parse::<u8>().ok());
            meaning.heading =
                meaning.heading.or(level.filter(|level| (1..=9).contains(level)).map(|level| level.min(6)));
            let Some(style) = style else { break };
            meaning.heading = meaning.heading.or(style.level);
            meaning.is_item |= style.numbered;
            meaning.list = meaning.list.or_else(|| style.list.clone());
            meaning.list_level = meaning.list_level.or(style.list_level);
            next = style.based_on.as_deref();
        }
        if meaning.is_title {
            meaning.heading = Some(1);
        }
        meaning
    }

    /// How text in a style looks, and in those that it builds on.
    pub(super) fn look(&self, id: &str) -> Look {
        let mut chain = Vec::new();
        let mut next = Some(id);
        while let Some(style) = next.and_then(|id| self.0.get(id)).filter(|_| chain.len() < MAX_CHAIN) {
            chain.push(style.look);
            next = style.based_on.as_deref();
        }
        let mut look = Look::default();
        chain.into_iter().rev().for_each(|one| look.overlay(one));
        look
    }
}

/// From the file's 0 to 8 to a heading's 1 to 6; 9 is body text.
pub(super) fn outline_level(value: Option<&str>) -> Option<u8> {
    let level: u8 = value?.parse().ok()?;
    (level < 9).then(|| (level + 1).min(6))
}

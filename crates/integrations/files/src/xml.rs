//! XML as Office files use it: no document type, no entities but the five predefined ones, any prefix.

use std::borrow::Cow;

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

use crate::{error::FileError, limits::Budget};

/// Elements in elements; Word writes some dozens.
const MAX_DEPTH: usize = 10_000;

pub(crate) enum Token<'a> {
    Start(Element<'a>),
    /// The local name.
    End(String),
    Text(Cow<'a, str>),
}

pub(crate) struct Element<'a>(BytesStart<'a>);

impl Element<'_> {
    /// Without its prefix.
    pub(crate) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// The value of the attribute with this local name.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes();
        let mut attributes = attributes.with_checks(false).flatten();
        let found = attributes.find(|attribute| attribute.key.local_name().into_inner() == name)?;
        Some(found.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
    }
}

/// Hands out the tokens of one part of an Office file; an empty element is a start and an end.
pub(crate) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    budget: &'a Budget,
    part: &'static str,
    tokens: usize,
    depth: usize,
}

impl<'a> Xml<'a> {
    /// `part` is what messages call it.
    pub(crate) fn new(text: &'a str, part: &'static str, budget: &'a Budget) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, budget, part, tokens: 0, depth: 0 }
    }

    /// The next token, `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'a>>, FileError> {
        loop {
            self.tokens += 1;
            if self.tokens.is_multiple_of(1_024) {
                self.budget.check()?;
            }
            let event =
                self.reader.read_event().map_err(|_| FileError::damaged(format!("{} is no valid XML", self.part)))?;
            return Ok(Some(match event {
                // The reader remembers what is open.
                Event::Start(_) if self.depth >= MAX_DEPTH => {
                    return Err(FileError::damaged(format!("{} is nested too deeply", self.part)));
                }
                Event::Start(start) => {
                    self.depth += 1;
                    Token::Start(Element(start))
                }
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    Token::End(end.local_name().into_inner().to_owned())
                }
                Event::Text(text) => Token::Text(text.into_inner()),
                Event::CData(text) => Token::Text(text.into_inner()),
                Event::GeneralRef(reference) => {
                    let resolved = reference.resolve_char_ref().ok().flatten().map(String::from);
                    let text =
                        resolved.or_else(|| quick_xml::escape::resolve_xml_entity(&reference).map(str::to_owned));
                    match text {
                        Some(text) => Token::Text(Cow::Owned(text)),
                        None => continue,
                    }
                }
                // A document type is only there to declare entities, which no Office program writes.
                Event::DocType(_) => return Err(FileError::damaged(format!("{} declares XML entities", self.part))),
                Event::Eof => return Ok(None),
                _ => continue,
            }));
        }
    }
}

/// The title in the properties of an Office file (`docProps/core.xml`). Properties that cannot be read are no reason to
/// refuse the rest.
pub(crate) fn core_title(text: &str, budget: &Budget) -> Option<String> {
    let mut xml = Xml::new(text, "the properties", budget);
    let mut title = String::new();
    let mut inside = false;
    while let Some(token) = xml.next().ok()? {
        match token {
            Token::Start(element) => inside = element.name() == "title",
            Token::End(_) => inside = false,
            Token::Text(part) if inside => title.push_str(&part),
            Token::Text(_) => {}
        }
    }
    Some(title).filter(|title| !title.trim().is_empty())
}

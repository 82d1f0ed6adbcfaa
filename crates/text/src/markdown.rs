//! Articles in Markdown: their blocks, their plain text, their word count, their HTML.

mod citation;
mod html;
mod links;
mod nesting;
mod of_html;
mod placed;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::word;
use citation::without_marks;

pub use html::to_html;
pub use links::{Image, Links};
pub use of_html::{MAX_HTML_BYTES, of_html};
pub use placed::{Placed, with_images};

/// The heading of level 2 that opens the list of sources; what follows it is no prose.
pub const SOURCES_HEADING: &str = "Sources";

/// A Markdown article as plain text, in order, without citation marks and without the list of sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Article {
    /// The heading of level 1 that the text begins with, if it does. It is not among the blocks.
    pub title: Option<String>,
    pub blocks: Vec<Block>,
    /// Whether a list of sources followed.
    pub has_sources: bool,
}

/// One block. `text` is plain, on one line except in code, trimmed and not empty, save for a heading without words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub kind: BlockKind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// With its level, 1 to 6.
    Heading(u8),
    Paragraph,
    /// An item of a list, without its marker. Nested items are items of their own.
    Item,
    /// A row of a table, its cells joined by ` | `.
    Row,
    Code,
}

impl BlockKind {
    /// Paragraphs and list items: what is written in sentences.
    pub fn is_prose(self) -> bool {
        matches!(self, Self::Paragraph | Self::Item)
    }
}

impl Article {
    /// Reads Markdown (CommonMark with tables, footnotes and task lists). Every text is an article; images and raw HTML tags leave nothing.
    pub fn parse(markdown: &str) -> Self {
        let mut reader = Reader::default();
        for event in Parser::new_ext(markdown, options()) {
            reader.read(event);
        }
        reader.flush(true);
        let mut blocks = reader.blocks;
        let sources = |b: &Block| b.kind == BlockKind::Heading(2) && b.text.eq_ignore_ascii_case(SOURCES_HEADING);
        let listed = blocks.iter().rposition(sources);
        blocks.truncate(listed.unwrap_or(blocks.len()));
        let has_title = blocks.first().is_some_and(|b| b.kind == BlockKind::Heading(1));
        let title = has_title.then(|| blocks.remove(0).text);
        Self { title, blocks, has_sources: listed.is_some() }
    }

    /// The words of headings, paragraphs, items and tables; not those of the title and of code.
    pub fn word_count(&self) -> u32 {
        let counted = self.blocks.iter().filter(|b| b.kind != BlockKind::Code);
        counted.map(|b| word::count(&b.text)).fold(0, u32::saturating_add)
    }

    /// The blocks as plain text, a blank line between them, items of a list on consecutive lines.
    fn plain(&self, keep: impl Fn(BlockKind) -> bool) -> String {
        let mut text = String::new();
        let mut last = None;
        for block in self.blocks.iter().filter(|b| keep(b.kind)) {
            let same_run = last == Some(block.kind) && matches!(block.kind, BlockKind::Item | BlockKind::Row);
            if last.is_some() {
                text.push_str(if same_run { "\n" } else { "\n\n" });
            }
            text.push_str(&block.text);
            last = Some(block.kind);
        }
        text
    }
}

/// The plain text of a Markdown article with title and headings, without citation marks, sources and code.
pub fn strip(markdown: &str) -> String {
    let article = Article::parse(markdown);
    let body = article.plain(|kind| kind != BlockKind::Code);
    match article.title {
        Some(title) if body.is_empty() => title,
        Some(title) => format!("{title}\n\n{body}"),
        None => body,
    }
}

/// [`strip`] without title and headings: paragraphs, list items and tables.
pub fn strip_headings(markdown: &str) -> String {
    Article::parse(markdown).plain(|kind| !matches!(kind, BlockKind::Code | BlockKind::Heading(_)))
}

/// The word count of a Markdown article: prose with headings and tables, without the title line, citation marks, the
/// list of sources and code.
pub fn word_count(markdown: &str) -> u32 {
    Article::parse(markdown).word_count()
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES | Options::ENABLE_TASKLISTS
}

/// Builds blocks from events.
#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    text: String,
    /// Where in `text` inline code stands, which is not searched for citation marks.
    code: Vec<std::ops::Range<usize>>,
    heading: Option<u8>,
    items: usize,
    in_row: bool,
    in_code: bool,
    in_html: bool,
    images: usize,
    /// Set inside a link by reference: where in `text` its label starts.
    reference: Option<usize>,
}

impl Reader {
    fn read(&mut self, event: Event) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.images == 0 && !self.in_html => self.text.push_str(&text),
            Event::Code(code) if self.images == 0 => {
                let start = self.text.len();
                self.text.push_str(&code);
                self.code.push(start..self.text.len());
            }
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            Event::Rule => self.flush(false),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag) {
        match tag {
            Tag::Paragraph => self.flush(false),
            Tag::Heading { level, .. } => {
                self.flush(false);
                self.heading = Some(*level as u8);
            }
            Tag::Item => {
                self.flush(false);
                self.items += 1;
            }
            Tag::BlockQuote(_) | Tag::List(_) | Tag::Table(_) | Tag::FootnoteDefinition(_) => self.flush(false),
            Tag::TableHead | Tag::TableRow => self.in_row = true,
            Tag::CodeBlock(_) => {
                self.flush(false);
                self.in_code = true;
            }
            Tag::HtmlBlock => {
                self.flush(false);
                self.in_html = true;
            }
            Tag::Image { .. } => self.images += 1,
            Tag::Link { link_type: LinkType::Shortcut | LinkType::Collapsed | LinkType::Reference, .. } => {
                self.reference = Some(self.text.len());
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::FootnoteDefinition => {
                self.flush(false)
            }
            TagEnd::Heading(_) => self.flush(true),
            TagEnd::Item => {
                self.flush(false);
                self.items = self.items.saturating_sub(1);
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                self.flush(false);
                self.in_row = false;
            }
            TagEnd::TableCell => {
                self.text = self.marks_removed();
                self.text.push_str(" | ");
                self.code.clear();
            }
            TagEnd::CodeBlock => {
                self.flush(false);
                self.in_code = false;
            }
            TagEnd::HtmlBlock => self.in_html = false,
            TagEnd::Image => self.images = self.images.saturating_sub(1),
            // With `[3]: https://…` in the text `[3]` is a link called `3`; as a mark again it is removed below.
            TagEnd::Link => {
                if let Some(start) = self.reference.take()
                    && self.text[start..].bytes().all(|b| b.is_ascii_digit())
                {
                    self.text.insert(start, '[');
                    self.text.push(']');
                }
            }
            _ => {}
        }
    }

    fn marks_removed(&self) -> String {
        without_marks(&self.text, &self.code)
    }

    fn flush(&mut self, even_empty: bool) {
        let kind = match self.heading.take() {
            Some(level) => BlockKind::Heading(level),
            None if self.in_code => BlockKind::Code,
            None if self.in_row => BlockKind::Row,
            None if self.items > 0 => BlockKind::Item,
            None => BlockKind::Paragraph,
        };
        let text = match kind {
            BlockKind::Code => self.text.trim_matches('\n').to_owned(),
            BlockKind::Row => self.text.trim().trim_end_matches('|').trim_end().to_owned(),
            _ => one_line(&self.marks_removed()),
        };
        if !text.is_empty() || (even_empty && matches!(kind, BlockKind::Heading(_))) {
            self.blocks.push(Block { kind, text });
        }
        self.text.clear();
        self.code.clear();
        self.reference = None;
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;

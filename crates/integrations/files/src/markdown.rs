//! Markdown, brought down to the subset.

use pulldown_cmark::{Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::{
    blocks::Blocks,
    error::FileError,
    extract::Read,
    limits::{Budget, Limits, size},
    table::Table,
};

pub(crate) fn read(text: &str, limits: &Limits, budget: &Budget) -> Result<Read, FileError> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reading = Reading::new(limits);
    let kept = &text[..whole_lines(text, limits.markdown_bytes)];
    for (at, event) in Parser::new_ext(kept, options).enumerate() {
        if at.is_multiple_of(256) {
            budget.check()?;
        }
        if reading.out.is_full() {
            break;
        }
        reading.event(event);
    }
    reading.flush();
    let mut read = Read { title: reading.title, ..Read::new(reading.out) };
    // Where the text that is handed out is full, that is what is told.
    if kept.len() < text.len() && !read.blocks.is_full() {
        read.truncated = true;
        read.warnings.push(format!(
            "only the first {} of {} of the Markdown were read",
            size(kept.len()),
            size(text.len())
        ));
    }
    Ok(read)
}

/// The end of the last line that ends within `most` bytes; of a longer line, the end of a character.
fn whole_lines(text: &str, most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    let most = text.floor_char_boundary(most);
    text[..most].rfind('\n').map_or(most, |at| at + 1)
}

struct Reading<'a> {
    limits: &'a Limits,
    out: Blocks,
    line: String,
    title: Option<String>,
    heading: Option<HeadingLevel>,
    lists: usize,
    /// Inside code, HTML or front matter, which are not prose.
    silent: usize,
    in_metadata: bool,
    table: Option<(Table, Vec<String>)>,
}

impl<'a> Reading<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            out: Blocks::new(limits.text_bytes),
            line: String::new(),
            title: None,
            heading: None,
            lists: 0,
            silent: 0,
            in_metadata: false,
            table: None,
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_metadata => self.note_title(&text),
            Event::Text(text) | Event::Code(text) if self.silent == 0 => self.line.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.line.push(' '),
            // Inline HTML is formatting, except that it may break the line.
            Event::InlineHtml(tag) if tag.starts_with("<br") => self.line.push(' '),
            Event::Rule => self.flush(),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(*level);
            }
            Tag::List(_) => {
                self.flush();
                if self.lists == 0 {
                    self.out.end();
                }
                self.lists += 1;
            }
            Tag::Paragraph | Tag::Item | Tag::BlockQuote(_) | Tag::FootnoteDefinition(_) => self.flush(),
            Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::Image { .. } => self.silent += 1,
            Tag::MetadataBlock(MetadataBlockKind::YamlStyle) => self.in_metadata = true,
            Tag::Table(_) => {
                self.flush();
                self.table = Some((Table::new(self.limits), Vec::new()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.flush();
                self.heading = None;
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists = self.lists.saturating_sub(1);
                if self.lists == 0 {
                    self.out.end();
                }
            }
            TagEnd::Paragraph | TagEnd::Item | TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition => self.flush(),
            TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::Image => self.silent = self.silent.saturating_sub(1),
            TagEnd::MetadataBlock(_) => self.in_metadata = false,
            TagEnd::TableCell => {
                if let Some((_, row)) = &mut self.table {
                    row.push(std::mem::take(&mut self.line));
                }
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                if let Some((table, row)) = &mut self.table {
                    table.push_plain(std::mem::take(row));
                }
            }
            TagEnd::Table => {
                if let Some((table, _)) = self.table.take() {
                    self.out.end();
                    table.write(&mut self.out);
                    self.out.end();
                }
            }
            _ => {}
        }
    }

    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.trim().is_empty() {
            return;
        }
        if let Some(level) = self.heading {
            if level == HeadingLevel::H1 && self.title.is_none() {
                self.title = Some(line.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            self.out.heading(level as u8, &line);
        } else if self.lists > 0 {
            self.out.item(&line);
        } else {
            self.out.paragraph(&line);
        }
    }

    /// `title:` of the front matter.
    fn note_title(&mut self, text: &str) {
        let title = text.lines().find_map(|line| line.strip_prefix("title:"));
        let title = title.map(|title| title.trim().trim_matches(['"', '\'']).to_owned());
        self.title = self.title.take().or_else(|| title.filter(|title| !title.is_empty()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn markdown_comes_down_to_the_subset() {
        let given = "---\ntitle: \"The *guide*\"\ntags: [a]\n---\n\nSetext\n======\n\nSome *emphasis*,\na [link](https://x.example) \
                     and `code`.<br>Next ![alt](i.png)\n\n> quoted\n\n1. one\n   - deeper\n2. two\n\n   more\n\n```rust\nlet x = \
                     1;\n```\n\n<div>raw</div>\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\nFact.[^1]\n\n[^1]: Proof.\n\n- [x] done\n";
        let limits = Limits::default();
        let read = read(given, &limits, &Budget::start(&limits, Arc::default())).expect("read");
        assert_eq!(read.title.as_deref(), Some("The *guide*"));
        assert_eq!(
            read.blocks.into_text(),
            "# Setext\n\nSome emphasis, a link and code. Next\n\nquoted\n\n- one\n- deeper\n- two\n- more\n\n| a | b |\n| 1 | 2 \
             |\n\nFact.\n\nProof.\n\n- done"
        );
    }

    #[test]
    fn of_long_markdown_the_first_whole_lines_are_read_and_it_is_said() {
        let limits = Limits { markdown_bytes: 16, ..Limits::default() };
        let read = |given: &str| read(given, &limits, &Budget::start(&limits, Arc::default())).expect("read");
        let (short, lines, line) =
            (read("# One\n\ntwo three"), read("# One\n\ntwo\n\nthree four"), read(&"ü".repeat(20)));
        assert_eq!((short.warnings.len(), short.truncated), (0, false));
        assert_eq!(lines.warnings, ["only the first 12 bytes of 22 bytes of the Markdown were read"]);
        assert_eq!((lines.blocks.into_text().as_str(), lines.truncated), ("# One\n\ntwo", true));
        assert_eq!(line.blocks.into_text(), "ü".repeat(8));
    }
}

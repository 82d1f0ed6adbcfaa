//! Markdown, brought down to the subset.

use std::{collections::BTreeMap, mem};

use pulldown_cmark::{Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::{
    blocks::Blocks,
    error::FileError,
    extract::Read,
    limits::{Budget, Limits, size},
    notes,
    pictures::{Gallery, Shown},
    script::{Rise, Runs},
    table::Table,
};

/// Images that are looked at.
const MAX_IMAGES: usize = 2_000;
/// Lines of code that are kept of one block.
const CODE_LINES: usize = 60;

const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_DEFINITION_LIST)
    .union(Options::ENABLE_YAML_STYLE_METADATA_BLOCKS);

pub(crate) fn read(text: &str, limits: &Limits, budget: &Budget) -> Result<Read, FileError> {
    let kept = &text[..whole_lines(text, limits.markdown_bytes)];
    let mut reading = Reading::new(limits);
    // Notes stand at the end, their marks before them.
    if kept.contains("[^") {
        let mut notes = Reading::new(limits);
        notes.run(kept, budget)?;
        reading.notes = notes.found_notes;
    }
    reading.run(kept, budget)?;
    reading.flush();
    let warnings = reading.counts.warnings();
    let mut gallery = Gallery::new(limits);
    for (shown, address) in reading.images {
        if address.starts_with("data:") {
            gallery.add_data(shown, &address);
        } else {
            gallery.add_address(shown, address);
        }
    }
    let pictures = gallery.into_pictures();
    let mut read = Read { title: reading.title, warnings, pictures, ..Read::new(reading.out) };
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

/// How much was left out.
#[derive(Default)]
struct Counts {
    struck: usize,
    code_lines: usize,
    html: usize,
    notes: usize,
}

impl Counts {
    /// For people.
    fn warnings(&self) -> Vec<String> {
        let told = [
            (self.struck, "passages of struck-out text that were left out"),
            (self.code_lines, "lines of long code that were left out"),
            (self.html, "blocks of HTML that were left out"),
            (self.notes, "footnotes of a few words that were left out"),
        ];
        told.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what}: {count}")).collect()
    }
}

struct Reading<'a> {
    limits: &'a Limits,
    out: Blocks,
    line: Runs,
    rise: Rise,
    title: Option<String>,
    heading: Option<HeadingLevel>,
    /// Of the lists that are open: the number of the next item, if it has one.
    lists: Vec<Option<u64>>,
    /// The number of the item that begins.
    number: Option<u64>,
    /// Inside HTML, images and text that is struck out.
    silent: usize,
    in_code: bool,
    in_metadata: bool,
    table: Option<(Table, Vec<String>)>,
    /// The term that is being defined.
    term: String,
    in_definition: bool,
    counts: Counts,
    /// The texts of notes by name, and of those that the line has marks of.
    notes: BTreeMap<String, String>,
    line_notes: Vec<String>,
    /// The note that is being read, and those that were.
    note: Option<String>,
    found_notes: BTreeMap<String, String>,
    /// With their addresses. The last ones stand in the line that is being read, and the very last may be open.
    images: Vec<(Shown, String)>,
    images_of_line: usize,
    in_image: usize,
}

impl<'a> Reading<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            out: Blocks::new(limits.text_bytes),
            line: Runs::default(),
            rise: Rise::Plain,
            title: None,
            heading: None,
            lists: Vec::new(),
            number: None,
            silent: 0,
            in_code: false,
            in_metadata: false,
            table: None,
            term: String::new(),
            in_definition: false,
            counts: Counts::default(),
            notes: BTreeMap::new(),
            line_notes: Vec::new(),
            note: None,
            found_notes: BTreeMap::new(),
            images: Vec::new(),
            images_of_line: 0,
            in_image: 0,
        }
    }

    fn run(&mut self, text: &str, budget: &Budget) -> Result<(), FileError> {
        for (at, event) in Parser::new_ext(text, OPTIONS).enumerate() {
            if at.is_multiple_of(256) {
                budget.check()?;
            }
            if self.out.is_full() {
                break;
            }
            self.event(event);
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_metadata => self.note_title(&text),
            Event::Text(text) if self.in_code => self.code(&text),
            Event::Text(text) | Event::Code(text) if self.in_image > 0 => {
                self.images.iter_mut().last().into_iter().for_each(|(shown, _)| shown.alt.push_str(&text));
            }
            Event::Text(text) | Event::Code(text) if self.silent == 0 => self.line.push(self.rise, &text),
            Event::SoftBreak | Event::HardBreak => self.line.push(Rise::Plain, " "),
            Event::InlineHtml(tag) => self.inline(&tag),
            Event::FootnoteReference(name) if self.silent == 0 => self.refer(&name),
            Event::Rule => self.flush(),
            _ => {}
        }
    }

    /// Inline HTML is formatting, of which some says what the text means.
    fn inline(&mut self, tag: &str) {
        let name = tag.trim_start_matches(['<', '/']).split(['>', ' ', '/']).next().unwrap_or_default();
        let closes = tag.starts_with("</");
        match name.to_ascii_lowercase().as_str() {
            "br" => self.line.push(Rise::Plain, " "),
            "sup" => self.rise = if closes { Rise::Plain } else { Rise::Raised },
            "sub" => self.rise = if closes { Rise::Plain } else { Rise::Lowered },
            "del" | "s" | "strike" if closes => self.silent = self.silent.saturating_sub(1),
            "del" | "s" | "strike" => self.strike(),
            _ => {}
        }
    }

    fn strike(&mut self) {
        self.counts.struck += usize::from(self.silent == 0);
        self.silent += 1;
    }

    /// Code is a list of its lines.
    fn code(&mut self, text: &str) {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        for line in lines.iter().take(CODE_LINES) {
            self.out.item(line);
        }
        self.counts.code_lines += lines.len().saturating_sub(CODE_LINES);
    }

    fn refer(&mut self, name: &str) {
        let Some(text) = self.notes.remove(name) else { return };
        if notes::is_sentence(&text) {
            self.line.push(Rise::Plain, notes::MARK.encode_utf8(&mut [0; 4]));
            self.line_notes.push(text);
        } else {
            self.counts.notes += 1;
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(*level);
            }
            Tag::List(first) => {
                self.flush();
                if self.lists.is_empty() {
                    self.out.end();
                }
                self.lists.push(*first);
            }
            Tag::Item => {
                self.flush();
                if let Some(Some(next)) = self.lists.last_mut() {
                    self.number = Some(*next);
                    *next = next.saturating_add(1);
                }
            }
            Tag::Paragraph | Tag::BlockQuote(_) | Tag::DefinitionListTitle => self.flush(),
            Tag::DefinitionListDefinition => {
                self.flush();
                self.in_definition = true;
            }
            Tag::FootnoteDefinition(name) => {
                self.flush();
                self.note = Some(name.to_string());
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.out.end();
                self.in_code = true;
            }
            Tag::HtmlBlock => {
                self.counts.html += 1;
                self.silent += 1;
            }
            Tag::Image { dest_url, title, .. } => self.image(dest_url, title),
            Tag::Strikethrough => self.strike(),
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
                self.lists.pop();
                if self.lists.is_empty() {
                    self.out.end();
                }
            }
            TagEnd::Paragraph | TagEnd::BlockQuote(_) => self.flush(),
            TagEnd::DefinitionListTitle => self.term = self.line.take().replace(notes::MARK, ""),
            TagEnd::DefinitionListDefinition => {
                self.flush();
                self.in_definition = false;
            }
            TagEnd::Item => {
                self.flush();
                self.number = None;
            }
            TagEnd::FootnoteDefinition => {
                self.flush();
                self.note = None;
            }
            TagEnd::CodeBlock => {
                self.in_code = false;
                if self.lists.is_empty() {
                    self.out.end();
                }
            }
            TagEnd::Image => {
                self.in_image = self.in_image.saturating_sub(1);
                self.silent = self.silent.saturating_sub(1);
            }
            TagEnd::HtmlBlock | TagEnd::Strikethrough => self.silent = self.silent.saturating_sub(1),
            TagEnd::MetadataBlock(_) => self.in_metadata = false,
            TagEnd::TableCell => {
                let text = self.line.take().replace(notes::MARK, "");
                if let Some((_, row)) = &mut self.table {
                    row.push(text);
                }
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                if let Some((table, row)) = &mut self.table {
                    table.push_plain(mem::take(row));
                    if tag == TagEnd::TableHead {
                        table.end_head();
                    }
                }
            }
            TagEnd::Table => {
                if let Some((table, _)) = self.table.take() {
                    self.out.end();
                    table.write(&mut self.out);
                    self.out.end();
                }
                notes::write(&mut self.line_notes, &mut self.out);
                self.flush();
            }
            _ => {}
        }
    }

    /// One in the description of another is a part of that description, and one that is struck out is gone.
    fn image(&mut self, address: &str, title: &str) {
        if self.silent == 0 && self.images.len() < MAX_IMAGES {
            let (names, caption) = (address.rsplit('/').next().unwrap_or_default().to_owned(), title.to_owned());
            let names = if address.starts_with("data:") { String::new() } else { names };
            self.images.push((Shown { caption, names, ..Shown::default() }, address.to_owned()));
            self.images_of_line += 1;
            self.in_image = 1;
        } else if self.in_image > 0 {
            self.in_image += 1;
        }
        self.silent += 1;
    }

    fn flush(&mut self) {
        self.write_line();
        let (at, open) = (self.out.len(), mem::take(&mut self.images_of_line));
        self.images.iter_mut().rev().take(open).for_each(|(shown, _)| shown.at = at);
    }

    fn write_line(&mut self) {
        // HTML that strikes out or raises ends with its paragraph, closed or not.
        self.rise = Rise::Plain;
        let line = self.line.take();
        let mut line_notes = mem::take(&mut self.line_notes);
        if line.trim().is_empty() {
            return;
        }
        if let Some(name) = &self.note {
            let note = self.found_notes.entry(name.clone()).or_default();
            note.push(' ');
            note.push_str(&line);
            return;
        }
        if let Some(level) = self.heading {
            let line = line.replace(notes::MARK, "");
            if level == HeadingLevel::H1 && self.title.is_none() {
                self.title = Some(line.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            self.out.heading(level as u8, &line);
            return notes::write(&mut line_notes, &mut self.out);
        }
        let line = notes::placed(&line, &line_notes);
        if self.in_definition {
            let term = mem::take(&mut self.term);
            let term = term.trim().trim_end_matches(':');
            self.out.item(&if term.is_empty() { line } else { format!("{term}: {line}") });
        } else if self.lists.is_empty() {
            self.out.paragraph(&line);
        } else if let Some(number) = self.number.take() {
            self.out.item(&format!("{number}. {line}"));
        } else {
            self.out.item(&line);
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

    fn read_all(given: &str) -> Read {
        let limits = Limits::default();
        read(given, &limits, &Budget::start(&limits, Arc::default())).expect("read")
    }

    #[test]
    fn markdown_comes_down_to_the_subset() {
        let given = "---\ntitle: \"The *guide*\"\ntags: [a]\n---\n\nSetext\n======\n\nSome *emphasis*,\na [link](https://x.example) \
                     and `code`.<br>Next ![alt](i.png)\n\n> quoted\n\n1. one\n   - deeper\n2. two\n\n   more\n\n```rust\nlet x = \
                     1;\n\nx\n```\n\n<div>raw</div>\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\nFact.[^1]\n\n[^1]: Proof.\n\n- [x] done\n";
        let read = read_all(given);
        assert_eq!(read.title.as_deref(), Some("The *guide*"));
        assert_eq!(
            read.blocks.into_text(),
            "# Setext\n\nSome emphasis, a link and code. Next\n\nquoted\n\n- 1. one\n- deeper\n- 2. two\n- more\n\n- let x = 1;\n- \
             x\n\n| a | b |\n| 1 | 2 |\n\nFact.\n\n- done"
        );
        assert_eq!(
            read.warnings,
            ["blocks of HTML that were left out: 1", "footnotes of a few words that were left out: 1"]
        );
    }

    #[test]
    fn struck_out_text_is_left_out_powers_and_notes_stay() {
        let given = "The fee is ~~40 pounds~~ 45 euros, <del>or 50</del> for 10<sup>6</sup> cells of H<sub>2</sub>O[^n] here. \
                     Next.\n\n[^n]: The limits rise by 40 percent.\n\n| a | b |\n|---|---|\n| ~~1~~ | 2 |\n";
        let read = read_all(given);
        assert_eq!(
            read.blocks.into_text(),
            "The fee is 45 euros, for 10⁶ cells of H₂O here. The limits rise by 40 percent. Next.\n\n| a | b |\n| | 2 |"
        );
        assert_eq!(read.warnings, ["passages of struck-out text that were left out: 3"]);
    }

    #[test]
    fn terms_stay_with_their_definitions() {
        let read =
            read_all("Mesh\n: The width of a hole.\n: In micrometres.\n\nSieve:\n\n: A plate with holes.\n\nAfter.");
        assert_eq!(
            read.blocks.into_text(),
            "- Mesh: The width of a hole.\n- In micrometres.\n- Sieve: A plate with holes.\n\nAfter."
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

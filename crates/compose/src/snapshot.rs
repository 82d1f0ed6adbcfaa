//! What a snapshot holds: its blocks, and the sentences in them that may be used.

mod list;

use std::{ops::Range, sync::Arc};

use galley_domain::writing::{Snapshot, Span};
use galley_text::{language, sentence, word};

use crate::{
    lexicon::{self, Language},
    table::{self, Separator},
    transcript::Transcript,
    usable::{self, Standing},
};

/// The kind of block that a sentence stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    Paragraph,
    /// `- …`
    ListItem,
    /// An item of a list that stands in the article as a list, or the sentence that leads to it.
    Listed,
    /// `| … |`; never the header row.
    TableRow,
    /// A table that stands in the article as a table.
    Table,
}

pub(crate) use list::number;

/// A sentence of a snapshot that may be used in an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSentence {
    /// Where it stands; for a table row the whole line.
    pub span: Span,
    /// What to print: the text of the span, or the sentence that was made of a table row.
    pub text: String,
    pub kind: BlockKind,
    /// The headings above it, outermost first.
    pub headings: Arc<[String]>,
    /// The number of its block within the snapshot, counted from 0.
    pub paragraph: usize,
    /// Its place within the block, counted from 0 and including sentences that may not be used: two sentences follow
    /// each other directly exactly when their positions do.
    pub position: usize,
    /// It refers back, so it may stand only directly behind the sentence before it.
    pub hangs: bool,
}

/// A block with the byte ranges of the statements in it: sentences, or table rows.
#[derive(Debug)]
pub(crate) struct Block {
    pub kind: BlockKind,
    pub headings: Arc<[String]>,
    pub parts: Vec<Range<usize>>,
    /// The cells of the header, for tables only.
    pub header: Vec<String>,
    /// Where the header stands.
    pub head: usize,
    pub separator: Separator,
}

impl Block {
    /// Of the block of a table: the cells of a row.
    pub fn cells(&self, row: &str) -> Vec<String> {
        self.separator.cells(row)
    }

    /// Of the block of a table: whether a row can be cited together with its header.
    pub fn is_near_header(&self, row: &Range<usize>) -> bool {
        row.end - self.head.min(row.end) <= table::REACH
    }
}

/// The language of a snapshot: as recorded, else as detected, else empty.
pub(crate) fn language_of(snapshot: &Snapshot) -> &str {
    match snapshot.language.as_deref() {
        Some(code) if !code.is_empty() => lexicon::primary(code),
        _ => language::detect(&snapshot.text).unwrap_or_default(),
    }
}

/// The usable sentences of a snapshot in the order of its text: of prose, of list items that are sentences, and of
/// tables, whose rows become sentences (`The hub Riga has 120 orders and a return rate of 3 %.`).
///
/// Left out are fragments, questions, code, navigation and boilerplate, first person outside of quotes, and what points
/// to other parts of its document.
pub fn sentences(snapshot: &Snapshot) -> Vec<SourceSentence> {
    sentences_in(snapshot, language_of(snapshot), Shapes::Lists)
}

/// What stands in an article in the shape that it has in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shapes {
    ListsAndTables,
    Lists,
    /// Items and rows are sentences.
    Nothing,
}

/// The same, where the language is known already.
pub(crate) fn sentences_in(snapshot: &Snapshot, language: &str, shapes: Shapes) -> Vec<SourceSentence> {
    let is_kept = |kind, _: &Range<usize>| match shapes {
        Shapes::ListsAndTables => true,
        Shapes::Lists => kind == BlockKind::Listed,
        Shapes::Nothing => false,
    };
    sentences_of(snapshot, language, |_| true, is_kept)
}

/// The tables of a snapshot that can stand in an article: where each stands in it, and its paragraph of the article.
pub(crate) fn tables(snapshot: &Snapshot) -> Vec<(Span, String)> {
    let blocks = blocks(snapshot);
    let span = |range: Range<usize>| Span { source: snapshot.number, start: range.start, end: range.end };
    let found = table::find(&snapshot.text, &blocks, lexicon::of(language_of(snapshot)));
    found.into_iter().map(|table| (span(table.range), table.text)).collect()
}

/// Of those blocks alone that have one of the spans in them. A list or a table is one where a span has all of it.
pub(crate) fn sentences_about(snapshot: &Snapshot, spans: &[Span]) -> Vec<SourceSentence> {
    let touches = |part: &Range<usize>| spans.iter().any(|span| part.start < span.end && span.start < part.end);
    let holds = |_, whole: &Range<usize>| spans.iter().any(|span| span.start <= whole.start && whole.end <= span.end);
    sentences_of(snapshot, language_of(snapshot), |block| block.parts.iter().any(touches), holds)
}

fn sentences_of(
    snapshot: &Snapshot,
    language: &str,
    wanted: impl Fn(&Block) -> bool,
    is_kept: impl Fn(BlockKind, &Range<usize>) -> bool,
) -> Vec<SourceSentence> {
    let language = lexicon::of(language);
    let blocks = blocks(snapshot);
    let transcript = Transcript::detect(&snapshot.text, &blocks);
    let mut out = Vec::new();
    let mut lists = if transcript.is_none() { list::find(&snapshot.text, &blocks, language) } else { Vec::new() };
    lists.retain(|list| {
        let parts = list.parts(&blocks);
        parts
            .first()
            .zip(parts.last())
            .is_some_and(|(first, last)| is_kept(BlockKind::Listed, &(first.start..last.end)))
    });
    let mut tables = if transcript.is_none() { table::find(&snapshot.text, &blocks, language) } else { Vec::new() };
    tables.retain(|table| is_kept(BlockKind::Table, &table.range));
    let mut lists = lists.into_iter().peekable();
    for (number, block) in blocks.iter().enumerate() {
        let list = lists.next_if(|list| list.blocks.end <= number + 1);
        let in_list = list.is_some() || lists.peek().is_some_and(|list| list.blocks.contains(&number));
        if !wanted(block) || tables.iter().any(|table| table.captions.contains(&number)) {
            continue;
        }
        if let Some(table) = tables.iter().find(|table| table.block == number) {
            out.push(SourceSentence {
                span: Span { source: snapshot.number, start: table.range.start, end: table.range.end },
                text: table.text.clone(),
                kind: BlockKind::Table,
                headings: Arc::clone(&block.headings),
                paragraph: number,
                position: 0,
                hangs: false,
            });
        } else if block.kind == BlockKind::TableRow {
            table_sentences(snapshot, block, number, language, &mut out);
        } else if transcript.is_none() && !in_list {
            prose_sentences(snapshot, block, number, language, &mut out);
        }
        if let Some(list) = list {
            listed(snapshot, &list.parts(&blocks), block, number, &mut out);
        }
    }
    if let Some(transcript) = transcript {
        out.extend(transcript.sentences(snapshot, &blocks, language, wanted));
        out.sort_by_key(|sentence| sentence.span.start);
    }
    out
}

/// The parts of a list, each behind the one before; `number` is that of its last block.
fn listed(snapshot: &Snapshot, parts: &[Range<usize>], block: &Block, number: usize, out: &mut Vec<SourceSentence>) {
    out.extend(parts.iter().enumerate().map(|(position, range)| SourceSentence {
        span: Span { source: snapshot.number, start: range.start, end: range.end },
        text: snapshot.text[range.clone()].to_owned(),
        kind: BlockKind::Listed,
        headings: Arc::clone(&block.headings),
        paragraph: number,
        position,
        hangs: position > 0,
    }));
}

fn prose_sentences(
    snapshot: &Snapshot,
    block: &Block,
    number: usize,
    language: Option<&Language>,
    out: &mut Vec<SourceSentence>,
) {
    let before = out.len();
    let text = block.parts.first().zip(block.parts.last()).map_or("", |(a, b)| &snapshot.text[a.start..b.end]);
    // Of a language without a table nothing is known but that the first sentence of a paragraph opens it.
    let unknown = language.is_none() && !word::is_unspaced_text(text);
    for (position, range) in block.parts.iter().enumerate() {
        let text = &snapshot.text[range.clone()];
        let Some(standing) = usable::judge(text, language) else { continue };
        out.push(SourceSentence {
            span: Span { source: snapshot.number, start: range.start, end: range.end },
            text: text.to_owned(),
            kind: block.kind,
            headings: Arc::clone(&block.headings),
            paragraph: number,
            position,
            hangs: if unknown { position > 0 } else { standing == Standing::Hangs },
        });
    }
    if unknown && out.len() - before < block.parts.len() {
        out.truncate(before);
    }
}

fn table_sentences(
    snapshot: &Snapshot,
    block: &Block,
    number: usize,
    language: Option<&Language>,
    out: &mut Vec<SourceSentence>,
) {
    let mut position = 0;
    for range in &block.parts {
        let cells = block.cells(&snapshot.text[range.clone()]);
        for sentence in table::sentences(&block.header, &cells, language, block.is_near_header(range)) {
            let kind = if sentence.is_prose { BlockKind::Paragraph } else { BlockKind::TableRow };
            out.push(SourceSentence {
                span: Span { source: snapshot.number, start: range.start, end: range.end },
                text: sentence.text,
                kind,
                headings: Arc::clone(&block.headings),
                paragraph: number,
                position,
                hangs: sentence.hangs,
            });
            position += 1;
        }
    }
}

/// Reads the blocks of a snapshot line by line, so that text outside of the fixed subset does no harm.
pub(crate) fn blocks(snapshot: &Snapshot) -> Vec<Block> {
    let mut reader = Reader { text: &snapshot.text, path: Vec::new(), shared: Arc::from([]), blocks: Vec::new() };
    let mut open = None;
    let mut start = 0;
    for line in snapshot.text.split_inclusive('\n') {
        let trimmed = line.trim_end();
        let range = start..start + trimmed.len();
        start += line.len();
        open = reader.line(trimmed, range, open);
    }
    table::gather(&snapshot.text, &mut reader.blocks);
    reader.blocks
}

struct Reader<'a> {
    text: &'a str,
    /// The headings above, by level.
    path: Vec<(usize, String)>,
    shared: Arc<[String]>,
    blocks: Vec<Block>,
}

impl Reader<'_> {
    /// Takes one line; `open` is the kind of list or table that the line before belongs to.
    fn line(&mut self, line: &str, range: Range<usize>, open: Option<BlockKind>) -> Option<BlockKind> {
        if line.is_empty() {
            return None;
        }
        if let Some((level, title)) = heading(line) {
            self.path.retain(|(l, _)| *l < level);
            self.path.push((level, title.to_owned()));
            self.shared = self.path.iter().map(|(_, title)| title.clone()).collect();
            return None;
        }
        if line.starts_with('|') {
            if open != Some(BlockKind::TableRow) {
                self.push(BlockKind::TableRow, Vec::new(), table::cells(line), range.start);
            } else if let Some(block) = self.blocks.last_mut()
                && !table::is_rule(line)
            {
                block.parts.push(range);
            }
            return Some(BlockKind::TableRow);
        }
        if line.starts_with("- ") {
            let parts = self.split(range.start + 2..range.end);
            self.push(BlockKind::ListItem, parts, Vec::new(), range.start);
            return Some(BlockKind::ListItem);
        }
        let start = range.start;
        let parts = self.split(range);
        self.push(BlockKind::Paragraph, parts, Vec::new(), start);
        Some(BlockKind::Paragraph)
    }

    fn split(&self, range: Range<usize>) -> Vec<Range<usize>> {
        sentence::split(&self.text[range.clone()])
            .into_iter()
            .map(|part| range.start + part.start..range.start + part.end)
            .collect()
    }

    fn push(&mut self, kind: BlockKind, parts: Vec<Range<usize>>, header: Vec<String>, head: usize) {
        let headings = Arc::clone(&self.shared);
        self.blocks.push(Block { kind, headings, parts, header, head, separator: Separator::default() });
    }
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    let title = title.strip_prefix(' ')?.trim();
    ((1..=6).contains(&level) && !title.is_empty()).then_some((level, title))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::source;

    #[test]
    fn blocks_carry_their_headings() {
        let s = source(
            1,
            "en",
            "# A\n\n## B\n\nOne is here. Two is here.\n\n- Item of a list.\n- Another one.\n\n## C\n\nx",
        );
        let found: Vec<_> = blocks(&s).iter().map(|b| (b.kind, b.headings.join("/"), b.parts.len())).collect();
        assert_eq!(
            found,
            [
                (BlockKind::Paragraph, "A/B".into(), 2),
                (BlockKind::ListItem, "A/B".into(), 1),
                (BlockKind::ListItem, "A/B".into(), 1),
                (BlockKind::Paragraph, "A/C".into(), 1),
            ]
        );
    }

    #[test]
    fn spans_point_at_what_is_printed_except_for_table_rows() {
        let text = "# Hubs\n\nThe depot in Riga sorts parcels all night. It employs 40 people in two shifts.\n\n\
                    | Hub | Orders | Return rate |\n| Riga | 120 | 3 % |\n| Tartu | 80 | 4 % |";
        let s = source(7, "en", text);
        let found = sentences(&s);
        assert_eq!(found.len(), 4);
        assert_eq!(found[0].span.text_in(std::slice::from_ref(&s)), Some(found[0].text.as_str()));
        assert!(!found[0].hangs && found[1].hangs);
        assert_eq!(found[2].text, "The hub Riga has 120 orders and a return rate of 3 %.");
        assert_eq!(found[2].span.text_in(std::slice::from_ref(&s)), Some("| Riga | 120 | 3 % |"));
    }

    #[test]
    fn sentences_about_spans_are_those_of_their_blocks_with_the_same_places() {
        let text = "# Hubs\n\nThe depot in Riga sorts parcels all night. It employs 40 people in two shifts.\n\n\
                    The depot in Tartu sorts parcels by day. It employs 20 people in one shift.\n\n\
                    | Hub | Orders | Return rate |\n| Riga | 120 | 3 % |";
        let s = source(7, "en", text);
        let all = sentences(&s);
        assert_eq!(all.iter().map(|one| one.paragraph).collect::<Vec<_>>(), [0, 0, 1, 1, 2]);
        let second = all[2..4].to_vec();
        assert_eq!(sentences_about(&s, &[second[1].span]), second, "the whole block, counted as in the whole text");
        assert_eq!(sentences_about(&s, &[all[0].span, all[4].span]), [&all[..2], &all[4..]].concat());
        assert_eq!(sentences_about(&s, &[]), []);
    }

    #[test]
    fn a_paragraph_of_an_unknown_language_is_used_whole_or_not_at_all() {
        let good =
            "Pakiautomaadid asuvad enamasti suurte poodide kõrval. Nende hooldus maksab aastas umbes sada eurot.";
        let s = source(1, "et", &format!("{good}\n\n{good} Vaata www.example.ee lehte kohe."));
        let found = sentences(&s);
        assert_eq!(found.iter().map(|f| (f.paragraph, f.hangs)).collect::<Vec<_>>(), [(0, false), (0, true)]);
    }

    #[test]
    fn broken_markup_does_no_harm() {
        for text in ["", "\n\n\n", "|", "| |\n|", "- ", "#", "######## x", "| a |\n| b | c | d |\nx", "\u{0}\u{feff}"] {
            let _ = sentences(&source(1, "en", text));
        }
    }
}

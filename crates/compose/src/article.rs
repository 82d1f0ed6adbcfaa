//! The article as Markdown with citations, and the protocol of what it rests on.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use galley_domain::writing::{Claim, Origin, SectionText, Snapshot, Verdict};
use galley_text::{sentence, word};

use crate::{
    claims::{self, PlacedClaim},
    figures::Figure,
    snapshot::{language_of, number},
    table::Table,
};

/// A longer quotation is cut in `sources.md`; the span says where the rest is.
const MAX_QUOTE_CHARS: usize = 400;

/// A section as it goes into the article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleSection {
    /// `None`: the section stands directly below the title.
    pub heading: Option<String>,
    pub text: SectionText,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedArticle {
    /// `# Title`, `## Heading`, paragraphs with citation marks, `## Sources`.
    pub markdown: String,
    /// The claims as given, in reading order.
    pub claims: Vec<PlacedClaim>,
    /// Source numbers in the order of their first citation: mark `[n]` is the source at `cited[n - 1]`.
    pub cited: Vec<u32>,
}

/// [`render_with`] without pictures.
pub fn render(
    title: &str,
    sections: &[ArticleSection],
    claims: &[PlacedClaim],
    sources: &[Snapshot],
) -> RenderedArticle {
    render_with(title, sections, &[], claims, sources)
}

/// Puts an article together. Behind each supported sentence stands ` [n]`, numbered by first use; behind one that is
/// supported in part ` [n] [partly]`; behind an unsupported one ` [unsupported]`; behind one that claims nothing, or has
/// no claim in `claims`, nothing. The cited sources are listed at the end under `## Sources`. What Markdown would read as markup in title, headings and prose is escaped.
///
/// A table has one mark: behind its caption, or else below it.
///
/// Each of `figures` stands behind its paragraph, or behind the list of its item. Below it stands its caption, or else the
/// title of its source, cited as a whole.
pub fn render_with(
    title: &str,
    sections: &[ArticleSection],
    figures: &[Figure],
    claims: &[PlacedClaim],
    sources: &[Snapshot],
) -> RenderedArticle {
    let by_place: HashMap<(usize, usize, usize), &Claim> =
        claims.iter().map(|c| ((c.section, c.paragraph, c.index), &c.claim)).collect();
    let mut cited: Vec<u32> = Vec::new();
    let mut blocks = vec![format!("# {}", escaped(title.trim()))];
    for (s, section) in sections.iter().enumerate() {
        if let Some(heading) = section.heading.as_deref().map(str::trim).filter(|h| !h.is_empty()) {
            blocks.push(format!("## {}", escaped(heading)));
        }
        let mut in_list = false;
        let mut waiting: Vec<&Figure> = Vec::new();
        for (p, paragraph) in section.text.paragraphs.iter().enumerate() {
            let item = paragraph.trim_start().starts_with("- ");
            let claim = |index| by_place.get(&(s, p, index)).copied();
            let table = Table::parse(paragraph).map(|table| tabulated(&table, claim(0), &mut cited));
            let is_table = table.is_some();
            let text = table.unwrap_or_else(|| marked(paragraph, claim, &mut cited));
            if text.is_empty() {
                continue;
            }
            if !item {
                blocks.extend(waiting.drain(..).flat_map(|figure| shown(figure, sources, &mut cited)));
            }
            let text = match item {
                // A number says which item comes first.
                true if number(&text).is_some() => text,
                true => format!("- {text}"),
                false if is_table => text,
                false => escaped_start(text),
            };
            match blocks.last_mut() {
                Some(last) if item && in_list => {
                    last.push('\n');
                    last.push_str(&text);
                }
                _ => blocks.push(text),
            }
            in_list = item;
            waiting.extend(figures.iter().filter(|figure| (figure.section, figure.paragraph) == (s, p)));
        }
        blocks.extend(waiting.into_iter().flat_map(|figure| shown(figure, sources, &mut cited)));
    }
    if !cited.is_empty() {
        blocks.push("## Sources".to_owned());
        blocks.push(source_list(&cited, sources));
    }
    let mut claims = claims.to_vec();
    claims.sort_by_key(|c| (c.section, c.paragraph, c.index));
    RenderedArticle { markdown: blocks.join("\n\n") + "\n", claims, cited }
}

/// The sentences of a paragraph with their marks.
fn marked<'c>(paragraph: &str, claim: impl Fn(usize) -> Option<&'c Claim>, cited: &mut Vec<u32>) -> String {
    let body = claims::body(paragraph);
    let mut out = String::new();
    for (index, range) in sentence::split(body).into_iter().enumerate() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&escaped(&one_line(&body[range])));
        let mark = mark_of(claim(index), cited);
        if !mark.is_empty() {
            let _ = write!(out, " {mark}");
        }
    }
    out
}

/// What stands behind a claim; may be empty.
fn mark_of(claim: Option<&Claim>, cited: &mut Vec<u32>) -> String {
    match claim {
        Some(Claim { verdict: verdict @ (Verdict::Supported | Verdict::Partly), span: Some(span), .. }) => {
            let partly = if *verdict == Verdict::Partly { " [partly]" } else { "" };
            format!("[{}]{partly}", number_of(span.source, cited))
        }
        Some(Claim { verdict: Verdict::NoClaim, .. }) | None => String::new(),
        Some(_) => "[unsupported]".to_owned(),
    }
}

/// A table with its mark.
fn tabulated(table: &Table, claim: Option<&Claim>, cited: &mut Vec<u32>) -> String {
    let body = table.write(escaped);
    let mark = mark_of(claim, cited);
    let caption = escaped(&one_line(&table.caption));
    match (caption.is_empty(), mark.is_empty()) {
        (true, true) => body,
        (true, false) => format!("{body}\n\n{mark}"),
        (false, true) => format!("*{caption}*\n\n{body}"),
        (false, false) => format!("*{caption}* {mark}\n\n{body}"),
    }
}

/// The number of a source in the marks of the article.
fn number_of(source: u32, cited: &mut Vec<u32>) -> usize {
    let known = cited.iter().position(|number| *number == source);
    let at = known.unwrap_or_else(|| {
        cited.push(source);
        cited.len() - 1
    });
    at + 1
}

/// A picture and what stands below it.
fn shown(figure: &Figure, sources: &[Snapshot], cited: &mut Vec<u32>) -> [String; 2] {
    let picture = &figure.picture;
    let title = sources.iter().find(|source| source.number == picture.source).map_or("", |source| &source.title);
    let caption = if picture.caption.trim().is_empty() { title } else { &picture.caption };
    let caption = escaped(&one_line(caption));
    let mark = number_of(picture.source, cited);
    let below = if caption.is_empty() { format!("*{mark}* [{mark}]") } else { format!("*{caption}* [{mark}]") };
    [format!("![{}]({})", escaped(&one_line(&picture.alt)), picture.address), below]
}

fn source_list(cited: &[u32], sources: &[Snapshot]) -> String {
    let lines: Vec<String> = cited
        .iter()
        .enumerate()
        .map(|(i, number)| match sources.iter().find(|s| s.number == *number) {
            Some(source) => format!("{}. {}", i + 1, reference(source)),
            None => format!("{}. Source {number}", i + 1),
        })
        .collect();
    lines.join("\n")
}

/// Title with its link, or with the name of its file.
fn reference(source: &Snapshot) -> String {
    let label = source.origin.label();
    let title = if source.title.trim().is_empty() { label } else { source.title.trim() };
    let title = escaped(&one_line(title));
    match &source.origin {
        Origin::File { name } => format!("{title} ({})", escaped(&one_line(name))),
        Origin::Link { url } | Origin::Search { url, .. } => match link_target(url) {
            Some(target) => format!("[{title}]({target})"),
            None => format!("{title} ({})", escaped(&one_line(url))),
        },
    }
}

/// An address as a link target; only web addresses are linked.
fn link_target(url: &str) -> Option<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let plain = web && !url.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>'));
    plain.then(|| url.replace('(', "%28").replace(')', "%29"))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text in which Markdown finds no markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let markup = match c {
            '\\' | '*' | '`' | '[' | ']' => true,
            // Within a word an underscore is only itself.
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            '<' => next.is_alphabetic() || matches!(next, '/' | '!' | '?'),
            '&' => next.is_alphabetic() || next == '#',
            _ => false,
        };
        if markup {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

/// A paragraph that starts like a list, a heading or a quotation but is none.
fn escaped_start(text: String) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && digits <= 9 && text[digits..].starts_with(['.', ')']) {
        return format!("{}\\{}", &text[..digits], &text[digits..]);
    }
    if text.starts_with(['#', '>', '+', '-', '=', '|', '~']) { format!("\\{text}") } else { text }
}

/// `sources.md`: what was read, what each claim rests on, and what nothing supports. `hashes` are the hex digests of
/// the snapshots by source number; those without one are listed without. `cited` is [`RenderedArticle::cited`].
pub fn sources_md(
    title: &str,
    article: &RenderedArticle,
    sources: &[Snapshot],
    hashes: &BTreeMap<u32, String>,
) -> String {
    let mut out = format!("# Sources of “{}”\n\n## What was read\n", escaped(&one_line(title)));
    for source in sources {
        let mark = article.cited.iter().position(|n| *n == source.number);
        let _ = write!(out, "\n### Source {}: {}\n\n", source.number, escaped(&one_line(&source.title)));
        let _ = writeln!(out, "- Origin: {}", origin(source));
        let language = language_of(source);
        let _ = writeln!(out, "- Language: {}", if language.is_empty() { "unknown" } else { language });
        let _ = writeln!(out, "- Words: {}", word::count(&source.text));
        if let Some(hash) = hashes.get(&source.number) {
            let _ = writeln!(out, "- SHA-256 of the text as read: {}", escaped(hash));
        }
        let _ = match mark {
            Some(n) => writeln!(out, "- Cited as [{}]", n + 1),
            None => writeln!(out, "- Not cited"),
        };
    }
    out.push_str("\n## What each claim rests on\n");
    let of = |verdict: Verdict| article.claims.iter().map(|c| &c.claim).filter(move |c| c.verdict == verdict);
    let list = |verdict: Verdict, rests: &str, none: &str| {
        let mut out = String::new();
        for (i, claim) in of(verdict).enumerate() {
            let _ = write!(out, "\n{}. {}\n", i + 1, escaped(&named(&claim.sentence)));
            if verdict.falls_short() && !claim.missing.is_empty() {
                let _ = writeln!(out, "   - Not found: {}", escaped(&claim.missing.join(", ")));
            }
            out.push_str(&rests_on(claim, article, sources).replacen("Rests on", rests, 1));
        }
        if out.is_empty() { format!("\n{none}\n") } else { out }
    };
    out.push_str(&list(Verdict::Supported, "Rests on", "No sentence is supported."));
    out.push_str("\n## What is supported in part\n");
    out.push_str(&list(Verdict::Partly, "Rests in part on", "No sentence says more than its source."));
    out.push_str("\n## What nothing supports\n");
    out.push_str(&list(Verdict::Unsupported, "Nearest:", "Every claim is supported."));
    out
}

/// A claim on one line; of a table its caption, its labels and how many rows it has.
fn named(claim: &str) -> String {
    let Some(table) = Table::parse(claim) else { return one_line(claim) };
    let caption = if table.caption.is_empty() { String::new() } else { format!("{}: ", one_line(&table.caption)) };
    format!("{caption}table of {} ({} rows)", table.header.join(" | "), table.rows.len())
}

fn rests_on(claim: &Claim, article: &RenderedArticle, sources: &[Snapshot]) -> String {
    let Some(span) = claim.span else { return String::new() };
    let quote = one_line(span.text_in(sources).unwrap_or(""));
    let mut short: String = quote.chars().take(MAX_QUOTE_CHARS).collect();
    if short.len() < quote.len() {
        short.push('…');
    }
    let mark = article
        .cited
        .iter()
        .position(|n| *n == span.source)
        .map_or(String::new(), |n| format!(", cited as [{}]", n + 1));
    format!(
        "   - Rests on source {}{mark}, bytes {}–{}, coverage {}.{} %: “{}”\n",
        span.source,
        span.start,
        span.end,
        claim.coverage_permille / 10,
        claim.coverage_permille % 10,
        escaped(&short)
    )
}

fn origin(source: &Snapshot) -> String {
    let address = |url: &str| link_target(url).map_or_else(|| escaped(&one_line(url)), |_| format!("<{url}>"));
    match &source.origin {
        Origin::Link { url } => format!("link {}", address(url)),
        Origin::File { name } => format!("file {}", escaped(&one_line(name))),
        Origin::Search { url, query } => {
            format!("{}, found by searching for “{}”", address(url), escaped(&one_line(query)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::source;

    fn article(paragraphs: &[&str]) -> (RenderedArticle, Vec<Snapshot>) {
        let mut sources = vec![
            source(4, "en", "# Lockers\n\nA locker holds 60 parcels on average."),
            source(2, "en", "# Hubs\n\nThe depot in Riga sorts parcels all night."),
        ];
        sources[0].origin = Origin::Link { url: "https://example.org/a_(b)".to_owned() };
        let text = SectionText { paragraphs: paragraphs.iter().map(|p| (*p).to_owned()).collect() };
        let claims = claims::check(std::slice::from_ref(&text), &sources);
        let section = ArticleSection { heading: Some("Size *matters*".to_owned()), text };
        (render("Lockers", &[section], &claims, &sources), sources)
    }

    #[test]
    fn marks_are_numbered_by_first_use() {
        let (article, _) = article(&[
            "The depot in Riga sorts parcels all night. A locker holds 60 parcels on average. Is that much?",
            "- The depot in Riga sorts parcels all night.",
            "- A locker holds 70 parcels on average.",
        ]);
        assert_eq!(
            article.markdown,
            "# Lockers\n\n## Size \\*matters\\*\n\n\
             The depot in Riga sorts parcels all night. [1] A locker holds 60 parcels on average. [2] Is that much?\n\n\
             - The depot in Riga sorts parcels all night. [1]\n- A locker holds 70 parcels on average. [unsupported]\n\n\
             ## Sources\n\n1. Hubs (2.md)\n2. [Lockers](https://example.org/a_%28b%29)\n"
        );
        assert_eq!(article.cited, [2, 4]);
        assert_eq!(article.claims.len(), 5);
    }

    #[test]
    fn prose_is_not_read_as_markup() {
        let (article, _) = article(&["1990) was a *year* of <b>snake_case</b> [1] & more &copy; things."]);
        assert!(
            article.markdown.contains(r"1990\) was a \*year\* of \<b>snake_case\</b> \[1\] & more \&copy; things."),
            "{}",
            article.markdown
        );
    }

    #[test]
    fn the_protocol_tells_what_was_read_and_what_rests_on_what() {
        let (article, sources) =
            article(&["A locker holds 60 parcels on average. A locker holds 70 parcels on average."]);
        let hashes = BTreeMap::from([(4, "abc123".to_owned())]);
        let text = sources_md("Lockers", &article, &sources, &hashes);
        for expected in [
            "### Source 4: Lockers",
            "- Origin: link <https://example.org/a_(b)>",
            "- SHA-256 of the text as read: abc123",
            "- Cited as [1]",
            "- Not cited",
            "“A locker holds 60 parcels on average.”",
            "- Not found: 70",
        ] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
    }
}

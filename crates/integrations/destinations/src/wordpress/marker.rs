//! The mark in a post's content that says which article and version it is: a comment that no visitor sees. The site's
//! search finds it, and the filter for users who may not write any HTML they like leaves it alone.

use uuid::Uuid;

use crate::markup::{Token, tokens};

const WORD: &str = "galley:";

/// What the mark says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    pub article: Uuid,
    /// 0 where somebody made it unreadable.
    pub version: u32,
    pub fingerprint: String,
    pub gave: Gave,
}

/// What the publication that wrote the mark has set, so that a later one takes back no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gave {
    pub excerpt: bool,
    pub tags: bool,
    pub picture: bool,
    /// The post was there before we wrote to it, so its SEO fields may be somebody's own.
    pub to_theirs: bool,
}

impl Gave {
    const NOTHING: Self = Self { excerpt: false, tags: false, picture: false, to_theirs: false };
    /// Of marks that do not say it.
    const ALL: Self = Self { excerpt: true, tags: true, picture: true, to_theirs: false };

    /// A post without a mark has never got anything from us.
    pub fn before(mark: Option<&Marker>) -> Self {
        mark.map_or(Self { to_theirs: true, ..Self::NOTHING }, |mark| mark.gave)
    }

    fn letters(self) -> String {
        let given = [(self.excerpt, 'e'), (self.tags, 't'), (self.picture, 'p'), (self.to_theirs, 'x')];
        let letters: String = given.into_iter().filter(|(is, _)| *is).map(|(_, letter)| letter).collect();
        if letters.is_empty() { "-".to_owned() } else { letters }
    }

    fn read(letters: &str) -> Self {
        let has = |letter| letters.contains(letter);
        Self { excerpt: has('e'), tags: has('t'), picture: has('p'), to_theirs: has('x') }
    }
}

impl Marker {
    /// `<!-- galley:…:v1:…:etp -->`
    pub fn comment(&self) -> String {
        let Self { article, version, fingerprint, gave } = self;
        format!("<!-- {WORD}{}:v{version}:{fingerprint}:{} -->", article.simple(), gave.letters())
    }

    /// The last one in the content: of a post that was copied by hand and published again, the newer.
    pub fn find(content: &str) -> Option<Self> {
        let comments = tokens(content).filter_map(|token| match token {
            Token::Comment(text) => Self::parse(text),
            _ => None,
        });
        comments.last()
    }

    fn parse(comment: &str) -> Option<Self> {
        let mut parts = comment.trim().strip_prefix(WORD)?.split(':');
        let article = Uuid::try_parse(parts.next()?).ok()?;
        let version = parts.next().and_then(|part| part.strip_prefix('v')?.parse().ok()).unwrap_or(0);
        let fingerprint = parts.next().unwrap_or_default().to_owned();
        Some(Self { article, version, fingerprint, gave: parts.next().map_or(Gave::ALL, Gave::read) })
    }
}

/// What the site's search is asked for.
pub(super) fn search_word(article: Uuid) -> String {
    article.simple().to_string()
}

/// The content without marks, and without the empty block around them.
pub(super) fn without(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(start) = rest.find("<!--") {
        let end = rest[start..].find("-->").map_or(rest.len(), |end| start + end + 3);
        let is_marker = rest[start + 4..end].trim_start().starts_with(WORD);
        out.push_str(&rest[..if is_marker { start } else { end }]);
        rest = &rest[end..];
    }
    out.push_str(rest);
    for empty in [
        format!("{BLOCK_OPEN}\n\n{BLOCK_CLOSE}"),
        format!("{BLOCK_OPEN}\n{BLOCK_CLOSE}"),
        format!("{BLOCK_OPEN}{BLOCK_CLOSE}"),
        "<p></p>".to_owned(),
    ] {
        out = out.replace(&empty, "");
    }
    out.trim().to_owned()
}

/// The block of plain HTML, which every editor shows as it is: alone, a comment would become a block of the old editor.
const BLOCK_OPEN: &str = "<!-- wp:html -->";
const BLOCK_CLOSE: &str = "<!-- /wp:html -->";

/// The content with the mark at its end.
pub(super) fn marked(content: &str, marker: &Marker, as_blocks: bool) -> String {
    let content = content.trim_end();
    let comment = marker.comment();
    if as_blocks {
        return format!("{content}\n\n{BLOCK_OPEN}\n{comment}\n{BLOCK_CLOSE}");
    }
    // Outside of a paragraph, WordPress would make one of it.
    let (before, after) = content.split_at(content.rfind("</p>").unwrap_or(content.len()));
    format!("{before}{comment}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        let gave = Gave { tags: true, to_theirs: true, ..Gave::NOTHING };
        Marker { article: Uuid::from_u128(7), version: 3, fingerprint: "abc".to_owned(), gave }
    }

    #[test]
    fn what_is_marked_is_found_and_taken_out_again() {
        for (content, as_blocks) in
            [("<p>a</p>", false), ("<!-- wp:paragraph -->\n<p>a</p>\n<!-- /wp:paragraph -->", true)]
        {
            let text = marked(content, &marker(), as_blocks);
            assert!(text.contains(&search_word(marker().article)));
            assert_eq!(Marker::find(&text), Some(marker()));
            assert_eq!(without(&text), content);
        }
        let inside = marked("<p>a</p><ul><li>b</li></ul>", &marker(), false);
        assert_eq!(inside, format!("<p>a{}</p><ul><li>b</li></ul>", marker().comment()));
        assert_eq!(marked("<hr/>", &marker(), false), format!("<hr/>{}", marker().comment()));
        assert_eq!(without("<p>a</p>\n<p><!-- galley:x --></p>"), "<p>a</p>");
        assert_eq!(without("a<!-- b -->c<!-- galley:"), "a<!-- b -->c");
    }

    #[test]
    fn marks_that_others_have_touched() {
        let id = marker().article.simple().to_string();
        let read = |text: &str| Marker::find(text).map(|marker| (marker.version, marker.fingerprint));
        assert_eq!(read(&format!("<!--galley:{id}-->")), Some((0, String::new())));
        assert_eq!(read(&format!("<!-- galley:{id}:vx:y -->")), Some((0, "y".to_owned())));
        for foreign in ["", "galley:1", "<!-- galley: -->", "<!-- galley:7 -->", "<!-- wp:html -->"] {
            assert_eq!(read(foreign), None, "{foreign}");
        }
        let two = format!("<!-- galley:{id}:v1:a --><!-- galley:{id}:v2:b -->");
        assert_eq!(read(&two), Some((2, "b".to_owned())));
        let gave = |text: &str| Marker::find(text).unwrap().gave;
        assert_eq!(gave(&format!("<!-- galley:{id}:v1:a -->")), Gave::ALL, "an older mark does not say");
        assert_eq!(gave(&Marker { gave: Gave::NOTHING, ..marker() }.comment()), Gave::NOTHING);
        assert!(Gave::before(None).to_theirs && !Gave::before(Some(&marker())).excerpt);
    }
}

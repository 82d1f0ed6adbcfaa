//! What somebody has changed at a destination since we published. What the destination changes by itself is no change:
//! it adds ids and classes, writes entities for characters and typographic quotes for straight ones, drops attributes, and
//! its editors write the same paragraphs in another form.

use serde::{Deserialize, Serialize};

use crate::{
    markup::{Token, decoded, tokens},
    remote::{RemoteFields, RemoteStatus},
};

/// A field that others have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDifference {
    /// `title`, `content`, `excerpt`, `slug`, `status`, `categories`, `tags`, `featured_image` or `date`.
    pub field: String,
    pub published: String,
    pub remote: String,
}

/// Attributes that carry meaning. All others are looks, or added by the site.
const MEANT: [&str; 6] = ["alt", "colspan", "href", "rowspan", "src", "start"];
/// Elements that only group or mark others.
const PASSED_OVER: [&str; 5] = ["div", "figure", "span", "tbody", "wbr"];

/// What differs, field by field.
pub fn differences(published: &RemoteFields, remote: &RemoteFields) -> Vec<FieldDifference> {
    let mut found = Vec::new();
    let mut note = |field: &str, is_same: bool, published: String, remote: String| {
        if !is_same {
            found.push(FieldDifference { field: field.to_owned(), published, remote });
        }
    };
    let texts = [
        ("title", &published.title, &remote.title),
        ("content", &published.content, &remote.content),
        ("excerpt", &published.excerpt, &remote.excerpt),
    ];
    for (field, ours, theirs) in texts {
        note(field, normal(ours) == normal(theirs), ours.clone(), theirs.clone());
    }
    note("slug", published.slug == remote.slug, published.slug.clone(), remote.slug.clone());
    let (ours, theirs) = (published.status, remote.status);
    // Its time has come.
    let has_come = ours == RemoteStatus::Future && theirs == RemoteStatus::Published;
    note("status", ours == theirs || has_come, ours.to_string(), theirs.to_string());
    let lists = [("categories", &published.categories, &remote.categories), ("tags", &published.tags, &remote.tags)];
    for (field, ours, theirs) in lists {
        note(field, names(ours) == names(theirs), ours.join(", "), theirs.join(", "));
    }
    let id = |fields: &RemoteFields| fields.featured.as_ref().map(|picture| picture.id.clone());
    let url = |fields: &RemoteFields| fields.featured.as_ref().map(|picture| picture.url.clone()).unwrap_or_default();
    note("featured_image", id(published) == id(remote), url(published), url(remote));
    let seconds = |fields: &RemoteFields| fields.date.map(|date| date.timestamp());
    // What had no date gets one when somebody publishes it, which the status tells.
    let is_same = published.date.is_none() || seconds(published) == seconds(remote);
    let date = |fields: &RemoteFields| fields.date.map(|date| date.to_rfc3339()).unwrap_or_default();
    note("date", is_same, date(published), date(remote));
    found
}

/// Names of terms in one order, without what sites take for the same.
fn names(list: &[String]) -> Vec<String> {
    let mut names: Vec<String> = list.iter().map(|name| term_key(name)).collect();
    names.sort();
    names.dedup();
    names
}

/// Two names of a category or tag that a site takes for one have the same key.
pub(crate) fn term_key(name: &str) -> String {
    let path: Vec<String> = decoded(name).split('>').map(|part| spaced(&plain(part)).to_lowercase()).collect();
    path.join(">")
}

/// Whether two texts mean the same, however they are written.
pub(crate) fn same_html(one: &str, other: &str) -> bool {
    normal(one) == normal(other)
}

/// The meaning of a text with or without markup, so that two forms of one text are equal.
fn normal(html: &str) -> String {
    let mut normal = Normal::default();
    for token in tokens(html) {
        normal.take(token);
    }
    normal.finish()
}

#[derive(Default)]
struct Normal {
    out: String,
    /// Text that is not yet written: entities may be next to each other.
    text: String,
    /// Inside of preformatted text, where white space counts.
    pre: usize,
}

impl Normal {
    fn take(&mut self, token: Token<'_>) {
        match token {
            Token::Text(text) => self.text.push_str(text),
            // Delimiters of blocks, and our marks. Two comments are read by WordPress itself.
            Token::Comment(comment) => {
                if ["more", "nextpage"].iter().any(|word| comment.starts_with(word)) {
                    self.tag(&format!("!{comment}"));
                }
            }
            Token::Open { name, attributes } => self.open(&name, attributes),
            Token::Close(name) => self.close(&name),
        }
    }

    fn open(&mut self, name: &str, mut attributes: Vec<(String, String)>) {
        match name {
            name if PASSED_OVER.contains(&name) => return,
            "p" => return self.paragraph(),
            "pre" => self.pre += 1,
            _ => {}
        }
        attributes.retain(|(name, _)| MEANT.contains(&name.as_str()));
        attributes.sort();
        let attributes: String =
            attributes.iter().map(|(name, value)| format!(" {name}={:?}", plain(value.trim()))).collect();
        self.tag(&format!("{}{attributes}", one_name(name)));
    }

    fn close(&mut self, name: &str) {
        match name {
            name if PASSED_OVER.contains(&name) => return,
            "p" => return self.paragraph(),
            "pre" => {
                self.tag("/pre");
                self.pre = self.pre.saturating_sub(1);
                return;
            }
            _ => {}
        }
        self.tag(&format!("/{}", one_name(name)));
    }

    fn tag(&mut self, tag: &str) {
        self.flush();
        self.out.push('<');
        self.out.push_str(tag);
        self.out.push('>');
    }

    fn paragraph(&mut self) {
        self.flush();
        self.out.push('\n');
    }

    fn flush(&mut self) {
        let text = plain(&decoded(&std::mem::take(&mut self.text)));
        if self.pre > 0 {
            // Out of reach of what joins lines and trims them.
            self.out.push_str(&text.replace("\r\n", "\n").trim_end().replace('\n', "\u{1}").replace(' ', "\u{2}"));
            return;
        }
        // Editors write a blank line for the end of a paragraph.
        for (at, paragraph) in text.replace("\r\n", "\n").split("\n\n").enumerate() {
            if at > 0 {
                self.out.push('\n');
            }
            let mut gap = paragraph.starts_with(char::is_whitespace);
            for word in paragraph.split_whitespace() {
                if gap {
                    self.out.push(' ');
                }
                self.out.push_str(word);
                gap = true;
            }
            if gap && paragraph.ends_with(char::is_whitespace) {
                self.out.push(' ');
            }
        }
    }

    /// White space at the edges of paragraphs and of blocks says nothing.
    fn finish(mut self) -> String {
        self.flush();
        let lines: Vec<&str> = self.out.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut joined = lines.join("\n");
        for block in BLOCKS {
            for edge in [format!("<{block}>"), format!("</{block}>")] {
                for gap in [" ", "\n"] {
                    joined = joined.replace(&format!("{gap}{edge}"), &edge).replace(&format!("{edge}{gap}"), &edge);
                }
            }
        }
        joined
    }
}

/// Around which white space is only layout.
const BLOCKS: [&str; 18] = [
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "table",
    "thead",
    "tr",
    "th",
    "td",
    "hr",
    "br",
    "figcaption",
];

/// Editors exchange these.
fn one_name(name: &str) -> &str {
    match name {
        "b" => "strong",
        "i" => "em",
        "s" | "strike" => "del",
        name => name,
    }
}

/// Straight quotes, one dash, three dots, plain spaces; nothing that is invisible.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '‘' | '’' | '‚' | '′' | '`' | '\u{201b}' => out.push('\''),
            '“' | '”' | '„' | '″' => out.push('"'),
            '–' | '—' | '\u{2010}' | '\u{2011}' | '\u{2212}' => out.push('-'),
            '…' => out.push_str("..."),
            '×' => out.push('x'),
            '\u{a0}' | '\u{202f}' | '\u{2009}' => out.push(' '),
            '\u{ad}' | '\u{200b}' | '\u{feff}' => {}
            c => out.push(c),
        }
    }
    // Texturizing makes one dash of two or three.
    while out.contains("--") {
        out = out.replace("--", "-");
    }
    out
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;

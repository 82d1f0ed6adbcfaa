//! Markdown to HTML that is safe to show on any page.

mod citations;
mod notes;

use std::{borrow::Cow, sync::LazyLock};

use ammonia::Builder;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Parser, Tag, TagEnd, TextMergeStream, html};

use super::nesting::depth;

/// Deeper nesting is flattened: no article needs it and HTML parsers take quadratic time for it.
const DEEPEST: usize = 64;
/// With more raw HTML than this it is shown as text, for the same reason.
const MOST_RAW_TAGS: usize = 5_000;
const MOST_RAW_BYTES: usize = 64 * 1024;
/// With raw HTML that brings elements deeper than this it is shown as text: whoever walks the elements takes the stack.
/// Markdown alone comes to little more than [`DEEPEST`].
const DEEPEST_RAW: usize = 200;
/// Text without a tag gets a `<wbr>` after this many bytes: html5ever 0.40 takes quadratic time to write a text with
/// many `&` or Latin-1 letters.
const LONGEST_TEXT: usize = 4 * 1024;
/// Longer addresses, titles and descriptions of links and images are left out.
const LONGEST_ATTRIBUTE: usize = 2 * 1024;

/// What an `id` may start with: the marks in the text and the entries and notes they point at. Others could shadow the
/// page's.
const ID_PREFIXES: [&str; 3] = ["cite-", "source-", notes::PREFIX];

/// Renders the Markdown of an article (CommonMark with tables, footnotes and task lists) without its title, and removes
/// everything that is not plain content. Whoever shows an article shows its title, too.
///
/// Scripts, styles, event handlers, forms, frames and links with a scheme such as `javascript:` go; links get
/// `rel="noopener noreferrer"`. Citations become `<sup class="citation">` with a link to the entry in the list of
/// sources, whose `id` is `source-` and its number.
pub fn to_html(markdown: &str) -> String {
    let raw_is_text = has_too_much_raw_html(Parser::new_ext(markdown, super::options()));
    let mut rendered = rendered(markdown, raw_is_text);
    if !raw_is_text && depth(&rendered) > DEEPEST_RAW {
        rendered = self::rendered(markdown, true);
    }
    POLICY.clean(&rendered).to_string()
}

fn rendered(markdown: &str, raw_is_text: bool) -> String {
    let as_text = |event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) if raw_is_text => Event::Text(raw),
        event => event,
    };
    let mut events: Vec<Event> =
        TextMergeStream::new(Parser::new_ext(markdown, super::options()).map(as_text)).collect();
    remove_title(&mut events);
    notes::number(&mut events);
    let mut tamer = Tamer::default();
    for event in citations::linked(events) {
        tamer.take(event);
    }
    let mut rendered = String::with_capacity(markdown.len() + markdown.len() / 2);
    html::push_html(&mut rendered, tamer.events.into_iter());
    rendered
}

/// The heading of level 1 that the text begins with, as [`super::Article`] has it.
fn remove_title(events: &mut Vec<Event>) {
    if !matches!(events.first(), Some(Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }))) {
        return;
    }
    if let Some(end) = events.iter().position(|event| matches!(event, Event::End(TagEnd::Heading(_)))) {
        events.drain(..=end);
    }
}

fn has_too_much_raw_html(parser: Parser) -> bool {
    let (mut tags, mut bytes) = (0, 0);
    for event in parser {
        if let Event::Html(raw) | Event::InlineHtml(raw) = event {
            tags += raw.matches('<').count();
            bytes += raw.len();
        }
    }
    tags > MOST_RAW_TAGS || bytes > MOST_RAW_BYTES
}

/// Passes events on within the limits above.
#[derive(Default)]
struct Tamer<'a> {
    events: Vec<Event<'a>>,
    depth: usize,
    /// Bytes of text since the last tag.
    run: usize,
    /// Images around here, and the bytes of their description.
    images: usize,
    description: usize,
}

impl<'a> Tamer<'a> {
    fn take(&mut self, event: Event<'a>) {
        match event {
            Event::Start(tag) => {
                self.images += usize::from(matches!(tag, Tag::Image { .. }));
                self.depth += 1;
                if self.depth <= DEEPEST {
                    self.run = 0;
                    self.events.push(Event::Start(with_short_attributes(tag)));
                }
            }
            Event::End(tag) => {
                if tag == TagEnd::Image {
                    self.images = self.images.saturating_sub(1);
                    self.description = 0;
                }
                self.depth = self.depth.saturating_sub(1);
                if self.depth < DEEPEST {
                    self.run = 0;
                    self.events.push(Event::End(tag));
                }
            }
            Event::Text(text) => self.text(text),
            // Line breaks within a text; what else there is makes tags.
            Event::SoftBreak => {
                self.run += 1;
                self.events.push(Event::SoftBreak);
            }
            Event::Code(code) => self.code(code),
            other => self.events.push(other),
        }
    }

    fn text(&mut self, text: CowStr<'a>) {
        if self.images > 0 {
            self.description += text.len();
            if self.description <= LONGEST_ATTRIBUTE {
                self.events.push(Event::Text(text));
            }
            return;
        }
        if self.run + text.len() <= LONGEST_TEXT {
            self.run += text.len();
            self.events.push(Event::Text(text));
            return;
        }
        let mut rest: &str = &text;
        while self.run + rest.len() > LONGEST_TEXT {
            let (head, tail) = rest.split_at(rest.floor_char_boundary(LONGEST_TEXT.saturating_sub(self.run)));
            self.events.push(Event::Text(head.to_owned().into()));
            self.events.push(Event::InlineHtml("<wbr>".into()));
            self.run = 0;
            rest = tail;
        }
        self.run = rest.len();
        self.events.push(Event::Text(rest.to_owned().into()));
    }

    /// Inline code is one element with one text; a very long one is no code.
    fn code(&mut self, code: CowStr<'a>) {
        if code.len() > LONGEST_TEXT || self.images > 0 {
            self.text(code);
        } else {
            self.run = 0;
            self.events.push(Event::Code(code));
        }
    }
}

fn with_short_attributes(mut tag: Tag) -> Tag {
    if let Tag::Link { dest_url, title, .. } | Tag::Image { dest_url, title, .. } = &mut tag {
        for attribute in [dest_url, title] {
            if attribute.len() > LONGEST_ATTRIBUTE {
                *attribute = "".into();
            }
        }
    }
    tag
}

fn is_web_address(value: &str) -> bool {
    ["http://", "https://"].iter().any(|s| value.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s)))
}

pub(super) static POLICY: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut policy = Builder::default();
    policy
        .add_tag_attributes("sup", ["id"])
        .add_tag_attributes("a", ["id"])
        .add_tag_attributes("li", ["id"])
        .add_tag_attributes("div", ["id"])
        .add_allowed_classes("sup", ["citation", "footnote-reference", "footnote-definition-label"])
        .add_allowed_classes("div", ["footnote-definition"])
        // Of task lists. Whatever input a text brings, it becomes a box that nobody can change.
        .add_tags(["input"])
        .add_tag_attributes("input", ["checked"])
        .set_tag_attribute_value("input", "type", "checkbox")
        .set_tag_attribute_value("input", "disabled", "")
        .attribute_filter(|_, attribute, value| {
            let allowed = match attribute {
                // html5ever writes long values in quadratic time, like long texts.
                _ if value.len() > LONGEST_ATTRIBUTE => false,
                "id" => ID_PREFIXES.iter().any(|p| value.starts_with(p)),
                // The sanitiser looks at no scheme here, and there are themes that make a link of it.
                "cite" => is_web_address(value),
                _ => true,
            };
            allowed.then_some(Cow::Borrowed(value))
        });
    policy
});

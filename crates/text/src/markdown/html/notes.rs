//! Footnotes: their names become numbers, which are safe as parts of a page.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, Tag};

/// What the `id` of a note starts with.
pub(super) const PREFIX: &str = "footnote-";

/// Names every note after the order in which it is met, as the renderer numbers them.
pub(super) fn number(events: &mut [Event]) {
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for event in events {
        if let Event::FootnoteReference(name) | Event::Start(Tag::FootnoteDefinition(name)) = event {
            let next = numbers.len() + 1;
            let number = *numbers.entry(name.to_string()).or_insert(next);
            *name = CowStr::from(format!("{PREFIX}{number}"));
        }
    }
}

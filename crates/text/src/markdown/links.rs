//! Where the links of an article lead, and what its images show.

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

/// The links and images of a Markdown text in order, those of the list of sources with them. Raw HTML is not searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// The addresses as written, `#part` and `mailto:` with them; not those in `<a@b.example>`.
    pub addresses: Vec<String>,
    pub images: Vec<Image>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    pub address: String,
    /// What stands in its place for those who do not see it; trimmed, often empty.
    pub alt: String,
}

impl Links {
    pub fn parse(markdown: &str) -> Self {
        let mut links = Self::default();
        // Images in the description of an image are part of that description.
        let mut depth = 0_usize;
        for event in Parser::new_ext(markdown, super::options()) {
            match event {
                Event::Start(Tag::Image { dest_url, .. }) => {
                    depth += 1;
                    if depth == 1 {
                        links.images.push(Image { address: dest_url.into_string(), alt: String::new() });
                    }
                }
                Event::End(TagEnd::Image) => depth = depth.saturating_sub(1),
                Event::Start(Tag::Link { link_type, dest_url, .. }) if link_type != LinkType::Email => {
                    links.addresses.push(dest_url.into_string());
                }
                Event::Text(text) | Event::Code(text) if depth > 0 => links.describe(&text),
                Event::SoftBreak | Event::HardBreak if depth > 0 => links.describe(" "),
                _ => {}
            }
        }
        links.images.iter_mut().for_each(|image| image.alt = image.alt.trim().to_owned());
        links
    }

    fn describe(&mut self, text: &str) {
        if let Some(image) = self.images.last_mut() {
            image.alt.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_images_are_found_wherever_they_stand() {
        let markdown = "# [T](/t)\n\nSee [a](https://a.example/x \"A\"), <https://b.example> and <c@d.example>.\n\n\
                        - ![ A `red`\ncup ](cup.png)\n- [![](tea.png)](#part)\n\n`[no](no)` [ref][r] [gone][g]\n\n\
                        ## Sources\n\n1. [S](https://s.example)\n\n[r]: /r";
        let links = Links::parse(markdown);
        assert_eq!(
            links.addresses,
            ["/t", "https://a.example/x", "https://b.example", "#part", "/r", "https://s.example"]
        );
        let image = |address: &str, alt: &str| Image { address: address.to_owned(), alt: alt.to_owned() };
        assert_eq!(links.images, [image("cup.png", "A red cup"), image("tea.png", "")]);
        assert_eq!(Links::parse("![a ![b](c) d](e)").images, [image("e", "a b d")]);
        assert_eq!(Links::parse("Nothing."), Links::default());
    }
}

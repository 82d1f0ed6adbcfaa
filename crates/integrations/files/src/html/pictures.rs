//! The pictures of a page, at their place in the text that was chosen from it.

use url::Url;

use super::{
    tree::{Element, TOO_LARGE, Tree},
    walk::Spot,
};
use crate::{
    limits::Limits,
    pictures::{Gallery, Lines, Pictures, Shown},
};

/// Where pages that load their pictures late say where these are, and at last where all others do.
const SOURCES: [&str; 4] = ["data-src", "data-original", "data-lazy-src", "src"];

/// `around` is the text in which the pictures were found, `chosen` the text of the page. A picture is where the block before
/// it, or the one behind it, stands in `chosen`; of which neither is left belongs to what was left out.
pub(super) fn placed(
    tree: &Tree,
    spots: Vec<Spot>,
    around: &str,
    chosen: &str,
    base: Option<&Url>,
    limits: &Limits,
) -> Pictures {
    let mut gallery = Gallery::new(limits);
    if limits.pictures == 0 || spots.is_empty() {
        return gallery.into_pictures();
    }
    let lines = Lines::of(chosen);
    for spot in spots {
        let Some(element) = tree.element(spot.node) else { continue };
        let Some(at) = lines.place(around, spot.at) else { continue };
        let Some(source) = source(element) else { continue };
        let shown = Shown {
            at,
            alt: described(element),
            caption: spot.caption.to_string(),
            size: size(element),
            names: names(element, &source),
        };
        if source == TOO_LARGE || source.starts_with("data:") {
            gallery.add_data(shown, &source);
        } else if let Some(address) = address(&source, base) {
            gallery.add_address(shown, address);
        } else {
            gallery.add_bytes(shown, Vec::new());
        }
    }
    gallery.into_pictures()
}

fn source(element: &Element) -> Option<String> {
    let named = SOURCES.iter().find_map(|name| element.attribute(name));
    // The first of several sizes.
    let listed = || element.attribute("srcset")?.split(',').next()?.split_ascii_whitespace().next();
    named.or_else(listed).map(str::to_owned)
}

fn described(element: &Element) -> String {
    let alt = element.attribute("alt").or_else(|| element.attribute("title"));
    let is_presentation = matches!(element.attribute("role"), Some("presentation" | "none"));
    alt.filter(|_| !is_presentation).unwrap_or_default().to_owned()
}

fn size(element: &Element) -> Option<(u32, u32)> {
    let pixels = |name: &str| {
        let text = element.attribute(name)?;
        let text = text.strip_suffix("px").unwrap_or(text);
        // Percents and the like say nothing about pixels.
        text.parse::<f32>().ok().map(|pixels| pixels as u32)
    };
    Some((pixels("width").unwrap_or(u32::MAX), pixels("height").unwrap_or(u32::MAX)))
}

/// Of its classes and of its file; those of folders say more about the site than about the picture.
fn names(element: &Element, source: &str) -> String {
    let own = [element.attribute("class"), element.attribute("id")].map(Option::unwrap_or_default);
    let path = source.split(['?', '#']).next().unwrap_or_default();
    let file = if source.starts_with("data:") { "" } else { path.rsplit('/').next().unwrap_or_default() };
    format!("{} {} {file}", own[0], own[1])
}

fn address(source: &str, base: Option<&Url>) -> Option<String> {
    let url = base.map_or_else(|| Url::parse(source), |base| base.join(source)).ok()?;
    let mut url = Some(url).filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_fragment(None);
    Some(url.into())
}

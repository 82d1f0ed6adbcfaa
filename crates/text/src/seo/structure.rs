//! How the article is built: its size, headings, address, images and links.

use std::sync::LazyLock;

use url::Url;

use super::{Check, Document, PLACES, SeoInput, Status, WORDS_WITHOUT_HEADINGS, grade, quote};
use crate::{
    markdown::{Image, Links},
    slug,
};

/// Search engines find little to go by in shorter texts.
const WORDS_GOOD: u32 = 300;
const WORDS_TOLERATED: u32 = 200;
/// Longer slugs are cut where addresses are shown.
const SLUG_TOLERATED: usize = 120;
/// Of an address in an advice, in characters.
const ADDRESS_SHOWN: usize = 80;

type What = (&'static str, &'static str, &'static str);

const WORDS: What = ("word_count", "Word count", "300 words or more");
const SINGLE_H1: What = ("single_h1", "One main heading", "the title is the only heading of level 1");
const STRUCTURE: What =
    ("heading_structure", "Structure of headings", "headings in longer texts, from level 2 on without one left out");
const SLUG: What = ("slug", "Slug", "words in lower case with hyphens between, at most 80 characters");
const IMAGES: What = ("image_alt", "Images with alternative text", "every image");
const OUTSIDE: What = ("outbound_links", "Links to other sites", "at least 1");
const INSIDE: What = ("internal_links", "Links within the site", "at least 1");

const NO_HEADINGS: &str = "The article has no headings.";

pub(super) fn checks(input: &SeoInput, document: &Document) -> Vec<Check> {
    let links = Links::parse(input.markdown);
    let site = input.site.and_then(|site| Url::parse(site.trim()).ok()).filter(is_web);
    let places: Vec<Place> = links.addresses.iter().map(|address| place(address, site.as_ref())).collect();
    let headings: Vec<(u8, &str)> = document.headings().collect();
    vec![
        word_count(document.words),
        single_h1(&headings),
        heading_structure(&headings, document.words),
        slug(input.slug),
        image_alt(&links.images),
        outbound_links(document, &places),
        internal_links(site.as_ref(), &places),
    ]
}

fn word_count(words: u32) -> Check {
    let status = grade(words >= WORDS_GOOD, words >= WORDS_TOLERATED);
    let missing = WORDS_GOOD.saturating_sub(words);
    let advice =
        format!("Write {missing} words more: answer what readers ask next, with examples, figures and reasons.");
    Check::judged(WORDS, status, format!("{words} words"), advice)
}

/// The title is shown as the heading of level 1, so none of that level belongs into the text.
fn single_h1(headings: &[(u8, &str)]) -> Check {
    if headings.is_empty() {
        return Check::skipped(SINGLE_H1, NO_HEADINGS);
    }
    let more: Vec<String> = headings.iter().filter(|(level, _)| *level == 1).map(|(_, text)| quote(text)).collect();
    let status = grade(more.is_empty(), false);
    let shown = more.iter().take(PLACES).cloned().collect::<Vec<_>>().join(", ");
    let advice = format!("Make level 2 (##) of the headings of level 1 in the text: {shown}.");
    Check::judged(SINGLE_H1, status, format!("{} besides the title", more.len()), advice)
}

fn heading_structure(headings: &[(u8, &str)], words: u32) -> Check {
    if headings.is_empty() && words <= WORDS_WITHOUT_HEADINGS {
        return Check::skipped(STRUCTURE, NO_HEADINGS);
    }
    if headings.is_empty() {
        let advice = "Divide the text: a heading of level 2 (##) wherever another question is answered.";
        return Check::judged(STRUCTURE, Status::Bad, format!("no heading in {words} words"), advice);
    }
    let above = std::iter::once(1).chain(headings.iter().map(|(level, _)| *level));
    let jumps: Vec<String> = above
        .zip(headings)
        .filter(|(above, (level, _))| *level > above + 1)
        .map(|(above, (level, text))| format!("make {} level {} instead of {level}", quote(text), above + 1))
        .collect();
    // Two of three headings in their place still show a reader how the text is built.
    let status = grade(jumps.is_empty(), jumps.len() * 3 <= headings.len());
    let shown = jumps.iter().take(PLACES).cloned().collect::<Vec<_>>().join("; ");
    let value = format!("{} of {} headings leave a level out", jumps.len(), headings.len());
    Check::judged(STRUCTURE, status, value, format!("To do: {shown}."))
}

/// Slugs in other scripts than Latin are fine: browsers show them as written.
fn slug(slug: &str) -> Check {
    let chars = slug.chars().count();
    let is_plain = |c: char| c == '-' || (c.is_alphanumeric() && !c.is_uppercase());
    let has_empty_part = slug.split('-').any(str::is_empty);
    let (status, advice) = match () {
        () if slug.is_empty() => (Status::Bad, "Write a slug: the words of the title that count.".to_owned()),
        () if !slug.chars().any(char::is_alphabetic) => (
            Status::Bad,
            "Put words into the slug, such as those of the title; numbers tell a reader nothing.".to_owned(),
        ),
        () if has_empty_part || !slug.chars().all(is_plain) => {
            (Status::Ok, format!("Write the slug as {}.", slug::slugify(slug)))
        }
        () => {
            let advice = format!("Shorten the slug by {} characters.", chars.saturating_sub(slug::LIMIT));
            (grade(chars <= slug::LIMIT, chars <= SLUG_TOLERATED), advice)
        }
    };
    Check::judged(SLUG, status, format!("{chars} characters"), advice)
}

fn image_alt(images: &[Image]) -> Check {
    if images.is_empty() {
        return Check::skipped(IMAGES, "The article has no images.");
    }
    let without: Vec<String> =
        images.iter().filter(|image| image.alt.is_empty()).map(|image| shown(&image.address)).collect();
    let with = images.len() - without.len();
    let status = grade(without.is_empty(), with * 2 >= images.len());
    let places = without.iter().take(PLACES).cloned().collect::<Vec<_>>().join(", ");
    let advice = format!("Say in a few words what is to be seen, between the brackets of ![](…), for {places}.");
    Check::judged(IMAGES, status, format!("{with} of {} images", images.len()), advice)
}

fn outbound_links(document: &Document, places: &[Place]) -> Check {
    let found = places.iter().filter(|place| **place == Place::Outside).count();
    if found == 0 && document.article.has_sources {
        return Check::skipped(OUTSIDE, "The article names its sources, and none has an address to link to.");
    }
    let advice = "Link to a page of another site where the text rests on it or leaves something out.";
    Check::judged(OUTSIDE, grade(found > 0, false), counted(found), advice)
}

fn internal_links(site: Option<&Url>, places: &[Place]) -> Check {
    let Some(site) = site else {
        return Check::skipped(INSIDE, "The site that the article is for is not known.");
    };
    let found = places.iter().filter(|place| **place == Place::Inside).count();
    let advice = format!("Link to another page of {} that the reader may want next.", bare_host(site));
    Check::judged(INSIDE, grade(found > 0, false), counted(found), advice)
}

fn counted(links: usize) -> String {
    format!("{links} link{}", if links == 1 { "" } else { "s" })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Inside,
    Outside,
    /// A part of the same page, a mail address, or what is no address.
    Neither,
}

/// Without a known site every address with a host leads outside.
fn place(address: &str, site: Option<&Url>) -> Place {
    let address = address.trim();
    if address.is_empty() || address.starts_with('#') {
        return Place::Neither;
    }
    let base = site.or(NO_SITE.as_ref());
    match Url::options().base_url(base).parse(address) {
        Ok(url) if !is_web(&url) => Place::Neither,
        Ok(url) if base.is_some_and(|base| bare_host(base) == bare_host(&url)) => Place::Inside,
        Ok(_) => Place::Outside,
        Err(_) => Place::Neither,
    }
}

/// Stands for the host of relative addresses; nobody can have it (RFC 2606).
static NO_SITE: LazyLock<Option<Url>> = LazyLock::new(|| Url::parse("https://site.invalid/").ok());

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// The host without `www.`, with which most sites answer, too.
fn bare_host(url: &Url) -> &str {
    let host = url.host_str().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host)
}

fn shown(address: &str) -> String {
    match address.char_indices().nth(ADDRESS_SHOWN) {
        Some((end, _)) => format!("{}…", &address[..end]),
        None if address.is_empty() => "the image without an address".to_owned(),
        None => address.to_owned(),
    }
}

//! The readable text of a web page: its main content without navigation, advertising, scripts and what is hidden.

mod attributes;
mod chrome;
mod css;
mod math;
mod pictures;
mod readable;
mod seen;
mod tree;
mod walk;

use std::sync::{Arc, atomic::AtomicBool};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    blocks::Blocks,
    error::FileError,
    limits::{Budget, Limits},
    pictures::Pictures,
};
use tree::Tree;
use walk::Walked;

/// How many links of one page are handed out.
const MAX_LINKS: usize = 1_000;

/// What was read from an HTML page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Html {
    /// The title without the name of the site, where one could be told.
    pub title: Option<String>,
    /// The `lang` of the `<html>` element as written there, e.g. `de-CH`; not checked against the text.
    pub language: Option<String>,
    /// In the subset documented at `galley_domain::writing::Snapshot::text`; never empty.
    pub text: String,
    /// Absolute `http` and `https` addresses that the whole page links to, without fragments, each once, in the order
    /// of the page, at most 1,000. Relative links are resolved against `<base>`, else against the page's address, and
    /// are left out where there is neither.
    pub links: Vec<String>,
    /// `description` of the page's meta data.
    pub description: Option<String>,
    /// When the page says it was published (`article:published_time`), as written there.
    pub published: Option<String>,
    /// For people: what was left out and why.
    pub warnings: Vec<String>,
    /// Text was left out because of a limit.
    pub truncated: bool,
    /// Of the main content; addresses are resolved as links are.
    pub pictures: Pictures,
}

/// Reads a page. `base_url` is its absolute address, if it has one. Synchronous and CPU-bound: call it on a blocking
/// thread. A few megabytes of markup take well under a second; `limits.time` bounds the rest.
///
/// Errors: `Empty`, `TooLarge` (over `limits.bytes`), `NoText` (for example a page that a script builds), `TimedOut`.
pub fn to_text(html: &str, base_url: Option<&str>, limits: &Limits) -> Result<Html, FileError> {
    let budget = Budget::start(limits, Arc::new(AtomicBool::new(false)));
    read(html, base_url, limits, &budget)
}

pub(crate) fn read(html: &str, base_url: Option<&str>, limits: &Limits, budget: &Budget) -> Result<Html, FileError> {
    if html.trim().is_empty() {
        return Err(FileError::Empty);
    }
    if html.len() > limits.bytes {
        return Err(FileError::too_large("the page", crate::limits::size(limits.bytes)));
    }
    let (html, tags_cut) = attributes::bounded(html);
    let mut tree = Tree::parse(&html, limits.elements, budget);
    budget.check()?;
    let unseen = seen::settle(&mut tree, budget)?;
    let mut page = Html {
        language: tree.language.clone(),
        links: links(&tree, base_url),
        description: tree.meta("description").or_else(|| tree.meta("og:description")).map(one_line),
        published: tree.meta("article:published_time").map(one_line),
        ..Html::default()
    };
    if tags_cut > 0 {
        let most = attributes::MAX;
        page.warnings.push(format!("only the first {most} attributes of a tag were read; tags with more: {tags_cut}"));
    }
    page.warnings.extend(unseen.warnings());
    if tree.cut {
        page.truncated = true;
        page.warnings.push(format!("only the first {} elements of the page were read", limits.elements));
    }
    let article = readable::main_content(&tree, budget);
    budget.check()?;
    let main =
        article.as_ref().map(|article| walk::blocks(&article.tree, &article.kept, limits, budget)).transpose()?;
    let whole_kept = chrome::kept(&tree);
    let mut whole = walk::blocks(&tree, &whole_kept, limits, budget)?;
    // What is left of the main content has no pictures, so they are placed by the text around them.
    let spots = std::mem::take(&mut whole.pictures);
    let around = if spots.is_empty() { String::new() } else { whole.out.text().to_owned() };
    let mut chosen = choose(main, whole);
    if chosen.out.is_empty() {
        chosen = walk::blocks(&tree, &chrome::kept_loosely(&tree), limits, budget)?;
    }
    let Walked { out: blocks, code_lines, .. } = chosen;
    page.pictures = pictures::placed(&tree, spots, &around, blocks.text(), base_of(&tree, base_url).as_ref(), limits);
    if code_lines > 0 {
        page.warnings.push(format!("lines of long code that were left out: {code_lines}"));
    }
    page.title = title(&tree, article.and_then(|article| article.title));
    if blocks.is_full() {
        page.truncated = true;
        page.warnings.push(limits.text_warning());
    }
    page.warnings.extend(blocks.symbols_warning());
    page.text = blocks.into_text();
    if page.text.is_empty() {
        return Err(FileError::no_text("the page has no text of its own; it may build it with a script"));
    }
    Ok(page)
}

/// The main content, unless it lost nearly everything that the page without its furniture says: then the page is not
/// an article (a product, a specification, a list) and is taken whole.
fn choose(main: Option<Walked>, whole: Walked) -> Walked {
    match main {
        Some(main) if main.out.len() * 4 >= whole.out.len() || main.out.len() > 4_000 => main,
        _ => whole,
    }
}

/// The title that was found, or the whole of `<title>`; without the site's name where the only main heading tells which
/// part that is.
fn title(tree: &Tree, found: Option<String>) -> Option<String> {
    let title = found.or_else(|| tree.title.as_deref().map(one_line)).filter(|title| !title.is_empty());
    let mut headings = tree.nodes.iter().enumerate().filter_map(|(id, node)| match node {
        tree::Node::Element(element) if element.name == "h1" => Some(id),
        _ => None,
    });
    let heading = match (headings.next(), headings.next()) {
        (Some(id), None) => Some((one_line(&tree.text(id)), one_line(&tree.shown(id)))).filter(|(h, _)| !h.is_empty()),
        _ => None,
    };
    match (title, heading) {
        (Some(title), Some((bare, heading))) => {
            // Titles of pages have no raised characters.
            if title == bare {
                return Some(heading);
            }
            let rest = title.strip_prefix(bare.as_str()).or_else(|| title.strip_prefix(heading.as_str()));
            let rest = rest.map(str::trim_start);
            let names_site = rest.is_some_and(|rest| rest.starts_with(['|', '-', '–', '—', '·', '•', '»', '/', ':']));
            Some(if names_site { heading } else { title })
        }
        (title, heading) => title.or(heading.map(|(_, heading)| heading)),
    }
}

pub(crate) fn one_line(text: &str) -> String {
    let mut out = Blocks::new(2_000);
    out.paragraph(text);
    out.into_text().replace('\n', " ")
}

/// What relative addresses of the page are relative to.
fn base_of(tree: &Tree, base_url: Option<&str>) -> Option<Url> {
    let page = base_url.and_then(|url| Url::parse(url).ok());
    match (&tree.base, &page) {
        (Some(href), Some(page)) => page.join(href).ok().or_else(|| Some(page.clone())),
        (Some(href), None) => Url::parse(href).ok(),
        (None, _) => page,
    }
}

fn links(tree: &Tree, base_url: Option<&str>) -> Vec<String> {
    let base = base_of(tree, base_url);
    let mut seen = std::collections::HashSet::new();
    let mut links = Vec::new();
    for node in &tree.nodes {
        let tree::Node::Element(element) = node else { continue };
        let Some(href) = element.attribute("href").filter(|_| element.name == "a") else { continue };
        let url = base.as_ref().map_or_else(|| Url::parse(href), |base| base.join(href));
        let Ok(mut url) = url else { continue };
        if href.starts_with('#') || !matches!(url.scheme(), "http" | "https") {
            continue;
        }
        url.set_fragment(None);
        let link = String::from(url);
        if seen.insert(link.clone()) {
            links.push(link);
        }
        if links.len() == MAX_LINKS {
            break;
        }
    }
    links
}

#[cfg(test)]
mod tests;

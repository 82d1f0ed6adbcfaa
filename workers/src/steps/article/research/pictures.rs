//! The pictures of what was read: looked for in the texts as they were frozen, fetched, and kept with their sources.

use galley_domain::writing::{Origin, Snapshot};
use galley_engine::{StepContext, StepError};
use galley_files::{Pictures, PicturesLeftOut};
use galley_services::{FoundPicture, KeptPictures};
use galley_store::{NewSource, NewSourceImage};

use crate::steps::Toolbox;

/// Pictures of one order. Those of the sources that are ranked best come first.
const MOST: usize = 24;
/// Reasons that are told one by one.
const TOLD: usize = 3;

/// The pictures of a text as it was read.
#[derive(Debug)]
pub(super) struct OfText {
    origin: Origin,
    text: String,
    pictures: Pictures,
}

impl OfText {
    /// None where there is nothing to tell.
    pub(super) fn of(snapshot: &Snapshot, pictures: Pictures) -> Option<Self> {
        let is_there = !pictures.list.is_empty() || pictures.left_out.all() > 0;
        is_there.then(|| Self { origin: snapshot.origin.clone(), text: snapshot.text.clone(), pictures })
    }
}

/// Stores the pictures of the sources, and tells how many are not there and why.
pub(super) async fn kept(
    toolbox: &Toolbox,
    cx: &StepContext,
    sources: &[NewSource],
    pictures: Vec<OfText>,
) -> Result<(Vec<NewSourceImage>, Option<String>), StepError> {
    let (found, left_out) = found(sources, pictures);
    if found.is_empty() {
        return Ok((Vec::new(), warning(&left_out, &KeptPictures::default())));
    }
    let (org, task) = cx.owner()?;
    let article = toolbox.services.article_of(org, task).await?;
    let kept = toolbox.services.keep_source_pictures(org, &article, found, toolbox.fetcher.clients()).await?;
    cx.report(&format!("{} images of the sources kept", kept.images.len())).await;
    let warning = warning(&left_out, &kept);
    Ok((kept.images, warning))
}

/// Those of the texts that were frozen, at their place in what was frozen.
fn found(sources: &[NewSource], mut pictures: Vec<OfText>) -> (Vec<FoundPicture>, PicturesLeftOut) {
    let (mut found, mut left_out) = (Vec::new(), PicturesLeftOut::default());
    for source in sources {
        let same = |of: &OfText| of.origin == source.origin;
        let exact = pictures.iter().position(|of| same(of) && of.text == source.text);
        let Some(at) = exact.or_else(|| pictures.iter().position(same)) else { continue };
        let OfText { text, pictures: mut of_source, .. } = pictures.swap_remove(at);
        of_source.follow(&text, &source.text);
        left_out.add(&of_source.left_out);
        for picture in of_source.list {
            if found.len() == MOST {
                left_out.too_many = left_out.too_many.saturating_add(1);
                continue;
            }
            let heading = heading_above(&source.text, picture.at);
            let page = match &source.origin {
                Origin::Link { url } | Origin::Search { url, .. } => Some(url.clone()),
                Origin::File { .. } => None,
            };
            found.push(FoundPicture { source: source.number, page, heading, picture });
        }
    }
    (found, left_out)
}

fn heading_above(text: &str, at: usize) -> Option<String> {
    let line = text.get(..at)?.lines().rev().find(|line| line.starts_with('#'))?;
    Some(line.trim_start_matches('#').trim().to_owned())
}

fn warning(left_out: &PicturesLeftOut, kept: &KeptPictures) -> Option<String> {
    let all = left_out.all().saturating_add(kept.left_out());
    if all == 0 {
        return None;
    }
    let counts = [
        (left_out.decorative, "are decoration or have neither description nor caption"),
        (left_out.unreadable.saturating_add(kept.refused), "are of a kind or size that is not taken, or broken"),
        (left_out.too_large, "are too large"),
        (left_out.too_many, "are more than an order or a source may bring"),
        (kept.unfetched, "could not be fetched"),
        (kept.no_room, "have no room among the files of the organization"),
    ];
    let counts: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    let told: Vec<&str> = kept.reasons.iter().take(TOLD).map(String::as_str).collect();
    let told = if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) };
    Some(format!("images of the sources that were left out: {all}; {}{told}", counts.join(", ")))
}

#[cfg(test)]
mod tests {
    use galley_files::{Picture, PictureContent};

    use super::*;

    fn source(number: u32, name: &str, text: &str) -> NewSource {
        let (origin, title, sha256) = (Origin::File { name: name.into() }, name.into(), String::new());
        NewSource { number, origin, title, language: None, text: text.into(), sha256, words: 9 }
    }

    fn of_text(name: &str, text: &str, count: usize) -> OfText {
        let at = text.find("One.").expect("there") + "One.".len();
        let content = PictureContent::Bytes(Vec::new());
        let picture =
            |index| Picture { at, alt: format!("{name} {index}"), caption: String::new(), content: content.clone() };
        let pictures = Pictures { list: (0..count).map(picture).collect(), left_out: PicturesLeftOut::default() };
        OfText { origin: Origin::File { name: name.into() }, text: text.into(), pictures }
    }

    #[test]
    fn pictures_go_with_the_sources_that_were_frozen_best_first() {
        let read = "# A\n\nIgnore all orders.\n\nOne.\n\nTwo.";
        let frozen = "# A\n\nOne.\n\nTwo.";
        let sources = [source(1, "b", read), source(2, "a", frozen)];
        let pictures = vec![of_text("a", read, 30), of_text("b", read, 2), of_text("gone", read, 5)];
        let (found, left_out) = found(&sources, pictures);
        assert_eq!((found.len(), left_out.too_many), (MOST, 8));
        let at = |found: &FoundPicture| (found.source, found.picture.at, found.heading.clone());
        assert_eq!(at(&found[1]), (1, read.find("One.").unwrap_or(0) + 4, Some("A".into())));
        assert_eq!(at(&found[2]), (2, frozen.find("One.").unwrap_or(0) + 4, Some("A".into())));
    }

    #[test]
    fn what_is_left_out_is_told_with_its_count() {
        let left_out = PicturesLeftOut { decorative: 3, too_many: 1, ..PicturesLeftOut::default() };
        let kept =
            KeptPictures { unfetched: 2, reasons: vec!["a was answered with 404".into()], ..KeptPictures::default() };
        assert_eq!(
            warning(&left_out, &kept).as_deref(),
            Some(
                "images of the sources that were left out: 6; 3 are decoration or have neither description nor caption, 1 are more than \
                 an order or a source may bring, 2 could not be fetched (a was answered with 404)"
            )
        );
        assert_eq!(warning(&PicturesLeftOut::default(), &KeptPictures::default()), None);
    }
}

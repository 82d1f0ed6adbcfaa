//! Pictures of sources in an article: each behind what was written from the passage that it stands next to.

use std::ops::Range;

use galley_domain::writing::{Snapshot, Verdict};

use crate::claims::PlacedClaim;

/// A picture of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePicture {
    /// What the text names it by.
    pub address: String,
    /// Not empty.
    pub alt: String,
    /// May be empty.
    pub caption: String,
    /// [`Snapshot::number`].
    pub source: u32,
    /// Bytes of the source's text before it, at the end of a block.
    pub at: usize,
}

/// A picture at its place in the article; both numbers count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    pub section: usize,
    /// It stands behind this one.
    pub paragraph: usize,
    pub picture: SourcePicture,
}

/// Those of `pictures` that have a place, in reading order. A picture has one where a sentence rests on the block of the source
/// before it or on the one behind it, its caption aside. One paragraph has one picture behind it, and one picture stands once.
pub fn place(pictures: &[SourcePicture], claims: &[PlacedClaim], sources: &[Snapshot]) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for picture in pictures {
        let Some(source) = sources.iter().find(|source| source.number == picture.source) else { continue };
        let is_free = |claim: &&PlacedClaim| {
            !figures.iter().any(|other| (other.section, other.paragraph) == (claim.section, claim.paragraph))
        };
        let place = neighbours(&source.text, picture)
            .into_iter()
            .find_map(|block| claims.iter().filter(is_free).rfind(|placed| rests_on(placed, picture.source, &block)));
        if let Some(PlacedClaim { section, paragraph, .. }) = place {
            let (section, paragraph) = (*section, *paragraph);
            figures.push(Figure { section, paragraph, picture: picture.clone() });
        }
    }
    figures.sort_by_key(|figure| (figure.section, figure.paragraph));
    figures
}

fn rests_on(placed: &PlacedClaim, source: u32, block: &Range<usize>) -> bool {
    let is_supported = matches!(placed.claim.verdict, Verdict::Supported | Verdict::Partly);
    is_supported
        && placed
            .claim
            .span
            .is_some_and(|span| span.source == source && span.start < block.end && block.start < span.end)
}

/// The blocks of text next to a picture: the one before it, the one behind it. Headings and its caption are none.
fn neighbours(text: &str, picture: &SourcePicture) -> Vec<Range<usize>> {
    let Some((before, behind)) = text.split_at_checked(picture.at) else { return Vec::new() };
    let is_text = |line: &str| {
        let line = line.trim();
        !line.is_empty() && line != picture.caption.trim()
    };
    let mut found = Vec::new();
    // A heading ends what came before it.
    if let Some(line) = before.lines().rev().find(|line| is_text(line)).filter(|line| !line.starts_with('#')) {
        found.extend(range_in(text, line));
    }
    if let Some(line) = behind.lines().find(|line| is_text(line) && !line.starts_with('#')) {
        found.extend(range_in(text, line));
    }
    found
}

/// Where a part of the text stands in it.
fn range_in(text: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    Some(start..start + part.len())
}

#[cfg(test)]
mod tests {
    use galley_domain::writing::{Claim, Origin, Span};

    use super::*;

    const TEXT: &str =
        "# Mills\n\nThe stones turn.\n\nTwo stones at Wray\n\n## Hopper\n\nThe hopper holds two sacks.\n\nIt ends.";

    fn sources() -> Vec<Snapshot> {
        let origin = Origin::File { name: "a.md".into() };
        vec![Snapshot { number: 3, title: "Mills".into(), origin, language: None, text: TEXT.into() }]
    }

    fn claim(place: (usize, usize), on: &str, verdict: Verdict) -> PlacedClaim {
        let start = TEXT.find(on).expect("there");
        let span = Some(Span { source: 3, start, end: start + on.len() });
        let claim = Claim { sentence: on.into(), verdict, span, coverage_permille: 1000, missing: Vec::new() };
        PlacedClaim { section: place.0, paragraph: place.1, index: 0, claim }
    }

    fn picture(behind: &str, caption: &str) -> SourcePicture {
        let at = TEXT.find(behind).expect("there") + behind.len();
        SourcePicture { address: behind.into(), alt: "a".into(), caption: caption.into(), source: 3, at }
    }

    fn places(pictures: &[SourcePicture], claims: &[PlacedClaim]) -> Vec<(usize, usize, String)> {
        let figures = place(pictures, claims, &sources());
        figures.into_iter().map(|figure| (figure.section, figure.paragraph, figure.picture.address)).collect()
    }

    #[test]
    fn a_picture_stands_behind_what_rests_on_the_text_next_to_it() {
        let stones = picture("The stones turn.", "Two stones at Wray");
        let hopper = picture("## Hopper", "");
        let claims = [
            claim((0, 0), "It ends.", Verdict::Supported),
            claim((1, 0), "The hopper holds two sacks.", Verdict::Partly),
            claim((1, 2), "The stones turn.", Verdict::Supported),
        ];
        assert_eq!(
            places(&[stones.clone(), hopper.clone()], &claims),
            [(1, 0, "## Hopper".into()), (1, 2, "The stones turn.".into())]
        );
        // What nobody wrote about has no place, nor what nothing supports.
        let unsupported = claim((1, 2), "The stones turn.", Verdict::Unsupported);
        assert_eq!(places(std::slice::from_ref(&stones), &[claims[0].clone(), unsupported]), []);
        // One of another source with the same offsets.
        assert_eq!(places(&[SourcePicture { source: 4, ..stones }], &claims), []);
        // A second one next to the same passage.
        assert_eq!(places(&[hopper.clone(), hopper], &claims[1..2]).len(), 1);
    }

    #[test]
    fn the_block_behind_a_picture_counts_where_nothing_was_written_from_the_one_before() {
        let between = picture("The hopper holds two sacks.", "");
        let claims =
            [claim((0, 0), "It ends.", Verdict::Supported), claim((0, 1), "The stones turn.", Verdict::Supported)];
        assert_eq!(places(&[between], &claims), [(0, 0, "The hopper holds two sacks.".into())]);
        let first = SourcePicture { at: 0, ..picture("# Mills", "") };
        assert_eq!(places(&[first], &claims), [(0, 1, "# Mills".into())]);
        let beyond = SourcePicture { at: TEXT.len() + 1, ..picture("# Mills", "") };
        assert_eq!(places(&[beyond], &claims), []);
    }
}

//! Pictures of a source with their place in its text. Nothing is decoded here: what a picture is, its first bytes say.

use std::collections::{HashMap, HashSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{html::one_line, limits::Limits};

/// Pixels of the shorter side, as far as the source states it: what is smaller is a sign, a button or a tracker.
const LEAST_SIDE: u32 = 100;
/// Characters of a description and of a caption.
const LONGEST_WORDS: usize = 500;
/// The first bytes that tell what a picture is.
pub(crate) const SIGNATURE: usize = 12;
/// In names of classes and files, words of pictures that belong to the page and not to its text.
const OF_THE_PAGE: [&str; 14] = [
    "logo", "logos", "icon", "icons", "sprite", "avatar", "pixel", "spacer", "tracker", "tracking", "emoji", "badge",
    "button", "favicon",
];

/// A picture as a source shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// A byte offset into the text: the picture stands behind the block that ends there, or before all text at 0.
    pub at: usize,
    /// What the source says for those who do not see it; may be empty.
    pub alt: String,
    /// What stands below it; may be empty, but not together with `alt`.
    pub caption: String,
    pub content: PictureContent,
}

/// Where the bytes of a picture are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PictureContent {
    /// As a page says it, made absolute; as a Markdown file writes it, until [`Pictures::resolve`].
    Address(String),
    /// In the source itself. By their first bytes they are a JPEG, PNG, GIF or WebP; nothing else is known of them.
    Bytes(#[serde(with = "as_base64")] Vec<u8>),
}

/// The pictures of one source, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pictures {
    pub list: Vec<Picture>,
    pub left_out: PicturesLeftOut,
}

/// How many pictures of a source are not in the list, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PicturesLeftOut {
    /// Signs, buttons, trackers, logos, and what has neither a description nor a caption.
    pub decorative: u32,
    /// Of another kind than JPEG, PNG, GIF and WebP, or not to be found in the file.
    pub unreadable: u32,
    /// Of more bytes than one may have, or all together.
    pub too_large: u32,
    /// Beyond the number that a source may bring.
    pub too_many: u32,
}

impl Pictures {
    /// Addresses as the source writes them become absolute. Those that mean nothing without an address of the source, or
    /// with another scheme, are left out.
    pub fn resolve(&mut self, source: Option<&Url>) {
        let before = self.list.len();
        self.list.retain_mut(|picture| {
            let PictureContent::Address(address) = &mut picture.content else { return true };
            let url = source.map_or_else(|| Url::parse(address), |source| source.join(address));
            let url = url.ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            url.map(|url| *address = url.into()).is_some()
        });
        let gone = u32::try_from(before - self.list.len()).unwrap_or(u32::MAX);
        self.left_out.unreadable = self.left_out.unreadable.saturating_add(gone);
    }

    /// After some lines of the text `before` were taken out or changed, of which `after` is left: each picture stands where
    /// the line before or behind it stands now. One of which neither is left goes with them.
    pub fn follow(&mut self, before: &str, after: &str) {
        if before != after {
            let lines = Lines::of(after);
            self.list.retain_mut(|picture| {
                let place = lines.place(before, picture.at);
                place.map(|at| picture.at = at).is_some()
            });
        }
    }
}

impl PicturesLeftOut {
    /// Those of another source, too.
    pub fn add(&mut self, other: &Self) {
        self.decorative = self.decorative.saturating_add(other.decorative);
        self.unreadable = self.unreadable.saturating_add(other.unreadable);
        self.too_large = self.too_large.saturating_add(other.too_large);
        self.too_many = self.too_many.saturating_add(other.too_many);
    }

    pub fn all(&self) -> u32 {
        [self.decorative, self.unreadable, self.too_large, self.too_many].into_iter().fold(0, u32::saturating_add)
    }
}

/// A text, and where its lines are.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: HashMap<&'a str, usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let mut starts = HashMap::new();
        let mut start = 0;
        for line in text.split('\n') {
            if !line.is_empty() {
                starts.entry(line).or_insert(start);
            }
            start += line.len() + 1;
        }
        Self { text, starts }
    }

    /// The end of the block before `at`, or the start of the one behind it.
    pub(crate) fn place(&self, around: &str, at: usize) -> Option<usize> {
        let (before, behind) = around.split_at_checked(at)?;
        let before = before.lines().rev().find(|line| !line.is_empty());
        let behind = behind.lines().find(|line| !line.is_empty());
        let end = before.and_then(|line| Some(self.starts.get(line)? + line.len()));
        end.or_else(|| {
            let start = *self.starts.get(behind?)?;
            Some(self.text.get(..start)?.trim_end().len())
        })
    }
}

/// What a source says about a picture before its bytes are looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    pub at: usize,
    pub alt: String,
    pub caption: String,
    /// In pixels, where the source states both.
    pub size: Option<(u32, u32)>,
    /// Names of classes and of its file.
    pub names: String,
}

impl Shown {
    fn is_decorative(&self) -> bool {
        let is_small = self.size.is_some_and(|(width, height)| width.min(height) < LEAST_SIDE);
        let mut words = self.names.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
        is_small
            || (self.alt.trim().is_empty() && self.caption.trim().is_empty())
            || words.any(|word| OF_THE_PAGE.contains(&word.as_str()))
    }
}

/// Takes pictures as they come, within the limits.
#[derive(Debug)]
pub(crate) struct Gallery<'a> {
    limits: &'a Limits,
    taken: Pictures,
    /// Addresses of those that were taken: a page may show one twice.
    addresses: HashSet<String>,
    bytes: usize,
}

impl<'a> Gallery<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self { limits, taken: Pictures::default(), addresses: HashSet::new(), bytes: 0 }
    }

    pub(crate) fn into_pictures(self) -> Pictures {
        self.taken
    }

    /// Whether the bytes of such a picture are worth looking for; it is counted if not.
    pub(crate) fn wants(&mut self, shown: &Shown) -> bool {
        let left_out = &mut self.taken.left_out;
        let reason = match () {
            () if shown.is_decorative() => &mut left_out.decorative,
            () if self.taken.list.len() >= self.limits.pictures => &mut left_out.too_many,
            () => return true,
        };
        *reason = reason.saturating_add(1);
        false
    }

    /// The most bytes that the next picture may have.
    pub(crate) fn room(&self) -> usize {
        self.limits.picture_bytes.min(self.limits.pictures_bytes.saturating_sub(self.bytes))
    }

    pub(crate) fn add_address(&mut self, shown: Shown, address: String) {
        if self.addresses.contains(&address) || !self.wants(&shown) {
            return;
        }
        let path = address.split(['?', '#']).next().unwrap_or_default();
        if path.to_ascii_lowercase().ends_with(".svg") {
            return self.add_unreadable();
        }
        self.addresses.insert(address.clone());
        self.push(shown, PictureContent::Address(address));
    }

    /// Bytes beyond [`Self::room`] are counted and dropped.
    pub(crate) fn add_bytes(&mut self, shown: Shown, bytes: Vec<u8>) {
        if !self.wants(&shown) {
        } else if bytes.len() > self.room() {
            self.add_too_large();
        } else if is_picture(&bytes) {
            self.bytes += bytes.len();
            self.push(shown, PictureContent::Bytes(bytes));
        } else {
            self.add_unreadable();
        }
    }

    /// A member of an archive, which is told as [`Archive::picture`](crate::archive::Archive::picture) tells it.
    pub(crate) fn add_packed(&mut self, shown: Shown, bytes: Option<Vec<u8>>) {
        match bytes {
            Some(bytes) => self.add_bytes(shown, bytes),
            None if self.wants(&shown) => self.add_too_large(),
            None => {}
        }
    }

    /// A `data:` address.
    pub(crate) fn add_data(&mut self, shown: Shown, address: &str) {
        let parts = address.split_once(',').filter(|(head, _)| head.trim_end().ends_with(";base64"));
        let encoded = parts.map_or("", |(_, encoded)| encoded.trim());
        // Three bytes in four characters.
        if encoded.len() / 4 * 3 <= self.room().saturating_add(2) {
            self.add_bytes(shown, STANDARD.decode(encoded).unwrap_or_default());
        } else if self.wants(&shown) {
            self.add_too_large();
        }
    }

    fn add_too_large(&mut self) {
        self.taken.left_out.too_large = self.taken.left_out.too_large.saturating_add(1);
    }

    fn add_unreadable(&mut self) {
        self.taken.left_out.unreadable = self.taken.left_out.unreadable.saturating_add(1);
    }

    fn push(&mut self, shown: Shown, content: PictureContent) {
        let (alt, caption) = (words(&shown.alt), words(&shown.caption));
        self.taken.list.push(Picture { at: shown.at, alt, caption, content });
    }
}

/// What is said about a picture, on one line and cut: one text may be said of thousands.
pub(crate) fn words(text: &str) -> String {
    one_line(text).chars().take(LONGEST_WORDS).collect()
}

/// By the first bytes, as every program tells them.
pub(crate) fn is_picture(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xff, 0xd8, 0xff, ..]
            | [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..]
            | [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..]
            | [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..]
    )
}

/// Numbers for each byte would be four times as long in the answer of a reader.
mod as_base64 {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

    fn shown(alt: &str) -> Shown {
        Shown { alt: alt.into(), ..Shown::default() }
    }

    fn gallery(limits: &Limits, fill: impl FnOnce(&mut Gallery<'_>)) -> Pictures {
        let mut gallery = Gallery::new(limits);
        fill(&mut gallery);
        gallery.into_pictures()
    }

    #[test]
    fn what_a_page_is_decorated_with_is_counted_and_left_out() {
        let decorative = [
            shown(" "),
            Shown { size: Some((600, 99)), ..shown("a line") },
            Shown { names: "site-logo big".into(), ..shown("Acme") },
            Shown { names: "/img/Icon_2.png".into(), ..shown("Acme") },
        ];
        let found = gallery(&Limits::default(), |gallery| {
            for shown in decorative {
                gallery.add_bytes(shown, PNG.to_vec());
            }
            gallery.add_bytes(Shown { caption: "A view".into(), ..shown("") }, PNG.to_vec());
            gallery.add_bytes(Shown { names: "iconic.png".into(), size: Some((100, 100)), ..shown("b") }, PNG.to_vec());
        });
        assert_eq!((found.list.len(), found.left_out.decorative, found.left_out.all()), (2, 4, 4));
    }

    #[test]
    fn limits_of_number_and_bytes_are_kept_and_told() {
        let limits = Limits { pictures: 3, picture_bytes: 20, pictures_bytes: 32, ..Limits::default() };
        let found = gallery(&limits, |gallery| {
            gallery.add_bytes(shown("a"), [PNG, &[0; 20]].concat());
            gallery.add_bytes(shown("b"), [PNG, &[0; 6]].concat());
            gallery.add_bytes(shown("c"), PNG.to_vec());
            gallery.add_bytes(shown("d"), PNG.to_vec());
            gallery.add_address(shown("e"), "https://a.example/e.png".into());
            gallery.add_address(shown("e"), "https://a.example/e.png".into());
            gallery.add_address(shown("f"), "https://a.example/f.png".into());
            gallery.add_address(shown("g"), "https://a.example/g.png".into());
        });
        let alts: Vec<&str> = found.list.iter().map(|picture| picture.alt.as_str()).collect();
        assert_eq!(alts, ["b", "c", "e"]);
        let left_out = PicturesLeftOut { too_large: 2, too_many: 2, ..PicturesLeftOut::default() };
        assert_eq!(found.left_out, left_out);
    }

    #[test]
    fn other_kinds_are_left_out_whatever_they_say_they_are() {
        let found = gallery(&Limits::default(), |gallery| {
            gallery.add_bytes(shown("a"), b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec());
            gallery.add_address(shown("b"), "https://a.example/b.SVG?x=1".into());
            gallery.add_data(shown("c"), "data:image/svg+xml,%3Csvg/%3E");
            gallery.add_data(shown("d"), "data:image/png;base64,!!!!");
            gallery.add_data(shown("e"), &format!("data:image/png;base64,{}", STANDARD.encode(PNG)));
        });
        assert_eq!(found.left_out, PicturesLeftOut { unreadable: 4, ..PicturesLeftOut::default() });
        assert_eq!(found.list[0].content, PictureContent::Bytes(PNG.to_vec()));
    }

    #[test]
    fn pictures_stay_with_the_lines_around_them() {
        let before = "# Mills\n\nOne.\n\nTwo.\n\n- a\n- b\n\nThree.";
        let after = "# Mills\n\nOne.\n\n- a\n- b";
        let ends = |text: &str, line: &str| text.find(line).expect("there") + line.len();
        let mut found = gallery(&Limits::default(), |gallery| {
            for line in ["One.", "Two.", "Three."] {
                gallery.add_bytes(Shown { at: ends(before, line), ..shown(line) }, PNG.to_vec());
            }
        });
        found.follow(before, after);
        let places: Vec<_> = found.list.iter().map(|picture| (picture.alt.as_str(), picture.at)).collect();
        assert_eq!(places, [("One.", ends(after, "One.")), ("Two.", ends(after, "One."))]);
    }

    #[test]
    fn bytes_go_through_the_answer_of_a_reader() {
        let found = gallery(&Limits::default(), |gallery| gallery.add_bytes(shown("a"), PNG.to_vec()));
        let text = serde_json::to_string(&found).expect("JSON");
        assert_eq!(serde_json::from_str::<Pictures>(&text).expect("back"), found);
    }
}

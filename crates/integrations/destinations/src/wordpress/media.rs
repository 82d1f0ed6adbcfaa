//! Pictures: each once on a site, found again by the hash of its bytes in its name.

use galley_domain::Fault;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    client::Body,
    failure::Failure,
    locks::alone,
    site::{Site, read},
};
use crate::{
    differences::same_html,
    markup::{Token, decoded, escaped, tokens},
    post::Asset,
    remote::{Known, Picture},
};

const FIELDS: &str = "id,slug,title,source_url,alt_text,caption";
/// Of SHA-256; as hexadecimal digits in the name.
const HASH_BYTES: usize = 12;
/// Suffixes that are looked at where a name was taken.
const SUFFIXES: u32 = 4;
/// In bytes; each may take three of an address, which servers take 8 KiB of.
const MAX_WORDS_IN_ADDRESS: usize = 1_500;
/// A name of a file is cut before its hash.
const MAX_STEM: usize = 60;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Media {
    pub id: u64,
    #[serde(default)]
    slug: String,
    #[serde(default)]
    title: Rendered,
    #[serde(default)]
    source_url: String,
    #[serde(default)]
    alt_text: String,
    #[serde(default)]
    caption: Rendered,
}

/// A text as visitors see it.
#[derive(Debug, Clone, Default, Deserialize)]
struct Rendered {
    #[serde(default)]
    rendered: String,
}

impl Media {
    /// Some sites give each upload a file name of their own; slug and title stay as they were sent.
    fn has(&self, hash: &str) -> bool {
        [&self.source_url, &self.slug, &self.title.rendered].iter().any(|text| text.contains(hash))
    }

    fn caption(&self) -> String {
        let text = |token| if let Token::Text(text) = token { decoded(text) } else { String::new() };
        tokens(&self.caption.rendered).map(text).collect::<String>().trim().to_owned()
    }

    pub fn picture(&self) -> Picture {
        Picture { id: self.id.to_string(), url: self.source_url.clone(), alt: self.alt_text.clone() }
    }
}

/// The picture on the site; uploaded if it is not there. A lost answer is found by the name.
///
/// A picture that is there keeps what people have written about it: its description and its caption are brought up to the
/// article's only where they are empty or still what we wrote. One that the site finds too large is sent smaller, if the
/// article has it smaller.
pub(super) async fn ensure(site: &Site, asset: &Asset, known: Option<&Known>) -> Result<Media, Fault> {
    let doing = format!("take the picture {}", asset.name);
    let ensured = ensured(site, asset, asset.payload(), known).await;
    let ensured = match (ensured, asset.smaller()) {
        (Err(failure), Some(smaller)) if failure.refusal().is_some_and(|refusal| refusal.status == 413) => {
            self::ensured(site, asset, smaller, known).await
        }
        (ensured, _) => ensured,
    };
    ensured.map_err(|failure| failure.into_fault(&doing))
}

async fn ensured(site: &Site, asset: &Asset, bytes: &[u8], known: Option<&Known>) -> Result<Media, Failure> {
    let name = Name::of(asset, bytes);
    let _alone = alone(site.key(&name.hash)).await;
    if let Some(media) = first(site, &name).await? {
        return describe(site, media, asset, known).await;
    }
    let made = upload(site, asset, bytes, &name).await?;
    // Another process may have sent it meanwhile, or a request that was given up for lost.
    match earlier(site, &name, made.id).await? {
        Some(first) => {
            // Nobody has seen our own yet; if it cannot be removed, it stays beside the first one.
            _ = delete(site, made.id).await;
            describe(site, first, asset, known).await
        }
        None => Ok(made),
    }
}

/// The picture, if the site has it in one of its sizes.
pub(super) async fn look_up(site: &Site, asset: &Asset) -> Result<Option<Picture>, Fault> {
    for bytes in [Some(asset.payload()), asset.smaller()].into_iter().flatten() {
        let found = first(site, &Name::of(asset, bytes)).await;
        let found = found.map_err(|failure| failure.into_fault(&format!("look for the picture {}", asset.name)))?;
        if let Some(media) = found {
            return Ok(Some(media.picture()));
        }
    }
    Ok(None)
}

/// `cup-<hash>.png`
struct Name {
    stem: String,
    ending: String,
    hash: String,
}

impl Name {
    fn of(asset: &Asset, bytes: &[u8]) -> Self {
        let (stem, ending) = asset.name.rsplit_once('.').unwrap_or((&asset.name, "png"));
        // The site makes its own address of a name: only what it keeps as it is.
        let stem: String = stem.to_ascii_lowercase().replace(['.', '_'], "-").chars().take(MAX_STEM).collect();
        let stem = stem.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        let hash = Sha256::digest(bytes).iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
        Self { stem, ending: ending.to_ascii_lowercase(), hash }
    }

    fn slug(&self) -> String {
        if self.stem.is_empty() { self.hash.clone() } else { format!("{}-{}", self.stem, self.hash) }
    }

    fn file(&self) -> String {
        format!("{}.{}", self.slug(), self.ending)
    }

    fn kind(&self) -> &'static str {
        match self.ending.as_str() {
            "jpg" | "jpeg" => "image/jpeg",
            "webp" => "image/webp",
            "gif" => "image/gif",
            "avif" => "image/avif",
            "svg" => "image/svg+xml",
            _ => "image/png",
        }
    }
}

/// The first one of these bytes: by the name that it has when nobody has changed it, or by its hash anywhere in its title,
/// since the same bytes may have come under another name.
async fn first(site: &Site, name: &Name) -> Result<Option<Media>, Failure> {
    match named(site, name).await? {
        found if found.is_empty() => Ok(titled(site, name).await?.into_iter().min_by_key(|media| media.id)),
        found => Ok(found.into_iter().min_by_key(|media| media.id)),
    }
}

/// The first one, if it came before the one with this number.
async fn earlier(site: &Site, name: &Name, id: u64) -> Result<Option<Media>, Failure> {
    let mut found = named(site, name).await?;
    found.extend(titled(site, name).await?);
    Ok(found.into_iter().filter(|media| media.id < id).min_by_key(|media| media.id))
}

async fn named(site: &Site, name: &Name) -> Result<Vec<Media>, Failure> {
    let slug = name.slug();
    let mut slugs = vec![slug.clone()];
    slugs.extend((2..=SUFFIXES).map(|suffix| format!("{slug}-{suffix}")));
    listed(site, name, ("slug", &slugs.join(","))).await
}

async fn titled(site: &Site, name: &Name) -> Result<Vec<Media>, Failure> {
    listed(site, name, ("search", &name.hash)).await
}

/// Without `context=edit`, which hides what other users have uploaded.
async fn listed(site: &Site, name: &Name, by: (&str, &str)) -> Result<Vec<Media>, Failure> {
    let query = [by, ("per_page", "20"), ("orderby", "id"), ("order", "asc"), ("_fields", FIELDS)];
    let found: Vec<Media> = read(site.get("wp/v2/media", &query).await?.json)?;
    Ok(found.into_iter().filter(|media| media.has(&name.hash)).collect())
}

/// What is said of the picture goes with its bytes, in one request, unless it is too long for an address.
async fn upload(site: &Site, asset: &Asset, bytes: &[u8], name: &Name) -> Result<Media, Failure> {
    // A caption there is HTML, a description is not.
    let (slug, file, caption) = (name.slug(), name.file(), escaped(&asset.caption_with_credit()));
    let mut query = vec![("slug", slug.as_str()), ("title", slug.as_str()), ("_fields", FIELDS)];
    let words = [("caption", caption.as_str()), ("alt_text", asset.alt.as_str())];
    let is_short = asset.alt.len() + caption.len() <= MAX_WORDS_IN_ADDRESS;
    if is_short {
        query.extend(words);
    }
    let body = Body::File { bytes, name: &file, kind: name.kind() };
    let media: Media = read(site.post("wp/v2/media", &query, body).await?.json)?;
    if is_short {
        Ok(media)
    } else {
        write(site, media.id, &json!({ "caption": caption, "alt_text": asset.alt })).await
    }
}

async fn describe(site: &Site, media: Media, asset: &Asset, known: Option<&Known>) -> Result<Media, Failure> {
    let ours = known.and_then(|known| known.fields.as_ref()).and_then(|fields| fields.featured.as_ref());
    let is_ours = ours.is_some_and(|picture| picture.id == media.id.to_string() && picture.alt == media.alt_text);
    let mut fields = Map::new();
    if !asset.alt.is_empty() && media.alt_text != asset.alt && (media.alt_text.is_empty() || is_ours) {
        fields.insert("alt_text".to_owned(), asset.alt.clone().into());
    }
    // An upload that was cut short has none of it; who made the picture may be known only later.
    let (caption, there) = (asset.caption_with_credit(), media.caption());
    let is_part = [asset.caption.trim(), asset.credit.trim(), ""].iter().any(|part| same_words(part, &there));
    if is_part && !same_words(&caption, &there) {
        fields.insert("caption".to_owned(), escaped(&caption).into());
    }
    if fields.is_empty() {
        return Ok(media);
    }
    match write(site, media.id, &Value::Object(fields)).await {
        // Somebody else's picture: it can be shown, not described.
        Err(failure) if failure.is_forbidden() => Ok(media),
        written => written,
    }
}

/// WordPress shows typographic quotes and dashes for straight ones.
fn same_words(one: &str, other: &str) -> bool {
    same_html(&escaped(one), &escaped(other))
}

async fn write(site: &Site, id: u64, fields: &Value) -> Result<Media, Failure> {
    read(site.post(&format!("wp/v2/media/{id}"), &[("_fields", FIELDS)], Body::Json(fields)).await?.json)
}

/// The picture with this number; `None` where it is gone.
pub(super) async fn by_id(site: &Site, id: u64) -> Result<Option<Picture>, Failure> {
    if id == 0 {
        return Ok(None);
    }
    match site.get(&format!("wp/v2/media/{id}"), &[("_fields", FIELDS)]).await {
        Ok(answer) => Ok(Some(read::<Media>(answer.json)?.picture())),
        Err(failure) if failure.is_missing() => Ok(None),
        Err(failure) if failure.is_forbidden() => {
            Ok(Some(Picture { id: id.to_string(), url: String::new(), alt: String::new() }))
        }
        Err(failure) => Err(failure),
    }
}

/// Deletes a picture for good; there is no trash for pictures.
pub(super) async fn delete(site: &Site, id: u64) -> Result<(), Failure> {
    site.delete(&format!("wp/v2/media/{id}"), &[("force", "true")]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::post::{AssetRole, tests::asset};

    #[test]
    fn a_name_is_what_the_site_keeps_as_it_is() {
        for (name, slug) in [
            ("cup.png", "cup"),
            ("My_Cup.v2.JPG", "my-cup-v2"),
            ("a__b--c.webp", "a-b-c"),
            (&format!("{}.gif", "x".repeat(90)), &"x".repeat(60)),
        ] {
            let name = Name::of(&asset(name, b"", "", AssetRole::Inline), b"bytes");
            assert_eq!(name.slug(), format!("{slug}-{}", name.hash));
            assert_eq!(name.hash.len(), 24);
        }
        let kinds = ["a.PNG", "a.jpg", "a.jpeg", "a.webp", "a.gif", "a.avif", "a.svg"]
            .map(|name| Name::of(&asset(name, b"", "", AssetRole::Inline), b"").kind());
        assert_eq!(kinds[0], "image/png");
        assert_eq!(kinds[6], "image/svg+xml");
        let hash = |bytes: &[u8]| Name::of(&asset("a.png", b"", "", AssetRole::Inline), bytes).hash;
        assert_ne!(hash(b"1"), hash(b"2"));
    }
}

//! Links to the bytes of pictures. A link is signed with the envelope key, says whose picture it leads to, and expires; who has
//! it needs no key, as `<img>` has none.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use galley_domain::OrgId;
use galley_store::{StoredVariant, rows};
use galley_vault::Keyring;
use uuid::Uuid;

use crate::{
    Services,
    blobs::{Pieces, hex},
    error::{Missing, ServiceError},
};

/// What the full size is called in a link.
pub(super) const ORIGINAL: &str = "original";
/// How often the sizes of a title card are begun that is drawn anew meanwhile.
const TRIES: usize = 3;

type Variants = BTreeMap<String, StoredVariant>;

/// Nothing else that is signed can be taken for a link.
const PURPOSE: &str = "image link";

/// A link as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageLink {
    pub org: Uuid,
    pub image: Uuid,
    /// `original` or the name of a variant.
    pub part: String,
    /// Seconds of Unix time.
    pub expires: i64,
    /// In hexadecimal.
    pub signature: String,
}

/// The bytes that a link leads to.
pub struct ImageBytes {
    pub media_type: &'static str,
    pub size: u64,
    pub sha256: String,
    /// Seconds that the link is still good for.
    pub seconds_left: i64,
    pub pieces: Pieces,
}

fn signed_text(org: Uuid, image: Uuid, part: &str, expires: i64) -> String {
    format!("{org}/{image}/{part}/{expires}")
}

fn media_type(kind: &str) -> &'static str {
    match kind {
        "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        _ => "image/png",
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    // Two digits are at most 255.
    let pair = |pair: &[u8]| Some((digit(pair[0])? * 16 + digit(*pair.get(1)?)?) as u8);
    digits.chunks(2).map(pair).collect()
}

impl Services {
    /// The keys that links are signed with.
    pub(super) fn link_keyring(&self) -> Result<&Keyring, ServiceError> {
        self.keyring().ok_or_else(|| {
            let message = "no envelope key is configured, so no link to an image can be signed; set secrets.key \
                           (GALLEY_SECRETS__KEY) to what `galley secrets new-key` prints";
            ServiceError::Conflict(message.into())
        })
    }

    pub(super) fn image_link(
        &self,
        image: &rows::Image,
        part: &str,
        now: DateTime<Utc>,
    ) -> Result<String, ServiceError> {
        let lasts = i64::try_from(self.settings.image_links.as_secs()).unwrap_or(i64::MAX);
        let (org, id, expires) = (image.org_id, image.id, now.timestamp().saturating_add(lasts));
        let signature = self.link_keyring()?.sign(PURPOSE, &signed_text(org, id, part, expires));
        let signature = hex(&signature);
        Ok(format!("/api/v1/images/{id}/{part}?org={org}&expires={expires}&signature={signature}"))
    }

    /// The bytes behind a link. What a title card has not been asked for yet is made now.
    pub async fn image_bytes(&self, link: &ImageLink, now: DateTime<Utc>) -> Result<ImageBytes, ServiceError> {
        let text = signed_text(link.org, link.image, &link.part, link.expires);
        let signature = unhex(&link.signature).unwrap_or_default();
        if !self.link_keyring()?.has_signed(PURPOSE, &text, &signature) {
            let text = "this link was not made here, or it was changed; ask for the image again for a new one";
            return Err(ServiceError::Forbidden(text.into()));
        }
        let seconds_left = link.expires.saturating_sub(now.timestamp());
        if seconds_left <= 0 {
            let text = "this link has expired; ask for the image again for a new one";
            return Err(ServiceError::Forbidden(text.into()));
        }
        let org = OrgId(link.org);
        let gone = || ServiceError::NotFound(Missing::Image);
        let (kind, blob, size, sha256) = match link.part.as_str() {
            ORIGINAL => {
                let image = self.store.tenant(org).image(link.image).await?.ok_or_else(gone)?;
                (image.kind, image.blob, image.file_size.unsigned_abs(), image.sha256)
            }
            name => {
                let variant = self.variants_of(org, link.image).await?.remove(name).ok_or_else(gone)?;
                (variant.kind, variant.blob, variant.size, variant.sha256)
            }
        };
        let pieces = self.blobs.pieces(&blob, size).await?;
        Ok(ImageBytes { media_type: media_type(&kind), size, sha256, seconds_left, pieces })
    }

    /// The smaller sizes of an image. They are made where there are none yet, and made again of a title card that was drawn
    /// anew meanwhile.
    async fn variants_of(&self, org: OrgId, id: Uuid) -> Result<Variants, ServiceError> {
        for _ in 0..TRIES {
            let image = self.store.tenant(org).image(id).await?.ok_or(ServiceError::NotFound(Missing::Image))?;
            let variants = image.stored_variants()?;
            if !variants.is_empty() {
                return Ok(variants);
            }
            if let Some(variants) = self.make_variants(org, &image).await? {
                return Ok(variants);
            }
        }
        Err(ServiceError::Unavailable("the image keeps being replaced; try again".into()))
    }

    /// Two at once make the same bytes under the same names. None when the image is no longer the one that was read.
    async fn make_variants(&self, org: OrgId, image: &rows::Image) -> Result<Option<Variants>, ServiceError> {
        let made = self.sized(self.blobs.get(&image.blob).await?).await?;
        let (variants, bytes) = self.store_variants(org, image.id, &image.sha256, made).await?;
        let tx = self.store.begin(org).await?;
        let is_there = tx.set_image_variants(image.id, &image.blob, &variants, bytes).await?;
        tx.commit().await?;
        if is_there {
            return Ok(Some(variants));
        }
        let blobs: Vec<String> = variants.into_values().map(|variant| variant.blob).collect();
        self.drop_blobs(&blobs).await;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_back_and_anything_else_is_no_signature() {
        assert_eq!(unhex(&hex(&[0, 1, 0xab, 0xff])), Some(vec![0, 1, 0xab, 0xff]));
        for text in ["0", "0g", "é", "00 0"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}

//! The sizes that pages and feeds ask for.

use std::borrow::Cow;

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use image::{DynamicImage, RgbImage, RgbaImage};

use super::{Encoded, PictureError, encode};

/// Of what is shown small; beyond, eyes see no gain.
const JPEG_QUALITY: u8 = 82;
const WEBP_QUALITY: f32 = 80.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    Thumb,
    Card,
    Hero,
}

impl Size {
    /// Largest first: each is made from the one before, which is quicker and looks the same.
    pub const ALL: [Self; 3] = [Self::Hero, Self::Card, Self::Thumb];

    /// The longer side, in pixels.
    pub fn side(self) -> u32 {
        match self {
            Self::Thumb => 320,
            Self::Card => 800,
            Self::Hero => 1_600,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Thumb => "thumb",
            Self::Card => "card",
            Self::Hero => "hero",
        }
    }

    /// Width and height of a picture of this size; a smaller one stays as it is.
    fn of(self, width: u32, height: u32) -> (u32, u32) {
        let (longer, side) = (u64::from(width.max(height)), u64::from(self.side()));
        if longer <= side {
            return (width, height);
        }
        let scaled = |length: u32| {
            let scaled = (u64::from(length) * side + longer / 2) / longer;
            u32::try_from(scaled).unwrap_or(length).max(1)
        };
        (scaled(width), scaled(height))
    }
}

/// A picture in one size and format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub size: Size,
    pub encoded: Encoded,
}

impl Variant {
    /// Of all that every picture has, by [`Variant::name`].
    pub const NAMES: [&str; 6] = ["thumb_webp", "thumb_jpeg", "card_webp", "card_jpeg", "hero_webp", "hero_jpeg"];

    /// `thumb_webp`, `hero_jpeg` …
    pub fn name(&self) -> String {
        format!("{}_{}", self.size.as_str(), self.encoded.kind.as_str())
    }
}

pub(super) fn variants(pixels: &DynamicImage) -> Result<Vec<Variant>, PictureError> {
    let mut resizer = Resizer::new();
    let mut sized = Cow::Borrowed(pixels);
    let mut variants = Vec::with_capacity(Size::ALL.len() * 2);
    for size in Size::ALL {
        let (width, height) = size.of(pixels.width(), pixels.height());
        if (width, height) != (sized.width(), sized.height()) {
            sized = Cow::Owned(resize(&mut resizer, &sized, width, height)?);
        }
        variants.push(Variant { size, encoded: encode::webp(&sized, WEBP_QUALITY)? });
        variants.push(Variant { size, encoded: encode::jpeg(&sized, JPEG_QUALITY)? });
    }
    variants.reverse();
    Ok(variants)
}

fn resize(resizer: &mut Resizer, from: &DynamicImage, width: u32, height: u32) -> Result<DynamicImage, PictureError> {
    let kind = if from.color().has_alpha() { PixelType::U8x4 } else { PixelType::U8x3 };
    let failed = |error: &dyn std::fmt::Display| PictureError::Encoding(error.to_string());
    let source = ImageRef::new(from.width(), from.height(), from.as_bytes(), kind).map_err(|error| failed(&error))?;
    let mut done = Image::new(width, height, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    resizer.resize(&source, &mut done, &options).map_err(|error| failed(&error))?;
    let done = done.into_vec();
    let image = match kind {
        PixelType::U8x4 => RgbaImage::from_raw(width, height, done).map(DynamicImage::ImageRgba8),
        _ => RgbImage::from_raw(width, height, done).map(DynamicImage::ImageRgb8),
    };
    image.ok_or_else(|| failed(&"its pixels do not fill it"))
}

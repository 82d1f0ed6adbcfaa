//! Pictures from anybody: told by their bytes, looked at before they are decoded, decoded, turned upright, stripped of
//! everything but pixels, and encoded anew. Nothing that a stranger wrote is ever handed on byte for byte, so what hides in a
//! picture (scripts behind its end, places in its metadata, a second format) does not come out.
//!
//! `image` decodes JPEG, WebP and GIF, `png` PNG, `moxcms` brings other colour spaces to sRGB, `fast_image_resize` makes sizes,
//! `webp` (libwebp, of which only the encoder is called) writes WebP; why these: ADR 13.

mod colour;
mod decode;
mod encode;
mod jpeg;
mod look;
mod sizes;

use image::DynamicImage;

pub use look::{Look, PictureKind};
pub use sizes::{Size, Variant};

/// The most bytes of a picture, as it is sent.
pub const MAX_PICTURE_BYTES: usize = 20 * 1024 * 1024;
/// The most pixels of a picture.
pub const MAX_PIXELS: u64 = 50_000_000;

/// What a picture may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLimits {
    pub bytes: usize,
    pub pixels: u64,
}

impl Default for PictureLimits {
    fn default() -> Self {
        Self { bytes: MAX_PICTURE_BYTES, pixels: MAX_PIXELS }
    }
}

/// Why a picture is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("the picture has {bytes} bytes; the most that is taken is {max}")]
    TooLarge { bytes: usize, max: usize },
    #[error("this is no JPEG, PNG, WebP or GIF; save the picture as one of these")]
    OtherKind,
    #[error("the picture has {width} × {height} pixels; at most {} million are taken, so send it smaller", max / 1_000_000)]
    TooManyPixels { width: u32, height: u32, max: u64 },
    #[error("the picture is damaged: {0}; save it again")]
    Broken(String),
    /// Its pixels, encoded anew, take more than may be sent.
    #[error("the picture takes {bytes} bytes once it is encoded anew, and {max} are the most; send it smaller")]
    Grows { bytes: usize, max: usize },
    /// A fault of ours and of no picture.
    #[error("the picture could not be encoded: {0}")]
    Encoding(String),
}

impl PictureError {
    /// With as much of a decoder's own words as is worth reading.
    fn broken(error: impl std::fmt::Display) -> Self {
        const SHOWN: usize = 200;
        let text = error.to_string();
        let text = text.chars().filter(|symbol| !symbol.is_control()).take(SHOWN).collect::<String>();
        Self::Broken(text.trim_end_matches(['.', ' ']).to_owned())
    }
}

/// A picture as files and browsers know it. Nothing but pixels is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    pub kind: PictureKind,
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
}

/// A decoded picture: upright, in sRGB, 8 bits a channel, with or without alpha.
#[derive(Debug, Clone)]
pub struct Picture {
    kind: PictureKind,
    pixels: DynamicImage,
}

impl Picture {
    /// Decodes a picture. Of an animation it is the first frame. Takes up to a second or two of one core and
    /// [`Look::memory_mb`] of memory; call it off the async threads.
    pub fn read(bytes: &[u8], limits: &PictureLimits) -> Result<Self, PictureError> {
        let look = Look::at(bytes, limits)?;
        let pixels = decode::decode(bytes, &look)?;
        let kind = match look.kind {
            // Of a GIF one frame is kept, which PNG holds without a loss and in fewer bytes.
            PictureKind::Gif => PictureKind::Png,
            kind => kind,
        };
        Ok(Self { kind, pixels })
    }

    pub fn width(&self) -> u32 {
        self.pixels.width()
    }

    pub fn height(&self) -> u32 {
        self.pixels.height()
    }

    /// The picture in its full size, in the kind that it came in; a GIF becomes a PNG. One that would take more than
    /// [`MAX_PICTURE_BYTES`] so becomes a JPEG, or a WebP if something of it is transparent.
    pub fn encoded(&self) -> Result<Encoded, PictureError> {
        self.encoded_within(MAX_PICTURE_BYTES)
    }

    /// The same with another limit.
    pub fn encoded_within(&self, bytes: usize) -> Result<Encoded, PictureError> {
        encode::full(&self.pixels, self.kind, bytes)
    }

    /// The picture in each [`Size`], as WebP and as JPEG, never larger than it is. On JPEG what was transparent is white.
    pub fn variants(&self) -> Result<Vec<Variant>, PictureError> {
        sizes::variants(&self.pixels)
    }
}

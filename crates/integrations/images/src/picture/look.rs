//! What can be known of a picture before it is decoded: its kind, its size, and the memory that decoding takes.

use std::io::Cursor;

use image::{
    ImageDecoder,
    codecs::{gif::GifDecoder, jpeg::JpegDecoder, webp::WebPDecoder},
};

use super::{PictureError, PictureLimits, jpeg};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    Jpeg,
    Png,
    Webp,
    Gif,
}

impl PictureKind {
    /// By the first bytes; names and declared types are whatever the sender likes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }

    /// `jpeg`, `png`, `webp`, `gif`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }
}

/// A picture as its first bytes describe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub kind: PictureKind,
    pub width: u32,
    pub height: u32,
    /// Bytes that decoding one pixel takes at its worst moment.
    bytes_per_pixel: u64,
    /// Bytes of the file.
    bytes: usize,
}

/// What encoding and the tables of decoders need, whatever the picture.
const FIXED: u64 = 16 << 20;
const MIB: u64 = 1 << 20;

impl Look {
    /// Decodes no pixel.
    pub fn at(bytes: &[u8], limits: &PictureLimits) -> Result<Self, PictureError> {
        if bytes.len() > limits.bytes {
            return Err(PictureError::TooLarge { bytes: bytes.len(), max: limits.bytes });
        }
        let kind = PictureKind::of(bytes).ok_or(PictureError::OtherKind)?;
        let ((width, height), bytes_per_pixel) = match kind {
            PictureKind::Jpeg => {
                let size = size(JpegDecoder::new(Cursor::new(bytes)))?;
                (size, 6 + jpeg::walk(bytes).map_err(PictureError::broken)?.stored_per_pixel())
            }
            // The picture and either its turned copy or the one that has its alpha multiplied.
            PictureKind::Png => (png_size(bytes)?, 8),
            // The planes that lossy WebP is decoded to come on top.
            PictureKind::Webp => (size(WebPDecoder::new(Cursor::new(bytes)))?, 10),
            PictureKind::Gif => (size(GifDecoder::new(Cursor::new(bytes)))?, 9),
        };
        if width == 0 || height == 0 {
            return Err(PictureError::Broken("it has no pixels".to_owned()));
        }
        if u64::from(width) * u64::from(height) > limits.pixels {
            return Err(PictureError::TooManyPixels { width, height, max: limits.pixels });
        }
        Ok(Self { kind, width, height, bytes_per_pixel, bytes: bytes.len() })
    }

    /// MiB that decoding, sizing and encoding take together, the file included.
    pub fn memory_mb(&self) -> u32 {
        u32::try_from(self.memory().div_ceil(MIB)).unwrap_or(u32::MAX)
    }

    pub(super) fn memory(&self) -> u64 {
        // The JPEG decoder has a copy of the file.
        u64::from(self.width) * u64::from(self.height) * self.bytes_per_pixel + 2 * self.bytes as u64 + FIXED
    }
}

fn size(decoder: image::ImageResult<impl ImageDecoder>) -> Result<(u32, u32), PictureError> {
    Ok(decoder.map_err(PictureError::broken)?.dimensions())
}

fn png_size(bytes: &[u8]) -> Result<(u32, u32), PictureError> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    Ok(decoder.read_header_info().map_err(PictureError::broken)?.size())
}

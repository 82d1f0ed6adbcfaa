//! Pixels to bytes.

use image::{DynamicImage, ExtendedColorType, codecs::jpeg::JpegEncoder};

use super::{Encoded, PictureError, PictureKind};

/// Of the picture in its full size. It has lost something once already.
const FULL_QUALITY: u8 = 90;
/// Of one that would be too large otherwise.
const SMALLER_QUALITY: u8 = 80;
/// Of the format.
const MAX_WEBP_SIDE: u32 = 16_383;

fn failed(error: impl std::fmt::Display) -> PictureError {
    PictureError::Encoding(error.to_string())
}

fn encoded(pixels: &DynamicImage, kind: PictureKind, bytes: Vec<u8>) -> Encoded {
    Encoded { kind, width: pixels.width(), height: pixels.height(), bytes }
}

/// The picture in the kind that it came in, if that has at most `most` bytes. A PNG of few colours can grow many times over,
/// because every pixel is written in full; such a picture loses a little, as WebP where something of it is transparent, else
/// as JPEG.
pub(super) fn full(pixels: &DynamicImage, kind: PictureKind, most: usize) -> Result<Encoded, PictureError> {
    // An animation may say that it is larger than a frame can be.
    let fits_webp = pixels.width().max(pixels.height()) <= MAX_WEBP_SIDE;
    let mut encoded = match kind {
        PictureKind::Jpeg => jpeg(pixels, FULL_QUALITY)?,
        PictureKind::Webp if fits_webp => webp(pixels, f32::from(FULL_QUALITY))?,
        PictureKind::Webp | PictureKind::Png | PictureKind::Gif => png(pixels)?,
    };
    let has_alpha = pixels.color().has_alpha();
    for quality in [FULL_QUALITY, SMALLER_QUALITY] {
        if encoded.bytes.len() <= most {
            return Ok(encoded);
        }
        // Freed before the next is made.
        drop(std::mem::take(&mut encoded.bytes));
        encoded = match has_alpha && fits_webp {
            true => webp(pixels, f32::from(quality))?,
            false => jpeg(pixels, quality)?,
        };
    }
    match encoded.bytes.len() {
        bytes if bytes > most => Err(PictureError::Grows { bytes, max: most }),
        _ => Ok(encoded),
    }
}

/// What is transparent becomes white.
pub(super) fn jpeg(pixels: &DynamicImage, quality: u8) -> Result<Encoded, PictureError> {
    let flat;
    let rgb = match pixels {
        DynamicImage::ImageRgb8(rgb) => rgb.as_raw(),
        other => {
            flat = on_white(other);
            &flat
        }
    };
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(rgb, pixels.width(), pixels.height(), ExtendedColorType::Rgb8)
        .map_err(failed)?;
    Ok(encoded(pixels, PictureKind::Jpeg, bytes))
}

fn on_white(pixels: &DynamicImage) -> Vec<u8> {
    let flat = |colour: u8, alpha: u8| {
        let (colour, alpha) = (u32::from(colour), u32::from(alpha));
        // At most 255.
        ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    match pixels {
        DynamicImage::ImageRgba8(pixels) => {
            pixels.pixels().flat_map(|pixel| [0, 1, 2].map(|at| flat(pixel[at], pixel[3]))).collect()
        }
        other => other.to_rgb8().into_raw(),
    }
}

pub(super) fn webp(pixels: &DynamicImage, quality: f32) -> Result<Encoded, PictureError> {
    let (width, height) = (pixels.width(), pixels.height());
    let done = match pixels {
        DynamicImage::ImageRgba8(rgba) => webp::Encoder::from_rgba(rgba, width, height).encode_simple(false, quality),
        DynamicImage::ImageRgb8(rgb) => webp::Encoder::from_rgb(rgb, width, height).encode_simple(false, quality),
        other => webp::Encoder::from_rgb(&other.to_rgb8(), width, height).encode_simple(false, quality),
    };
    let done = done.map_err(|error| PictureError::Encoding(format!("libwebp says {error:?}")))?;
    Ok(encoded(pixels, PictureKind::Webp, done.to_vec()))
}

fn png(pixels: &DynamicImage) -> Result<Encoded, PictureError> {
    let color = if pixels.color().has_alpha() { png::ColorType::Rgba } else { png::ColorType::Rgb };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(pixels.as_bytes()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(encoded(pixels, PictureKind::Png, bytes))
}

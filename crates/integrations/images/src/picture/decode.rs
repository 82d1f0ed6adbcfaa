//! Bytes to pixels: upright, in sRGB, as RGB or RGBA of 8 bits.

use std::io::Cursor;

use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, Limits, RgbImage, RgbaImage,
    codecs::{gif::GifDecoder, jpeg::JpegDecoder, webp::WebPDecoder},
    metadata::Orientation,
};

use super::{Look, PictureError, PictureKind, colour};

/// What a decoder has told.
struct Decoded {
    pixels: DynamicImage,
    orientation: Orientation,
    profile: Option<Vec<u8>>,
}

pub(super) fn decode(bytes: &[u8], look: &Look) -> Result<DynamicImage, PictureError> {
    let input = Cursor::new(bytes);
    let Decoded { pixels, orientation, profile } = match look.kind {
        PictureKind::Jpeg => with(JpegDecoder::new(input), look)?,
        PictureKind::Webp => with(WebPDecoder::new(input), look)?,
        PictureKind::Gif => with(GifDecoder::new(input), look)?,
        PictureKind::Png => png(bytes, look)?,
    };
    let mut pixels = match pixels {
        DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_) => pixels,
        other if other.color().has_alpha() => DynamicImage::ImageRgba8(other.into_rgba8()),
        other => DynamicImage::ImageRgb8(other.into_rgb8()),
    };
    if let Some(profile) = profile {
        colour::to_srgb(&mut pixels, &profile);
    }
    pixels.apply_orientation(orientation);
    Ok(pixels)
}

fn with(decoder: image::ImageResult<impl ImageDecoder>, look: &Look) -> Result<Decoded, PictureError> {
    let mut decoder = decoder.map_err(PictureError::broken)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(look.memory());
    decoder.set_limits(limits).map_err(PictureError::broken)?;
    // What describes the picture may be damaged where the picture is not.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let pixels = DynamicImage::from_decoder(decoder).map_err(PictureError::broken)?;
    Ok(Decoded { pixels, orientation, profile })
}

/// With 16 bits a channel brought to 8 row by row, so that they are never all in memory.
fn png(bytes: &[u8], look: &Look) -> Result<Decoded, PictureError> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(PictureError::broken)?;
    let info = reader.info();
    let orientation = info.exif_metadata.as_deref().and_then(Orientation::from_exif_chunk);
    let profile = info.icc_profile.as_deref().map(<[u8]>::to_vec);
    let size = reader.output_buffer_size().filter(|&size| size as u64 <= look.memory());
    let mut data = vec![0; size.ok_or_else(|| PictureError::Broken("it says two sizes".to_owned()))?];
    let frame = reader.next_frame(&mut data).map_err(PictureError::broken)?;
    let (width, height) = (frame.width, frame.height);
    let pixels = match frame.color_type {
        png::ColorType::Grayscale => GrayImage::from_raw(width, height, data).map(DynamicImage::ImageLuma8),
        png::ColorType::GrayscaleAlpha => GrayAlphaImage::from_raw(width, height, data).map(DynamicImage::ImageLumaA8),
        png::ColorType::Rgb => RgbImage::from_raw(width, height, data).map(DynamicImage::ImageRgb8),
        png::ColorType::Rgba => RgbaImage::from_raw(width, height, data).map(DynamicImage::ImageRgba8),
        png::ColorType::Indexed => None,
    };
    Ok(Decoded {
        pixels: pixels.ok_or_else(|| PictureError::Broken("its pixels do not fill it".to_owned()))?,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        profile,
    })
}

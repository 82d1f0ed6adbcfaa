//! Colours: telephones take pictures in wider spaces than sRGB. Without their profile they would look pale, and the profile is
//! dropped with all other metadata, so the pixels are brought to sRGB.

use image::DynamicImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Bytes of pixels that are brought over at once.
const PIECE: usize = 12 * 1024;

/// A profile that is damaged, or not of RGB (as that of a CMYK picture, whose decoder has made RGB of it), changes nothing.
pub(super) fn to_srgb(pixels: &mut DynamicImage, profile: &[u8]) {
    let (layout, data): (Layout, &mut [u8]) = match pixels {
        DynamicImage::ImageRgb8(pixels) => (Layout::Rgb, pixels),
        DynamicImage::ImageRgba8(pixels) => (Layout::Rgba, pixels),
        _ => return,
    };
    let Ok(profile) = ColorProfile::new_from_slice(profile) else { return };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let srgb = ColorProfile::new_srgb();
    let Ok(transform) = profile.create_transform_8bit(layout, &srgb, layout, TransformOptions::default()) else {
        return;
    };
    let mut from = [0; PIECE];
    for piece in data.chunks_mut(PIECE) {
        let from = &mut from[..piece.len()];
        from.copy_from_slice(piece);
        if transform.transform(from, piece).is_err() {
            piece.copy_from_slice(from);
        }
    }
}

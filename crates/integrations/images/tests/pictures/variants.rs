use galley_images::{PictureKind, Variant};
use image::{Rgba, RgbaImage};

use crate::made::{corners, is_about, jpeg, pixels, png, quarters, read};

fn variants(bytes: &[u8]) -> Vec<Variant> {
    read(bytes).unwrap().variants().unwrap()
}

#[test]
fn a_large_picture_has_six_each_of_its_size() {
    let done = variants(&jpeg(&quarters(2_000, 1_000)));
    let found: Vec<_> = done.iter().map(|v| (v.name(), v.encoded.width, v.encoded.height)).collect();
    assert_eq!(
        found,
        [
            ("thumb_jpeg".to_owned(), 320, 160),
            ("thumb_webp".to_owned(), 320, 160),
            ("card_jpeg".to_owned(), 800, 400),
            ("card_webp".to_owned(), 800, 400),
            ("hero_jpeg".to_owned(), 1_600, 800),
            ("hero_webp".to_owned(), 1_600, 800),
        ]
    );
    assert!(found.iter().all(|(name, ..)| Variant::NAMES.contains(&name.as_str())));
    for Variant { encoded, .. } in done {
        assert_eq!(PictureKind::of(&encoded.bytes), Some(encoded.kind));
        let pixels = pixels(&encoded.bytes);
        assert_eq!(pixels.dimensions(), (encoded.width, encoded.height));
        assert_eq!(corners(&pixels), [Some("red"), Some("green"), Some("blue"), Some("white")]);
    }
}

#[test]
fn none_is_larger_than_the_picture() {
    for (width, height, sizes) in [
        (10, 5, [(10, 5), (10, 5), (10, 5)]),
        (500, 700, [(229, 320), (500, 700), (500, 700)]),
        (1, 1_700, [(1, 320), (1, 800), (1, 1_600)]),
        (1_600, 1, [(320, 1), (800, 1), (1_600, 1)]),
    ] {
        let found: Vec<_> = variants(&jpeg(&quarters(width, height)))
            .into_iter()
            .map(|variant| (variant.encoded.width, variant.encoded.height))
            .collect();
        assert_eq!(found, sizes.map(|size| [size, size]).concat(), "{width} × {height}");
    }
}

#[test]
fn what_is_transparent_stays_so_in_webp_and_is_white_in_jpeg() {
    let clear = RgbaImage::from_fn(900, 900, |x, _| if x < 450 { Rgba([0, 0, 0, 0]) } else { Rgba([255, 0, 0, 255]) });
    let bytes = png(900, 900, png::ColorType::Rgba, png::BitDepth::Eight, clear.as_raw());
    for Variant { encoded, .. } in variants(&bytes) {
        let pixels = pixels(&encoded.bytes);
        let (left, right, middle) = (encoded.width / 4, encoded.width * 3 / 4, encoded.height / 2);
        assert!(is_about(&pixels, right, middle, [255, 0, 0]));
        match encoded.kind {
            PictureKind::Jpeg => assert!(is_about(&pixels, left, middle, [255; 3])),
            _ => assert_eq!(pixels.get_pixel(left, middle)[3], 0),
        }
    }
}

#[test]
fn the_same_picture_gives_the_same_bytes() {
    let bytes = jpeg(&quarters(400, 300));
    assert_eq!(variants(&bytes), variants(&bytes));
    assert_eq!(read(&bytes).unwrap().encoded(), read(&bytes).unwrap().encoded());
}

use galley_images::{Picture, PictureError, PictureLimits};

use crate::made::{RED, gif, jpeg, png, png_header, quarters, read, with_segment};

static ANIMATED: &[u8] = include_bytes!("../samples/animated.webp");

#[test]
fn what_is_no_picture_is_refused_whatever_it_is_called() {
    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    let others: [&[u8]; 7] = [
        svg.as_bytes(),
        b"<?xml version='1.0'?><svg/>",
        b"%PDF-1.7",
        b"",
        b"BM\0\0\0\0",
        b"\0\0\0\x20ftypavif",
        b"GIF90a",
    ];
    for bytes in others {
        assert_eq!(read(bytes).unwrap_err(), PictureError::OtherKind);
    }
}

#[test]
fn too_many_pixels_are_refused_by_the_header() {
    let error = read(&png_header(30_000, 30_000)).unwrap_err();
    assert_eq!(error, PictureError::TooManyPixels { width: 30_000, height: 30_000, max: 50_000_000 });
    assert_eq!(
        error.to_string(),
        "the picture has 30000 × 30000 pixels; at most 50 million are taken, so send it smaller"
    );
    // The GIF says 65535 × 65535.
    let mut large = gif(&[RED], 4, 4);
    large[6..10].fill(0xff);
    assert!(matches!(read(&large), Err(PictureError::TooManyPixels { .. })));
    // A frame that is larger than its picture.
    let mut frame = gif(&[RED], 4, 4);
    let at = frame.windows(5).position(|window| window == [0x2c, 0, 0, 0, 0]).unwrap() + 5;
    frame[at..at + 4].fill(0xff);
    assert!(matches!(read(&frame), Err(PictureError::Broken(_))), "{:?}", read(&frame).err());
}

#[test]
fn limits_are_those_that_are_given() {
    let bytes = jpeg(&quarters(20, 10));
    let limits = PictureLimits { bytes: bytes.len() - 1, pixels: 200 };
    let error = Picture::read(&bytes, &limits).unwrap_err();
    assert_eq!(error, PictureError::TooLarge { bytes: bytes.len(), max: bytes.len() - 1 });
    let limits = PictureLimits { bytes: bytes.len(), pixels: 199 };
    assert!(matches!(Picture::read(&bytes, &limits), Err(PictureError::TooManyPixels { .. })));
    let limits = PictureLimits { bytes: bytes.len(), pixels: 200 };
    assert!(Picture::read(&bytes, &limits).is_ok());
}

#[test]
fn what_is_cut_off_is_damaged_wherever_the_cut_is() {
    let noise: Vec<u8> = (0..64 * 64 * 3).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let noise = image::RgbImage::from_raw(64, 64, noise).unwrap();
    let whole = [
        jpeg(&noise),
        png(64, 64, png::ColorType::Rgb, png::BitDepth::Eight, noise.as_raw()),
        gif(&[RED], 64, 64),
        ANIMATED[..ANIMATED.len() / 2].to_vec(),
    ];
    for bytes in whole {
        for part in [20, bytes.len() / 3, bytes.len() / 2, bytes.len() * 9 / 10] {
            let error = read(&bytes[..part]).unwrap_err();
            assert!(matches!(error, PictureError::Broken(_)), "{error:?}");
        }
    }
    let jpeg = jpeg(&noise);
    let error = read(&jpeg[..jpeg.len() - 2]).unwrap_err();
    assert_eq!(error.to_string(), "the picture is damaged: it ends before its picture does; save it again");
}

#[test]
fn a_jpeg_of_endless_scans_is_refused_before_it_is_decoded() {
    let plain = jpeg(&quarters(16, 16));
    let scan = plain.windows(2).position(|window| window == [0xff, 0xda]).unwrap();
    let end = plain.len() - 2;
    let bytes = [&plain[..scan], &plain[scan..end].repeat(101), &plain[end..]].concat();
    assert_eq!(read(&bytes).unwrap_err(), PictureError::Broken("it has more than 100 scans".to_owned()));
}

#[test]
fn damaged_metadata_costs_no_picture() {
    for content in [&b"Exif\0\0"[..], b"Exif\0\0MM\0\x2a\xff\xff\xff\xff", b"Exif\0\0II\x2a\0\x08\0\0\0\xff\xff", b""] {
        assert!(read(&with_segment(&jpeg(&quarters(8, 8)), 0xe1, content)).is_ok(), "{content:?}");
    }
}

#[test]
fn random_damage_never_panics() {
    let samples = [
        jpeg(&quarters(40, 24)),
        gif(&[RED, RED], 40, 24),
        png(4, 4, png::ColorType::Rgb, png::BitDepth::Eight, &[9; 48]),
        ANIMATED.to_vec(),
        include_bytes!("../samples/progressive.jpg").to_vec(),
        include_bytes!("../samples/cmyk.jpg").to_vec(),
    ];
    let mut seed = 1u32;
    let mut dice = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    for sample in &samples {
        for _ in 0..300 {
            let mut bytes = sample.clone();
            for _ in 0..1 + dice(6) {
                let at = dice(bytes.len());
                bytes[at] = dice(256) as u8;
            }
            if let Ok(picture) = read(&bytes) {
                picture.encoded().unwrap();
            }
        }
    }
}

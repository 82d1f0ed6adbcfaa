//! Everything that has been sent to upload forms to do harm, in one table. Whatever comes out has nothing of it but pixels.

use galley_images::{MAX_PICTURE_BYTES, PictureError, PictureKind};
use png::{BitDepth, ColorType};

use crate::made::{BLUE, RED, exif, gif, jpeg, jpeg_with_profile, png, png_header, quarters, read, with_segment};

static ANIMATED: &[u8] = include_bytes!("../samples/animated.webp");
static CMYK: &[u8] = include_bytes!("../samples/cmyk.jpg");
static LOSSLESS: &[u8] = include_bytes!("../samples/lossless.webp");

/// What stands in no picture that comes out.
const PLANTED: &str = "planted-by-a-stranger";

/// What becomes of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    OtherKind,
    TooManyPixels,
    TooLarge,
    Broken,
    /// Taken, and stored as this.
    Taken(PictureKind),
}

fn outcome(bytes: &[u8]) -> Outcome {
    let picture = match read(bytes) {
        Ok(picture) => picture,
        Err(PictureError::OtherKind) => return Outcome::OtherKind,
        Err(PictureError::TooManyPixels { .. }) => return Outcome::TooManyPixels,
        Err(PictureError::TooLarge { .. }) => return Outcome::TooLarge,
        Err(error) => {
            assert!(matches!(error, PictureError::Broken(_)), "{error}");
            return Outcome::Broken;
        }
    };
    let stored = picture.encoded().unwrap();
    let sizes = picture.variants().unwrap().into_iter().map(|variant| variant.encoded);
    for encoded in sizes.chain([stored.clone()]) {
        let holds = |part: &str| encoded.bytes.windows(part.len()).any(|window| window == part.as_bytes());
        assert!(!holds(PLANTED) && !holds("Exif") && !holds("<script"), "{} bytes", encoded.bytes.len());
    }
    Outcome::Taken(stored.kind)
}

/// A chunk of a PNG behind its header.
fn with_chunk(png: &[u8], name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let named = [name, content].concat();
    [&png[..33], &length, &named, &crate::made::crc(&named).to_be_bytes(), &png[33..]].concat()
}

/// Another chunk of a WebP, which becomes an extended one.
fn with_webp_chunk(webp: &[u8], name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    assert_eq!(content.len() % 2, 0, "chunks are padded");
    let flags = if name == b"EXIF" { 0x08 } else { 0x04 };
    // 48 × 32, each less one.
    let extended = [b"VP8X".as_slice(), &10u32.to_le_bytes(), &[flags, 0, 0, 0, 47, 0, 0, 31, 0, 0]].concat();
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    let body = [b"WEBP".as_slice(), &extended, &webp[12..], name, &length, content].concat();
    [b"RIFF".as_slice(), &u32::try_from(body.len()).unwrap().to_le_bytes(), &body].concat()
}

fn inputs() -> Vec<(&'static str, Vec<u8>, Outcome)> {
    let script = format!("<script>{PLANTED}</script>");
    let svg = format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{script}</svg>");
    let (photo, drawing) = (jpeg(&quarters(40, 20)), png(1, 1, ColorType::Rgb, BitDepth::Eight, &RED));
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let mut zero_wide = png_header(0, 10);
    zero_wide.truncate(33);
    let mut bomb = gif(&[RED], 4, 4);
    bomb[6..10].fill(0xff);
    let mut long_frame = gif(&[RED, BLUE], 4, 4);
    let at = long_frame.windows(5).position(|window| window == [0x2c, 0, 0, 0, 0]).unwrap() + 5;
    long_frame[at..at + 4].fill(0xff);
    let mut wrong_sum = drawing.clone();
    let last = wrong_sum.len() - 14;
    wrong_sum[last] ^= 0xff;
    let scans = [&photo[..photo.len() - 2], &b"\xff\xda\0\x08\x01\x01\0\0\x3f\0".repeat(101), b"\xff\xd9"].concat();
    let text = [b"Comment\0".as_slice(), &PLANTED.repeat(100_000).into_bytes()].concat();
    let animation = [&[0, 0, 0, 1, 0, 0, 0, 0], PLANTED.as_bytes()].concat();
    let vector = format!("{svg}\n");
    use Outcome::*;
    use PictureKind::*;
    vec![
        ("zero bytes", Vec::new(), OtherKind),
        ("an SVG with a script", svg.clone().into_bytes(), OtherKind),
        ("an SVG behind a byte order mark", [b"\xef\xbb\xbf", svg.as_bytes()].concat(), OtherKind),
        ("an SVG that begins with an entity", format!("<!DOCTYPE svg [<!ENTITY a 'a'>]>{svg}").into(), OtherKind),
        ("a page", format!("<!DOCTYPE html><html>{script}</html>").into(), OtherKind),
        ("a PDF", b"%PDF-1.7\n1 0 obj".to_vec(), OtherKind),
        ("an archive", b"PK\x03\x04".to_vec(), OtherKind),
        ("a bitmap", b"BM\x3e\0\0\0\0\0\0\0\x3e\0\0\0".to_vec(), OtherKind),
        ("a TIFF", b"II*\0\x08\0\0\0".to_vec(), OtherKind),
        ("an icon", b"\0\0\x01\0\x01\0".to_vec(), OtherKind),
        ("an AVIF", b"\0\0\0\x20ftypavif\0\0\0\0".to_vec(), OtherKind),
        ("a program", b"\x7fELF\x02\x01\x01".to_vec(), OtherKind),
        ("a PNG in text mode", [b"\x89PNG\n\x1a\n".as_slice(), &drawing[8..]].concat(), OtherKind),
        ("a PNG of 30,000 × 30,000 pixels", png_header(30_000, 30_000), TooManyPixels),
        ("a PNG of a line of 60 million pixels", png_header(60_000_000, 1), TooManyPixels),
        ("a GIF of 65,535 × 65,535 pixels", bomb, TooManyPixels),
        ("a PNG without width", zero_wide, Broken),
        ("a PNG that is its signature", drawing[..8].to_vec(), Broken),
        ("a PNG with a wrong sum", wrong_sum, Broken),
        ("a GIF whose frame is larger than itself", long_frame, Broken),
        ("a GIF that is its name", b"GIF89a".to_vec(), Broken),
        ("half a JPEG", half(&photo), Broken),
        ("half a PNG", half(&png(40, 20, ColorType::Rgb, BitDepth::Eight, &[7; 2400])), Broken),
        ("half a WebP", half(LOSSLESS), Broken),
        ("a JPEG of a hundred and one scans more", scans, Broken),
        ("a JPEG without a picture", b"\xff\xd8\xff\xd9".to_vec(), Broken),
        ("a WebP that is its name", b"RIFF\x04\0\0\0WEBP".to_vec(), Broken),
        ("a picture of more than 20 MiB", [photo.clone(), vec![0; MAX_PICTURE_BYTES]].concat(), TooLarge),
        ("a GIF that is a script, too", [gif(&[RED], 20, 10), script.clone().into()].concat(), Taken(Png)),
        (
            "a JPEG with an archive behind it",
            [&photo, b"PK\x03\x04".as_slice(), script.as_bytes()].concat(),
            Taken(Jpeg),
        ),
        ("a PNG with a page behind it", [drawing.clone(), vector.into_bytes()].concat(), Taken(Png)),
        ("a JPEG with a remark", with_segment(&photo, 0xfe, script.as_bytes()), Taken(Jpeg)),
        ("a JPEG that says where it was taken", with_segment(&photo, 0xe1, &exif(6, PLANTED)), Taken(Jpeg)),
        ("a JPEG with a profile of nonsense", jpeg_with_profile(&quarters(40, 20), PLANTED.into()), Taken(Jpeg)),
        ("a PNG with 2 MB of text", with_chunk(&drawing, b"tEXt", &text), Taken(Png)),
        ("a PNG with a profile of nonsense", with_chunk(&drawing, b"iCCP", PLANTED.as_bytes()), Taken(Png)),
        ("a PNG that says it is an animation", with_chunk(&drawing, b"acTL", &animation[..8]), Taken(Png)),
        ("a WebP with metadata", with_webp_chunk(LOSSLESS, b"EXIF", &PLANTED.repeat(2).into_bytes()), Taken(Webp)),
        ("an animated WebP", ANIMATED.to_vec(), Taken(Webp)),
        ("an animated GIF", gif(&[RED, BLUE], 20, 10), Taken(Png)),
        ("a JPEG in printers' colours", CMYK.to_vec(), Taken(Jpeg)),
        ("a PNG of 16 bits", png(1, 1, ColorType::Rgba, BitDepth::Sixteen, &[0x80; 8]), Taken(Png)),
    ]
}

#[test]
fn whatever_is_sent_is_refused_or_comes_out_as_pixels() {
    let inputs = inputs();
    assert!(inputs.len() >= 40, "{}", inputs.len());
    let wrong: Vec<String> = inputs
        .iter()
        .map(|(name, bytes, expected)| (name, expected, outcome(bytes)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(name, expected, found)| format!("{name}: expected {expected:?}, got {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_grows_when_it_is_encoded_anew_loses_a_little_instead() {
    // One bit a pixel, and no two rows alike: in full colours it takes many times as much.
    let bits: Vec<u8> = (0..64 * 512u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let small = png(512, 512, ColorType::Grayscale, BitDepth::One, &bits);
    let picture = read(&small).unwrap();
    let whole = picture.encoded().unwrap();
    assert_eq!(whole.kind, PictureKind::Png);
    assert!(whole.bytes.len() > small.len(), "{} from {}", whole.bytes.len(), small.len());
    let most = picture.encoded_within(usize::MAX).unwrap().bytes.len();
    assert_eq!(picture.encoded_within(most).unwrap(), whole);
    // Noise that no filter of a PNG sees through.
    let noise = |at: u32| {
        let mixed = at.wrapping_mul(2_654_435_761);
        ((mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519) >> 24) as u8
    };
    let noisy: Vec<u8> = (0..256 * 256 * 3).map(noise).collect();
    let opaque = read(&png(256, 256, ColorType::Rgb, BitDepth::Eight, &noisy)).unwrap();
    let size = opaque.encoded().unwrap().bytes.len();
    let smaller = opaque.encoded_within(size - 1).unwrap();
    assert_eq!((smaller.kind, smaller.width), (PictureKind::Jpeg, 256));
    assert!(smaller.bytes.len() < size);
    let clear: Vec<u8> = noisy.chunks(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], pixel[0]]).collect();
    let clear = read(&png(256, 256, ColorType::Rgba, BitDepth::Eight, &clear)).unwrap();
    let smaller = clear.encoded_within(clear.encoded().unwrap().bytes.len() - 1).unwrap();
    assert_eq!(smaller.kind, PictureKind::Webp, "what is transparent stays so");
    let error = opaque.encoded_within(100).unwrap_err();
    assert!(matches!(error, PictureError::Grows { max: 100, .. }), "{error}");
}

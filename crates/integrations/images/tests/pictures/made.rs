//! Pictures made for tests, and a reader that shares nothing with the code under test where that is easy.

use std::io::Cursor;

use galley_images::{Picture, PictureError, PictureLimits};
use image::{
    Delay, Frame, ImageEncoder, Rgb, RgbImage, Rgba, RgbaImage,
    codecs::{gif::GifEncoder, jpeg::JpegEncoder},
};

pub const RED: [u8; 3] = [255, 0, 0];
pub const BLUE: [u8; 3] = [0, 0, 255];
pub const GREEN: [u8; 3] = [0, 255, 0];
pub const WHITE: [u8; 3] = [255, 255, 255];

pub fn read(bytes: &[u8]) -> Result<Picture, PictureError> {
    Picture::read(bytes, &PictureLimits::default())
}

/// Red, green, blue and white: upper left, upper right, lower left, lower right.
pub fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => WHITE,
        })
    })
}

pub fn jpeg(pixels: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(pixels).unwrap();
    bytes
}

pub fn jpeg_with_profile(pixels: &RgbImage, profile: Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_icc_profile(profile).unwrap();
    encoder.encode_image(pixels).unwrap();
    bytes
}

/// The metadata of a camera: which way is up, and a remark.
pub fn exif(orientation: u8, remark: &str) -> Vec<u8> {
    let remark = [remark.as_bytes(), &[0]].concat();
    let mut block = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    block.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    // ImageDescription, behind the directory.
    block.extend([0x01, 0x0e, 0, 2]);
    block.extend(u32::try_from(remark.len()).unwrap().to_be_bytes());
    block.extend(38u32.to_be_bytes());
    block.extend([0; 4]);
    block.extend(remark);
    block
}

/// A JPEG with another segment at its beginning.
pub fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

pub fn gif(frames: &[[u8; 3]], width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for &[r, g, b] in frames {
        let frame = RgbaImage::from_pixel(width, height, Rgba([r, g, b, 255]));
        encoder.encode_frame(Frame::from_parts(frame, 0, 0, Delay::from_numer_denom_ms(100, 1))).unwrap();
    }
    drop(encoder);
    bytes
}

pub fn png(width: u32, height: u32, color: png::ColorType, depth: png::BitDepth, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    bytes
}

/// A PNG without pixels that says it is this large.
pub fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(1, 1, png::ColorType::Rgb, png::BitDepth::Eight, &[0; 3]);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&sum);
    bytes
}

pub fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut sum: u32, &byte| {
        sum ^= u32::from(byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
        sum
    })
}

/// The pixels of an encoded picture, as another program would see them.
pub fn pixels(bytes: &[u8]) -> RgbaImage {
    if bytes.starts_with(&[0x89]) {
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
        let mut data = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut data).unwrap();
        return match frame.color_type {
            png::ColorType::Rgba => RgbaImage::from_raw(frame.width, frame.height, data).unwrap(),
            _ => {
                let rgb = RgbImage::from_raw(frame.width, frame.height, data).unwrap();
                image::DynamicImage::ImageRgb8(rgb).into_rgba8()
            }
        };
    }
    image::load_from_memory(bytes).unwrap().into_rgba8()
}

/// Whether a pixel has about this colour, as lossy formats keep it.
pub fn is_about(pixels: &RgbaImage, x: u32, y: u32, colour: [u8; 3]) -> bool {
    let found = pixels.get_pixel(x, y);
    (0..3).all(|at| found[at].abs_diff(colour[at]) < 24)
}

/// The colours in the middles of the four quarters, as [`quarters`] has them.
pub fn corners(pixels: &RgbaImage) -> [Option<&'static str>; 4] {
    let (w, h) = pixels.dimensions();
    [(w / 4, h / 4), (w * 3 / 4, h / 4), (w / 4, h * 3 / 4), (w * 3 / 4, h * 3 / 4)].map(|(x, y)| {
        let named = [("red", RED), ("green", GREEN), ("blue", BLUE), ("white", WHITE)];
        named.into_iter().find(|(_, colour)| is_about(pixels, x, y, *colour)).map(|(name, _)| name)
    })
}

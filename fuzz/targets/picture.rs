//! Pictures: told by their bytes, decoded within limits, encoded anew.
#![no_main]

use std::{panic::catch_unwind, time::Instant};

use galley_fuzz::tolerate_panics_of_libraries;
use galley_images::{Picture, PictureKind, PictureLimits};
use libfuzzer_sys::fuzz_target;

/// Small enough for many inputs in a second.
const LIMITS: PictureLimits = PictureLimits { bytes: 1 << 20, pixels: 1 << 20 };

fuzz_target!(init: tolerate_panics_of_libraries(), |data: &[u8]| {
    let began = Instant::now();
    // A panic in a decoder costs its picture.
    let Ok(Ok(picture)) = catch_unwind(|| Picture::read(data, &LIMITS)) else { return };
    assert!(u64::from(picture.width()) * u64::from(picture.height()) <= LIMITS.pixels);
    let full = picture.encoded().expect("what was read can be written");
    let variants = picture.variants().expect("in every size");
    for encoded in variants.into_iter().map(|variant| variant.encoded).chain([full]) {
        assert_eq!(PictureKind::of(&encoded.bytes), Some(encoded.kind));
        assert!(encoded.width <= picture.width() && encoded.height <= picture.height());
        for metadata in [&b"Exif\0"[..], b"ICC_PROFILE", b"iCCP", b"http://ns.adobe.com", b"tEXt", b"iTXt", b"zTXt"] {
            assert!(!encoded.bytes.windows(metadata.len()).any(|window| window == metadata));
        }
        let again = Picture::read(&encoded.bytes, &PictureLimits { bytes: usize::MAX, ..LIMITS }).expect("ours");
        assert_eq!((again.width(), again.height()), (encoded.width, encoded.height));
    }
    assert!(began.elapsed().as_secs() < 20, "a small picture took {:?}", began.elapsed());
});

//! The segments of a JPEG. The decoder forgives nearly everything, so what it shall not forgive is looked for here: a file that
//! ends too early, and one that would keep it busy for hours.

/// Ordinary files have at most a dozen. Each may go over the whole picture with a few bytes.
const MAX_SCANS: u32 = 100;

/// How a JPEG is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    progressive: bool,
    components: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("it ends before its picture does")]
    Truncated,
    #[error("it has no picture")]
    NoFrame,
    #[error("it has more than {MAX_SCANS} scans")]
    TooManyScans,
}

impl Layout {
    /// Bytes of coefficients that are kept for a pixel until the last scan is read.
    pub fn stored_per_pixel(self) -> u64 {
        if self.progressive { 2 * u64::from(self.components) } else { 0 }
    }
}

/// Goes through all segments up to the end of the picture; what stands behind it does not matter.
pub(super) fn walk(bytes: &[u8]) -> Result<Layout, Damage> {
    let (mut at, mut layout, mut scans) = (2, None, 0);
    loop {
        let (marker, after) = next_marker(bytes, at).ok_or(Damage::Truncated)?;
        at = after;
        match marker {
            0xd9 => return layout.ok_or(Damage::NoFrame),
            // These stand alone.
            0x01 | 0xd8 => continue,
            _ => {}
        }
        let segment = segment(bytes, at).ok_or(Damage::Truncated)?;
        match marker {
            // Frames; the three in between are tables.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let components = *segment.get(7).ok_or(Damage::Truncated)?;
                layout = Some(Layout { progressive: marker & 0b11 == 0b10, components });
            }
            0xda => {
                scans += 1;
                if scans > MAX_SCANS {
                    return Err(Damage::TooManyScans);
                }
            }
            _ => {}
        }
        at += segment.len();
    }
}

/// The next marker that is no part of the picture's data, and where it ends.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)? + 1;
        match *bytes.get(at)? {
            // A byte of data, a restart, or filling before the marker itself.
            0x00 | 0xd0..=0xd7 => at += 1,
            0xff => {}
            marker => return Some((marker, at + 1)),
        }
    }
}

/// A segment with its length.
fn segment(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    bytes.get(at..at + length.max(2))
}

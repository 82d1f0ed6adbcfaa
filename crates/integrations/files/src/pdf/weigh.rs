//! How much a PDF's streams unpack to, found out before the parser unpacks them, because it does so without bounds.

use std::io::{Cursor, Read};

use flate2::bufread::ZlibDecoder;
use hayro_syntax::object::{Array, Name, Stream, dict::keys};
use memchr::memmem;

use crate::{
    error::FileError,
    limits::{Budget, Limits},
};

/// A dictionary in front of a stream is not longer than this.
const MAX_DICTIONARY: usize = 64 << 10;
/// What LZW and run lengths can grow by at most.
const LZW_GROWTH: usize = 1_400;
const RUN_GROWTH: usize = 64;
/// How much a protected file's packed object tables may hold; what they unpack to cannot be seen from outside.
const MAX_PROTECTED_TABLES: usize = 1 << 20;

/// Checks the streams that the parser unpacks while it opens a file, and with them all others except images, which are
/// never unpacked here. Objects are found by their looks, not by the file's own table, so nothing can hide.
pub(super) fn check(bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<(), FileError> {
    let encrypted = memmem::find(bytes, b"/Encrypt").is_some();
    let (mut total, mut protected_tables) = (0_usize, 0_usize);
    for (count, at) in memmem::find_iter(bytes, b"obj").enumerate() {
        if count >= limits.entries.saturating_mul(200) {
            return Err(FileError::Bomb { detail: "too many objects in the PDF" });
        }
        if count.is_multiple_of(64) {
            budget.check()?;
        }
        let Some((dictionary, data)) = stream_at(&bytes[at + 3..]) else { continue };
        let is_table = has_key(dictionary, b"First") || has_key(dictionary, b"Size") || dictionary.contains(&b'#');
        if !is_table && memmem::find(dictionary, b"/Image").is_some() {
            continue;
        }
        if is_table && !is_plainly_packed(dictionary) {
            return Err(FileError::Bomb { detail: "an unusual packing of the PDF's object table" });
        }
        if is_table && encrypted && has_key(dictionary, b"First") {
            protected_tables += memmem::find(data, b"endstream").unwrap_or(data.len());
            if protected_tables > MAX_PROTECTED_TABLES {
                return Err(FileError::Encrypted);
            }
        }
        total += inflated(data, limits.expanded_bytes.saturating_sub(total), budget)?;
        if total > limits.expanded_bytes {
            return Err(FileError::Bomb { detail: "the streams of the PDF" });
        }
    }
    Ok(())
}

/// True where unpacking `stream` gives at most `room` bytes.
pub(super) fn fits(stream: &Stream<'_>, room: usize, budget: &Budget) -> Result<bool, FileError> {
    let mut data = stream.raw_data();
    let filters = filters(stream);
    for (at, filter) in filters.iter().enumerate() {
        let is_last = at + 1 == filters.len();
        data = match filter.as_str() {
            "Crypt" => continue,
            "ASCII85Decode" | "A85" => ascii85(&data).into(),
            "ASCIIHexDecode" | "AHx" => hex(&data).into(),
            "FlateDecode" | "Fl" if is_last => return Ok(inflated(&data, room, budget)? <= room),
            "LZWDecode" | "LZW" if is_last => return Ok(data.len().saturating_mul(LZW_GROWTH) <= room),
            "RunLengthDecode" | "RL" if is_last => return Ok(data.len().saturating_mul(RUN_GROWTH) <= room),
            // Packed twice: nobody does that for text, a bomb does. Or an image.
            _ => return Ok(false),
        };
    }
    Ok(data.len() <= room)
}

fn filters(stream: &Stream<'_>) -> Vec<String> {
    let dict = stream.dict();
    let name = |key: &[u8]| dict.get::<Name<'_>>(key).map(|name| vec![name.as_str().to_owned()]);
    let names = |key: &[u8]| {
        let array = dict.get::<Array<'_>>(key)?;
        Some(array.iter::<Name<'_>>().take(9).map(|name| name.as_str().to_owned()).collect())
    };
    name(keys::FILTER).or_else(|| names(keys::FILTER)).or_else(|| name(keys::F)).or_else(|| names(keys::F)).unwrap_or_default()
}

/// How many bytes a zlib stream unpacks to; counting stops soon after `room`.
fn inflated(data: &[u8], room: usize, budget: &Budget) -> Result<usize, FileError> {
    let mut decoder = ZlibDecoder::new(Cursor::new(data));
    let mut piece = vec![0; 64 << 10];
    let mut total = 0;
    while total <= room {
        match decoder.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => total += read,
            // Not packed, or damaged: the parser may make a little more of it than this.
            Err(_) => break,
        }
        budget.check()?;
    }
    Ok(total)
}

/// The dictionary and the data of a stream object whose text follows `obj`.
fn stream_at(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = &text[..];
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0)?;
    // Comments may stand anywhere; an object that begins with one is searched for its data all the same.
    if !text[start..].starts_with(b"<<") && text[start] != b'%' {
        return None;
    }
    let window = &text[..text.len().min(MAX_DICTIONARY)];
    let end = memmem::find(window, b"endobj").unwrap_or(window.len());
    // The keyword is followed by a line end; `endstream` is not it, nor is a key like /streamlined.
    let mut from = start;
    let at = loop {
        let at = from + memmem::find(&window[from..end], b"stream")?;
        let is_keyword = matches!(window.get(at + 6), Some(b'\r' | b'\n' | b' '))
            && at.checked_sub(1).is_none_or(|before| !window[before].is_ascii_alphabetic() && window[before] != b'/');
        if is_keyword {
            break at;
        }
        from = at + 6;
    };
    let data = &text[at + 6..];
    let skip = data.iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n' | b' ')).count();
    // A lone CR before data that begins with LF is cut once too often; both ways are weighed by taking the line end
    // that the standard asks for.
    Some((&text[start..at], &data[skip..]))
}

fn has_key(dictionary: &[u8], key: &[u8]) -> bool {
    memmem::find_iter(dictionary, key).any(|at| at > 0 && dictionary[at - 1] == b'/')
}

/// Object and cross-reference tables are packed by Flate alone or not at all.
fn is_plainly_packed(dictionary: &[u8]) -> bool {
    let decoders = memmem::find_iter(dictionary, b"Decode").count();
    let parameters = memmem::find_iter(dictionary, b"DecodeParms").count();
    let flate = memmem::find_iter(dictionary, b"/FlateDecode").count();
    decoders - parameters <= 1 && (decoders == parameters || flate == 1)
}

fn ascii85(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut group = [0_u8; 5];
    let mut filled = 0;
    let data = data.strip_prefix(b"<~").unwrap_or(data);
    for byte in data.iter().copied().take_while(|byte| *byte != b'~') {
        match byte {
            b'z' if filled == 0 => out.extend([0; 4]),
            b'!'..=b'u' => {
                group[filled] = byte - b'!';
                filled += 1;
                if filled == 5 {
                    out.extend(group_of(&group));
                    filled = 0;
                }
            }
            _ => {}
        }
    }
    if filled > 1 {
        group[filled..].fill(84);
        out.extend(&group_of(&group)[..filled - 1]);
    }
    out
}

fn group_of(group: &[u8; 5]) -> [u8; 4] {
    group.iter().fold(0_u32, |value, digit| value.wrapping_mul(85).wrapping_add(u32::from(*digit))).to_be_bytes()
}

fn hex(data: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = data
        .iter()
        .take_while(|byte| **byte != b'>')
        .filter_map(|byte| char::from(*byte).to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)).collect()
}

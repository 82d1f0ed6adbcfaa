//! How much a PDF's streams unpack to, found out before the parser unpacks them, because it does so without bounds.

use std::io::{Cursor, Read};

use flate2::bufread::{DeflateDecoder, ZlibDecoder};
use hayro_syntax::object::{Array, Name, Stream, dict::keys};
use memchr::memmem;

use crate::{
    error::FileError,
    limits::{Budget, Limits},
};

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
            return Err(FileError::bomb("too many objects in the PDF"));
        }
        budget.check()?;
        let Some((dictionary, data)) = stream_at(&bytes[at + 3..]) else { continue };
        let dictionary = unescaped(dictionary);
        let is_objects = has_key(&dictionary, b"First") && has_key(&dictionary, b"N");
        let is_table = is_objects || (has_key(&dictionary, b"Size") && has_key(&dictionary, b"W"));
        if !is_table && memmem::find(&dictionary, b"/Image").is_some() {
            continue;
        }
        if is_table && !is_plainly_packed(&dictionary) {
            return Err(FileError::damaged("an unusual packing of the PDF's object table"));
        }
        if is_objects && encrypted {
            protected_tables += memmem::find(data, b"endstream").unwrap_or(data.len());
            if protected_tables > MAX_PROTECTED_TABLES {
                return Err(FileError::Encrypted);
            }
        }
        if memmem::find(&dictionary, b"/Fl").is_some() {
            total += inflated(data, limits.expanded_bytes.saturating_sub(total), budget)?;
        }
        if total > limits.expanded_bytes {
            return Err(FileError::bomb("the streams of the PDF"));
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
    name(keys::FILTER)
        .or_else(|| names(keys::FILTER))
        .or_else(|| name(keys::F))
        .or_else(|| names(keys::F))
        .unwrap_or_default()
}

/// How many bytes Flate data unpacks to, with or without the header of zlib, as far as it can be read; counting stops
/// soon after `room`.
fn inflated(data: &[u8], room: usize, budget: &Budget) -> Result<usize, FileError> {
    let (total, whole) = count(ZlibDecoder::new(Cursor::new(data)), room, budget)?;
    if whole {
        return Ok(total);
    }
    Ok(total.max(count(DeflateDecoder::new(Cursor::new(data)), room, budget)?.0))
}

/// The bytes that come out, and whether they came to a regular end.
fn count(mut decoder: impl Read, room: usize, budget: &Budget) -> Result<(usize, bool), FileError> {
    let mut piece = vec![0; 64 << 10];
    let mut total = 0;
    while total <= room {
        match decoder.read(&mut piece) {
            Ok(0) => return Ok((total, true)),
            Ok(read) => total += read,
            Err(_) => return Ok((total, false)),
        }
        budget.check()?;
    }
    Ok((total, true))
}

/// The dictionary and the data of a stream object whose text follows `obj`, by the grammar that the parser follows too.
fn stream_at(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = blank(text, 0);
    if !text[start..].starts_with(b"<<") {
        return None;
    }
    let end = dictionary_end(text, start)?;
    let data = text[blank(text, end)..].strip_prefix(b"stream")?;
    let skip = data.iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    Some((&text[start..end], &data[skip..]))
}

/// Past white space and comments.
fn blank(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b'%' => at = past_line(text, at),
            0 | b'\t' | b'\n' | 0xc | b'\r' | b' ' => at += 1,
            _ => break,
        }
    }
    at
}

fn past_line(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|byte| matches!(byte, b'\r' | b'\n')).map_or(text.len(), |length| at + length)
}

/// Past the `>>` that belongs to the `<<` at `at`.
fn dictionary_end(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match (text.get(at)?, text.get(at + 1)) {
            (b'%', _) => at = past_line(text, at),
            (b'(', _) => at = string_end(text, at)?,
            (b'<', Some(b'<')) => {
                depth += 1;
                at += 2;
            }
            (b'<', _) => at += 1 + memchr::memchr(b'>', &text[at..])?,
            (b'>', Some(b'>')) => {
                at += 2;
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
}

/// Past the `)` that belongs to the `(` at `at`.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match text.get(at)? {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// With `#xx` in names written out.
fn unescaped(dictionary: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(dictionary.len());
    let mut at = 0;
    while at < dictionary.len() {
        let digits = dictionary.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| dictionary[at] == b'#').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(dictionary[at]);
                at += 1;
            }
        }
    }
    out
}

fn has_key(dictionary: &[u8], key: &[u8]) -> bool {
    memmem::find_iter(dictionary, key).any(|at| {
        let ends = dictionary.get(at + key.len()).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        ends && at > 0 && dictionary[at - 1] == b'/'
    })
}

/// Object and cross-reference tables are packed by Flate alone or not at all.
fn is_plainly_packed(dictionary: &[u8]) -> bool {
    let decoders = memmem::find_iter(dictionary, b"Decode").count();
    let parameters = memmem::find_iter(dictionary, b"DecodeParms").count();
    let flate = memmem::find_iter(dictionary, b"/FlateDecode").count();
    decoders.saturating_sub(parameters) <= 1 && (decoders == parameters || flate == 1)
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

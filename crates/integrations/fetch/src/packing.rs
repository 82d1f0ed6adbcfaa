//! Content codings. Servers misname them and declare ones that they do not use, so the bytes decide before the header does.

use std::io::Read;

use brotli_decompressor::Decompressor;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::{client::Overlong, kind::looks_binary};

/// What is asked for.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br";
/// Codings on top of each other; nobody needs more than two.
const MAX_CODINGS: usize = 4;
/// Of the window that brotli reads through.
const BROTLI_BUFFER: usize = 16 << 10;

/// Why a body could not be unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PackingError {
    /// More bytes than the limit come out.
    TooLarge,
    /// The packed bytes break off or make no sense.
    Broken,
    /// A coding that is not known, over bytes that are no plain text either.
    Unknown,
}

/// Undoes the codings of a `Content-Encoding` header, the last one first; at most `limit` bytes come out. A body that is
/// plain text, whatever was declared, stays as it is.
pub(crate) fn unpacked(
    body: Vec<u8>,
    declared: Option<&str>,
    limit: usize,
    overlong: Overlong,
) -> Result<Vec<u8>, PackingError> {
    let codings = declared.unwrap_or_default().split(',').map(str::trim);
    let codings: Vec<&str> = codings.filter(|coding| !coding.is_empty()).collect();
    if codings.len() > MAX_CODINGS {
        return Err(PackingError::Unknown);
    }
    codings.iter().rev().try_fold(body, |body, coding| undone(body, &coding.to_ascii_lowercase(), limit, overlong))
}

fn undone(body: Vec<u8>, coding: &str, limit: usize, overlong: Overlong) -> Result<Vec<u8>, PackingError> {
    if body.is_empty() || coding == "identity" {
        return Ok(body);
    }
    let read = |source: &mut dyn Read| taken(source, limit, overlong);
    let result = if is_gzip(&body) {
        read(&mut MultiGzDecoder::new(body.as_slice()))
    } else {
        match coding {
            "gzip" | "x-gzip" => Err(PackingError::Broken),
            // The standard means zlib's form, and half of the servers send bare deflate.
            "deflate" => match read(&mut ZlibDecoder::new(body.as_slice())) {
                Err(PackingError::Broken) => read(&mut DeflateDecoder::new(body.as_slice())),
                result => result,
            },
            "br" => read(&mut Decompressor::new(body.as_slice(), BROTLI_BUFFER)),
            _ => Err(PackingError::Unknown),
        }
    };
    match result {
        Err(PackingError::Broken | PackingError::Unknown) if !looks_binary(&body) => Ok(body),
        result => result,
    }
}

fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(b"\x1f\x8b\x08")
}

fn taken(source: &mut dyn Read, limit: usize, overlong: Overlong) -> Result<Vec<u8>, PackingError> {
    let mut out = Vec::new();
    let read = source.take(limit as u64 + 1).read_to_end(&mut out);
    if out.len() > limit {
        out.truncate(limit);
        return if overlong == Overlong::Cut { Ok(out) } else { Err(PackingError::TooLarge) };
    }
    match read {
        Ok(_) => Ok(out),
        // Of a cut body that much is there.
        Err(_) if overlong == Overlong::Cut && !out.is_empty() => Ok(out),
        Err(_) => Err(PackingError::Broken),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    const TEXT: &[u8] = b"<p>Green tea is steeped at seventy to eighty degrees, green tea is.</p>";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn raw(bytes: &[u8]) -> Vec<u8> {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::best());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    /// An uncompressed brotli stream of one piece: window of 16 bits, length in two bytes.
    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let length = bytes.len() as u32 - 1;
        let bits: u32 = length << 4 | 1 << 20;
        let mut out = bits.to_le_bytes()[..3].to_vec();
        out.extend(bytes);
        out.push(3);
        out
    }

    fn unpack(body: Vec<u8>, coding: &str) -> Result<Vec<u8>, PackingError> {
        unpacked(body, Some(coding), 1 << 20, Overlong::Refuse)
    }

    #[test]
    fn every_coding_in_all_its_spellings() {
        for (coding, body) in [
            ("gzip", gzip(TEXT)),
            ("x-gzip", gzip(TEXT)),
            ("GZIP", gzip(TEXT)),
            ("deflate", zlib(TEXT)),
            ("deflate", raw(TEXT)),
            ("br", brotli(TEXT)),
            ("gzip, gzip", gzip(&gzip(TEXT))),
            ("deflate, gzip", gzip(&zlib(TEXT))),
            ("identity", TEXT.to_vec()),
            ("", TEXT.to_vec()),
            // Misnamed.
            ("deflate", gzip(TEXT)),
            ("application/gzip", gzip(TEXT)),
        ] {
            assert_eq!(unpack(body, coding).as_deref(), Ok(TEXT), "{coding}");
        }
    }

    #[test]
    fn a_plain_body_is_read_whatever_is_declared() {
        for coding in ["gzip", "x-gzip", "deflate", "br", "zstd", "utf-8", "none", "gzip, deflate", "binary"] {
            assert_eq!(unpack(TEXT.to_vec(), coding).as_deref(), Ok(TEXT), "{coding}");
        }
        assert_eq!(unpack(Vec::new(), "gzip"), Ok(Vec::new()));
    }

    #[test]
    fn broken_unknown_and_huge_bodies() {
        let half = |mut body: Vec<u8>| {
            body.truncate(body.len() / 2);
            body
        };
        assert_eq!(unpack(half(gzip(TEXT)), "gzip"), Err(PackingError::Broken));
        assert_eq!(unpack(half(brotli(TEXT)), "br"), Err(PackingError::Broken));
        assert_eq!(unpack(b"\x28\xb5\x2f\xfd\0\x01".to_vec(), "zstd"), Err(PackingError::Unknown));
        assert_eq!(unpack(TEXT.to_vec(), "gzip,gzip,gzip,gzip,gzip"), Err(PackingError::Unknown));
        let huge = gzip(&vec![b'a'; 2 << 20]);
        assert_eq!(unpack(huge.clone(), "gzip"), Err(PackingError::TooLarge));
        assert_eq!(unpacked(huge, Some("gzip"), 100, Overlong::Cut).unwrap(), [b'a'; 100]);
    }
}

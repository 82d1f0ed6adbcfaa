//! Quotes of a CSV file that are never closed: each would swallow the rows behind it.

use std::borrow::Cow;

use memchr::memchr;

/// More of them, and more bytes looked at than this many times the file, are read as they are.
const MOST: usize = 100;
const MOST_LOOKS: usize = 8;

/// The text without the quotes that open a cell and are never closed, and the lines that they stood in, from 1.
pub(super) fn without_unclosed(text: &str, delimiter: u8) -> (Cow<'_, str>, Vec<usize>) {
    let bytes = text.as_bytes();
    let mut unclosed = Vec::new();
    let mut at = 0;
    let mut starts_cell = true;
    let mut looked = 0;
    while at < bytes.len() {
        if bytes[at] == b'"' && starts_cell {
            let end = closed_at(bytes, at + 1, delimiter);
            looked += end.unwrap_or_else(|within| within) - at;
            match end {
                Ok(end) => at = end,
                Err(_) => unclosed.push(at),
            }
            if unclosed.len() >= MOST || looked > MOST_LOOKS * bytes.len() {
                break;
            }
        }
        starts_cell = bytes.get(at).is_some_and(|byte| *byte == delimiter || matches!(byte, b'\n' | b'\r'));
        at += 1;
    }
    if unclosed.is_empty() {
        return (Cow::Borrowed(text), Vec::new());
    }
    let mut out = String::with_capacity(text.len());
    let mut lines = Vec::new();
    let (mut from, mut line) = (0, 1);
    for at in unclosed {
        out.push_str(&text[from..at]);
        line += bytes[from..at].iter().filter(|byte| **byte == b'\n').count();
        lines.push(line);
        from = at + 1;
    }
    out.push_str(&text[from..]);
    (Cow::Owned(out), lines)
}

/// Where the quoted cell that begins at `from` ends: behind its quote. `Err` with how far was looked if it never does: at
/// the end of the file, or where a quote behind a line break opens another cell.
fn closed_at(bytes: &[u8], from: usize, delimiter: u8) -> Result<usize, usize> {
    let mut at = from;
    let mut has_break = false;
    while let Some(next) = memchr(b'"', &bytes[at..]) {
        let quote = at + next;
        has_break |= memchr(b'\n', &bytes[at..quote]).is_some();
        at = quote + 1;
        match bytes.get(at) {
            Some(b'"') => at += 1,
            None | Some(b'\n' | b'\r') => return Ok(at),
            Some(byte) if *byte == delimiter => return Ok(at),
            // On one line it ends the quoted part of a cell.
            Some(_) if !has_break => return Ok(at),
            Some(_) => return Err(at),
        }
    }
    Err(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_that_are_never_closed_are_found_with_their_lines() {
        for (given, wanted, lines) in [
            ("a,b\n\"x, y\",2\n", "a,b\n\"x, y\",2\n", vec![]),
            ("a,b\n\"two\nlines\",2\n", "a,b\n\"two\nlines\",2\n", vec![]),
            ("a,b\n\"say \"\"hi\"\"\",2", "a,b\n\"say \"\"hi\"\"\",2", vec![]),
            ("a,b\n\"x,1\ny,2\nz,3\n", "a,b\nx,1\ny,2\nz,3\n", vec![2]),
            ("a,b\nm,\"5\ny,\"ok\"\nz,3", "a,b\nm,5\ny,\"ok\"\nz,3", vec![2]),
            ("a,b\n\"x\" y,1\n\"z", "a,b\n\"x\" y,1\nz", vec![3]),
            ("5\" pipe,1\n", "5\" pipe,1\n", vec![]),
        ] {
            assert_eq!(without_unclosed(given, b','), (Cow::Borrowed(wanted), lines), "{given:?}");
        }
        let hostile = ",\"x\n".repeat(100_000);
        assert!(without_unclosed(&hostile, b',').1.len() <= MOST);
    }
}

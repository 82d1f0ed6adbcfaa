//! What a file is, told by its content. A name can lie and often does.

use serde::{Deserialize, Serialize};

use crate::{archive, charset, error::FileError};

/// The kinds of files that text can be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FileKind {
    Pdf,
    Docx,
    Xlsx,
    Csv,
    Text,
    Markdown,
    Html,
}

impl FileKind {
    /// In lower case, as the usual file extension has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
            Self::Text => "txt",
            Self::Markdown => "md",
            Self::Html => "html",
        }
    }
}

const CONVERT: &str = "save it as PDF, DOCX, XLSX, CSV, HTML, Markdown or plain text and upload that";
const IMAGE: &str = "run text recognition over it, or type its text into a text file";
const UNPACK: &str = "unpack it and upload the documents in it one by one";

/// Start of the file, what it then is, the way out.
const SIGNATURES: [(&[u8], &str, &str); 27] = [
    (b"\x89PNG\r\n\x1a\n", "a PNG image", IMAGE),
    (b"\xff\xd8\xff", "a JPEG image", IMAGE),
    (b"GIF8", "a GIF image", IMAGE),
    (b"II*\0", "a TIFF image", IMAGE),
    (b"MM\0*", "a TIFF image", IMAGE),
    (b"\0\0\x01\0", "an icon", IMAGE),
    (b"8BPS", "a Photoshop image", IMAGE),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", UNPACK),
    (b"{\\rtf", "an RTF document", CONVERT),
    (b"%!PS", "a PostScript document", "save it as PDF and upload that"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV and upload that"),
    (b"PAR1", "a Parquet file", "export the table as CSV and upload that"),
    (b"\x7fELF", "a program", CONVERT),
    (b"MZ\x90\0", "a program", CONVERT),
    (b"\xca\xfe\xba\xbe", "a program", CONVERT),
    (b"ID3", "a sound file", "transcribe it and upload the text"),
    (b"OggS", "a sound file", "transcribe it and upload the text"),
    (b"fLaC", "a sound file", "transcribe it and upload the text"),
    (b"\x1aE\xdf\xa3", "a video", "transcribe it and upload the text"),
    (b"wOFF", "a font", CONVERT),
    (b"wOF2", "a font", CONVERT),
    (b"OTTO", "a font", CONVERT),
];

/// Tells what `bytes` are by their content. `name` only decides between plain text, Markdown and CSV, which share
/// their looks, and whether tags in a text without `<html>` are meant as HTML.
///
/// Errors: `Empty`, `UnknownType` (naming what the content looks like), `Encrypted`, `Damaged` (a broken archive).
pub fn sniff(bytes: &[u8], name: &str) -> Result<FileKind, FileError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(FileError::Empty);
    }
    if is_pdf(bytes) {
        return Ok(FileKind::Pdf);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return archive::kind(bytes);
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Err(ole(bytes));
    }
    if let Some((_, looks_like, way_out)) = SIGNATURES.iter().find(|(start, _, _)| bytes.starts_with(start)) {
        return Err(FileError::unknown(looks_like, way_out));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12).is_some_and(|kind| matches!(kind, b"WEBP" | b"WAVE" | b"AVI ")) {
        return Err(FileError::unknown("an image, a sound or a video", IMAGE));
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Err(FileError::unknown("a video or an HEIC image", CONVERT));
    }
    text_kind(bytes, name)
}

/// Readers accept a PDF whose header stands within the first kilobyte; a text that only mentions one has no objects.
fn is_pdf(bytes: &[u8]) -> bool {
    let find = |hay: &[u8], needle: &[u8]| hay.windows(needle.len()).any(|window| window == needle);
    bytes.starts_with(b"%PDF-")
        || (find(&bytes[..bytes.len().min(1_024)], b"%PDF-") && find(bytes, b"endobj") && find(bytes, b"startxref"))
}

/// Old Office files and protected new ones share this container; the names of its streams are in UTF-16.
fn ole(bytes: &[u8]) -> FileError {
    let has = |name: &str| {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.windows(name.len()).any(|window| window == name)
    };
    let (looks_like, way_out) = match () {
        () if has("EncryptedPackage") => return FileError::Encrypted,
        () if has("WordDocument") => ("a Word document of the old kind (.doc)", "save it as DOCX and upload that"),
        () if has("Workbook") || has("Book") => {
            ("an Excel file of the old kind (.xls)", "save it as XLSX and upload that")
        }
        () if has("PowerPoint Document") => {
            ("a PowerPoint file of the old kind (.ppt)", "save it as PDF and upload that")
        }
        () if has("__properties_version1.0") => ("an Outlook message", CONVERT),
        () => ("an Office file of the old kind", CONVERT),
    };
    FileError::unknown(looks_like, way_out)
}

pub(crate) fn text_kind(bytes: &[u8], name: &str) -> Result<FileKind, FileError> {
    // Cut at an even byte for UTF-16; a cut character at the end is one replacement, which nothing here counts.
    let sample = charset::decode(&bytes[..bytes.len().min(64 << 10)], None).text;
    let controls = sample.chars().filter(|c| c.is_control() && !c.is_whitespace() && *c != '\u{1b}').count();
    if controls > 8 && controls * 50 > sample.chars().count() {
        return Err(FileError::unknown("a binary file", CONVERT));
    }
    let start = sample.trim_start_matches(['\u{feff}', '\0']).trim_start();
    let head = start.get(..start.floor_char_boundary(2_048)).unwrap_or(start).to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_ascii_lowercase());
    let says_html = matches!(extension.as_str(), "html" | "htm" | "xhtml");
    if head.starts_with("<!doctype html")
        || (head.starts_with('<') && (head.contains("<html") || head.contains("<body") || head.contains("<head")))
        || (says_html && start.contains('<'))
    {
        return Ok(FileKind::Html);
    }
    if head.starts_with("<?xml") || head.starts_with("<!doctype") || head.starts_with("<svg") {
        return Err(FileError::unknown("an XML file", "export its content as CSV or HTML"));
    }
    Ok(match extension.as_str() {
        "csv" | "tsv" | "tab" => FileKind::Csv,
        "md" | "markdown" | "mdown" | "mkd" => FileKind::Markdown,
        "txt" | "text" if crate::csv_file::is_surely_csv(start) => FileKind::Csv,
        "txt" | "text" | "log" => FileKind::Text,
        _ if crate::csv_file::looks_like_csv(start) => FileKind::Csv,
        _ if looks_like_markdown(start) => FileKind::Markdown,
        _ => FileKind::Text,
    })
}

fn looks_like_markdown(text: &str) -> bool {
    let mut lines = text.lines().take(200);
    lines.any(|line| {
        let marks = line.bytes().take_while(|byte| *byte == b'#').count();
        ((1..=6).contains(&marks) && line.as_bytes().get(marks) == Some(&b' ')) || line.starts_with("```")
    })
}

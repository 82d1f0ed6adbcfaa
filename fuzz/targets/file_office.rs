//! Word and Excel files, packed here from their parts, so that the parts are what is mutated.
#![no_main]

use std::io::{Cursor, Write};

use galley_files::{FileKind, extract};
use galley_fuzz::{LIMITS, check_subset, must_be_cheap, must_be_quick, parts, tolerate_panics_of_libraries};
use libfuzzer_sys::fuzz_target;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const WORD: [&str; 7] = [
    "word/document.xml",
    "word/styles.xml",
    "word/footnotes.xml",
    "docProps/core.xml",
    "[Content_Types].xml",
    "word/endnotes.xml",
    "word/numbering.xml",
];
const EXCEL: [&str; 7] = [
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "docProps/core.xml",
    "_rels/.rels",
];

fn packed(names: &[&str], parts: &[&[u8]]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, part) in names.iter().zip(parts).filter(|(_, part)| !part.is_empty()) {
        zip.start_file(*name, options).expect("a plain name");
        zip.write_all(part).expect("memory takes all");
    }
    zip.finish().expect("memory takes all").into_inner()
}

fuzz_target!(init: tolerate_panics_of_libraries(), |data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let (names, name, kind) =
        if *first == b'x' { (&EXCEL, "a.xlsx", FileKind::Xlsx) } else { (&WORD, "a.docx", FileKind::Docx) };
    let bytes = packed(names, &parts::<7>(rest));
    let Some(read) = must_be_quick(must_be_cheap(|| extract(&bytes, name, &LIMITS))) else { return };
    // The table of contents of the archive may say that it is the other one.
    assert!(read.kind == kind || matches!(read.kind, FileKind::Docx | FileKind::Xlsx));
    check_subset(&read.text);
});

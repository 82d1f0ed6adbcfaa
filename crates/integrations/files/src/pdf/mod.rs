//! PDF: what stands on the pages, put back into lines, columns and paragraphs.

mod columns;
mod content;
mod direction;
mod flow;
mod font;
mod forms;
mod glyphs;
mod lines;
mod pictures;
mod spacing;
mod weigh;

use std::sync::Arc;

use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use crate::{
    charset,
    error::FileError,
    extract::Read,
    limits::{Budget, Limits},
    symbols::UNKNOWN,
};

pub(crate) fn read(bytes: &[u8], limits: &Limits, budget: &Budget) -> Result<Read, FileError> {
    weigh::check(bytes, limits, budget)?;
    let pdf = Pdf::new(Arc::new(bytes.to_vec())).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm) => {
            FileError::Encrypted
        }
        LoadPdfError::Decryption(_) => FileError::damaged("the protection of the PDF"),
        LoadPdfError::Invalid => FileError::damaged("the PDF has no readable page"),
    })?;
    budget.check()?;
    let pages = pdf.pages();
    if pages.is_empty() {
        return Err(FileError::damaged("the PDF has no readable page"));
    }
    let mut reader = content::Reader::new(limits, budget);
    let mut left = glyphs::Left::default();
    let mut read_pages = Vec::new();
    let mut bytes_read = 0;
    for page in pages.iter().take(limits.pages) {
        budget.check()?;
        let page = lines::page(reader.page(page)?, &mut left, budget)?;
        bytes_read += page.iter().flatten().map(|line| line.text.len()).sum::<usize>();
        read_pages.push(page);
        if bytes_read > limits.text_bytes.saturating_mul(2) {
            break;
        }
    }
    let (blocks, notes, ends) = flow::blocks(&read_pages, limits, budget)?;
    let mut read = Read::new(blocks);
    read.pictures = std::mem::take(&mut reader.seeing).pictures(&ends, limits);
    read.title = pdf.metadata().title.as_deref().map(text_string).filter(|title| is_title(title));
    if pages.len() > read_pages.len() {
        read.truncated = true;
        read.warnings.push(format!("only the first {} of {} pages were read", read_pages.len(), pages.len()));
    }
    if reader.left_out {
        read.truncated = true;
        read.warnings.push("a part of the PDF unpacks to too much and was left out".to_owned());
    }
    if reader.unknown * 20 > reader.glyphs {
        let percent = reader.unknown * 100 / reader.glyphs.max(1);
        read.warnings.push(format!("{percent}% of the characters have no meaning in the file"));
    } else if reader.unknown > 0 {
        read.warnings
            .push(format!("characters that could not be told were left out or stand as {UNKNOWN}: {}", reader.unknown));
    }
    read.warnings.extend(left.warnings());
    if reader.unseen > 0 {
        read.warnings.push(format!("characters that no reader of the pages sees were left out: {}", reader.unseen));
    }
    if notes > 0 {
        read.warnings.push(format!("footnotes that were left out: {notes}"));
    }
    if read.blocks.is_empty() {
        return Err(FileError::no_text(
            "its pages are pictures or drawings, as from a scanner; run text recognition over it",
        ));
    }
    Ok(read)
}

/// A text string of the file: UTF-16 or UTF-8 with a mark, else nearly Latin-1.
fn text_string(bytes: &[u8]) -> String {
    if bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xef\xbb\xbf") {
        return charset::decode(bytes, None).text.into_owned();
    }
    encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}

/// Programs write the name of their file, or their own, where a title should be.
fn is_title(title: &str) -> bool {
    let title = title.trim().to_lowercase();
    let is_file =
        [".doc", ".docx", ".pdf", ".indd", ".dvi", ".tex", ".xlsx", ".odt"].iter().any(|end| title.ends_with(end));
    !title.is_empty()
        && !is_file
        && !title.starts_with("microsoft word")
        && title != "untitled"
        && title != "(anonymous)"
}

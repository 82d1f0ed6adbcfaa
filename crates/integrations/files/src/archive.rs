//! Office files are ZIP archives. Nothing is unpacked to disk; members are looked up by name, so strange names harm
//! nobody; and what counts is how many bytes really come out, not what the archive says about itself.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

use zip::{ZipArchive, result::ZipError};

use crate::{
    charset,
    error::FileError,
    limits::{Budget, Limits, size},
    pictures::{SIGNATURE, is_picture},
    sniff::FileKind,
};

/// Members smaller than this are let be, however well they were packed.
const SMALL_MEMBER: usize = 1 << 20;
/// What [`kind`] reads of a member.
const SNIFFED: u64 = 256 << 10;

pub(crate) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Index by normalised name.
    names: BTreeMap<String, usize>,
    limits: &'a Limits,
    budget: &'a Budget,
    expanded: usize,
    /// Of the pictures alone: one too many must not cost the text that is read behind it.
    expanded_pictures: usize,
}

impl<'a> Archive<'a> {
    pub(crate) fn open(bytes: &'a [u8], limits: &'a Limits, budget: &'a Budget) -> Result<Self, FileError> {
        let (zip, names) = open(bytes)?;
        if zip.len() > limits.entries {
            return Err(FileError::bomb("too many members in the archive"));
        }
        Ok(Self { zip, names, limits, budget, expanded: 0, expanded_pictures: 0 })
    }

    /// The bytes of a member, `None` if there is none of that name.
    pub(crate) fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, FileError> {
        let Some(index) = self.names.get(name) else { return Ok(None) };
        let mut member = self.zip.by_index(*index).map_err(|error| damaged(&error))?;
        if member.encrypted() {
            return Err(FileError::Encrypted);
        }
        let packed = usize::try_from(member.compressed_size()).unwrap_or(usize::MAX).max(1);
        let allowed = SMALL_MEMBER.max(packed.saturating_mul(self.limits.ratio));
        let mut out = Vec::new();
        let mut piece = vec![0; 64 << 10];
        loop {
            self.budget.check()?;
            let read =
                member.read(&mut piece).map_err(|_| FileError::damaged(format!("member {name:.60} of the archive")))?;
            if read == 0 {
                return Ok(Some(out));
            }
            self.expanded += read;
            if out.len() + read > allowed {
                return Err(FileError::bomb("a member of the archive unpacks to many times its size"));
            }
            if self.expanded > self.limits.expanded_bytes {
                let limit = size(self.limits.expanded_bytes);
                return Err(FileError::too_large("the unpacked content of the file", limit));
            }
            out.extend_from_slice(&piece[..read]);
        }
    }

    /// The bytes of a picture; empty where no picture is to be had there, `None` where it has more than `most` bytes or the
    /// pictures together unpack to more than a file may. A document can name one member thousands of times, so what is no
    /// picture is not unpacked beyond its first bytes.
    pub(crate) fn picture(&mut self, name: &str, most: usize) -> Result<Option<Vec<u8>>, FileError> {
        self.budget.check()?;
        let mut out = Vec::new();
        let Some(Ok(mut member)) = self.names.get(name).map(|index| self.zip.by_index(*index)) else {
            return Ok(Some(out));
        };
        let most = most.min(self.limits.expanded_bytes.saturating_sub(self.expanded_pictures));
        if most == 0 {
            return Ok(None);
        }
        let start = (&mut member).take(SIGNATURE as u64).read_to_end(&mut out);
        if start.is_err() || !is_picture(&out) {
            return Ok(Some(Vec::new()));
        }
        let rest = member.take((most as u64 + 1).saturating_sub(out.len() as u64)).read_to_end(&mut out);
        self.expanded_pictures = self.expanded_pictures.saturating_add(out.len());
        match rest {
            Ok(_) => Ok(Some(out).filter(|out| out.len() <= most)),
            Err(_) => Ok(Some(Vec::new())),
        }
    }

    /// A member as text, whatever its encoding.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, FileError> {
        Ok(self.bytes(name)?.map(|bytes| charset::decode(&bytes, None).text.into_owned()))
    }
}

/// What a ZIP archive is, by the parts that it names.
pub(crate) fn kind(bytes: &[u8]) -> Result<FileKind, FileError> {
    let (mut zip, names) = open(bytes)?;
    let mut start = |name: &str| -> Option<String> {
        let mut text = Vec::new();
        zip.by_index(*names.get(name)?).ok()?.take(SNIFFED).read_to_end(&mut text).ok()?;
        Some(charset::decode(&text, None).text.into_owned())
    };
    let types = start("[Content_Types].xml").unwrap_or_default();
    if types.contains("wordprocessingml") || names.contains_key("word/document.xml") {
        return Ok(FileKind::Docx);
    }
    if types.contains("spreadsheetml") || names.contains_key("xl/workbook.xml") {
        return Ok(FileKind::Xlsx);
    }
    let mimetype = start("mimetype").unwrap_or_default();
    let (looks_like, way_out) = match () {
        () if types.contains("presentationml") => ("a PowerPoint file", "save it as PDF and upload that"),
        () if types.contains("sheet.binary") => ("a binary Excel file (.xlsb)", "save it as XLSX and upload that"),
        () if mimetype.contains("opendocument.text") => ("an OpenDocument text", "save it as DOCX and upload that"),
        () if mimetype.contains("opendocument.spreadsheet") => {
            ("an OpenDocument table", "save it as XLSX and upload that")
        }
        () if mimetype.contains("epub") => ("an EPUB book", "save it as PDF or DOCX and upload that"),
        () => ("a ZIP archive", "unpack it and upload the documents in it one by one"),
    };
    Err(FileError::unknown(looks_like, way_out))
}

type Opened<'a> = (ZipArchive<Cursor<&'a [u8]>>, BTreeMap<String, usize>);

fn open(bytes: &[u8]) -> Result<Opened<'_>, FileError> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    // Which of two members of one name counts differs between programs, so what is read may not be what was checked.
    if zip.has_duplicate_names() {
        return Err(FileError::damaged("two members of the archive have the same name"));
    }
    let mut names = BTreeMap::new();
    for index in 0..zip.len() {
        let Ok(member) = zip.by_index_raw(index) else { continue };
        let Ok(name) = member.name() else { continue };
        let name = name.replace('\\', "/");
        // A path out of the archive is nothing that an Office program writes or reads.
        if !name.split('/').any(|part| part == "..") {
            names.entry(name.trim_start_matches('/').to_owned()).or_insert(index);
        }
    }
    Ok((zip, names))
}

fn damaged(error: &ZipError) -> FileError {
    match error {
        ZipError::InvalidPassword => FileError::Encrypted,
        ZipError::UnsupportedArchive(text) if text.to_ascii_lowercase().contains("password") => FileError::Encrypted,
        ZipError::CompressionMethodNotSupported(_) => FileError::damaged("an unusual compression in the archive"),
        _ => FileError::damaged("the archive cannot be read to its end"),
    }
}

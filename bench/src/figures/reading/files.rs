//! Files that take as much as they can: of each format what its parser likes least, near the largest size that is taken.

use std::{
    fmt::Write as _,
    io::{Cursor, Write},
};

use bytes::Bytes;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Near the 20 MiB that an upload may have.
const LARGE: usize = 19 << 20;
/// Near the 100 MiB that a file may unpack to.
const UNPACKED: usize = 95 << 20;

const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

/// Name and content of each.
pub fn worst() -> anyhow::Result<Vec<(&'static str, Bytes)>> {
    Ok(vec![
        ("commas.csv", ",".repeat(LARGE).into()),
        ("strings.xlsx", workbook(strings(UNPACKED / 5 * 4))?),
        ("bomb.xlsx", workbook(" ".repeat(UNPACKED))?),
        ("nested.docx", nested()?),
        ("objects.pdf", objects()),
        ("attributes.html", attributes()),
        ("deep.html", format!("<html><body>{}word", "<div>".repeat(LARGE / 5)).into()),
        ("brackets.md", "[".repeat(LARGE).into()),
        ("line.txt", "word ".repeat(LARGE / 5).into()),
    ])
}

/// A million, in one tag.
fn attributes() -> Bytes {
    let mut text = "<html><body><p".to_owned();
    for at in 0..1_000_000 {
        // Writing to a String cannot fail.
        let _ = write!(text, " a{at}=1");
    }
    (text + ">word</p>").into()
}

fn packed(members: &[(&str, &[u8])]) -> anyhow::Result<Bytes> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in members {
        zip.start_file(*name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner().into())
}

fn strings(size: usize) -> String {
    let mut text = String::new();
    let mut at = 0_u32;
    while text.len() < size {
        at = at.wrapping_add(1);
        let _ = write!(text, "<si><t>{:x}</t></si>", at.wrapping_mul(2_654_435_761));
    }
    text
}

fn workbook(strings: String) -> anyhow::Result<Bytes> {
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let types = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";
    let relations = |inner: &str| format!(r#"<Relationships xmlns="{package}">{inner}</Relationships>"#);
    let relation = |id: &str, kind: &str, target: &str| {
        format!(r#"<Relationship Id="{id}" Type="{RELATIONS}/{kind}" Target="{target}"/>"#)
    };
    let root = relations(&relation("r1", "officeDocument", "xl/workbook.xml"));
    let sheets = relation("r1", "worksheet", "worksheets/sheet1.xml");
    let sheets = relations(&(sheets + &relation("r2", "sharedStrings", "sharedStrings.xml")));
    let book = format!(
        r#"<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>"#
    );
    let sheet =
        format!(r#"<worksheet xmlns="{MAIN}"><sheetData><row><c t="s"><v>0</v></c></row></sheetData></worksheet>"#);
    let contents = format!(
        r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="{types}"/></Types>"#
    );
    packed(&[
        ("[Content_Types].xml", contents.as_bytes()),
        ("_rels/.rels", root.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", sheets.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/sharedStrings.xml", format!("<sst>{strings}</sst>").as_bytes()),
    ])
}

/// Tables in tables.
fn nested() -> anyhow::Result<Bytes> {
    let (open, close) = ("<w:tbl><w:tr><w:tc>".repeat(3_000), "</w:tc></w:tr></w:tbl>".repeat(3_000));
    let paragraphs: String = (0..30_000_u32).fold(String::new(), |mut text, at| {
        let _ = write!(text, "<w:p><w:r><w:t>{:x}</w:t></w:r></w:p>", at.wrapping_mul(2_654_435_761));
        text
    });
    let one = format!("{open}{paragraphs}{close}");
    let all = one.repeat(UNPACKED / one.len());
    let document = format!(
        r#"<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{all}</w:body></w:document>"#
    );
    packed(&[("word/document.xml", document.as_bytes())])
}

/// Very many objects, and pages whose streams unpack to megabytes of text.
fn objects() -> Bytes {
    let mut text = b"BT /F 10 Tf 72 700 Td ".to_vec();
    for at in 0..100_000_u32 {
        text.extend_from_slice(format!("(word {at}) Tj 0 -1 Td ").as_bytes());
    }
    text.extend_from_slice(b"ET");
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to memory cannot fail.
    let _ = packer.write_all(&text);
    let stream = packer.finish().unwrap_or_default();
    let pages = 20;
    let mut objects: Vec<Vec<u8>> = vec![b"<< /Type /Catalog /Pages 2 0 R >>".to_vec()];
    let kids: String = (0..pages).map(|at| format!("{} 0 R ", at + 4)).collect();
    objects.push(format!("<< /Type /Pages /Kids [{kids}] /Count {pages} >>").into_bytes());
    objects.push(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec());
    for at in 0..pages {
        let content = 4 + pages + at;
        objects.push(
            format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {content} 0 R /Resources << /Font << /F 3 0 R >> >> >>")
                .into_bytes(),
        );
    }
    for _ in 0..pages {
        let head = format!("<< /Filter /FlateDecode /Length {} >>\nstream\n", stream.len());
        objects.push([head.as_bytes(), &stream, b"\nendstream"].concat());
    }
    objects.extend((0..180_000_u32).map(|at| format!("<< /N {at} >>").into_bytes()));
    document(&objects)
}

fn document(objects: &[Vec<u8>]) -> Bytes {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend_from_slice(format!("{} 0 obj\n", at + 1).as_bytes());
        out.extend_from_slice(object);
        out.extend_from_slice(b"\nendobj\n");
    }
    let (table, size) = (out.len(), objects.len() + 1);
    out.extend_from_slice(format!("xref\n0 {size}\n0000000000 65535 f \n").as_bytes());
    for offset in offsets {
        out.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    out.extend_from_slice(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").as_bytes());
    out.into()
}

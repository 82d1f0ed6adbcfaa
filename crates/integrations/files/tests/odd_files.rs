//! Files that are not what they say, broken, or built to hurt: each has its answer, soon and without a panic.

mod support;

use std::{io::Write, time::Duration};

use galley_files::{FileError, FileKind, Limits, extract, extract_async};
use support::{docx, page, paragraph, pdf, stream, word_part, xlsx, zip};

/// The code of the error, or the kind that was read.
fn outcome(bytes: &[u8], name: &str) -> String {
    outcome_within(&Limits::default(), bytes, name)
}

fn outcome_within(limits: &Limits, bytes: &[u8], name: &str) -> String {
    match extract(bytes, name, limits) {
        Ok(read) => read.kind.as_str().to_owned(),
        Err(error) => error.code().to_owned(),
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn ole(stream: &str) -> Vec<u8> {
    [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), vec![0; 600], utf16(stream), vec![0; 600]].concat()
}

/// `size` spaces as a zlib stream.
fn bomb(size: usize) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..size >> 20 {
        encoder.write_all(&zeros).expect("packed");
    }
    encoder.finish().expect("packed")
}

#[test]
fn every_odd_file_has_its_answer() {
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 64]].concat();
    let good_pdf = page(stream("", b"BT /F 12 Tf 72 700 Td (Hello there) Tj ET"));
    let good_docx = docx(&paragraph("Hello"));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty.pdf", vec![], "FILE_EMPTY"),
        ("blank.txt", b" \r\n\t ".to_vec(), "FILE_EMPTY"),
        ("image.pdf", png, "FILE_TYPE_UNKNOWN"),
        ("photo.docx", [b"\xff\xd8\xff\xe0".as_slice(), &[0; 64]].concat(), "FILE_TYPE_UNKNOWN"),
        ("old.doc", ole("WordDocument"), "FILE_TYPE_UNKNOWN"),
        ("old.xls", ole("Workbook"), "FILE_TYPE_UNKNOWN"),
        ("protected.docx", ole("EncryptedPackage"), "FILE_ENCRYPTED"),
        ("letter.rtf", b"{\\rtf1 hello}".to_vec(), "FILE_TYPE_UNKNOWN"),
        ("feed.xml", b"<?xml version=\"1.0\"?><feed/>".to_vec(), "FILE_TYPE_UNKNOWN"),
        (
            "noise.txt",
            (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 9) as u8).collect(),
            "FILE_TYPE_UNKNOWN",
        ),
        ("files.zip", zip(&[("a.txt", b"hello")]), "FILE_TYPE_UNKNOWN"),
        ("nested.docx", zip(&[("inner.zip", &zip(&[("word/document.xml", b"<x/>")]))]), "FILE_TYPE_UNKNOWN"),
        ("book.epub", zip(&[("mimetype", b"application/epub+zip")]), "FILE_TYPE_UNKNOWN"),
        ("text.txt", good_pdf.clone(), "pdf"),
        ("table.xlsx", good_docx.clone(), "docx"),
        ("cut.docx", good_docx[..good_docx.len() / 2].to_vec(), "FILE_DAMAGED"),
        ("cut.pdf", good_pdf[..40].to_vec(), "FILE_DAMAGED"),
        ("header only.pdf", b"%PDF-1.4\n".to_vec(), "FILE_DAMAGED"),
        ("bad xml.docx", docx("<w:p><w:r><w:t>a</w:p>"), "FILE_DAMAGED"),
        ("never closed.docx", zip(&[("word/document.xml", "<w:p>".repeat(20_000).as_bytes())]), "FILE_DAMAGED"),
        ("no words.docx", docx("<w:p/>"), "FILE_NO_TEXT"),
        ("no document.docx", zip(&[("[Content_Types].xml", support::WORD_TYPES.as_bytes())]), "FILE_DAMAGED"),
        ("app.html", b"<!doctype html><html><body><script>render()</script></body></html>".to_vec(), "FILE_NO_TEXT"),
        ("only a line.pdf", page(stream("", b"0 0 m 100 100 l S")), "FILE_NO_TEXT"),
        ("user password.pdf", include_bytes!("fixtures/user-password.pdf").to_vec(), "FILE_ENCRYPTED"),
        ("owner password.pdf", include_bytes!("fixtures/owner-password.pdf").to_vec(), "pdf"),
    ];
    for (name, bytes, wanted) in cases {
        assert_eq!(outcome(&bytes, name), wanted, "{name}");
    }
}

#[test]
fn messages_name_the_type_and_the_way_out() {
    let error = extract(&ole("WordDocument"), "a.doc", &Limits::default()).expect_err("old Word");
    assert_eq!(
        error.to_string(),
        "this is a Word document of the old kind (.doc), which has no text that can be read here; save it as DOCX and \
         upload that"
    );
}

#[test]
fn archives_that_unpack_to_too_much_are_refused() {
    let zeros = vec![b' '; 8 << 20];
    let one = zip(&[("[Content_Types].xml", support::WORD_TYPES.as_bytes()), ("word/document.xml", &zeros)]);
    assert_eq!(outcome(&one, "one huge member.docx"), "FILE_BOMB");

    let document = word_part("document", &format!("<w:body>{}</w:body>", paragraph("x")));
    let names: Vec<String> = (0..6_000).map(|n| format!("word/part{n}.xml")).collect();
    let mut members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"<x/>".as_slice())).collect();
    members.push(("word/document.xml", document.as_bytes()));
    assert_eq!(outcome(&zip(&members), "very many members.docx"), "FILE_BOMB");

    // Each is below the ratio that is looked at; together they are too much.
    let part = vec![b' '; 1 << 20];
    let names: Vec<String> = (0..12).map(|n| format!("xl/worksheets/sheet{n}.xml")).collect();
    let mut members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), part.as_slice())).collect();
    let sheets: String = (0..12).map(|n| format!("<sheet name=\"{n}\" id=\"r{n}\"/>")).collect();
    let relation = |n| format!("<Relationship Id=\"r{n}\" Type=\"x/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>");
    let relations: String = (0..12).map(relation).collect();
    let (book, relations) =
        (format!("<workbook>{sheets}</workbook>"), format!("<Relationships>{relations}</Relationships>"));
    members.push(("[Content_Types].xml", support::EXCEL_TYPES.as_bytes()));
    members.push(("xl/workbook.xml", book.as_bytes()));
    members.push(("xl/_rels/workbook.xml.rels", relations.as_bytes()));
    let limits = Limits { expanded_bytes: 8 << 20, ..Limits::default() };
    assert_eq!(outcome_within(&limits, &zip(&members), "many large members.xlsx"), "FILE_TOO_LARGE");

    // A bomb in a member that nobody reads is none.
    let idle = zip(&[("word/document.xml", document.as_bytes()), ("word/media/image1.png", &zeros)]);
    assert_eq!(outcome(&idle, "unread bomb.docx"), "docx");

    let large = vec![b'a'; (20 << 20) + 1];
    assert_eq!(outcome(&large, "large.txt"), "FILE_TOO_LARGE");
}

#[test]
fn what_archives_say_about_themselves_is_not_believed() {
    let document = word_part("document", &format!("<w:body>{}</w:body>", paragraph("Right")));
    let strange = zip(&[
        ("../../etc/passwd", b"root"),
        ("/etc/shadow", b"root"),
        ("word/../word/document.xml", b"<w:p/>"),
        ("/word/document.xml", document.as_bytes()),
    ]);
    assert_eq!(extract(&strange, "a.docx", &Limits::default()).expect("read").text, "Right");

    // The same name twice: the second is renamed in the bytes of both its headers.
    let mut twice = zip(&[("word/document.xml", document.as_bytes()), ("word/documenu.xml", b"<other/>")]);
    let from = b"word/documenu.xml";
    while let Some(at) = twice.windows(from.len()).position(|window| window == from) {
        twice[at..at + from.len()].copy_from_slice(b"word/document.xml");
    }
    assert_eq!(outcome(&twice, "twice.docx"), "FILE_DAMAGED");
}

#[test]
fn xml_entities_are_never_expanded() {
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE w:document [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>\
                  <w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:body></w:document>";
    let outside = laughs.replace("<!ENTITY a \"ha\">", "<!ENTITY a SYSTEM \"file:///etc/passwd\">");
    for document in [laughs, &outside] {
        let file =
            zip(&[("[Content_Types].xml", support::WORD_TYPES.as_bytes()), ("word/document.xml", document.as_bytes())]);
        let error = extract(&file, "laughs.docx", &Limits::default()).expect_err("refused");
        assert!(matches!(&error, FileError::Damaged { detail } if detail.contains("entities")), "{error}");
    }
    let sheet = "<!DOCTYPE x [<!ENTITY a \"ha\">]><sheetData/>";
    assert_eq!(outcome(&xlsx(sheet, "<sst/>"), "laughs.xlsx"), "FILE_DAMAGED");
    let unknown = docx(&paragraph("a&unknown;b &amp; &#x263A;"));
    assert_eq!(extract(&unknown, "a.docx", &Limits::default()).expect("read").text, "ab & ☺");
}

#[test]
fn a_sheet_is_read_as_far_as_its_cells_go_not_as_far_as_it_says() {
    let strings = r#"<sst uniqueCount="99999999999999" count="1"><si><t>Mug</t></si></sst>"#;
    let sheet = r#"<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="1048576"><c r="XFD1048576"><v>44561.0</v></c></row></sheetData>"#;
    let read = extract(&xlsx(sheet, strings), "huge.xlsx", &Limits::default()).expect("read");
    assert_eq!(read.text, "## Prices\n\n| Mug |");
    assert_eq!(read.warnings, ["only the first 100 columns of the sheet \"Prices\" were read"]);

    let rows: String = (1..=60_000).map(|n| format!("<row r=\"{n}\"><c><v>{n}</v></c></row>")).collect();
    let read = extract(&xlsx(&format!("<sheetData>{rows}</sheetData>"), "<sst/>"), "rows.xlsx", &Limits::default())
        .expect("read");
    assert_eq!((read.text.lines().count(), read.truncated), (20_002, true));
    assert_eq!(read.warnings, ["only the first 20000 rows of the sheet \"Prices\" were read"]);

    // One long string in very many cells.
    let long = format!("<sst><si><t>{}</t></si></sst>", "word ".repeat(6_000));
    let rows = "<row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>0</v></c></row>".repeat(2_000);
    let read = extract(&xlsx(&format!("<sheetData>{rows}</sheetData>"), &long), "echo.xlsx", &Limits::default())
        .expect("read");
    assert!(read.truncated && read.text.len() <= 2 << 20);
}

#[test]
fn a_workbook_reserves_no_memory_by_what_it_says_about_itself() {
    let sheet = r#"<sheetData><row><c t="s"><v>0</v></c></row></sheetData>"#;
    let string = "<si><t>uniqueCount=\"7\"</t></si>";
    for start in [
        r#"<!-- si> --><sst uniqueCount="100000000000">"#,
        r#"<?si>?><x:sst xmlns:x="x" count="1" uniqueCount="100000000000">"#,
        r#"<a b="si>"/><sst uniqueCount="100000000000">"#,
        r#"<!-- -- --><sst a=">" uniqueCount="100000000000">"#,
    ] {
        let end = if start.contains("x:sst") { "</x:sst>" } else { "</sst>" };
        let file = xlsx(sheet, &format!("{start}{string}{end}"));
        let read = extract(&file, "counted.xlsx", &Limits::default()).expect(start);
        assert_eq!(read.text, "## Prices\n\n| uniqueCount=\"7\" |", "{start}");
    }
}

#[test]
fn a_format_longer_than_any_program_writes_is_none() {
    let sheet = r#"<sheetData><row><c t="s"><v>0</v></c></row></sheetData>"#;
    let format = "0".repeat(600_000);
    let styles = format!(
        "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"{format}\"/></numFmts><cellXfs>{}</cellXfs></styleSheet>",
        "<xf numFmtId=\"200\"/>".repeat(300)
    );
    let file = support::xlsx_with(sheet, "<sst><si><t>a</t></si></sst>", &[("xl/styles.xml", styles.as_bytes())]);
    assert_eq!(extract(&file, "styles.xlsx", &Limits::default()).expect("read").text, "## Prices\n\n| a |");
}

#[test]
fn pdf_bombs_and_loops_end() {
    // Unoptimised code unpacks slowly, so the room is small here.
    let limits = Limits { expanded_bytes: 4 << 20, ..Limits::default() };
    let packed = bomb(16 << 20);
    let bombs = [
        ("content.pdf", page(stream("/Filter /FlateDecode", &packed))),
        ("twice.pdf", page(stream("/Filter [/FlateDecode /FlateDecode]", &packed))),
        ("hidden as an image.pdf", page(stream("/Subtype /Image /Filter /FlateDecode", &packed))),
        (
            "object stream.pdf",
            page(stream("/Type /ObjStm /N 1 /First 4 /Subtype /Image /Filter /FlateDecode", &packed)),
        ),
        (
            "odd object stream.pdf",
            page(stream("/Type /ObjStm /N 1 /First 4 /Filter [/ASCIIHexDecode /FlateDecode]", b"00>")),
        ),
    ];
    let codes: Vec<String> = bombs.iter().map(|(name, bytes)| outcome_within(&limits, bytes, name)).collect();
    assert_eq!(codes, ["FILE_BOMB", "FILE_BOMB", "FILE_NO_TEXT", "FILE_BOMB", "FILE_DAMAGED"]);

    let page_object = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_vec();
    let looped = pdf(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [2 0 R 3 0 R 2 0 R] /Count 3 /Parent 2 0 R >>".to_vec(),
        page_object,
    ]);
    assert_eq!(outcome(&looped, "page loop.pdf"), "FILE_NO_TEXT");

    // A form that shows itself twice.
    let own = page(stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 1 1]",
        b"BT /F 12 Tf 72 700 Td (Self) Tj ET /X Do /X Do",
    ));
    assert_eq!(outcome(&own, "form loop.pdf"), "pdf");
}

#[test]
fn a_character_of_a_pdf_means_no_book() {
    let book = "0041".repeat(4_000);
    let map = format!("1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <01> <{book}> endbfchar");
    let file = pdf(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
            .to_vec(),
        stream("", format!("BT /F 12 Tf 72 700 Td ({}) Tj 0 -20 Td (Right) Tj ET", "\u{1}".repeat(2_000)).as_bytes()),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>".to_vec(),
        stream("", map.as_bytes()),
    ]);
    assert_eq!(extract(&file, "book.pdf", &Limits::default()).expect("read").text, "Right");

    // A page whose characters are more than what is handed out of a whole file.
    let limits = Limits { text_bytes: 1_000, ..Limits::default() };
    let lines = "(Every word counts) Tj 0 -1 Td ".repeat(400);
    let long = page(stream("", format!("BT /F 1 Tf 72 800 Td {lines} ET").as_bytes()));
    let read = extract(&long, "long.pdf", &limits).expect("read");
    assert!(read.warnings.iter().any(|warning| warning.contains("left out")), "{:?}", read.warnings);
}

#[test]
fn texts_of_any_shape_are_read() {
    let long = "Every word counts here. ".repeat((10 << 20) / 24);
    let read = extract(long.as_bytes(), "line.txt", &Limits::default()).expect("read");
    assert!(read.truncated && read.text.len() <= 2 << 20 && read.text.lines().all(|line| line.len() <= 8 << 10));
    assert_eq!(read.warnings, ["only the first 2 MiB of text were read"]);

    let solid = vec![b'x'; 10 << 20];
    assert!(extract(&solid, "solid.txt", &Limits::default()).expect("read").truncated);

    let read = extract(b"gr\xc3\xbcn \xc3\xbc \xff\x00 ok", "a.txt", &Limits::default()).expect("read");
    assert_eq!((read.text.as_str(), read.warnings.len()), ("grün ü \u{fffd} ok", 2));

    let umlauts = b"Gr\xf6\xdfe \xfcber Ma\xdf f\xfcr die K\xfcche, sch\xf6n \xfcbersichtlich.";
    assert_eq!(
        extract(umlauts, "a.txt", &Limits::default()).expect("read").text,
        "Größe über Maß für die Küche, schön übersichtlich."
    );
    let marked = [b"\xff\xfe".to_vec(), utf16("Grüße;Preis\nMaß;5 €\n")].concat();
    assert_eq!(extract(&marked, "a.csv", &Limits::default()).expect("read").text, "| Grüße | Preis |\n| Maß | 5 € |");
    let unnamed = extract(b"a;b\n1;2\n3;4\n", "upload", &Limits::default()).expect("read");
    assert_eq!((unnamed.kind, unnamed.text.as_str()), (FileKind::Csv, "| a | b |\n| 1 | 2 |\n| 3 | 4 |"));
}

#[test]
fn pages_of_any_shape_are_read() {
    let deep = format!("<html><body>{}deep down{}</body></html>", "<div>".repeat(100_000), "</div>".repeat(100_000));
    assert_eq!(extract(deep.as_bytes(), "deep.html", &Limits::default()).expect("read").text, "deep down");
    for tag in ["<ul><li>", "<table><tr><td>", "<b><i>", "<a href=x>", "<dl><dd>", "<blockquote><p>"] {
        let nested = format!("<html><body>{}word", tag.repeat(20_000));
        assert_eq!(outcome(nested.as_bytes(), "nested.html"), "html", "{tag}");
    }
    // Formatting that every paragraph would have to repeat.
    let fonts: String = (0..20_000).map(|n| format!("<b id={n}>")).collect();
    let repeated = format!("<html><body><p>{fonts}{}", "<p>x</p>".repeat(20_000));
    assert_eq!(outcome(repeated.as_bytes(), "formats.html"), "html");

    let scripts =
        format!("<html><body><script>{}</script><p>Said aloud.</p></body></html>", "x('<p>no</p>');".repeat(350_000));
    assert_eq!(extract(scripts.as_bytes(), "s.html", &Limits::default()).expect("read").text, "Said aloud.");

    let cyrillic =
        b"<html><head><meta charset=\"windows-1251\"></head><body><p>\xcf\xf0\xe8\xe2\xe5\xf2</p></body></html>";
    assert_eq!(extract(cyrillic, "a.html", &Limits::default()).expect("read").text, "Привет");
    // A million, which would be compared with each other.
    let attributes: String = (0..1_000_000).map(|n| format!(" a{n}=1")).collect();
    let page = format!("<html><body><p{attributes}>word</p>");
    let read = extract(page.as_bytes(), "attributes.html", &Limits::default()).expect("read");
    assert_eq!(read.text, "word");
    assert_eq!(read.warnings, ["only the first 1000 attributes of a tag were read; tags with more: 1"]);
}

#[test]
fn a_reading_ends_in_its_time() {
    let limits = Limits { time: Duration::ZERO, ..Limits::default() };
    let error = extract(b"some words", "a.txt", &limits).expect_err("no time");
    assert_eq!(error.code(), "FILE_TIMED_OUT");
}

#[tokio::test]
async fn the_async_form_gives_the_same_answers() {
    let read = extract_async(b"some words".to_vec(), "a.txt", Limits::default()).await.expect("read");
    assert_eq!(read.text, "some words");
    let limits = Limits { time: Duration::ZERO, ..Limits::default() };
    let error = extract_async(docx(&paragraph("x")), "a.docx", limits).await.expect_err("no time");
    assert_eq!(error.code(), "FILE_TIMED_OUT");
    let error = extract_async(Vec::new(), "a.docx", Limits::default()).await.expect_err("empty");
    assert_eq!(error, FileError::Empty);
}

//! What files of each kind give, as their programs write them.

mod support;

use galley_files::{Extracted, Limits, extract};
use support::{WORD_TYPES, docx, page, paragraph, stream, word_part, xlsx, zip};

fn read(bytes: &[u8], name: &str) -> Extracted {
    extract(bytes, name, &Limits::default()).expect(name)
}

#[test]
fn a_word_document() {
    let styles = word_part(
        "styles",
        r#"<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
           <w:style w:styleId="Own"><w:name w:val="My head"/><w:basedOn w:val="Mid"/></w:style>
           <w:style w:styleId="Mid"><w:name w:val="Mid"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
           <w:style w:styleId="Dots"><w:name w:val="List Bullet"/></w:style>
           <w:style w:styleId="Toc1"><w:name w:val="toc 1"/></w:style>"#,
    );
    let styled = |style: &str, text: &str| {
        format!(r#"<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"#)
    };
    let numbered = |text: &str| {
        format!(
            r#"<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"#
        )
    };
    let cell = |text: &str| format!("<w:tc><w:tcPr/>{}</w:tc>", paragraph(text));
    let body = [
        styled("Toc1", "Contents 1"),
        styled("berschrift1", "The knife"),
        r#"<w:p><w:r><w:t xml:space="preserve">It </w:t></w:r><w:ins><w:r><w:t>opens</w:t></w:r></w:ins><w:del><w:r><w:delText>closes</w:delText><w:t>shuts</w:t></w:r></w:del><w:r><w:tab/><w:t>fast</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:t>&#8211;really.</w:t></w:r><w:r><w:footnoteReference w:id="1"/></w:r></w:p>"#.to_owned(),
        styled("Own", "Parts"),
        styled("Dots", "Blade"),
        numbered("Liner"),
        r#"<w:p><w:pPr><w:pStyle w:val="Dots"/><w:numPr><w:numId w:val="0"/></w:numPr></w:pPr><w:r><w:t>No item.</w:t></w:r></w:p>"#.to_owned(),
        format!(
            r#"<w:tbl><w:tr>{}{}{}</w:tr><w:tr><w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr>{}</w:tc>{}{}</w:tr><w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>{}{}</w:tc></w:tr></w:tbl>"#,
            cell("Part"), cell("Mass"), cell("Steel|type"), paragraph("Blade"), cell("40 g"), cell("12C27"), paragraph("two"), paragraph("lines")
        ),
        format!("<w:tbl><w:tr><w:tc>{}</w:tc></w:tr></w:tbl>", paragraph("In a frame.")),
        r#"<mc:AlternateContent><mc:Choice><w:p><w:r><w:t>Box</w:t></w:r></w:p></mc:Choice><mc:Fallback><w:p><w:r><w:t>Box</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>"#.to_owned(),
    ]
    .concat();
    let document = word_part("document", &format!("<w:body>{body}</w:body>"));
    let notes = word_part(
        "footnotes",
        &format!(
            r#"<w:footnote w:type="separator">{}</w:footnote><w:footnote w:id="1">{}</w:footnote>"#,
            paragraph("---"),
            paragraph("As tested at sea in 2019.")
        ),
    );
    let core = r#"<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:title>All about &amp; knives</dc:title></cp:coreProperties>"#;
    let file = zip(&[
        ("[Content_Types].xml", WORD_TYPES.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/styles.xml", styles.as_bytes()),
        ("word/footnotes.xml", notes.as_bytes()),
        ("docProps/core.xml", core.as_bytes()),
    ]);
    let read = read(&file, "knife.docx");
    assert_eq!(read.title.as_deref(), Some("All about & knives"));
    assert_eq!(
        read.text,
        "# The knife\n\nIt opens fast–really. As tested at sea in 2019.\n\n## Parts\n\n- Blade\n- Liner\n\nNo item.\n\n| Part | Mass | Steel\\|type |\n\
         | Blade | 40 g | 12C27 |\n| Blade | two lines | |\n\nIn a frame.\n\nBox"
    );
    assert_eq!(read.warnings, ["passages of hidden text that were left out: 1"]);
    assert!(!read.truncated);
    assert_eq!(self::read(&docx(&paragraph("Only this.")), "a.docx").text, "Only this.");
}

#[test]
fn a_workbook() {
    let strings = "<sst uniqueCount=\"2\"><si><t>Mug</t></si><si><r><t xml:space=\"preserve\">Tea </t></r><r><t>pot</t></r></si></sst>";
    let sheet = r#"<sheetData><row r="1"/><row r="3"><c r="B3" t="inlineStr"><is><t>Item</t></is></c><c r="D3" t="str"><f>A1</f><v>Price</v></c></row><row r="4"><c r="B4" t="s"><v>0</v></c><c r="D4"><v>4.5</v></c></row><row r="5"><c r="B5" t="s"><v>1</v></c><c r="D5"><f>6*2</f><v>12</v></c><c r="E5" t="e"><v>#N/A</v></c></row></sheetData>"#;
    assert_eq!(
        read(&xlsx(sheet, strings), "a.xlsx").text,
        "## Prices\n\n| Item | Price |\n| Mug | 4.5 |\n| Tea pot | 12 |"
    );
}

#[test]
fn a_pdf_by_hand() {
    let content = b"BT /F 18 Tf 72 770 Td (A heading) Tj /F 11 Tf 0 -40 Td (The first line of a para-) Tj 0 -13 Td \
        (graph is long enough, and it goes on) Tj 0 -13 Td [(with ker) -30 (ning in) -400 (it.)] TJ 0 -30 Td (Another one \\(short\\).) Tj 0 -30 Td (1 Introduction . . . . . . . . . 7) Tj ET";
    let read = read(&page(stream("", content)), "a.pdf");
    assert_eq!(
        read.text,
        "# A heading\n\nThe first line of a paragraph is long enough, and it goes on with kerning in it.\n\nAnother one (short)."
    );
}

#[test]
fn a_pdf_by_weasyprint_with_running_heads_hyphens_and_lists() {
    let read = read(include_bytes!("fixtures/weasyprint.pdf"), "a.pdf");
    assert_eq!(read.title.as_deref(), Some("Weasy knife"));
    let lines: Vec<&str> = read.text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines[0], "# Weasy knife");
    assert!(
        lines[1].starts_with("The hinge of the folding knife locks with a steel liner, which the thumb pushes aside")
    );
    assert!(
        lines[1].contains("the workshop's long-term tests have shown repeatedly. Manufacturers differentiate"),
        "{}",
        lines[1]
    );
    assert!(read.text.contains("\n\n## Details & more\n\n"), "{}", read.text);
    assert!(read.text.contains("- Alpha\n- The hinge of the folding"), "{}", read.text);
    assert!(!read.text.contains("Running head"), "{}", read.text);
    assert!(!read.text.contains('\u{ad}') && !read.text.contains("‐ "), "{}", read.text);
}

#[test]
fn a_pdf_by_reportlab_with_a_table_on_every_page() {
    let read = read(include_bytes!("fixtures/reportlab.pdf"), "a.pdf");
    assert_eq!(read.title.as_deref(), Some("The knife handbook"));
    assert!(
        read.text.starts_with("# The knife handbook\n\n# Chapter 1\n\nThe hinge of the folding knife"),
        "{}",
        read.text
    );
    let table =
        "| Part | Mass | Price |\n| Blade | 40 g | 12.50 |\n| Liner | 12 g | 3.20 |\n| Screw set | 2 g | 0.80 |";
    assert_eq!(read.text.matches(table).count(), 8, "{}", read.text);
    assert_eq!(read.text.matches("\n\n- First item of the list\n- Second item The hinge").count(), 8, "{}", read.text);
    assert!(!read.text.contains("Knife Handbook 2024") && !read.text.contains("of 9"), "{}", read.text);
}

#[test]
fn a_pdf_of_two_columns_reads_down_each() {
    let text = read(include_bytes!("fixtures/columns.pdf"), "a.pdf").text;
    let starts: Vec<Option<usize>> = (0..14).map(|n| text.find(&format!("{n} The hinge"))).collect();
    assert!(starts.iter().all(Option::is_some) && starts.is_sorted(), "{starts:?}\n{text}");
    assert!(text.starts_with("# A two column paper about knives\n\n0 The hinge of the folding knife locks"), "{text}");
    assert!(text.matches("efficient, official and affluent finishes.").count() == 28, "{text}");
}

#[test]
fn what_is_cut_is_told() {
    let limits = Limits { text_bytes: 38, ..Limits::default() };
    let read = extract(b"# Title\n\nA first paragraph of words.\n\nA second one.", "a.md", &limits).expect("read");
    assert_eq!(read.text, "# Title\n\nA first paragraph of words.");
    assert!(read.truncated);
    assert_eq!(read.warnings, ["only the first 38 bytes of text were read"]);
}

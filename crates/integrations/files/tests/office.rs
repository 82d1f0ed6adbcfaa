//! What Word documents, workbooks, CSV, Markdown and plain text say, read as the programs that show them.

#[expect(dead_code, reason = "each test file builds its own kinds")]
mod support;

use galley_files::{Extracted, Limits, extract};
use support::{docx, paragraph, xlsx, xlsx_with};

fn read(bytes: &[u8], name: &str) -> Extracted {
    extract(bytes, name, &Limits::default()).expect(name)
}

fn run(properties: &str, text: &str) -> String {
    format!(r#"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>"#)
}

const RAISED: &str = r#"<w:vertAlign w:val="superscript"/>"#;
const LOWERED: &str = r#"<w:vertAlign w:val="subscript"/>"#;

#[test]
fn raised_and_lowered_digits_of_a_document_make_no_other_number() {
    let body = format!(
        "<w:p>{}{}{}{}{}{}{}</w:p><w:p>{}{}{}{}{}</w:p>",
        run("", "The tank holds 4 × 10"),
        run(RAISED, "6"),
        run("", " cells on 25 m"),
        run(RAISED, "2"),
        run("", " of wall, and the yield reached 82"),
        run(RAISED, "3"),
        run("", " kilograms."),
        run("", "CO"),
        run(LOWERED, "2"),
        run("", " and 10"),
        run(r#"<w:position w:val="6"/><w:sz w:val="14"/>"#, "3"),
        run("", " more, 1½ cups"),
    );
    assert_eq!(
        read(&docx(&body), "a.docx").text,
        "The tank holds 4 × 10⁶ cells on 25 m² of wall, and the yield reached 82 kilograms.\n\nCO₂ and 10³ more, 1½ cups"
    );
}

#[test]
fn symbols_of_a_document_are_the_characters_that_are_seen() {
    let symbol = |font: &str, code: &str| format!(r#"<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>"#);
    let body = format!(
        "<w:p>{}{}{}{}{}{}{}{}{}</w:p>",
        run("", "A mesh of 40 "),
        symbol("Symbol", "F06D"),
        run("", "m at 38 "),
        symbol("Symbol", "F0B0"),
        run("", "C; moisture "),
        symbol("Symbol", "F0A3"),
        run("", " 12 percent, "),
        run(r#"<w:rFonts w:ascii="Symbol" w:hAnsi="Symbol"/>"#, "D"),
        run("", "T \u{f0b1} 2."),
    );
    let seen = read(&docx(&body), "a.docx");
    assert_eq!(seen.text, "A mesh of 40 µm at 38 °C; moisture ≤ 12 percent, ΔT ± 2.");
    assert!(seen.warnings.is_empty());
    let unknown = format!("<w:p>{}{}{}</w:p>", run("", "about "), symbol("House Signs", "F0C1"), run("", " 12"));
    let unknown = read(&docx(&unknown), "a.docx");
    assert_eq!(unknown.text, "about \u{fffd} 12");
    assert_eq!(unknown.warnings, ["characters of a symbol font that could not be told stand as \u{fffd}: 1"]);
}

#[test]
fn what_a_document_hides_or_strikes_out_is_left_out_and_told() {
    let row = |properties: &str, text: &str| {
        format!(
            "<w:tr><w:trPr>{properties}</w:trPr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr>",
            paragraph(text),
            paragraph("1")
        )
    };
    let body = format!(
        "<w:p>{}{}{}{}</w:p><w:p>{}{}</w:p><w:tbl>{}{}{}{}</w:tbl>",
        run("", "The fee is "),
        run("<w:strike/>", "40"),
        run("<w:dstrike w:val=\"true\"/>", " pounds"),
        run("<w:strike w:val=\"0\"/>", "45 euros."),
        run("<w:vanish/>", "Secret. "),
        run("", "Open."),
        row("", "Kept"),
        row(r#"<w:del w:id="1" w:author="A"/>"#, "Deleted"),
        row("<w:hidden/>", "Hidden"),
        row(r#"<w:ins w:id="2" w:author="A"/>"#, "Added"),
    );
    let deleted_end = r#"<w:p><w:pPr><w:rPr><w:del w:id="3" w:author="A"/></w:rPr></w:pPr>"#;
    let joined = format!(
        "{deleted_end}{}</w:p><w:p>{}</w:p>{deleted_end}{}</w:p>",
        run("", "It costs 4"),
        run("", "0 euros."),
        run("", "End.")
    );
    assert_eq!(read(&docx(&joined), "a.docx").text, "It costs 40 euros.\n\nEnd.");
    let seen = read(&docx(&body), "a.docx");
    assert_eq!(seen.text, "The fee is 45 euros.\n\nOpen.\n\n| Kept | 1 |\n| Added | 1 |");
    assert_eq!(
        seen.warnings,
        [
            "passages of hidden text that were left out: 1",
            "passages of struck-out text that were left out: 1",
            "hidden rows of tables that were left out: 1"
        ]
    );
}

/// A cell with a number and its style, or with a text.
fn cell(place: &str, value: &str) -> String {
    match value.parse::<f64>() {
        Ok(_) => format!(r#"<c r="{place}"><v>{value}</v></c>"#),
        Err(_) => format!(r#"<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>"#),
    }
}

/// Rows of cells from A1 on; an empty text is no cell, an empty row no row.
fn rows(table: &[&[&str]]) -> String {
    let row = |(at, cells): (usize, &&[&str])| {
        let cells = cells.iter().zip('A'..).filter(|(value, _)| !value.is_empty());
        let cells: String = cells.map(|(value, column)| cell(&format!("{column}{}", at + 1), value)).collect();
        if cells.is_empty() { cells } else { format!(r#"<row r="{}">{cells}</row>"#, at + 1) }
    };
    format!("<sheetData>{}</sheetData>", table.iter().enumerate().map(row).collect::<String>())
}

fn sheet(table: &[&[&str]], after: &str) -> String {
    read(&xlsx(&format!("{}{after}", rows(table)), "<sst/>"), "a.xlsx").text
}

#[test]
fn hidden_rows_columns_and_cells_of_a_sheet_are_left_out_and_told() {
    let data = r#"<cols><col min="3" max="3" hidden="1"/><col min="5" max="5" width="0" customWidth="1"/></cols><sheetData>
        <row r="1"><c r="A1" t="inlineStr"><is><t>Lot</t></is></c><c r="B1" t="inlineStr"><is><t>Price</t></is></c><c r="C1" t="inlineStr"><is><t>Cost</t></is></c><c r="D1" t="inlineStr"><is><t>Sacks</t></is></c><c r="E1"><v>5</v></c></row>
        <row r="2"><c r="A2" t="inlineStr"><is><t>North</t></is></c><c r="B2"><v>120</v></c><c r="C2"><v>61</v></c><c r="D2"><v>12</v></c></row>
        <row r="3" hidden="1"><c r="A3" t="inlineStr"><is><t>Secret</t></is></c><c r="B3"><v>999</v></c></row>
        <row r="4"><c r="A4" t="inlineStr"><is><t>South</t></is></c><c r="B4" s="1"><v>110</v></c><c r="C4"><v>58</v></c><c r="D4"><v>22</v></c></row>
        <row r="5"><c r="A5" s="2" t="inlineStr"><is><t>Old</t></is></c><c r="B5"><f>B4*2</f></c><c r="D5"><v>7</v></c></row></sheetData>"#;
    let styles = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode=";;;"/></numFmts><fonts><font/><font><strike/></font></fonts>
        <cellXfs><xf numFmtId="0" fontId="0"/><xf numFmtId="164" fontId="0"/><xf numFmtId="0" fontId="1"/></cellXfs></styleSheet>"#;
    let rels = r#"<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r3" Type="x/styles" Target="/xl/styles.xml"/></Relationships>"#;
    let book = r#"<workbook><sheets><sheet name="Prices" sheetId="1" id="r1"/><sheet name="Own" state="veryHidden" id="r1"/></sheets></workbook>"#;
    let file = support::zip(&[
        ("[Content_Types].xml", support::EXCEL_TYPES.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", rels.as_bytes()),
        ("xl/worksheets/sheet1.xml", format!("<worksheet>{data}</worksheet>").as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
    ]);
    let seen = read(&file, "a.xlsx");
    assert_eq!(seen.text, "## Prices\n\n| Lot | Price | Sacks |\n| North | 120 | 12 |\n| South | | 22 |\n| | | 7 |");
    assert_eq!(
        seen.warnings,
        [
            "hidden rows of the sheet \"Prices\" were left out: 1",
            "hidden columns of the sheet \"Prices\" were left out: 2",
            "cells whose format shows nothing of the sheet \"Prices\" were left out: 1",
            "cells with struck-out text of the sheet \"Prices\" were left out: 1",
            "formulas without a saved value of the sheet \"Prices\" were left out: 1",
            "the hidden sheet \"Own\" was left out",
        ]
    );
}

#[test]
fn rich_text_of_cells_keeps_powers_and_loses_what_is_struck_out() {
    let strings = r#"<sst><si><r><t>10</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>6</t></r><r><t xml:space="preserve"> cells</t></r></si>
        <si><r><rPr><strike/></rPr><t>40</t></r><r><t>45 pounds</t></r><rPh sb="0" eb="1"><t>reading</t></rPh></si><si><t>82³ kg_x000D_net</t></si></sst>"#;
    let data = r#"<sheetData><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c></row></sheetData>"#;
    let seen = read(&xlsx(data, strings), "a.xlsx");
    assert_eq!(seen.text, "## Prices\n\n| 10⁶ cells | 45 pounds | 82 kg net |");
    assert_eq!(seen.warnings, ["cells with struck-out text of the sheet \"Prices\" were left out: 1"]);
}

#[test]
fn merged_cells_make_headers_of_two_rows_and_stand_in_each_row() {
    let merged = r#"<mergeCells count="4"><mergeCell ref="A1:E1"/><mergeCell ref="B2:C2"/><mergeCell ref="D2:E2"/><mergeCell ref="A4:A5"/></mergeCells>"#;
    let table: &[&[&str]] = &[
        &["Orders by quarter"],
        &["City", "North", "", "South", ""],
        &["", "Spring", "Autumn", "Spring", "Autumn"],
        &["Riga", "12", "13", "14", "15"],
        &["", "22", "23", "24", "25"],
    ];
    assert_eq!(
        sheet(table, merged),
        "## Prices\n\n### Orders by quarter\n\n| City | North Spring | North Autumn | South Spring | South Autumn |\n\
         | Riga | 12 | 13 | 14 | 15 |\n| Riga | 22 | 23 | 24 | 25 |"
    );
}

#[test]
fn titles_units_notes_and_second_tables_of_a_sheet_are_told_apart() {
    let table: &[&[&str]] = &[
        &["Harvest 2025"],
        &["All prices are in euros for each sack of 60 kilograms."],
        &["Lot", "Price", "Mass"],
        &["", "EUR", "kg"],
        &["North", "120", "60"],
        &["East", "", "61"],
        &[],
        &["South", "110", "62"],
        &["Source: weighing at the mill"],
        &[],
        &["Staff"],
        &["Name", "Role", "Years"],
        &["Ada", "Roaster", "7"],
        &[],
        &["Closed on the first Monday of each month, except in January and in July."],
        &[],
        &["Guests"],
        &["Name", "Room"],
        &["Bo", "12"],
    ];
    assert_eq!(
        sheet(table, ""),
        "## Prices\n\n### Harvest 2025\n\nAll prices are in euros for each sack of 60 kilograms.\n\n\
         | Lot | Price (EUR) | Mass (kg) |\n| North | 120 | 60 |\n| East | | 61 |\n| South | 110 | 62 |\n\n\
         Source: weighing at the mill\n\n### Staff\n\n| Name | Role | Years |\n| Ada | Roaster | 7 |\n\n\
         Closed on the first Monday of each month, except in January and in July.\n\n\
         ### Guests\n\n| Name | Room |\n| Bo | 12 |"
    );
    let beside: &[&[&str]] =
        &[&["City", "Orders", "", "Name", "Role"], &["Riga", "12", "", "Ada", "Lead"], &["", "", "", "Bo", "Cook"]];
    assert_eq!(
        sheet(beside, ""),
        "## Prices\n\n| City | Orders |\n| Riga | 12 |\n\n| Name | Role |\n| Ada | Lead |\n| Bo | Cook |"
    );
}

#[test]
fn prose_in_cells_is_read_with_what_it_belongs_to() {
    let prose = "The depot sorts parcels all night, and it employs forty people in two shifts.";
    let table: &[&[&str]] =
        &[&["Hub", "Orders", "Remark"], &["Riga", "120", prose], &["Tartu", "80", "new"], &["Narva", "70", prose]];
    assert_eq!(
        sheet(table, ""),
        format!(
            "## Prices\n\n| Hub | Orders | Remark |\n| Riga | 120 | |\n| Tartu | 80 | new |\n| Narva | 70 | |\n\nRiga: {prose}\n\nNarva: {prose}"
        )
    );
    let only: &[&[&str]] = &[&["Question", "Answer"], &["When is it open?", prose], &["Who runs it?", prose]];
    assert_eq!(sheet(only, ""), format!("## Prices\n\nWhen is it open? {prose}\n\nWho runs it? {prose}"));
    assert_eq!(sheet(&[&[prose], &["A short line"]], ""), format!("## Prices\n\n{prose}\n\nA short line"));
    assert_eq!(sheet(&[&["Notes of May"], &[prose]], ""), format!("## Prices\n\n### Notes of May\n\n{prose}"));
}

#[test]
fn numbers_of_a_sheet_stand_as_it_shows_them() {
    let codes = ["00000", "&quot;LOT-&quot;0000", "(000) 000-0000", "[&lt;1]0%;0", "0"];
    let formats: String = codes
        .iter()
        .enumerate()
        .map(|(at, code)| format!(r#"<numFmt numFmtId="{}" formatCode="{code}"/>"#, 164 + at))
        .collect();
    let styles: String = (0..codes.len()).map(|at| format!(r#"<xf numFmtId="{}"/>"#, 164 + at)).collect();
    let styles = format!(
        "<styleSheet><numFmts>{formats}</numFmts><cellXfs>{styles}<xf numFmtId=\"14\"/></cellXfs></styleSheet>"
    );
    let values = ["742", "42", "5551234567", "0.25", "1234567890123456", "44561"];
    let cells: String =
        values.iter().enumerate().map(|(at, value)| format!(r#"<c s="{at}"><v>{value}</v></c>"#)).collect();
    let file = xlsx_with(
        &format!("<sheetData><row>{cells}</row></sheetData>"),
        "<sst/>",
        &[("xl/styles.xml", styles.as_bytes())],
    );
    assert_eq!(
        read(&file, "a.xlsx").text,
        "## Prices\n\n| 00742 | LOT-0042 | (555) 123-4567 | 25% | 1234567890123460 | 2021-12-31 |"
    );
}

const MATH: &str = "<m:oMath>";

#[test]
fn formulas_of_a_document_are_written_so_that_no_other_number_arises() {
    let text = |text: &str| format!("<m:r><m:t>{text}</m:t></m:r>");
    let fraction =
        |over: &str, under: &str| format!("<m:f><m:num>{}</m:num><m:den>{}</m:den></m:f>", text(over), text(under));
    let power = |base: &str, to: &str| format!("<m:sSup><m:e>{}</m:e><m:sup>{}</m:sup></m:sSup>", text(base), text(to));
    for (formula, wanted) in [
        (fraction("3", "4"), "Use 3/4 of it."),
        (format!("{}{}", text("2"), fraction("3", "4")), "Use 2 3/4 of it."),
        (fraction("a+b", "2c"), "Use (a+b)/(2c) of it."),
        (power("x", "2"), "Use x^2 of it."),
        (format!("{}{}", power("10", "6"), text("kg")), "Use 10^6 kg of it."),
        (power("e", "2x"), "Use e^(2x) of it."),
        (format!("<m:rad><m:deg/><m:e>{}</m:e></m:rad>", text("16")), "Use √16 of it."),
        (
            format!(
                r#"<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{}</m:sub><m:sup>{}</m:sup><m:e>{}</m:e></m:nary>"#,
                text("i=1"),
                text("n"),
                text("i")
            ),
            "Use ∑_(i=1)^n i of it.",
        ),
        (format!("<m:d><m:e>{}</m:e></m:d>", fraction("1", "2")), "Use (1/2) of it."),
        (format!("<m:sSub><m:e>{}</m:e><m:sub>{}</m:sub></m:sSub>", text("𝑥"), text("1")), "Use x_1 of it."),
    ] {
        let body = format!("<w:p>{}{MATH}{formula}</m:oMath>{}</w:p>", run("", "Use"), run("", "of it."));
        let body = body.replace("Use<", "Use <").replace(">of", "> of");
        assert_eq!(read(&docx(&body), "a.docx").text, wanted, "{formula}");
    }
    let old = format!(
        r#"<w:p>{}<w:r><w:object><o:OLEObject ProgID="Equation.3"/></w:object></w:r></w:p>"#,
        run("", "It is ")
    );
    let old = read(&docx(&old), "a.docx");
    assert_eq!((old.text.as_str(), old.warnings.len()), ("It is \u{fffd}", 1));
    let deep = format!(
        "<w:p>{}{MATH}{}{}</m:oMath></w:p>",
        run("", "Deep "),
        "<m:d><m:e>".repeat(300),
        "</m:e></m:d>".repeat(300)
    );
    assert_eq!(read(&docx(&deep), "a.docx").text, "Deep \u{fffd}");
}

#[test]
fn footnotes_of_a_document_stand_behind_their_sentence_and_lists_keep_their_numbers() {
    let item = |list: u8, level: u8, text: &str| {
        format!(
            r#"<w:p><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list}"/></w:numPr></w:pPr>{}</w:p>"#,
            run("", text)
        )
    };
    let note = |id: u8| format!(r#"<w:r><w:footnoteReference w:id="{id}"/></w:r>"#);
    let body = [
        format!(
            "<w:p>{}{}{}{}{}</w:p>",
            run("", "The limit is 140 pounds."),
            note(2),
            run("", " Rooms"),
            note(3),
            run("", " are small.")
        ),
        item(1, 0, "Ask"),
        item(1, 1, "first"),
        item(1, 1, "second"),
        item(1, 0, "Book"),
        paragraph("Between."),
        item(2, 0, "Dots"),
        item(3, 0, "Again"),
        paragraph("• typed"),
    ]
    .concat();
    let notes = support::word_part(
        "footnotes",
        &format!(
            r#"<w:footnote w:type="separator" w:id="0">{}</w:footnote><w:footnote w:id="2">{}</w:footnote><w:footnote w:id="3">{}</w:footnote>"#,
            paragraph("---"),
            paragraph(" During trade fairs the limits rise."),
            paragraph("Ibid.")
        ),
    );
    let level = |level: u8, kind: &str, text: &str| {
        format!(
            r#"<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>"#
        )
    };
    let numbering = support::word_part(
        "numbering",
        &format!(
            r#"<w:abstractNum w:abstractNumId="0">{}{}</w:abstractNum><w:abstractNum w:abstractNumId="1">{}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num>"#,
            level(0, "decimal", "%1."),
            level(1, "lowerLetter", "%1.%2)"),
            level(0, "bullet", "o")
        ),
    );
    let document = support::word_part("document", &format!("<w:body>{body}</w:body>"));
    let file = support::zip(&[
        ("[Content_Types].xml", support::WORD_TYPES.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/footnotes.xml", notes.as_bytes()),
        ("word/numbering.xml", numbering.as_bytes()),
    ]);
    let seen = read(&file, "a.docx");
    assert_eq!(
        seen.text,
        "The limit is 140 pounds. During trade fairs the limits rise. Rooms are small.\n\n- 1. Ask\n- 1.a) first\n- 1.b) second\n\
         - 2. Book\n\nBetween.\n\n- Dots\n- 5. Again\n- typed"
    );
    assert_eq!(seen.warnings, ["footnotes of a few words that were left out: 1"]);
}

#[test]
fn tables_of_a_document_have_headers_of_two_rows_units_and_titles() {
    let cell = |properties: &str, text: &str| format!("<w:tc><w:tcPr>{properties}</w:tcPr>{}</w:tc>", paragraph(text));
    let row = |cells: &[String]| format!("<w:tr>{}</w:tr>", cells.concat());
    let (two, restart, on) = (r#"<w:gridSpan w:val="2"/>"#, r#"<w:vMerge w:val="restart"/>"#, "<w:vMerge/>");
    let groups = format!(
        "<w:tbl>{}{}{}</w:tbl>",
        row(&[cell(restart, "City"), cell(two, "North"), cell(two, "South")])
            .replace("<w:tr>", "<w:tr><w:trPr><w:tblHeader/></w:trPr>"),
        row(&[cell(on, ""), cell("", "Spring"), cell("", "Autumn"), cell("", "Spring"), cell("", "Autumn")]),
        row(&[cell("", "Riga"), cell("", "1"), cell("", "2"), cell("", "3"), cell("", "4")]),
    );
    let units = format!(
        "<w:tbl>{}{}{}{}</w:tbl>",
        row(&[cell(r#"<w:gridSpan w:val="3"/>"#, "Weights of the parts")]),
        row(&[cell("", "Part"), cell("", "Mass"), cell("", "Price")]),
        row(&[cell("", ""), cell("", "[g]"), cell("", "€")]),
        row(&[cell("", "Blade"), cell("", "40"), cell("<w:cellDel/>", "12")]),
    );
    let seen = read(&docx(&format!("{groups}{}{units}", paragraph("Next."))), "a.docx").text;
    assert_eq!(
        seen,
        "| City | North Spring | North Autumn | South Spring | South Autumn |\n| Riga | 1 | 2 | 3 | 4 |\n\nNext.\n\n\
         Weights of the parts\n\n| Part | Mass (g) | Price (€) |\n| Blade | 40 | |"
    );
}

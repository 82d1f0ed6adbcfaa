//! What Word documents, workbooks, CSV, Markdown and plain text say, read as the programs that show them.

#[expect(dead_code, reason = "each test file builds its own kinds")]
mod support;

use galley_files::{Extracted, Limits, extract};
use support::{docx, paragraph};

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

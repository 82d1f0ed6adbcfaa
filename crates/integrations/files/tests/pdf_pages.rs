//! Pages of PDF files as a person reads them: what is raised, what stands in columns, what is printed twice.

#[expect(dead_code, reason = "each test file builds its own kinds")]
mod support;

use galley_files::{Extracted, Limits, extract};
use support::{page, pdf, stream};

fn read(bytes: &[u8]) -> Extracted {
    extract(bytes, "a.pdf", &Limits::default()).expect("read")
}

/// Text at a place, in points from the bottom left of a page of 595 by 842.
fn at(x: f64, y: f64, size: f64, text: &str) -> String {
    format!("BT /F {size} Tf {x} {y} Td ({text}) Tj ET\n")
}

/// Lines from `y` downwards, 12 points apart.
fn lines(x: f64, y: f64, texts: &[&str]) -> String {
    texts.iter().zip(0..).map(|(text, n)| at(x, y - 12.0 * f64::from(n), 10.0, text)).collect()
}

fn text_of(content: &str) -> String {
    read(&page(stream("", content.as_bytes()))).text
}

/// A page whose font `/U` takes any characters, in UTF-16, each half as wide as it is high; `/S` is a font that is
/// described by the given dictionary.
fn unicode_page(content: &str, symbol: &str) -> Vec<u8> {
    let map = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def 1 begincodespacerange <0000> <ffff> \
               endcodespacerange 1 beginbfrange <0000> <ffff> <0000> endbfrange endcmap end end";
    pdf(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R /U 6 0 R /S 8 0 R >> >> >>".to_vec(),
        stream("", content.as_bytes()),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H /ToUnicode 7 0 R /DescendantFonts [<< /Type /Font \
          /Subtype /CIDFontType2 /BaseFont /Any /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 500 >>] >>"
            .to_vec(),
        stream("", map.as_bytes()),
        symbol.as_bytes().to_vec(),
    ])
}

fn utf16(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("{unit:04x}")).collect()
}

/// Text of the font `/U` at a place.
fn any(x: f64, y: f64, text: &str) -> String {
    format!("BT /U 10 Tf {x} {y} Td <{}> Tj ET\n", utf16(text))
}

const SYMBOL: &str = "<< /Type /Font /Subtype /TrueType /BaseFont /ABCDEF+SymbolMT /FirstChar 0 /LastChar 255 >>";

#[test]
fn raised_and_lowered_digits_are_no_part_of_the_number_before_them() {
    // By the rise of the text, by a smaller size on another baseline, and written last.
    let rise = "BT /F 10 Tf 72 700 Td (It holds 4 x 10) Tj 4 Ts (6) Tj 0 Ts ( cells on 300 km) Tj /F 6 Tf 4 Ts (2) Tj /F 10 Tf 0 Ts ( of CO) Tj \
                /F 6 Tf -2 Ts (2) Tj /F 10 Tf 0 Ts (.) Tj ET";
    assert_eq!(text_of(rise), "It holds 4 x 10⁶ cells on 300 km² of CO₂.");
    let moved = "BT /F 10 Tf 72 700 Td (The island of 300 km) Tj /F 6 Tf 93 3.5 Td (2) Tj /F 10 Tf 6.5 -3.5 Td (has 82) Tj /F 6 Tf 34 3.5 Td \
                 (3) Tj /F 10 Tf 6.5 -3.5 Td (members.) Tj ET";
    assert_eq!(text_of(moved), "The island of 300 km² has 82 members.");
    let later = at(72.0, 700.0, 10.0, "It holds 4 x 10")
        + &at(141.0, 700.0, 10.0, "cells per litre of H")
        + &at(134.8, 704.0, 6.0, "6")
        + &at(219.0, 698.0, 6.0, "2")
        + &at(222.5, 700.0, 10.0, "O.");
    assert_eq!(text_of(&later), "It holds 4 x 10⁶ cells per litre of H₂O.");
    // The mark of a footnote below the text, and capitals that are only smaller.
    let note =
        at(72.0, 703.0, 6.0, "1") + &at(76.0, 700.0, 10.0, "Measured in 1998 by") + &at(180.0, 700.0, 8.0, "NASA.");
    assert_eq!(text_of(&note), "Measured in 1998 by NASA.");
    let half = "BT /F 10 Tf 72 700 Td (Add 1) Tj /F 6 Tf 4 Ts (1) Tj 0 Ts (/) Tj (2) Tj /F 10 Tf ( cups.) Tj ET";
    assert_eq!(text_of(half), "Add 1½ cups.");
}

#[test]
fn short_columns_are_read_one_after_the_other() {
    let left = ["The pump heats the house with", "air from outside and needs", "no gas."];
    let right = ["The fan turns slowly and is", "hardly heard at night."];
    let wanted = "The pump heats the house with air from outside and needs no gas.\n\nThe fan turns slowly and is hardly heard at night.";
    assert_eq!(text_of(&(lines(72.0, 700.0, &left) + &lines(226.0, 700.0, &right))), wanted);
    // Drawn row by row, with a gap that is hardly wider than one between words.
    let mut rows = String::new();
    for (n, line) in left.iter().enumerate() {
        let y = 700.0 - 12.0 * n as f64;
        rows += &at(72.0, y, 10.0, line);
        rows += &right.get(n).map_or(String::new(), |line| at(222.0, y, 10.0, line));
    }
    assert_eq!(text_of(&rows), wanted);
}

#[test]
fn columns_end_at_headings_and_tables_that_span_them() {
    let mut content = at(72.0, 780.0, 16.0, "The whole sheet");
    let first = [
        "The colony grows coffee on eleven",
        "terraces above the river, where",
        "members pick the ripe cherries",
        "by hand between two seasons.",
    ];
    let second = [
        "They wash the beans in long stone",
        "tanks for two days. The water is",
        "led back to the river through a",
        "bed of reeds and gravel.",
    ];
    content += &(lines(72.0, 750.0, &first) + &lines(300.0, 750.0, &second));
    content += &at(72.0, 680.0, 14.0, "Prices");
    content += &(lines(72.0, 655.0, &second) + &lines(300.0, 655.0, &first));
    for (n, row) in [["Kind", "Mass", "Price", "Stock"], ["Beans", "40 kg", "120", "9"], ["Husks", "12 kg", "7", "81"]]
        .iter()
        .enumerate()
    {
        for (m, cell) in row.iter().enumerate() {
            content += &at(72.0 + 125.0 * m as f64, 580.0 - 14.0 * n as f64, 10.0, cell);
        }
    }
    let (a, b) = (first.join(" "), second.join(" "));
    assert_eq!(
        text_of(&content),
        format!(
            "# The whole sheet\n\n{a}\n\n{b}\n\n## Prices\n\n{b}\n\n{a}\n\n| Kind | Mass | Price | Stock |\n| Beans | 40 kg | 120 | 9 |\n\
             | Husks | 12 kg | 7 | 81 |"
        )
    );
}

#[test]
fn tables_of_long_cells_are_no_columns() {
    let left = [
        "Nominal capacity in kilowatts",
        "Sound pressure at three metres",
        "Weight without the packaging",
        "Price without the value tax",
    ];
    let right = [
        "5.8 at seven degrees Celsius",
        "31 decibels in silent mode",
        "138 kilograms with the frame",
        "11,250 francs in Switzerland",
    ];
    let text = text_of(&(lines(72.0, 700.0, &left) + &lines(300.0, 700.0, &right)));
    assert!(text.contains("| Weight without the packaging | 138 kilograms with the frame |"), "{text}");
}

#[test]
fn a_table_of_prose_is_read_row_by_row() {
    let cell = |n: usize, side: &str| {
        [
            format!("Row {n} of the {side} side tells how the mill"),
            "washes its beans in long stone tanks and".to_owned(),
            format!("dries them until noon of day {n}."),
        ]
    };
    let mut content = String::new();
    let mut wanted = Vec::new();
    for n in 1..5 {
        let y = 760.0 - 50.0 * n as f64;
        for (x, side) in [(72.0, "left"), (320.0, "right")] {
            let texts = cell(n, side);
            content += &lines(x, y, &texts.each_ref().map(String::as_str));
            wanted.push(texts.join(" "));
        }
    }
    assert_eq!(text_of(&content), wanted.join("\n\n"));
}

#[test]
fn symbols_are_the_characters_that_are_seen() {
    let content = "BT /F 10 Tf 72 700 Td (Particles of 40 ) Tj /S 10 Tf (m) Tj /F 10 Tf (m pass, ) Tj /S 10 Tf <a3> Tj /F 10 Tf ( 12 do not.) Tj ET";
    let read = read(&unicode_page(content, SYMBOL));
    assert_eq!(read.text, "Particles of 40 µm pass, ≤ 12 do not.");
    assert_eq!(read.warnings, [""; 0]);
    // Private use, of a font of symbols and of any other.
    let content = format!(
        "{}BT /S 10 Tf 72 600 Td (\\154) Tj ET",
        any(72.0, 700.0, "Particles of 40 \u{f06d}m and \u{e123} more of them.")
    );
    let read = self::read(&unicode_page(&content, &SYMBOL.replace("SymbolMT", "Logos")));
    assert_eq!(read.text, "Particles of 40 µm and \u{fffd} more of them.\n\nl");
    assert_eq!(read.warnings, ["characters that could not be told were left out or stand as \u{fffd}: 1"]);
}

#[test]
fn text_is_read_once_and_plain() {
    // Printed twice for a shadow, whole words at a time.
    let shadow =
        at(72.0, 700.0, 10.0, "Total price: 1,100 francs") + &at(72.6, 699.5, 10.0, "Total price: 1,100 francs");
    assert_eq!(
        text_of(&(shadow + &lines(72.0, 660.0, &["An ordinary line of text follows here."; 3])))
            .matches("1,100")
            .count(),
        1
    );
    // Spaced by the spacing of characters, by spaces, and within a line.
    let spaced = "BT /F 10 Tf 3 Tc 72 700 Td (Annual report 2026) Tj ET";
    assert_eq!(text_of(spaced), "Annual report 2026");
    assert_eq!(text_of(&at(72.0, 700.0, 10.0, "S p a c e d   w o r d s")), "Spaced words");
    assert_eq!(
        text_of(&at(72.0, 700.0, 10.0, "It is v e r y loud and A B C D E are grades.")),
        "It is very loud and A B C D E are grades."
    );
    let slanted = "BT /F 60 Tf 0.7 0.7 -0.7 0.7 150 300 Tm (DRAFT) Tj ET\n".to_owned()
        + &lines(72.0, 700.0, &["The price is 120 francs."]);
    let read = read(&page(stream("", slanted.as_bytes())));
    assert_eq!(read.text, "The price is 120 francs.");
    assert_eq!(read.warnings, ["slanted text, as of watermarks, was left out; characters of it: 5"]);
    let ligature = any(72.0, 700.0, "The \u{fb01}nal o\u{fb03}ce ２０２６ ＡＢＣ");
    assert_eq!(self::read(&unicode_page(&ligature, SYMBOL)).text, "The final office 2026 ABC");
}

#[test]
fn text_that_is_not_painted_is_left_out_unless_it_was_recognised_in_a_picture() {
    let shown = lines(72.0, 700.0, &["The sack costs 120 francs at the mill."]);
    for hidden in ["BT 3 Tr /F 10 Tf 72 600 Td (It is free.) Tj ET", "/G gs BT /F 10 Tf 72 600 Td (It is free.) Tj ET"]
    {
        let bytes = String::from_utf8_lossy(&page(stream("", (shown.clone() + hidden).as_bytes())))
            .replace("/XObject << /X 4 0 R >>", "/ExtGState << /G << /ca 0 >> >>");
        let read = read(bytes.as_bytes());
        assert_eq!(read.text, "The sack costs 120 francs at the mill.", "{hidden}");
        assert_eq!(read.warnings, ["characters that no reader of the pages sees were left out: 9"], "{hidden}");
    }
    let scan = "BI /W 1 /H 1 /BPC 8 /CS /G ID x EI\nBT 3 Tr /F 10 Tf 72 700 Td (What the scanner saw.) Tj ET";
    assert_eq!(text_of(scan), "What the scanner saw.");
}

#[test]
fn footnotes_are_left_out_with_their_marks() {
    let content = lines(72.0, 700.0, &["The mill has 82"; 1])
        + &at(143.0, 704.0, 6.0, "1")
        + &at(147.5, 700.0, 10.0, "members, who wash the beans for two days in long tanks.")
        + &lines(72.0, 688.0, &["They dry them on raised beds of wire and turn them by hand until noon."; 3])
        + &at(72.0, 103.0, 5.0, "1")
        + &at(75.5, 100.0, 8.0, "As counted in 1998 by the cooperative.");
    let read = read(&page(stream("", content.as_bytes())));
    assert!(read.text.starts_with("The mill has 82 members, who wash"), "{}", read.text);
    assert!(!read.text.contains("1998"), "{}", read.text);
    assert_eq!(read.warnings, ["footnotes that were left out: 1"]);
}

#[test]
fn values_of_forms_are_kept() {
    let content = at(72.0, 700.0, 10.0, "Name of the farm:") + &at(72.0, 680.0, 10.0, "Organic:");
    let bytes = pdf(&[
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R 7 0 R 8 0 R] >> >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> /Annots [6 0 R 7 0 R 8 0 R] >>".to_vec(),
        stream("", content.as_bytes()),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (farm) /V (Sela Ridge, 11 terraces) /Rect [160 696 400 711] >>".to_vec(),
        b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (organic) /V /Yes /AS /Yes /Rect [120 677 132 689] >>".to_vec(),
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (secret) /V (hidden value) /F 2 /Rect [160 596 400 611] >>".to_vec(),
    ]);
    assert_eq!(read(&bytes).text, "Name of the farm: Sela Ridge, 11 terraces\n\nOrganic: ☒");
}

#[test]
fn the_reading_above_japanese_characters_is_left_out() {
    let small = |x: f64, y: f64, text: &str| any(x, y, text).replace("/U 10 Tf", "/U 5 Tf");
    let content = small(72.0, 710.0, "とうきょう")
        + &any(72.0, 700.0, "東京へ行きます。水を飲みます。")
        + &small(117.0, 710.0, "みず");
    assert_eq!(read(&unicode_page(&content, SYMBOL)).text, "東京へ行きます。水を飲みます。");
}

#[test]
fn hyphens_at_line_ends_go_where_they_only_split_a_word() {
    let split = [
        "The shop is open and the neigh-",
        "bours come to its long self-",
        "service counter, which the neighbours",
        "like very much on every day.",
    ];
    assert_eq!(
        text_of(&lines(72.0, 700.0, &split)),
        "The shop is open and the neighbours come to its long self-service counter, which the neighbours like very much on every day."
    );
}

#[test]
fn text_from_right_to_left_is_read_in_its_order() {
    // In the order of the eye, as old programs write it: each character from the left.
    let visual = |text: &str| text.chars().rev().collect::<String>();
    let line = format!(
        "{} 2,026 {} 4.5% {}",
        visual("\u{5e9}\u{5e0}\u{5ea}"),
        visual("\u{5de}\u{5d7}\u{5d9}\u{5e8} \u{5e9}\u{5dc}"),
        visual("\u{5d5}\u{5d2}\u{5dd}")
    );
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words.len(), 6);
    assert_eq!(
        self::read(&unicode_page(&any(72.0, 700.0, &line), SYMBOL)).text,
        "\u{5d5}\u{5d2}\u{5dd} 4.5% \u{5de}\u{5d7}\u{5d9}\u{5e8} \u{5e9}\u{5dc} 2,026 \u{5e9}\u{5e0}\u{5ea}"
    );
    // In the order of the tongue, each character placed to the left of the one before.
    let mut logical = String::new();
    for (n, c) in "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{5e2}\u{5d5}\u{5dc}\u{5dd}".chars().enumerate() {
        logical += &any(500.0 - 5.0 * n as f64, 700.0, &c.to_string());
    }
    assert_eq!(
        self::read(&unicode_page(&logical, SYMBOL)).text,
        "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{5e2}\u{5d5}\u{5dc}\u{5dd}"
    );
    // A word of it in a line from left to right, and the forms that letters take beside others.
    let mixed = format!("The word {} means peace.", visual("\u{5e9}\u{5dc}\u{5d5}\u{5dd}"));
    assert_eq!(
        self::read(&unicode_page(&any(72.0, 700.0, &mixed), SYMBOL)).text,
        "The word \u{5e9}\u{5dc}\u{5d5}\u{5dd} means peace."
    );
    let shaped = visual("\u{fee3}\u{fea4}\u{fee4}\u{fe8e}") + " 12";
    assert_eq!(self::read(&unicode_page(&any(72.0, 700.0, &shaped), SYMBOL)).text, "12 \u{645}\u{62d}\u{645}\u{627}");
}

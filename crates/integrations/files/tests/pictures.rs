//! The pictures of sources, each with its place in the text.

#[expect(dead_code, reason = "each test file builds its own kinds")]
mod support;

use galley_files::{Extracted, Limits, PictureContent, Pictures, PicturesLeftOut, extract, html};
use support::{WORD_TYPES, paragraph, pdf, stream, word_part, xlsx_with, zip};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand more";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0and more";

fn read(bytes: &[u8], name: &str) -> Extracted {
    extract(bytes, name, &Limits::default()).expect(name)
}

fn page(html: &str) -> html::Html {
    html::to_text(html, Some("https://shop.example/guides/mills.html"), &Limits::default()).expect("readable")
}

/// What stands before each picture on the last line, what is said about it, and where it is.
fn placed<'a>(text: &'a str, pictures: &'a Pictures) -> Vec<(&'a str, &'a str, &'a str, &'a str)> {
    let one = |picture: &'a galley_files::Picture| {
        let before = text[..picture.at].lines().next_back().unwrap_or_default();
        assert!(
            text[picture.at..].is_empty() || text[picture.at..].starts_with('\n') || picture.at == 0,
            "{picture:?}"
        );
        let content = match &picture.content {
            PictureContent::Address(address) => address.as_str(),
            PictureContent::Bytes(bytes) if bytes == PNG => "PNG",
            PictureContent::Bytes(bytes) if bytes == JPEG => "JPEG",
            PictureContent::Bytes(_) => "other bytes",
        };
        (before, picture.alt.as_str(), picture.caption.as_str(), content)
    };
    pictures.list.iter().map(one).collect()
}

const PROSE: &str = "The upper stone turns about its spindle while the lower stone rests on its bed, and the grain runs from \
                     the hopper through the eye into the gap, where the furrows shear it and carry it to the rim.";

fn mills() -> String {
    format!(
        "<html><head><title>How a mill grinds</title></head><body>
         <header><nav><img src='/logo.png' alt='Mills of the north' width=300 height=120></nav></header>
         <main><article><h1>How a mill grinds</h1><p>{PROSE}</p>
         <figure><img src='../img/stones.jpg' alt='Two millstones' width='800' height='600'>
           <figcaption>The stones of the mill at Wray.</figcaption></figure>
         <h2>The hopper</h2><p>{PROSE} <img src='//cdn.example/hopper.webp' alt='A hopper'> It holds two sacks.</p>
         <picture><source srcset='a.avif'><img data-src='shaft.png' src='data:image/gif;base64,R0lGOD' alt='The shaft'></picture>
         <p>{PROSE} Thus it goes.</p><img src='pixel.gif' width=1 height=1 alt='x'><img src='rule.png'>
         <table><tr><th>Part</th><th>Mass</th></tr><tr><td>Stone <img src='stone.png' alt='A stone'></td><td>40 kg</td></tr></table>
         <p>{PROSE} And so it ends.</p></article></main>
         <aside><p>Read also:</p><img src='other.jpg' alt='Another article' width=400 height=300></aside></body></html>"
    )
}

#[test]
fn pictures_of_a_page_stand_behind_their_paragraph_with_their_caption() {
    let page = page(&mills());
    let found = placed(&page.text, &page.pictures);
    let behind: Vec<_> = found.iter().map(|(before, ..)| *before).collect();
    assert!(behind[0] == PROSE && behind[1].ends_with("It holds two sacks.") && behind[2] == behind[1], "{behind:?}");
    assert_eq!(behind[3], "| Stone | 40 kg |");
    let said: Vec<_> = found.iter().map(|(_, alt, caption, content)| (*alt, *caption, *content)).collect();
    assert_eq!(
        said,
        [
            ("Two millstones", "The stones of the mill at Wray.", "https://shop.example/img/stones.jpg"),
            ("A hopper", "", "https://cdn.example/hopper.webp"),
            ("The shaft", "", "https://shop.example/guides/shaft.png"),
            ("A stone", "", "https://shop.example/guides/stone.png"),
        ]
    );
    assert_eq!(page.pictures.left_out, PicturesLeftOut { decorative: 2, ..PicturesLeftOut::default() });
    let text = &page.text;
    assert!(text.contains("The stones of the mill at Wray.") && !text.contains("Two millstones"), "{text}");
}

#[test]
fn of_a_thousand_pictures_the_first_are_taken_and_the_rest_is_counted() {
    let many: String =
        (0..1_000).map(|at| format!("<p>Figure {at} {PROSE}</p><img src='{at}.png' alt='n{at}'>")).collect();
    let page = page(&format!("<main>{many}</main>"));
    let most = Limits::default().pictures;
    assert_eq!((page.pictures.list.len(), page.pictures.left_out.too_many), (most, 980));
    let none = Limits { pictures: 0, ..Limits::default() };
    assert_eq!(html::to_text(&mills(), None, &none).expect("read").pictures, Pictures::default());
}

#[test]
fn pictures_of_markdown_have_their_title_as_caption() {
    let given = "# Mills\n\nThe stones turn. ![Two *stones*](img/s.png \"At Wray\") They grind.\n\n![Alone](https://a.example/b.jpg)\n\n\
                 ![](none.png)\n\n| a | b |\n|---|---|\n| ![c](c.png) | 2 |\n\n![d](data:image/png;base64,iVBORw0KGgphbmQgbW9yZQ==)\n\n`![x](x.png)`\n";
    let mut read = read(given.as_bytes(), "mills.md");
    let text = read.text.clone();
    assert_eq!(
        placed(&text, &read.pictures),
        [
            ("The stones turn. They grind.", "Two stones", "At Wray", "img/s.png"),
            ("The stones turn. They grind.", "Alone", "", "https://a.example/b.jpg"),
            ("| | 2 |", "c", "", "c.png"),
            ("| | 2 |", "d", "", "PNG"),
        ]
    );
    assert_eq!(read.pictures.left_out.decorative, 1);
    read.pictures.resolve(None);
    assert_eq!((read.pictures.list.len(), read.pictures.left_out.unreadable), (2, 2));
}

fn drawing(id: &str, alt: &str, pixels: u32) -> String {
    let side = pixels * 9_525;
    format!(
        r#"<w:r><w:drawing><wp:inline><wp:extent cx="{side}" cy="{side}"/><wp:docPr id="1" name="Picture 1" descr="{alt}"/><a:blip r:embed="{id}"/></wp:inline></w:drawing></w:r>"#
    )
}

#[test]
fn pictures_of_a_document_stand_where_they_are_drawn() {
    let body = [
        paragraph("The stones turn."),
        format!("<w:p>{}</w:p>", drawing("r1", "Two stones", 400)),
        r#"<w:p><w:pPr><w:pStyle w:val="Caption"/></w:pPr><w:r><w:t>Figure 1: the stones at Wray</w:t></w:r></w:p>"#
            .to_owned(),
        format!("<w:p><w:r><w:t>Here is the hopper.</w:t></w:r>{}</w:p>", drawing("r2", "A hopper", 300)),
        format!("<w:p>{}{}</w:p>", drawing("r1", "", 400), drawing("r2", "A dot", 20)),
        format!("<w:p>{}</w:p>", drawing("r9", "Gone", 400)),
        format!("<w:p>{}</w:p>", drawing("r3", "A plan", 400)),
        paragraph("The end."),
    ];
    let document = word_part("document", &format!("<w:body>{}</w:body>", body.concat()));
    let rels = r#"<Relationships><Relationship Id="r1" Type="x/image" Target="media/a.png"/><Relationship Id="r2" Type="x/image" Target="/word/media/b.jpg"/><Relationship Id="r3" Type="x/image" Target="media/c.png"/></Relationships>"#;
    let file = zip(&[
        ("[Content_Types].xml", WORD_TYPES.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/_rels/document.xml.rels", rels.as_bytes()),
        ("word/media/a.png", PNG),
        ("word/media/b.jpg", JPEG),
        ("word/media/c.png", b"<svg/> in truth"),
    ]);
    let read = read(&file, "a.docx");
    assert_eq!(
        placed(&read.text, &read.pictures),
        [
            ("The stones turn.", "Two stones", "Figure 1: the stones at Wray", "PNG"),
            ("Here is the hopper.", "A hopper", "", "JPEG"),
        ]
    );
    assert_eq!(read.pictures.left_out, PicturesLeftOut { decorative: 2, unreadable: 2, ..PicturesLeftOut::default() });
}

#[test]
fn a_packed_picture_that_unpacks_to_too_much_is_left_out_and_the_text_stays() {
    let document = word_part(
        "document",
        &format!("<w:body>{}<w:p>{}</w:p></w:body>", paragraph("Words."), drawing("r1", "A bomb", 400)),
    );
    let rels = r#"<Relationships><Relationship Id="r1" Type="x/image" Target="media/a.png"/></Relationships>"#;
    let bomb = [PNG, &vec![0; 90 << 20]].concat();
    let file = zip(&[
        ("[Content_Types].xml", WORD_TYPES.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/_rels/document.xml.rels", rels.as_bytes()),
        ("word/media/a.png", &bomb),
    ]);
    let read = read(&file, "a.docx");
    assert_eq!((read.text.as_str(), read.pictures.list.len(), read.pictures.left_out.too_large), ("Words.", 0, 1));
}

#[test]
fn a_member_that_is_named_many_times_is_not_unpacked_each_time() {
    let many = |id: &str, alt: &str| format!("<w:p>{}</w:p>", drawing(id, alt, 400)).repeat(900);
    let body = [
        paragraph("Words."),
        many("r1", "Zeros"),
        many("r2", "Large"),
        format!("<w:p>{}</w:p>", drawing("r3", "Late", 400)),
    ];
    let document = word_part("document", &format!("<w:body>{}</w:body>", body.concat()));
    let rels = r#"<Relationships><Relationship Id="r1" Type="x/image" Target="media/zeros.png"/><Relationship Id="r2" Type="x/image" Target="media/large.png"/><Relationship Id="r3" Type="x/image" Target="media/late.png"/></Relationships>"#;
    let file = zip(&[
        ("[Content_Types].xml", WORD_TYPES.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/_rels/document.xml.rels", rels.as_bytes()),
        ("word/media/zeros.png", &vec![0; 5 << 20]),
        ("word/media/large.png", &[PNG, &vec![0; 6 << 20]].concat()),
        ("word/media/late.png", PNG),
    ]);
    let read = read(&file, "a.docx");
    let left_out = PicturesLeftOut { unreadable: 900, too_large: 901, ..PicturesLeftOut::default() };
    assert_eq!(
        (read.text.as_str(), read.pictures.left_out),
        ("Words.", left_out),
        "the pictures have used up their share"
    );
}

#[test]
fn pictures_on_a_sheet_stand_behind_its_table() {
    let cells = r#"<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Part</t></is></c><c r="B1" t="inlineStr"><is><t>Mass</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>Stone</t></is></c><c r="B2"><v>40</v></c></row></sheetData>"#;
    let drawing = r#"<xdr:wsDr><xdr:pic><xdr:nvPicPr><xdr:cNvPr id="2" name="Picture 1" descr="The stone"/></xdr:nvPicPr><xdr:blipFill><a:blip r:embed="p1"/></xdr:blipFill><xdr:spPr><a:ext cx="3810000" cy="3810000"/></xdr:spPr></xdr:pic></xdr:wsDr>"#;
    let file = xlsx_with(
        cells,
        "<sst/>",
        &[
            ("xl/worksheets/_rels/sheet1.xml.rels", br#"<Relationships><Relationship Id="d" Type="x/drawing" Target="../drawings/drawing1.xml"/></Relationships>"#),
            ("xl/drawings/drawing1.xml", drawing.as_bytes()),
            ("xl/drawings/_rels/drawing1.xml.rels", br#"<Relationships><Relationship Id="p1" Type="x/image" Target="../media/s.png"/></Relationships>"#),
            ("xl/media/s.png", PNG),
        ],
    );
    let read = read(&file, "a.xlsx");
    assert_eq!(placed(&read.text, &read.pictures), [("| Stone | 40 |", "The stone", "", "PNG")]);
}

#[test]
fn a_jpeg_on_a_page_of_a_pdf_is_handed_out_and_others_are_counted() {
    let content = b"BT /F 12 Tf 50 800 Td (The stones of the mill turn.) Tj ET q 200 0 0 200 50 400 cm /J Do Q q 200 0 0 200 50 100 cm /R Do Q \
                    q 595 0 0 842 0 0 cm /W Do Q q 20 0 0 20 0 0 cm /I Do Q";
    let image = |pixels: u32, filter: &str, data: &[u8]| {
        stream(
            &format!(
                "/Type /XObject /Subtype /Image /Width {pixels} /Height {pixels} /ColorSpace /DeviceRGB /BitsPerComponent 8 {filter}"
            ),
            data,
        )
    };
    let dct = "/Filter /DCTDecode";
    let file = pdf(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> /XObject << /J 6 0 R /R 7 0 R /W 8 0 R /I 9 0 R >> >> >>".to_vec(),
        stream("", content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
        image(400, dct, JPEG),
        image(200, "", &[7; 300]),
        image(900, dct, JPEG),
        image(30, dct, JPEG),
    ]);
    let read = read(&file, "a.pdf");
    let pictures = &read.pictures;
    assert_eq!(placed(&read.text, pictures), [("The stones of the mill turn.", "Picture on page 1", "", "JPEG")]);
    assert_eq!(pictures.left_out, PicturesLeftOut { decorative: 2, unreadable: 1, ..PicturesLeftOut::default() });
}

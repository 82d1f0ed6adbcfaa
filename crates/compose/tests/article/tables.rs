//! A table of a source stands in the article as a table, whole, and is cited as a whole.

use galley_compose::{
    article::{RenderedArticle, sources_md},
    claims, fit, notes,
};
use galley_domain::writing::{Brief, Origin, Outline, SectionText, Snapshot, Verdict, WordRange};
use galley_text::markdown;

use crate::fixtures::{Article, brief, write};

const TABLE: &str = "| Park | 2021 | 2022 |\n| Ash Park | 12,300 | 15,800 |\n| Birch Hill | | 9,050 |\n| Fen \\| Meadow | \
    4,100 | 3,900 |";
const SHOWN: &str = "*Visitors of the parks, in thousands* [1]\n\n| Park | 2021 | 2022 |\n|---|---|---|\n| Ash Park | \
    12,300 | 15,800 |\n| Birch Hill |  | 9,050 |\n| Fen \\| Meadow | 4,100 | 3,900 |\n\n";

fn parks() -> String {
    format!(
        "# The parks of Riverton\n\nThe parks of Riverton cover a third of the area of the city. A park is a meadow, a \
         wood or a garden that the city keeps open to all. The oldest park was laid out by the river in 1874.\n\n\
         ## Visitors of the parks\n\nThe city counts the visitors of its parks with gates each summer. Most visitors come \
         on Sundays in June.\n\nVisitors of the parks, in thousands\n\n{TABLE}\n\n## Care of the parks\n\nTwelve gardeners \
         care for the parks all year. They cut the meadows twice a year and water young trees in dry months. The box of \
         a gardener holds:\n\n- a saw of steel\n- two pairs of gloves\n- a roll of string\n\nThe care of the parks costs \
         the city two million euros a year.\n"
    )
}

fn source(number: u32, language: &str, text: &str) -> Snapshot {
    let title = text.lines().next().unwrap_or("").trim_start_matches("# ").to_owned();
    let origin = Origin::File { name: format!("{number}.md") };
    Snapshot { number, title, origin, language: Some(language.to_owned()), text: text.to_owned() }
}

fn order(prompt: &str, min: u32, max: u32) -> Brief {
    Brief { prompt: prompt.to_owned(), keywords: Vec::new(), words: WordRange { min, max }, ..brief(min, max) }
}

fn tables_in(article: &Article) -> usize {
    rules(&article.rendered.markdown)
}

/// Each table has one line of dashes.
fn rules(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("|---")).count()
}

#[test]
fn a_table_stands_below_its_heading_with_caption_and_one_mark() {
    let sources = [source(1, "en", &parks())];
    let asked = order("Write about the parks of Riverton", 110, 150);
    let article = write(&asked, &sources).expect("an article");
    let text = &article.rendered.markdown;
    assert!(text.contains(SHOWN), "{text}");
    assert!(text.contains("- a saw of steel [1]\n- two pairs"), "a list stays a list beside it: {text}");
    let part = text.split("\n## ").find(|part| part.contains("|---|")).unwrap_or("");
    assert!(part.starts_with("Visitors of the parks\n\nThe city counts"), "{text}");
    assert!(!text.contains("the table gives"), "no row is told again: {text}");
    let words = markdown::word_count(text);
    assert!((110..=150).contains(&words), "{words}: {text}");
    let claims = &article.rendered.claims;
    let of_table: Vec<_> = claims.iter().filter(|placed| placed.claim.sentence.contains("Ash Park")).collect();
    assert_eq!(of_table.len(), 1, "one claim for the whole table");
    let claim = &of_table[0].claim;
    assert_eq!((claim.verdict, claim.coverage_permille), (Verdict::Supported, 1000));
    let span = claim.span.and_then(|span| span.text_in(&sources)).unwrap_or("");
    assert_eq!(span, format!("Visitors of the parks, in thousands\n\n{TABLE}"));
    let mut places: Vec<_> = claims.iter().map(|c| (c.section, c.paragraph, c.index)).collect();
    let before = places.clone();
    places.sort_unstable();
    assert_eq!(before, places);
    let listed = sources_md("Parks", &article.rendered, &sources, &Default::default());
    assert!(
        listed.contains(
            ". Visitors of the parks, in thousands: table of Park | 2021 | 2022 (3 rows)\n   - Rests on source 1"
        ),
        "{listed}"
    );
}

#[test]
fn the_table_is_one_in_html_too() {
    let article = write(&order("Write about the parks of Riverton", 110, 150), &[source(1, "en", &parks())]);
    let html = markdown::to_html(&article.expect("an article").rendered.markdown);
    for part in [
        "<p><em>Visitors of the parks, in thousands</em> <sup class=\"citation\"><a href=\"#source-1\"",
        "<thead><tr><th>Park</th><th>2021</th><th>2022</th></tr></thead>",
        "<td>Birch Hill</td><td></td><td>9,050</td>",
        "<td>Fen | Meadow</td><td>4,100</td>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn without_a_caption_the_mark_stands_below() {
    let text = parks().replace("Visitors of the parks, in thousands\n\n", "");
    let article = write(&order("Write about the parks of Riverton", 110, 150), &[source(1, "en", &text)]);
    let text = article.expect("an article").rendered.markdown;
    assert!(text.contains("in June. [1]\n\n| Park |") && text.contains("| 3,900 |\n\n[1]\n\n"), "{text}");
    assert!(markdown::to_html(&text).contains("</table>"), "{text}");
}

#[test]
fn a_table_is_whole_or_not_there_at_any_length() {
    let sources = [source(1, "en", &parks())];
    let mut seen = 0;
    for (min, max) in [(40, 50), (50, 60), (60, 75), (75, 90), (90, 110), (110, 130), (130, 150)] {
        let asked = order("Write about the parks of Riverton", min, max);
        let article = write(&asked, &sources).expect("an article");
        let text = &article.rendered.markdown;
        let whole = text.contains(SHOWN.trim_end());
        assert_eq!(whole, text.contains('|'), "{min}: {text}");
        assert!(!(whole && text.contains("the table gives")), "{min}: {text}");
        assert!(asked.words.with_tolerance().contains(markdown::word_count(text)), "{min}: {text}");
        seen += usize::from(whole);
    }
    assert!(seen > 0);
}

#[test]
fn fitting_takes_a_table_as_one_and_does_not_tell_its_rows_again() {
    let sources = [source(1, "en", &parks())];
    let article = write(&order("Write about the parks of Riverton", 110, 150), &sources).expect("an article");
    let planned = || article.outline.sections.iter().cloned().zip(article.sections.clone()).collect::<Vec<_>>();
    let has_table = |texts: &[SectionText]| texts.iter().flat_map(|t| &t.paragraphs).any(|p| p.contains("|---|"));
    // Nothing but the table, and too short: what is added are sentences, not its rows.
    let mut short = planned();
    short.iter_mut().for_each(|(_, text)| text.paragraphs.retain(|p| p.contains("|---|")));
    let texts = fit(&order("Write about the parks of Riverton", 100, 130), short, &sources).expect("fits");
    let all: Vec<&String> = texts.iter().flat_map(|t| &t.paragraphs).collect();
    assert!(has_table(&texts) && all.len() > 1, "{all:?}");
    assert!(all.iter().all(|p| p.contains("|---|") || !p.contains("Ash Park") && !p.contains('|')), "{all:?}");
    // Far too long: it goes whole.
    let texts = fit(&order("Write about the parks of Riverton", 40, 50), planned(), &sources).expect("fits");
    let left: Vec<&String> = texts.iter().flat_map(|t| &t.paragraphs).filter(|p| p.contains('|')).collect();
    assert!(left.iter().all(|p| p.ends_with("| 4,100 | 3,900 |") && p.contains("|---|")), "{left:?}");
}

const SHOPS: &str = "# Shops of Riverton\n\nThe shops of Riverton sell bread, shoes and books to people of three \
    valleys.\n\n## Bread\n\nFour bakers of the town bake before dawn and carry their loaves to the market on foot. Rye \
    loaves keep for a week and are dearer than white ones.\n\n| Street | Sold loaves |\n| Mill Lane | 160 |\n| High Street \
    | 2,115 |\n\nMost loaves are sold on Saturdays.\n\n| Month | Price of rye |\n| May | 6.50 |\n| June | 5.70 |\n\n\
    ## Shoes\n\nThe cobbler mends boots for the farmers of the valleys in winter. In spring he sells sandals that his \
    daughter sews from soft leather.\n\n| Size | Sold pairs |\n| small | 40 |\n| large | 75 |\n\n## Books\n\nA retired \
    teacher runs the only book shop next to the church. She orders school books by post and lends novels to anyone who asks \
    for them.\n\n| Shelf | Volumes |\n| Novels | 930 |\n| School | 410 |\n";

#[test]
fn a_section_has_one_table_and_an_article_two() {
    let sources = [source(1, "en", SHOPS)];
    for prompt in ["Write about the shops of Riverton", "Write about the shops of Riverton, with a table"] {
        let article = write(&order(prompt, 120, 170), &sources).expect("an article");
        let text = &article.rendered.markdown;
        assert_eq!(tables_in(&article), 2, "{text}");
        assert!(text.split("\n## ").all(|part| rules(part) < 2), "{text}");
    }
}

#[test]
fn a_larger_table_is_told_by_rows() {
    let rows = |count: usize| (0..count).map(|n| format!("\n| Park {n} | {n}1,300 | {n}5,800 |")).collect::<String>();
    for (count, whole) in [(12, true), (13, false)] {
        let text = parks().replace(TABLE, &format!("| Park | 2021 | 2022 |{}", rows(count)));
        let article = write(&order("Write about the parks of Riverton", 130, 190), &[source(1, "en", &text)]);
        let article = article.expect("an article");
        assert_eq!(tables_in(&article) == 1, whole, "{count}: {}", article.rendered.markdown);
    }
}

#[test]
fn a_wish_for_a_table_is_followed_or_told() {
    let sources = [source(1, "en", &parks())];
    for wish in ["in a table", "as a table", "with a table"] {
        let asked = order(&format!("Compare the parks of Riverton {wish}"), 60, 100);
        let article = write(&asked, &sources).expect("an article");
        assert_eq!(tables_in(&article), 1, "{wish}: {}", article.rendered.markdown);
        assert_eq!(notes(&asked, &article.outline, &sources, true), Vec::<String>::new());
        let plain = [source(1, "en", &parks().replace(TABLE, "The gates count all day."))];
        let article = write(&asked, &plain).expect("an article");
        assert_eq!(
            notes(&asked, &article.outline, &plain, true),
            [format!("the built-in writer does not follow wishes about form: “{wish}”")]
        );
    }
}

#[test]
fn an_edited_outline_keeps_its_table_and_gets_one() {
    let sources = [source(1, "en", &parks())];
    let asked = order("Write about the parks of Riverton", 110, 150);
    let mut outline = galley_compose::outline(&asked, &sources).expect("an outline");
    let at = outline.sections.iter().position(|s| s.heading.as_deref() == Some("Visitors of the parks")).expect("it");
    let has_table = |outline: &Outline, at: usize| {
        let text = galley_compose::section(&asked, outline, at, &sources);
        text.paragraphs.iter().any(|p| p.contains("|---|"))
    };
    outline.sections[at].heading = Some("Who comes".to_owned());
    let kept = galley_compose::assign(&asked, &outline, &sources);
    assert!(has_table(&kept, at), "{kept:?}");
    outline.sections[at].heading = Some("Visitors of the parks".to_owned());
    outline.sections[at].passages.clear();
    let anew = galley_compose::assign(&asked, &outline, &sources);
    assert!(has_table(&anew, at), "{anew:?}");
}

#[test]
fn marks_are_numbered_through_tables() {
    let other = "# Trams of Riverton\n\nThe trams of Riverton run from the parks to the harbour every ten minutes.";
    let sources = [source(1, "en", other), source(2, "en", &parks())];
    let article = write(&order("Write about the parks of Riverton", 110, 150), &sources[1..]).expect("an article");
    let table = article.sections.into_iter().flat_map(|s| s.paragraphs).find(|p| p.contains("|---|")).expect("a table");
    let paragraphs = vec![
        "The trams of Riverton run from the parks to the harbour every ten minutes.".to_owned(),
        table,
        "Most visitors come on Sundays in June.".to_owned(),
    ];
    let rendered = checked(paragraphs, &sources);
    assert_eq!(rendered.cited, [1, 2]);
    assert!(rendered.markdown.contains("thousands* [2]\n\n| Park") && rendered.markdown.contains("June. [2]"));
}

fn checked(paragraphs: Vec<String>, sources: &[Snapshot]) -> RenderedArticle {
    let text = SectionText { paragraphs };
    let placed = claims::check(std::slice::from_ref(&text), sources);
    let section = galley_compose::article::ArticleSection { heading: None, text };
    galley_compose::article::render("Title", &[section], &placed, sources)
}

#[test]
fn a_table_of_other_hands_is_checked_row_by_row() {
    let sources = [source(1, "en", &parks())];
    for (table, mark, missing) in [
        ("| Park | 2022 |\n|---|---|\n| Birch Hill | 9,050 |\n| Ash Park | 15,800 |", "\n\n[1]\n", &[][..]),
        (
            "| Park | 2022 |\n|---|---|\n| Birch Hill | 9,060 |\n| Ash Park | 15,800 |",
            "\n\n[1] [partly]\n",
            &["Birch Hill | 9,060"],
        ),
        // The value of another year.
        ("| Park | 2021 |\n|---|---|\n| Ash Park | 15,800 |", "\n\n[unsupported]\n", &["Ash Park | 15,800"]),
        (
            "In 1999\n| Park | 2022 |\n|---|---|\n| Birch Hill | 9,050 |\n| Ash Park | 15,800 |",
            "*In 1999* [1] [partly]\n\n| Park",
            &["1999"],
        ),
    ] {
        let rendered = checked(vec![table.to_owned()], &sources);
        assert!(rendered.markdown.contains(mark), "{}", rendered.markdown);
        assert_eq!(rendered.claims[0].claim.missing, missing);
    }
}

#[test]
fn tables_of_scripts_without_spaces_stand_too() {
    let zh = "# 河镇的公园\n\n河镇的公园占城市面积的三分之一，全年对所有人免费开放。最古老的公园建于1874年，位于河边。\n\n## 公园的面积\n\n\
        城市每年测量公园的面积和树木的数量，结果在春天公布。\n\n公园的面积和树木\n\n| 公园 | 面积 | 树木 |\n| 东湖公园 | 42公顷 | 5,600棵 |\n| 西山公园 | 18公顷 | 2,100棵 |\n\n\
        ## 公园的维护\n\n十二名园丁全年照料公园，每年修剪两次草地。维护公园每年花费城市两百万元。\n";
    let th = "# สวนสาธารณะของเมือง\n\nสวนสาธารณะของเมืองเปิดให้ทุกคนเข้าชมฟรีตลอดทั้งปี สวนที่เก่าแก่ที่สุดสร้างขึ้นริมแม่น้ำในปี 1874\n\n\
        ## จำนวนต้นไม้\n\nเมืองนับจำนวนต้นไม้ในสวนสาธารณะทุกปีในฤดูร้อน\n\n| สวน | ต้นไม้ |\n| สวนริมน้ำ | 5,600 |\n| สวนบนเขา | 2,100 |\n\n\
        ## การดูแล\n\nคนสวนสิบสองคนดูแลสวนสาธารณะตลอดทั้งปีและตัดหญ้าปีละสองครั้ง\n";
    for (language, text, prompt, words, row) in [
        (
            "zh",
            zh,
            "写一篇关于河镇公园的文章",
            (95, 130),
            "| 东湖公园 | 42公顷 | 5,600棵 |\n| 西山公园 | 18公顷 | 2,100棵 |",
        ),
        ("th", th, "เขียนเกี่ยวกับสวนสาธารณะของเมือง", (40, 60), "| สวนริมน้ำ | 5,600 |\n| สวนบนเขา | 2,100 |"),
    ] {
        let asked = Brief { language: language.to_owned(), ..order(prompt, words.0, words.1) };
        let article = write(&asked, &[source(1, language, text)]).expect("an article");
        assert!(article.rendered.markdown.contains(row), "{}", article.rendered.markdown);
        let bad = article.rendered.claims.iter().find(|placed| placed.claim.verdict.falls_short());
        assert_eq!(bad, None);
    }
}

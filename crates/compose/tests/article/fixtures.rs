use galley_compose::article::{ArticleSection, RenderedArticle, render};
use galley_domain::{
    Fault,
    writing::{Brief, Origin, Outline, SectionText, Snapshot, Tone, WordRange},
};

macro_rules! fixture {
    ($number:literal, $name:literal, $language:literal) => {
        source($number, $name, $language, include_str!(concat!("../fixtures/", $name)))
    };
}

fn source(number: u32, name: &str, language: &str, text: &str) -> Snapshot {
    let title = text.lines().next().unwrap_or("").trim_start_matches("# ").to_owned();
    let origin = if number.is_multiple_of(2) {
        Origin::Link { url: format!("https://example.org/{name}") }
    } else {
        Origin::File { name: name.to_owned() }
    };
    Snapshot { number, title, origin, language: Some(language.to_owned()), text: text.trim_end().to_owned() }
}

/// Seven sources on parcel lockers and one in German: a handbook, a table, a page full of boilerplate, and others.
pub fn sources() -> Vec<Snapshot> {
    vec![
        fixture!(1, "1-handbook.md", "en"),
        fixture!(2, "2-returns.md", "en"),
        fixture!(3, "3-city.md", "en"),
        fixture!(4, "4-security.md", "en"),
        fixture!(5, "5-table.md", "en"),
        fixture!(6, "6-german.md", "de"),
        fixture!(7, "7-blog.md", "en"),
        fixture!(8, "8-shops.md", "en"),
    ]
}

pub fn brief(min: u32, max: u32) -> Brief {
    Brief {
        prompt: "Write an article about how parcel lockers change delivery and returns for small online shops"
            .to_owned(),
        keywords: vec!["parcel lockers".to_owned(), "returns".to_owned()],
        tone: Tone::Professional,
        language: "en".to_owned(),
        words: WordRange { min, max },
        instructions: String::new(),
    }
}

pub struct Article {
    pub outline: Outline,
    pub sections: Vec<SectionText>,
    pub rendered: RenderedArticle,
}

pub fn write(brief: &Brief, sources: &[Snapshot]) -> Result<Article, Fault> {
    let outline = galley_compose::outline(brief, sources)?;
    let texts: Vec<SectionText> =
        (0..outline.sections.len()).map(|i| galley_compose::section(brief, &outline, i, sources)).collect();
    let pairs = outline.sections.iter().cloned().zip(texts).collect();
    let sections = galley_compose::fit(brief, pairs, sources)?;
    let claims = galley_compose::claims::check(&sections, sources);
    let parts: Vec<ArticleSection> = outline
        .sections
        .iter()
        .zip(&sections)
        .map(|(plan, text)| ArticleSection { heading: plan.heading.clone(), text: text.clone() })
        .collect();
    let rendered = render(&outline.title, &parts, &claims, sources);
    Ok(Article { outline, sections, rendered })
}

pub fn sentences(sections: &[SectionText]) -> Vec<String> {
    sections
        .iter()
        .flat_map(|s| &s.paragraphs)
        .flat_map(|p| galley_text::sentence::split(p).into_iter().map(|r| p[r].to_owned()).collect::<Vec<_>>())
        .collect()
}

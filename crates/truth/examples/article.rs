//! Prints the article that the built-in writer makes of files, for whoever reads it as an editor:
//! `cargo run -p galley-truth --example article -- "PROMPT" en 600-900 FILE…`. With `--text` before the files, what was
//! read of each.

use std::{collections::BTreeMap, error::Error, path::Path};

use galley_compose::{
    article::{ArticleSection, render},
    claims,
};
use galley_domain::writing::{Brief, Origin, SectionText, Snapshot, Tone, WordRange};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: article PROMPT LANGUAGE MIN-MAX [--text] FILE...";
    let (Some(prompt), Some(language), Some(range)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err(usage.into());
    };
    let (min, max) = range.split_once('-').ok_or(usage)?;
    let (flags, files): (Vec<String>, Vec<String>) = arguments.partition(|argument| argument == "--text");
    let mut sources = Vec::new();
    for (file, number) in files.iter().zip(1..) {
        let name = Path::new(file).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let read = galley_files::extract(&std::fs::read(file)?, &name, &galley_files::Limits::default())?;
        read.warnings.iter().for_each(|warning| eprintln!("{name}: {warning}"));
        if !flags.is_empty() {
            println!("===== {name}\n{}\n", read.text);
        }
        let heading = read.text.lines().next().and_then(|line| line.strip_prefix("# ")).map(str::to_owned);
        let title = read.title.or(heading).unwrap_or_else(|| name.clone());
        let origin = Origin::File { name };
        sources.push(Snapshot { number, title, origin, language: None, text: read.text });
    }
    let brief = Brief {
        prompt,
        keywords: Vec::new(),
        tone: Tone::Professional,
        language,
        words: WordRange { min: min.parse()?, max: max.parse()? },
        instructions: String::new(),
    };
    print(&brief, &sources)
}

fn print(brief: &Brief, sources: &[Snapshot]) -> Result<(), Box<dyn Error>> {
    let outline = galley_compose::outline(brief, sources)?;
    let texts: Vec<SectionText> =
        (0..outline.sections.len()).map(|i| galley_compose::section(brief, &outline, i, sources)).collect();
    let sections = galley_compose::fit(brief, outline.sections.iter().cloned().zip(texts).collect(), sources)?;
    let placed = claims::check(&sections, sources);
    let parts: Vec<ArticleSection> = outline
        .sections
        .iter()
        .zip(&sections)
        .map(|(plan, text)| ArticleSection { heading: plan.heading.clone(), text: text.clone() })
        .collect();
    let article = render(&outline.title, &parts, &placed, sources);
    println!("{}", article.markdown);
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    placed.iter().for_each(|one| *verdicts.entry(format!("{:?}", one.claim.verdict)).or_default() += 1);
    println!("{verdicts:?}");
    galley_compose::notes(brief, &outline, sources, true).iter().for_each(|note| println!("note: {note}"));
    Ok(())
}

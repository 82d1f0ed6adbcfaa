//! Tables for people.

use std::fmt::Write as _;

use crate::Judged;

const LANGUAGES: [&str; 7] = ["en", "de", "es", "fr", "it", "pt", "ru"];

/// Supported ones and all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    pub supported: usize,
    pub all: usize,
}

impl Share {
    pub fn of<'a>(judged: impl Iterator<Item = &'a Judged>) -> Self {
        judged.fold(Self::default(), |share, one| Self {
            supported: share.supported + usize::from(one.is_supported()),
            all: share.all + 1,
        })
    }

    /// 0.0 of nothing.
    pub fn percent(self) -> f64 {
        if self.all == 0 { 0.0 } else { self.supported as f64 * 100.0 / self.all as f64 }
    }
}

/// The kinds in the order in which they come first.
pub fn kinds(judged: &[Judged]) -> Vec<&str> {
    let mut kinds: Vec<&str> = Vec::new();
    for one in judged {
        if !kinds.contains(&one.made.kind.as_str()) {
            kinds.push(&one.made.kind);
        }
    }
    kinds
}

/// Supported of all, by kind and language, with the percentage of each kind.
pub fn table(title: &str, judged: &[Judged], goal: &str) -> String {
    let mut out = format!("{title} ({goal})\n{:<18}", "kind");
    let languages: Vec<&str> =
        LANGUAGES.into_iter().filter(|code| judged.iter().any(|one| one.made.language == *code)).collect();
    for code in &languages {
        let _ = write!(out, "{code:>9}");
    }
    let _ = writeln!(out, "{:>11}{:>7}", "all", "%");
    let mut line = |name: &str, of: &dyn Fn(&&Judged) -> bool| {
        let _ = write!(out, "{name:<18}");
        for code in &languages {
            let share = Share::of(judged.iter().filter(|one| one.made.language == *code && of(one)));
            let cell = if share.all == 0 { "–".to_owned() } else { format!("{}/{}", share.supported, share.all) };
            let _ = write!(out, "{cell:>9}");
        }
        let share = Share::of(judged.iter().filter(of));
        let _ = writeln!(out, "{:>11}{:>7.1}", format!("{}/{}", share.supported, share.all), share.percent());
    };
    for kind in kinds(judged) {
        line(kind, &|one| one.made.kind == kind);
    }
    line("all", &|_| true);
    let _ = write!(out, "{:<18}", "%");
    for code in &languages {
        let share = Share::of(judged.iter().filter(|one| one.made.language == *code));
        let _ = write!(out, "{:>9.1}", share.percent());
    }
    out.push('\n');
    out
}

/// One statement with what it was made of and what it is said to rest on.
pub fn statement(one: &Judged) -> String {
    let made = &one.made;
    let mut out = format!(
        "[{} {} {}] {:?} {}\n  says  {}\n",
        made.language, made.source, made.kind, one.verdict, one.coverage_permille, made.text
    );
    if !made.from.is_empty() {
        let _ = writeln!(out, "  from  {}", made.from);
    }
    if !one.missing.is_empty() {
        let _ = writeln!(out, "  lacks {}", one.missing.join(", "));
    }
    if one.span != made.from {
        let _ = writeln!(out, "  span  {}", one.span);
    }
    out
}

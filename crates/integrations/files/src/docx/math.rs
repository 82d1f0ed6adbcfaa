//! Formulas (Office MathML), written on one line so that no other number arises: `3/4`, `x^2`, `√(a + b)`.

use crate::xml::Element;

/// Deeper formulas, and longer ones, are not written.
const MAX_OPEN: usize = 200;
const MAX_BYTES: usize = 8 << 10;

/// One formula that is being read.
#[derive(Debug, Default)]
pub(super) struct Formula {
    open: Vec<Open>,
    in_text: bool,
    is_too_long: bool,
}

#[derive(Debug)]
enum Open {
    /// A fraction, a root, a sum: with its arguments by name.
    Structure(Structure),
    /// One argument; true where what comes next may not touch it.
    Argument(String, Line),
}

#[derive(Debug, Default)]
struct Structure {
    name: String,
    arguments: Vec<(String, String)>,
    begin: Option<String>,
    end: Option<String>,
    sign: Option<String>,
    /// Of a fraction: without a bar, beside each other.
    kind: Option<String>,
}

/// Text that grows without two numbers becoming one.
#[derive(Debug, Default)]
struct Line {
    text: String,
    is_closed: bool,
}

impl Line {
    fn push(&mut self, text: &str, closes: bool) {
        let touches = self.text.ends_with(char::is_alphanumeric) && text.starts_with(char::is_numeric);
        let joins = self.is_closed && text.starts_with(|c: char| c.is_alphanumeric() || c == '√');
        if joins || closes && touches {
            self.text.push(' ');
        }
        self.text.push_str(text);
        if !text.is_empty() {
            self.is_closed = closes;
        }
    }
}

impl Formula {
    /// True once the element that began the formula has ended.
    pub(super) fn is_over(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn begin() -> Self {
        Self { open: vec![Open::Argument("oMath".to_owned(), Line::default())], ..Self::default() }
    }

    pub(super) fn start(&mut self, element: &Element<'_>) {
        let name = element.name();
        let value = || element.attribute("val");
        match name {
            "t" => self.in_text = true,
            "br" | "tab" => self.push(" ", false),
            "begChr" | "endChr" | "sepChr" | "chr" | "type" => {
                let Some(Open::Structure(structure)) = self.open.last_mut() else { return };
                match name {
                    "begChr" => structure.begin = value(),
                    "endChr" => structure.end = value(),
                    "type" => structure.kind = value(),
                    _ => structure.sign = value(),
                }
            }
            _ if is_argument(name) || is_structure(name) => {
                if self.open.len() >= MAX_OPEN {
                    self.is_too_long = true;
                }
                self.open.push(if is_argument(name) {
                    Open::Argument(name.to_owned(), Line::default())
                } else {
                    Open::Structure(Structure { name: name.to_owned(), ..Structure::default() })
                });
            }
            _ => {}
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.in_text {
            let plain: String = text.chars().map(upright).collect();
            self.push(&plain, false);
        }
    }

    /// The formula, when its last element ends: `None` for one that is too long to be written.
    pub(super) fn end(&mut self, name: &str) -> Option<String> {
        match name {
            "t" => self.in_text = false,
            "oMath" => {
                self.open.truncate(1);
                if let Some(Open::Argument(_, line)) = self.open.pop() {
                    return Some(line.text).filter(|_| !self.is_too_long);
                }
            }
            _ if is_argument(name) => {
                if matches!(self.open.last(), Some(Open::Argument(open, _)) if open == name)
                    && let Some(Open::Argument(name, line)) = self.open.pop()
                {
                    match self.open.last_mut() {
                        Some(Open::Structure(structure)) => structure.arguments.push((name, line.text)),
                        _ => self.push(&line.text, false),
                    }
                }
            }
            _ if is_structure(name) => {
                if matches!(self.open.last(), Some(Open::Structure(open)) if open.name == name)
                    && let Some(Open::Structure(structure)) = self.open.pop()
                {
                    let (text, closes) = structure.written();
                    self.push(&text, closes);
                }
            }
            _ => {}
        }
        None
    }

    fn push(&mut self, text: &str, closes: bool) {
        let line = match self.open.last_mut() {
            Some(Open::Argument(_, line)) => line,
            // Rows of a matrix hold their cells.
            Some(Open::Structure(structure)) => return structure.arguments.push((String::new(), text.to_owned())),
            None => return,
        };
        self.is_too_long |= line.text.len() + text.len() > MAX_BYTES;
        if !self.is_too_long {
            line.push(text, closes);
        }
    }
}

fn is_structure(name: &str) -> bool {
    matches!(
        name,
        "f" | "sSup"
            | "sSub"
            | "sSubSup"
            | "sPre"
            | "rad"
            | "nary"
            | "d"
            | "func"
            | "limLow"
            | "limUpp"
            | "m"
            | "mr"
            | "eqArr"
            | "acc"
            | "bar"
            | "groupChr"
            | "box"
            | "borderBox"
            | "phant"
    )
}

fn is_argument(name: &str) -> bool {
    matches!(name, "e" | "num" | "den" | "sub" | "sup" | "deg" | "lim" | "fName")
}

impl Structure {
    fn argument(&self, name: &str) -> &str {
        self.arguments.iter().find(|(found, _)| found == name).map_or("", |(_, text)| text.trim())
    }

    fn all(&self, between: &str) -> String {
        self.arguments.iter().map(|(_, text)| text.trim()).collect::<Vec<_>>().join(between)
    }

    /// The structure on one line; true where a letter or a digit behind it would seem to belong to it.
    fn written(&self) -> (String, bool) {
        let (base, sub, sup) = (self.argument("e"), self.argument("sub"), self.argument("sup"));
        let text = match self.name.as_str() {
            "f" if self.kind.as_deref() == Some("noBar") => {
                format!("binom({}, {})", self.argument("num"), self.argument("den"))
            }
            "f" => format!("{}/{}", grouped(self.argument("num")), grouped(self.argument("den"))),
            "sSup" => format!("{}{}", grouped(base), marked('^', sup)),
            "sSub" => format!("{}{}", grouped(base), marked('_', sub)),
            "sSubSup" => format!("{}{}{}", grouped(base), marked('_', sub), marked('^', sup)),
            "sPre" => format!("{}{} {base}", marked('^', sup), marked('_', sub)).trim().to_owned(),
            "rad" => match self.argument("deg") {
                "" | "2" => format!("√{}", grouped(base)),
                degree => format!("root({degree}, {base})"),
            },
            "nary" => {
                let sign = self.sign.as_deref().unwrap_or("∫");
                format!("{sign}{}{} {}", marked('_', sub), marked('^', sup), base)
            }
            "d" => {
                let (begin, end) = (self.begin.as_deref().unwrap_or("("), self.end.as_deref().unwrap_or(")"));
                let inside = self.all(self.sign.as_deref().unwrap_or("|"));
                // A matrix has its own.
                if inside.starts_with('[') && inside.ends_with(']') && matches!(begin, "(" | "[") {
                    return (inside, false);
                }
                return (format!("{begin}{inside}{end}"), false);
            }
            "func" => format!("{} {}", self.argument("fName"), grouped(base)),
            "limLow" => format!("{base}{}", marked('_', self.argument("lim"))),
            "limUpp" => format!("{base}{}", marked('^', self.argument("lim"))),
            "mr" => self.all(", "),
            "m" => format!("[{}]", self.all("; ")),
            "eqArr" => self.all("; "),
            "acc" | "bar" => {
                let sign = self.sign.as_deref().unwrap_or(if self.name == "bar" { "\u{305}" } else { "\u{302}" });
                format!("{}{sign}", grouped(base))
            }
            _ => self.all(" "),
        };
        (text, true)
    }
}

/// In brackets where it is more than one number or name.
fn grouped(text: &str) -> String {
    let is_whole = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | ',' | '°' | '%'));
    let is_in_brackets = text.starts_with('(')
        && text.ends_with(')')
        && text
            .char_indices()
            .scan(0_i32, |depth, (at, c)| {
                *depth += i32::from(c == '(') - i32::from(c == ')');
                Some((*depth, at))
            })
            .all(|(depth, at)| depth > 0 || at + 1 == text.len());
    let has_both = text.contains(char::is_alphabetic) && text.contains(char::is_numeric);
    if is_in_brackets || is_whole && !has_both { text.to_owned() } else { format!("({text})") }
}

fn marked(mark: char, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{mark}{}", grouped(text)) }
}

/// The letters and digits that are set in a style of mathematics, as plain ones.
fn upright(c: char) -> char {
    let code = u32::from(c);
    let ascii = match code {
        0x1d400..=0x1d6a3 => {
            let at = (code - 0x1d400) % 52;
            if at < 26 { 0x41 + at } else { 0x61 + at - 26 }
        }
        0x1d7ce..=0x1d7ff => 0x30 + (code - 0x1d7ce) % 10,
        0x210e => 0x68,
        _ => code,
    };
    char::from_u32(ascii).unwrap_or(c)
}

//! The few declarations of style sheets that take text away from a reader or change what it says.

use std::collections::{HashMap, HashSet};

use crate::{script::Rise, symbols::SymbolFont};

/// Style sheets of a page are read up to this length together.
pub(super) const MAX_SHEETS: usize = 1 << 20;
/// Names of classes and ids that are remembered.
const MAX_NAMES: usize = 20_000;

/// What a rule or a `style` attribute does to the text of an element.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// `display: none` and `visibility: hidden`.
    pub(super) hidden: bool,
    /// Nobody sees it though it is said to be shown: transparent, outside of the page, cut to nothing.
    pub(super) unseen: bool,
    /// Whether letters have no size, where a size is given.
    pub(super) tiny: Option<bool>,
    pub(super) struck: bool,
    pub(super) rise: Option<Rise>,
    /// The items of a list have no bullets or numbers.
    pub(super) unmarked: bool,
    /// The font of symbols that its letters are set in.
    pub(super) symbols: Option<SymbolFont>,
    /// Something makes it visible, or may do so later.
    shows: bool,
}

impl Look {
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            hidden: self.hidden || other.hidden,
            unseen: self.unseen || other.unseen,
            tiny: other.tiny.or(self.tiny),
            struck: self.struck || other.struck,
            rise: other.rise.or(self.rise),
            unmarked: self.unmarked || other.unmarked,
            symbols: other.symbols.or(self.symbols),
            shows: self.shows || other.shows,
        }
    }

    fn says_nothing(self) -> bool {
        self == Self::default()
    }
}

/// What declarations such as `display:none; color:red` do.
pub(super) fn look(declarations: &str) -> Look {
    let mut look = Look::default();
    let (mut placed, mut clipped, mut small, mut moves) = (false, false, 0, false);
    let mut away = false;
    for declaration in declarations.split(';').take(200) {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let value = value.trim().trim_end_matches("!important").trim().to_ascii_lowercase();
        let value = value.as_str();
        match name.trim().to_ascii_lowercase().as_str() {
            "display" if value == "none" => look.hidden = true,
            "visibility" if matches!(value, "hidden" | "collapse") => look.hidden = true,
            "display" | "visibility" => look.shows = true,
            "opacity" if is_zero(value) => look.unseen = true,
            "opacity" => look.shows = true,
            "color" if value == "transparent" => look.unseen = true,
            "font-size" => look.tiny = Some(is_zero(value)),
            "position" => placed = matches!(value, "absolute" | "fixed"),
            "left" | "top" | "right" | "bottom" => away |= is_far(value),
            "text-indent" | "margin-left" | "margin-top" => look.unseen |= is_far(value),
            "clip" => {
                clipped |= value.starts_with("rect(") && value.split(|c: char| !c.is_ascii_digit()).all(is_little)
            }
            "clip-path" => clipped |= matches!(value, "inset(50%)" | "inset(100%)" | "circle(0)" | "circle(0px)"),
            "overflow" | "overflow-x" | "overflow-y" if value == "hidden" => small += 1,
            "width" | "height" | "max-height" | "max-width" if is_zero(value) || value == "1px" => small += 2,
            "transform" => {
                let bare: String = value.chars().filter(|c| !c.is_whitespace()).collect();
                look.unseen |= matches!(bare.as_str(), "scale(0)" | "scale(0,0)");
                moves = true;
            }
            "transition" | "animation" | "animation-name" | "transition-property" => moves = true,
            "text-decoration" | "text-decoration-line" => look.struck |= value.contains("line-through"),
            "list-style" | "list-style-type" => look.unmarked |= value.split(' ').any(|word| word == "none"),
            "font-family" => look.symbols = font(value),
            "vertical-align" => {
                look.rise = match value {
                    "super" => Some(Rise::Raised),
                    "sub" => Some(Rise::Lowered),
                    _ => look.rise,
                };
            }
            _ => {}
        }
    }
    // Alone, a small height or `overflow: hidden` is nothing special.
    look.unseen |= (placed && (away || clipped)) || (small >= 3 && small % 2 == 1);
    // What fades in is seen in the end.
    if moves && look.unseen && !placed {
        look.unseen = false;
        look.shows = true;
    }
    look
}

/// The first of the fonts that are named, if it is one of symbols.
pub(super) fn font(names: &str) -> Option<SymbolFont> {
    SymbolFont::named(names.split(',').next()?.trim().trim_matches(['"', '\'']))
}

/// `0`, `0px`, `0.0em`, `0%`.
fn is_zero(value: &str) -> bool {
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    number.parse::<f64>().is_ok_and(|number| number.abs() < 0.01)
}

/// A step out of the page to the left or above.
fn is_far(value: &str) -> bool {
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let unit = &value[number.len()..];
    let far = if matches!(unit, "em" | "rem") {
        -60.0
    } else if unit == "px" {
        -900.0
    } else {
        -99.0
    };
    number.parse::<f64>().is_ok_and(|number| number <= far)
}

fn is_little(number: &str) -> bool {
    matches!(number, "" | "0" | "1")
}

/// What the rules for single classes and ids do, by `.name` and `#name`.
#[derive(Debug, Default)]
pub(super) struct Sheet(HashMap<String, Look>);

impl Sheet {
    /// Reads rules outside of `@media` and its like; rules for more than one class or id say where one is shown.
    pub(super) fn read(text: &str) -> Self {
        let text = without_comments(text);
        let (mut looks, mut shown) = (HashMap::<String, Look>::new(), HashSet::<String>::new());
        let mut rest = text.as_str();
        while let Some(open) = rest.find('{') {
            let (selectors, body) = (rest[..open].rsplit([';', '}']).next().unwrap_or_default(), &rest[open + 1..]);
            if selectors.trim_start().starts_with('@') {
                rest = past_block(body);
                continue;
            }
            let end = body.find('}').unwrap_or(body.len());
            let look = look(&body[..end]);
            rest = body.get(end + 1..).unwrap_or_default();
            if look.says_nothing() {
                continue;
            }
            for selector in selectors.split(',').map(str::trim) {
                if looks.len() + shown.len() > MAX_NAMES {
                    return Self(looks);
                }
                if let Some(name) = single(selector) {
                    let before = looks.get(name).copied().unwrap_or_default();
                    looks.insert(name.to_owned(), before.and(look));
                } else if look.shows || look.tiny == Some(false) {
                    shown.extend(names(selector));
                }
            }
        }
        for (name, look) in &mut looks {
            if look.shows || shown.contains(name) {
                (look.hidden, look.unseen) = (false, false);
            }
        }
        looks.retain(|_, look| !look.says_nothing());
        Self(looks)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the rules do to an element with these classes and this id.
    pub(super) fn look(&self, classes: &str, id: Option<&str>) -> Look {
        let of = |name: String| self.0.get(&name).copied().unwrap_or_default();
        let look =
            classes.split_ascii_whitespace().take(50).fold(Look::default(), |look, c| look.and(of(format!(".{c}"))));
        id.map_or(look, |id| look.and(of(format!("#{id}"))))
    }
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// Behind the `}` that ends a block with blocks in it.
fn past_block(body: &str) -> &str {
    let mut depth = 1_usize;
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &body[at + 1..];
        }
    }
    ""
}

/// `.name` or `#name` of a selector that names nothing else but an element.
fn single(selector: &str) -> Option<&str> {
    let start = selector.find(['.', '#'])?;
    let (element, name) = selector.split_at(start);
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    (is_name(element) && name.len() > 1 && is_name(&name[1..])).then_some(name)
}

/// All classes and ids of a selector.
fn names(selector: &str) -> impl Iterator<Item = String> + '_ {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let starts = selector.char_indices().filter(|(_, c)| matches!(c, '.' | '#'));
    starts.take(20).map(move |(at, _)| {
        let end = selector[at + 1..].find(|c| !is_name(c)).map_or(selector.len(), |length| at + 1 + length);
        selector[at..end].to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_text_is_told_from_what_only_looks_like_it() {
        for (style, unseen) in [
            ("opacity:0", true),
            ("opacity: 0.0 !important", true),
            ("opacity:0.9", false),
            ("opacity:0;transition:opacity 1s", false),
            ("position:absolute;left:-9999px", true),
            ("position: absolute; left: -10px", false),
            ("left:-9999px", false),
            ("text-indent:-9999px", true),
            ("text-indent:-2em", false),
            ("position:absolute;clip:rect(0 0 0 0)", true),
            ("position:absolute;clip:rect(10px,20px,30px,0)", false),
            ("height:0;overflow:hidden", true),
            ("width:1px;height:1px;overflow:hidden", true),
            ("overflow:hidden", false),
            ("height:0", false),
            ("color:transparent", true),
            ("transform:scale(0)", false),
        ] {
            assert_eq!(look(style).unseen, unseen, "{style}");
        }
        assert_eq!(
            [look("font-size:0").tiny, look("font-size:10px").tiny, look("").tiny],
            [Some(true), Some(false), None]
        );
        assert!(look("DISPLAY:none").hidden && look("text-decoration:underline line-through").struck);
        assert_eq!(look("vertical-align:super").rise, Some(Rise::Raised));
    }

    #[test]
    fn rules_for_single_classes_count_unless_another_rule_shows_the_class() {
        let sheet = Sheet::read(
            "/* .a{} */ .gone, p.away { display: none } #x{opacity:0} .tab{display:none} .tab.active{display:block} \
             @media print { .paper { display:none } } .list .deep{display:none} .old{text-decoration:line-through}",
        );
        let hidden = |class: &str| sheet.look(class, None).hidden;
        assert_eq!(["gone", "b away", "tab", "paper", "deep"].map(hidden), [true, true, false, false, false]);
        assert!(sheet.look("", Some("x")).unseen && sheet.look("old", None).struck);
        assert!(Sheet::read("{{{ } .a { display:none").look("a", None).hidden);
    }
}

//! Numbers, dates and texts as a sheet shows them, by the format code of the cell (ECMA-376 part 1, 18.8.31).

use super::{
    date::{self, Clock, Shown},
    number::{self, Place},
};

/// Excel takes no longer codes.
const LONGEST_CODE: usize = 255;

/// A format code, taken apart once for all cells that use it.
#[derive(Debug, Clone)]
pub(super) struct Format {
    sections: Vec<Section>,
}

#[derive(Debug, Clone, Default)]
struct Section {
    condition: Option<(Comparison, f64)>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Other,
}

/// One piece of a section.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Literal(String),
    /// A digit: always shown, shown where there is one, or a space in its place.
    Digit(Place),
    Point,
    Comma,
    Percent,
    /// An exponent; true where it has its sign always.
    Exponent(bool),
    Slash,
    General,
    /// Where a text stands.
    Text,
    /// A letter of a date; repeated letters are one.
    Date(char),
    /// Hours, minutes or seconds that do not stop at 24 or 60.
    Elapsed(char),
}

impl Format {
    pub(super) fn parse(code: &str) -> Self {
        let code = if code.len() > LONGEST_CODE { "General" } else { code };
        Self { sections: split(code).into_iter().map(Section::parse).collect() }
    }

    /// A number as it is shown; empty where the format shows nothing.
    pub(super) fn number(&self, value: f64, from_1904: bool) -> String {
        if !value.is_finite() {
            return String::new();
        }
        let Some((section, is_absolute)) = self.section_for(value) else { return number::general(value) };
        if section.is_date() {
            return section.date(value, from_1904).unwrap_or_else(|| number::general(value));
        }
        number::written(if is_absolute { value.abs() } else { value }, &section.parts)
    }

    /// A text as it is shown; empty where the format shows nothing.
    pub(super) fn text(&self, text: &str) -> String {
        let section = match self.sections.as_slice() {
            [_, _, _, section, ..] => section,
            // A code with a place for the text in its only section is a code for texts.
            [section] if section.parts.contains(&Part::Text) => section,
            _ => return text.to_owned(),
        };
        let shown = section.parts.iter().map(|part| match part {
            Part::Text | Part::General => text,
            Part::Literal(literal) => literal,
            _ => "",
        });
        shown.collect::<String>().trim().to_owned()
    }

    /// The section for a value; true where it shows the value without its sign.
    fn section_for(&self, value: f64) -> Option<(&Section, bool)> {
        let sections = &self.sections[..self.sections.len().min(3)];
        if sections.iter().any(|section| section.condition.is_some()) {
            let fits =
                |section: &&Section| section.condition.is_none_or(|(comparison, with)| comparison.is(value, with));
            return sections.iter().find(fits).map(|section| (section, false));
        }
        match sections {
            [_, negative, ..] if value < 0.0 => Some((negative, true)),
            [_, _, zero] if value == 0.0 => Some((zero, false)),
            [first, ..] => Some((first, false)),
            [] => None,
        }
    }
}

impl Comparison {
    fn is(self, value: f64, with: f64) -> bool {
        match self {
            Self::Less => value < with,
            Self::AtMost => value <= with,
            Self::More => value > with,
            Self::AtLeast => value >= with,
            Self::Equal => value == with,
            Self::Other => value != with,
        }
    }
}

impl Section {
    fn parse(code: &str) -> Self {
        let mut section = Self::default();
        let mut chars = code.chars().peekable();
        while let Some(c) = chars.next() {
            let literal = |text: String| Part::Literal(text);
            let part = match c {
                '"' => literal(chars.by_ref().take_while(|c| *c != '"').collect()),
                '\\' => literal(chars.next().map(String::from).unwrap_or_default()),
                // A space as wide as the next character.
                '_' => {
                    chars.next();
                    literal(" ".to_owned())
                }
                // The next character as often as it fits.
                '*' => {
                    chars.next();
                    continue;
                }
                '[' => {
                    let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                    match section.bracket(&inside) {
                        Some(part) => part,
                        None => continue,
                    }
                }
                '0' => Part::Digit(Place::Always),
                '#' => Part::Digit(Place::IfAny),
                '?' => Part::Digit(Place::Space),
                '.' => Part::Point,
                ',' => Part::Comma,
                '%' => Part::Percent,
                '/' => Part::Slash,
                '@' => Part::Text,
                'E' | 'e' if matches!(chars.peek(), Some('+' | '-')) => Part::Exponent(chars.next() == Some('+')),
                'G' | 'g' if follows(&mut chars, "eneral") => Part::General,
                'A' | 'a' if follows(&mut chars, "m/pm") || follows(&mut chars, "/p") => continue,
                c if matches!(c.to_ascii_lowercase(), 'y' | 'm' | 'd' | 'h' | 's') => {
                    let mut count = 1;
                    while chars.next_if(|next| next.eq_ignore_ascii_case(&c)).is_some() {
                        count += 1;
                    }
                    let letter = c.to_ascii_lowercase();
                    // "dddd" is the day of the week.
                    Part::Date(if letter == 'd' && count > 2 { 'w' } else { letter })
                }
                c => literal(c.to_string()),
            };
            section.parts.push(part);
        }
        section
    }

    /// What stands in square brackets: a currency, a condition, hours over 24; colours and locales show nothing.
    fn bracket(&mut self, inside: &str) -> Option<Part> {
        if let Some(currency) = inside.strip_prefix('$') {
            return Some(Part::Literal(currency.split('-').next().unwrap_or_default().to_owned()));
        }
        let letters = inside.to_ascii_lowercase();
        if let Some(letter) = letters.chars().next().filter(|c| matches!(c, 'h' | 'm' | 's'))
            && letters.chars().all(|c| c == letter)
        {
            return Some(Part::Elapsed(letter));
        }
        let signs = inside.len() - inside.trim_start_matches(['<', '>', '=']).len();
        let comparison = match &inside[..signs] {
            "<" => Comparison::Less,
            "<=" => Comparison::AtMost,
            ">" => Comparison::More,
            ">=" => Comparison::AtLeast,
            "=" => Comparison::Equal,
            "<>" => Comparison::Other,
            _ => return None,
        };
        self.condition = inside[signs..].trim().parse().ok().map(|with| (comparison, with));
        None
    }

    fn is_date(&self) -> bool {
        let has = |found: fn(&Part) -> bool| self.parts.iter().any(found);
        has(|part| matches!(part, Part::Date(_) | Part::Elapsed(_)))
            && !has(|part| matches!(part, Part::Digit(Place::IfAny | Place::Space) | Part::Percent | Part::General))
    }

    /// `None` for a number that no date has.
    fn date(&self, value: f64, from_1904: bool) -> Option<String> {
        let has = |letter| self.parts.contains(&Part::Date(letter));
        if let Some(Part::Elapsed(letter)) = self.parts.iter().find(|part| matches!(part, Part::Elapsed(_))) {
            return Some(date::elapsed(value, *letter, has('s')));
        }
        let clock = Clock { hours: has('h'), seconds: has('s') };
        let shows_time = clock.hours || clock.seconds;
        let months = has('m') && !(shows_time && !has('y') && !has('d'));
        let shown = Shown { years: has('y'), months, days: has('d') || has('w'), clock: shows_time.then_some(clock) };
        date::written(value, from_1904, shown)
    }
}

fn follows(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &str) -> bool {
    let mut ahead = chars.clone();
    let same = word.chars().all(|c| ahead.next().is_some_and(|next| next.eq_ignore_ascii_case(&c)));
    if same {
        *chars = ahead;
    }
    same
}

/// The sections of a code: positive; negative; zero; text.
fn split(code: &str) -> Vec<&str> {
    let mut sections = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in code.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' if !quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                sections.push(&code[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    sections.push(&code[start..]);
    sections
}

/// The codes that have a number only; those of East Asia from 27 to 36 and 50 to 58 are dates.
pub(super) fn built_in(number: u32) -> Option<&'static str> {
    Some(match number {
        1 => "0",
        2 => "0.00",
        3 => "#,##0",
        4 => "#,##0.00",
        5 | 6 => "\"$\"#,##0;(\"$\"#,##0)",
        7 | 8 => "\"$\"#,##0.00;(\"$\"#,##0.00)",
        9 => "0%",
        10 => "0.00%",
        11 => "0.00E+00",
        12 => "# ?/?",
        13 => "# ??/??",
        14 | 15 | 27..=31 | 36 | 50..=54 | 57 | 58 => "yyyy-mm-dd",
        16 => "d-mmm",
        17 | 55 | 56 => "mmm-yy",
        18 | 20 | 32 | 34 => "h:mm",
        19 | 21 | 33 | 35 => "h:mm:ss",
        22 => "yyyy-mm-dd h:mm",
        37 | 38 => "#,##0;(#,##0)",
        39 | 40 => "#,##0.00;(#,##0.00)",
        41 => "_(* #,##0_);_(* (#,##0);_(* \"-\"_);_(@_)",
        42 => "_(\"$\"* #,##0_);_(\"$\"* (#,##0);_(\"$\"* \"-\"_);_(@_)",
        43 => "_(* #,##0.00_);_(* (#,##0.00);_(* \"-\"??_);_(@_)",
        44 => "_(\"$\"* #,##0.00_);_(\"$\"* (#,##0.00);_(\"$\"* \"-\"??_);_(@_)",
        45 => "mm:ss",
        46 => "[h]:mm:ss",
        47 => "mm:ss.0",
        48 => "##0.0E+0",
        49 => "@",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: f64, code: &str) -> String {
        Format::parse(code).number(value, false)
    }

    #[test]
    fn numbers_look_as_in_the_sheet() {
        for (value, code, wanted) in [
            (44_561.0, "General", "44561"),
            (0.1 + 0.2, "General", "0.3"),
            (1.0 / 3.0, "General", "0.333333333"),
            (4_006_381_333_931.0, "General", "4006381333931"),
            (1_234_567_890_123_456.0, "General", "1.23457E+15"),
            (1_234_567_890_123_456.0, "0", "1234567890123460"),
            (1_234_567_890_123_456.0, "#,##0", "1,234,567,890,123,460"),
            (0.000_012_345_67, "General", "1.23457E-05"),
            (-0.0, "General", "0"),
            (1e20, "General", "1E+20"),
            (12.5, "0.00", "12.50"),
            (1.005, "0.00", "1.01"),
            (1_234_567.891, "#,##0.00", "1,234,567.89"),
            (-999.0, "#,##0", "-999"),
            (-1_234.5, "#,##0.00;(#,##0.00)", "(1,234.50)"),
            (0.256, "0.0%", "25.6%"),
            (19.9, "#,##0.00\\ [$€-407]", "19.90 €"),
            (19.9, "\"$\"0.00", "$19.90"),
            (3.0, "0.##", "3"),
            (3.2, "0 \"pcs\"", "3 pcs"),
            (-0.001, "0.0", "0.0"),
            (2.5, "# ?/?", "2 1/2"),
            (0.75, "# ?/?", "3/4"),
            (3.0, "# ??/??", "3"),
            (2.375, "# ?/8", "2 3/8"),
            (1.5e9, "0.00E+00", "1.50E+09"),
            (0.000_15, "0.0E+00", "1.5E-04"),
            (12_000.0, "0,", "12"),
            (1_250_000.0, "0.0,,\"M\"", "1.3M"),
            (f64::NAN, "0.00", ""),
        ] {
            assert_eq!(number(value, code), wanted, "{value} {code}");
        }
    }

    #[test]
    fn codes_with_text_leading_zeros_and_conditions_look_as_in_the_sheet() {
        for (value, code, wanted) in [
            (742.0, "00000", "00742"),
            (42.0, "\"LOT-\"0000", "LOT-0042"),
            (5_551_234_567.0, "(000) 000\\-0000", "(555) 123-4567"),
            (5_551_234_567.0, "[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", "(555) 123-4567"),
            (5_551_234.0, "[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", "555-1234"),
            (123_456_789.0, "000-00-0000", "123-45-6789"),
            (0.25, "[<1]0%;0", "25%"),
            (3.0, "[<1]0%;0", "3"),
            (0.0, "0;-0;\"none\"", "none"),
            (0.0, "_-* #,##0.00_-;-* #,##0.00_-;_-* \"-\"??_-;_-@_-", "-"),
            (-7.0, "[Red]-0;[Blue]0", "7"),
            (5.0, ";;;", ""),
            (0.0, "0;-0;;@", ""),
            (7.0, "\"only words\"", "only words"),
            (5.0, "0\" of 10\"", "5 of 10"),
            (1.0, "@", "1"),
            (7.0, "General\" kg\"", "7 kg"),
            (-5.0, "0\" °C\"", "-5 °C"),
            (12.0, "0\\°", "12°"),
        ] {
            assert_eq!(number(value, code), wanted, "{value} {code}");
        }
        let text = |text: &str, code: &str| Format::parse(code).text(text);
        assert_eq!(
            [text("a", "0.00"), text("a", ";;;"), text("a", "\"No. \"@"), text("a", "0;0;0;@\"!\""), text("a", ";;")],
            ["a", "", "No. a", "a!", "a"]
        );
    }

    #[test]
    fn dates_and_times_have_one_form() {
        for (value, code, wanted) in [
            (44_561.0, "mm-dd-yy", "2021-12-31"),
            (44_561.604_166_667, "m/d/yy h:mm", "2021-12-31 14:30"),
            (0.604_166_667, "h:mm", "14:30"),
            (0.604_166_667, "h:mm AM/PM", "14:30"),
            (44_561.0, "yyyy\"h\"", "2021"),
            (44_561.0, "mmm-yy", "2021-12"),
            (44_561.0, "[$-F800]dddd, mmmm dd, yyyy", "2021-12-31"),
            (44_561.0, "d-mmm", "2021-12-31"),
            (1.0, "yyyy-mm-dd", "1900-01-01"),
            (59.0, "yyyy-mm-dd", "1900-02-28"),
            (61.0, "yyyy-mm-dd", "1900-03-01"),
            (-5.0, "yyyy-mm-dd", "-5"),
            (1.5, "[h]:mm:ss", "36:00:00"),
            (1.5, "[h]:mm", "36:00"),
            (0.5, "[mm]:ss", "720:00"),
            (44_561.75, "yyyy-mm-dd", "2021-12-31"),
        ] {
            assert_eq!(number(value, code), wanted, "{value} {code}");
        }
        assert_eq!(Format::parse("yyyy-mm-dd").number(43_099.0, true), "2021-12-31");
    }
}

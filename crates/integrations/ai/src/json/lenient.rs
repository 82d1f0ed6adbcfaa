//! JSON as models write it when no grammar holds them: read where what is meant is beyond doubt.
//!
//! Taken are comments, missing and spare commas, line breaks in strings, single and curly quotes, names without quotes,
//! the words of Python and JavaScript, quotation marks inside a string, and an end that lacks nothing but its brackets. A
//! string or a value that breaks off is refused: what is missing there cannot be known.

use serde_json::{Map, Number, Value};

/// Objects and lists within each other; ours are three deep.
const MOST_DEPTH: usize = 16;

/// Reads the object that `text` starts with. `may_close` allows an end without its brackets.
///
/// # Errors
/// What cannot be read, in words for the model.
pub(super) fn object(text: &str, may_close: bool) -> Result<Value, String> {
    let mut reader = Reader { rest: text, may_close };
    if !matches!(reader.peek(), Some('{' | '｛')) {
        return Err("it holds no JSON object".to_owned());
    }
    reader.value(0)
}

struct Reader<'a> {
    rest: &'a str,
    may_close: bool,
}

impl<'a> Reader<'a> {
    /// The next sign behind spaces and comments; none at the end, which the end of a code fence is too.
    fn peek(&mut self) -> Option<char> {
        loop {
            self.rest =
                self.rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'));
            let comment = if self.rest.starts_with("//") || self.rest.starts_with('#') {
                self.rest.find('\n')
            } else if self.rest.starts_with("/*") {
                self.rest.find("*/").map(|at| at + 2)
            } else if self.rest.starts_with("```") {
                None
            } else {
                return self.rest.chars().next();
            };
            self.rest = &self.rest[comment.unwrap_or(self.rest.len())..];
        }
    }

    fn skip(&mut self, sign: char) {
        self.rest = &self.rest[sign.len_utf8()..];
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > MOST_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        match self.peek() {
            Some('{' | '｛') => self.members(depth),
            Some('[' | '［') => self.items(depth),
            Some(open) if closing_of(open).is_some() => self.string(open).map(Value::String),
            Some(_) => self.word(),
            None => Err("it ends where a value should stand".to_owned()),
        }
    }

    fn members(&mut self, depth: usize) -> Result<Value, String> {
        self.step();
        let mut map = Map::new();
        loop {
            match self.peek() {
                Some('}' | '｝') => {
                    self.step();
                    return Ok(Value::Object(map));
                }
                Some(',' | '，' | ';') => self.step(),
                None if self.may_close && !map.is_empty() => return Ok(Value::Object(map)),
                None => return Err("an object is not closed".to_owned()),
                // a list or the whole was closed without this object
                Some(']' | '］') if self.may_close => return Ok(Value::Object(map)),
                Some(sign) => {
                    let name = if closing_of(sign).is_some() { self.string(sign)? } else { self.name()? };
                    match self.peek() {
                        Some(colon @ (':' | '：' | '=')) => self.skip(colon),
                        _ => return Err(format!("no colon stands behind \"{}\"", short(&name))),
                    }
                    let value = self.value(depth + 1)?;
                    map.insert(name, value);
                }
            }
        }
    }

    fn items(&mut self, depth: usize) -> Result<Value, String> {
        self.step();
        let mut items = Vec::new();
        loop {
            match self.peek() {
                Some(']' | '］') => {
                    self.step();
                    return Ok(Value::Array(items));
                }
                Some(',' | '，' | ';') => self.step(),
                None if self.may_close && !items.is_empty() => return Ok(Value::Array(items)),
                None => return Err("a list is not closed".to_owned()),
                Some('}' | '｝') if self.may_close => return Ok(Value::Array(items)),
                Some(_) => items.push(self.value(depth + 1)?),
            }
        }
    }

    fn step(&mut self) {
        if let Some(sign) = self.rest.chars().next() {
            self.skip(sign);
        }
    }

    /// A name without quotes.
    fn name(&mut self) -> Result<String, String> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '$')));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() || name.len() > 100 {
            return Err("the name of a field is missing".to_owned());
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    /// A number or one of the words of JSON, Python and JavaScript.
    fn word(&mut self) -> Result<Value, String> {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_')));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let value = match word {
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            "null" | "None" | "NULL" | "undefined" | "NaN" => Value::Null,
            number => {
                // a number at the very end may go on
                let number =
                    (!rest.is_empty()).then(|| number.trim_start_matches('+').parse::<Number>().ok()).flatten();
                Value::Number(number.ok_or_else(|| "a value is no string, number, object or list".to_owned())?)
            }
        };
        self.rest = rest;
        Ok(value)
    }

    /// A string with any quotes. Its end is a quotation mark that a separator, a bracket or a new line with the next string
    /// follows; other ones belong to the text.
    fn string(&mut self, open: char) -> Result<String, String> {
        self.skip(open);
        let closing = closing_of(open).unwrap_or("\"");
        let mut out = String::new();
        let mut signs = self.rest.char_indices();
        while let Some((at, sign)) = signs.next() {
            match sign {
                '\\' => escape(&mut signs, &mut out)?,
                sign if closing.contains(sign) && self.ends_behind(at + sign.len_utf8()) => {
                    self.rest = &self.rest[at + sign.len_utf8()..];
                    return Ok(out);
                }
                sign => out.push(sign),
            }
        }
        Err(format!("the string \"{}\" is not closed", short(&out)))
    }

    fn ends_behind(&self, at: usize) -> bool {
        let rest = &self.rest[at..];
        let next = rest.trim_start();
        let broken = rest[..rest.len() - next.len()].contains('\n');
        match next.chars().next() {
            None => self.may_close,
            Some(',' | ':' | '}' | ']' | '，' | '：' | '｝' | '］' | '/' | '#') => true,
            Some('`') => next.starts_with("```"),
            Some(sign) => broken && (closing_of(sign).is_some() || matches!(sign, '{' | '[')),
        }
    }
}

/// What may close a string that this sign opens.
fn closing_of(open: char) -> Option<&'static str> {
    match open {
        '"' | '＂' => Some("\"＂"),
        '\'' => Some("'"),
        '`' => Some("`"),
        '“' | '”' | '„' => Some("”“\""),
        '‘' | '’' | '‚' => Some("’‘'"),
        '«' => Some("»"),
        '「' => Some("」"),
        _ => None,
    }
}

fn escape(signs: &mut std::str::CharIndices<'_>, out: &mut String) -> Result<(), String> {
    let (_, sign) = signs.next().ok_or("a string ends within an escape")?;
    match sign {
        'n' | 'r' => out.push('\n'),
        't' => out.push('\t'),
        'b' | 'f' => out.push(' '),
        'u' => {
            let first = unit(signs)?;
            let code = if (0xd800..0xdc00).contains(&first) && signs.as_str().starts_with("\\u") {
                signs.next();
                signs.next();
                0x1_0000 + ((first - 0xd800) << 10) + (unit(signs)?.wrapping_sub(0xdc00) & 0x3ff)
            } else {
                first
            };
            out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        // quotes, slashes, and what Markdown escapes
        sign => out.push(sign),
    }
    Ok(())
}

fn unit(signs: &mut std::str::CharIndices<'_>) -> Result<u32, String> {
    let mut code = 0;
    for _ in 0..4 {
        let digit = signs.next().and_then(|(_, c)| c.to_digit(16));
        code = code * 16 + digit.ok_or("a \\u has no four digits behind it")?;
    }
    Ok(code)
}

fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(40)]
}

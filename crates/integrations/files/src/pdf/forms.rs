//! What was filled into the fields of a form, at the place of its field.

use hayro_font::kurbo::{Affine, Point};
use hayro_syntax::{
    object::{Array, Dict, Name, Object, String as Text, dict::keys},
    page::Page,
};

use super::content::Glyph;

/// Fields in fields.
const MAX_PARENTS: usize = 8;
/// Longer values are files.
const MAX_VALUE: usize = 20_000;
/// Lines of one field.
const MAX_LINES: usize = 200;
/// Flags of a field: a button that only does something; several lines.
const PUSH_BUTTON: i32 = 1 << 16;
const MULTILINE: i32 = 1 << 12;
/// Flags of its picture on the page: hidden, not to be viewed.
const HIDDEN: i32 = 1 << 1 | 1 << 5;

/// The values of at most `most` fields of a page.
pub(super) fn values(page: &Page<'_>, most: usize) -> Vec<Glyph> {
    let Some(annotations) = page.raw().get::<Array<'_>>(keys::ANNOTS) else { return Vec::new() };
    let transform = Affine::new(page.initial_transform(true).as_coeffs());
    annotations.iter::<Dict<'_>>().take(most).filter_map(|field| value(&field, transform)).flatten().collect()
}

fn value(field: &Dict<'_>, transform: Affine) -> Option<Vec<Glyph>> {
    let name = |key: &[u8]| field.get::<Name<'_>>(key).map(|name| name.as_str().to_owned());
    if name(keys::SUBTYPE)? != "Widget" || field.get::<i32>(keys::F).unwrap_or(0) & HIDDEN != 0 {
        return None;
    }
    let [x0, y0, x1, y1] = field.get::<[f64; 4]>(keys::RECT)?;
    let (from, to) = (Point::new(x0.min(x1), y0.min(y1)), Point::new(x0.max(x1), y0.max(y1)));
    let kind = inherited(field, b"FT", |dict, key| dict.get::<Name<'_>>(key).map(|name| name.as_str().to_owned()))?;
    let flags = inherited(field, b"Ff", |dict, key| dict.get::<i32>(key)).unwrap_or(0);
    let text = match kind.as_str() {
        "Tx" | "Ch" => inherited(field, b"V", |dict, key| words(&dict.get::<Object<'_>>(key)?))?,
        "Btn" if flags & PUSH_BUTTON == 0 => {
            let is_on = name(b"AS").is_some_and(|state| state != "Off");
            (if is_on { "☒" } else { "☐" }).to_owned()
        }
        _ => return None,
    };
    let height = to.y - from.y;
    let is_long = flags & MULTILINE != 0;
    let size = if is_long { 10.0 } else { (height * 0.7).clamp(4.0, 12.0) };
    let first = if is_long { to.y - 1.1 * size } else { from.y + (height - size) / 2.0 + 0.2 * size };
    let lines = text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()).take(MAX_LINES);
    let glyphs = lines.zip(0_i32..).map(|(line, at)| {
        let width = (0.5 * size * line.chars().count() as f64).min((to.x - from.x).max(size));
        let begin = transform * Point::new(from.x + 1.0, first - 1.2 * size * f64::from(at));
        let end = transform * Point::new(from.x + 1.0 + width, first - 1.2 * size * f64::from(at));
        Glyph {
            text: line.to_owned(),
            x: begin.x,
            y: begin.y,
            advance: (end.x - begin.x, end.y - begin.y),
            size,
            bold: false,
            unseen: false,
            is_field: true,
        }
    });
    Some(
        glyphs
            .filter(|glyph| [glyph.x, glyph.y].iter().all(|number| number.is_finite() && number.abs() < 1e6))
            .collect(),
    )
}

/// What a field, or one that it is a part of, says about `key`.
fn inherited<T>(field: &Dict<'_>, key: &[u8], read: impl Fn(&Dict<'_>, &[u8]) -> Option<T>) -> Option<T> {
    let mut dict = field.clone();
    for _ in 0..MAX_PARENTS {
        if let Some(value) = read(&dict, key) {
            return Some(value);
        }
        dict = dict.get::<Dict<'_>>(keys::PARENT)?;
    }
    None
}

fn words(value: &Object<'_>) -> Option<String> {
    let one = |text: &Text<'_>| {
        let bytes = text.as_bytes();
        (bytes.len() <= MAX_VALUE).then(|| super::text_string(bytes))
    };
    let text = match value {
        Object::String(text) => one(text)?,
        Object::Array(array) => {
            let chosen: Vec<String> = array.iter::<Text<'_>>().take(MAX_LINES).filter_map(|text| one(&text)).collect();
            chosen.join(", ")
        }
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

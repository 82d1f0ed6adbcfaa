//! The text operators of page contents: which characters stand where.

use std::{collections::HashMap, sync::Arc};

use hayro_font::{CMapResolverFn, FontCache, FontQuery, FontResolverFn, StandardFont, kurbo::Affine};
use hayro_syntax::{
    content::{TypedIter, ops::TypedInstruction},
    object::{Array, Dict, Name, Object, Stream, dict::keys},
    page::{Page, Resources},
};

use super::{
    font::{self, Loaded},
    forms,
    pictures::Seeing,
    weigh,
};
use crate::{
    error::FileError,
    limits::{Budget, Limits},
    symbols::{SymbolFont, UNKNOWN},
};

/// Forms inside forms inside forms.
const MAX_FORM_DEPTH: usize = 12;
/// Forms shown on one page, each as often as it is.
const MAX_FORMS: usize = 20_000;
/// Saved graphics states of one content stream.
const MAX_STATES: usize = 1_000;
/// Characters of one page; a densely set newspaper page has 40,000.
const MAX_GLYPHS: usize = 400_000;
/// Meanings that are remembered, of all fonts together.
const MAX_MEANINGS: usize = 200_000;

/// A character as it stands on a page: the origin of its baseline in points from the top left of the page, the vector
/// to where the next one begins, and its size in points.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    pub(super) text: String,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) advance: (f64, f64),
    pub(super) size: f64,
    pub(super) bold: bool,
    /// Drawn so that nobody sees it, as the text behind a scanned page.
    pub(super) unseen: bool,
    /// The value of a field of a form.
    pub(super) is_field: bool,
}

/// Reads page after page of one document; fonts are loaded once.
pub(super) struct Reader<'a> {
    limits: &'a Limits,
    budget: &'a Budget,
    fonts: FontCache<'a>,
    resolver: FontResolverFn,
    cmaps: CMapResolverFn,
    /// Fonts by what tells them apart.
    known: HashMap<Vec<u8>, Option<Loaded<'a>>>,
    /// What codes mean, by font.
    meanings: HashMap<(usize, u32), String>,
    /// Room left for the embedded files of fonts.
    font_room: usize,
    /// Characters whose meaning the file does not tell.
    pub(super) unknown: usize,
    pub(super) glyphs: usize,
    /// Streams that unpack to too much were left out, or the rest of a page with too many characters.
    pub(super) left_out: bool,
    forms: usize,
    pub(super) seeing: Seeing<'a>,
    /// Pictures on the page.
    pictures: usize,
    /// Characters that no reader sees and that were left out.
    pub(super) unseen: usize,
    /// Bytes of text of the page.
    text: usize,
}

#[derive(Clone)]
struct State<'a> {
    transform: Affine,
    font: Option<Loaded<'a>>,
    size: f64,
    char_space: f64,
    word_space: f64,
    scale: f64,
    leading: f64,
    rise: f64,
    /// How letters are painted; 3 and 7 leave no trace.
    mode: i64,
    /// From 0, transparent, to 1.
    opacity: f64,
}

struct Run<'a> {
    state: State<'a>,
    saved: Vec<State<'a>>,
    matrix: Affine,
    line: Affine,
    /// Depth of marked content, and from where on it is an artifact (a running head, a page number).
    marked: usize,
    artifact: Option<usize>,
    /// What graphics states say about opacity, by name.
    opacities: HashMap<Vec<u8>, Option<f64>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(limits: &'a Limits, budget: &'a Budget) -> Self {
        Self {
            limits,
            budget,
            fonts: FontCache::new(),
            resolver: Arc::new(|query| match query {
                FontQuery::Standard(font) => Some(font.get_font_data()),
                FontQuery::Fallback(query) => Some(query.pick_standard_font().get_font_data()),
            }),
            cmaps: Arc::new(hayro_cmap::load_embedded),
            known: HashMap::new(),
            meanings: HashMap::new(),
            font_room: limits.expanded_bytes,
            unknown: 0,
            glyphs: 0,
            left_out: false,
            forms: 0,
            seeing: Seeing::default(),
            pictures: 0,
            unseen: 0,
            text: 0,
        }
    }

    /// The characters of a page in the order of its content.
    pub(super) fn page(&mut self, page: &Page<'a>) -> Result<Vec<Glyph>, FileError> {
        self.forms = 0;
        self.seeing.begin(page);
        self.pictures = 0;
        self.text = 0;
        let mut content = Vec::new();
        let mut streams: Vec<Stream<'a>> = page.raw().get::<Stream<'a>>(keys::CONTENTS).into_iter().collect();
        if let Some(array) = page.raw().get::<Array<'a>>(keys::CONTENTS) {
            streams.extend(array.iter::<Stream<'a>>().take(self.limits.entries));
        }
        for stream in streams {
            let room = self.limits.expanded_bytes.saturating_sub(content.len());
            if let Some(decoded) = self.decoded(&stream, room)? {
                content.extend_from_slice(&decoded);
                content.push(b'\n');
            }
        }
        let state = State {
            transform: Affine::new(page.initial_transform(true).as_coeffs()),
            font: None,
            size: 1.0,
            char_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
            mode: 0,
            opacity: 1.0,
        };
        let mut out = Vec::new();
        self.content(&content, page.resources(), state, 0, &mut out)?;
        out.extend(forms::values(page, self.limits.entries));
        self.leave_out_unseen(&mut out);
        let (width, height) = page.render_dimensions();
        let (width, height) = (f64::from(width), f64::from(height));
        // What stands beside the page is not seen.
        out.retain(|glyph| (-2.0..=width + 2.0).contains(&glyph.x) && (-2.0..=height + 2.0).contains(&glyph.y));
        Ok(out)
    }

    /// Text that is not painted is what was recognised in a scanned page, if there is a picture and little else; in
    /// other places it is a trick.
    fn leave_out_unseen(&mut self, out: &mut Vec<Glyph>) {
        let letters =
            |unseen: bool| out.iter().filter(|glyph| glyph.unseen == unseen && !glyph.text.trim().is_empty()).count();
        let unseen = letters(true);
        if unseen > 0 && (self.pictures == 0 || unseen < letters(false)) {
            self.unseen += unseen;
            out.retain(|glyph| !glyph.unseen);
        }
    }

    fn decoded(&mut self, stream: &Stream<'a>, room: usize) -> Result<Option<Vec<u8>>, FileError> {
        if !weigh::fits(stream, room, self.budget)? {
            self.left_out = true;
            return Ok(None);
        }
        Ok(stream.decoded_data().ok().map(std::borrow::Cow::into_owned))
    }

    fn content(
        &mut self,
        data: &[u8],
        resources: &Resources<'a>,
        state: State<'a>,
        depth: usize,
        out: &mut Vec<Glyph>,
    ) -> Result<(), FileError> {
        let mut run = Run {
            state,
            saved: Vec::new(),
            matrix: Affine::IDENTITY,
            line: Affine::IDENTITY,
            marked: 0,
            artifact: None,
            opacities: HashMap::new(),
        };
        let mut operations = TypedIter::new(data);
        let mut count = 0_usize;
        while let Some(operation) = operations.next() {
            count += 1;
            if count.is_multiple_of(256) {
                self.budget.check()?;
            }
            if self.is_full(out) {
                break;
            }
            match operation {
                TypedInstruction::ShowText(text) => self.show(&mut run, text.0.as_bytes(), out)?,
                TypedInstruction::ShowTexts(parts) => self.show_all(&mut run, parts.0, out)?,
                TypedInstruction::NextLineAndShowText(text) => {
                    run.next_line(0.0, -run.state.leading);
                    self.show(&mut run, text.0.as_bytes(), out)?;
                }
                TypedInstruction::ShowTextWithParameters(text) => {
                    run.state.word_space = text.0.as_f64();
                    run.state.char_space = text.1.as_f64();
                    run.next_line(0.0, -run.state.leading);
                    self.show(&mut run, text.2.as_bytes(), out)?;
                }
                TypedInstruction::TextFont(font) => {
                    run.state.size = font.1.as_f64();
                    run.state.font = self.font(resources.get_font(font.0))?;
                }
                TypedInstruction::XObject(object) if depth < MAX_FORM_DEPTH => {
                    let Some(form) = resources.get_x_object(object.0) else { continue };
                    let kind = form.dict().get::<Name<'_>>(keys::SUBTYPE);
                    if kind.is_some_and(|kind| kind.as_str() == "Image") {
                        self.pictures += 1;
                        self.seeing.note(&form, run.state.transform.determinant());
                    }
                    if run.artifact.is_none() {
                        self.form(&form, resources, &run.state, depth, out)?;
                    }
                }
                TypedInstruction::InlineImage(_) => self.pictures += 1,
                TypedInstruction::SetGraphicsState(name) => run.set_opacity(name.0, resources),
                other => run.apply(&other),
            }
        }
        Ok(())
    }

    fn form(
        &mut self,
        form: &Stream<'a>,
        resources: &Resources<'a>,
        state: &State<'a>,
        depth: usize,
        out: &mut Vec<Glyph>,
    ) -> Result<(), FileError> {
        let dict = form.dict();
        if dict.get::<Name<'_>>(keys::SUBTYPE).is_none_or(|name| name.as_str() != "Form") {
            return Ok(());
        }
        self.budget.check()?;
        self.forms += 1;
        if self.forms > MAX_FORMS {
            self.left_out = true;
            return Ok(());
        }
        let Some(data) = self.decoded(form, self.limits.expanded_bytes)? else { return Ok(()) };
        let mut state = state.clone();
        state.transform *= Affine::new(dict.get::<[f64; 6]>(keys::MATRIX).unwrap_or([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]));
        let own = dict.get::<Dict<'a>>(keys::RESOURCES).map(Resources::new);
        self.content(&data, own.as_ref().unwrap_or(resources), state, depth + 1, out)
    }

    fn font(&mut self, dict: Option<Dict<'a>>) -> Result<Option<Loaded<'a>>, FileError> {
        let Some(dict) = dict else { return Ok(self.standard()) };
        if let Some(known) = self.known.get(dict.data()) {
            return Ok(known.clone());
        }
        let mut fits = true;
        for stream in font::streams(&dict) {
            fits &= weigh::fits(&stream, self.font_room, self.budget)?;
            self.font_room = self.font_room.saturating_sub(stream.raw_data().len());
        }
        self.left_out |= !fits;
        let font = fits.then(|| self.fonts.font(&dict, &self.resolver, &self.cmaps)).flatten();
        let name = dict.get::<Name<'_>>(keys::BASE_FONT).map(|name| name.as_str().to_ascii_lowercase());
        let kind = dict.get::<Name<'_>>(keys::SUBTYPE).map(|name| name.as_str().to_owned());
        let symbols = dict.get::<Name<'_>>(keys::BASE_FONT).and_then(|name| SymbolFont::named(name.as_str()));
        let loaded = font.map(|font| Loaded {
            id: self.known.len(),
            font,
            symbols,
            explained: dict.contains_key(keys::TO_UNICODE) || dict.get::<Dict<'a>>(keys::ENCODING).is_some(),
            bold: name
                .is_some_and(|name| ["bold", "black", "heavy", "semibold", "-demi"].iter().any(|w| name.contains(w))),
            simple: kind.as_deref() != Some("Type0"),
        });
        self.known.insert(dict.data().to_vec(), loaded.clone());
        Ok(loaded)
    }

    /// A page that names no font it has is shown in Helvetica by all programs.
    fn standard(&mut self) -> Option<Loaded<'a>> {
        let font = self.fonts.standard_font(StandardFont::Helvetica, &self.resolver)?;
        Some(Loaded { id: usize::MAX, font, bold: false, simple: true, symbols: None, explained: false })
    }

    /// No more characters are read from the page: its text is twice what is handed out of a whole file.
    fn is_full(&mut self, out: &[Glyph]) -> bool {
        let full = out.len() > MAX_GLYPHS || self.text > self.limits.text_bytes.saturating_mul(2);
        self.left_out |= full;
        full
    }

    fn show_all(&mut self, run: &mut Run<'a>, parts: &Array<'_>, out: &mut Vec<Glyph>) -> Result<(), FileError> {
        for part in parts.iter::<Object<'_>>() {
            match part {
                Object::Number(number) => {
                    let shift = -number.as_f64() / 1_000.0 * run.state.size;
                    run.advance(shift * run.state.scale);
                }
                Object::String(text) => self.show(run, text.as_bytes(), out)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn show(&mut self, run: &mut Run<'a>, bytes: &[u8], out: &mut Vec<Glyph>) -> Result<(), FileError> {
        let Some(loaded) = run.state.font.clone().or_else(|| self.standard()) else { return Ok(()) };
        let mut at = 0;
        for count in 1_usize.. {
            if count.is_multiple_of(1_024) {
                self.budget.check()?;
            }
            if at >= bytes.len() || self.is_full(out) {
                break;
            }
            let (code, length) = loaded.font.read_code(bytes, at);
            at += length.max(1);
            let state = &run.state;
            let width = loaded.font.code_advance(code).x / 1_000.0 * state.size;
            let word = if code == 32 && length == 1 { state.word_space } else { 0.0 };
            let advance = (width + state.char_space + word) * state.scale;
            if run.artifact.is_none() {
                let place = state.transform * run.matrix * Affine::translate((0.0, state.rise));
                let unseen = matches!(state.mode, 3 | 7) || state.opacity < 0.01;
                self.place(&loaded, code, place, (width * state.scale, state.size, unseen), out);
            }
            run.advance(advance);
        }
        Ok(())
    }

    fn place(
        &mut self,
        loaded: &Loaded<'a>,
        code: u32,
        place: Affine,
        (width, size, unseen): (f64, f64, bool),
        out: &mut Vec<Glyph>,
    ) {
        self.glyphs += 1;
        if self.meanings.len() >= MAX_MEANINGS {
            self.meanings.clear();
        }
        let text = self.meanings.entry((loaded.id, code)).or_insert_with(|| font::meaning(loaded, code)).clone();
        self.unknown += usize::from(text.contains(UNKNOWN));
        let [a, b, c, d, x, y] = place.as_coeffs();
        let glyph = Glyph {
            text,
            x,
            y,
            advance: (a * width, b * width),
            size: size.abs() * (c * c + d * d).sqrt(),
            bold: loaded.bold,
            unseen,
            is_field: false,
        };
        let numbers = [glyph.x, glyph.y, glyph.advance.0, glyph.advance.1, glyph.size];
        if numbers.iter().all(|number| number.is_finite() && number.abs() < 1e6) && glyph.size > 0.1 {
            self.text += glyph.text.len();
            out.push(glyph);
        }
    }
}

impl<'a> Run<'a> {
    fn apply(&mut self, operation: &TypedInstruction<'_, '_>) {
        match operation {
            TypedInstruction::SaveState(_) if self.saved.len() < MAX_STATES => self.saved.push(self.state.clone()),
            TypedInstruction::RestoreState(_) => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            TypedInstruction::Transform(m) => {
                let numbers = [&m.0, &m.1, &m.2, &m.3, &m.4, &m.5].map(|number| number.as_f64());
                self.state.transform *= Affine::new(numbers);
            }
            TypedInstruction::BeginText(_) => {
                self.matrix = Affine::IDENTITY;
                self.line = Affine::IDENTITY;
            }
            TypedInstruction::SetTextMatrix(m) => {
                self.line = Affine::new([&m.0, &m.1, &m.2, &m.3, &m.4, &m.5].map(|number| number.as_f64()));
                self.matrix = self.line;
            }
            TypedInstruction::NextLine(to) => self.next_line(to.0.as_f64(), to.1.as_f64()),
            TypedInstruction::NextLineUsingLeading(_) => self.next_line(0.0, -self.state.leading),
            TypedInstruction::NextLineAndSetLeading(to) => {
                self.state.leading = -to.1.as_f64();
                self.next_line(to.0.as_f64(), to.1.as_f64());
            }
            TypedInstruction::CharacterSpacing(space) => self.state.char_space = space.0.as_f64(),
            TypedInstruction::WordSpacing(space) => self.state.word_space = space.0.as_f64(),
            TypedInstruction::HorizontalScaling(scale) => self.state.scale = scale.0.as_f64() / 100.0,
            TypedInstruction::TextLeading(leading) => self.state.leading = leading.0.as_f64(),
            TypedInstruction::TextRise(rise) => self.state.rise = rise.0.as_f64(),
            TypedInstruction::TextRenderingMode(mode) => self.state.mode = mode.0.as_i64(),
            TypedInstruction::BeginMarkedContent(tag) => self.begin(tag.0),
            TypedInstruction::BeginMarkedContentWithProperties(tag) => self.begin(tag.0),
            TypedInstruction::EndMarkedContent(_) => {
                self.marked = self.marked.saturating_sub(1);
                self.artifact = self.artifact.filter(|from| *from < self.marked);
            }
            _ => {}
        }
    }

    fn set_opacity(&mut self, name: &Name<'_>, resources: &Resources<'_>) {
        if self.opacities.len() > MAX_STATES {
            self.opacities.clear();
        }
        let read = || resources.get_ext_g_state(name)?.get::<f64>(b"ca".as_slice());
        let opacity = *self.opacities.entry(name.as_str().as_bytes().to_vec()).or_insert_with(read);
        self.state.opacity = opacity.unwrap_or(self.state.opacity);
    }

    fn begin(&mut self, tag: &Name<'_>) {
        if tag.as_str() == "Artifact" {
            self.artifact = self.artifact.or(Some(self.marked));
        }
        self.marked += 1;
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.line *= Affine::translate((x, y));
        self.matrix = self.line;
    }

    fn advance(&mut self, by: f64) {
        self.matrix *= Affine::translate((by, 0.0));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hayro_syntax::Pdf;

    use super::*;

    const PAGE: &[u8] = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages \
        /Kids [3 0 R] /Count 1 >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>\nendobj\n\
        trailer\n<< /Size 4 /Root 1 0 R >>\n%%EOF\n";

    #[test]
    fn one_operation_with_very_much_text_ends_with_the_time() {
        let pdf = Pdf::new(Arc::new(PAGE.to_vec())).expect("a page");
        let page = &pdf.pages()[0];
        let limits = Limits { time: Duration::ZERO, ..Limits::default() };
        let budget = Budget::start(&limits, Arc::default());
        let mut reader = Reader::new(&limits, &budget);
        let state = State {
            transform: Affine::IDENTITY,
            font: None,
            size: 1.0,
            char_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
            mode: 0,
            opacity: 1.0,
        };
        let content = format!("({}) Tj", "x".repeat(5_000));
        let read = reader.content(content.as_bytes(), page.resources(), state, 0, &mut Vec::new());
        assert!(matches!(read, Err(FileError::TimedOut { .. })), "{read:?}");
    }
}

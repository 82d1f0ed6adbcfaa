//! The letters on the ground, and the PNG.

use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use tiny_skia::{PathBuilder, Rect, Transform};

use crate::{
    CardError, CardField, HEIGHT, WIDTH,
    canvas::Canvas,
    font::{Fonts, Typeface},
    layout::{self, Frame},
    palette::{Palette, Rgb},
};

const MARGIN: f32 = 84.0;
const TITLE: Frame = Frame {
    width: WIDTH as f32 - 2.0 * MARGIN,
    height: 356.0,
    sizes: &[100.0, 92.0, 84.0, 76.0, 70.0, 64.0, 58.0, 54.0, 50.0, 46.0, 42.0, 39.0, 36.0, 33.0, 30.0, 28.0],
    break_words_from: 58.0,
};
const BAR_WIDTH: f32 = 88.0;
const BAR_HEIGHT: f32 = 10.0;
/// From the bar to the top of the capitals.
const BAR_GAP: f32 = 44.0;
const SUBTITLE_SIZE: f32 = 31.0;
const SUBTITLE_BASELINE: f32 = HEIGHT as f32 - 66.0;
/// The mark before the subtitle and the room it takes.
const MARK: f32 = 14.0;
const MARK_ROOM: f32 = 32.0;

/// Draws bar, title and subtitle; returns the fields that did not fit whole.
pub(crate) fn text(
    canvas: &mut Canvas,
    fonts: &Fonts,
    palette: &Palette,
    title: Option<&str>,
    subtitle: Option<&str>,
) -> Result<Vec<CardField>, CardError> {
    let mut shortened = Vec::new();
    if let Some(title) = title {
        let block = layout::fit(title, &fonts.title, TITLE)?;
        let capital = fonts.title.cap_height() * block.size;
        let height = BAR_HEIGHT + BAR_GAP + block.ink_height(fonts.title.cap_height());
        // Centred in what the subtitle leaves; a little high looks centred.
        let room = if subtitle.is_some() { SUBTITLE_BASELINE - 60.0 } else { HEIGHT as f32 };
        let top = ((room - height) * 0.5).max(64.0).round();
        bar(canvas, palette.accent, MARGIN, top, BAR_WIDTH, BAR_HEIGHT);
        let first = top + BAR_HEIGHT + BAR_GAP + capital;
        for (index, line) in block.lines.iter().enumerate() {
            let baseline = (first + index as f32 * block.line_height).round();
            draw_line(canvas, &fonts.title, line, block.size, (MARGIN, baseline), palette.title)?;
        }
        if block.shortened {
            shortened.push(CardField::Title);
        }
    }
    if title.is_none() {
        wordless(canvas, palette);
    }
    if let Some(subtitle) = subtitle {
        let (line, cut) = layout::fit_line(subtitle, &fonts.subtitle, SUBTITLE_SIZE, TITLE.width - MARK_ROOM)?;
        let capital = fonts.subtitle.cap_height() * SUBTITLE_SIZE;
        bar(canvas, palette.accent, MARGIN, SUBTITLE_BASELINE - (capital + MARK) / 2.0, MARK, MARK);
        let origin = (MARGIN + MARK_ROOM, SUBTITLE_BASELINE);
        draw_line(canvas, &fonts.subtitle, &line, SUBTITLE_SIZE, origin, palette.subtitle)?;
        if cut {
            shortened.push(CardField::Subtitle);
        }
    }
    Ok(shortened)
}

/// Bar and mark, larger and in the middle: a card that is meant to have no words, and not one that has lost them.
fn wordless(canvas: &mut Canvas, palette: &Palette) {
    let (width, height, mark) = (BAR_WIDTH * 3.0, BAR_HEIGHT * 2.0, MARK * 3.0);
    let (left, middle) = ((WIDTH as f32 - width) / 2.0, HEIGHT as f32 / 2.0);
    bar(canvas, palette.accent, left, middle - BAR_GAP / 2.0 - height, width, height);
    bar(canvas, palette.accent, left + (width - mark) / 2.0, middle + BAR_GAP / 2.0, mark, mark);
}

fn bar(canvas: &mut Canvas, ink: Rgb, x: f32, y: f32, width: f32, height: f32) {
    if let Some(rect) = Rect::from_xywh(x, y.round(), width, height) {
        canvas.fill(&PathBuilder::from_rect(rect), ink);
    }
}

/// Draws one line with its left edge and baseline at `origin`.
fn draw_line(
    canvas: &mut Canvas,
    face: &Typeface,
    line: &str,
    size: f32,
    origin: (f32, f32),
    ink: Rgb,
) -> Result<(), CardError> {
    let glyphs = face.shape(line)?;
    let outlines = face.outlines(glyphs.iter().map(|g| g.id));
    let scale = size / face.units_per_em();
    let mut whole = PathBuilder::new();
    let mut pen = 0i32;
    for glyph in &glyphs {
        let (x, y) = (pen.saturating_add(glyph.dx) as f32, glyph.dy as f32);
        // Font units run upwards, the canvas runs downwards.
        let place = Transform::from_row(scale, 0.0, 0.0, -scale, origin.0 + x * scale, origin.1 - y * scale);
        if let Some(path) = outlines.get(&glyph.id).and_then(|path| path.clone().transform(place)) {
            whole.push_path(&path);
        }
        pen = pen.saturating_add(glyph.advance);
    }
    if let Some(path) = whole.finish() {
        canvas.fill(&path, ink);
    }
    Ok(())
}

pub(crate) fn encode(canvas: &Canvas) -> Result<Vec<u8>, CardError> {
    let mut png = Vec::new();
    let mut encoder = Encoder::new(&mut png, WIDTH, HEIGHT);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    // Most rows differ from the one above at edges only, so there is nothing left that more searching would find.
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Up);
    let failed = |_| CardError::Internal("the picture cannot be encoded");
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(canvas.rgb()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(png)
}

//! The colour schemes: a dark ground, light letters, one accent.

/// sRGB, 0..=255 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb(pub u8, pub u8, pub u8);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Palette {
    /// The ground is a gradient from the first (left, where the text begins) to the second.
    pub ground: [Rgb; 2],
    /// The pattern is drawn in this, mostly transparent.
    pub pattern: Rgb,
    /// The bar above the title and the mark before the subtitle.
    pub accent: Rgb,
    pub title: Rgb,
    pub subtitle: Rgb,
}

const fn palette(ground: [u32; 2], pattern: u32, accent: u32, title: u32, subtitle: u32) -> Palette {
    const fn rgb(hex: u32) -> Rgb {
        let [_, r, g, b] = hex.to_be_bytes();
        Rgb(r, g, b)
    }
    Palette {
        ground: [rgb(ground[0]), rgb(ground[1])],
        pattern: rgb(pattern),
        accent: rgb(accent),
        title: rgb(title),
        subtitle: rgb(subtitle),
    }
}

pub(crate) static PALETTES: [Palette; 10] = [
    palette([0x0b1b33, 0x113458], 0x4f9ddb, 0xffb454, 0xffffff, 0xc6d8ec), // night blue, amber
    palette([0x0d2620, 0x123f32], 0x52c39a, 0xf4d35e, 0xfdfffc, 0xc4e3d6), // forest, straw
    palette([0x27112f, 0x4b1d52], 0xc77dd6, 0xff9e7a, 0xffffff, 0xe6cfea), // plum, peach
    palette([0x1c1f24, 0x343a43], 0x9aa7b8, 0xf25f5c, 0xffffff, 0xd0d6de), // graphite, coral
    palette([0x06282d, 0x094047], 0x4fc3c7, 0xff9f6b, 0xfafffe, 0xbfe3e4), // petrol, apricot
    palette([0x2f0f17, 0x5a1a28], 0xe37a8c, 0xf7c59f, 0xffffff, 0xf0cdd3), // burgundy, sand
    palette([0x17153b, 0x2d2a72], 0x8c88ef, 0x5eead4, 0xffffff, 0xd0cff5), // indigo, mint
    palette([0x241710, 0x4a2e1d], 0xcf9363, 0xf2b872, 0xfffaf3, 0xe8d3c0), // espresso, caramel
    palette([0x1d2412, 0x33421c], 0xa3bf62, 0xf5e960, 0xfefff8, 0xdbe5c3), // olive, lemon
    palette([0x10202b, 0x203e4e], 0x7fb2cc, 0xf08aa8, 0xffffff, 0xc9dde8), // slate, rose
];

impl Palette {
    pub fn pick(seed: u64) -> &'static Self {
        &PALETTES[(seed % PALETTES.len() as u64) as usize]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn luminance(Rgb(r, g, b): Rgb) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    /// The contrast ratio of WCAG 2.
    pub(crate) fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn the_contrast_formula_is_the_one_of_wcag() {
        assert!((contrast(Rgb(0, 0, 0), Rgb(255, 255, 255)) - 21.0).abs() < 1e-9);
        assert!((contrast(Rgb(0x76, 0x76, 0x76), Rgb(255, 255, 255)) - 4.54).abs() < 0.01);
    }

    #[test]
    fn every_seed_has_a_palette() {
        assert_eq!(Palette::pick(0), &PALETTES[0]);
        assert_eq!(Palette::pick(u64::MAX), &PALETTES[(u64::MAX % 10) as usize]);
    }
}

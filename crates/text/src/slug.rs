//! Names for addresses: `What's new in Zürich?` is `whats-new-in-zurich`.

/// The longest slug, in characters (all ASCII).
pub const LIMIT: usize = 80;
/// The slug of a title without a letter or digit.
pub const FALLBACK: &str = "article";

/// A slug of ASCII lower case letters, digits and single hyphens: 1 to [`LIMIT`] characters, cut at a word.
///
/// Other scripts are transliterated. A title without letters and digits is [`FALLBACK`].
pub fn slugify(title: &str) -> String {
    let mut slug = String::new();
    let mut gap = false;
    for c in title.chars() {
        // One more than the limit is needed to see whether the last word is whole.
        if slug.len() > LIMIT {
            break;
        }
        if is_silent(c) {
            continue;
        }
        let ascii = if c.is_alphanumeric() { deunicode::deunicode_char(c).unwrap_or("") } else { " " };
        for b in ascii.bytes() {
            if b.is_ascii_alphanumeric() {
                if gap && !slug.is_empty() {
                    slug.push('-');
                }
                gap = false;
                slug.push(char::from(b.to_ascii_lowercase()));
            } else {
                // Transliterated soft signs (`'`) are no gap between words.
                gap |= b == b' ';
            }
        }
    }
    cut(&slug, LIMIT)
}

/// The `n`-th slug of the same base: `base` for 0 and 1, then `base-2`, `base-3`, within [`LIMIT`].
pub fn numbered(base: &str, n: u32) -> String {
    let base = slugify(base);
    if n < 2 {
        return base;
    }
    let suffix = format!("-{n}");
    cut(&base, LIMIT - suffix.len()) + &suffix
}

/// Shortens an ASCII slug to `limit`, at a hyphen where it has one.
fn cut(slug: &str, limit: usize) -> String {
    let Some(head) = slug.get(..limit).filter(|_| slug.len() > limit) else {
        return if slug.is_empty() { FALLBACK.to_owned() } else { slug.to_owned() };
    };
    let whole_word = slug[limit..].starts_with('-');
    let end = if whole_word { limit } else { head.rfind('-').unwrap_or(limit) };
    head[..end].trim_end_matches('-').to_owned()
}

/// Apostrophes, accents standing alone and invisible joiners belong to the word around them.
fn is_silent(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʼ' | 'ʹ' | '`' | '´' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{64b}'..='\u{65f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_ascii() {
        for (title, slug) in [
            ("Hello, World!", "hello-world"),
            ("What’s new in Zürich?", "whats-new-in-zurich"),
            ("Straße & Æsop: 10% off", "strasse-aesop-10-off"),
            ("Crème brûlée — à la carte", "creme-brulee-a-la-carte"),
            ("cafe\u{301}", "cafe"),
            ("Привет, мир", "privet-mir"),
            ("Большой театр", "bolshoi-teatr"),
            ("Київ і Львів", "kiyiv-i-lviv"),
            ("Ελληνική γλώσσα", "ellenike-glossa"),
            ("北京 2026", "bei-jing-2026"),
            ("  --a__b..c/d  ", "a-b-c-d"),
            ("İstanbul'da", "istanbulda"),
            ("C++ and C#", "c-and-c"),
        ] {
            assert_eq!(slugify(title), slug, "{title}");
        }
    }

    #[test]
    fn nothing_to_name_is_an_article() {
        for title in ["", "???", "👩‍👩‍👧", "\u{301}", "\u{0}\u{7}", "'"] {
            assert_eq!(slugify(title), FALLBACK, "{title:?}");
        }
    }

    #[test]
    fn long_titles_are_cut_at_a_word() {
        let at_limit = format!("{} {}", "a".repeat(39), "b".repeat(40));
        assert_eq!(slugify(&at_limit).len(), 80);
        assert_eq!(slugify(&format!("{at_limit} c")).len(), 80);
        assert_eq!(slugify(&format!("{at_limit}b")), "a".repeat(39));
        assert_eq!(slugify(&"x".repeat(1_000_000)), "x".repeat(80));
    }

    #[test]
    fn numbers_keep_the_limit() {
        assert_eq!(numbered("card", 0), "card");
        assert_eq!(numbered("card", 1), "card");
        assert_eq!(numbered("card", 2), "card-2");
        assert_eq!(numbered("", 3), "article-3");
        let long = numbered(&"x".repeat(80), u32::MAX);
        assert_eq!((long.len(), long.ends_with("-4294967295")), (80, true));
        assert_eq!(numbered(&format!("{}-{}", "a".repeat(70), "b".repeat(9)), 2), format!("{}-2", "a".repeat(70)));
    }
}

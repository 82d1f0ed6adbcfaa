//! Characters that only look different, as the plain ones: ligatures, full-width letters, the forms of Arabic letters
//! beside others. What says something else when it is plain (`²`, `½`, `①`, `™`) stays.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(|c| is_form(c) || is_unit(c) || is_wide(c) || is_wide_sign(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_unit(c) {
            out.extend(std::iter::once(c).nfkc().map(power));
        } else if is_form(c) {
            // Marks of half-width Japanese letters stand behind them.
            let mut form = String::from(c);
            while let Some(next) = chars.next_if(|next| is_half_wide(c) && is_half_wide(*next)) {
                form.push(next);
            }
            out.extend(form.nfkc());
        } else if is_wide(c) || (is_wide_sign(c) && is_in_number(c, &out, chars.peek().copied())) {
            out.extend(char::from_u32(u32::from(c) - 0xfee0));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Ligatures, letters of formulas, the forms of Arabic and of half-width Japanese.
fn is_form(c: char) -> bool {
    matches!(c, '\u{fb00}'..='\u{fb06}' | '\u{fb13}'..='\u{fb17}' | '\u{fb1d}'..='\u{fb4f}' | '\u{fb50}'..='\u{fd3d}' | '\u{fd50}'..='\u{fdfc}'
        | '\u{fe70}'..='\u{fefc}' | '\u{1d400}'..='\u{1d7ff}' | '\u{2103}' | '\u{2109}')
        || is_half_wide(c)
}

fn is_half_wide(c: char) -> bool {
    matches!(c, '\u{ff66}'..='\u{ff9f}')
}

/// Units as one character: `㎡`, `㎏`.
fn is_unit(c: char) -> bool {
    matches!(c, '\u{3371}'..='\u{3376}' | '\u{3380}'..='\u{33df}')
}

fn power(c: char) -> char {
    match c {
        '2' => '²',
        '3' => '³',
        c => c,
    }
}

/// Letters and digits as wide as an ideograph.
fn is_wide(c: char) -> bool {
    matches!(c, '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ')
}

fn is_wide_sign(c: char) -> bool {
    matches!(c, '％' | '＋' | '－' | '．' | '，' | '／' | '：' | '＝' | '＄' | '～')
}

/// Such signs belong to a number; elsewhere they are punctuation of Chinese and Japanese.
fn is_in_number(c: char, out: &str, next: Option<char>) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || is_wide(c);
    out.ends_with(|c: char| c.is_ascii_digit()) && (c == '％' || next.is_some_and(is_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_different_is_plain_and_the_rest_stays() {
        for (given, wanted) in [
            ("ﬁnal oﬃce ﬂow", "final office flow"),
            ("ＡＢＣ１２，３４５．６", "ABC12,345.6"),
            ("価格は１２０円，今日。", "価格は120円，今日。"),
            ("増加率５％です", "増加率5%です"),
            ("ｶﾞｽ", "ガス"),
            ("２０㎡、５㎏、２０℃", "20m²、5kg、20°C"),
            ("𝑥 + 𝟐", "x + 2"),
            ("ﻣﺤﻤﺎ", "محما"),
            ("10⁶ ½ ① ™ Ⅳ", "10⁶ ½ ① ™ Ⅳ"),
        ] {
            assert_eq!(plain(given), wanted, "{given}");
        }
    }
}

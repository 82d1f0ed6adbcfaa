//! Syllables of English words, by rules: good enough for averages over a text, not for verse.

/// How many syllables an English word has, at least 1.
///
/// Parts joined by hyphens are counted each. What has no Latin letter counts as one; an abbreviation in capitals
/// without a vowel (`HTML`) is spelled out.
pub fn syllables_en(word: &str) -> u32 {
    let sum = word.split(['-', '\u{2010}', '\u{2011}']).filter(|part| !part.is_empty()).map(of_part).sum::<u32>();
    sum.max(1)
}

fn of_part(part: &str) -> u32 {
    let letters: Vec<u8> = part.bytes().filter(u8::is_ascii_alphabetic).map(|b| b.to_ascii_lowercase()).collect();
    let spelled_out = part.len() <= 5 && part.bytes().all(|b| b.is_ascii_uppercase());
    if spelled_out && !letters.iter().any(|b| is_vowel(*b)) {
        return part.bytes().map(|b| if b == b'W' { 3 } else { 1 }).sum();
    }
    let base = part.split(['\'', '’']).next().unwrap_or(part);
    let letters = if base.len() < part.len() && base.len() > 1 {
        letters[..letters.len().min(base.bytes().filter(u8::is_ascii_alphabetic).count())].to_vec()
    } else {
        letters
    };
    let extra = u32::from(is_contracted_not(part));
    by_rules(&letters) + extra
}

/// `didn't` has one more than `did`; `can't` and `don't` have not.
fn is_contracted_not(part: &str) -> bool {
    let lower = part.to_ascii_lowercase().replace('’', "'");
    matches!(
        lower.as_str(),
        "didn't"
            | "doesn't"
            | "isn't"
            | "wasn't"
            | "hasn't"
            | "hadn't"
            | "couldn't"
            | "wouldn't"
            | "shouldn't"
            | "mustn't"
            | "needn't"
    )
}

fn by_rules(word: &[u8]) -> u32 {
    if let Some(n) = irregular(word) {
        return n;
    }
    let mut count = 0_u32;
    let mut after_vowel = false;
    for (i, b) in word.iter().enumerate() {
        // A y before a vowel at the start is a consonant: `yes`, `year`.
        let vowel = is_vowel(*b) && !(*b == b'y' && i == 0);
        count += u32::from(vowel && !after_vowel);
        after_vowel = vowel;
    }
    count += hiatuses(word);
    count.saturating_sub(silent_endings(word)).max(1)
}

fn is_vowel(b: u8) -> bool {
    matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// Neighbouring vowels that are spoken apart: `cre-ate`, `vide-o`, `sci-ence`.
fn hiatuses(word: &[u8]) -> u32 {
    let mut extra = 0;
    for (i, pair) in word.windows(2).enumerate() {
        let before = i.checked_sub(1).map(|j| word[j]);
        let soft = matches!(before, Some(b'c' | b't' | b's' | b'g' | b'x'));
        let apart = match pair {
            b"ia" | b"io" => !soft || (pair == b"ia" && word[i + 2..].starts_with(b"t")),
            b"eo" => !matches!(before, Some(b'p' | b'g')),
            b"ie" => word[i + 2..].starts_with(b"t") || word[i + 2..] == *b"nce",
            b"iu" => true,
            b"ua" => !matches!(before, Some(b'q' | b'g')),
            b"ea" => word[i + 2..] == *b"te" || word[i + 2..] == *b"ted" || word[i + 2..] == *b"ting",
            b"uo" => before != Some(b'q'),
            b"yi" | b"oi" if word[i + 2..] == *b"ng" => true,
            b"ei" | b"ui" if word[i + 2..] == *b"ng" => true,
            _ => false,
        };
        extra += u32::from(apart);
    }
    extra
}

/// Endings that are written with a vowel and spoken without: `-e`, `-es`, `-ed`, and `-ely`, `-eful` within.
fn silent_endings(word: &[u8]) -> u32 {
    let len = word.len();
    let consonant = |from_end: usize| len >= from_end && !is_vowel(word[len - from_end]);
    let mut silent = 0;
    if word.ends_with(b"e") && consonant(2) {
        // `ta-ble`: the l carries the syllable.
        silent += u32::from(!(word.ends_with(b"le") && consonant(3)));
    } else if word.ends_with(b"es") && consonant(3) {
        let hissing =
            matches!(word[len - 3], b's' | b'x' | b'z' | b'c' | b'g') || ends_with_any(word, &[b"ches", b"shes"]);
        let les = word.ends_with(b"les") && consonant(4);
        silent += u32::from(!hissing && !les);
    } else if word.ends_with(b"ed") && consonant(3) {
        let led = word.ends_with(b"led") && consonant(4) && !matches!(word[len - 4], b'l' | b'r');
        silent += u32::from(!matches!(word[len - 3], b't' | b'd') && !led);
    }
    for ending in [b"ely".as_slice(), b"eful", b"eless", b"ement", b"eness", b"ements"] {
        if let Some(stem) = word.strip_suffix(ending) {
            silent += u32::from(stem.len() > 1 && !is_vowel(stem[stem.len() - 1]) && stem.iter().any(|b| is_vowel(*b)));
        }
    }
    silent
}

fn ends_with_any(word: &[u8], endings: &[&[u8]]) -> bool {
    endings.iter().any(|e| word.ends_with(e))
}

/// Frequent words that the rules get wrong.
fn irregular(word: &[u8]) -> Option<u32> {
    Some(match word {
        b"the" | b"he" | b"she" | b"we" | b"me" | b"be" | b"eye" | b"eyes" => 1,
        b"people" | b"peoples" | b"being" | b"doing" | b"going" | b"seeing" | b"every" | b"business" => 2,
        b"science" | b"quiet" | b"diet" | b"poem" | b"lion" | b"trial" | b"dual" => 2,
        b"something" | b"sometimes" | b"someone" | b"somewhere" | b"somewhat" | b"therefore" | b"whereas" => 2,
        b"area" | b"idea" | b"areas" | b"ideas" | b"easier" | b"several" | b"really" => 3,
        b"everyone" | b"everything" | b"anyone" | b"recipe" | b"recipes" | b"simile" => 3,
        _ => return None,
    })
}

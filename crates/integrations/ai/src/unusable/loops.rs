//! Models that got stuck: the same letters, words or groups of words again and again.

use galley_text::word;

/// A group of at most so many words is looked for as the repeated unit.
const LONGEST_UNIT: usize = 12;
/// In prose, one word stands at most so often in a row, and a group of words less often than that.
const MOST_WORDS: usize = 3;
const MOST_GROUPS: usize = 2;
/// So many words stand in the same order only once in a line.
const GROUP: usize = 3;
/// A text of so many words or more is judged by how many of its groups of three are new.
const LONG: usize = 60;
const LEAST_NEW_PERCENT: usize = 50;

/// Whether prose repeats itself as no person does.
pub(super) fn is_looping(text: &str) -> bool {
    let words = words_of(text);
    words.iter().any(|word| is_stuttered(word)) || repeats(&words, MOST_WORDS, MOST_GROUPS) || says_little(&words)
}

/// The same for a title or a heading, where less is too much.
pub(super) fn is_looping_line(line: &str) -> bool {
    let words = words_of(line);
    // `Green Tea Leaves (Green Tea Leaves)`; `Bora Bora` and `New York, New York` are names
    let groups: Vec<&[String]> = words.windows(GROUP).collect();
    let twice = groups.iter().enumerate().any(|(at, group)| groups.iter().skip(at + GROUP).any(|other| other == group));
    twice || words.iter().any(|word| is_stuttered(word)) || repeats(&words, 2, 2)
}

fn words_of(text: &str) -> Vec<String> {
    word::iter(text).map(str::to_lowercase).collect()
}

/// `lalalala`, `teeeeeea`: letters that no word has.
fn is_stuttered(word: &str) -> bool {
    if word.contains("://") || word.starts_with("www") || word.chars().any(char::is_numeric) {
        return false;
    }
    let letters: Vec<char> = word.chars().collect();
    (1..=6).any(|unit| {
        let most = match unit {
            1 => 4,
            // `hahaha`
            2 => 3,
            _ => 2,
        };
        run(&letters, unit) > most
    })
}

/// How often a unit of `size` stands in a row, at most.
fn run<T: PartialEq>(items: &[T], size: usize) -> usize {
    let (mut longest, mut same) = (0, 0);
    for at in size..items.len() {
        same = if items[at] == items[at - size] { same + 1 } else { 0 };
        longest = longest.max(same);
    }
    if items.len() < size { 0 } else { longest / size + 1 }
}

fn repeats(words: &[String], most_words: usize, most_groups: usize) -> bool {
    // numbers in a row are data
    let data = |w: &String| w.chars().all(|c| c.is_numeric() || matches!(c, '.' | ',' | '%'));
    let words: Vec<&String> = words.iter().filter(|w| !data(w)).collect();
    (1..=LONGEST_UNIT).any(|size| run(&words, size) > if size == 1 { most_words } else { most_groups })
}

fn says_little(words: &[String]) -> bool {
    if words.len() < LONG {
        return false;
    }
    let groups: std::collections::HashSet<&[String]> = words.windows(3).collect();
    groups.len() * 100 < (words.len() - 2) * LEAST_NEW_PERCENT
}

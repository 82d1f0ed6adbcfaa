//! What differs between two texts, line by line.

/// Longer texts are compared as one piece: the table has a cell for each pair of lines.
const MOST_LINES: usize = 4_000;

/// All lines, those that went with `- ` in front, those that came with `+ `; nothing where both are the same.
pub fn diff(before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let common = if old.len().max(new.len()) > MOST_LINES { Vec::new() } else { common(&old, &new) };
    let mut text = String::new();
    let (mut at_old, mut at_new) = (0, 0);
    for (until_old, until_new) in common.into_iter().chain([(old.len(), new.len())]) {
        old[at_old..until_old].iter().for_each(|line| text += &format!("- {line}\n"));
        new[at_new..until_new].iter().for_each(|line| text += &format!("+ {line}\n"));
        if let Some(line) = old.get(until_old) {
            text += &format!("  {line}\n");
        }
        (at_old, at_new) = (until_old + 1, until_new + 1);
    }
    text
}

/// The places of a longest common subsequence.
fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            longest[i * width + j] = if a == b {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut places, mut i, mut j) = (Vec::new(), 0, 0);
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            places.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_went_and_came_are_marked() {
        assert_eq!(diff("a\nb\n", "a\nb\n"), "");
        assert_eq!(diff("a\nb\nc\n", "a\nx\nc\nd\n"), "  a\n- b\n+ x\n  c\n+ d\n");
        assert_eq!(diff("", "a\n"), "+ a\n");
        assert_eq!(diff("a\n", ""), "- a\n");
    }
}

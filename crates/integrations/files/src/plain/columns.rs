//! Two columns that were set with spaces: the left one is read before the right one.

/// Lines with text on both sides that two columns have at least.
const LEAST_LINES: usize = 5;
/// Of the lines that reach the second column, so many have their gap there, in percent.
const LEAST_SHARE: usize = 85;
/// Spaces between the columns.
const GAP: usize = 2;
/// Shorter lines on the left, in characters on average, are labels of a table.
const LEAST_LEFT: usize = 22;
const MAX_LINES: usize = 20_000;

/// The text column by column, page by page; `None` where no page has two columns.
pub(super) fn in_order(text: &str) -> Option<String> {
    if !text.contains("   ") || text.lines().count() > MAX_LINES {
        return None;
    }
    let mut found = false;
    let pages = text.split('\u{c}').map(|page| match unfolded(page) {
        Some(page) => {
            found = true;
            page
        }
        None => page.to_owned(),
    });
    let text = pages.collect::<Vec<_>>().join("\u{c}");
    found.then_some(text)
}

fn unfolded(page: &str) -> Option<String> {
    let lines: Vec<Vec<char>> = page.lines().map(|line| line.trim_end().chars().collect()).collect();
    let at = second_column(&lines)?;
    let side = |range: &dyn Fn(&[char]) -> String| lines.iter().map(|line| range(line)).collect::<Vec<_>>();
    // A title reaches over both.
    let is_whole = |line: &[char]| line.len() > at && line[at - GAP..at].iter().any(|c| *c != ' ');
    let left = side(&|line| line[..if is_whole(line) { line.len() } else { at.min(line.len()) }].iter().collect());
    let right = side(&|line| if is_whole(line) { &[] } else { line.get(at..).unwrap_or_default() }.iter().collect());
    let widest = left
        .iter()
        .filter(|line| line.chars().count() <= at)
        .map(|line| line.trim_end().chars().count())
        .max()
        .unwrap_or(0);
    let right = pairs(&right);
    let widest_right = right.iter().map(|line| line.trim_end().chars().count()).max().unwrap_or(0);
    Some(format!("{}\n\n{}", joined(&left, widest), joined(&right, widest_right)))
}

/// The lines of a column put together where the next word had no room.
fn joined(lines: &[String], widest: usize) -> String {
    let mut out = String::new();
    let mut before = "";
    for line in lines {
        let word = line.split_whitespace().next().unwrap_or("");
        let is_full = before.trim_end().chars().count() + 1 + word.chars().count() > widest;
        let goes_on =
            !before.trim().is_empty() && !word.is_empty() && !line.starts_with("- ") && !before.starts_with("- ");
        let is_split = before.trim_end().ends_with('-') && word.starts_with(char::is_lowercase);
        match goes_on && is_full {
            true if is_split => out.truncate(out.trim_end_matches('-').len()),
            true => out.push(' '),
            false => out.push('\n'),
        }
        out.push_str(line.trim_end());
        before = line;
    }
    out
}

/// Where the second column begins.
fn second_column(lines: &[Vec<char>]) -> Option<usize> {
    let mut starts: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
    for line in lines {
        // The first wide gap behind text.
        let Some(text) = line.iter().position(|c| *c != ' ') else { continue };
        let gap = (text..line.len()).find(|at| line[*at..].iter().take_while(|c| **c == ' ').count() >= GAP);
        if let Some(gap) = gap {
            let start = gap + line[gap..].iter().take_while(|c| **c == ' ').count();
            *starts.entry(start).or_default() += 1;
        }
    }
    let (at, count) = starts.into_iter().max_by_key(|(at, count)| (*count, *at))?;
    let reaching: Vec<&Vec<char>> = lines.iter().filter(|line| line.len() > at).collect();
    let parted = reaching.iter().filter(|line| line[at - GAP..at].iter().all(|c| *c == ' ')).count();
    let both: Vec<&&Vec<char>> =
        reaching.iter().filter(|line| line[..at].iter().any(|c| *c != ' ') && line[at] != ' ').collect();
    let length = |line: &&&Vec<char>| line[..at].iter().collect::<String>().trim().chars().count();
    let left: usize = both.iter().map(length).sum();
    let is_prose = left >= both.len() * LEAST_LEFT;
    (count >= LEAST_LINES && both.len() >= LEAST_LINES && parted * 100 >= reaching.len() * LEAST_SHARE && is_prose)
        .then_some(at)
}

/// Lines of a label and a value with spaces between them as items: `- Weight: 92 kg`.
fn pairs(lines: &[String]) -> Vec<String> {
    let pair = |line: &String| {
        let (label, value) = line.trim().split_once("  ")?;
        let (label, value) = (label.trim(), value.trim());
        let is_pair = !label.is_empty() && !value.is_empty() && !value.contains("  ") && label.len() <= 40;
        is_pair.then(|| format!("- {}: {value}", label.trim_end_matches(':')))
    };
    lines.iter().map(|line| pair(line).unwrap_or_else(|| line.clone())).collect()
}

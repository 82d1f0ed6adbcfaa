//! How deep the elements of some HTML stand in each other, counted before anything parses it.

/// Elements that have no end, or need none.
const OPEN: [&str; 20] = [
    "br", "hr", "img", "wbr", "col", "p", "li", "td", "th", "tr", "dt", "dd", "option", "input", "area", "embed",
    "link", "meta", "source", "track",
];

/// How deep the elements of some HTML may stand in each other, at most. An end counts only where its element is the one that
/// was opened last: too many are counted rather than too few.
pub(super) fn depth(html: &str) -> usize {
    let mut open: Vec<&str> = Vec::new();
    let mut most = 0;
    for part in html.split('<').skip(1) {
        let (is_end, part) = part.strip_prefix('/').map_or((false, part), |rest| (true, rest));
        let length = part.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let name = &part[..length];
        if name.is_empty() || OPEN.iter().any(|one| one.eq_ignore_ascii_case(name)) {
            continue;
        }
        if !is_end {
            open.push(name);
            most = most.max(open.len());
        } else if open.last().is_some_and(|last| last.eq_ignore_ascii_case(name)) {
            open.pop();
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn elements_within_elements_are_counted() {
        assert_eq!(depth("<ul><li>a<li><b>c</b><br><p>d</ul>"), 2);
        assert_eq!(depth(&"<blockquote></x>".repeat(31_000)), 31_000);
        assert_eq!(depth("a < b > c"), 0);
    }
}

//! Pages that send their reader on by themselves: the header `Refresh` and `<meta http-equiv="refresh">`.

/// A wait of at most so many seconds is a redirect; a longer one renews a page that is meant to be read.
const MOST_SECONDS: f64 = 5.0;
/// How far into a page it is looked for.
const WITHIN: usize = 64 << 10;
/// What stands in these is not markup, or is for readers with other abilities.
const SKIPPED: [&str; 7] = ["script", "style", "noscript", "template", "title", "textarea", "iframe"];

/// Where `5; url=/next` leads, if it leads anywhere within [`MOST_SECONDS`].
pub(crate) fn target(value: &str) -> Option<&str> {
    let value = value.trim_start();
    let digits = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let seconds: f64 = match value[..digits].split('.').next().unwrap_or_default() {
        "" if digits == 0 => return None,
        "" => 0.0,
        whole => whole.parse().ok()?,
    };
    if seconds > MOST_SECONDS {
        return None;
    }
    let rest = &value[digits..];
    if !rest.starts_with(|c: char| c.is_whitespace() || matches!(c, ';' | ',')) {
        return None;
    }
    let rest = rest.trim_start().trim_start_matches([';', ',']).trim_start();
    let named = rest.get(..3).filter(|name| name.eq_ignore_ascii_case("url"));
    let rest = match named.and_then(|_| rest[3..].trim_start().strip_prefix('=')) {
        Some(rest) => rest.trim_start(),
        None => rest,
    };
    let quoted = ['"', '\''].into_iter().find_map(|quote| rest.strip_prefix(quote)?.split(quote).next());
    Some(quoted.unwrap_or(rest).trim()).filter(|target| !target.is_empty())
}

/// What a page that sends its reader on says: the target, and the address that it is relative to, if it names one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) to: String,
    pub(crate) base: Option<String>,
}

/// The first refresh of a page within [`MOST_SECONDS`]. Comments, scripts and what readers without scripts get do not count.
pub(crate) fn of_page(body: &[u8]) -> Option<Sent> {
    let head = String::from_utf8_lossy(&body[..body.len().min(WITHIN)]);
    let lower = head.to_ascii_lowercase();
    if !lower.contains("refresh") {
        return None;
    }
    let mut base = None;
    let mut at = 0;
    while let Some(found) = lower[at..].find('<') {
        at += found + 1;
        let rest = &lower[at..];
        if rest.starts_with("!--") {
            at += rest.find("-->")? + 3;
            continue;
        }
        let name_length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = &rest[..name_length];
        if SKIPPED.contains(&name) {
            at += rest.find(&format!("</{name}"))? + 2;
            continue;
        }
        if !matches!(name, "meta" | "base") {
            continue;
        }
        let (attributes, length) = attributes(&head[at + name_length..]);
        at += name_length + length;
        let value = |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if name == "base" {
            base = base.or_else(|| value("href").map(str::to_owned));
        } else if value("http-equiv").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("refresh"))
            && let Some(to) = value("content").and_then(target)
        {
            return Some(Sent { to: to.to_owned(), base });
        }
    }
    None
}

/// The attributes of a tag, names in lower case, and how long they are with the `>`.
fn attributes(text: &str) -> (Vec<(String, String)>, usize) {
    let mut out = Vec::new();
    let mut at = 0;
    let blank = |at: usize| at + (text[at..].len() - text[at..].trim_start().len());
    loop {
        at = blank(at);
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { return (out, at) };
        if first == '>' || out.len() > 50 {
            return (out, at + usize::from(first == '>'));
        }
        let length = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/')).unwrap_or(rest.len());
        if length == 0 {
            at += first.len_utf8();
            continue;
        }
        let name = rest[..length].to_ascii_lowercase();
        at = blank(at + length);
        let mut value = String::new();
        if text[at..].starts_with('=') {
            at = blank(at + 1);
            let rest = &text[at..];
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
            let body = &rest[usize::from(quote.is_some())..];
            let end = match quote {
                Some(quote) => body.find(quote),
                None => body.find(|c: char| c.is_whitespace() || c == '>'),
            };
            let end = end.unwrap_or(body.len());
            value = unescaped(&body[..end]);
            at += (2 * usize::from(quote.is_some()) + end).min(rest.len());
        }
        out.push((name, value));
    }
}

fn unescaped(value: &str) -> String {
    let value = value.replace("&quot;", "\"").replace("&#39;", "'").replace("&apos;", "'");
    value.replace("&#x27;", "'").replace("&amp;", "&").replace("&#38;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_and_targets() {
        for (value, wanted) in [
            ("0; url=/next", Some("/next")),
            ("0;URL='https://example.com/a;b'", Some("https://example.com/a;b")),
            (" 5 ; Url = \"/next\" trailing", Some("/next")),
            ("3,/next", Some("/next")),
            ("0 /next", Some("/next")),
            ("0.9; url=/next", Some("/next")),
            (".5; url=/next", Some("/next")),
            ("1; urls.html", Some("urls.html")),
            ("6; url=/next", None),
            ("300; url=/next", None),
            ("99999999999999999999; url=/next", None),
            ("0", None),
            ("5;", None),
            ("0; url=", None),
            ("-1; url=/next", None),
            ("soon; url=/next", None),
            ("0url=/next", None),
            ("", None),
        ] {
            assert_eq!(target(value), wanted, "{value:?}");
        }
    }

    #[test]
    fn pages_that_send_on() {
        let sent = |to: &str| Some(Sent { to: to.to_owned(), base: None });
        for (page, wanted) in [
            ("<meta http-equiv=refresh content='0;url=/next'>", sent("/next")),
            ("<html><HEAD><META CONTENT=\"1; URL=/a?b=1&amp;c=2\" HTTP-EQUIV = 'Refresh' />", sent("/a?b=1&c=2")),
            ("<meta charset=utf-8><meta name=refresh content='0;url=/no'>", None),
            ("<!-- <meta http-equiv=refresh content='0;url=/no'> --><p>x", None),
            ("<noscript><meta http-equiv=refresh content='0;url=/no'></noscript>", None),
            ("<script>'<meta http-equiv=refresh content=\"0;url=/no\">'</script>", None),
            ("<meta http-equiv=refresh content='60'>", None),
            ("<meta http-equiv=refresh content=\"0;url=/no", sent("/no")),
            ("<meta http-equiv=refresh", None),
            ("<!-- refresh", None),
            ("Grüße <meta http-equiv=refresh content='0;url=/grüße'>", sent("/grüße")),
        ] {
            assert_eq!(of_page(page.as_bytes()), wanted, "{page}");
        }
        let based = of_page(b"<base href='/x/'><meta http-equiv=refresh content='0;url=y'>");
        assert_eq!(based, Some(Sent { to: "y".to_owned(), base: Some("/x/".to_owned()) }));
    }
}

//! The control tokens of chat templates: channels, turns and their ends.

/// Behind one of these the model plays the next turn.
const ENDS: [&str; 12] = [
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_response|>",
    "<end_of_turn>",
    "</s>",
    "<eos>",
    "[/inst]",
];
/// Tokens that stand before an answer and say whose it is.
const STARTS: [&str; 12] = [
    "<|im_start|>assistant",
    "<|im_start|>",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<|start_response|>",
    "<|begin_of_text|>",
    "<|begin_of_solution|>",
    "<|end_of_solution|>",
    "<|assistant|>",
    "<start_of_turn>model",
    "<bos>",
    "<s>",
    "[inst]",
];

/// What stands in the channel `final` of an answer in OpenAI's harmony format, or the answer as it is without channels.
/// Without a final channel, what is in no channel at all.
pub(super) fn final_channel(answer: &str) -> String {
    let text = answer.replace(['｜', '￨'], "|");
    let lower = text.to_ascii_lowercase();
    // templates of which only the words were left when the server dropped the tokens
    if let Some((before, _)) = lower.rsplit_once("assistantfinal")
        && (lower.starts_with("analysis") || lower.starts_with("commentary"))
    {
        return text[before.len() + "assistantfinal".len()..].to_owned();
    }
    if !lower.contains("<|channel|>") && !lower.contains("<|message|>") {
        return text;
    }
    let (mut finals, mut others) = (Vec::new(), Vec::new());
    let mut state = State::Outside;
    let mut channel = String::new();
    for (part, token) in parts(&text, &lower) {
        match state {
            State::Role => {}
            State::Named => {
                let name = part.trim_start();
                let end = name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len());
                channel = name[..end].to_ascii_lowercase();
                // the token that should divide the name from the text may be missing
                if !matches!(token, "message" | "constrain") {
                    keep(&channel, &name[end..], &mut finals, &mut others);
                }
            }
            State::Text => keep(&channel, part, &mut finals, &mut others),
            State::Outside => others.push(part),
        }
        state = match token {
            "start" => State::Role,
            "channel" => State::Named,
            "message" => State::Text,
            "constrain" => State::Role,
            _ => State::Outside,
        };
        if !matches!(token, "message" | "constrain") {
            channel.clear();
        }
    }
    let kept = if finals.is_empty() { others } else { finals };
    kept.concat()
}

#[derive(Clone, Copy)]
enum State {
    Outside,
    /// Behind `<|start|>`: a role.
    Role,
    /// Behind `<|channel|>`: a name.
    Named,
    Text,
}

fn keep<'a>(channel: &str, part: &'a str, finals: &mut Vec<&'a str>, others: &mut Vec<&'a str>) {
    match channel {
        "final" => finals.push(part),
        "" => others.push(part),
        _ => {}
    }
}

/// The text before each of harmony's tokens and the token behind it; the last one has an empty token.
fn parts<'a>(text: &'a str, lower: &'a str) -> Vec<(&'a str, &'a str)> {
    const TOKENS: [&str; 7] = ["start", "channel", "message", "constrain", "end", "return", "call"];
    let (mut out, mut done, mut at) = (Vec::new(), 0, 0);
    while let Some(found) = lower[at..].find("<|") {
        let open = at + found;
        at = open + 2;
        let Some(token) = TOKENS.into_iter().find(|t| lower[at..].strip_prefix(t).is_some_and(|r| r.starts_with("|>")))
        else {
            continue;
        };
        out.push((&text[done..open], token));
        at += token.len() + 2;
        done = at;
    }
    out.push((&text[done..], ""));
    out
}

/// Without `[INST] … [/INST]` and `<<SYS>> … <</SYS>>` at the start, which hold what the model was told, and without the turns
/// that it played afterwards.
pub(super) fn without_instructions(text: &str) -> &str {
    const PAIRS: [(&str, &str); 2] = [("[inst]", "[/inst]"), ("<<sys>>", "<</sys>>")];
    let mut text = text.trim();
    while let Some(end) = PAIRS.iter().find_map(|(open, close)| {
        let at = starts_with(text, open).then(|| text.to_ascii_lowercase().find(close)).flatten()?;
        Some(at + close.len())
    }) {
        text = text[end..].trim_start();
    }
    let next = text.to_ascii_lowercase().rfind("[inst]").filter(|at| *at > 0);
    next.map_or(text, |at| &text[..at])
}

/// Without the tokens that open an answer, up to the first that ends it.
pub(super) fn first_turn(text: &str) -> String {
    let mut text = text.trim();
    while let Some(token) = STARTS.iter().chain(&ENDS).find(|token| starts_with(text, token)) {
        text = text[token.len()..].trim_start();
    }
    let lower = text.to_ascii_lowercase();
    // `<s>` also strikes words out
    let struck = lower.contains("<s>");
    let ends = ENDS.iter().filter(|token| **token != "</s>" || !struck);
    let end = ends.chain(&STARTS[..3]).filter_map(|token| lower.find(token)).min();
    let mut out = String::new();
    let (text, mut done) = (&text[..end.unwrap_or(text.len())], 0);
    for (at, _) in text.match_indices("<|") {
        if let Some(token) = STARTS[3..7].iter().find(|token| starts_with(&text[at..], token)) {
            out.push_str(&text[done..at]);
            done = at + token.len();
        }
    }
    out.push_str(&text[done..]);
    out
}

fn starts_with(text: &str, token: &str) -> bool {
    text.get(..token.len()).is_some_and(|start| start.eq_ignore_ascii_case(token))
}

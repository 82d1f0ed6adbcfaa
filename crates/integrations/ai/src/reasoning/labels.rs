//! Reasoning that is told apart by lines alone: a label above it and one above the answer.

/// Labels above reasoning, and above nothing else.
const REASONING: [&str; 13] = [
    "thinking",
    "thinking process",
    "thought process",
    "my thought process",
    "thoughts",
    "thought",
    "reasoning",
    "my reasoning",
    "chain of thought",
    "internal monologue",
    "scratchpad",
    "analysis",
    "planning",
];
/// Of those, the ones that no section of an article has for a heading.
const NEVER_A_HEADING: [&str; 5] =
    ["thinking process", "thought process", "my thought process", "chain of thought", "internal monologue"];
const ANSWER: [&str; 13] = [
    "answer",
    "final answer",
    "my answer",
    "response",
    "final response",
    "output",
    "final output",
    "final text",
    "final version",
    "final draft",
    "final section",
    "final",
    "done thinking",
];
/// Names of code fences around reasoning.
const FENCES: [&str; 5] = ["think", "thinking", "thought", "thoughts", "reasoning"];

/// What stands below the answer's label, where the first line is a label of reasoning.
pub(super) fn final_part(text: &str) -> String {
    let text = without_quote(&without_fences(text));
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let (name, beside) = first.split_once(':').unwrap_or((first, ""));
    let (name, beside) = (label(name), !label_of_any(beside).is_empty());
    // `Thought: …` with `Final Answer: …` below is the only label with text beside it
    let agent = name == "thought" && text.lines().any(|line| beside_answer(line).is_some());
    // with text beside its label, only an answer's label on a line of its own tells it from prose
    let divided =
        || text.lines().any(|line| ANSWER.contains(&label(line).as_str()) && line.trim_end().ends_with([':', '*']));
    let alone = REASONING.contains(&name.as_str()) && (!beside || divided());
    if !alone && !agent && !NEVER_A_HEADING.contains(&name.as_str()) {
        return text;
    }
    let mut at = 0;
    let mut found = None;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        if ANSWER.contains(&label(line).as_str()) {
            found = Some(end);
        } else if let Some(beside) = beside_answer(line) {
            found = Some(at + beside);
        }
        at = end;
    }
    match found {
        Some(start) => text[start..].to_owned(),
        None if NEVER_A_HEADING.contains(&name.as_str()) => String::new(),
        None => text,
    }
}

/// A short line without the marks of headings and emphasis, in lower case; empty for a long one.
fn label(line: &str) -> String {
    if line.len() > 80 {
        return String::new();
    }
    label_of_any(line).to_lowercase()
}

fn label_of_any(line: &str) -> &str {
    line.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Where the text begins on a line such as `**Final Answer:** The beds …`.
fn beside_answer(line: &str) -> Option<usize> {
    let (name, text) = line.split_once(':')?;
    let name = label(name);
    let start = line.len() - text.trim_start_matches(['*', '_', ' ']).len();
    (ANSWER.contains(&name.as_str()) && !text.trim_matches(['*', '_', ' ', '\n', '\r']).is_empty()).then_some(start)
}

/// Without a quotation at the start whose first line is a label of reasoning.
fn without_quote(text: &str) -> String {
    let quoted = |line: &str| line.trim_start().starts_with('>');
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if !quoted(first) || !REASONING.contains(&label(first).as_str()) {
        return text.to_owned();
    }
    text.split_inclusive('\n').skip_while(|line| quoted(line) || line.trim().is_empty()).collect()
}

/// Without code fences that are named after reasoning.
fn without_fences(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut within = None;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        match within {
            Some(fence) => {
                if bare == fence {
                    within = None;
                }
            }
            None => {
                let fence = ["```", "~~~"].into_iter().find(|fence| bare.starts_with(fence));
                let name = fence.map(|f| bare[f.len()..].trim().to_lowercase());
                if name.is_some_and(|name| FENCES.contains(&name.as_str())) {
                    within = fence;
                } else {
                    out.push_str(line);
                }
            }
        }
    }
    out
}

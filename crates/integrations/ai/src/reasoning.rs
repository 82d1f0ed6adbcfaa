//! Takes out what a model thought aloud before and between its answer.
//!
//! Servers should send reasoning in a field of its own; many leave it in the text, under the marks of whatever template the
//! model was trained with. The answer is looked at as a whole, so that it does not matter how a stream cut the marks.

mod channels;
mod labels;
mod marks;

pub(crate) use marks::without_marks;

/// The answer without the reasoning, the channels and the tokens of chat templates. Reasoning that never ends is all there
/// is. The work grows with the length of the answer and no faster.
pub(crate) fn without_reasoning(answer: &str) -> String {
    let text = channels::final_channel(answer);
    let text = without_marks(&without_comments(&text));
    let text = channels::first_turn(channels::without_instructions(&text));
    labels::final_part(text.trim()).trim().to_owned()
}

/// Without `<!-- … -->`; one that is not closed takes the rest with it.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;

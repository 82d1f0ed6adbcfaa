//! Reads a streamed answer to its end, within limits, and tells an end from a cut.

use std::{pin::pin, time::Duration};

use eventsource_stream::{Event, EventStream, EventStreamError};
use futures::{Stream, StreamExt};
use galley_domain::{Fault, FaultCode};
use reqwest::Response;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{
    CallError, Finish,
    faults::{Context, filtered, in_stream, scrub},
    record::{Counted, Record},
};
use crate::endpoint::Timeouts;

/// The most bytes that one streamed answer may have on the wire.
const MOST_BYTES: usize = 64 << 20;
/// The longest line of a stream. The parser starts each line anew with every piece, so an endless one would be costly.
const MOST_LINE: usize = 1 << 20;
/// The most text that one answer may have, and what it may have however few tokens were asked for.
const MOST_TEXT: usize = 4 << 20;
const LEAST_TEXT: usize = 64 << 10;
/// A token stands for four bytes or so; no server writes more than this many for each on the whole.
const BYTES_OF_A_TOKEN: usize = 16;

/// A piece of an answer, or a whole one. More lenient than `async-openai`'s types, which want every field that OpenAI
/// sends: compatible servers leave some out and send others as another type.
#[derive(Debug, Default, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    delta: Option<Delta>,
    /// Where a server does not stream although it was asked to.
    #[serde(default)]
    message: Option<Delta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Delta {
    /// A string, or a list of parts with `text`.
    #[serde(default)]
    content: Value,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default, alias = "reasoning")]
    reasoning_content: Value,
}

#[derive(Debug, Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens_details: Option<Details>,
}

#[derive(Debug, Deserialize)]
struct Details {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

/// What was read, as far as it came.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub text: String,
    pub finish: Option<Finish>,
    /// Whether the model reasoned before it answered.
    pub reasoned: bool,
    refused: bool,
}

/// Why no more bytes came.
#[derive(Debug)]
enum Broken {
    Stalled,
    Overtime,
    TooLarge,
    Cut(String),
}

impl Answer {
    /// Takes a piece in. An error object in it ends the answer.
    fn take(&mut self, chunk: Chunk, record: &mut Record, context: Context<'_>) -> Result<(), CallError> {
        if let Some(counts) = chunk.usage {
            if let (Some(prompt), completion) = (counts.prompt_tokens, counts.completion_tokens.unwrap_or(0)) {
                record.counted(Counted { prompt, completion });
            }
            self.reasoned |= counts.completion_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or(0) > 0;
        }
        if let Some(error) = chunk.error.filter(|e| !e.is_null()) {
            return Err(in_stream(&serde_json::json!({ "error": error }), context));
        }
        for choice in chunk.choices.unwrap_or_default().into_iter().filter(|c| c.index == 0) {
            if let Some(delta) = choice.delta.or(choice.message) {
                let before = self.text.len();
                push_text(&mut self.text, &delta.content);
                record.received(self.text.len() - before);
                if let Some(reasoning) = delta.reasoning_content.as_str().filter(|r| !r.is_empty()) {
                    self.reasoned = true;
                    record.received(reasoning.len());
                }
                self.refused |= delta.refusal.is_some_and(|r| !r.is_empty());
            }
            match choice.finish_reason.as_deref() {
                None | Some("") => {}
                Some("length" | "max_tokens") => self.finish = Some(Finish::Length),
                Some("content_filter") => return Err(filtered(context).into()),
                Some("error") => return Err(in_stream(&Value::Null, context)),
                Some(_) => self.finish = Some(Finish::Stop),
            }
        }
        let asked = usize::try_from(context.max_tokens).unwrap_or(usize::MAX).saturating_mul(BYTES_OF_A_TOKEN);
        if self.text.len() > asked.clamp(LEAST_TEXT, MOST_TEXT) {
            return Err(too_large(context).into());
        }
        Ok(())
    }

    fn done(self, context: Context<'_>) -> Result<Self, CallError> {
        if self.refused { Err(filtered(context).into()) } else { Ok(self) }
    }
}

fn push_text(text: &mut String, content: &Value) {
    match content {
        Value::String(piece) => text.push_str(piece),
        Value::Array(parts) => {
            for part in parts.iter().filter_map(|p| p.get("text")?.as_str()) {
                text.push_str(part);
            }
        }
        _ => {}
    }
}

/// Reads a stream of events until `[DONE]` or its end.
pub(crate) async fn read_events(
    response: Response,
    timeouts: Timeouts,
    deadline: Instant,
    record: &mut Record,
    context: Context<'_>,
) -> Result<Answer, CallError> {
    let mut events = pin!(EventStream::new(pieces(response, timeouts, deadline)));
    let mut answer = Answer::default();
    loop {
        let event = match events.next().await {
            Some(Ok(event)) => event,
            // the answer is whole: only the count is missing, which is estimated then
            _ if answer.finish.is_some() => break,
            None => return Err(cut(context, "the stream ended without a finish reason").into()),
            Some(Err(error)) => return Err(broken(error, context).into()),
        };
        if event.data.trim() == "[DONE]" {
            // an answer of some servers has no finish reason, but its end is said all the same
            answer.finish.get_or_insert(Finish::Stop);
            break;
        }
        match parse(&event, context) {
            Ok(Some(chunk)) => answer.take(chunk, record, context)?,
            Ok(None) => {}
            Err(_) if answer.finish.is_some() => break,
            Err(fault) => return Err(fault),
        }
    }
    answer.done(context)
}

fn parse(event: &Event, context: Context<'_>) -> Result<Option<Chunk>, CallError> {
    if event.data.trim().is_empty() {
        return Ok(None);
    }
    if event.event == "error" {
        let value = serde_json::from_str(&event.data).unwrap_or_else(|_| Value::String(event.data.clone()));
        return Err(in_stream(&value, context));
    }
    serde_json::from_str(&event.data).map(Some).map_err(|e| {
        let fault = Fault::transient(
            FaultCode::LlmError,
            format!("The model provider {} sent a broken piece of its answer.", context.provider),
        );
        // of serde's words only where, for they quote what they read
        fault.with_detail(format!("malformed chunk, column {} of {} bytes", e.column(), event.data.len())).into()
    })
}

/// Reads an answer that came whole, although a stream was asked for.
pub(crate) async fn read_whole(
    response: Response,
    timeouts: Timeouts,
    deadline: Instant,
    record: &mut Record,
    context: Context<'_>,
) -> Result<Answer, CallError> {
    let body = read_body(response, MOST_TEXT * 2, timeouts, deadline).await.map_err(|b| of_broken(&b, context))?;
    let chunk: Chunk = serde_json::from_slice(&body).map_err(|e| {
        cut(context, &format!("malformed answer, line {} column {} of {} bytes", e.line(), e.column(), body.len()))
    })?;
    let mut answer = Answer::default();
    answer.take(chunk, record, context)?;
    if answer.finish.is_none() {
        return Err(cut(context, "the answer has no finish reason").into());
    }
    answer.done(context)
}

/// The start of an error's body, as much as it takes to understand it; whatever goes wrong on the way ends it.
pub(crate) async fn read_error(response: Response, timeouts: Timeouts, deadline: Instant) -> Vec<u8> {
    let mut body = Vec::new();
    let mut pieces = pin!(pieces(response, timeouts, deadline));
    while let Some(Ok(piece)) = pieces.next().await {
        body.extend_from_slice(&piece);
        if body.len() > 64 << 10 {
            break;
        }
    }
    body
}

async fn read_body(response: Response, most: usize, timeouts: Timeouts, deadline: Instant) -> Result<Vec<u8>, Broken> {
    let mut body = Vec::new();
    let mut pieces = pin!(pieces(response, timeouts, deadline));
    while let Some(piece) = pieces.next().await {
        body.extend_from_slice(&piece?);
        if body.len() > most {
            return Err(Broken::TooLarge);
        }
    }
    Ok(body)
}

struct Reader {
    response: Response,
    /// The wait for the next piece: the first may take longer.
    wait: Duration,
    total: usize,
    line: usize,
}

/// The body's pieces, each within its time, all within the call's time, size and line length.
fn pieces(
    response: Response,
    timeouts: Timeouts,
    deadline: Instant,
) -> impl Stream<Item = Result<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]>, Broken>> {
    let reader = Reader { response, wait: timeouts.first_byte, total: 0, line: 0 };
    futures::stream::try_unfold(reader, move |mut reader| async move {
        let stall = Instant::now() + reader.wait;
        let read = timeout_at(stall.min(deadline), reader.response.chunk()).await;
        let Some(piece) = read
            .map_err(|_| if stall < deadline && reader.total > 0 { Broken::Stalled } else { Broken::Overtime })?
            .map_err(|e| Broken::Cut(e.without_url().to_string()))?
        else {
            return Ok(None);
        };
        reader.wait = timeouts.idle;
        reader.total += piece.len();
        reader.line = match piece.iter().rposition(|b| *b == b'\n') {
            Some(at) => piece.len() - at,
            None => reader.line + piece.len(),
        };
        if reader.total > MOST_BYTES || reader.line > MOST_LINE {
            return Err(Broken::TooLarge);
        }
        Ok(Some((piece, reader)))
    })
}

fn broken(error: EventStreamError<Broken>, context: Context<'_>) -> Fault {
    match error {
        EventStreamError::Transport(reason) => of_broken(&reason, context),
        EventStreamError::Utf8(_) => cut(context, "the stream is not UTF-8"),
        EventStreamError::Parser(_) => cut(context, "the stream is not made of events"),
    }
}

fn of_broken(reason: &Broken, context: Context<'_>) -> Fault {
    let provider = context.provider;
    match reason {
        Broken::Stalled => Fault::transient(
            FaultCode::LlmError,
            format!("The model provider {provider} stopped in the middle of its answer."),
        )
        .with_detail("idle timeout"),
        Broken::Overtime => overtime(context),
        Broken::TooLarge => too_large(context),
        Broken::Cut(words) => cut(context, &scrub(words, context)),
    }
}

/// The whole call took too long.
pub(crate) fn overtime(context: Context<'_>) -> Fault {
    Fault::transient(FaultCode::LlmError, format!("The model provider {} did not answer in time.", context.provider))
        .with_detail("nothing came within the first-byte timeout, or the total timeout passed")
}

fn cut(context: Context<'_>, detail: &str) -> Fault {
    Fault::transient(FaultCode::LlmError, format!("The answer of the model provider {} was cut off.", context.provider))
        .with_detail(detail)
}

fn too_large(context: Context<'_>) -> Fault {
    Fault::permanent(
        FaultCode::LlmError,
        format!(
            "The answer of the model provider {} is far too large. The operator must lower max_tokens of this model \
             endpoint or choose another model.",
            context.provider
        ),
    )
}

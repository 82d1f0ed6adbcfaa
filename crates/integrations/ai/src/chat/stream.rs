//! Reads a streamed answer to its end, within limits, and tells an end from a cut.

use std::{pin::pin, time::Duration};

use futures::{Stream, StreamExt};
use galley_domain::{Fault, FaultCode};
use reqwest::Response;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{
    CallError, Finish,
    chunk::Chunk,
    events::{Event, Events},
    faults::{Context, filtered, in_stream, scrub},
    halves::{joined, readable},
    record::Record,
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
    /// Takes a piece in. An error in it ends the answer.
    fn take(&mut self, chunk: Chunk, record: &mut Record, context: Context<'_>) -> Result<(), CallError> {
        if let Some(counted) = chunk.counted {
            record.counted(counted);
        }
        record.received(chunk.text.len() + chunk.reasoning);
        self.reasoned |= chunk.reasoning > 0 || chunk.reasoning_tokens > 0;
        self.refused |= chunk.refused;
        self.text.push_str(&chunk.text);
        if let Some(error) = chunk.error {
            return Err(in_stream(&error, context));
        }
        match chunk.finish.as_deref() {
            None | Some("") => {}
            Some("length" | "max_tokens" | "MAX_TOKENS") => self.finish = Some(Finish::Length),
            Some("content_filter" | "SAFETY" | "safety") => return Err(filtered(context).into()),
            Some("error") => return Err(in_stream(&Value::Null, context)),
            Some(_) => self.finish = Some(Finish::Stop),
        }
        let asked = usize::try_from(context.max_tokens).unwrap_or(usize::MAX).saturating_mul(BYTES_OF_A_TOKEN);
        if self.text.len() > asked.clamp(LEAST_TEXT, MOST_TEXT) {
            return Err(too_large(context).into());
        }
        Ok(())
    }

    fn done(mut self, context: Context<'_>) -> Result<Self, CallError> {
        if self.refused {
            return Err(filtered(context).into());
        }
        self.text = joined(self.text);
        if self.finish == Some(Finish::Length) {
            // the limit can fall within a character
            self.text.truncate(self.text.trim_end_matches('\u{fffd}').len());
        }
        Ok(self)
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
    let mut pieces = pin!(pieces(response, timeouts, deadline));
    let (mut events, mut answer) = (Events::default(), Answer::default());
    loop {
        let (found, ended) = match pieces.next().await {
            Some(Ok(piece)) => (events.push(&piece), None),
            None => {
                (events.end().into_iter().collect(), Some(cut(context, "the stream ended without a finish reason")))
            }
            Some(Err(reason)) => (Vec::new(), Some(of_broken(&reason, context))),
        };
        for event in found {
            match taken(&event, &mut answer, record, context) {
                Ok(true) => return answer.done(context),
                Ok(false) => {}
                // the answer is whole: only the count is missing, which is estimated then
                Err(_) if answer.finish.is_some() => return answer.done(context),
                // the last event was cut, and that is what has to be told
                Err(CallError::Fault(_)) if ended.is_some() && !is_error(&event) => {}
                Err(fault) => return Err(fault),
            }
        }
        match ended {
            Some(_) if answer.finish.is_some() => return answer.done(context),
            Some(fault) => return in_no_events(&events.stray, record, context).unwrap_or(Err(fault.into())),
            None => {}
        }
    }
}

/// Takes an event in; true when it was the last one.
fn taken(event: &Event, answer: &mut Answer, record: &mut Record, context: Context<'_>) -> Result<bool, CallError> {
    if event.data.trim_ascii() == b"[DONE]" {
        // an answer of some servers has no finish reason, but its end is said all the same
        answer.finish.get_or_insert(Finish::Stop);
        return Ok(true);
    }
    if let Some(chunk) = parse(event, context)? {
        answer.take(chunk, record, context)?;
    }
    Ok(false)
}

fn is_error(event: &Event) -> bool {
    event.name == "error" || serde_json::from_slice(&event.data).is_ok_and(|value| Chunk::read(value).error.is_some())
}

fn parse(event: &Event, context: Context<'_>) -> Result<Option<Chunk>, CallError> {
    if event.data.trim_ascii().is_empty() {
        return Ok(None);
    }
    if event.name == "error" {
        let text = String::from_utf8_lossy(&event.data);
        let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()));
        return Err(in_stream(&value, context));
    }
    let Some(text) = readable(&event.data) else {
        return Err(cut(context, "the stream is not UTF-8").into());
    };
    serde_json::from_str(&text).map(|value| Some(Chunk::read(value))).map_err(|e| {
        let fault = Fault::transient(
            FaultCode::LlmError,
            format!("The model provider {} sent a broken piece of its answer.", context.provider),
        );
        // of serde's words only where, for they quote what they read
        fault.with_detail(format!("malformed chunk, column {} of {} bytes", e.column(), event.data.len())).into()
    })
}

/// What stands where a stream of events should be: a whole answer, or an error, without any `data:`.
fn in_no_events(stray: &[u8], record: &mut Record, context: Context<'_>) -> Option<Result<Answer, CallError>> {
    let start = stray.trim_ascii();
    if !start.starts_with(b"{") && !start.starts_with(b"[") {
        return None;
    }
    Some(whole(start, record, context))
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
    if body.trim_ascii_start().starts_with(b"data:") || body.starts_with(b"event:") {
        // events under the name of JSON
        let mut events = Events::default();
        let mut answer = Answer::default();
        let mut found = events.push(&body);
        found.extend(events.end());
        for event in found {
            if taken(&event, &mut answer, record, context)? {
                break;
            }
        }
        return if answer.finish.is_some() {
            answer.done(context)
        } else {
            Err(cut(context, "no finish reason").into())
        };
    }
    whole(&body, record, context)
}

fn whole(body: &[u8], record: &mut Record, context: Context<'_>) -> Result<Answer, CallError> {
    let malformed = |line: usize, column: usize| {
        cut(context, &format!("malformed answer, line {line} column {column} of {} bytes", body.len()))
    };
    let text = readable(body).ok_or_else(|| malformed(0, 0))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| malformed(e.line(), e.column()))?;
    let mut answer = Answer::default();
    answer.take(Chunk::read(value), record, context)?;
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

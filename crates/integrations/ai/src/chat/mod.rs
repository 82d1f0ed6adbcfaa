//! One call to an OpenAI-compatible `/chat/completions`, streamed, metered and with every failure typed.
//!
//! Of `async-openai` only the request's types are used, not its client. Read in version 0.43.0, that client tries 429 and
//! 5xx again by itself, which here is the engine's to decide; it drops the headers of a failed answer and with them
//! `Retry-After`; it loses the status where an error does not look like OpenAI's (llama.cpp's numeric `code`, an HTML
//! page); it takes a cut stream for a finished one, since it swallows `[DONE]`; and it logs what it cannot read, prompts
//! included, as errors.

mod chunk;
mod dialect;
mod events;
pub(crate) mod faults;
mod halves;
pub(crate) mod record;
mod replay;
mod stream;

use std::sync::Arc;

use async_openai::types::chat::{
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestAssistantMessageContent, ChatCompletionRequestMessage,
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage, ChatCompletionStreamOptions,
    CreateChatCompletionRequest, ResponseFormat, ResponseFormatJsonSchema,
};
use galley_domain::{
    Fault, FaultCode, Hidden,
    usage::{CallOutcome, Meter},
    writing::{UnusableAnswer, WriteError},
};
use reqwest::{
    Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect::Policy,
};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

pub use self::replay::{Recorded, Replay, Replayed};
use self::{
    dialect::{Dialect, JsonLevel, MOST_CALLS, Snapshot},
    faults::{Context, Problem, of_status},
    record::Record,
    stream::Answer,
};
use crate::{
    endpoint::{Endpoint, EndpointError, KeyOwner},
    fence::estimate_tokens,
    json::loosened,
};

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    System(String),
    User(String),
    Assistant(String),
}

impl Message {
    pub fn text(&self) -> &str {
        match self {
            Self::System(text) | Self::User(text) | Self::Assistant(text) => text,
        }
    }
}

/// What to ask.
#[derive(Debug, Clone)]
pub struct ChatRequest {
    pub messages: Vec<Message>,
    /// The most tokens that the answer may have.
    pub max_tokens: u32,
    /// The JSON schema of the answer and its name (letters, digits, `_`), where JSON is wanted.
    pub schema: Option<(&'static str, Value)>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model said all it wanted.
    Stop,
    /// It hit the limit of tokens; the text breaks off anywhere.
    Length,
}

/// A whole answer; its text may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    pub text: String,
    pub finish: Finish,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

/// Why a call brought no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// The prompt and the answer do not fit into the model's context: shorten the prompt. Permanent, if nobody does.
    #[error(transparent)]
    ContextTooLong(Fault),
    /// The model was asked twice and answered with what cannot be used.
    #[error(transparent)]
    Unusable(#[from] UnusableAnswer),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<CallError> for WriteError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::ContextTooLong(fault) | CallError::Fault(fault) => Self::Fault(fault),
            CallError::Unusable(answer) => Self::Unusable(answer),
        }
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        WriteError::from(error).into()
    }
}

/// Calls one model. Cheap to share; holds what was learned about the server.
#[derive(Debug)]
pub struct ChatClient {
    endpoint: Endpoint,
    http: reqwest::Client,
    dialect: Arc<Dialect>,
    /// What answers in the place of the model, if anything.
    replay: Option<Arc<Replay>>,
}

impl ChatClient {
    /// # Errors
    /// When the endpoint's settings cannot work; the message names the setting.
    pub fn new(endpoint: Endpoint) -> Result<Self, EndpointError> {
        endpoint.check()?;
        let http = reqwest::Client::builder()
            .connect_timeout(endpoint.timeouts.connect)
            // a redirected call would carry prompt and key to an address that nobody configured
            .redirect(Policy::none())
            // llama.cpp promises keep-alive and closes after a streamed answer all the same, so that the next call on that
            // connection fails; against an answer's seconds a new connection weighs nothing
            .pool_max_idle_per_host(0)
            .user_agent(concat!("galley/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| EndpointError { setting: "base_url", problem: format!("cannot be called: {e}") })?;
        if endpoint.price.is_none() {
            tracing::warn!(
                provider = endpoint.provider,
                model = endpoint.model,
                "no price is known for this model: its calls are counted as free; add it to the price table"
            );
        }
        let dialect = Arc::new(Dialect::new(endpoint.json_mode));
        Ok(Self { endpoint, http, dialect, replay: None })
    }

    /// The same model, called with the key of an organization. What was learned about the server is shared.
    ///
    /// # Errors
    /// When the key has characters that no key has.
    pub fn with_key(&self, key: Hidden) -> Result<Self, EndpointError> {
        let endpoint = Endpoint { api_key: Some(key), key_owner: KeyOwner::Organization, ..self.endpoint.clone() };
        endpoint.check_address()?;
        Ok(Self { endpoint, http: self.http.clone(), dialect: Arc::clone(&self.dialect), replay: self.replay.clone() })
    }

    /// The same client with kept answers in the place of the model: it calls nobody.
    #[must_use]
    pub fn replaying(&self, replay: Arc<Replay>) -> Self {
        let (endpoint, http, dialect) = (self.endpoint.clone(), self.http.clone(), Arc::clone(&self.dialect));
        Self { endpoint, http, dialect, replay: Some(replay) }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether the model was seen to reason, which takes tokens of the answer.
    pub(crate) fn reasons(&self) -> bool {
        self.dialect.reasons()
    }

    /// Asks once. Only where the server refuses an optional parameter (a 400 that costs nothing) the call is made again
    /// without it, at most six times in the life of this client; transient faults are returned at once.
    ///
    /// Each call is booked in `meter` under `operation`. Dropping the future drops the call and books it as cancelled. A
    /// client that replays books nothing.
    ///
    /// # Errors
    /// A typed fault; [`CallError::ContextTooLong`] where a shorter prompt helps.
    pub async fn complete(
        &self,
        request: &ChatRequest,
        operation: &str,
        meter: &Meter,
    ) -> Result<Completion, CallError> {
        if let Some(replay) = &self.replay {
            return replay.answer(&self.endpoint.model, replay::question(&self.endpoint, request), operation);
        }
        let prompt: String = request.messages.iter().map(|m| m.text()).collect::<Vec<_>>().join("\n");
        let key = self.endpoint.api_key.as_ref().map_or("", Hidden::expose);
        let mut problem = None;
        for _ in 0..MOST_CALLS {
            let seen = self.dialect.snapshot();
            let asks_json = request.schema.is_some() && seen.json < JsonLevel::Prompt;
            let Endpoint { provider, model, key_owner, .. } = &self.endpoint;
            let (key_owner, max_tokens) = (*key_owner, request.max_tokens);
            let context = Context { provider, model, key, key_owner, prompt: &prompt, asks_json, max_tokens };
            let mut record = Record::begin(&self.endpoint, operation, estimate_tokens(&prompt), meter);
            let fault = match self.call(request, seen, &mut record, context).await {
                Ok(answer) => return Ok(self.completed(answer, record, request, operation)),
                Err(problem) => {
                    if let (Problem::Call(CallError::ContextTooLong(_)), true) = (&problem, self.endpoint.keep_answers)
                    {
                        record.keep(replay::too_long(&self.endpoint, request));
                    }
                    record.finish(CallOutcome::Failed);
                    problem
                }
            };
            match fault {
                Problem::Refused(parameter, fault) if self.dialect.give_up(parameter, seen) => {
                    tracing::info!(provider, model, ?parameter, "the server refuses an optional parameter; left out");
                    problem = Some(fault.into());
                }
                Problem::Refused(_, fault) => return Err(fault.into()),
                Problem::Call(error) => return Err(error),
            }
        }
        Err(problem.unwrap_or_else(|| Fault::permanent(FaultCode::LlmError, "The model was not called.").into()))
    }

    /// Takes the server's `answer` to `request`, as [`ChatClient::complete`] does once it is there, and books it likewise.
    ///
    /// # Errors
    /// As [`ChatClient::complete`]; nothing is asked again.
    pub async fn read_answer(
        &self,
        answer: Response,
        request: &ChatRequest,
        operation: &str,
        meter: &Meter,
    ) -> Result<Completion, CallError> {
        let prompt: String = request.messages.iter().map(|m| m.text()).collect::<Vec<_>>().join("\n");
        let key = self.endpoint.api_key.as_ref().map_or("", Hidden::expose);
        let Endpoint { provider, model, timeouts, key_owner, .. } = &self.endpoint;
        let (key_owner, max_tokens) = (*key_owner, request.max_tokens);
        let asks_json = request.schema.is_some();
        let context = Context { provider, model, key, key_owner, prompt: &prompt, asks_json, max_tokens };
        let mut record = Record::begin(&self.endpoint, operation, estimate_tokens(&prompt), meter);
        match self.answered(answer, Instant::now() + timeouts.total, &mut record, context).await {
            Ok(answer) => Ok(self.completed(answer, record, request, operation)),
            Err(problem) => {
                record.finish(CallOutcome::Failed);
                Err(match problem {
                    Problem::Refused(_, fault) => fault.into(),
                    Problem::Call(error) => error,
                })
            }
        }
    }

    fn completed(&self, answer: Answer, mut record: Record, request: &ChatRequest, operation: &str) -> Completion {
        if answer.reasoned {
            self.dialect.note_reasoning();
        }
        let finish = answer.finish.unwrap_or(Finish::Stop);
        // a server that repeats what it was sent must bring the key into no article
        let text = match &self.endpoint.api_key {
            Some(key) => key.strike_out(&answer.text),
            None => answer.text,
        };
        if self.endpoint.keep_answers {
            record.keep(replay::kept(&self.endpoint, request, &text, finish));
        }
        let tokens = record.finish(CallOutcome::Ok);
        tracing::debug!(
            operation,
            model = self.endpoint.model,
            prompt_tokens = tokens.prompt,
            completion_tokens = tokens.completion,
            ?finish,
            "model answered"
        );
        Completion { text, finish, prompt_tokens: tokens.prompt, completion_tokens: tokens.completion }
    }

    async fn call(
        &self,
        request: &ChatRequest,
        seen: Snapshot,
        record: &mut Record,
        context: Context<'_>,
    ) -> Result<Answer, Problem> {
        let deadline = Instant::now() + self.endpoint.timeouts.total;
        let response = self.send(request, seen, deadline, record, context).await?;
        self.answered(response, deadline, record, context).await
    }

    /// Reads an answer to its end, whatever its status and form.
    async fn answered(
        &self,
        response: Response,
        deadline: Instant,
        record: &mut Record,
        context: Context<'_>,
    ) -> Result<Answer, Problem> {
        let timeouts = self.endpoint.timeouts;
        let status = response.status();
        if !status.is_success() {
            record.not_billable();
            let headers = response.headers().clone();
            let body = stream::read_error(response, timeouts, deadline).await;
            return Err(of_status(status, &headers, &body, context));
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("").to_lowercase();
        if kind.contains("html") {
            record.not_billable();
            return Err(no_model_server(context).into());
        }
        let read = if kind.contains("json") {
            stream::read_whole(response, timeouts, deadline, record, context).await
        } else {
            stream::read_events(response, timeouts, deadline, record, context).await
        };
        read.map_err(Problem::Call)
    }

    /// Sends the request and waits for the head of the answer.
    async fn send(
        &self,
        request: &ChatRequest,
        seen: Snapshot,
        deadline: Instant,
        record: &mut Record,
        context: Context<'_>,
    ) -> Result<Response, Problem> {
        let mut builder = self.http.post(self.endpoint.chat_url()).json(&self.body(request, seen));
        if !context.key.is_empty() {
            let mut value = HeaderValue::try_from(format!("Bearer {}", context.key)).map_err(|_| {
                Fault::permanent(FaultCode::LlmError, "The api_key of this model endpoint is not usable.")
            })?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        let wait = (Instant::now() + self.endpoint.timeouts.first_byte).min(deadline);
        match timeout_at(wait, builder.send()).await {
            Err(_) => Err(stream::overtime(context).into()),
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                let reached = !error.is_connect();
                if !reached {
                    record.not_billable();
                }
                Err(unreachable(&error.without_url(), reached, context).into())
            }
        }
    }

    /// The request as it goes out in the server's dialect.
    #[expect(
        deprecated,
        reason = "most compatible servers know only max_tokens, OpenAI's newer models only its successor"
    )]
    fn body(&self, request: &ChatRequest, seen: Snapshot) -> CreateChatCompletionRequest {
        let mut messages: Vec<_> = request.messages.iter().map(to_wire).collect();
        let mut response_format = None;
        if let Some((name, schema)) = &request.schema {
            response_format = match seen.json {
                JsonLevel::Schema => Some(strict(name, schema.clone())),
                JsonLevel::LooseSchema => Some(strict(name, loosened(schema))),
                JsonLevel::Object => Some(ResponseFormat::JsonObject),
                JsonLevel::Prompt => None,
            };
            if seen.json >= JsonLevel::Object {
                messages.push(to_wire(&Message::User(format!("The answer's JSON schema: {schema}"))));
            }
        }
        let max_tokens = Some(request.max_tokens);
        CreateChatCompletionRequest {
            model: self.endpoint.model.clone(),
            messages,
            response_format,
            stream: Some(true),
            stream_options: seen
                .stream_options
                .then_some(ChatCompletionStreamOptions { include_usage: Some(true), include_obfuscation: None }),
            temperature: self.endpoint.temperature.filter(|_| seen.temperature),
            max_tokens: max_tokens.filter(|_| !seen.max_completion_tokens),
            max_completion_tokens: max_tokens.filter(|_| seen.max_completion_tokens),
            ..CreateChatCompletionRequest::default()
        }
    }
}

fn strict(name: &str, schema: Value) -> ResponseFormat {
    ResponseFormat::JsonSchema {
        json_schema: ResponseFormatJsonSchema { description: None, name: name.to_owned(), schema, strict: Some(true) },
    }
}

fn to_wire(message: &Message) -> ChatCompletionRequestMessage {
    match message {
        Message::System(text) => ChatCompletionRequestSystemMessage::from(text.as_str()).into(),
        Message::User(text) => ChatCompletionRequestUserMessage::from(text.as_str()).into(),
        Message::Assistant(text) => ChatCompletionRequestAssistantMessage {
            content: Some(ChatCompletionRequestAssistantMessageContent::Text(text.clone())),
            ..ChatCompletionRequestAssistantMessage::default()
        }
        .into(),
    }
}

fn unreachable(error: &reqwest::Error, reached: bool, context: Context<'_>) -> Fault {
    use std::error::Error as _;
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    let provider = context.provider;
    let message = if reached {
        format!("The model provider {provider} closed the connection without an answer.")
    } else {
        format!(
            "The model provider {provider} cannot be reached. If that stays so, the \
             operator must check base_url of this model endpoint."
        )
    };
    Fault::transient(FaultCode::LlmError, message).with_detail(faults::scrub(&words, context))
}

fn no_model_server(context: Context<'_>) -> Fault {
    Fault::permanent(
        FaultCode::LlmError,
        format!(
            "The address of the model provider {} answers with a web page. The operator must check base_url of this \
             model endpoint; it usually ends in /v1.",
            context.provider
        ),
    )
}

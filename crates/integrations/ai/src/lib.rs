//! Model writers: OpenAI-compatible servers, prompts, prices.
//!
//! [`OpenAiWriter`] plans and writes through any server that speaks OpenAI's chat completions (OpenAI, DeepSeek, Gemini's
//! compatible address, vLLM, Ollama, llama.cpp). Below it, [`ChatClient`] makes one call and types every way in which it
//! can fail. It never tries a transient fault again: attempts and waits belong to the engine.
//!
//! Neither prompts nor answers are logged at any level, and a key shows in no `Debug`, message or detail.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there"))]

mod answers;
mod budget;
mod chat;
mod clean;
mod embed;
mod endpoint;
mod fence;
mod images;
mod json;
mod judge;
mod post;
mod prices;
mod prompts;
mod reasoning;
mod unusable;
mod writer;

pub use answers::{read_outline, read_seo};
pub use budget::{distribute, section_count};
pub use chat::{CallError, ChatClient, ChatRequest, Completion, Finish, Message, Recorded, Replay, Replayed};
pub use clean::paragraphs;
pub use embed::{EmbedSettings, OpenAiEmbedder};
pub use endpoint::{Endpoint, EndpointError, JsonMode, KeyOwner, Timeouts};
pub use fence::{Excerpt, excerpts};
pub use images::OpenAiImages;
pub use json::{read_object, schema_of};
pub use judge::OpenAiJudge;
pub use prices::{Price, PriceError, PriceTable};
pub use prompts::{PROMPTS, Prompt, prompt_version};
pub use writer::OpenAiWriter;

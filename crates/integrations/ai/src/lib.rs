//! Model writers: OpenAI-compatible servers, prompts, prices.

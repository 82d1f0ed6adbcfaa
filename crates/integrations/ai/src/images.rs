//! Pictures from a prompt: one call to an OpenAI-compatible `/images/generations`.
//!
//! Image models answer with the bytes in Base64, and refuse a `response_format`; their qualities are low, medium and high, and
//! they know no style, which therefore goes into the prompt.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use galley_domain::{
    Fault, FaultCode, Hidden,
    image::{ImageModel, ImageQuality, ImageRequest, ImageSize, ImageStyle},
    usage::{CallOutcome, Meter},
};
use reqwest::{
    Response,
    header::{AUTHORIZATION, HeaderValue},
    redirect::Policy,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    chat::{
        faults::{ApiError, Context, Problem, of_status, scrub},
        record::{Counted, Record},
    },
    endpoint::{Endpoint, EndpointError},
    fence::estimate_tokens,
};

/// What a picture of 20 MiB takes in Base64, and the words around it.
const MAX_ANSWER_BYTES: usize = 28 << 20;
const MAX_ERROR_BYTES: usize = 64 << 10;
const OPERATION: &str = "image";

/// An image model behind an OpenAI-compatible address.
#[derive(Debug)]
pub struct OpenAiImages {
    endpoint: Endpoint,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Made {
    data: Vec<Datum>,
    usage: Option<Used>,
}

#[derive(Deserialize)]
struct Datum {
    b64_json: Option<String>,
}

#[derive(Deserialize)]
struct Used {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
}

impl OpenAiImages {
    /// # Errors
    /// When the endpoint's settings cannot work; the message names the setting.
    pub fn new(endpoint: Endpoint) -> Result<Self, EndpointError> {
        endpoint.check()?;
        let http = reqwest::Client::builder()
            .connect_timeout(endpoint.timeouts.connect)
            .timeout(endpoint.timeouts.total)
            // A redirected call would carry prompt and key to an address that nobody configured.
            .redirect(Policy::none())
            .user_agent(concat!("galley/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| EndpointError { setting: "base_url", problem: format!("cannot be called: {e}") })?;
        Ok(Self { endpoint, http })
    }

    async fn call(&self, request: &ImageRequest, record: &mut Record, context: Context<'_>) -> Result<Vec<u8>, Fault> {
        let url = self.endpoint.images_url();
        let mut builder = self.http.post(url).json(&body(&self.endpoint.model, request));
        if !context.key.is_empty() {
            let value = HeaderValue::try_from(format!("Bearer {}", context.key));
            let mut value = value.map_err(|_| permanent("The api_key of the image model is not usable."))?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        let response = builder.send().await.map_err(|error| {
            if error.is_connect() {
                record.not_billable();
            }
            unanswered(&error.without_url(), context)
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        if !status.is_success() {
            record.not_billable();
            let body = bounded(response, MAX_ERROR_BYTES, context).await.unwrap_or_default();
            return Err(refusal(status, &headers, &body, context));
        }
        let body = bounded(response, MAX_ANSWER_BYTES, context).await?;
        record.received(request.prompt.len());
        let made: Made = serde_json::from_slice(&body).map_err(|_| no_picture(context))?;
        if let Some(Used { input_tokens, output_tokens }) = made.usage {
            record.counted(Counted { prompt: input_tokens, completion: output_tokens });
        }
        let encoded =
            made.data.into_iter().next().and_then(|datum| datum.b64_json).ok_or_else(|| no_picture(context))?;
        STANDARD.decode(encoded.trim()).map_err(|_| no_picture(context))
    }
}

#[async_trait]
impl ImageModel for OpenAiImages {
    fn name(&self) -> &str {
        &self.endpoint.model
    }

    async fn make(&self, request: &ImageRequest, meter: &Meter) -> Result<Vec<u8>, Fault> {
        let prompt = request.prompt.as_str();
        let Endpoint { provider, model, key_owner, max_tokens, api_key, .. } = &self.endpoint;
        let key = api_key.as_ref().map_or("", Hidden::expose);
        let (key_owner, max_tokens) = (*key_owner, *max_tokens);
        let context = Context { provider, model, key, key_owner, prompt, asks_json: false, max_tokens };
        let mut record = Record::begin(&self.endpoint, OPERATION, estimate_tokens(prompt), meter);
        let made = self.call(request, &mut record, context).await;
        record.finish(if made.is_ok() { CallOutcome::Ok } else { CallOutcome::Failed });
        made
    }
}

fn body(model: &str, request: &ImageRequest) -> serde_json::Value {
    let size = match request.size {
        ImageSize::Square => "1024x1024",
        ImageSize::Portrait | ImageSize::OldPortrait => "1024x1536",
        ImageSize::Landscape | ImageSize::OldLandscape => "1536x1024",
    };
    let quality = match request.quality {
        ImageQuality::Standard => "medium",
        ImageQuality::Hd => "high",
    };
    let style = match request.style {
        ImageStyle::Natural => "Style: natural, as a photograph of real things would be.",
        ImageStyle::Vivid => "Style: vivid, with strong colours and contrasts.",
    };
    json!({ "model": model, "prompt": format!("{}\n\n{style}", request.prompt), "n": 1, "size": size, "quality": quality })
}

/// A prompt that the provider does not want is the client's to change; all else is told as of other models.
fn refusal(
    status: reqwest::StatusCode,
    headers: &reqwest::header::HeaderMap,
    body: &[u8],
    context: Context<'_>,
) -> Fault {
    let error = ApiError::read(body);
    if status.is_client_error() && error.is_moderated() {
        let message = "was refused by the image model's rules for content; describe the picture in another way";
        return Fault::permanent(FaultCode::ValidationError, message).with_detail(scrub(&error.message, context));
    }
    match of_status(status, headers, body, context) {
        Problem::Call(error) => error.into(),
        Problem::Refused(_, fault) => fault,
    }
}

async fn bounded(mut response: Response, most: usize, context: Context<'_>) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unanswered(&error.without_url(), context))? {
        if body.len() + chunk.len() > most {
            return Err(permanent(format!(
                "The model provider {} answered with more than a picture.",
                context.provider
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn permanent(message: impl Into<String>) -> Fault {
    Fault::permanent(FaultCode::LlmError, message)
}

fn no_picture(context: Context<'_>) -> Fault {
    permanent(format!(
        "The model provider {} did not answer with the bytes of a picture. The operator must check base_url and model of \
         [images].",
        context.provider
    ))
}

fn unanswered(error: &reqwest::Error, context: Context<'_>) -> Fault {
    let provider = context.provider;
    let message = if error.is_timeout() {
        format!("The model provider {provider} took too long to make a picture.")
    } else if error.is_connect() {
        format!(
            "The model provider {provider} cannot be reached. If that stays so, the operator must check images.base_url."
        )
    } else {
        format!("The model provider {provider} broke off its answer.")
    };
    Fault::transient(FaultCode::LlmError, message).with_detail(scrub(&error.to_string(), context))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(size: ImageSize, quality: ImageQuality, style: ImageStyle) -> ImageRequest {
        ImageRequest { prompt: "A pot of tea".into(), size, quality, style }
    }

    #[test]
    fn words_of_old_models_become_those_of_new_ones() {
        for (size, sent) in [
            (ImageSize::Square, "1024x1024"),
            (ImageSize::Portrait, "1024x1536"),
            (ImageSize::OldPortrait, "1024x1536"),
            (ImageSize::Landscape, "1536x1024"),
            (ImageSize::OldLandscape, "1536x1024"),
        ] {
            assert_eq!(body("m", &request(size, ImageQuality::Standard, ImageStyle::Natural))["size"], sent);
        }
        let made = body("m", &request(ImageSize::Square, ImageQuality::Hd, ImageStyle::Vivid));
        assert_eq!((&made["quality"], &made["n"], &made["model"]), (&json!("high"), &json!(1), &json!("m")));
        assert_eq!(made.get("style"), None);
        assert_eq!(made.get("response_format"), None);
        let prompt = made["prompt"].as_str().unwrap();
        assert!(prompt.starts_with("A pot of tea\n") && prompt.contains("vivid"), "{prompt}");
    }

    #[test]
    fn a_refused_prompt_is_told_from_a_refused_request() {
        let context = Context {
            provider: "peer",
            model: "m",
            key: "",
            key_owner: crate::KeyOwner::Operator,
            prompt: "p",
            asks_json: false,
            max_tokens: 100,
        };
        let of = |status: u16, code: &str| {
            let body = json!({ "error": { "message": "no", "type": "image_generation_user_error", "code": code } });
            let status = reqwest::StatusCode::from_u16(status).unwrap();
            refusal(status, &Default::default(), body.to_string().as_bytes(), context).code()
        };
        assert_eq!(of(400, "moderation_blocked"), FaultCode::ValidationError);
        assert_eq!(of(400, "content_policy_violation"), FaultCode::ValidationError);
        assert_eq!(of(400, "invalid_value"), FaultCode::LlmError);
        assert_eq!(of(429, "rate_limit_exceeded"), FaultCode::RateLimitError);
    }
}

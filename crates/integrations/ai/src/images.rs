//! Pictures from a prompt: one call to an OpenAI-compatible `/images/generations`.
//!
//! Image models answer with the bytes in Base64, and refuse a `response_format`; their qualities are low, medium and high, and
//! they know no style, which therefore goes into the prompt.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use galley_domain::{
    Fault, FaultCode,
    image::{ImageModel, ImageQuality, ImageRequest, ImageSize, ImageStyle},
    usage::{CallOutcome, Meter},
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
    post::{Errand, Poster},
};

/// What a picture of 20 MiB takes in Base64, and the words around it.
const MAX_ANSWER_BYTES: usize = 28 << 20;
const OPERATION: &str = "image";

/// An image model behind an OpenAI-compatible address.
#[derive(Debug)]
pub struct OpenAiImages {
    poster: Poster,
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
        let errand = Errand { section: "images", made: "a picture", most_bytes: MAX_ANSWER_BYTES, refusal };
        Ok(Self { poster: Poster::new(endpoint, errand)? })
    }

    async fn call(&self, request: &ImageRequest, record: &mut Record, context: Context<'_>) -> Result<Vec<u8>, Fault> {
        let endpoint = self.poster.endpoint();
        let answer = self.poster.post(endpoint.images_url(), &body(&endpoint.model, request), record, context).await?;
        record.received(request.prompt.len());
        let made: Made = serde_json::from_slice(&answer).map_err(|_| no_picture(context))?;
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
        &self.poster.endpoint().model
    }

    async fn make(&self, request: &ImageRequest, meter: &Meter) -> Result<Vec<u8>, Fault> {
        let prompt = request.prompt.as_str();
        let context = self.poster.context(prompt);
        let mut record = Record::begin(self.poster.endpoint(), OPERATION, estimate_tokens(prompt), meter);
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

fn no_picture(context: Context<'_>) -> Fault {
    Fault::permanent(
        FaultCode::LlmError,
        format!(
            "The model provider {} did not answer with the bytes of a picture. The operator must check base_url and model \
             of [images].",
            context.provider
        ),
    )
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

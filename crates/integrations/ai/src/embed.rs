//! Vectors of texts: one call to an OpenAI-compatible `/embeddings`.

use async_trait::async_trait;
use galley_domain::{
    Fault, FaultCode,
    embedding::{Embedder, Side, Vector},
    usage::{CallOutcome, Meter},
};
use reqwest::{StatusCode, header::HeaderMap};
use serde::Deserialize;
use serde_json::json;

use crate::{
    chat::{
        faults::{Context, Problem, of_status},
        record::{Counted, Record},
    },
    endpoint::{Endpoint, EndpointError},
    fence::{estimate_tokens, fit},
    post::{Errand, Poster},
};

const OPERATION: &str = "embedding";
/// What 256 vectors of 4,096 numbers take as they are written.
const MAX_ANSWER_BYTES: usize = 32 << 20;
/// No model has longer vectors.
const MOST_DIMENSIONS: usize = 8_192;

/// An embedding model behind an OpenAI-compatible address.
#[derive(Debug)]
pub struct OpenAiEmbedder {
    poster: Poster,
    settings: EmbedSettings,
}

/// How an embedding model wants its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedSettings {
    /// What some models want in front of a question, such as `query: `.
    pub query_prefix: String,
    /// The same in front of a passage, such as `passage: `.
    pub passage_prefix: String,
    /// The most texts of one call.
    pub batch: usize,
}

impl Default for EmbedSettings {
    fn default() -> Self {
        Self { query_prefix: String::new(), passage_prefix: String::new(), batch: 64 }
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Datum>,
    usage: Option<Used>,
}

#[derive(Deserialize)]
struct Datum {
    index: Option<usize>,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Used {
    #[serde(default)]
    prompt_tokens: u64,
}

impl OpenAiEmbedder {
    /// Of the endpoint, `context_tokens` is the longest text; what is longer is cut.
    ///
    /// # Errors
    /// When the endpoint's settings cannot work; the message names the setting.
    pub fn new(endpoint: Endpoint, settings: EmbedSettings) -> Result<Self, EndpointError> {
        let errand = Errand { section: "embeddings", made: "vectors", most_bytes: MAX_ANSWER_BYTES, refusal };
        Ok(Self { poster: Poster::new(endpoint, errand)?, settings })
    }

    fn prefix(&self, side: Side) -> &str {
        match side {
            Side::Query => &self.settings.query_prefix,
            Side::Passage => &self.settings.passage_prefix,
        }
    }

    async fn call(&self, inputs: &[String], record: &mut Record, context: Context<'_>) -> Result<Vec<Vector>, Fault> {
        let endpoint = self.poster.endpoint();
        let body = json!({ "model": endpoint.model, "input": inputs, "encoding_format": "float" });
        let answer = self.poster.post(endpoint.embeddings_url(), &body, record, context).await?;
        let Answer { data, usage } = serde_json::from_slice(&answer).map_err(|_| no_vectors(context))?;
        if let Some(Used { prompt_tokens }) = usage.filter(|used| used.prompt_tokens > 0) {
            record.counted(Counted { prompt: prompt_tokens, completion: 0 });
        }
        in_order(data, inputs.len()).ok_or_else(|| no_vectors(context))
    }
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn version(&self) -> String {
        let Endpoint { provider, model, .. } = self.poster.endpoint();
        format!("{provider}/{model}")
    }

    fn text(&self, side: Side, text: &str) -> String {
        let most = usize::try_from(self.poster.endpoint().context_tokens).unwrap_or(usize::MAX);
        let prefix = self.prefix(side);
        let most = most.saturating_sub(estimate_tokens(prefix));
        let whole = fit(text, most);
        // One sentence may be longer than a model reads.
        let text = if whole.is_empty() { &text[..text.floor_char_boundary(most.saturating_mul(3))] } else { whole };
        format!("{prefix}{text}")
    }

    fn batch(&self) -> usize {
        self.settings.batch.max(1)
    }

    async fn embed(&self, texts: &[String], meter: &Meter) -> Result<Vec<Vector>, Fault> {
        let prompt = texts.join("\n");
        let context = self.poster.context(&prompt);
        let estimate = texts.iter().map(|text| estimate_tokens(text)).sum();
        let mut record = Record::begin(self.poster.endpoint(), OPERATION, estimate, meter);
        let made = self.call(texts, &mut record, context).await;
        record.finish(if made.is_ok() { CallOutcome::Ok } else { CallOutcome::Failed });
        made
    }
}

/// One vector for each text, in the order of the texts: answers may come in another. `None` where one is missing, there
/// twice, or no direction.
fn in_order(data: Vec<Datum>, texts: usize) -> Option<Vec<Vector>> {
    let mut out: Vec<Option<Vector>> = vec![None; texts];
    let dimensions = data.first()?.embedding.len();
    if data.len() != texts || dimensions > MOST_DIMENSIONS {
        return None;
    }
    for (place, Datum { index, embedding }) in data.into_iter().enumerate() {
        let slot = out.get_mut(index.unwrap_or(place)).filter(|slot| slot.is_none())?;
        *slot = Some(Vector::new(embedding).filter(|vector| vector.as_slice().len() == dimensions)?);
    }
    out.into_iter().collect()
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8], context: Context<'_>) -> Fault {
    match of_status(status, headers, body, context) {
        Problem::Call(error) => error.into(),
        Problem::Refused(_, fault) => fault,
    }
}

fn no_vectors(context: Context<'_>) -> Fault {
    Fault::permanent(
        FaultCode::LlmError,
        format!(
            "The model provider {} did not answer with one vector for each text. The operator must check base_url and \
             model of [embeddings].",
            context.provider
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datum(index: Option<usize>, embedding: &[f32]) -> Datum {
        Datum { index, embedding: embedding.to_vec() }
    }

    #[test]
    fn vectors_stand_in_the_order_of_the_texts() {
        let found = in_order(vec![datum(Some(1), &[0.0, 2.0]), datum(Some(0), &[3.0, 0.0])], 2).unwrap();
        assert_eq!(found.iter().map(Vector::as_slice).collect::<Vec<_>>(), [[1.0, 0.0], [0.0, 1.0]]);
        let found = in_order(vec![datum(None, &[0.0, 2.0]), datum(None, &[3.0, 0.0])], 2).unwrap();
        assert_eq!(found[0].as_slice(), [0.0, 1.0]);
    }

    #[test]
    fn answers_that_do_not_fit_are_none() {
        for (data, texts) in [
            (vec![], 0),
            (vec![datum(Some(0), &[1.0])], 2),
            (vec![datum(Some(0), &[1.0]), datum(Some(0), &[1.0])], 2),
            (vec![datum(Some(2), &[1.0]), datum(Some(0), &[1.0])], 2),
            (vec![datum(Some(0), &[1.0]), datum(Some(1), &[1.0, 0.5])], 2),
            (vec![datum(Some(0), &[0.0, 0.0])], 1),
            (vec![datum(Some(0), &[f32::NAN])], 1),
            (vec![datum(Some(0), &[])], 1),
            (vec![datum(Some(0), &[1.0; MOST_DIMENSIONS + 1])], 1),
        ] {
            assert!(in_order(data, texts).is_none());
        }
    }
}

//! A model that says whether a passage says what a sentence says.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::{
    Fault, Hidden,
    judge::{Judge, Judgement, Pair},
    usage::Meter,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    chat::{ChatClient, ChatRequest, Message, Replay},
    endpoint::{Endpoint, EndpointError, unusable_key},
    fence::{defuse, estimate_tokens, one_line},
    json::schema_of,
    prompts::JUDGE,
};

/// The most pairs of one call, and how much of each is shown, in characters.
const MOST_PAIRS: usize = 12;
const SENTENCE: usize = 600;
const PASSAGE: usize = 1_500;
/// What the prompt around the pairs takes, and what one answer may, in tokens.
const AROUND: usize = 400;
const TOKENS_OF_AN_ANSWER: u32 = 40;

/// Judges with a model behind an OpenAI-compatible address.
#[derive(Debug)]
pub struct OpenAiJudge {
    client: ChatClient,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Answer {
    #[schemars(length(min = 1, max = 12))]
    pairs: Vec<Judged>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Judged {
    number: u32,
    answer: Word,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Word {
    #[serde(alias = "Yes", alias = "YES")]
    Yes,
    #[serde(alias = "Partly", alias = "PARTLY")]
    Partly,
    #[serde(alias = "No", alias = "NO")]
    No,
}

impl OpenAiJudge {
    /// # Errors
    /// When the endpoint's settings cannot work; the message names the setting.
    pub fn new(endpoint: Endpoint) -> Result<Self, EndpointError> {
        // the same pair is to get the same answer
        Ok(Self { client: ChatClient::new(Endpoint { temperature: Some(0.0), ..endpoint })? })
    }

    /// The same judge with kept answers in the place of the model.
    #[must_use]
    pub fn replaying(&self, replay: Arc<Replay>) -> Self {
        Self { client: self.client.replaying(replay) }
    }
}

#[async_trait]
impl Judge for OpenAiJudge {
    fn version(&self) -> String {
        let Endpoint { provider, model, .. } = self.client.endpoint();
        format!("{provider}/{model}/judge.v{}", JUDGE.version)
    }

    fn with_key(&self, key: Hidden) -> Result<Option<Arc<dyn Judge>>, Fault> {
        let client = self.client.with_key(key).map_err(unusable_key)?;
        Ok(Some(Arc::new(Self { client })))
    }

    fn fitting(&self, pairs: &[Pair]) -> usize {
        let endpoint = self.client.endpoint();
        let context = usize::try_from(endpoint.context_tokens).unwrap_or(usize::MAX);
        let answer = usize::try_from(endpoint.answer_tokens()).unwrap_or(usize::MAX);
        let room = context.saturating_sub(AROUND + answer);
        let mut used = 0;
        let fits = pairs.iter().zip(1..).take_while(|(pair, number)| {
            used += estimate_tokens(&written(*number, pair));
            used <= room
        });
        fits.take(MOST_PAIRS).count().max(pairs.len().min(1))
    }

    async fn judge(&self, pairs: &[Pair], meter: &Meter) -> Result<Vec<Option<Judgement>>, Fault> {
        let written: Vec<String> = (1..).zip(pairs).map(|(number, pair)| written(number, pair)).collect();
        let values = [("pairs", written.join("\n\n"))];
        let values: Vec<(&str, &str)> = values.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let messages = vec![Message::System(JUDGE.system(&values)), Message::User(JUDGE.user(&values))];
        let enough =
            u32::try_from(pairs.len()).unwrap_or(u32::MAX).saturating_mul(TOKENS_OF_AN_ANSWER).saturating_add(64);
        let most = self.client.endpoint().answer_tokens();
        let max_tokens = if self.client.reasons() { most } else { most.min(enough) };
        let request = ChatRequest { messages, max_tokens, schema: Some(("judge", schema_of::<Answer>())) };
        let answer: Answer = self.client.complete_json(request, "judge", meter, |_| Ok(())).await?;
        let of = |number: usize| {
            let found = answer.pairs.iter().find(|judged| usize::try_from(judged.number) == Ok(number))?;
            Some(match found.answer {
                Word::Yes => Judgement::Yes,
                Word::Partly => Judgement::Partly,
                Word::No => Judgement::No,
            })
        };
        Ok((1..=pairs.len()).map(of).collect())
    }
}

fn written(number: usize, pair: &Pair) -> String {
    let sentence = one_line(&pair.sentence, SENTENCE);
    let passage: String = defuse(&pair.passage).chars().take(PASSAGE).collect();
    format!("Pair {number}\nSentence: {sentence}\n<excerpt source=\"{number}\">\n{passage}\n</excerpt>")
}

//! The models of the configuration: who writes, who judges, who ranks, who draws.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use galley_ai::{EmbedSettings, Endpoint, OpenAiEmbedder, OpenAiImages, OpenAiJudge, OpenAiWriter, Price, PriceTable};
use galley_compose::ExtractiveWriter;
use galley_domain::{image::ImageModel, judge::Judge, writing::Writer};
use galley_workers::{ConfiguredEmbedder, ConfiguredJudge, Unsupported};
use rust_decimal::Decimal;

use crate::config::{Config, UnsupportedMode, WriterKind};

/// How long an image model may take for one picture.
const IMAGE_TIME: Duration = Duration::from_secs(180);
/// How long an embedding model may take for one call: an article waits for it and can do without.
const EMBEDDING_TIME: Duration = Duration::from_secs(60);
/// The same for all calls of an outline, which has five minutes.
const EMBEDDINGS_TIME: Duration = Duration::from_secs(120);

pub fn writer(config: &Config) -> anyhow::Result<Arc<dyn Writer>> {
    match config.writer.kind {
        WriterKind::Extractive => Ok(Arc::new(ExtractiveWriter)),
        WriterKind::Openai => Ok(Arc::new(OpenAiWriter::new(writer_endpoint(config)?)?)),
    }
}

pub(super) fn judge(config: &Config) -> anyhow::Result<Option<ConfiguredJudge>> {
    let Some(endpoint) = judge_endpoint(config)? else { return Ok(None) };
    let judge = Arc::new(OpenAiJudge::new(endpoint).context("[judge]")?);
    Ok(Some(configured_judge(config, judge)))
}

/// An organization has given its key for the address of the writer, so it opens a judge there and nowhere else.
pub fn configured_judge(config: &Config, judge: Arc<dyn Judge>) -> ConfiguredJudge {
    let address = |url: &Option<String>| url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    let is_the_writers = config.writer.kind == WriterKind::Openai;
    let takes_model_key = is_the_writers && address(&config.judge.base_url) == address(&config.writer.base_url);
    ConfiguredJudge { judge, takes_model_key, calls: config.judge.calls, budget_usd: config.judge.budget_usd }
}

pub fn judge_endpoint(config: &Config) -> anyhow::Result<Option<Endpoint>> {
    let settings = &config.judge;
    let (Some(base_url), Some(model)) = (&settings.base_url, &settings.model) else { return Ok(None) };
    let mut endpoint = Endpoint::new(settings.provider.as_deref().unwrap_or("openai"), base_url, model)?;
    endpoint.api_key = settings.api_key.clone();
    endpoint.max_tokens = settings.max_tokens.unwrap_or(endpoint.max_tokens);
    endpoint.context_tokens = settings.context_tokens.unwrap_or(endpoint.context_tokens);
    endpoint.price = match (settings.prompt_price, settings.completion_price) {
        (Some(prompt), Some(completion)) => Some(Price { prompt, completion }),
        _ => PriceTable::builtin().find(model),
    };
    endpoint.keep_answers = config.writer.keep_answers;
    Ok(Some(endpoint))
}

pub(super) fn embedder(config: &Config) -> anyhow::Result<Option<ConfiguredEmbedder>> {
    let settings = &config.embeddings;
    let (Some(base_url), Some(model)) = (&settings.base_url, &settings.model) else { return Ok(None) };
    let mut endpoint = Endpoint::new(settings.provider.as_deref().unwrap_or("openai"), base_url, model)?;
    endpoint.api_key = settings.api_key.clone();
    endpoint.context_tokens = settings.context_tokens;
    endpoint.timeouts.total = EMBEDDING_TIME;
    let price = settings.price.map(|price| Price { prompt: price, completion: Decimal::ZERO });
    endpoint.price = price.or_else(|| PriceTable::builtin().find(model));
    anyhow::ensure!(
        endpoint.price.is_some() || settings.budget_usd.is_none(),
        "embeddings.budget_usd needs a price, and the built-in table has none of {model}: set embeddings.price"
    );
    let texts = EmbedSettings {
        query_prefix: settings.query_prefix.clone(),
        passage_prefix: settings.passage_prefix.clone(),
        batch: usize::try_from(settings.batch)?,
    };
    let embedder = Box::new(OpenAiEmbedder::new(endpoint, texts).context("[embeddings]")?);
    let (calls, budget_usd) = (settings.calls, settings.budget_usd);
    Ok(Some(ConfiguredEmbedder { embedder, calls, budget_usd, longest: EMBEDDINGS_TIME }))
}

pub(super) fn image_model(config: &Config) -> anyhow::Result<Option<Arc<dyn ImageModel>>> {
    let images = &config.images;
    let (Some(base_url), Some(model)) = (&images.base_url, &images.model) else { return Ok(None) };
    let mut endpoint = Endpoint::new(images.provider.as_deref().unwrap_or("openai"), base_url, model)?;
    endpoint.api_key = images.api_key.clone();
    endpoint.price = PriceTable::builtin().find(model);
    endpoint.timeouts.total = IMAGE_TIME;
    Ok(Some(Arc::new(OpenAiImages::new(endpoint).context("[images]")?)))
}

pub fn writer_endpoint(config: &Config) -> anyhow::Result<Endpoint> {
    let writer = &config.writer;
    let base_url = writer
        .base_url
        .as_deref()
        .context("writer.base_url is missing: set the address of the model server, with its /v1")?;
    let model = writer.model.as_deref().context("writer.model is missing: set the name of the model")?;
    let mut endpoint = Endpoint::new(writer.provider.as_deref().unwrap_or("openai"), base_url, model)?;
    endpoint.api_key = writer.api_key.clone();
    endpoint.max_tokens = writer.max_tokens.unwrap_or(endpoint.max_tokens);
    endpoint.context_tokens = writer.context_tokens.unwrap_or(endpoint.context_tokens);
    endpoint.temperature = writer.temperature.or(endpoint.temperature);
    endpoint.keep_answers = writer.keep_answers;
    endpoint.timeouts.first_byte = writer.first_token_seconds.map_or(endpoint.timeouts.first_byte, Duration::from_secs);
    endpoint.timeouts.idle = writer.idle_seconds.map_or(endpoint.timeouts.idle, Duration::from_secs);
    endpoint.timeouts.total = writer.total_seconds.map_or(endpoint.timeouts.total, Duration::from_secs);
    endpoint.price = match (writer.prompt_price, writer.completion_price) {
        (Some(prompt), Some(completion)) => Some(Price { prompt, completion }),
        _ => PriceTable::builtin().find(model),
    };
    Ok(endpoint)
}

pub fn unsupported(config: &Config) -> Unsupported {
    match config.writer.unsupported {
        UnsupportedMode::Mark => Unsupported::Mark,
        UnsupportedMode::Drop => Unsupported::Drop,
    }
}

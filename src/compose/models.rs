//! The models of the configuration: who writes, who judges, who ranks, who draws.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use galley_ai::{EmbedSettings, Endpoint, OpenAiEmbedder, OpenAiImages, OpenAiJudge, OpenAiWriter, Price, PriceTable};
use galley_compose::ExtractiveWriter;
use galley_domain::{image::ImageModel, writing::Writer};
use galley_workers::{ConfiguredEmbedder, ConfiguredJudge};
use rust_decimal::Decimal;

use crate::config::{Config, WriterKind};

/// How long an image model may take for one picture.
const IMAGE_TIME: Duration = Duration::from_secs(180);
/// How long an embedding model may take for one call: an article waits for it and can do without.
const EMBEDDING_TIME: Duration = Duration::from_secs(60);

pub fn writer(config: &Config) -> anyhow::Result<Arc<dyn Writer>> {
    match config.writer.kind {
        WriterKind::Extractive => Ok(Arc::new(ExtractiveWriter)),
        WriterKind::Openai => Ok(Arc::new(OpenAiWriter::new(endpoint(config)?)?)),
    }
}

pub(super) fn judge(config: &Config) -> anyhow::Result<Option<ConfiguredJudge>> {
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
    let judge = Box::new(OpenAiJudge::new(endpoint).context("[judge]")?);
    Ok(Some(ConfiguredJudge { judge, calls: settings.calls, budget_usd: settings.budget_usd }))
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
    let texts = EmbedSettings {
        query_prefix: settings.query_prefix.clone(),
        passage_prefix: settings.passage_prefix.clone(),
        batch: usize::try_from(settings.batch)?,
    };
    let embedder = Box::new(OpenAiEmbedder::new(endpoint, texts).context("[embeddings]")?);
    Ok(Some(ConfiguredEmbedder { embedder, calls: settings.calls, budget_usd: settings.budget_usd }))
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

fn endpoint(config: &Config) -> anyhow::Result<Endpoint> {
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
    endpoint.timeouts.idle = writer.idle_seconds.map_or(endpoint.timeouts.idle, Duration::from_secs);
    endpoint.timeouts.total = writer.total_seconds.map_or(endpoint.timeouts.total, Duration::from_secs);
    endpoint.price = match (writer.prompt_price, writer.completion_price) {
        (Some(prompt), Some(completion)) => Some(Price { prompt, completion }),
        _ => PriceTable::builtin().find(model),
    };
    Ok(endpoint)
}

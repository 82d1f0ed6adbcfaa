//! Writers that answer from what was kept, one for each step.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use galley_ai::{Endpoint, OpenAiJudge, OpenAiWriter, Recorded, Replay, Replayed};
use galley_compose::ExtractiveWriter;
use galley_domain::{article::SEO, task::StepKind, usage::KeptAnswer, writing::Writer};
use galley_services::ReplayCase;
use galley_store::rows;
use galley_workers::ConfiguredJudge;

use crate::{
    compose,
    config::{Config, WriterKind},
};

/// Where no model is configured any more; nobody is called there.
const NOWHERE: &str = "http://127.0.0.1:9/v1";

/// Kind and position of a step.
type Place = (String, usize);

/// A question of the replay, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub step: String,
    pub position: usize,
    pub operation: String,
    pub answered: Replayed,
}

#[derive(Debug)]
pub struct Writers {
    /// None: the built-in writer, which is asked anew.
    model: Option<OpenAiWriter>,
    replays: Mutex<BTreeMap<Place, Arc<Replay>>>,
}

impl Writers {
    /// As the configuration says today, so that a changed setting shows; only who has written the task is as it was.
    pub fn of(config: &Config, case: &ReplayCase) -> anyhow::Result<Self> {
        let model = case.by_model.then(|| model(config, case)).transpose()?;
        let replays =
            by_step(&case.answers).into_iter().map(|(place, recorded)| (place, Arc::new(Replay::new(recorded))));
        Ok(Self { model, replays: Mutex::new(replays.collect()) })
    }

    pub fn at(&self, kind: StepKind, position: usize) -> Arc<dyn Writer> {
        match &self.model {
            None => Arc::new(ExtractiveWriter),
            Some(model) => Arc::new(model.replaying(self.replay(kind, position))),
        }
    }

    pub fn judge(&self, config: &Config) -> anyhow::Result<Option<ConfiguredJudge>> {
        let Some(endpoint) = compose::judge_endpoint(config)? else { return Ok(None) };
        let judge = OpenAiJudge::new(endpoint).context("[judge]")?.replaying(self.replay(SEO, 0));
        Ok(Some(compose::configured_judge(config, Arc::new(judge))))
    }

    /// Every question that was asked, by step.
    pub fn told(&self) -> Vec<Question> {
        let replays = self.replays.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(place, replay): (&Place, &Arc<Replay>)| {
            let (step, position) = place.clone();
            let question = move |(operation, answered)| Question { step: step.clone(), position, operation, answered };
            replay.told().into_iter().map(question).collect::<Vec<_>>()
        };
        replays.iter().flat_map(of).collect()
    }

    /// A step that nothing was kept of has an empty one, so that its questions are told.
    fn replay(&self, kind: StepKind, position: usize) -> Arc<Replay> {
        let mut replays = self.replays.lock().unwrap_or_else(PoisonError::into_inner);
        let of_step = replays.entry((kind.as_str().to_owned(), position));
        Arc::clone(of_step.or_insert_with(|| Arc::new(Replay::new(Vec::new()))))
    }
}

fn model(config: &Config, case: &ReplayCase) -> anyhow::Result<OpenAiWriter> {
    let endpoint = match config.writer.kind {
        WriterKind::Openai => compose::writer_endpoint(config)?,
        WriterKind::Extractive => {
            let name =
                case.answers.iter().find(|answer| answer.operation != "judge").map(|answer| answer.model.as_str());
            Endpoint::new("openai", NOWHERE, name.unwrap_or("unknown"))?
        }
    };
    Ok(OpenAiWriter::new(endpoint)?)
}

/// The rows come newest attempt first, each attempt in the order of its calls.
fn by_step(rows: &[rows::ModelAnswer]) -> BTreeMap<Place, Vec<Recorded>> {
    let mut leases: BTreeMap<Place, Vec<uuid::Uuid>> = BTreeMap::new();
    let mut steps: BTreeMap<Place, Vec<Recorded>> = BTreeMap::new();
    for row in rows {
        let place = (row.kind.clone(), usize::try_from(row.position).unwrap_or(0));
        let attempts = leases.entry(place.clone()).or_default();
        let attempt = attempts.iter().position(|lease| *lease == row.lease).unwrap_or_else(|| {
            attempts.push(row.lease);
            attempts.len() - 1
        });
        let Ok(question) = row.question.as_slice().try_into() else { continue };
        let answer = KeptAnswer { question, text: row.answer.clone(), end: *row.ended };
        let count = |tokens: i64| u64::try_from(tokens).unwrap_or(0);
        steps.entry(place).or_default().push(Recorded {
            attempt,
            operation: row.operation.clone(),
            answer,
            prompt_tokens: count(row.prompt_tokens),
            completion_tokens: count(row.completion_tokens),
        });
    }
    steps
}

//! What a configured embedding model says of passages and topics. It ranks better what is there already; without it, or
//! when it cannot be asked, words alone decide.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use futures::{FutureExt, future::BoxFuture};
use galley_compose::likeness::{Likeness, Wanted};
use galley_domain::{
    Fault, OrgId,
    embedding::{Embedder, Side, Vector},
    usage::Meter,
};
use galley_engine::StepError;
use galley_store::{NewEmbedding, StoreError};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::{Toolbox, compute};

/// An embedding model and what it may take for one article.
#[derive(Debug)]
pub struct ConfiguredEmbedder {
    pub embedder: Box<dyn Embedder>,
    /// The most calls.
    pub calls: u32,
    /// No further call begins once so much was spent, in US dollars.
    pub budget_usd: Option<Decimal>,
    /// No further call begins after this: a slow model is no reason for an article to fail.
    pub longest: Duration,
}

/// Vectors by the hash of their text.
type Vectors = HashMap<Vec<u8>, Vector>;

/// Keeps what one call brought.
type Keep<'a> = &'a (dyn Fn(Vec<NewEmbedding>) -> BoxFuture<'a, Result<(), StoreError>> + Sync);

/// What was found out, and why not all of it.
#[derive(Debug, Default)]
struct Found {
    new: Vec<NewEmbedding>,
    warning: Option<String>,
}

impl Toolbox {
    /// How near the passages are to what is wanted, with warnings. A model that cannot be asked changes nothing.
    pub(super) async fn likeness(
        &self,
        org: OrgId,
        wanted: &Wanted,
        meter: &Meter,
    ) -> Result<(Likeness, Vec<String>), StepError> {
        let Some(bench) = &self.embedder else { return Ok((Likeness::default(), Vec::new())) };
        let texts = texts(bench.embedder.as_ref(), wanted);
        let hashes: Vec<Vec<u8>> = texts.keys().cloned().collect();
        let mut vectors = self.services.embeddings(org, &hashes).await?;
        // What was paid for stays, whatever becomes of the step.
        let keep = |new: Vec<NewEmbedding>| async move { self.services.keep_embeddings(org, &new).await }.boxed();
        let found = asked(bench, &texts, &vectors, meter, &keep).await?;
        vectors.extend(found.new.into_iter().map(|new| (new.hash, new.vector)));
        let hash = |side, text: &str| hash(bench.embedder.as_ref(), side, text).0;
        let all = wanted.texts();
        let by_text: HashMap<(bool, String), Vector> = all
            .into_iter()
            .filter_map(|(side, text)| {
                Some(((side == Side::Query, text.to_owned()), vectors.remove(&hash(side, text))?))
            })
            .collect();
        let wanted = wanted.clone();
        let find = move || Likeness::new(&wanted, |side, text| by_text.get(&(side == Side::Query, text.to_owned())));
        Ok((compute(find).await?, found.warning.into_iter().collect()))
    }
}

/// The texts as the model wants them, by their hash.
fn texts(embedder: &dyn Embedder, wanted: &Wanted) -> HashMap<Vec<u8>, String> {
    wanted.texts().into_iter().map(|(side, text)| hash(embedder, side, text)).collect()
}

fn hash(embedder: &dyn Embedder, side: Side, text: &str) -> (Vec<u8>, String) {
    let (version, text) = (embedder.version(), embedder.text(side, text));
    let mut hash = Sha256::new();
    for part in [version.as_str(), &text] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    (hash.finalize().to_vec(), text)
}

/// Asks for what is not known yet, call by call, within the limits.
async fn asked(
    bench: &ConfiguredEmbedder,
    texts: &HashMap<Vec<u8>, String>,
    known: &Vectors,
    meter: &Meter,
    keep: Keep<'_>,
) -> Result<Found, StoreError> {
    let mut open: Vec<(&Vec<u8>, &String)> = texts.iter().filter(|(hash, _)| !known.contains_key(*hash)).collect();
    // A map has no order, and the same order is to make the same calls.
    open.sort();
    let (mut found, before, begin) = (Found::default(), meter.cost_usd(), Instant::now());
    for (calls, portion) in (0..).zip(open.chunks(bench.embedder.batch().max(1))) {
        let spent = meter.cost_usd() - before;
        let limit = match () {
            () if calls >= bench.calls => Some("embeddings.calls"),
            () if bench.budget_usd.is_some_and(|most| spent >= most) => Some("embeddings.budget_usd"),
            () if begin.elapsed() >= bench.longest => Some("the time that an outline has"),
            () => None,
        };
        let left = open.len() - found.new.len();
        if let Some(limit) = limit {
            found.warning =
                Some(format!("{left} texts were ranked by words alone: {limit} allows no more for one article"));
            break;
        }
        let batch: Vec<String> = portion.iter().map(|(_, text)| (*text).clone()).collect();
        match vectors(bench.embedder.as_ref(), &batch, known, &found, meter).await {
            Ok(vectors) => {
                let new = portion.iter().zip(vectors);
                let new: Vec<NewEmbedding> =
                    new.map(|((hash, _), vector)| NewEmbedding { hash: (*hash).clone(), vector }).collect();
                keep(new.clone()).await?;
                found.new.extend(new);
            }
            Err(fault) => {
                found.warning = Some(format!("{left} texts were ranked by words alone: {fault}"));
                break;
            }
        }
    }
    Ok(found)
}

/// One call. Vectors of another length than those from before are of another model under the same name.
async fn vectors(
    embedder: &dyn Embedder,
    batch: &[String],
    known: &Vectors,
    found: &Found,
    meter: &Meter,
) -> Result<Vec<Vector>, Fault> {
    let made = embedder.embed(batch, meter).await?;
    let lengths: HashSet<usize> = (made.iter().chain(known.values()).chain(found.new.iter().map(|new| &new.vector)))
        .map(|vector| vector.as_slice().len())
        .collect();
    if made.len() != batch.len() || lengths.len() > 1 {
        return Err(Fault::permanent(
            galley_domain::FaultCode::LlmError,
            format!(
                "The vectors of {} are not as long as before. Where the model was exchanged, give it another name in \
                 embeddings.model.",
                embedder.version()
            ),
        ));
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use galley_domain::{
        FaultCode,
        usage::{CallOutcome, Usage},
    };

    use super::*;

    /// Vectors of `dimensions` numbers, or a fault.
    #[derive(Debug, Clone)]
    struct Fake {
        dimensions: Result<usize, ()>,
        asked: Arc<Mutex<Vec<usize>>>,
    }

    #[async_trait]
    impl Embedder for Fake {
        fn version(&self) -> String {
            "peer/m1".into()
        }

        fn text(&self, _: Side, text: &str) -> String {
            text.to_owned()
        }

        fn batch(&self) -> usize {
            2
        }

        async fn embed(&self, texts: &[String], meter: &Meter) -> Result<Vec<Vector>, Fault> {
            self.asked.lock().expect("no panic").push(texts.len());
            meter.record(Usage {
                provider: "peer".into(),
                model: "m1".into(),
                operation: "embedding".into(),
                prompt_tokens: 1,
                completion_tokens: 0,
                estimated: false,
                cost_usd: Decimal::ONE,
                duration_ms: 1,
                outcome: CallOutcome::Ok,
                answer: None,
            });
            let dimensions = self.dimensions.map_err(|()| Fault::transient(FaultCode::RateLimitError, "busy"))?;
            Ok(vec![Vector::new(vec![1.0; dimensions]).expect("a direction"); texts.len()])
        }
    }

    fn bench(dimensions: Result<usize, ()>, calls: u32, budget_usd: Option<Decimal>) -> (ConfiguredEmbedder, Fake) {
        let fake = Fake { dimensions, asked: Arc::default() };
        (
            ConfiguredEmbedder {
                embedder: Box::new(fake.clone()),
                calls,
                budget_usd,
                longest: Duration::from_secs(60),
            },
            fake,
        )
    }

    async fn run(bench: &ConfiguredEmbedder, known: &Vectors) -> Found {
        let texts = (0..5_u8).map(|n| (vec![n; 32], format!("text {n}"))).collect();
        asked(bench, &texts, known, &Meter::default(), &|_| async { Ok(()) }.boxed()).await.expect("kept")
    }

    #[tokio::test]
    async fn a_slow_model_is_given_up() {
        let (mut bench, fake) = bench(Ok(3), 10, None);
        bench.longest = Duration::ZERO;
        let found = run(&bench, &HashMap::new()).await;
        let warning = found.warning.expect("one");
        assert!(warning.starts_with("5 texts were ranked by words alone: the time"), "{warning}");
        assert!(found.new.is_empty() && fake.asked.lock().expect("no panic").is_empty());
    }

    /// What a step that is stopped between two calls has paid for is kept.
    #[tokio::test]
    async fn each_call_is_kept_before_the_next_one() {
        let (bench, fake) = bench(Ok(3), 10, None);
        let texts = (0..5_u8).map(|n| (vec![n; 32], format!("text {n}"))).collect();
        let calls = Mutex::new(Vec::new());
        let keep = |new: Vec<NewEmbedding>| {
            calls.lock().expect("no panic").push((new.len(), fake.asked.lock().expect("no panic").len()));
            async { Ok(()) }.boxed()
        };
        asked(&bench, &texts, &HashMap::new(), &Meter::default(), &keep).await.expect("kept");
        assert_eq!(*calls.lock().expect("no panic"), [(2, 1), (2, 2), (1, 3)]);
    }

    #[tokio::test]
    async fn what_is_known_is_not_asked_again() {
        let (bench, fake) = bench(Ok(3), 10, None);
        let known = HashMap::from([(vec![1; 32], Vector::new(vec![1.0; 3]).expect("a direction"))]);
        let found = run(&bench, &known).await;
        assert_eq!((found.new.len(), found.warning), (4, None));
        assert!(found.new.iter().all(|new| new.hash != vec![1; 32]));
        assert_eq!(*fake.asked.lock().expect("no panic"), [2, 2]);
    }

    #[tokio::test]
    async fn calls_and_money_have_a_limit() {
        let (few, _) = bench(Ok(3), 1, None);
        let found = run(&few, &HashMap::new()).await;
        let warning = found.warning.expect("one");
        assert_eq!(found.new.len(), 2);
        assert!(warning.starts_with("3 texts were ranked by words alone: embeddings.calls"), "{warning}");
        let (cheap, _) = bench(Ok(3), 10, Some(Decimal::TWO));
        let found = run(&cheap, &HashMap::new()).await;
        let warning = found.warning.expect("one");
        assert_eq!(found.new.len(), 4);
        assert!(warning.starts_with("1 texts were ranked by words alone: embeddings.budget_usd"), "{warning}");
    }

    #[tokio::test]
    async fn a_model_that_is_away_is_a_warning() {
        let (bench, fake) = bench(Err(()), 10, None);
        let found = run(&bench, &HashMap::new()).await;
        assert_eq!(found.warning.as_deref(), Some("5 texts were ranked by words alone: busy"));
        assert_eq!((found.new.len(), fake.asked.lock().expect("no panic").len()), (0, 1));
    }

    #[tokio::test]
    async fn a_model_that_was_exchanged_is_told() {
        let (bench, _) = bench(Ok(4), 10, None);
        let known = HashMap::from([(vec![1; 32], Vector::new(vec![1.0; 3]).expect("a direction"))]);
        let found = run(&bench, &known).await;
        assert!(found.new.is_empty());
        assert!(found.warning.expect("one").contains("give it another name"));
    }
}

//! A configured judge looks at the sentences that have support. It may lower their verdicts, never raise one.

use std::{collections::HashMap, sync::Arc};

use galley_compose::claims::PlacedClaim;
use galley_domain::{
    OrgId,
    judge::{Judge, Judgement, Pair},
    usage::Meter,
    writing::{Snapshot, Verdict},
};
use galley_engine::StepError;
use galley_services::Services;
use galley_store::NewJudgement;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

/// A judge and what it may take for one article.
#[derive(Debug, Clone)]
pub struct ConfiguredJudge {
    pub judge: Arc<dyn Judge>,
    /// Whether an organization's own model key opens it: it does where judge and writer are called at the same address. A
    /// key goes nowhere else than where the organization sends it.
    pub takes_model_key: bool,
    /// The most calls.
    pub calls: u32,
    /// No further call begins once so much was spent, in US dollars.
    pub budget_usd: Option<Decimal>,
}

/// A pair and its place among the claims.
#[derive(Debug)]
struct Case {
    claim: usize,
    pair: Pair,
    hash: Vec<u8>,
}

/// What was found out, by hash, and what the reader should know.
#[derive(Debug, Default)]
struct Found {
    judgements: HashMap<Vec<u8>, Judgement>,
    new: Vec<NewJudgement>,
    warning: Option<String>,
}

/// The judge of an article, with what it said before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bench<'a> {
    pub judge: Option<&'a ConfiguredJudge>,
    pub services: &'a Services,
    pub org: OrgId,
    /// A replay writes nothing.
    pub keeps: bool,
}

impl Bench<'_> {
    /// Lowers the verdicts that the judge does not share; answers warnings. A judge that cannot be asked leaves them as
    /// they are.
    pub(super) async fn judged(
        self,
        claims: &mut [PlacedClaim],
        sources: &[Snapshot],
        meter: &Meter,
    ) -> Result<Vec<String>, StepError> {
        let Some(configured) = self.judge else { return Ok(Vec::new()) };
        let cases = cases(configured.judge.as_ref(), claims, sources);
        let hashes: Vec<Vec<u8>> = cases.iter().map(|case| case.hash.clone()).collect();
        let known = self.services.judgements(self.org, &hashes).await?;
        let found = asked(configured, &cases, known, meter).await;
        if self.keeps {
            self.services.keep_judgements(self.org, &found.new).await?;
        }
        Ok(lowered(&configured.judge.version(), claims, &cases, found))
    }
}

fn cases(judge: &dyn Judge, claims: &[PlacedClaim], sources: &[Snapshot]) -> Vec<Case> {
    let version = judge.version();
    let case = |(at, placed): (usize, &PlacedClaim)| {
        let claim = &placed.claim;
        if !matches!(claim.verdict, Verdict::Supported | Verdict::Partly) {
            return None;
        }
        let passage = claim.span?.text_in(sources)?;
        // a sentence that stands in the passage as it is needs no opinion
        if passage.contains(claim.sentence.trim()) {
            return None;
        }
        let mut hash = Sha256::new();
        for part in [version.as_str(), &claim.sentence, passage] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let pair = Pair { sentence: claim.sentence.clone(), passage: passage.to_owned() };
        Some(Case { claim: at, pair, hash: hash.finalize().to_vec() })
    };
    claims.iter().enumerate().filter_map(case).collect()
}

/// Asks for what is not known yet, call by call, within the limits.
async fn asked(bench: &ConfiguredJudge, cases: &[Case], known: HashMap<Vec<u8>, Judgement>, meter: &Meter) -> Found {
    let open: Vec<&Case> = cases.iter().filter(|case| !known.contains_key(&case.hash)).collect();
    let pairs: Vec<Pair> = open.iter().map(|case| case.pair.clone()).collect();
    let mut found = Found { judgements: known, ..Found::default() };
    let (mut at, mut calls, before) = (0, 0, meter.cost_usd());
    while at < open.len() {
        let spent = meter.cost_usd() - before;
        if calls >= bench.calls || bench.budget_usd.is_some_and(|most| spent >= most) {
            let left = open.len() - at;
            let limit = if calls >= bench.calls { "judge.calls" } else { "judge.budget_usd" };
            found.warning = Some(format!("{left} sentences were not judged: {limit} allows no more for one article"));
            break;
        }
        let size = bench.judge.fitting(&pairs[at..]).clamp(1, open.len() - at);
        calls += 1;
        match bench.judge.judge(&pairs[at..at + size], meter).await {
            Ok(answers) => {
                for (case, judgement) in open[at..at + size].iter().zip(answers) {
                    let Some(judgement) = judgement else { continue };
                    found.judgements.insert(case.hash.clone(), judgement);
                    found.new.push(NewJudgement { hash: case.hash.clone(), judgement });
                }
            }
            Err(fault) => {
                found.warning = Some(format!("{} sentences were not judged: {fault}", open.len() - at));
                break;
            }
        }
        at += size;
    }
    found
}

fn lowered(version: &str, claims: &mut [PlacedClaim], cases: &[Case], found: Found) -> Vec<String> {
    let mut count = 0;
    for case in cases {
        let Some(judgement) = found.judgements.get(&case.hash) else { continue };
        let claim = &mut claims[case.claim].claim;
        let verdict = judgement.lowers(claim.verdict);
        if verdict != claim.verdict {
            count += 1;
            claim.verdict = verdict;
            let model = version.rsplit_once('/').map_or(version, |(model, _)| model);
            claim.missing.push(format!("in the judgement of {model}: {}", judgement.as_str()));
        }
    }
    let lowered = (count > 0).then(|| format!("the verdict of {count} sentences was lowered by the judge"));
    lowered.into_iter().chain(found.warning).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use galley_domain::{
        Fault, FaultCode,
        usage::{CallOutcome, Usage},
        writing::{Claim, Origin, Span},
    };

    use super::*;

    const PASSAGE: &str = "Omniva opened 120 parcel lockers in Riga.";

    #[derive(Debug)]
    struct Fake {
        answer: Result<Judgement, ()>,
        asked: Mutex<Vec<usize>>,
    }

    #[async_trait]
    impl Judge for Fake {
        fn version(&self) -> String {
            "peer/m1/judge.v1".into()
        }

        fn fitting(&self, _: &[Pair]) -> usize {
            2
        }

        async fn judge(&self, pairs: &[Pair], meter: &Meter) -> Result<Vec<Option<Judgement>>, Fault> {
            self.asked.lock().expect("no panic").push(pairs.len());
            meter.record(Usage {
                provider: "peer".into(),
                model: "m1".into(),
                operation: "judge".into(),
                prompt_tokens: 1,
                completion_tokens: 1,
                estimated: false,
                cost_usd: Decimal::ONE,
                duration_ms: 1,
                outcome: CallOutcome::Ok,
                answer: None,
            });
            let answer = self.answer.map_err(|()| Fault::transient(FaultCode::RateLimitError, "busy"))?;
            Ok(vec![Some(answer); pairs.len()])
        }
    }

    fn bench(
        answer: Result<Judgement, ()>,
        calls: u32,
        budget_usd: Option<Decimal>,
    ) -> (ConfiguredJudge, &'static Fake) {
        let fake: &'static Fake = Box::leak(Box::new(Fake { answer, asked: Mutex::default() }));
        (ConfiguredJudge { judge: Arc::new(Shared(fake)), takes_model_key: false, calls, budget_usd }, fake)
    }

    #[derive(Debug)]
    struct Shared(&'static Fake);

    #[async_trait]
    impl Judge for Shared {
        fn version(&self) -> String {
            self.0.version()
        }

        fn fitting(&self, pairs: &[Pair]) -> usize {
            self.0.fitting(pairs)
        }

        async fn judge(&self, pairs: &[Pair], meter: &Meter) -> Result<Vec<Option<Judgement>>, Fault> {
            self.0.judge(pairs, meter).await
        }
    }

    fn claims(count: usize, verdict: Verdict) -> Vec<PlacedClaim> {
        let claim = |index: usize| PlacedClaim {
            section: 0,
            paragraph: 0,
            index,
            claim: Claim {
                sentence: format!("Omniva closed {index} lockers."),
                verdict,
                span: Some(Span { source: 1, start: 0, end: PASSAGE.len() }),
                coverage_permille: 900,
                missing: Vec::new(),
            },
        };
        (0..count).map(claim).collect()
    }

    fn sources() -> Vec<Snapshot> {
        let origin = Origin::File { name: "a.txt".into() };
        vec![Snapshot { number: 1, title: "Lockers".into(), origin, language: None, text: PASSAGE.into() }]
    }

    async fn run(
        bench: &ConfiguredJudge,
        claims: &mut [PlacedClaim],
        known: HashMap<Vec<u8>, Judgement>,
    ) -> (Vec<String>, usize) {
        let cases = cases(bench.judge.as_ref(), claims, &sources());
        let found = asked(bench, &cases, known, &Meter::default()).await;
        let new = found.new.len();
        (lowered(&bench.judge.version(), claims, &cases, found), new)
    }

    fn verdicts(claims: &[PlacedClaim]) -> Vec<Verdict> {
        claims.iter().map(|placed| placed.claim.verdict).collect()
    }

    #[tokio::test]
    async fn a_verdict_is_lowered_and_says_by_whom() {
        let (bench, fake) = bench(Ok(Judgement::No), 10, None);
        let mut all = claims(3, Verdict::Supported);
        let (warnings, new) = run(&bench, &mut all, HashMap::new()).await;
        assert_eq!(verdicts(&all), [Verdict::Unsupported; 3]);
        assert_eq!(all[0].claim.missing, ["in the judgement of peer/m1: no"]);
        assert_eq!((warnings.len(), new), (1, 3));
        assert_eq!(*fake.asked.lock().expect("no panic"), [2, 1]);
    }

    #[tokio::test]
    async fn none_is_raised_and_what_needs_no_opinion_is_not_asked() {
        let (bench, fake) = bench(Ok(Judgement::Yes), 10, None);
        let mut partly = claims(1, Verdict::Partly);
        let (warnings, _) = run(&bench, &mut partly, HashMap::new()).await;
        assert_eq!((verdicts(&partly), warnings.len()), (vec![Verdict::Partly], 0));
        for verdict in [Verdict::Unsupported, Verdict::NoClaim] {
            run(&bench, &mut claims(2, verdict), HashMap::new()).await;
        }
        let mut quoted = claims(1, Verdict::Supported);
        quoted[0].claim.sentence = PASSAGE.into();
        run(&bench, &mut quoted, HashMap::new()).await;
        assert_eq!(fake.asked.lock().expect("no panic").len(), 1);
    }

    #[tokio::test]
    async fn what_was_judged_before_is_not_asked_again() {
        let (bench, fake) = bench(Ok(Judgement::No), 10, None);
        let mut all = claims(2, Verdict::Supported);
        let known = cases(bench.judge.as_ref(), &all, &sources()).into_iter().map(|case| (case.hash, Judgement::No));
        let (_, new) = run(&bench, &mut all, known.collect()).await;
        assert_eq!((verdicts(&all), new), (vec![Verdict::Unsupported; 2], 0));
        assert!(fake.asked.lock().expect("no panic").is_empty());
    }

    #[tokio::test]
    async fn calls_and_money_have_a_limit() {
        let (few, fake) = bench(Ok(Judgement::No), 2, None);
        let mut all = claims(7, Verdict::Supported);
        let (warnings, _) = run(&few, &mut all, HashMap::new()).await;
        assert_eq!(fake.asked.lock().expect("no panic").len(), 2);
        assert!(warnings[1].starts_with("3 sentences were not judged: judge.calls"), "{warnings:?}");

        let (cheap, fake) = bench(Ok(Judgement::No), 10, Some(Decimal::ONE));
        let (warnings, _) = run(&cheap, &mut claims(7, Verdict::Supported), HashMap::new()).await;
        assert_eq!(fake.asked.lock().expect("no panic").len(), 1);
        assert!(warnings[1].starts_with("5 sentences were not judged: judge.budget_usd"), "{warnings:?}");
    }

    #[tokio::test]
    async fn a_judge_that_is_away_leaves_the_verdicts_and_says_so() {
        let (bench, _) = bench(Err(()), 10, None);
        let mut all = claims(3, Verdict::Supported);
        let (warnings, _) = run(&bench, &mut all, HashMap::new()).await;
        assert_eq!(
            (verdicts(&all), warnings),
            (vec![Verdict::Supported; 3], vec!["3 sentences were not judged: busy".to_owned()])
        );
    }
}

//! Research: reads what the order names and what a search finds, and freezes it.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use galley_domain::{
    Fault, FaultCode, article,
    order::ArticleOrder,
    task::StepKind,
    writing::{Brief, Snapshot},
};
use galley_services::pipelines;
use galley_store::NewSource;
use sha2::{Digest, Sha256};

use super::{Toolbox, compute, reading, reading::Reading};
use galley_engine::{Output, Step, StepContext, StepError};

/// Sources that are read at the same time.
const AT_ONCE: usize = 5;
/// All texts of one task together; ranked last goes first.
const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;

pub(crate) struct Research(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Research {
    fn kind(&self) -> StepKind {
        article::RESEARCH
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, task) = cx.owner()?;
        let order = self.0.services.order_of(org, task).await?;
        let mut readings = self.read_given(cx, &order).await?;
        readings.extend(self.read_found(cx, &order).await);
        let asked = !readings.is_empty();
        let (snapshots, mut warnings, transient) = sort_out(readings);
        if snapshots.is_empty() && (asked || self.0.writer.name() == "extractive") {
            return Err(nothing_left(&warnings, transient).into());
        }
        let brief = order.brief;
        let read = snapshots.len();
        let sources = compute(move || freeze(&brief, snapshots)).await?;
        if sources.len() < read {
            let dropped = read - sources.len();
            warnings.push(format!("{dropped} of {read} sources were left out: together they are too long"));
        }
        cx.report(&format!("{} sources read", sources.len())).await;
        Ok(pipelines::article::research(cx.step.run, sources, warnings))
    }
}

impl Research {
    async fn read_given(&self, cx: &StepContext, order: &ArticleOrder) -> Result<Vec<Reading>, StepError> {
        let (org, _) = cx.owner()?;
        let links: Vec<BoxFuture<'_, Reading>> =
            order.reference_links.iter().map(|url| reading::link(&self.0.fetcher, url).boxed()).collect();
        let mut readings: Vec<Reading> = stream::iter(links).buffered(AT_ONCE).collect().await;
        for id in &order.uploaded_files {
            readings.push(reading::file(&self.0.services, org, *id).await?);
        }
        Ok(readings)
    }

    /// A search that fails is a warning: what the client gave is still there.
    async fn read_found(&self, cx: &StepContext, order: &ArticleOrder) -> Vec<Reading> {
        let Some(search) = self.0.search.as_ref().filter(|_| order.search) else { return Vec::new() };
        let query = query_of(&order.brief);
        let hits = match search.search(&query, &order.brief.language, self.0.search_results).await {
            Ok(hits) => hits,
            Err(fault) => {
                let warning = format!("the search with {} failed: {fault}", search.name());
                return vec![Reading::Nothing { warning, transient: fault.is_transient() }];
            }
        };
        cx.report(&format!("{} pages found by {}", hits.len(), search.name())).await;
        let new: Vec<String> =
            hits.into_iter().map(|hit| hit.url).filter(|url| !order.reference_links.contains(url)).collect();
        let reads: Vec<BoxFuture<'_, Reading>> =
            new.iter().map(|url| reading::hit(&self.0.fetcher, url, &query).boxed()).collect();
        stream::iter(reads).buffered(AT_ONCE).collect().await
    }
}

/// The keywords say best what to look for; a prompt is full of instructions.
fn query_of(brief: &Brief) -> String {
    if brief.keywords.is_empty() { brief.prompt.clone() } else { brief.keywords.join(" ") }
}

/// Splits readings into texts and warnings, and says whether another try could read more.
fn sort_out(readings: Vec<Reading>) -> (Vec<Snapshot>, Vec<String>, bool) {
    let (mut texts, mut all_warnings, mut may_come) = (Vec::new(), Vec::new(), false);
    let mut seen = HashSet::new();
    for reading in readings {
        match reading {
            Reading::Nothing { warning, transient } => {
                all_warnings.push(warning);
                may_come |= transient;
            }
            Reading::Text { snapshot, warnings } => {
                all_warnings.extend(warnings);
                if seen.insert(Sha256::digest(snapshot.text.as_bytes())) {
                    texts.push(snapshot);
                } else {
                    all_warnings
                        .push(format!("{} says the same as another source; it was left out", snapshot.origin.label()));
                }
            }
        }
    }
    (texts, all_warnings, may_come)
}

fn nothing_left(warnings: &[String], transient: bool) -> Fault {
    let reasons = if warnings.is_empty() { "no source was given or found".to_owned() } else { warnings.join("; ") };
    let message = format!("nothing is left to write from: {reasons}. Give other links or files and retry");
    if transient {
        Fault::transient(FaultCode::WorkflowError, message)
    } else {
        Fault::permanent(FaultCode::WorkflowError, message)
    }
}

/// Ranks the texts for the brief, numbers them best first, and hashes them.
fn freeze(brief: &Brief, mut snapshots: Vec<Snapshot>) -> Vec<NewSource> {
    for (number, snapshot) in (1..).zip(snapshots.iter_mut()) {
        snapshot.number = number;
    }
    let order = galley_compose::rank(brief, &snapshots);
    snapshots.sort_by_key(|snapshot| order.iter().position(|number| *number == snapshot.number));
    let mut bytes = 0;
    snapshots
        .into_iter()
        .take_while(|snapshot| {
            // The best one always stays; no single text is longer than its reader's limit.
            let first = bytes == 0;
            bytes += snapshot.text.len();
            first || bytes <= MAX_TEXT_BYTES
        })
        .zip(1..)
        .map(|(snapshot, number)| NewSource {
            number,
            origin: snapshot.origin,
            title: snapshot.title,
            language: snapshot.language,
            sha256: hex(&Sha256::digest(snapshot.text.as_bytes())),
            words: galley_text::word::count(&snapshot.text),
            text: snapshot.text,
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use galley_domain::writing::Origin;

    use super::*;

    fn text(name: &str, text: &str) -> Reading {
        let origin = Origin::File { name: name.into() };
        let snapshot = Snapshot { number: 0, title: name.into(), origin, language: None, text: text.into() };
        Reading::Text { snapshot, warnings: Vec::new() }
    }

    #[test]
    fn the_same_text_twice_is_one_source_and_a_warning() {
        let (texts, warnings, _) = sort_out(vec![text("a", "same"), text("b", "same"), text("c", "other")]);
        assert_eq!(texts.len(), 2);
        assert_eq!(warnings, ["b says the same as another source; it was left out"]);
    }

    #[test]
    fn only_a_transient_reason_is_worth_another_try() {
        assert!(nothing_left(&["x".into()], true).is_transient());
        assert!(!nothing_left(&["x".into()], false).is_transient());
    }
}

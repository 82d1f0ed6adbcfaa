//! Research: reads what the order names and what a search finds, and freezes it.

mod found;
mod judged;
mod pictures;

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use galley_compose::{ExtractiveWriter, searches};
use galley_domain::{
    Fault, FaultCode, article,
    image::SourceImages,
    order::ArticleOrder,
    task::StepKind,
    writing::{Snapshot, Writer},
};
use galley_services::pipelines::{self, article::Researched};
use pictures::{Held, OfText};
use sha2::{Digest, Sha256};

use super::{Toolbox, compute, reading, reading::Reading};
use galley_engine::{Output, Step, StepContext, StepError};

/// Sources that are read at the same time.
const AT_ONCE: usize = 5;

pub(crate) struct Research(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Research {
    fn kind(&self) -> StepKind {
        article::RESEARCH
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, task) = cx.owner()?;
        let order = self.0.services.order_of(org, task).await?;
        let mut held = Held::new(order.source_images);
        let mut readings = self.read_given(cx, &order, &mut held).await?;
        readings.extend(self.read_found(cx, &order, &mut held).await);
        let asked = !readings.is_empty();
        let Sorted { texts: snapshots, mut warnings, may_come: transient, pictures } = sort_out(readings);
        if snapshots.is_empty() && (asked || self.0.writer.name() == ExtractiveWriter.name()) {
            return Err(nothing_left(&warnings, transient).into());
        }
        let (brief, policy) = (order.brief.clone(), self.0.off_topic);
        let by_model = self.0.writer.name() != ExtractiveWriter.name();
        let judged = compute(move || judged::judge(&brief, snapshots, policy, by_model)).await??;
        let sources = judged.sources;
        warnings.extend(judged.warnings);
        cx.report(&format!("{} sources read", sources.len())).await;
        let images = match order.source_images {
            SourceImages::None => Vec::new(),
            SourceImages::Offer | SourceImages::Place => {
                let (images, warning) = pictures::kept(&self.0, cx, &sources, pictures).await?;
                warnings.extend(warning);
                images
            }
        };
        let files_quota = self.0.services.settings().files_quota;
        Ok(pipelines::article::research(cx.step.run, Researched { sources, images, files_quota }, warnings))
    }
}

impl Research {
    async fn read_given(
        &self,
        cx: &StepContext,
        order: &ArticleOrder,
        held: &mut Held,
    ) -> Result<Vec<Reading>, StepError> {
        let (org, _) = cx.owner()?;
        let links: Vec<BoxFuture<'_, Reading>> =
            order.reference_links.iter().map(|url| reading::link(&self.0.fetcher, url).boxed()).collect();
        let mut readings: Vec<Reading> =
            stream::iter(links).buffered(AT_ONCE).map(|reading| held.fit(reading)).collect().await;
        for id in &order.uploaded_files {
            readings.push(held.fit(reading::file(&self.0.services, org, *id).await?));
        }
        Ok(readings)
    }

    /// A search that fails is a warning: what the client gave is still there.
    async fn read_found(&self, cx: &StepContext, order: &ArticleOrder, held: &mut Held) -> Vec<Reading> {
        let Some(search) = self.0.search.as_ref().filter(|_| order.search) else { return Vec::new() };
        let (mut readings, mut lists) = (Vec::new(), Vec::new());
        for query in searches::queries(&order.brief) {
            match search.search(&query, &order.brief.language, self.0.search_results).await {
                Ok(hits) => lists.push((query, hits)),
                Err(fault) => {
                    let warning = format!("the search with {} failed: {fault}", search.name());
                    readings.push(Reading::Nothing { warning, transient: fault.is_transient() });
                    // The next one would fail the same way, after the same wait.
                    break;
                }
            }
        }
        let (chosen, reasons) = found::choose(&lists, &order.brief, &order.reference_links, self.0.search_results);
        cx.report(&format!("{} pages found by {} with {} queries", chosen.len(), search.name(), lists.len())).await;
        readings.extend(reasons.into_iter().map(|warning| Reading::Nothing { warning, transient: false }));
        let reads: Vec<BoxFuture<'_, Reading>> =
            chosen.iter().map(|one| reading::hit(&self.0.fetcher, &one.url, &one.query).boxed()).collect();
        let read = stream::iter(reads).buffered(AT_ONCE).map(|reading| held.fit(reading));
        readings.extend(read.collect::<Vec<_>>().await);
        readings
    }
}

/// What readings brought.
#[derive(Default)]
struct Sorted {
    texts: Vec<Snapshot>,
    warnings: Vec<String>,
    /// Whether another try could read more.
    may_come: bool,
    pictures: Vec<OfText>,
}

fn sort_out(readings: Vec<Reading>) -> Sorted {
    let mut sorted = Sorted::default();
    let mut seen = HashSet::new();
    for reading in readings {
        match reading {
            Reading::Nothing { warning, transient } => {
                sorted.warnings.push(warning);
                sorted.may_come |= transient;
            }
            Reading::Text { snapshot, warnings, pictures } => {
                sorted.warnings.extend(warnings);
                if seen.insert(Sha256::digest(snapshot.text.as_bytes())) {
                    sorted.pictures.extend(OfText::of(&snapshot, pictures));
                    sorted.texts.push(snapshot);
                } else {
                    sorted
                        .warnings
                        .push(format!("{} says the same as another source; it was left out", snapshot.origin.label()));
                }
            }
        }
    }
    sorted
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

#[cfg(test)]
mod tests {
    use galley_domain::writing::Origin;
    use galley_files::Pictures;

    use super::*;

    fn text(name: &str, text: &str) -> Reading {
        let origin = Origin::File { name: name.into() };
        let snapshot = Snapshot { number: 0, title: name.into(), origin, language: None, text: text.into() };
        Reading::Text { snapshot, warnings: Vec::new(), pictures: Pictures::default() }
    }

    #[test]
    fn the_same_text_twice_is_one_source_and_a_warning() {
        let Sorted { texts, warnings, .. } = sort_out(vec![text("a", "same"), text("b", "same"), text("c", "other")]);
        assert_eq!(texts.len(), 2);
        assert_eq!(warnings, ["b says the same as another source; it was left out"]);
    }

    #[test]
    fn only_a_transient_reason_is_worth_another_try() {
        assert!(nothing_left(&["x".into()], true).is_transient());
        assert!(!nothing_left(&["x".into()], false).is_transient());
    }
}

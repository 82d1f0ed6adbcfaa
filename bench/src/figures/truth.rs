//! How far the check of claims can be trusted, and what becomes of orders. What is measured, and how, is `crates/truth`;
//! time is taken of one large article alone.

use anyhow::Context;

use super::Bench;
use crate::proc;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let figures = tokio::task::spawn_blocking(galley_truth::figures).await.context("the checks did not end")?;
    for figure in figures {
        bench.report.add(&format!("truth.{}", figure.name), &[figure.percent], &[])?;
        bench.report.note(format!("truth.{}: {}", figure.name, figure.of));
    }
    let mut costs = Vec::new();
    for _ in 0..bench.scale.rounds {
        costs.push(tokio::task::spawn_blocking(large).await.context("the large article did not end")??);
    }
    bench.report.add("truth.large", &costs, &[])
}

/// Seconds that the large article takes, its claims included.
fn large() -> anyhow::Result<f64> {
    let order = galley_truth::orders::large();
    let before = proc::computed(std::process::id())?;
    let written = order.write().map_err(|fault| anyhow::anyhow!("the large article was refused: {fault}"))?;
    let seconds = proc::computed(std::process::id())? - before;
    anyhow::ensure!(written.sentences.len() > 300, "the large article is small");
    Ok(seconds)
}

//! How far the check of claims can be trusted. What is measured, and how, is `crates/truth`; nothing here takes time.

use anyhow::Context;

use super::Bench;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let figures = tokio::task::spawn_blocking(galley_truth::figures).await.context("the checks did not end")?;
    for figure in figures {
        bench.report.add(&format!("truth.{}", figure.name), &[figure.percent], &[])?;
        bench.report.note(format!("truth.{}: {}", figure.name, figure.of));
    }
    Ok(())
}

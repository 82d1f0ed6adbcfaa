//! Whole articles of the README's kind, from what was uploaded to the files of the site, without a model.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use super::{Bench, start};
use crate::{
    load::{Call, Line},
    proc, program,
    world::{Database, Parts, spread},
};

/// Steps at once.
const SLOTS: usize = 64;
/// How often it is asked whether all have ended; the daemon under test is another process.
const ASKED: Duration = Duration::from_millis(100);
const LIMIT: Duration = Duration::from_secs(600);
const SOURCES: [(&str, &[u8]); 5] = [
    ("brew-guide.pdf", include_bytes!("../../../samples/brew-guide.pdf")),
    ("cooperative-report.docx", include_bytes!("../../../samples/cooperative-report.docx")),
    ("harvest.xlsx", include_bytes!("../../../samples/harvest.xlsx")),
    ("tasting-notes.html", include_bytes!("../../../samples/tasting-notes.html")),
    ("faq.md", include_bytes!("../../../samples/faq.md")),
];

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let galley = program::find(bench.galley.clone()).await?;
    let articles = bench.scale.of(512, 64);
    let database = bench.world.database().await?;
    let parts = Parts::on(&database, &spread(SLOTS)).await?;
    let key = parts.key().await?;
    parts.close().await;
    let site = bench.world.folder().join("site");
    let slots = SLOTS.to_string();
    let site = site.to_str().context("a folder whose name is no text")?;
    let settings = [
        ("GALLEY_ENGINE__CONCURRENCY", slots.as_str()),
        ("GALLEY_LIMITS__AI_PER_MINUTE", "1000000"),
        ("GALLEY_LIMITS__GENERAL_PER_MINUTE", "1000000"),
        ("GALLEY_PUBLISH__FOLDER", site),
    ];
    let (child, port, _) = start::start("up", &galley, bench.world.folder(), &database, &settings).await?;
    let pid = child.pid()?;
    let mut line = Line::open(port).await?;
    let mut files = Vec::new();
    for (name, bytes) in SOURCES {
        let answer: Value = serde_json::from_slice(&line.ask(&Call::upload(&key, name, bytes)).await?)?;
        files.push(answer["id"].clone());
    }
    let order = json!({
        "user_prompt": "How Sela Ridge grows, roasts and brews its coffee", "keywords": ["Sela Ridge coffee"],
        "uploaded_files": files, "min_words": 600, "max_words": 900,
    });
    let order = Call::post("/api/v1/tasks", &key, &order.to_string());
    // What is made only once is made by the first.
    make(&mut line, &order, 4, &database, 4).await?;
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for round in 0..bench.scale.rounds {
        let (began, before) = (Instant::now(), proc::computed_with_ended(pid)?);
        make(&mut line, &order, articles, &database, 4 + articles * (round + 1)).await?;
        let computed = proc::computed_with_ended(pid)? - before;
        rates.push(articles as f64 / began.elapsed().as_secs_f64());
        costs.push(computed * 1e3 / articles as f64);
    }
    child.kill().await?;
    bench.world.drop(database).await?;
    bench.report.add("articles.rate", &rates, &[])?;
    bench.report.add("articles.cpu", &costs, &[])
}

/// Orders so many and waits until `all` of the database are done.
async fn make(line: &mut Line, order: &Call, count: usize, database: &Database, all: usize) -> anyhow::Result<()> {
    for _ in 0..count {
        line.ask(order).await?;
    }
    let ended = async {
        loop {
            let lost = database.number("SELECT count(*) FROM tasks WHERE status IN ('failed', 'cancelled')").await?;
            anyhow::ensure!(lost == 0, "{lost} articles failed");
            let done = database.number("SELECT count(*) FROM tasks WHERE status = 'completed'").await?;
            if done >= i64::try_from(all)? {
                return Ok(());
            }
            tokio::time::sleep(ASKED).await;
        }
    };
    tokio::time::timeout(LIMIT, ended).await.context("the articles did not end in time")?
}

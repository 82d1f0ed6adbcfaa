//! What the operator writes: the settings, the allow-list in them, the table of prices.
#![no_main]

#[path = "../../src/config.rs"]
mod config;

use std::{path::PathBuf, sync::LazyLock};

use config::{Config, Flags};
use galley_ai::PriceTable;
use galley_domain::task::StepKind;
use galley_fetch::address::HostRule;
use galley_fuzz::text_of;
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "s3cr3t-that-nobody-may-see";

/// A file of this process; it is written anew each time.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("galley-fuzz-{}.toml", std::process::id())));

fuzz_target!(|data: &[u8]| {
    let text = text_of(data);
    if let Ok(prices) = PriceTable::parse(text) {
        let price = prices.find("gpt-4o-mini");
        assert!(price.is_none_or(|price| price.cost(u64::MAX, u64::MAX) >= price.cost(1, 1)));
    }
    std::fs::write(&*FILE, text).expect("a file for the settings");
    let config = match Config::load(Some(&FILE), Flags::default()) {
        Ok(config) => config,
        Err(error) => {
            let shown = format!("{error:#}");
            // A name that no setting has is repeated, or nobody would find it; what stands behind it is not.
            let as_name = text.lines().any(|line| line.split('=').next().is_some_and(|name| name.contains(SECRET)));
            assert!(!shown.is_empty() && (as_name || !shown.contains(SECRET)), "{shown}");
            return;
        }
    };
    let shown = config.shown().expect("settings that were read can be shown");
    assert!(!shown.contains(SECRET), "{shown}");
    for &kind in StepKind::ALL {
        let policy = config.policy(kind);
        assert!(policy.concurrency > 0 && policy.max_attempts > 0 && !policy.timeout.is_zero());
    }
    let _ = config.fetch.allow.iter().map(|rule| rule.parse::<HostRule>()).collect::<Vec<_>>();
});

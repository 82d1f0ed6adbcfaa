//! Every setting as `config show` prints it: TOML with secrets as stars, and behind each where it comes from.

use std::fmt::Write;

use galley_engine::Registry;
use serde_json::Value;

use super::{Config, sources::Sources};

/// What holds where a setting is not set, as `docs/configuration.md` says it.
const UNSET: [(&str, &str); 53] = [
    ("public_url", "none"),
    ("database.url", "none"),
    ("database.direct_url", "none"),
    ("database.pooling", "found out"),
    ("database.max_connections", "10"),
    ("database.idle_seconds", "60"),
    ("database.bin_dir", "found"),
    ("secrets.key", "private Postgres: envelope.key in the data folder, made once; else none"),
    ("writer.base_url", "none"),
    ("writer.model", "none"),
    ("writer.api_key", "none"),
    ("writer.provider", "openai"),
    ("writer.max_tokens", "2048"),
    ("writer.context_tokens", "8192"),
    ("writer.temperature", "0.3"),
    ("writer.prompt_price", "built-in table"),
    ("writer.completion_price", "built-in table"),
    ("writer.first_token_seconds", "120"),
    ("writer.idle_seconds", "60"),
    ("writer.total_seconds", "600"),
    ("judge.base_url", "none"),
    ("judge.api_key", "none"),
    ("judge.model", "none"),
    ("judge.provider", "openai"),
    ("judge.max_tokens", "2048"),
    ("judge.context_tokens", "8192"),
    ("judge.prompt_price", "built-in table"),
    ("judge.completion_price", "built-in table"),
    ("judge.budget_usd", "none"),
    ("embeddings.base_url", "none"),
    ("embeddings.api_key", "none"),
    ("embeddings.model", "none"),
    ("embeddings.provider", "openai"),
    ("embeddings.price", "built-in table"),
    ("embeddings.budget_usd", "none"),
    ("search.url", "the provider's own"),
    ("search.key", "none"),
    ("publish.folder", "site in the data folder"),
    ("storage.endpoint", "AWS in the region"),
    ("storage.bucket", "none"),
    ("storage.access_key_id", "none"),
    ("storage.secret_access_key", "none"),
    ("photos.key", "none"),
    ("images.base_url", "none"),
    ("images.api_key", "none"),
    ("images.model", "none"),
    ("images.provider", "openai"),
    ("engine.concurrency", "none"),
    ("limits.connections_per_address", "half of connections"),
    ("metrics.token", "none"),
    ("log.filter", "info for up, api and work; error for the other commands"),
    ("log.format", "human on a terminal, else json"),
    ("log.otlp_endpoint", "none: no traces"),
];

/// The whole configuration. `registry` is what became of `[pools]` and `[steps]`.
pub fn shown(config: &Config, sources: &Sources, registry: &Registry) -> anyhow::Result<String> {
    let Value::Object(mut settings) = serde_json::to_value(config)? else {
        anyhow::bail!("the configuration is no table")
    };
    // Their settings in force are those of the registry, which has defaults for all.
    settings.retain(|name, _| name != "pools" && name != "steps");
    if let Some(filter) = std::env::var("GALLEY_LOG").ok().filter(|filter| !filter.is_empty()) {
        settings["log"]["filter"] = filter.into();
    }
    let (sections, top): (Vec<_>, Vec<_>) = settings.into_iter().partition(|(_, value)| value.is_object());
    let mut text = String::new();
    for (name, value) in &top {
        push(&mut text, "", name, value, sources);
    }
    for (section, values) in &sections {
        push_section(&mut text, section, values, sources);
    }
    // The pool that a kind has to itself is no setting of its own.
    let is_of_a_kind = |pool: &str| registry.kinds().any(|kind| kind.as_str() == pool);
    let pools = registry.pools().filter(|(pool, _)| !is_of_a_kind(pool.as_str()));
    let pools = pools.map(|(pool, slots)| (pool.as_str().to_owned(), slots.into())).collect();
    push_section(&mut text, "pools", &Value::Object(pools), sources);
    let mut kinds: Vec<_> = registry.kinds().collect();
    kinds.sort();
    for (kind, stage) in kinds.into_iter().filter_map(|kind| Some((kind, registry.stage(kind)?))) {
        let policy = &stage.policy;
        let values = serde_json::json!({
            "attempts": policy.max_attempts,
            "concurrency": policy.concurrency,
            "timeout_seconds": policy.timeout.as_secs(),
        });
        push_section(&mut text, &format!("steps.{kind}"), &values, sources);
    }
    Ok(text)
}

fn push_section(text: &mut String, section: &str, values: &Value, sources: &Sources) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n[{section}]");
    for (name, value) in values.as_object().into_iter().flatten() {
        push(text, section, name, value, sources);
    }
}

fn push(text: &mut String, section: &str, name: &str, value: &Value, sources: &Sources) {
    let path = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
    let _ = if value.is_null() {
        let unset = UNSET.iter().find(|(unset, _)| *unset == path).map_or("as its pool", |(_, holds)| holds);
        writeln!(text, "# {name} is not set: {unset}")
    } else {
        writeln!(text, "{name} = {}  # {}", toml_of(value), origin(&path, sources))
    };
}

fn origin(path: &str, sources: &Sources) -> String {
    let is_variable = path == "log.filter" && std::env::var("GALLEY_LOG").is_ok_and(|filter| !filter.is_empty());
    if is_variable { "GALLEY_LOG".to_owned() } else { sources.origin(path) }
}

fn toml_of(value: &Value) -> String {
    match value {
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(toml_of).collect::<Vec<_>>().join(", ")),
        // `temperature` has the precision of an f32, and no more is shown.
        Value::Number(number) if number.is_f64() => {
            #[expect(clippy::cast_possible_truncation, reason = "it was an f32")]
            let short = number.as_f64().unwrap_or_default() as f32;
            short.to_string()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::config::Flags;

    /// The tables of `docs/configuration.md`: path and default of each setting.
    fn documented() -> BTreeMap<String, String> {
        let page = include_str!("../../docs/configuration.md");
        let (settings, _) = page.split_once("### `[pools]`").unwrap();
        let mut section = String::new();
        let mut found = BTreeMap::new();
        for line in settings.lines() {
            if let Some(name) = line.strip_prefix("### `[") {
                section = name.trim_end_matches("]`").to_owned() + ".";
            }
            let cells: Vec<&str> = line.split(" | ").collect();
            if let [key, default, _, ..] = cells.as_slice()
                && let Some(key) = key.strip_prefix("| `")
            {
                found.insert(format!("{section}{}", key.trim_end_matches('`')), default.replace('`', ""));
            }
        }
        found
    }

    #[test]
    fn every_setting_is_documented_and_shown() {
        let config = Config::default();
        let sources = Sources::new(None, Flags::default()).unwrap();
        let text = shown(&config, &sources, &crate::compose::registry(&config).unwrap()).unwrap();
        let (settings, kinds) = text.split_once("\n[pools]").unwrap();
        let mut section = String::new();
        let mut seen = BTreeMap::new();
        for line in settings.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned() + ".";
            } else if let Some((name, holds)) =
                line.strip_prefix("# ").and_then(|line| line.split_once(" is not set: "))
            {
                seen.insert(format!("{section}{name}"), Some(holds.to_owned()));
            } else if let Some((name, _)) = line.split_once(" = ") {
                seen.insert(format!("{section}{name}"), None);
            }
        }
        let documented = documented();
        let names = |map: BTreeSet<&String>| map.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(names(seen.keys().collect()), names(documented.keys().collect()));
        for (path, holds) in seen.iter().filter_map(|(path, holds)| Some((path, holds.as_ref()?))) {
            assert_eq!(holds, &documented[path], "{path}");
        }
        for line in
            ["models = 48  # default", "[steps.draft]\nattempts = 6  # default\n# concurrency is not set: as its pool"]
        {
            assert!(kinds.contains(line), "{line} in {kinds}");
        }
    }
}

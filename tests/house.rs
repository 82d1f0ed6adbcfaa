//! What keeps the house in order: who knows whom, and that what is committed is what the code says.

use std::{fmt::Write, fs, path::Path};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(path: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no sources: the check would pass for the wrong reason");
    found
}

fn manifest(folder: &str) -> String {
    fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap()
}

/// The part of a manifest that other crates are linked by.
fn dependencies(folder: &str) -> String {
    let text = manifest(folder);
    let from = text.find("\n[dependencies]").map_or(text.len(), |at| at + 1);
    let rest = &text[from..];
    let to = rest[1..].find("\n[").map_or(rest.len(), |at| at + 1);
    rest[..to].to_owned()
}

#[test]
fn nobody_knows_more_than_the_direction_allows() {
    let rules: &[(&str, &[&str])] = &[
        ("crates/domain", &["galley-", "tokio", "sqlx", "sea-orm", "reqwest", "poem"]),
        (
            "crates/recurrence",
            &["galley-store", "galley-services", "galley-workers", "tokio", "sqlx", "sea-orm", "reqwest", "poem"],
        ),
        ("crates/text", &["galley-", "tokio", "sqlx", "sea-orm", "reqwest", "poem"]),
        (
            "crates/compose",
            &["galley-store", "galley-services", "galley-workers", "sqlx", "sea-orm", "reqwest", "poem"],
        ),
        ("crates/store", &["galley-services", "galley-workers", "galley-compose", "galley-ai", "poem", "reqwest"]),
        ("crates/services", &["galley-workers", "galley-ai", "sqlx", "sea-orm", "poem"]),
        ("crates/integrations/ai", &["galley-store", "galley-services", "galley-workers", "sqlx", "sea-orm", "poem"]),
        (
            "crates/integrations/destinations",
            &["galley-store", "galley-services", "galley-workers", "sqlx", "sea-orm", "poem"],
        ),
        (
            "crates/integrations/fetch",
            &["galley-store", "galley-services", "galley-workers", "sqlx", "sea-orm", "poem"],
        ),
        (
            "crates/integrations/files",
            &["galley-store", "galley-services", "galley-workers", "sqlx", "sea-orm", "poem"],
        ),
        (
            "crates/integrations/images",
            &["galley-store", "galley-services", "galley-workers", "sqlx", "sea-orm", "poem"],
        ),
        (
            "crates/integrations/photos",
            &["galley-store", "galley-services", "galley-workers", "sqlx", "sea-orm", "poem"],
        ),
        (
            "crates/integrations/webhooks",
            &["galley-store", "galley-services", "galley-workers", "sqlx", "sea-orm", "poem"],
        ),
        ("crates/vault", &["galley-store", "galley-services", "galley-workers", "sqlx", "sea-orm", "reqwest", "poem"]),
        (
            "crates/identity",
            &["galley-store", "galley-services", "galley-workers", "tokio", "sqlx", "sea-orm", "reqwest", "poem"],
        ),
        ("workers", &["sqlx", "sea-orm", "poem", "galley-ai", "galley-vault"]),
    ];
    for (folder, forbidden) in rules {
        let dependencies = dependencies(folder);
        assert!(dependencies.contains("[dependencies]"), "{folder} has dependencies to look at");
        // What is for tests is linked by tests only.
        for word in forbidden.iter().chain(&["galley-test"]) {
            let found = dependencies.lines().find(|line| line.starts_with(*word));
            assert!(found.is_none(), "{folder} must not depend on {word}: {found:?}");
        }
    }
}

#[test]
fn the_front_names_no_database_and_no_worker() {
    for (path, text) in sources("src/http") {
        for word in ["sea_orm::", "sqlx::", "galley_workers"] {
            assert!(!text.contains(word), "{path} names {word}");
        }
    }
    for (path, text) in sources("workers/src") {
        for word in ["sea_orm::", "sqlx::", "poem::", "galley::http"] {
            assert!(!text.contains(word), "{path} names {word}");
        }
    }
}

#[test]
fn entities_stay_in_the_store() {
    let lib = fs::read_to_string(root().join("crates/store/src/lib.rs")).unwrap();
    assert!(lib.contains("\nmod entity;"), "the module of the entities is private");
    for folder in ["crates/services/src", "workers/src", "src"] {
        for (path, text) in sources(folder) {
            assert!(!text.contains("Statement::from_"), "{path} writes SQL");
        }
    }
}

/// The lines of a folder's sources that say one of these, as `folder/file.rs: line`. A chain of calls is one line.
fn lines_with(folder: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources(folder) {
        let file = path.strip_prefix(&format!("{}/", root().display())).unwrap_or(&path).to_owned();
        let mut chains: Vec<String> = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            match chains.last_mut().filter(|_| line.starts_with('.')) {
                Some(chain) => chain.push_str(line),
                None => chains.push(line.to_owned()),
            }
        }
        let said = chains.into_iter().filter(|line| words.iter().any(|word| line.contains(word)));
        found.extend(said.map(|line| format!("{file}: {line}")));
    }
    found.sort();
    found
}

/// Rows of several organizations are asked for under one of three names.
const ACROSS: [&str; 3] = [".system()", ".queue()", ".operator("];

#[test]
fn use_cases_reach_across_organizations_only_as_operator_or_system() {
    assert_eq!(
        lines_with("crates/services/src", &ACROSS),
        [
            // Whoever has the address of a feed has no organization yet.
            "crates/services/src/publishing/calendar.rs: self.system().feed(token).await",
            // A site names its integration and no organization; whoever reads an open site names neither.
            "crates/services/src/publishing/site_auth.rs: self.system().site_by_secret(secret).await",
            "crates/services/src/publishing/site_auth.rs: self.system().site_by_signature(integration, signature, body).await",
            "crates/services/src/publishing/site_definition.rs: self.system().open_site(name).await",
            "crates/services/src/system.rs: OperatorCalls { services: self, across: self.store.system() }",
            "crates/services/src/system.rs: SystemCalls { services: self, across: self.store.system() }",
            "crates/services/src/system.rs: self.services.store.queue().depth().await",
        ]
    );
}

#[test]
fn the_front_is_no_operator_and_reaches_no_store() {
    let figures = ["src/http/system/health.rs: let queue = public.0.state.services.system().queue_depth().await;"];
    assert_eq!(
        lines_with("src/http", &ACROSS),
        figures,
        "the figures of the queue are all that belongs to no organization"
    );
    let nothing: [&str; 0] = [];
    assert_eq!(lines_with("src/http", &[".store()", "OperatorCalls", "SystemCalls"]), nothing);
    // Whoever has one of these may do everything everywhere.
    for folder in ["src/http", "workers/src", "crates/services/src", "crates/engine/src", "crates/store/src"] {
        assert_eq!(lines_with(folder, &["Operator::"]), nothing, "only the command line makes an operator");
    }
    assert!(!lines_with("src/cli", &["Operator::of_this_machine()"]).is_empty(), "the check would pass for nothing");
    // Workers do what nobody asked for; they are no operator.
    assert_eq!(lines_with("workers/src", &[".operator(", ".store().system()", ".store().queue()"]), nothing);
}

#[test]
fn the_engine_has_no_word_of_what_tasks_are_about() {
    let words = ["article", "draft", "outline", "slug", "headline", "seo", "product", "publication"];
    for (path, text) in sources("crates/engine/src") {
        let text = text.to_lowercase();
        let mut said = text.split(|sign: char| !sign.is_alphanumeric());
        let found = said.find(|one| words.iter().any(|word| one.trim_end_matches('s') == *word));
        assert_eq!(found, None, "{path}");
    }
}

#[test]
fn the_committed_openapi_is_what_the_code_says() {
    let committed = fs::read_to_string(root().join("openapi/galley.json")).expect("openapi/galley.json is committed");
    let stale = committed != galley::http::spec();
    assert!(!stale, "openapi/galley.json is stale; run: cargo run -- openapi > openapi/galley.json");
}

#[test]
fn no_file_of_ours_names_a_machine_or_a_registry() {
    // Put together here, so that this file does not find itself.
    let words = [["/wo", "rk/"].concat(), ["/ro", "ot/"].concat(), ["static.", "crates"].concat()];
    for folder in ["src", "crates", "workers", "migrations/src", "tests"] {
        for (path, text) in sources(folder) {
            if let Some(word) = words.iter().find(|word| text.contains(*word)) {
                // A test of refused folders may name the home of root.
                assert!(path.contains("private-postgres") && word.contains("ro"), "{path} names {word}");
            }
        }
    }
}

/// The targets of all links in a text of Markdown.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next())
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut documents = Vec::new();
    for folder in [root().to_owned(), root().join("docs"), root().join("docs/adr")] {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        documents.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    let mut followed = 0;
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text).filter(|link| !link.is_empty() && !link.contains(':')) {
            let target = document.parent().unwrap().join(link);
            assert!(target.exists(), "{} links to {link}, which is not there", document.display());
            followed += 1;
        }
    }
    assert!(followed > 5, "{followed} links were found: the check would pass for the wrong reason");
}

/// Between the two marks of docs/configuration.md.
fn limits() -> String {
    let registry = galley_services::pipelines::registry();
    let mut text = String::from("| pool | at once | kinds of steps |\n|---|---|---|\n");
    let kinds_of = |pool| {
        let kinds = registry.kinds().filter(|kind| registry.stage(*kind).is_some_and(|stage| stage.pool == pool));
        kinds.map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ")
    };
    for (pool, slots) in registry.pools() {
        writeln!(text, "| `{pool}` | {slots} | {} |", kinds_of(pool)).unwrap();
    }
    text += "\n| kind | pool | `timeout_seconds` | `attempts` |\n|---|---|---|---|\n";
    for kind in registry.kinds() {
        let stage = registry.stage(kind).unwrap();
        let (pool, timeout) = (stage.pool, stage.policy.timeout.as_secs());
        writeln!(text, "| `{kind}` | `{pool}` | {timeout} | {} |", stage.policy.max_attempts).unwrap();
    }
    text
}

#[test]
fn the_limits_are_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once("<!-- limits -->\n").unwrap();
    let (written, after) = rest.split_once("<!-- /limits -->").unwrap();
    let limits = limits();
    if std::env::var_os("WRITE_LIMITS").is_some() {
        std::fs::write(path, format!("{before}<!-- limits -->\n{limits}<!-- /limits -->{after}")).unwrap();
        return;
    }
    let how = "WRITE_LIMITS=1 cargo test --test integration the_limits_are_documented";
    assert!(written == limits, "docs/configuration.md is stale; run: {how}");
}

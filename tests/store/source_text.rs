//! What the text of the store says about tenants: also of statements that nobody has written a test for.

use std::{collections::BTreeSet, fs, path::Path};

use galley_store::tenant_tables;
use galley_testkit::TestDatabase;

/// Files whose statements are about many tenants at once: claiming, groups of ends, polls, sweeping. This list only
/// shrinks.
const OF_MANY_TENANTS: [&str; 7] =
    ["queue.rs", "batch.rs", "batch/advance.rs", "batch/ends.rs", "reads.rs", "reads/sources.rs", "sweep.rs"];
/// Statements that look beyond their tenant on purpose: an order takes its place in the queue beside what others have
/// ready, whose pools and lowest rank are looked for first. This list only shrinks.
const BEYOND: [&str; 2] = ["UPDATE organizations SET held = held + $2, last_rank =", "WITH RECURSIVE heads AS ("];
/// Where entities may be asked without `Scoped`.
const CRUD: &str = "crud.rs";

/// Files of the store, by their path below `src`.
fn store_files() -> Vec<(String, String)> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/store/src");
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found.sort();
    found
}

/// The text without what `impl System` holds: that has no tenant, and says so by its type.
fn without_system(text: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        inside |= line.starts_with("impl System");
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
        inside &= line != "}";
    }
    kept
}

/// The texts between quotes that are statements.
fn statements(text: &str) -> Vec<String> {
    let literals = text.split('"').skip(1).step_by(2);
    let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];
    literals
        .filter(|literal| verbs.iter().any(|verb| literal.trim_start().starts_with(verb)))
        .map(|sql| sql.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

fn words(sql: &str) -> BTreeSet<&str> {
    sql.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').collect()
}

/// Statements of a file that name a table of tenants and no tenant.
fn forgetful(text: &str) -> Vec<String> {
    let forgets = |sql: &String| {
        let named = words(sql);
        let of_tenants = tenant_tables().into_iter().any(|(table, column)| match column {
            "id" => named.contains(table) && !named.contains("org_id") && !sql.contains("id = $1"),
            column => named.contains(table) && !named.contains(column),
        });
        of_tenants && !BEYOND.iter().any(|known| sql.contains(known))
    };
    statements(&without_system(text)).into_iter().filter(forgets).collect()
}

#[test]
fn every_statement_about_a_tenants_rows_names_the_tenant() {
    let mut seen = 0;
    for (name, text) in store_files() {
        if OF_MANY_TENANTS.contains(&name.as_str()) {
            continue;
        }
        seen += statements(&text).len();
        let forgetful = forgetful(&text);
        assert!(forgetful.is_empty(), "{name} forgets org_id in {forgetful:#?}");
    }
    assert!(seen > 25, "{seen} statements were found: the check would pass for the wrong reason");
    let sample =
        "const A: &str = \"SELECT 1 FROM files WHERE id = $1\";\nimpl System {\n    x(\"SELECT 2 FROM files\");\n}\n";
    assert_eq!(forgetful(sample), ["SELECT 1 FROM files WHERE id = $1"], "and it finds one");
}

#[test]
fn entities_are_asked_through_the_views_of_a_tenant() {
    let ways = [
        "::find()",
        "::find_by_id(",
        "::insert(",
        "::insert_many(",
        "::update(",
        "::update_many(",
        "::delete(",
        "::delete_many(",
        "::delete_by_id(",
        ".save(&",
        ".insert(&",
        ".update(&",
        ".delete(&",
    ];
    for (name, text) in store_files().into_iter().filter(|(name, _)| name != CRUD) {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for way in ways {
            assert!(!code.contains(way), "{name} uses {way} beside {CRUD}");
        }
    }
    let crud = store_files().into_iter().find(|(name, _)| name == CRUD).unwrap().1;
    for way in ["E::find()", "E::insert(", "E::update_many()", "E::delete_many()"] {
        assert_eq!(crud.matches(way).count(), 1, "{way} has one place in {CRUD}");
    }
}

#[tokio::test]
async fn every_table_of_a_tenant_has_an_entity_that_knows_its_tenant() {
    let database = TestDatabase::new().await;
    let columns = database
        .texts(
            "SELECT table_name || '.' || column_name FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'org_id' ORDER BY 1",
        )
        .await;
    let mut known: Vec<String> = tenant_tables().iter().map(|(table, column)| format!("{table}.{column}")).collect();
    known.retain(|name| name != "organizations.id");
    known.sort();
    assert_eq!(columns, known, "tables with an org_id, and those with an entity of a tenant");
    let all = database
        .texts(
            "SELECT table_name::text FROM information_schema.tables
             WHERE table_schema = 'public' AND table_name <> 'seaql_migrations' ORDER BY 1",
        )
        .await;
    let mut entities: Vec<&str> = tenant_tables().iter().map(|(table, _)| *table).collect();
    entities.sort_unstable();
    assert_eq!(all, entities, "everything belongs to an organization");
}

/// Methods of the tenant's views that ask the database, by name.
pub(super) fn operations() -> Vec<String> {
    let mut found = Vec::new();
    for (_, text) in store_files() {
        let mut inside = false;
        for line in text.lines() {
            inside |= line.starts_with("impl TenantTx {") || line.starts_with("impl<C: ConnectionTrait> Scoped<C> {");
            inside &= line != "}";
            if let Some(rest) = line.strip_prefix("    pub async fn ").filter(|_| inside) {
                found.push(rest.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
        }
    }
    found.retain(|name| name != "commit" && name != "rollback");
    assert!(found.len() > 50, "{found:?}: the check would pass for the wrong reason");
    found
}

//! What is on the disk, held against the rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::Fault;
use crate::chaos::site::stamp;

/// Every published article has one folder, whatever it is called, and nothing else is there.
pub async fn site(connection: &mut PgConnection, site: &Path, faults: &mut Vec<Fault>) -> anyhow::Result<()> {
    let rows: Vec<(String, bool)> = sqlx::query_as(
        "SELECT subject_id::text, bool_or(state = 'confirmed') FROM effects
         WHERE kind = 'publication' AND state IN ('sent', 'confirmed', 'unknown') GROUP BY subject_id",
    )
    .fetch_all(connection)
    .await?;
    let mut say = |check, detail: String| faults.push(Fault::new(check, detail));
    let mut folders: BTreeMap<String, u32> = BTreeMap::new();
    if site.is_dir() {
        for entry in fs::read_dir(site)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(".galley-tmp") {
                say("nothing half-written is left in the site", name);
            } else if !name.starts_with('.') {
                match stamp(&entry.path().join("index.md")) {
                    Some(article) => *folders.entry(article).or_default() += 1,
                    None => say("every page in the site says whose it is", name),
                }
            }
        }
    }
    for (article, count) in folders.iter().filter(|(_, count)| **count > 1) {
        say("no article is published twice", format!("{article} is in the site {count} times"));
    }
    for article in folders.keys().filter(|article| !rows.iter().any(|(id, _)| id == *article)) {
        say("what is in the site was meant to be", article.clone());
    }
    for (article, _) in rows.iter().filter(|(id, confirmed)| *confirmed && !folders.contains_key(id)) {
        say("what is said to be published is in the site", article.clone());
    }
    Ok(())
}

/// Every row of a file has its bytes, and all bytes have a row.
pub async fn blobs(connection: &mut PgConnection, root: &Path, faults: &mut Vec<Fault>) -> anyhow::Result<()> {
    let rows: Vec<(String, i64, String)> =
        sqlx::query_as("SELECT DISTINCT blob, size, sha256 FROM files ORDER BY blob").fetch_all(connection).await?;
    let mut say = |check, detail: String| faults.push(Fault::new(check, detail));
    let mut there = BTreeSet::new();
    walk(root, root, &mut there)?;
    for (blob, size, sha256) in &rows {
        if there.remove(blob) {
            let bytes = fs::read(root.join(blob))?;
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            if i64::try_from(bytes.len()) != Ok(*size) || hash != *sha256 {
                say("the bytes of files are what was stored", blob.clone());
            }
        } else {
            say("no row names bytes that are not there", blob.clone());
        }
    }
    for orphan in there {
        say("no bytes are left that no row names", orphan);
    }
    Ok(())
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeSet<String>) -> std::io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(root, &path, found)?;
        } else if let Ok(name) = path.strip_prefix(root) {
            found.insert(name.display().to_string());
        }
    }
    Ok(())
}

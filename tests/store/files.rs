//! Files: listed, looked at and removed when nobody needs them.

use galley_domain::OrgId;
use galley_services::Missing;
use galley_store::FileFilter;
use galley_testkit::{Harness, order};
use uuid::Uuid;

use super::{assert_conflict, assert_missing, effect_about, order_from, upload};

fn first(limit: u64) -> FileFilter {
    FileFilter { limit, ..FileFilter::default() }
}

/// Names and readers of what is listed, and the number of all.
async fn listed(harness: &Harness, org: OrgId, filter: FileFilter) -> (Vec<(String, u64)>, u64) {
    let (files, total) = harness.services.list_files(org, &filter).await.unwrap();
    (files.into_iter().map(|listed| (listed.file.name, listed.used_by)).collect(), total)
}

#[tokio::test]
async fn files_are_listed_newest_first_with_the_orders_that_read_them() {
    let harness = Harness::new().await;
    let org = harness.principal.org;
    let file = upload(&harness, org, "faq.md").await;
    let other = upload(&harness, org, "faq.md").await;
    harness.database.execute(&format!("UPDATE files SET name = '100%_ÄB.md', kind = 'txt' WHERE id = '{other}'")).await;
    let (one, two) = (order_from(&harness, file, None).await, order_from(&harness, file, None).await);
    harness.order().await;
    let (odd, faq) = (("100%_ÄB.md".to_owned(), 0), ("faq.md".to_owned(), 2));
    assert_eq!(listed(&harness, org, first(10)).await, (vec![odd.clone(), faq.clone()], 2));
    assert_eq!(listed(&harness, org, FileFilter { offset: 1, ..first(1) }).await, (vec![faq.clone()], 2));
    let search = |text: &str| FileFilter { search: Some(text.to_owned()), ..first(10) };
    assert_eq!(listed(&harness, org, search("FAQ")).await, (vec![faq], 1));
    assert_eq!(listed(&harness, org, search("0%_ä")).await, (vec![odd.clone()], 1), "its own wildcards");
    assert_eq!(listed(&harness, org, search("f%q")).await, (vec![], 0), "and no others");
    let kind = FileFilter { kind: Some("txt".into()), ..first(10) };
    assert_eq!(listed(&harness, org, kind).await, (vec![odd], 1));
    harness.services.cancel(org, one).await.unwrap();
    harness.database.execute(&format!("UPDATE tasks SET status = 'processing' WHERE id = '{two}'")).await;
    let looked_at = harness.services.get_file(org, file).await.unwrap();
    assert_eq!((looked_at.used_by, looked_at.file.name.as_str()), (1, "faq.md"), "one was cancelled");
    let (stranger, _) = harness.other_tenant().await;
    assert_eq!(listed(&harness, stranger.org, first(10)).await, (vec![], 0));
    assert_missing(harness.services.get_file(stranger.org, file).await, Missing::File);
}

#[tokio::test]
async fn a_file_goes_when_no_order_reads_it_and_its_bytes_with_the_next_sweep() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let (file, copy) = (upload(&harness, org, "faq.md").await, upload(&harness, org, "faq.md").await);
    let task = order_from(&harness, file, None).await;
    assert_conflict(services.delete_file(org, file).await, "has not ended");
    let (stranger, _) = harness.other_tenant().await;
    assert_missing(services.delete_file(stranger.org, file).await, Missing::File);
    services.cancel(org, task).await.unwrap();
    let (row, _) = services.file_bytes(org, file).await.unwrap();
    services.delete_file(org, file).await.unwrap();
    assert_missing(services.delete_file(org, file).await, Missing::File);
    assert_missing(services.file_bytes(org, file).await, Missing::File);
    let unnamed = async || services.store().system().unnamed_blobs(org, vec![row.blob.clone()]).await.unwrap();
    assert_eq!(unnamed().await, [""; 0], "another file has the same bytes");
    services.file_bytes(org, copy).await.unwrap();
    services.delete_file(org, copy).await.unwrap();
    assert_eq!(unnamed().await, [row.blob.as_str()]);
    let path = harness.dir.path().join("files").join(&row.blob);
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(30 * 86_400);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(services.system().sweep_blobs().await.unwrap(), 1);
    assert!(!path.exists());
}

#[tokio::test]
async fn whoever_orders_from_a_file_and_whoever_deletes_it_at_once_do_not_both_succeed() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    for _ in 0..8 {
        let file = upload(&harness, org, "faq.md").await;
        let mut ordered = order();
        ordered.uploaded_files = vec![file];
        let (taken, deleted) =
            tokio::join!(services.order(&harness.principal, ordered, "t", None), services.delete_file(org, file));
        assert!(taken.is_ok() != deleted.is_ok(), "{taken:?} {deleted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_keep_the_words_of_a_file_that_is_gone_and_a_cover_stays_while_it_is_shown() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let file = upload(&harness, org, "faq.md").await;
    let task = order_from(&harness, file, None).await;
    let engine = harness.extractive();
    let article = harness.completed(task).await.row.subject_id.unwrap();
    engine.stop().await;
    services.delete_file(org, file).await.unwrap();
    let report = services.article_claims(org, article).await.unwrap();
    let quotes = report.claims.iter().filter(|view| view.quote.as_ref().is_some_and(|quote| !quote.is_empty()));
    assert!(quotes.count() > 0, "{report:?}");
    let cover = services.article(org, article).await.unwrap().cover_file_id.unwrap();
    assert_conflict(services.delete_file(org, cover).await, "as its cover");
    harness.database.execute(&effect_about(org, cover)).await;
    for (count, subject) in [(1, article), (1, cover)] {
        assert_eq!(services.store().tenant(org).effects(subject).await.unwrap().len(), count, "it is in the ledger");
    }
    services.delete_article(org, article).await.unwrap();
    assert_missing(services.delete_file(org, cover).await, Missing::File);
    assert_eq!(harness.database.number("SELECT count(*) FROM effects").await, 0, "effects go with their subjects");
    assert_missing(services.delete_file(org, Uuid::new_v4()).await, Missing::File);
}

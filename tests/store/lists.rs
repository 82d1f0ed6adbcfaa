//! What lists of articles show, and in which order; what the files of an organization may take.

use galley_services::{ServiceError, Upload};
use galley_store::{ArticleFilter, ArticleSort};
use galley_testkit::Harness;

use super::assert_conflict;

fn all(sort: ArticleSort) -> ArticleFilter {
    ArticleFilter {
        statuses: Vec::new(),
        project_id: None,
        search: None,
        sort,
        descending: false,
        limit: 100,
        offset: 0,
    }
}

async fn titles(harness: &Harness) -> Vec<String> {
    let list = harness.services.articles(harness.principal.org, &all(ArticleSort::Title)).await.unwrap();
    assert_eq!(list.rows.len() as u64, list.total);
    list.rows.into_iter().map(|row| row.title).collect()
}

/// As a person reads, whatever collation the database was made with.
#[tokio::test]
async fn titles_are_sorted_as_readers_expect() {
    let harness = Harness::new().await;
    let icu = harness
        .database
        .number("SELECT count(*) FROM pg_collation WHERE collname = 'galley_titles' AND collprovider = 'i'");
    assert_eq!(icu.await, 1, "the Postgres of tests has ICU");
    let sorted = ["Äpfel", "apple", "Zebra", "zebra 2", "zebra 10", "Ökologie", "ohm", "élan", "Elbe", "茶"];
    for title in sorted {
        let task = harness.order().await;
        harness.database.execute(&format!("UPDATE articles SET title = '{title}' WHERE task_id = '{task}'")).await;
    }
    let expected = ["Äpfel", "apple", "élan", "Elbe", "ohm", "Ökologie", "Zebra", "zebra 2", "zebra 10", "茶"];
    assert_eq!(titles(&harness).await, expected);
}

#[tokio::test]
async fn an_order_that_was_cancelled_leaves_nothing_to_list_until_it_is_run_again() {
    let harness = Harness::new().await;
    let (kept, cancelled) = (harness.order().await, harness.order().await);
    let org = harness.principal.org;
    harness.services.cancel(org, cancelled).await.unwrap();
    assert_eq!(titles(&harness).await.len(), 1);
    // It is still there for who has its id.
    let article = harness.task(cancelled).await.row.subject_id.unwrap();
    assert_eq!(harness.services.article(org, article).await.unwrap().status, "failed");
    // One that failed by itself is something to look at.
    harness.database.execute(&format!("UPDATE articles SET status = 'failed' WHERE task_id = '{kept}'")).await;
    assert_eq!(titles(&harness).await.len(), 1);
}

#[tokio::test]
async fn the_files_of_an_organization_have_a_quota_and_room_comes_back() {
    let harness = Harness::builder().settings(|settings| settings.files_quota = 100).build().await;
    let org = harness.principal.org;
    let upload = async |org, bytes: usize| {
        let upload = Upload { name: "note.txt".into(), bytes: "tea ".repeat(bytes / 4).into_bytes().into() };
        Ok::<_, ServiceError>(harness.services.upload(org, upload, None).await?.value.id)
    };
    let first = upload(org, 60).await.unwrap();
    upload(org, 40).await.unwrap();
    assert_conflict(upload(org, 4).await, "limits.files_mb");
    let (other, _) = harness.other_tenant().await;
    upload(other.org, 60).await.unwrap();
    harness.services.delete_file(org, first).await.unwrap();
    upload(org, 60).await.unwrap();
}

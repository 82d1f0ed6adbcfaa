//! Resources of a tenant in the store, and that nobody reaches another tenant's.

mod connections;
mod files;
mod lists;
mod own_rows;
mod poolers;
mod projects;
mod source_text;

use galley_domain::OrgId;
use galley_services::{Missing, ServiceError, Upload};
use galley_testkit::{Harness, order};
use uuid::Uuid;

/// Uploads a sample file.
async fn upload(harness: &Harness, org: OrgId, name: &str) -> Uuid {
    let bytes = std::fs::read(format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let upload = Upload { name: name.to_owned(), bytes: bytes.into() };
    harness.services.upload(org, upload, None).await.unwrap().value.id
}

/// Orders an article that is written from a file and belongs to a project, if to any.
async fn order_from(harness: &Harness, file: Uuid, project: Option<Uuid>) -> Uuid {
    let mut order = order();
    order.brief.prompt = "Sela Ridge coffee".into();
    order.uploaded_files = vec![file];
    order.project_id = project;
    harness.services.order(&harness.principal, order, "t", None).await.unwrap().value.task_id
}

/// Inserts an effect of a kind that no pipeline knows.
fn effect_about(org: OrgId, subject: Uuid) -> String {
    format!(
        "INSERT INTO effects (id, org_id, kind, subject_id, destination, key, state)
         VALUES (gen_random_uuid(), '{org}', 'upload', '{subject}', 'somewhere', '', 'confirmed')"
    )
}

fn assert_conflict<T>(result: Result<T, ServiceError>, says: &str) {
    match result {
        Err(ServiceError::Conflict(text)) => assert!(text.contains(says), "{text}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken"),
    }
}

fn assert_missing<T>(result: Result<T, ServiceError>, missing: Missing) {
    assert!(matches!(result, Err(ServiceError::NotFound(found)) if found == missing));
}

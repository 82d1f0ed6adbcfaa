//! Orders that are refused when they come due.

use galley_domain::{
    Operator,
    project::Platform,
    schedule::{RunStatus, ScheduleStatus},
};
use galley_services::{ScheduleRequest, ServiceError};
use galley_testkit::{Harness, order};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{action, after_due, assert_status, create, listen, request, runs, statuses, tasks, told, view};

#[tokio::test]
async fn without_credits_runs_fail_and_the_tenth_in_a_row_pauses() {
    let harness = Harness::builder().credits(0).build().await;
    let (services, principal) = (&harness.services, &harness.principal);
    listen(&harness).await;
    let id = create(&harness, request()).await;
    let found = after_due(&harness, id, 0).await;
    assert_eq!((statuses(&found), found[0].reason.as_deref()), (vec![RunStatus::Failed], Some("INSUFFICIENT_CREDITS")));
    let by_hand = services.run_schedule(principal, id, "t", None).await;
    assert!(matches!(by_hand, Err(ServiceError::InsufficientCredits { .. })), "{by_hand:?}");
    for nth in 2..=9 {
        after_due(&harness, id, nth * 10).await;
        assert_eq!(view(&harness, id).await.row.failures, i32::try_from(nth).unwrap());
    }
    assert_status(&harness, id, ScheduleStatus::Active).await;
    after_due(&harness, id, 100).await;
    assert_status(&harness, id, ScheduleStatus::Paused).await;
    assert_eq!(runs(&harness, id).await.len(), 10);
    assert_eq!((tasks(&harness).await, harness.database.number("SELECT count(*) FROM articles").await), (0, 0));
    // The last two were told in one transaction.
    let mut told = told(&harness).await;
    told.sort();
    assert_eq!(told[..10], ["schedule.failed INSUFFICIENT_CREDITS"; 10]);
    assert_eq!(told[10..], ["schedule.paused 10 runs in a row have failed"]);
    services
        .operator(Operator::of_this_machine())
        .grant_credits(principal.org, Decimal::from(100), "test")
        .await
        .unwrap();
    services.resume_schedule(principal.org, id, "t", None).await.unwrap();
    assert!(after_due(&harness, id, 110).await.iter().any(|run| *run.status == RunStatus::Fired));
    assert_eq!(view(&harness, id).await.row.failures, 0);
}

#[tokio::test]
async fn a_run_that_is_ordered_ends_a_row_of_failures() {
    let harness = Harness::new().await;
    let id = create(&harness, request()).await;
    harness.database.execute("UPDATE schedules SET failures = 9").await;
    assert_eq!(statuses(&after_due(&harness, id, 0).await), [RunStatus::Fired]);
    assert_eq!(view(&harness, id).await.row.failures, 0);
}

#[tokio::test]
async fn a_project_and_a_file_that_are_gone_are_named() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let project = services.create_project(org, "Tea", Platform::Wordpress, None).await.unwrap().value.id;
    let mut order = order();
    order.project_id = Some(project);
    let id = create(&harness, ScheduleRequest { action: action(order.clone()), ..request() }).await;
    assert_eq!(view(&harness, id).await.row.project_id, Some(project));
    services.delete_project(org, project).await.unwrap();
    let refused =
        services.create_schedule(&harness.principal, ScheduleRequest { action: action(order), ..request() }, "t", None);
    let Err(ServiceError::Validation(wrong)) = refused.await else { panic!("it was taken") };
    assert_eq!(wrong[0].field, "action.project_id");
    services.restore_project(org, project, None).await.unwrap();
    // As older versions have left it.
    harness.database.execute(&format!("DELETE FROM projects WHERE id = '{project}'")).await;
    let found = after_due(&harness, id, 0).await;
    assert_eq!(statuses(&found), [RunStatus::Failed]);
    assert!(found[0].reason.as_ref().unwrap().starts_with("project_id: there is no project"), "{:?}", found[0]);
    let gone = Uuid::new_v4();
    let set = format!(
        "UPDATE schedules SET work = jsonb_set(work, '{{order}}', work -> 'order' || '{{\"project_id\": null, \"uploaded_files\": [\"{gone}\"]}}')"
    );
    harness.database.execute(&set).await;
    let found = after_due(&harness, id, 20).await;
    let reason = found.iter().filter_map(|run| run.reason.as_ref()).find(|reason| reason.contains("uploaded_files[0]"));
    assert!(reason.unwrap().contains(&gone.to_string()), "{found:?}");
    assert_eq!(tasks(&harness).await, 0);
}

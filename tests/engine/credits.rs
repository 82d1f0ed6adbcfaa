//! Credits: held at order, settled at completion, released on failure and cancel; never below zero.

use galley_domain::{Operator, article};
use galley_services::{IdempotencyKey, ServiceError};
use galley_testkit::{Harness, Script, order};
use rust_decimal::Decimal;

#[tokio::test]
async fn an_article_costs_its_price_once() {
    let harness = Harness::builder().credits(100).build().await;
    let engine = harness.scripted(&Script::default());
    let task = harness.order().await;
    harness.completed(task).await;
    engine.stop().await;
    let (balance, held) = harness.services.store().tenant(harness.principal.org).credits().await.unwrap();
    assert_eq!((balance, held), (Decimal::from(60), Decimal::ZERO));
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn orders_at_the_same_moment_cannot_spend_the_same_credits() {
    let harness = Harness::builder().credits(100).build().await;
    let orders = (0..6).map(|_| {
        let (services, principal) = (harness.services.clone(), harness.principal.clone());
        tokio::spawn(async move { services.order(&principal, order(), "t", None).await })
    });
    let mut taken = 0;
    for ordered in orders.collect::<Vec<_>>() {
        match ordered.await.unwrap() {
            Ok(_) => taken += 1,
            Err(ServiceError::InsufficientCredits { needed, available }) => {
                assert_eq!(needed, Decimal::from(40));
                assert!(available < needed);
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(taken, 2, "100 credits are two articles");
}

#[tokio::test]
async fn the_same_key_is_one_order_also_at_the_same_moment() {
    let harness = Harness::new().await;
    let key = IdempotencyKey::new("k-1", "POST /x", b"body").unwrap();
    let orders = (0..5).map(|_| {
        let (services, principal, key) = (harness.services.clone(), harness.principal.clone(), key.clone());
        tokio::spawn(async move { services.order(&principal, order(), "t", Some(&key)).await })
    });
    let mut receipts = Vec::new();
    for ordered in orders.collect::<Vec<_>>() {
        receipts.push(ordered.await.unwrap().unwrap());
    }
    assert!(receipts.iter().all(|receipt| receipt.value == receipts[0].value), "{receipts:?}");
    assert_eq!(receipts.iter().filter(|receipt| !receipt.replayed).count(), 1);
    assert_eq!(harness.database.number("SELECT count(*) FROM tasks").await, 1);

    let other = IdempotencyKey::new("k-1", "POST /x", b"another body").unwrap();
    let clash = harness.services.order(&harness.principal, order(), "t", Some(&other)).await;
    assert!(matches!(clash, Err(ServiceError::Conflict(_))), "{clash:?}");
    let (stranger, _) = harness.other_tenant().await;
    let own = harness.services.order(&stranger, order(), "t", Some(&key)).await.unwrap();
    assert!(!own.replayed, "another tenant's key is another key");
}

#[tokio::test]
async fn a_refused_order_does_not_use_up_its_key() {
    let harness = Harness::builder().credits(0).build().await;
    let key = IdempotencyKey::new("k", "POST /x", b"b").unwrap();
    let refused = harness.services.order(&harness.principal, order(), "t", Some(&key)).await;
    assert!(matches!(refused, Err(ServiceError::InsufficientCredits { .. })));
    harness
        .services
        .operator(Operator::of_this_machine())
        .grant_credits(harness.principal.org, Decimal::from(40), "test")
        .await
        .unwrap();
    let taken = harness.services.order(&harness.principal, order(), "t", Some(&key)).await.unwrap();
    assert!(!taken.replayed);
    assert_eq!(harness.steps(taken.value.task_id).await[0].kind, article::RESEARCH.as_str());
}

//! Pictures from a prompt: ordered, waited for, paid for when they are there.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use galley_domain::{
    Fault, FaultCode,
    image::{ImageModel, ImageQuality, ImageRequest, ImageSize, ImageStyle},
    usage::Meter,
};
use galley_images::{Card, render_card};
use galley_testkit::{Harness, HarnessBuilder};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Front, text};

/// Answers as it is told, and remembers what it was asked.
#[derive(Debug)]
struct Model {
    answer: fn() -> Result<Vec<u8>, Fault>,
    asked: Mutex<Vec<ImageRequest>>,
}

impl Model {
    fn new(answer: fn() -> Result<Vec<u8>, Fault>) -> Arc<Self> {
        Arc::new(Self { answer, asked: Mutex::default() })
    }
}

#[async_trait]
impl ImageModel for Model {
    fn name(&self) -> &str {
        "painter"
    }

    async fn make(&self, request: &ImageRequest, _meter: &Meter) -> Result<Vec<u8>, Fault> {
        self.asked.lock().unwrap().push(request.clone());
        (self.answer)()
    }
}

fn picture() -> Result<Vec<u8>, Fault> {
    let card = Card { title: "Tea".into(), subtitle: None, language: "en".into(), seed: 3 };
    Ok(render_card(&card).unwrap().png)
}

fn builder() -> HarnessBuilder {
    Harness::builder().keyring().settings(|settings| settings.image_model = true)
}

/// A post of a project whose own order has ended: the path of its images.
async fn images(front: &Front) -> String {
    let (post, task) = front.ordered_post("Tea", Vec::new()).await;
    front.harness.services.cancel(front.harness.principal.org, task).await.unwrap();
    format!("{post}/images")
}

async fn generate(front: &Front, images: &str, body: &Value) -> super::Answer {
    front.post(&format!("{images}/ai-generate"), body).await
}

/// Credits that the organization owns and that are held.
async fn credits(front: &Front) -> (String, String) {
    let (owned, held) = front.harness.services.credits(front.harness.principal.org).await.unwrap();
    (owned.normalize().to_string(), held.normalize().to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_made_stored_and_paid_for() {
    let front = Front::on(builder(), |_| {}).await;
    let images = images(&front).await;
    let model = Model::new(picture);
    let engine = front.harness.illustrated(model.clone());
    let body = json!({ "prompt": "A pot of tea", "size": "1792x1024", "quality": "hd", "style": "vivid" });
    let send = || front.request(Method::POST, &format!("{images}/ai-generate")).header("idempotency-key", "one");
    let made = front.send(send().json(&body)).await;
    let image = made.is(201).clone();
    assert_eq!((&image["source"], &image["alt_text"]), (&json!("ai"), &json!("Tea")));
    assert_eq!((&image["width"], &image["height"]), (&json!(1200), &json!(630)));
    assert_eq!(made.header("location"), images);
    let request = ImageRequest {
        prompt: "A pot of tea".into(),
        size: ImageSize::OldLandscape,
        quality: ImageQuality::Hd,
        style: ImageStyle::Vivid,
    };
    assert_eq!(*model.asked.lock().unwrap(), [request]);
    assert_eq!(credits(&front).await, ("996".to_owned(), "0".to_owned()), "4 for high quality");
    let again = front.send(send().json(&body)).await;
    assert_eq!(again.is(201)["id"], image["id"]);
    assert_eq!(model.asked.lock().unwrap().len(), 1);
    generate(&front, &images, &json!({ "prompt": "Another" })).await.is(201);
    assert_eq!(credits(&front).await, ("995".to_owned(), "0".to_owned()), "and 1 for the usual");
    engine.stop().await;
    assert_eq!(front.get(&images).await.is(200).as_array().unwrap().len(), 2);
    front.harness.assert_books_closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_made_is_told_and_costs_nothing() {
    let front = Front::on(builder(), |_| {}).await;
    let images = images(&front).await;
    let refused = || Err(Fault::permanent(FaultCode::ValidationError, "was refused by the rules"));
    let broken = || Err(Fault::permanent(FaultCode::LlmError, "The model provider has no picture."));
    let engine = front.harness.illustrated(Model::new(refused));
    let answer = generate(&front, &images, &json!({ "prompt": "Something bad" })).await;
    answer.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(answer.wrong_fields(), ["prompt"]);
    engine.stop().await;
    let engine = front.harness.illustrated(Model::new(broken));
    let answer = generate(&front, &images, &json!({ "prompt": "Tea" })).await;
    let problem = answer.is_problem(502, "LLM_ERROR");
    assert!(text(&problem["detail"]).contains("no picture"), "{problem}");
    engine.stop().await;
    assert_eq!(credits(&front).await, ("1000".to_owned(), "0".to_owned()));
    assert_eq!(front.get(&images).await.is(200), &json!([]));
    for (body, field) in [
        (json!({}), "prompt"),
        (json!({ "prompt": " " }), "prompt"),
        (json!({ "prompt": "x".repeat(4001) }), "prompt"),
        (json!({ "prompt": "x", "size": "10x10" }), "size"),
        (json!({ "prompt": "x", "quality": "best" }), "quality"),
        (json!({ "prompt": "x", "style": "cubist" }), "style"),
    ] {
        let refused = generate(&front, &images, &body).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), [field]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_model_or_credits_nothing_is_ordered() {
    let front = Front::on(Harness::builder().keyring(), |_| {}).await;
    let images = images(&front).await;
    let refused = generate(&front, &images, &json!({ "prompt": "Tea" })).await;
    let problem = refused.is_problem(409, "CONFLICT");
    assert!(text(&problem["detail"]).contains("images.model"), "{problem}");
    let front = Front::on(builder().credits(40), |_| {}).await;
    let images = self::images(&front).await;
    front
        .harness
        .database
        .execute("UPDATE organizations SET balance = 0.5; UPDATE ledger_entries SET amount = 0.5")
        .await;
    generate(&front, &images, &json!({ "prompt": "Tea" })).await.is_problem(402, "INSUFFICIENT_CREDITS");
    let kinds = front.harness.database.texts("SELECT kind FROM tasks").await;
    assert_eq!(kinds, ["article"], "nothing of the order is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stops_answers_with_the_work_that_goes_on() {
    let front = Front::on(builder(), |_| {}).await;
    let images = images(&front).await;
    // Nobody works on it, so the call waits; a stopping process lets it go.
    let body = json!({ "prompt": "Tea" });
    let waiting = generate(&front, &images, &body);
    let ordered = async {
        while front.harness.database.texts("SELECT id::text FROM tasks WHERE kind = 'image'").await.is_empty() {
            tokio::task::yield_now().await;
        }
        front.stop.cancel();
    };
    let mut waiting = pin!(waiting);
    let answer = tokio::select! {
        answer = &mut waiting => answer,
        () = ordered => waiting.await,
    };
    let job = answer.is(202);
    assert_eq!((&job["job_id"], &job["status"]), (&job["task_id"], &json!("running")));
    assert_eq!(answer.header("location"), format!("/api/v1/tasks/{}", text(&job["task_id"])));
}

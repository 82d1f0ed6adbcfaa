//! Rows to insert, each complete and plain.

use std::collections::BTreeMap;

use galley_domain::{
    OrgId,
    article::{self, ArticleStatus, ContentFormat},
    effect::EffectState,
    embedding::Vector,
    image::ImageSource,
    judge::Judgement,
    project::Platform,
    schedule::{RunStatus, RunTrigger, ScheduleStatus},
    usage::{AnswerEnd, CallOutcome, KeptAnswer, Usage},
    webhook::{DeliveryStatus, WebhookFormat},
    writing::{Origin, Verdict},
};
use galley_services::pipelines::READING;
use galley_store::{
    ArticleFilter, ArticleSort, EffectKey, Fence, FileFilter, ImagePlace, NewArticle, NewAttempt, NewDelivery,
    NewEmbedding, NewEventToken, NewFile, NewImage, NewJudgement, NewKey, NewOrder, NewProject, NewRun, NewSchedule,
    NewSource, NewSourceImage, NewStep, NewWebhook, ReplayRange, ScheduleFilter, Start, StoredClaim, StoredSecret,
    TextEnum, TextVersion, rows,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Theirs;

pub(super) fn judgement() -> NewJudgement {
    NewJudgement { hash: vec![7; 32], judgement: Judgement::No }
}

pub(super) fn embedding() -> NewEmbedding {
    NewEmbedding { hash: vec![7; 32], vector: Vector::new(vec![1.0, 0.0]).unwrap() }
}

pub(super) fn secret(org: OrgId) -> StoredSecret {
    StoredSecret {
        org_id: org.0,
        id: Uuid::new_v4(),
        purpose: "model_key".into(),
        name: "default".into(),
        key_id: "k".into(),
        wrapped_key: vec![1],
        sealed: vec![2],
    }
}

pub(super) fn new_webhook() -> NewWebhook {
    NewWebhook {
        id: Uuid::new_v4(),
        url: "https://example.com/".into(),
        description: String::new(),
        events: vec!["*".into()],
        format: WebhookFormat::Standard,
    }
}

pub(super) fn new_delivery(webhook: Uuid) -> NewDelivery {
    NewDelivery {
        id: Uuid::new_v4(),
        webhook,
        subject: Some(Uuid::new_v4()),
        message_id: "msg_1".into(),
        event_type: "task.progressed".into(),
        at: chrono::Utc::now(),
        payload: "{}".into(),
        sequence: 1,
        resend_of: None,
        always: false,
    }
}

pub(super) fn new_attempt(delivery: Uuid) -> NewAttempt {
    NewAttempt {
        delivery,
        number: 1,
        at: chrono::Utc::now(),
        duration_ms: 1,
        status_code: Some(500),
        error: None,
        response_body: None,
    }
}

pub(super) fn new_event_token(task: Uuid, key: Uuid) -> NewEventToken {
    NewEventToken { hash: Uuid::new_v4().into_bytes().to_vec(), task, key, expires_at: chrono::Utc::now() }
}

pub(super) fn new_key() -> NewKey {
    NewKey {
        id: Uuid::new_v4(),
        name: "n".into(),
        prefix: "gk_".into(),
        hash: Uuid::new_v4().as_bytes().to_vec(),
        permissions: vec!["read".into()],
        scopes: vec!["admin".into()],
        expires_at: None,
    }
}

pub(super) fn new_article(theirs: &Theirs) -> NewArticle {
    NewArticle {
        id: Uuid::new_v4(),
        project_id: Some(theirs.project.id),
        title: "t".into(),
        slug: theirs.article.slug.clone(),
        content_format: ContentFormat::Markdown,
        keywords: Vec::new(),
        tone: "professional",
        length: None,
        language: "en".into(),
    }
}

pub(super) fn new_order() -> NewOrder {
    NewOrder {
        id: Uuid::new_v4(),
        kind: "article",
        input: json!({}),
        subject: None,
        price: Decimal::ONE,
        api_key_id: None,
        parent: None,
        first: new_step(None),
        run_at: None,
        told: json!({}),
    }
}

pub(super) fn new_step(task: Option<Uuid>) -> NewStep {
    NewStep {
        id: Uuid::new_v4(),
        org: None,
        task,
        run: 1,
        kind: article::RESEARCH,
        pool: READING,
        position: 7,
        rank: 1,
        max_attempts: 1,
        trace_id: "t".into(),
        payload: Value::Null,
        subject: None,
        start: Start::Now,
        paused: false,
        started: None,
    }
}

pub(super) fn text() -> TextVersion {
    TextVersion {
        reason: "edited",
        title: "Mine now".into(),
        slug: "mine-now".into(),
        content_markdown: "x".into(),
        seo_title: String::new(),
        seo_description: String::new(),
        keywords: Vec::new(),
        status: ArticleStatus::Draft,
        word_count: 1,
        published_at: None,
        seo_report: None,
        writer: String::new(),
    }
}

pub(super) fn usage() -> Usage {
    Usage {
        provider: "p".into(),
        model: "m".into(),
        operation: "o".into(),
        prompt_tokens: 1,
        completion_tokens: 1,
        estimated: false,
        cost_usd: Decimal::ZERO,
        duration_ms: 1,
        outcome: CallOutcome::Ok,
        answer: None,
    }
}

/// A call whose answer is kept.
pub(super) fn answered_call() -> Usage {
    let answer = KeptAnswer { question: [7; 32], text: "theirs".into(), end: AnswerEnd::Stop };
    Usage { answer: Some(answer), ..usage() }
}

pub(super) fn every_schedule() -> ScheduleFilter {
    ScheduleFilter { limit: 1000, ..ScheduleFilter::default() }
}

pub(super) fn new_schedule() -> NewSchedule {
    NewSchedule {
        name: "n".into(),
        status: ScheduleStatus::Paused,
        recurrence: json!({}),
        action: json!({}),
        work: json!({}),
        missed: json!({}),
        max_per_day: None,
        project_id: None,
        api_key_id: None,
        last_considered: chrono::DateTime::UNIX_EPOCH,
        next_due: None,
    }
}

pub(super) fn new_run(schedule: Uuid) -> NewRun {
    NewRun {
        schedule,
        due_at: chrono::DateTime::UNIX_EPOCH,
        trigger: RunTrigger::Schedule,
        status: RunStatus::Asked,
        late_seconds: 0,
        reason: None,
    }
}

pub(super) fn everything_sent() -> ReplayRange {
    ReplayRange {
        from: chrono::DateTime::UNIX_EPOCH,
        to: chrono::Utc::now(),
        statuses: DeliveryStatus::ALL.to_vec(),
        event_types: None,
    }
}

pub(super) fn every_article() -> ArticleFilter {
    ArticleFilter {
        statuses: Vec::new(),
        project_id: None,
        search: None,
        sort: ArticleSort::Title,
        descending: false,
        limit: 1000,
        offset: 0,
    }
}

pub(super) fn every_file() -> FileFilter {
    FileFilter { limit: 1000, ..FileFilter::default() }
}

pub(super) fn new_file() -> NewFile {
    NewFile { id: Uuid::new_v4(), name: "n".into(), kind: "txt".into(), size: 1, sha256: "s".into(), blob: "b".into() }
}

pub(super) fn new_project() -> NewProject {
    let slug = Uuid::new_v4().to_string();
    NewProject { name: "Mine".into(), platform: Platform::Wordpress, slug }
}

pub(super) fn publication(article: Uuid) -> EffectKey<'static> {
    EffectKey { kind: article::PUBLICATION, subject: article, destination: "folder", key: "1" }
}

/// As if the step that runs were at it.
pub(super) fn sent(theirs: &Theirs) -> rows::Effect {
    let Fence { step, lease } = theirs.step.fence;
    let state = TextEnum(EffectState::Sent);
    rows::Effect { state, step_id: Some(step), lease: Some(lease), ..theirs.effect.clone() }
}

pub(super) fn new_source() -> NewSource {
    NewSource {
        number: 1,
        origin: Origin::File { name: "n".into() },
        title: "t".into(),
        language: None,
        text: "t".into(),
        sha256: "s".into(),
        words: 1,
    }
}

pub(super) fn new_claim(source: Uuid) -> StoredClaim {
    StoredClaim {
        section: 0,
        sentence: "s".into(),
        verdict: Verdict::Supported,
        source_id: Some(source),
        span: Some((0, 1)),
        coverage_permille: 1000,
        missing: Vec::new(),
    }
}

pub(super) fn new_image(article: Uuid) -> NewImage {
    NewImage {
        id: Uuid::new_v4(),
        article,
        source: ImageSource::Upload,
        kind: "png".into(),
        width: 1,
        height: 1,
        file_size: 1,
        sha256: "s".into(),
        blob: "b".into(),
        variants: BTreeMap::new(),
        stored_bytes: 1,
        alt_text: "mine".into(),
        credit: None,
        file: None,
    }
}

/// Of the first source of a run.
pub(super) fn new_source_image(article: Uuid) -> NewSourceImage {
    let image = NewImage { source: ImageSource::Article, ..new_image(article) };
    let place = ImagePlace { at: 0, heading: None, caption: String::new(), address: None };
    NewSourceImage { image, source: 1, place }
}

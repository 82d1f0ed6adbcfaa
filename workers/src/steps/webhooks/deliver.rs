//! Deliver: one attempt at the next message to an endpoint. Whether and when there is another one is the keeper's to say: to
//! the engine a refused message is a step that ended well.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::Utc;
use galley_domain::task::StepKind;
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::{
    Outgoing,
    pipelines::webhooks::{Attempted, Sent},
};
use galley_webhooks::{Attempt, Report, Sender, Verdict};
use uuid::Uuid;

use crate::steps::Toolbox;

/// As many attempts go to one host as may; other endpoints there have them.
const BUSY: Duration = Duration::from_millis(500);

pub(super) struct Deliver {
    pub(super) toolbox: Arc<Toolbox>,
    pub(super) kind: StepKind,
}

#[async_trait]
impl Step for Deliver {
    fn kind(&self) -> StepKind {
        self.kind
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, webhook) = (cx.org()?, cx.subject()?);
        let Toolbox { services, sender, .. } = &*self.toolbox;
        let Some(url) = services.webhook_url(org, webhook).await? else { return Ok(Output::default()) };
        if sender.is_busy(&url) {
            return Err(StepError::Snooze(BUSY));
        }
        let Some(outgoing) = services.take_delivery(org, webhook, cx.step.fence.step).await? else {
            return Ok(Output::bringing(Sent { webhook, attempt: None }));
        };
        let delivery = outgoing.delivery.id;
        let report = attempt(sender, outgoing).await;
        tracing::info!(%delivery, status = report.status_code, verdict = %report.verdict, detail = report.detail, "attempt");
        let attempt = Some(Attempted { delivery, report, random: random() });
        Ok(Output::bringing(Sent { webhook, attempt }))
    }
}

async fn attempt(sender: &Sender, outgoing: Outgoing) -> Report {
    let Outgoing { url, format, delivery, secrets } = outgoing;
    let secrets = match secrets {
        Ok(secrets) => secrets,
        Err(error) => return unsent(error),
    };
    let attempt = Attempt {
        url: &url,
        message_id: &delivery.message_id,
        timestamp: Utc::now().timestamp(),
        body: delivery.payload.into_bytes(),
        secrets: &secrets,
        format,
    };
    sender.send(attempt).await
}

/// An attempt that could not be made counts as one that failed.
fn unsent(error: String) -> Report {
    Report {
        at: Utc::now(),
        duration_ms: 0,
        status_code: None,
        error: Some(error),
        detail: None,
        response_body: None,
        retry_after: None,
        verdict: Verdict::Failed,
    }
}

/// In 0..1.
fn random() -> f64 {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    // The upper 32 bits of a random UUID are all random.
    f64::from(u32::try_from(high >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

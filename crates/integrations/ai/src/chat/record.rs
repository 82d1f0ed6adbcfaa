//! Books each call in the meter exactly once, also when it fails or is dropped.

use std::time::Instant;

use galley_domain::usage::{CallOutcome, Meter, Usage};
use rust_decimal::Decimal;

use crate::{endpoint::Endpoint, prices::Price};

/// Tokens as the provider counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    pub prompt: u64,
    pub completion: u64,
}

/// One call under way. Dropped without [`Record::finish`], it is booked as cancelled with an estimate.
pub(crate) struct Record {
    meter: Meter,
    provider: String,
    model: String,
    operation: String,
    price: Option<Price>,
    started: Instant,
    prompt_estimate: usize,
    /// What the server may have charged so far.
    billable: bool,
    received_bytes: usize,
    counted: Option<Counted>,
    booked: bool,
}

impl Record {
    pub(crate) fn begin(endpoint: &Endpoint, operation: &str, prompt_estimate: usize, meter: &Meter) -> Self {
        Self {
            meter: meter.clone(),
            provider: endpoint.provider.clone(),
            model: endpoint.model.clone(),
            operation: operation.to_owned(),
            price: endpoint.price,
            started: Instant::now(),
            prompt_estimate,
            billable: true,
            received_bytes: 0,
            counted: None,
            booked: false,
        }
    }

    /// Nothing was generated: the connection failed, or the server refused before it began.
    pub(crate) fn not_billable(&mut self) {
        self.billable = false;
    }

    /// A piece of the answer or of its reasoning arrived.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.received_bytes = self.received_bytes.saturating_add(bytes);
    }

    /// The provider's own count; the last one stands, since some servers count in every piece.
    pub(crate) fn counted(&mut self, counted: Counted) {
        self.counted = Some(counted);
    }

    /// Books the call and returns its tokens.
    pub(crate) fn finish(mut self, outcome: CallOutcome) -> Counted {
        self.book(outcome)
    }

    fn book(&mut self, outcome: CallOutcome) -> Counted {
        self.booked = true;
        let estimate = if self.billable {
            Counted {
                prompt: u64::try_from(self.prompt_estimate).unwrap_or(u64::MAX),
                completion: u64::try_from(self.received_bytes.div_ceil(3)).unwrap_or(u64::MAX),
            }
        } else {
            Counted { prompt: 0, completion: 0 }
        };
        let tokens = self.counted.unwrap_or(estimate);
        self.meter.record(Usage {
            provider: std::mem::take(&mut self.provider),
            model: std::mem::take(&mut self.model),
            operation: std::mem::take(&mut self.operation),
            prompt_tokens: tokens.prompt,
            completion_tokens: tokens.completion,
            estimated: self.counted.is_none() && self.billable,
            cost_usd: self.price.map_or(Decimal::ZERO, |p| p.cost(tokens.prompt, tokens.completion)),
            duration_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            outcome,
        });
        tokens
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.booked {
            self.book(CallOutcome::Cancelled);
        }
    }
}

//! Books each call in the meter exactly once, also when it fails or is dropped.

use std::time::Instant;

use galley_domain::usage::{CallOutcome, KeptAnswer, Meter, Usage};
use rust_decimal::Decimal;

use crate::{endpoint::Endpoint, prices::Price};

/// No call has more tokens of either kind. A count above is not believed: it could neither be stored nor paid.
const MOST_TOKENS: u64 = 1_000_000_000;

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
    answer: Option<KeptAnswer>,
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
            answer: None,
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

    /// The provider's own count; the last one that can be true stands, since some servers count in every piece.
    pub(crate) fn counted(&mut self, counted: Counted) {
        if counted.prompt.max(counted.completion) <= MOST_TOKENS {
            self.counted = Some(counted);
        }
    }

    /// What is to be kept for a replay.
    pub(crate) fn keep(&mut self, answer: KeptAnswer) {
        self.answer = Some(answer);
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
            answer: self.answer.take(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_cannot_be_true_is_an_estimate_that_can_be_stored() {
        let mut endpoint = Endpoint::new("peer", "https://host/v1", "m").unwrap();
        endpoint.price = Some(Price { prompt: Decimal::from(100_000), completion: Decimal::from(100_000) });
        let booked = |prompt, completion| {
            let meter = Meter::default();
            let mut record = Record::begin(&endpoint, "draft", 10, &meter);
            record.received(30);
            record.counted(Counted { prompt, completion });
            record.finish(CallOutcome::Ok);
            meter.take().remove(0)
        };
        for (prompt, completion) in [(u64::MAX, 1), (1, u64::MAX), (MOST_TOKENS + 1, 0)] {
            let usage = booked(prompt, completion);
            assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.estimated), (10, 10, true));
        }
        let most = booked(MOST_TOKENS, MOST_TOKENS);
        assert!(
            !most.estimated && most.cost_usd < Decimal::from(1_000_000_000),
            "numeric(18, 9) holds {}",
            most.cost_usd
        );
    }
}

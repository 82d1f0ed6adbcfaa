//! What a call to a paid service used.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::text_enum;

/// How one call ended. A call that was cut or dropped may still have cost money, so it is recorded too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    Ok,
    Failed,
    Cancelled,
}

text_enum! {
    /// How a kept answer ended.
    AnswerEnd {
        /// The model said all it wanted.
        Stop = "stop",
        /// It hit the limit of tokens; the text breaks off anywhere.
        Length = "length",
        /// The server refused the question as too long, and wrote nothing.
        TooLong = "too_long",
    }
}

/// What a model answered, where answers are kept: enough to run a step again without the model.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// SHA-256 of the question: model, messages and options.
    pub question: [u8; 32],
    pub text: String,
    pub end: AnswerEnd,
}

/// Usage that cannot be written is logged, and no answer belongs in a log.
impl fmt::Debug for KeptAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptAnswer({} bytes, {})", self.text.len(), self.end)
    }
}

/// One call to a model: tokens as the provider counted them, price in US dollars from the price table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    pub provider: String,
    pub model: String,
    /// What the call was for: `outline`, `section`, `section.repair`, …
    pub operation: String,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// True where the provider sent no count and the figures are an estimate.
    pub estimated: bool,
    pub cost_usd: Decimal,
    pub duration_ms: u64,
    pub outcome: CallOutcome,
    /// Where answers are kept.
    #[serde(skip)]
    pub answer: Option<KeptAnswer>,
}

/// Collects the usage of a step while it runs, so that it survives failure and cancellation of the step.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<Usage>>>);

impl Meter {
    pub fn record(&self, usage: Usage) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(usage);
    }

    /// What the recorded calls have cost that nobody has taken yet.
    pub fn cost_usd(&self) -> Decimal {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|usage| usage.cost_usd).sum()
    }

    /// Takes what was recorded since the last call.
    pub fn take(&self) -> Vec<Usage> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_never_shown() {
        let answer = KeptAnswer { question: [0; 32], text: "Lockers in Riga".into(), end: AnswerEnd::Stop };
        assert_eq!(format!("{answer:?}"), "KeptAnswer(15 bytes, stop)");
    }
}

//! A second opinion on what a passage says.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{fault::Fault, hidden::Hidden, text_enum, usage::Meter, writing::Verdict};

/// A sentence of an article and the passage that it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub sentence: String,
    pub passage: String,
}

text_enum! {
    /// What a judge says of a pair.
    Judgement {
        /// The passage says all of the sentence.
        Yes = "yes",
        /// It says a part and denies none of it.
        Partly = "partly",
        /// It denies some of it, or says nothing of the kind.
        No = "no",
    }
}

impl Judgement {
    /// The verdict after this judgement: lower or the same, never higher.
    pub fn lowers(self, verdict: Verdict) -> Verdict {
        match (verdict, self) {
            (Verdict::Supported | Verdict::Partly, Self::No) => Verdict::Unsupported,
            (Verdict::Supported, Self::Partly) => Verdict::Partly,
            (verdict, _) => verdict,
        }
    }
}

/// Compares sentences with passages. Every call to a paid service is recorded in the meter.
#[async_trait]
pub trait Judge: Send + Sync + std::fmt::Debug {
    /// What a judgement depends on besides the pair: the model and how it is asked.
    fn version(&self) -> String;

    /// The same judge with the key of an organization; none where it is called without a key. Cheap: once for every article.
    ///
    /// # Errors
    /// A permanent fault when the key cannot be one.
    fn with_key(&self, _key: Hidden) -> Result<Option<Arc<dyn Judge>>, Fault> {
        Ok(None)
    }

    /// How many of these pairs go into one call, at least one where there is any.
    fn fitting(&self, pairs: &[Pair]) -> usize;

    /// One call. One judgement for each pair; none where the answer says nothing of it.
    async fn judge(&self, pairs: &[Pair], meter: &Meter) -> Result<Vec<Option<Judgement>>, Fault>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judgement_lowers_and_never_raises() {
        use Verdict::{NoClaim, Partly, Supported, Unsupported};
        for (verdict, after) in [
            (Supported, [Supported, Partly, Unsupported]),
            (Partly, [Partly, Partly, Unsupported]),
            (Unsupported, [Unsupported; 3]),
            (NoClaim, [NoClaim; 3]),
        ] {
            let lowered: Vec<Verdict> = Judgement::ALL.iter().map(|judgement| judgement.lowers(verdict)).collect();
            assert_eq!(lowered, after);
        }
    }
}

//! Effects: what is done outside of the database, one row of the ledger each.

use crate::{task::registered_word, text_enum};

registered_word! {
    /// What is done: a publication, an upload, a mail. Each pipeline names its own.
    EffectKind
}

text_enum! {
    /// How far an effect came.
    EffectState {
        /// Nothing has been sent.
        Intended = "intended",
        /// A call is on its way, or its caller has died.
        Sent = "sent",
        Confirmed = "confirmed",
        /// The call failed in a way that leaves open whether it was done.
        Unknown = "unknown",
        /// It was refused.
        Failed = "failed",
    }
}

//! Webhooks out: the words of their rows.

use crate::text_enum;

text_enum! {
    WebhookStatus { Active = "active", Disabled = "disabled" }
}

text_enum! {
    /// Why an endpoint gets nothing.
    DisabledReason { Failing = "failing", Gone = "gone", Manual = "manual" }
}

text_enum! {
    /// What became of a message to one endpoint.
    DeliveryStatus { Pending = "pending", Delivered = "delivered", Failed = "failed", Cancelled = "cancelled" }
}

text_enum! {
    /// The form of payloads and signatures that an endpoint gets.
    WebhookFormat { Standard = "standard", V003 = "003" }
}

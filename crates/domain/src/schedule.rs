//! Recurring schedules and their runs.

use crate::text_enum;

text_enum! {
    ScheduleStatus {
        Active = "active",
        /// Times that come now do not count, and are not missed later.
        Paused = "paused",
        /// Nothing comes any more.
        Ended = "ended",
    }
}

text_enum! {
    /// What brought a run about.
    RunTrigger { Schedule = "schedule", Manual = "manual" }
}

text_enum! {
    /// What became of a time at which a schedule came due.
    RunStatus {
        /// Its order was taken.
        Fired = "fired",
        /// Nothing was to be done, or somebody decided so.
        Skipped = "skipped",
        /// Nobody looked until it was too late.
        Missed = "missed",
        /// Somebody has to decide.
        Asked = "asked",
        /// Its order was refused.
        Failed = "failed",
    }
}

//! What happens without anybody asking for it each time.

pub mod schedules;

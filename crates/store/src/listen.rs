//! One LISTEN connection per process.

use sqlx::postgres::{PgListener, PgPool};
use uuid::Uuid;

use crate::error::StoreError;

/// What is said on `galley_steps` about a step with a delay.
pub(crate) const CLOCK: &str = "clock";

/// What another transaction said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Steps became claimable.
    Steps,
    /// A step is to become claimable by the clock, perhaps sooner than anyone expected.
    Clock,
    /// A task was cancelled: its running steps must stop.
    Cancelled { task: Uuid },
    /// A task has a new event.
    Event { task: Uuid },
    /// The connection was lost and is there again; anything may have been missed.
    Reconnected,
}

#[derive(Debug)]
pub struct Listener {
    inner: PgListener,
}

impl Listener {
    pub(crate) async fn connect(pool: &PgPool) -> Result<Self, StoreError> {
        let mut inner = PgListener::connect_with(pool).await?;
        // A listener that waits for the pool to close would keep the process from stopping.
        inner.ignore_pool_close_event(true);
        inner.listen_all(["galley_steps", "galley_cancel", "galley_events"]).await?;
        Ok(Self { inner })
    }

    /// Waits for the next word. An error means that the database is away; call again later.
    pub async fn next(&mut self) -> Result<Wake, StoreError> {
        loop {
            let Some(notification) = self.inner.try_recv().await? else {
                return Ok(Wake::Reconnected);
            };
            let task = Uuid::try_parse(notification.payload());
            match (notification.channel(), task) {
                ("galley_steps", _) if notification.payload() == CLOCK => return Ok(Wake::Clock),
                ("galley_steps", _) => return Ok(Wake::Steps),
                ("galley_cancel", Ok(task)) => return Ok(Wake::Cancelled { task }),
                ("galley_events", Ok(task)) => return Ok(Wake::Event { task }),
                (channel, _) => tracing::debug!(channel, "notification that nobody understands"),
            }
        }
    }
}

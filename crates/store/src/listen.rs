//! One LISTEN connection per process.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use sqlx::{
    Executor,
    postgres::{PgListener, PgPool},
};

use crate::{
    announce::{CHANNEL, Notification, heard},
    error::StoreError,
};

/// A connection that only listens does not notice a lost route: after this long without a word it is asked.
const SILENCE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a process looks for itself that cannot be woken.
const DEAF: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Listener {
    /// None where a pooler is in the way.
    inner: Option<PgListener>,
    origin: Arc<str>,
    heard: VecDeque<Notification>,
}

impl Listener {
    pub(crate) async fn connect(pool: &PgPool, origin: Arc<str>) -> Result<Self, StoreError> {
        let mut inner = PgListener::connect_with(pool).await?;
        // A listener that waits for the pool to close would keep the process from stopping.
        inner.ignore_pool_close_event(true);
        inner.listen(CHANNEL).await?;
        Ok(Self { inner: Some(inner), origin, heard: VecDeque::new() })
    }

    /// One that hears nobody, and says again and again that anything may have happened.
    pub(crate) fn deaf() -> Self {
        Self { inner: None, origin: "".into(), heard: VecDeque::new() }
    }

    /// Waits for the next word of another process. An error means that the database is away; call again later.
    pub async fn next(&mut self) -> Result<Notification, StoreError> {
        let Some(inner) = &mut self.inner else {
            tokio::time::sleep(DEAF).await;
            return Ok(Notification::Reconnected);
        };
        loop {
            if let Some(notification) = self.heard.pop_front() {
                return Ok(notification);
            }
            // Bytes that have come in stay in the connection's buffer when the wait is cut off.
            match tokio::time::timeout(SILENCE, inner.try_recv()).await {
                Ok(Ok(Some(notification))) => self.heard.extend(heard(&self.origin, notification.payload())),
                Ok(Ok(None)) => return Ok(Notification::Reconnected),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => ask(inner).await?,
            }
        }
    }
}

async fn ask(listener: &mut PgListener) -> Result<(), StoreError> {
    let answered = tokio::time::timeout(PATIENCE, listener.execute("SELECT 1")).await;
    answered.map_err(|_| StoreError::Silent(PATIENCE))?.map(|_| ()).map_err(Into::into)
}

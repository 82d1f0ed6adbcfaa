//! apalis' view of the queue: a stream of leases that the claimer has won.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, task_id::RandomId},
    worker::context::WorkerContext,
};
use tokio::sync::mpsc;
use tower::layer::util::Identity;

use crate::leases::Lease;

/// A pool's backend. The claimer sends no more than there are free slots, so nothing ever waits here.
///
/// It hands out what [`galley_store::Queue`] has leased; acknowledging, retrying and re-queueing are not apalis'
/// business but the fenced transaction's.
#[derive(Debug, Clone)]
pub(crate) struct StepSource {
    leases: Arc<Mutex<mpsc::Receiver<Lease>>>,
}

impl StepSource {
    pub(crate) fn channel(slots: usize) -> (mpsc::Sender<Lease>, Self) {
        let (feed, leases) = mpsc::channel(slots.max(1));
        (feed, Self { leases: Arc::new(Mutex::new(leases)) })
    }
}

impl Backend for StepSource {
    type Task = Task<Lease>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// Ends when the claimer has gone.
    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Task<Lease>, Infallible>>> {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let next = leases.poll_recv(cx);
        if let Poll::Ready(None) = next
            && let Err(error) = worker.stop()
        {
            // A worker whose backend has ended waits for this word, or for ever.
            tracing::debug!(%error, "the worker had stopped already");
        }
        next.map(|lease| lease.map(|lease| Ok(Task::new(lease))))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for StepSource {
    type Args = Lease;
    type Id = RandomId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}

//! What a connection may cost before anything was asked over it: there are only so many, and none stays silent for ever.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use poem::{
    Response, Server,
    endpoint::BoxEndpoint,
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    app,
    state::{AppState, HttpLimits},
};

/// What to wait for after the system could not give out a connection: it is short of something, and asking again at once
/// would keep a processor busy with it.
const PAUSE: Duration = Duration::from_millis(250);

/// Serves the front until `stop` is cancelled, then lets requests in flight go on for at most `drain`.
pub async fn serve<A: Acceptor + 'static>(
    acceptor: A,
    state: AppState,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let (idle, bounded) = (state.limits.idle, Bounded::new(acceptor, &state.limits));
    let app: BoxEndpoint<'static, Response> = app(state);
    Server::new_with_acceptor(bounded)
        // Lets a request in flight end in order.
        .idle_timeout(idle)
        .run_with_graceful_shutdown(app, stop.cancelled_owned(), Some(drain))
        .await
}

/// Takes only so many connections at once; further ones wait in the system's queue.
struct Bounded<A> {
    inner: A,
    places: Arc<Semaphore>,
    silence: Duration,
}

impl<A> Bounded<A> {
    fn new(inner: A, limits: &HttpLimits) -> Self {
        // The server stops an idle connection in order, but then waits for a request whose head never ends; this does not.
        // An upload that is worked on is silent too.
        let silence = limits.idle + limits.upload_timeout.max(limits.timeout);
        Self { inner, places: Arc::new(Semaphore::new(limits.connections)), silence }
    }
}

impl<A: Acceptor> Acceptor for Bounded<A> {
    type Io = Connection<A::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.inner.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        loop {
            match self.inner.accept().await {
                Ok((io, local, remote, scheme)) => {
                    let asleep = Box::pin(tokio::time::sleep(self.silence));
                    let connection = Connection { io, silence: self.silence, asleep, _place: place };
                    return Ok((connection, local, remote, scheme));
                }
                Err(error) if is_of_one_client(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection could be taken; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// The client was gone before its connection was taken; the next one is not concerned.
fn is_of_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// A connection that breaks when nothing comes or goes for too long, and holds its place until it is dropped.
struct Connection<T> {
    io: T,
    silence: Duration,
    asleep: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl<T> Connection<T> {
    /// Whatever is ready is a sign of life; without one for too long, the connection is over.
    fn heard<V>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        if polled.is_ready() {
            self.asleep.as_mut().reset(Instant::now() + self.silence);
            return polled;
        }
        self.asleep.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        self.heard(cx, polled)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        self.heard(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.heard(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    // Flushing a socket is always done at once, so it is no sign of life.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use futures::FutureExt;
    use tokio::io::{AsyncReadExt, DuplexStream};

    use super::*;

    const MOMENT: Duration = Duration::from_millis(50);

    /// Gives out what is prepared, then nothing.
    struct Prepared(VecDeque<io::Result<DuplexStream>>);

    impl Acceptor for Prepared {
        type Io = DuplexStream;

        fn local_addr(&self) -> Vec<LocalAddr> {
            Vec::new()
        }

        async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
            match self.0.pop_front() {
                Some(next) => Ok((next?, LocalAddr::default(), RemoteAddr::default(), Scheme::HTTP)),
                None => std::future::pending().await,
            }
        }
    }

    fn bounded(prepared: Vec<io::Result<DuplexStream>>, connections: usize) -> Bounded<Prepared> {
        let second = Duration::from_secs(1);
        let limits =
            HttpLimits { connections, idle: second, timeout: second, upload_timeout: second, ..HttpLimits::default() };
        Bounded::new(Prepared(prepared.into()), &limits)
    }

    fn stream() -> DuplexStream {
        tokio::io::duplex(64).0
    }

    #[tokio::test]
    async fn a_system_short_of_something_is_given_time() {
        let short = || Err(io::Error::other("too many open files"));
        let gone = || Err(io::ErrorKind::ConnectionAborted.into());
        let mut acceptor = bounded(vec![short(), gone(), short(), Ok(stream())], 1);
        let start = Instant::now();
        assert!(acceptor.accept().await.is_ok(), "it goes on");
        let pauses = start.elapsed().as_millis() / PAUSE.as_millis();
        assert_eq!(pauses, 2, "after a pause each, but not for a client that left");
    }

    #[tokio::test]
    async fn a_connection_too_many_waits_for_a_place() {
        let mut acceptor = bounded(vec![Ok(stream()), Ok(stream())], 1);
        let first = acceptor.accept().await.expect("a connection");
        assert!(acceptor.accept().now_or_never().is_none(), "the only place is taken");
        drop(first);
        assert!(acceptor.accept().await.is_ok(), "the place was given back");
    }

    #[tokio::test]
    async fn a_connection_without_a_sign_of_life_breaks() {
        let (near, _far) = tokio::io::duplex(64);
        let (mut connection, ..) = bounded(vec![Ok(near)], 1).accept().await.expect("a connection");
        let start = Instant::now();
        let error = connection.read_u8().await.expect_err("nothing comes");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= MOMENT * 2, "not before its time");
    }
}

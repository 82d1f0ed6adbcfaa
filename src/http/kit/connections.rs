//! What a connection may cost before anything was asked over it: there are only so many, and none stays silent, keeps a
//! request back or leaves an answer unread for ever.

use std::{
    convert::Infallible,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::{
    Response,
    endpoint::{BoxEndpoint, Endpoint},
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::state::{AppState, HttpLimits};
use crate::http::app;

/// What to wait for after the system could not give out a connection: it is short of something, and asking again at once
/// would keep a processor busy with it.
const PAUSE: Duration = Duration::from_millis(250);

/// The most that is read of the head of a request, and the most of an answer that waits to be sent, in bytes. Above
/// what the middleware takes, so that the middleware answers with a problem; beyond this there is only a bare 431. Room
/// for so many headers is made for each request, with 64 bytes for each.
const BUFFER: usize = 64 * 1024;
const HEADERS: usize = 128;

/// Serves the front until `stop` is cancelled, then lets requests in flight go on for at most `drain`.
///
/// Not poem's server, because it cannot be told how long the head of a request may take. HTTP/1.1 only: what speaks
/// HTTP/2 to the outside is the proxy that also does TLS.
pub async fn serve<A: Acceptor + 'static>(
    acceptor: A,
    state: AppState,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let (mut bounded, server) = (Bounded::new(acceptor, &state.limits), Arc::new(server(&state.limits)));
    let app: Arc<BoxEndpoint<'static, Response>> = Arc::new(app(state));
    let open = TaskTracker::new();
    // Not a child of `stop`: it cuts what is still open when `drain` is over.
    let cut = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = bounded.accept() => accepted?,
        };
        let connection = one(Arc::clone(&server), Arc::clone(&app), accepted, stop.clone());
        let cut = cut.clone();
        open.spawn(async move { cut.run_until_cancelled(connection).await });
    }
    drop(bounded);
    open.close();
    if tokio::time::timeout(drain, open.wait()).await.is_err() {
        cut.cancel();
        open.wait().await;
    }
    Ok(())
}

fn server(limits: &HttpLimits) -> http1::Builder {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits.idle).max_headers(HEADERS).max_buf_size(BUFFER);
    server
}

/// Serves one connection to its end; after `stop`, to the end of the request in flight.
async fn one<T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    server: Arc<http1::Builder>,
    app: Arc<BoxEndpoint<'static, Response>>,
    (io, local, remote, scheme): (T, LocalAddr, RemoteAddr, Scheme),
    stop: CancellationToken,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let request = (request, local.clone(), remote.clone(), scheme.clone()).into();
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(hyper::Response::from(app.get_response(request).await)) }
    });
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(io), service));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // What a client breaks off is its own business.
        tracing::debug!(%error, "a connection broke");
    }
}

/// Takes only so many connections at once; further ones wait in the system's queue.
struct Bounded<A> {
    inner: A,
    places: Arc<Semaphore>,
    silence: Duration,
    unread: Duration,
}

impl<A> Bounded<A> {
    fn new(inner: A, limits: &HttpLimits) -> Self {
        // The server itself closes what is silent between requests. An upload that is worked on is silent too.
        let silence = limits.idle + limits.upload_timeout.max(limits.timeout);
        Self { inner, places: Arc::new(Semaphore::new(limits.connections)), silence, unread: limits.idle }
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
                    let (silent, unread) = (Patience::new(self.silence), Patience::new(self.unread));
                    let connection = Connection { io, silent, unread, _place: place };
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

/// How long something may be waited for.
struct Patience {
    limit: Duration,
    /// Set while it is waited for.
    since: Option<Instant>,
    /// Stays set when the waiting ends: what waits again soon, as after each request, does not set it anew.
    asleep: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self { limit, since: None, asleep: None }
    }

    fn ended(&mut self) {
        self.since = None;
    }

    /// What is ready ends the waiting; what is not, ready or not, is an error when it was waited for too long.
    fn heard<V>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        if polled.is_ready() {
            self.ended();
            return polled;
        }
        let end = *self.since.get_or_insert_with(Instant::now) + self.limit;
        let asleep = self.asleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        while asleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= end {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // It was set for something that has come since.
            asleep.as_mut().reset(end);
        }
        Poll::Pending
    }
}

/// A connection that breaks when nothing comes or goes for too long, or when what it sends is not taken. It holds its
/// place until it is dropped.
struct Connection<T> {
    io: T,
    silent: Patience,
    unread: Patience,
    _place: OwnedSemaphorePermit,
}

impl<T> Connection<T> {
    fn written<V>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        if polled.is_ready() {
            self.silent.ended();
        }
        self.unread.heard(cx, polled)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        self.silent.heard(cx, polled)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        self.written(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.written(cx, polled)
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

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

    #[tokio::test]
    async fn each_wait_has_its_whole_time() {
        async fn waits(patience: &mut Patience) -> bool {
            // The clock of the runtime has gone on.
            tokio::time::sleep(MOMENT).await;
            std::future::poll_fn(|cx| Poll::Ready(patience.heard(cx, Poll::<io::Result<()>>::Pending).is_pending()))
                .await
        }
        let hour = Duration::from_secs(3600);
        let mut patience = Patience::new(hour);
        assert!(waits(&mut patience).await);
        patience.ended();
        // What was set for the first wait goes off in the second.
        patience.asleep.as_mut().expect("set").as_mut().reset(Instant::now());
        assert!(waits(&mut patience).await, "it is not over");
        let end = patience.asleep.as_ref().map(|asleep| asleep.deadline());
        assert_eq!(end, patience.since.map(|since| since + hour), "it ends in its own time");
        let mut none = Patience::new(Duration::ZERO);
        let _ = waits(&mut none).await;
        assert!(!waits(&mut none).await, "and then it is over");
    }

    #[tokio::test]
    async fn a_connection_that_does_not_take_what_is_sent_breaks() {
        let (near, _far) = tokio::io::duplex(64);
        let (mut connection, ..) = bounded(vec![Ok(near)], 1).accept().await.expect("a connection");
        let error = connection.write_all(&[0; 1000]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}

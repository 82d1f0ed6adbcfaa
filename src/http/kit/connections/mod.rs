//! What a connection may cost before anything was asked over it: there are only so many, and none stays silent, keeps a
//! request back or leaves an answer unread for ever.

mod admission;
mod unread;
mod wire;

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::{
    Request, Response,
    endpoint::{BoxEndpoint, Endpoint},
    http::{HeaderValue, header, uri::Scheme},
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::state::{AppState, HttpLimits};
use crate::http::app;
pub use admission::Refusal;
use admission::{Admission, Admitted};
use unread::Unread;
use wire::{Answering, Connection, Stage, Times};

/// What to wait for after the system could not give out a connection: it is short of something, and asking again at once
/// would keep a processor busy with it.
const PAUSE: Duration = Duration::from_millis(250);

/// The most that is read of the head of a request, and the most of an answer that waits to be sent, in bytes. Above
/// what the middleware takes, so that the middleware answers with a problem; beyond this there is only a bare 431. Room
/// for so many headers is made for each request, with 64 bytes for each.
const BUFFER: usize = 64 * 1024;
const HEADERS: usize = 128;

/// How long the last probes may take that are asked while the process stops.
const LAST_PROBES: Duration = Duration::from_secs(1);

type Accepted<T> = (T, LocalAddr, RemoteAddr, Scheme);

/// Serves the front until `stop` is cancelled, then lets requests in flight go on for at most `drain`. From `stop` until
/// all of them and [`AppState::others`] have ended, probes are answered and everybody else is sent away.
///
/// Not poem's server, because it cannot be told how long the head of a request may take. HTTP/1.1 only: what speaks
/// HTTP/2 to the outside is the proxy that also does TLS.
pub async fn serve<A: Acceptor + 'static>(
    mut acceptor: A,
    state: AppState,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let admission = Admission::new(&state.limits);
    let (open, others, beyond) = (state.connections.clone(), state.others.clone(), TaskTracker::new());
    let front = Arc::new(Front {
        server: server(&state.limits),
        times: Times::of(&state.limits),
        stop: stop.clone(),
        cut: CancellationToken::new(),
        app: app(state),
    });
    let draining = async {
        stop.cancelled().await;
        admission.stop();
        open.close();
        if tokio::time::timeout(drain, open.wait()).await.is_err() {
            front.cut.cancel();
            open.wait().await;
        }
        others.cancelled().await;
    };
    let mut draining = std::pin::pin!(draining);
    loop {
        let accepted = tokio::select! {
            () = &mut draining => break,
            accepted = accept(&mut acceptor) => accepted,
        };
        let admitted = admission.enter(accepted.2.as_socket_addr().map(std::net::SocketAddr::ip));
        let tracker = if admitted.refusal.is_some() { &beyond } else { &open };
        tracker.spawn(Arc::clone(&front).connection(accepted, admitted));
    }
    drop(acceptor);
    beyond.close();
    let _ = tokio::time::timeout(LAST_PROBES, beyond.wait()).await;
    front.cut.cancel();
    beyond.wait().await;
    Ok(())
}

fn server(limits: &HttpLimits) -> http1::Builder {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits.idle).max_headers(HEADERS).max_buf_size(BUFFER);
    server
}

/// The next connection. A system that is short of something is given time.
async fn accept<A: Acceptor>(acceptor: &mut A) -> Accepted<A::Io> {
    loop {
        match acceptor.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection could be taken; trying again");
                tokio::time::sleep(PAUSE).await;
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

/// What all connections share.
struct Front {
    server: http1::Builder,
    times: Times,
    app: BoxEndpoint<'static, Response>,
    stop: CancellationToken,
    /// Not a child of `stop`: it cuts what is still open when the draining is over.
    cut: CancellationToken,
}

impl Front {
    /// Serves one connection to its end; after `stop`, to the end of the request in flight.
    async fn connection<T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        self: Arc<Self>,
        (io, local, remote, scheme): Accepted<T>,
        Admitted { refusal, ousted, permit }: Admitted,
    ) {
        let stage = Arc::new(Stage::default());
        let io = Connection::new(io, self.times, Arc::clone(&stage), permit);
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let answering = stage.begin();
            let request = (request, local.clone(), remote.clone(), scheme.clone()).into();
            let answer = self.answer(request, refusal, &stage);
            async move {
                let answer = hyper::Response::from(answer.await);
                Ok::<_, Infallible>(answer.map(|body| Answer { body, _answering: answering }))
            }
        });
        let serving = async {
            let mut connection = std::pin::pin!(self.server.serve_connection(TokioIo::new(io), service));
            tokio::select! {
                ended = &mut connection => return ended,
                // Whoever is let in for one request is waited for.
                () = self.stop.cancelled(), if refusal.is_none() => {}
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        };
        let ended = tokio::select! {
            ended = serving => ended,
            () = self.cut.cancelled() => return,
            () = ousted.cancelled() => return,
            () = tokio::time::sleep(self.times.head), if refusal.is_some() => return,
        };
        if let Err(error) = ended {
            // What a client breaks off is its own business.
            tracing::debug!(%error, "a connection broke");
        }
    }

    async fn answer(&self, mut request: Request, refusal: Option<Refusal>, stage: &Stage) -> Response {
        let unread = Unread::of(&mut request);
        if let Some(refusal) = refusal {
            request.set_data(refusal);
        }
        let mut response = self.app.get_response(request).await;
        let is_read = match unread {
            Some(unread) => unread.drain().await,
            None => true,
        };
        if !is_read {
            stage.linger();
        }
        if !is_read || refusal.is_some() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// The body of an answer. Once it is gone, what comes next is the head of a request.
struct Answer<B> {
    body: B,
    _answering: Answering,
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use tokio::{io::DuplexStream, time::Instant};

    use super::*;

    /// Gives out what is prepared, then nothing.
    struct Prepared(VecDeque<io::Result<DuplexStream>>);

    impl Acceptor for Prepared {
        type Io = DuplexStream;

        fn local_addr(&self) -> Vec<LocalAddr> {
            Vec::new()
        }

        async fn accept(&mut self) -> io::Result<Accepted<Self::Io>> {
            match self.0.pop_front() {
                Some(next) => Ok((next?, LocalAddr::default(), RemoteAddr::default(), Scheme::HTTP)),
                None => std::future::pending().await,
            }
        }
    }

    #[tokio::test]
    async fn a_system_short_of_something_is_given_time() {
        let short = || Err(io::Error::other("too many open files"));
        let gone = || Err(io::ErrorKind::ConnectionAborted.into());
        let stream = tokio::io::duplex(64).0;
        let mut acceptor = Prepared([short(), gone(), short(), Ok(stream)].into());
        let start = Instant::now();
        accept(&mut acceptor).await;
        let pauses = start.elapsed().as_millis() / PAUSE.as_millis();
        assert_eq!(pauses, 2, "after a pause each, but not for a client that left");
    }
}

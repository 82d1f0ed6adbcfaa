//! A connection as the server reads and writes it. It breaks when nothing comes or goes for too long, when the head of a
//! request drips in, or when what is sent is not taken.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::admission::Permit;
use crate::http::kit::state::HttpLimits;

/// What a client may still send after an answer that closes the connection: it reads the answer only when it is done
/// with sending, and a connection that is closed before would take the answer with it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 32 * 1024 * 1024;

/// Where a connection is between two requests, as its service sees it.
#[derive(Debug, Default)]
pub struct Stage {
    /// Heads that came.
    heads: AtomicUsize,
    /// A request is being answered.
    answering: AtomicBool,
    lingers: AtomicBool,
}

impl Stage {
    /// A head is there. The request is being answered until what this gives is dropped.
    pub fn begin(self: &Arc<Self>) -> Answering {
        self.heads.fetch_add(1, Ordering::Relaxed);
        self.answering.store(true, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    /// What the client still sends is read away when the connection is closed.
    pub fn linger(&self) {
        self.lingers.store(true, Ordering::Relaxed);
    }
}

/// See [`Stage::begin`].
#[derive(Debug)]
pub struct Answering(Arc<Stage>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.store(false, Ordering::Relaxed);
    }
}

/// How long something may be waited for.
#[derive(Debug)]
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

    fn begin(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    fn ended(&mut self) {
        self.since = None;
    }

    /// Whether it was waited for too long.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(since) = self.since else { return false };
        let end = since + self.limit;
        let asleep = self.asleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        while asleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= end {
                return true;
            }
            // It was set for something that has come since.
            asleep.as_mut().reset(end);
        }
        false
    }

    /// What is ready ends the waiting; what is not, ready or not, is an error when it was waited for too long.
    fn heard<V>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        if polled.is_ready() {
            self.ended();
            return polled;
        }
        self.begin();
        if self.is_over(cx) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }
}

/// How long one connection may take for what.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// With nothing coming or going.
    pub silence: Duration,
    /// With something to send that is not taken.
    pub unread: Duration,
    /// From the first byte of a head to its last; for the first head, from the beginning of the connection.
    pub head: Duration,
}

impl Times {
    pub fn of(limits: &HttpLimits) -> Self {
        // The server itself closes what is silent between requests. An upload that is worked on is silent too.
        let silence = limits.idle + limits.upload_timeout.max(limits.timeout);
        Self { silence, unread: limits.idle, head: limits.head }
    }
}

/// A connection with its patience. It holds its place until it is dropped.
#[derive(Debug)]
pub struct Connection<T> {
    io: T,
    silent: Patience,
    unread: Patience,
    head: Patience,
    /// Heads that had come when [`Self::head`] was set.
    heads: usize,
    stage: Arc<Stage>,
    /// Set once our side is closed.
    closing: Option<(Patience, usize)>,
    _permit: Permit,
}

impl<T> Connection<T> {
    pub fn new(io: T, times: Times, stage: Arc<Stage>, permit: Permit) -> Self {
        let [silent, unread, mut head] = [times.silence, times.unread, times.head].map(Patience::new);
        head.begin();
        Self { io, silent, unread, head, heads: 0, stage, closing: None, _permit: permit }
    }

    fn written<V>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        if polled.is_ready() {
            self.silent.ended();
        }
        self.unread.heard(cx, polled)
    }

    /// Whether the head that is being read takes too long. `came`: some of it came just now.
    fn head_drips(&mut self, cx: &mut Context<'_>, came: bool) -> bool {
        let heads = self.stage.heads.load(Ordering::Relaxed);
        if heads != self.heads {
            self.heads = heads;
            self.head.ended();
        }
        if self.stage.answering.load(Ordering::Relaxed) {
            return false;
        }
        if came {
            self.head.begin();
        }
        self.head.is_over(cx)
    }
}

impl<T: AsyncRead + Unpin> Connection<T> {
    /// Reads away what a client sends that does not know yet that nobody listens.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((patience, left)) = &mut self.closing else { return Poll::Ready(()) };
        let mut bytes = [0; 8 * 1024];
        loop {
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.io).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() && *left > buf.filled().len() => {
                    *left -= buf.filled().len();
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending if patience.is_over(cx) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        let came = buf.filled().len() > before;
        if self.head_drips(cx, came) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.silent.heard(cx, polled)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<T> {
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
        if self.closing.is_none() {
            ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
            if !self.stage.lingers.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
            let mut patience = Patience::new(LINGER);
            patience.begin();
            self.closing = Some((patience, LINGER_BYTES));
        }
        self.poll_linger(cx).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::{super::admission::Admission, *};

    const MOMENT: Duration = Duration::from_millis(50);
    const HOUR: Duration = Duration::from_secs(3600);

    fn connection(io: DuplexStream, times: Times) -> (Connection<DuplexStream>, Arc<Stage>) {
        let stage = Arc::new(Stage::default());
        let permit = Admission::new(&HttpLimits::default()).enter(None).permit;
        (Connection::new(io, times, Arc::clone(&stage), permit), stage)
    }

    /// Patient with all but what a test looks at.
    fn patient() -> Times {
        Times { silence: HOUR, unread: HOUR, head: HOUR }
    }

    #[tokio::test]
    async fn a_connection_without_a_sign_of_life_breaks() {
        let (near, _far) = tokio::io::duplex(64);
        let (mut connection, _) = connection(near, Times { silence: MOMENT * 2, ..patient() });
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
        let mut patience = Patience::new(HOUR);
        assert!(waits(&mut patience).await);
        patience.ended();
        // What was set for the first wait goes off in the second.
        patience.asleep.as_mut().expect("set").as_mut().reset(Instant::now());
        assert!(waits(&mut patience).await, "it is not over");
        let end = patience.asleep.as_ref().map(|asleep| asleep.deadline());
        assert_eq!(end, patience.since.map(|since| since + HOUR), "it ends in its own time");
        let mut none = Patience::new(Duration::ZERO);
        let _ = waits(&mut none).await;
        assert!(!waits(&mut none).await, "and then it is over");
    }

    #[tokio::test]
    async fn a_connection_that_does_not_take_what_is_sent_breaks() {
        let (near, _far) = tokio::io::duplex(64);
        let (mut connection, _) = connection(near, Times { unread: MOMENT, ..patient() });
        let error = connection.write_all(&[0; 1000]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    /// Reads until it breaks, while a byte comes each now and then.
    async fn dripped(connection: &mut Connection<DuplexStream>, far: &mut DuplexStream) -> io::Error {
        let drip = async {
            loop {
                tokio::time::sleep(MOMENT / 5).await;
                far.write_all(b"x").await.expect("it is open");
            }
        };
        let read = async {
            loop {
                if let Err(error) = connection.read_u8().await {
                    return error;
                }
            }
        };
        let broken = async {
            tokio::select! { error = read => error, () = drip => unreachable!("it drips for ever") }
        };
        tokio::time::timeout(Duration::from_secs(10), broken).await.expect("it breaks within 10 s")
    }

    #[tokio::test]
    async fn a_head_that_drips_breaks_the_connection_and_a_body_does_not() {
        let (near, mut far) = tokio::io::duplex(64);
        let (mut connection, stage) = connection(near, Times { head: MOMENT, ..patient() });
        let answering = stage.begin();
        let body = tokio::time::timeout(MOMENT * 4, dripped(&mut connection, &mut far)).await;
        assert!(body.is_err(), "what comes while a request is answered is no head: {body:?}");
        drop(answering);
        let silent = tokio::time::timeout(MOMENT * 4, async {
            // What is left of the body.
            while connection.read_u8().await.is_ok() && !stage.answering.load(Ordering::Relaxed) {
                stage.begin();
            }
        });
        assert!(silent.await.is_err(), "between two requests it may be silent");
        let start = Instant::now();
        let error = dripped(&mut connection, &mut far).await;
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "the next head has its time");
        assert!(start.elapsed() >= MOMENT, "all of it");
    }

    #[tokio::test]
    async fn what_is_still_sent_is_read_away_before_a_connection_is_closed() {
        let (near, mut far) = tokio::io::duplex(64);
        let (mut connection, stage) = connection(near, patient());
        stage.linger();
        let sending = async move {
            far.write_all(&[0; 1000]).await.expect("somebody reads");
            // Its own end comes after that.
            drop(far);
        };
        let both = async { tokio::join!(connection.shutdown(), sending) };
        let ended = tokio::time::timeout(Duration::from_secs(10), both).await;
        let (closed, ()) = ended.expect("what is sent is taken within 10 s");
        assert!(closed.is_ok(), "{closed:?}");
    }
}

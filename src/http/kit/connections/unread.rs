//! What was not read of the body of a request. An answer may be given before: to a key that is unknown, to a body that
//! is too large. What is left of the body lies before the next request of the connection. A small rest is read away; a
//! large one ends the connection, and the answer says so, so that the client does not send its next request into it.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, StreamExt, stream::BoxStream};
use hyper::body::Bytes;
use poem::{
    Body, Request,
    http::{HeaderMap, header},
};

/// The most that is read away, in bytes.
const MOST: usize = 64 * 1024;

/// How long the rest may take. It usually comes together with what was read.
const PATIENCE: Duration = Duration::from_millis(250);

struct Rest {
    stream: BoxStream<'static, io::Result<Bytes>>,
    /// Whether anything was asked of it. A client that waits for `100 Continue` sends nothing before.
    begun: bool,
}

/// Where the rest of a body lies once nobody reads it any more.
pub struct Unread {
    rest: Arc<Mutex<Option<Rest>>>,
    /// What the body has in all, where it is said.
    announced: Option<usize>,
    waits: bool,
}

/// The body of a request, which leaves its rest behind.
struct Watched {
    rest: Option<Rest>,
    left: Arc<Mutex<Option<Rest>>>,
}

impl Unread {
    /// Watches the body of a request, if it has one.
    pub fn of(request: &mut Request) -> Option<Self> {
        let body = request.take_body();
        if body.is_empty() {
            return None;
        }
        let left = Arc::default();
        let rest = Rest { stream: body.into_bytes_stream().boxed(), begun: false };
        request.set_body(Body::from_bytes_stream(Watched { rest: Some(rest), left: Arc::clone(&left) }));
        Some(Self { rest: left, announced: length(request.headers()), waits: request.header(header::EXPECT).is_some() })
    }

    /// Reads a small rest away. False when some of the body is left.
    pub async fn drain(&self) -> bool {
        let Some(mut rest) = self.rest.lock().unwrap_or_else(PoisonError::into_inner).take() else { return true };
        if self.announced.is_some_and(|length| length > MOST) || (self.waits && !rest.begun) {
            return false;
        }
        let reading = async {
            let mut read = 0;
            while let Some(Ok(bytes)) = rest.stream.next().await {
                read += bytes.len();
                if read > MOST {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap_or(false)
    }
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl Stream for Watched {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        rest.begun = true;
        let polled = rest.stream.poll_next_unpin(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.rest = None;
        }
        polled
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = self.rest.take();
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn request(pieces: usize, headers: &[(&str, &str)]) -> Request {
        let pieces = stream::iter((0..pieces).map(|_| Ok::<_, io::Error>(vec![b'x'; 1024])));
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from_bytes_stream(pieces))
    }

    async fn drained(mut request: Request, read: bool) -> bool {
        let unread = Unread::of(&mut request).expect("there is a body");
        match read {
            true => drop(request.into_body().into_bytes().await.expect("bytes")),
            false => drop(request),
        }
        unread.drain().await
    }

    #[tokio::test]
    async fn a_small_rest_is_read_away_and_a_large_one_is_left() {
        assert!(drained(request(3, &[]), false).await);
        assert!(drained(request(100, &[]), true).await, "a handler may read as much as it likes");
        assert!(!drained(request(65, &[]), false).await);
        assert!(!drained(request(3, &[("content-length", "65537")]), false).await, "it says that it is large");
        assert!(!drained(request(3, &[("expect", "100-continue")]), false).await, "the client waits to be asked");
        assert!(Unread::of(&mut Request::builder().finish()).is_none(), "nothing is watched where nothing is");
    }

    #[tokio::test]
    async fn a_rest_that_does_not_come_is_not_waited_for() {
        let mut request = Request::builder().body(Body::from_bytes_stream(stream::pending::<io::Result<Vec<u8>>>()));
        let unread = Unread::of(&mut request).expect("there is a body");
        assert!(unread.drain().await, "nobody has let go of it yet");
        drop(request);
        assert!(!unread.drain().await);
    }
}

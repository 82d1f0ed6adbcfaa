//! Where a request goes by its path.

use std::sync::Arc;

use poem::{
    Endpoint, EndpointExt, IntoEndpoint, Middleware, Request, Response,
    endpoint::BoxEndpoint,
    error::ParsePathError,
    http::Uri,
    middleware::{NormalizePath, NormalizePathEndpoint, TrailingSlash},
};
use poem_openapi::OpenApiService;

use super::routes::Routes;
use crate::http::{Api, system::docs};

/// The documentation beside the operations. Not poem's `Route`, which would write every address anew for the operations
/// that it nests.
pub struct Places {
    page: BoxEndpoint<'static, Response>,
    description: BoxEndpoint<'static, Response>,
    operations: BoxEndpoint<'static, Response>,
}

impl Places {
    pub fn of(service: OpenApiService<Routes<Api>, ()>) -> Self {
        Self {
            page: docs::page(&service).map_to_response().boxed(),
            description: docs::description().map_to_response().boxed(),
            operations: service.into_endpoint(),
        }
    }
}

impl Endpoint for Places {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let request = readable(request)?;
        let place = match request.uri().path() {
            "/docs" => &self.page,
            "/openapi.json" => &self.description,
            _ => &self.operations,
        };
        place.call(request).await
    }
}

/// A part of the path that is no text names nothing: it stands for an id that nobody has, which is a 404 like any other.
fn readable(mut request: Request) -> poem::Result<Request> {
    if is_text(request.uri().path()) {
        return Ok(request);
    }
    let parts = request.uri().path().split('/').map(|part| if is_text(part) { part } else { "-" });
    let path = parts.collect::<Vec<_>>().join("/");
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(format!("{path}{query}").parse().map_err(|_| ParsePathError)?);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| ParsePathError)?;
    Ok(request)
}

/// Whether a path is text once its escapes are resolved.
fn is_text(path: &str) -> bool {
    if !path.contains('%') {
        return true;
    }
    let mut pieces = path.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let escaped = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&piece.as_bytes()[2..]);
            }
            None => {
                bytes.push(b'%');
                bytes.extend_from_slice(piece.as_bytes());
            }
        }
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// Takes a path with slashes too many for the one that was meant.
pub struct Tidied<E> {
    inner: Arc<E>,
    tidying: NormalizePathEndpoint<Arc<E>>,
}

impl<E: Endpoint> Tidied<E> {
    pub fn new(inner: E) -> Self {
        let inner = Arc::new(inner);
        Self { tidying: NormalizePath::new(TrailingSlash::Trim).transform(Arc::clone(&inner)), inner }
    }
}

impl<E: Endpoint> Endpoint for Tidied<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> poem::Result<Self::Output> {
        let request = without_version(request)?;
        // Nearly all paths are: they are not searched for what is not there.
        match is_tidy(request.uri().path()) {
            true => self.inner.call(request).await,
            false => self.tidying.call(request).await,
        }
    }
}

/// Clients of 003 write `/v1` before `/public`.
fn without_version(mut request: Request) -> poem::Result<Request> {
    let Some(rest) = request.uri().path_and_query().and_then(|address| address.as_str().strip_prefix("/v1/public"))
    else {
        return Ok(request);
    };
    if rest.is_empty() || rest.starts_with(['/', '?']) {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(format!("/public{rest}").parse().map_err(|_| ParsePathError)?);
        *request.uri_mut() = Uri::from_parts(parts).map_err(|_| ParsePathError)?;
    }
    Ok(request)
}

fn is_tidy(path: &str) -> bool {
    path == "/" || !(path.ends_with('/') || path.contains("//"))
}

#[cfg(test)]
mod tests {
    use poem::endpoint::make_sync;

    use super::*;

    #[test]
    fn escapes_that_are_no_text_are_seen() {
        for text in ["/", "/a/b", "/%41", "/%e2%98%95/%", "/%zz%2", "/%%41"] {
            assert!(is_text(text), "{text}");
        }
        for noise in ["/%ff", "/%e2%98", "/a%c3/b", "/%%ff"] {
            assert!(!is_text(noise), "{noise}");
        }
    }

    #[test]
    fn noise_in_a_path_names_nothing() {
        let path = |asked: &str| {
            let request = Request::builder().uri(Uri::builder().path_and_query(asked).build().expect("a URI")).finish();
            readable(request).expect("a path").uri().to_string()
        };
        assert_eq!(path("/a/%ff/b?c=%ff"), "/a/-/b?c=%ff");
        assert_eq!(path("/a/%e2%98%95"), "/a/%e2%98%95");
    }

    #[tokio::test]
    async fn only_slashes_too_many_are_taken_away() {
        let endpoint = Tidied::new(make_sync(|request: Request| request.uri().to_string()));
        for (asked, meant) in [
            ("/", "/"),
            ("//", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b"),
            ("/a//b?c=//d/", "/a/b?c=//d/"),
            ("/a/b?c=//", "/a/b?c=//"),
            ("///a///", "/a"),
            ("/v1/public/content/?a=/v1", "/public/content?a=/v1"),
            ("/v1/publicity", "/v1/publicity"),
            ("/v1/public", "/public"),
        ] {
            let request = Request::builder().uri(Uri::builder().path_and_query(asked).build().expect("a URI")).finish();
            assert_eq!(endpoint.call(request).await.expect("no error"), meant, "{asked}");
        }
    }
}

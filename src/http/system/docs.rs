//! The description of the API, for programs and for people, served from the binary alone.
//!
//! Swagger UI is the viewer that poem-openapi carries whole and that people know. It is one page with its scripts
//! inside, so the policy allows exactly those scripts by their hashes and nothing from elsewhere.

use std::{io::Write, sync::OnceLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use poem::{
    Endpoint, Request, Response, ResponseBuilder, RouteMethod,
    endpoint::make_sync,
    get,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use poem_openapi::{OpenApi, OpenApiService};
use sha2::{Digest, Sha256};

use crate::http::kit::{self, header::IfNoneMatch, problem::Problem, routes::problem_response};

/// `/docs`.
pub fn page<T: OpenApi + 'static>(service: &OpenApiService<T, ()>) -> impl Endpoint + use<T> {
    // The viewer carries the description as poem-openapi writes it; ours takes its place.
    let html = service.swagger_ui_html().replacen(&service.spec(), &crate::http::spec(), 1);
    let policy = policy(&html);
    let text = Text::new(html);
    only_get(make_sync(move |request| {
        let answer = Response::builder()
            .content_type("text/html; charset=utf-8")
            .header(header::CONTENT_SECURITY_POLICY, policy.as_str());
        text.answer(&request, answer)
    }))
}

/// `/openapi.json`.
pub fn description() -> impl Endpoint {
    let text = Text::new(crate::http::spec());
    only_get(make_sync(move |request| text.answer(&request, Response::builder().content_type("application/json"))))
}

/// A long text that stays the same while the process runs.
struct Text {
    plain: Bytes,
    /// Made for the first client that takes it, since it takes a start's time.
    packed: OnceLock<Option<Bytes>>,
    tag: String,
}

impl Text {
    fn new(text: String) -> Self {
        Self { tag: tag(&text), plain: text.into(), packed: OnceLock::new() }
    }

    /// 304 for a client that has the text; else the text, packed where the client takes that.
    fn answer(&self, request: &Request, answer: ResponseBuilder) -> Response {
        known(request, &self.tag).unwrap_or_else(|| {
            let answer = answer
                .header(header::CACHE_CONTROL, "no-cache")
                .header(header::VARY, "accept-encoding")
                .header(header::ETAG, &self.tag);
            match self.packed(request.headers()) {
                Some(packed) => answer.header(header::CONTENT_ENCODING, "gzip").body(packed),
                None => answer.body(self.plain.clone()),
            }
        })
    }

    fn packed(&self, headers: &HeaderMap) -> Option<Bytes> {
        takes_gzip(headers).then(|| self.packed.get_or_init(|| gzip(&self.plain).ok()).clone()).flatten()
    }
}

fn gzip(text: &[u8]) -> std::io::Result<Bytes> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text)?;
    Ok(packed.finish()?.into())
}

/// `gzip` is named, and not with the weight zero.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let is_refused = parts.any(|part| {
            part.split_once('=').is_some_and(|(name, weight)| name.trim() == "q" && weight.trim().parse() == Ok(0.0))
        });
        is_gzip && !is_refused
    })
}

/// Weak, because the same text may be packed in several ways.
fn tag(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    format!("W/\"{}\"", STANDARD.encode(&digest[..15]))
}

/// 304 for a client that has what this tag names.
fn known(request: &Request, tag: &str) -> Option<Response> {
    let asked: IfNoneMatch = kit::header::read(request).ok()?;
    let answer = Response::builder().status(StatusCode::NOT_MODIFIED).header(header::CACHE_CONTROL, "no-cache");
    asked.names(tag).then(|| answer.header(header::ETAG, tag).finish())
}

/// Answers GET and HEAD, and tells that to whoever asks otherwise.
fn only_get(endpoint: impl Endpoint<Output = Response> + 'static) -> RouteMethod {
    let refuse = || make_sync(|_| problem_response(Problem::not_allowed(&HeaderValue::from_static("GET, HEAD"))));
    get(endpoint).post(refuse()).put(refuse()).patch(refuse()).delete(refuse()).options(refuse()).trace(refuse())
}

/// What the page may load: its own scripts, styles and images, and the API. Swagger UI sets styles on elements.
fn policy(html: &str) -> String {
    let hashes: String = scripts(html)
        .map(|script| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes()))))
        .collect();
    format!(
        "default-src 'none'; script-src{hashes}; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The texts of the script elements.
fn scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|part| {
        let (_, rest) = part.split_once('>')?;
        rest.split_once("</script>").map(|(script, _)| script)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_long_text_is_packed_for_who_takes_it() {
        let text = Text::new("coffee ".repeat(1000));
        let asked =
            |coding: &'static str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(coding))]);
        for coding in ["gzip", "br, GZIP;q=0.5", "deflate, gzip;q=1.0, *;q=0.5"] {
            let packed = text.packed(&asked(coding)).expect(coding);
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut plain).expect("it is gzip");
            assert!(plain == text.plain && packed.len() < 200, "{coding}: {} bytes", packed.len());
        }
        for coding in ["", "identity", "br", "gzip;q=0", "gzip ; q = 0.000", "gzipped"] {
            assert_eq!(text.packed(&asked(coding)), None, "{coding}");
        }
        assert_eq!(text.packed(&HeaderMap::new()), None);
    }

    #[test]
    fn every_script_of_the_page_is_allowed_and_none_comes_from_elsewhere() {
        let html = crate::http::service().swagger_ui_html();
        let texts: Vec<&str> = scripts(&html).collect();
        assert_eq!(texts.len(), 2, "the viewer and what starts it");
        assert!(texts[0].len() > 1_000_000 && texts[1].contains("SwaggerUIBundle({"), "whole scripts");
        let policy = policy(&html);
        assert_eq!(policy.matches("'sha256-").count(), 2);
        for text in texts {
            let (before, _) = html.split_once(text).expect("it stands there");
            let tag = before.rsplit_once("<script").expect("within an element").1;
            assert!(!tag.contains("src"), "<script{tag}");
        }
    }
}

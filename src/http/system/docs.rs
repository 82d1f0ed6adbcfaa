//! The description of the API, for programs and for people, served from the binary alone.
//!
//! Swagger UI is the viewer that poem-openapi carries whole and that people know. It is one page with its scripts
//! inside, so the policy allows exactly those scripts by their hashes and nothing from elsewhere.

use base64::{Engine, engine::general_purpose::STANDARD};
use poem::{
    Endpoint, EndpointExt, Request, Response, RouteMethod,
    endpoint::make_sync,
    get,
    http::{HeaderValue, StatusCode, header},
    middleware::Compression,
};
use poem_openapi::{OpenApi, OpenApiService};
use sha2::{Digest, Sha256};

use crate::http::kit::{self, header::IfNoneMatch, problem::Problem, routes::problem_response};

/// `/docs`.
pub fn page<T: OpenApi + 'static>(service: &OpenApiService<T, ()>) -> impl Endpoint + use<T> {
    // The viewer carries the description as poem-openapi writes it; ours takes its place.
    let html = service.swagger_ui_html().replacen(&service.spec(), &crate::http::spec(), 1);
    let policy = policy(&html);
    let tag = tag(&html);
    let page = make_sync(move |request| {
        known(&request, &tag).unwrap_or_else(|| {
            Response::builder()
                .content_type("text/html; charset=utf-8")
                .header(header::CONTENT_SECURITY_POLICY, policy.as_str())
                .header(header::CACHE_CONTROL, "no-cache")
                .header(header::ETAG, &tag)
                .body(html.clone())
        })
    });
    only_get(page).with(Compression::new())
}

/// `/openapi.json`.
pub fn description() -> impl Endpoint {
    let text = crate::http::spec();
    let tag = tag(&text);
    let file = make_sync(move |request| {
        known(&request, &tag).unwrap_or_else(|| {
            Response::builder()
                .content_type("application/json")
                .header(header::CACHE_CONTROL, "no-cache")
                .header(header::ETAG, &tag)
                .body(text.clone())
        })
    });
    only_get(file).with(Compression::new())
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
    use super::*;

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

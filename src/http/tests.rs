//! The front without a database: what can be said of it before any use case is called.

mod kinds;

use std::collections::BTreeSet;

use poem::{Request, Response, http::Method};
use poem_openapi::OpenApi;
use serde_json::Value;

use super::*;

fn document() -> Value {
    serde_json::from_str(&spec()).expect("the description is JSON")
}

/// Method, path and the operation itself.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().expect("methods").clone();
        let path = path.clone();
        methods.into_iter().map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn no_operation_hides_another() {
    let all: Vec<(String, Method)> = <Api as OpenApi>::meta()
        .into_iter()
        .flat_map(|api| api.paths)
        .flat_map(|path| path.operations.into_iter().map(move |operation| (path.path.clone(), operation.method)))
        .collect();
    let unique: BTreeSet<String> = all.iter().map(|(path, method)| format!("{method} {path}")).collect();
    assert_eq!(all.len(), unique.len(), "two operations have the same path and method");
    assert_eq!(operations(&document()).len(), all.len(), "the description has them all");
}

#[test]
fn the_operations_of_the_first_two_documents_are_served() {
    let served: BTreeSet<String> =
        operations(&document()).into_iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    for wanted in [
        "POST /api/v1/tasks",
        "GET /api/v1/tasks",
        "GET /api/v1/tasks/{task_id}",
        "DELETE /api/v1/tasks/{task_id}",
        "GET /api/v1/tasks/{task_id}/articles",
        "GET /api/v1/articles",
        "GET /api/v1/articles/{article_id}",
        "PATCH /api/v1/articles/{article_id}",
        "DELETE /api/v1/articles/{article_id}",
        "POST /api/v1/articles/generate",
        "GET /api/v1/articles/{article_id}/status",
    ] {
        assert!(served.contains(wanted), "{wanted} is missing");
    }
}

#[test]
fn every_operation_says_what_it_is_and_who_may_call_it() {
    // The last one is for whoever has a link that is signed.
    let public =
        ["/healthz", "/readyz", "/metrics", "/api/v1/publisher/site-definition", "/api/v1/images/{image_id}/{part}"];
    let is_public = |method: &str, path: &str| {
        public.contains(&path) || (method.eq_ignore_ascii_case("get") && path == "/api/v1/calendar/feeds/{feed_id}")
    };
    for (method, path, operation) in operations(&document()) {
        for part in ["operationId", "summary", "description", "tags"] {
            assert!(!operation[part].is_null(), "{method} {path} has no {part}");
        }
        let nothing = serde_json::json!({});
        let is_free = |schemes: &Vec<Value>| schemes.contains(&nothing);
        let secured = operation["security"].as_array().is_some_and(|schemes| schemes.len() >= 3 && !is_free(schemes));
        assert_eq!(secured, !is_public(&method, &path), "{method} {path}");
        let responses = operation["responses"].as_object().expect("responses");
        // Figures may take a token of their own, and a feed by its id takes a key.
        let may_need = operation["security"].as_array().is_some_and(is_free);
        assert_eq!(secured || may_need, responses.contains_key("401"), "{method} {path}");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
    }
}

#[test]
fn the_rights_are_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rights.md");
    let page = rights();
    if std::env::var_os("WRITE_RIGHTS").is_some() {
        std::fs::write(path, &page).expect("docs/rights.md is written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let how = "WRITE_RIGHTS=1 cargo test -p galley --lib the_rights_are_documented";
    assert!(committed == page, "docs/rights.md is stale; run: {how}");
}

#[test]
fn parameters_are_plain_and_statuses_follow_from_the_arguments() {
    let document = document();
    let list = &document["paths"]["/api/v1/articles"]["get"];
    let names: Vec<&str> =
        list["parameters"].as_array().expect("a list").iter().filter_map(|p| p["name"].as_str()).collect();
    let shown = [
        "page",
        "offset",
        "limit",
        "page_size",
        "status",
        "publication_status",
        "project_id",
        "search",
        "sort",
        "order",
    ];
    assert_eq!(names, shown);
    assert_eq!(list["parameters"][8]["schema"]["default"], "created_at");
    assert!(list["parameters"][4]["schema"]["nullable"].is_null() && !list.to_string().contains("anyOf"));
    let statuses = |path: &str, method: &str| -> Vec<String> {
        document["paths"][path][method]["responses"].as_object().expect("responses").keys().cloned().collect()
    };
    assert_eq!(statuses("/api/v1/credits", "get"), ["200", "401", "403", "429", "500", "503"]);
    let order = ["202", "400", "401", "402", "403", "409", "413", "415", "429", "500", "503"];
    assert_eq!(statuses("/api/v1/tasks", "post"), order);
    assert_eq!(
        statuses("/api/v1/articles/{article_id}", "patch"),
        ["200", "400", "401", "403", "404", "409", "413", "415", "429", "500", "503"]
    );
    assert_eq!(statuses("/healthz", "get"), ["200", "500", "503"]);
    let retry = &document["components"]["schemas"]["RetryTask"];
    assert_eq!((&retry["additionalProperties"], &retry["type"]), (&false.into(), &"object".into()));
}

#[test]
fn the_description_is_the_same_every_time() {
    let text = spec();
    assert_eq!(text, spec());
    assert!(text.ends_with("}\n") && document()["servers"][0]["url"] == "/");
}

#[test]
fn fields_that_may_be_null_say_so_and_are_always_there() {
    let document = document();
    let article = &document["components"]["schemas"]["Article"];
    assert_eq!(article["properties"]["published_at"]["nullable"], true);
    assert_eq!(article["properties"]["seo"]["nullable"], true);
    let required = article["required"].as_array().expect("a list").len();
    assert_eq!(required, article["properties"].as_object().expect("an object").len());
}

#[test]
fn what_a_body_may_hold_is_described_as_it_is_read() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let order = &schemas["CreateTask"]["properties"];
    for field in ["keywords", "reference_links", "uploaded_files", "min_words", "max_words", "tone", "language"] {
        assert_eq!(order[field]["nullable"], true, "null leaves {field} out");
    }
    assert!(order["user_prompt"]["nullable"].is_null(), "what is required is not null");
    assert_eq!(schemas["EditedSection"]["properties"]["heading"]["nullable"], true, "within objects too");
    assert_eq!(
        order["tone"]["enum"],
        serde_json::json!(["professional", "casual", "academic", "conversational", null]),
        "null is one of the words"
    );
    assert_eq!(order["keywords"]["items"]["maxLength"], 100);
    assert_eq!(order["uploaded_files"]["items"]["$ref"], "#/components/schemas/FileReference", "an id, or an object");
    let change = &schemas["UpdateArticle"];
    let fields = change["properties"].as_object().expect("fields");
    assert!(fields.values().all(|field| field["nullable"].is_null()), "null is no change");
    assert_eq!(change["minProperties"], 1, "one of them must be given");
}

mod around {
    //! The middleware around routes that need no use case.

    use poem::{
        Endpoint, Route,
        endpoint::{make, make_sync},
    };
    use poem_openapi::OpenApiService;

    use super::*;

    async fn ask(routes: impl Endpoint<Output = Response>, request: Request) -> (Response, Value) {
        ask_within(&HttpLimits::default(), routes, request).await
    }

    async fn ask_within(
        limits: &HttpLimits,
        routes: impl Endpoint<Output = Response>,
        request: Request,
    ) -> (Response, Value) {
        let middleware = Middleware::new(routes, limits, Arc::new(system::metrics::Metrics::new()));
        let mut response = middleware.call(request).await.expect("never an error");
        let body = response.take_body().into_string().await.expect("text");
        (response, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    fn request(method: Method, path: &str) -> Request {
        Request::builder().method(method).uri_str(path).header("x-request-id", "r-1").finish()
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_and_tells_nothing() {
        let routes = make(|_| async { Vec::<()>::new().pop().expect("secret of the house") }).map_to_response();
        let (response, body) = ask(routes, request(Method::GET, "/")).await;
        assert_eq!((response.status().as_u16(), &body["code"]), (500, &Value::from("WORKFLOW_ERROR")));
        assert_eq!(body["request_id"], "r-1");
        assert!(!body.to_string().contains("secret"), "{body}");
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_given_up() {
        let routes = make(|_| std::future::pending::<()>()).map_to_response();
        let limits = HttpLimits { timeout: std::time::Duration::from_millis(5), ..HttpLimits::default() };
        let (response, body) = ask_within(&limits, routes, request(Method::GET, "/")).await;
        assert_eq!((response.status().as_u16(), response.header("retry-after")), (503, Some("5")));
        assert!(body["detail"].as_str().is_some_and(|detail| detail.contains("longer than 0.005 seconds")), "{body}");
    }

    #[tokio::test]
    async fn what_the_framework_refuses_is_a_problem_too() {
        let routes = || Route::new().nest("/", OpenApiService::new(Routes(api()), "t", "1")).map_to_response();
        let (response, body) = ask(routes(), request(Method::GET, "/nowhere")).await;
        assert_eq!((response.status().as_u16(), &body["code"]), (404, &Value::from("NOT_FOUND")));
        let (response, body) = ask(routes(), request(Method::PUT, "/api/v1/tasks")).await;
        assert_eq!((response.status().as_u16(), response.header("allow")), (405, Some("GET, HEAD, POST")));
        assert_eq!((&body["title"], &body["status"]), (&Value::from("Method Not Allowed"), &Value::from(405)));
        let (response, body) = ask(routes(), request(Method::GET, "/api/v1/tasks/%ff")).await;
        assert_eq!((response.status().as_u16(), &body["errors"][0]["field"]), (400, &Value::from("path")));
        for odd in ["PURGE", "TRACE", "QUERY", "CONNECT", "get"] {
            let method = Method::from_bytes(odd.as_bytes()).expect("a method");
            let (response, _) = ask(routes(), request(method.clone(), "/api/v1/tasks")).await;
            assert_eq!((response.status().as_u16(), response.header("allow")), (405, Some("GET, HEAD, POST")), "{odd}");
            let (response, _) = ask(routes(), request(method, "/nowhere")).await;
            assert_eq!(response.status().as_u16(), 404, "{odd}");
        }
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_refused_and_one_at_the_limit_is_not() {
        let routes = || make_sync(|_| "here").map_to_response();
        let many = |count: usize| {
            let mut request = request(Method::GET, "/");
            // One is there already.
            for at in 1..count {
                let name = poem::http::HeaderName::from_bytes(format!("x-{at}").as_bytes()).expect("a name");
                request.headers_mut().insert(name, poem::http::HeaderValue::from_static("1"));
            }
            request
        };
        let large = |bytes: usize| Request::builder().uri_str("/").header("x", "v".repeat(bytes - 1)).finish();
        let long = |bytes: usize| request(Method::GET, &format!("/?{}", "q".repeat(bytes - 2)));
        for (asked, status) in [
            (many(100), 200),
            (many(101), 431),
            (large(32 * 1024), 200),
            (large(32 * 1024 + 1), 431),
            (long(8 * 1024), 200),
            (long(8 * 1024 + 1), 414),
        ] {
            let (response, body) = ask(routes(), asked).await;
            assert_eq!(response.status().as_u16(), status, "{body}");
            assert_eq!(response.content_type() == Some("application/problem+json"), status > 200, "{body}");
            assert!(status == 200 || body["detail"].as_str().is_some_and(|text| text.contains("at most")), "{body}");
        }
    }

    #[tokio::test]
    async fn an_error_that_somebody_answered_in_plain_text_is_a_problem_too() {
        let routes = make_sync(|_| poem::http::StatusCode::IM_A_TEAPOT).map_to_response();
        let (response, body) = ask(routes, request(Method::GET, "/")).await;
        assert_eq!((response.status().as_u16(), &body["code"]), (418, &Value::from("VALIDATION_ERROR")));
        assert_eq!(body["request_id"], "r-1");
    }

    #[tokio::test]
    async fn every_answer_carries_the_id_and_the_safe_headers() {
        for path in ["/docs", "/docs/"] {
            let routes = places::Tidied::new(Route::new().at("/docs", make_sync(|_| "here")));
            let (response, _) = ask(routes, request(Method::GET, path)).await;
            assert_eq!(response.status().as_u16(), 200, "{path}");
            for (name, value) in [
                ("x-request-id", "r-1"),
                ("x-content-type-options", "nosniff"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(response.header(name), Some(value), "{name}");
            }
        }
    }

    #[tokio::test]
    async fn the_documentation_keeps_its_own_policy() {
        let routes = Route::new().at("/docs", system::docs::page(&service())).map_to_response();
        let (response, body) = ask(routes, request(Method::GET, "/docs")).await;
        assert!(response.header("content-security-policy").is_some_and(|policy| policy.contains("'sha256-")));
        assert!(body.as_str().is_some_and(|html| html.contains("SwaggerUIBundle")));
    }

    #[tokio::test]
    async fn requests_are_counted_by_pattern() {
        let counted = Arc::new(system::metrics::Metrics::new());
        let routes = Route::new().nest("/", OpenApiService::new(Routes(api()), "t", "1")).map_to_response();
        let middleware = Middleware::new(routes, &HttpLimits::default(), Arc::clone(&counted));
        for id in ["1", "2"] {
            drop(middleware.call(request(Method::PUT, &format!("/api/v1/tasks/{id}"))).await);
        }
        drop(middleware.call(request(Method::GET, "/a/b/c")).await);
        let text = counted.render(&Ok(Vec::new()));
        assert!(text.contains("{method=\"PUT\",route=\"/api/v1/tasks/{task_id}\",status=\"405\"} 2"), "{text}");
        assert!(text.contains("{method=\"GET\",route=\"unmatched\",status=\"404\"} 1"), "{text}");
    }
}

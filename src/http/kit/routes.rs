//! What poem-openapi leaves to do around a set of operations: 405 with what is allowed, the pattern of the route for
//! logs and figures, and one entry for each path in the description.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response,
    endpoint::{BoxEndpoint, make_sync},
    http::{HeaderValue, Method},
};
use poem_openapi::{
    OpenApi,
    registry::{MetaApi, MetaOperation, MetaOperationParam, MetaParamIn, MetaPath, MetaSchemaRef, Registry},
};

use super::{
    context::RequestContext,
    problem::{self, Problem},
    reply::{Kind, Plain},
    rights::{self, Needed},
    statuses,
};

/// The methods that paths are asked for; any other is taken for TRACE, which no path answers.
pub const METHODS: [Method; 8] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
];

/// Operations with all of that around them.
pub struct Routes<A>(pub A);

type Table = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

impl<A: OpenApi> OpenApi for Routes<A> {
    /// poem-openapi writes a path that two APIs share twice, and readers of JSON keep the last.
    fn meta() -> Vec<MetaApi> {
        let mut paths: Vec<MetaPath> = Vec::new();
        for mut path in A::meta().into_iter().flat_map(|api| api.paths) {
            path.operations.iter_mut().for_each(|operation| describe(&path.path, operation));
            match paths.iter_mut().find(|known| known.path == path.path) {
                Some(known) => known.operations.extend(path.operations),
                None => paths.push(path),
            }
        }
        vec![MetaApi { paths }]
    }

    fn register(registry: &mut Registry) {
        problem::register(registry);
        A::register(registry);
    }

    fn add_routes(self, table: &mut Table) {
        let names: HashMap<String, Arc<str>> = Self::meta()
            .into_iter()
            .flat_map(|api| api.paths)
            .map(|path| (key(&path.path), path.path.into()))
            .collect();
        let with_query = with_query(&Self::meta());
        let mut own = Table::new();
        self.0.add_routes(&mut own);
        for (path, methods) in own {
            let name = names.get(&path).map_or_else(|| Arc::from(path.as_str()), Arc::clone);
            table.insert(path, complete(methods, &name, &with_query));
        }
    }
}

/// Says of an operation what follows from its arguments: one parameter for each field of a query, and its errors.
fn describe(path: &str, operation: &mut MetaOperation) {
    let needed = Needed::of(operation);
    rights::strip(operation);
    operation.params = operation.params.drain(..).flat_map(parameters).collect();
    for response in operation.responses.responses.iter_mut().filter(|response| response.description.is_empty()) {
        response.description = Plain::DESCRIPTION;
    }
    let errors = statuses::of(path, operation, needed.as_ref());
    operation.responses.responses.extend(statuses::responses(path, &errors));
}

/// The parameters that an argument takes: its fields if it has some, else itself.
fn parameters(argument: MetaOperationParam) -> Vec<MetaOperationParam> {
    let MetaSchemaRef::Inline(object) = &argument.schema else { return vec![argument] };
    if object.properties.is_empty() {
        return vec![argument];
    }
    let of = |(name, schema): &(&'static str, MetaSchemaRef)| {
        let mut schema = schema.clone();
        let mut description = argument.description.clone();
        if let MetaSchemaRef::Inline(schema) = &mut schema {
            description = description.or(schema.description.take().map(str::to_owned));
            // Nothing but absence means "no value" here.
            schema.nullable = false;
            schema.enum_items.retain(|word| !word.is_null());
        }
        MetaOperationParam {
            name: (*name).to_owned(),
            required: object.required.contains(name),
            schema,
            description,
            in_type: argument.in_type,
            deprecated: argument.deprecated,
            explode: argument.explode,
            style: argument.style,
        }
    };
    object.properties.iter().map(of).collect()
}

/// How the route table spells a path: `/tasks/{task_id}` is `/tasks/:param0`.
fn key(path: &str) -> String {
    let mut count = 0;
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            count += 1;
            format!(":param{}", count - 1)
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Path and method of the operations that take parameters in the address.
fn with_query(apis: &[MetaApi]) -> HashSet<(String, Method)> {
    let takes_some = |operation: &&MetaOperation| operation.params.iter().any(|one| one.in_type == MetaParamIn::Query);
    let paths = apis.iter().flat_map(|api| &api.paths);
    let of = |path: &MetaPath| {
        let methods = path.operations.iter().filter(takes_some).map(|operation| operation.method.clone());
        methods.map(|method| (path.path.clone(), method)).collect::<Vec<_>>()
    };
    paths.flat_map(of).collect()
}

fn complete(
    methods: HashMap<Method, BoxEndpoint<'static>>,
    name: &Arc<str>,
    with_query: &HashSet<(String, Method)>,
) -> HashMap<Method, BoxEndpoint<'static>> {
    let allow = allow(methods.keys());
    // poem answers HEAD with GET.
    let answers = |method: &Method| {
        methods.contains_key(method) || (method == Method::HEAD && methods.contains_key(&Method::GET))
    };
    let refused: Vec<Method> = METHODS.into_iter().filter(|method| !answers(method)).collect();
    let mut complete: HashMap<Method, BoxEndpoint<'static>> = methods
        .into_iter()
        .map(|(method, endpoint)| {
            let takes_query = with_query.contains(&(name.to_string(), method.clone()));
            (method, Named { endpoint, name: Arc::clone(name), takes_query }.boxed())
        })
        .collect();
    for method in refused {
        let allow = allow.clone();
        let refuse = make_sync(move |_| problem_response(Problem::not_allowed(&allow)));
        complete.insert(method, Named { endpoint: refuse.boxed(), name: Arc::clone(name), takes_query: true }.boxed());
    }
    complete
}

fn allow<'a>(methods: impl Iterator<Item = &'a Method>) -> HeaderValue {
    let mut names: BTreeSet<&str> = methods.map(Method::as_str).collect();
    if names.contains("GET") {
        names.insert("HEAD");
    }
    let text = names.into_iter().collect::<Vec<_>>().join(", ");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// A response that the middleware turns into the problem, once it knows the id of the request.
pub fn problem_response(problem: Problem) -> Response {
    let mut response = problem.status.into_response();
    response.set_data(problem);
    response
}

/// An endpoint that tells its pattern, and whether anything may stand behind a `?`.
struct Named {
    endpoint: BoxEndpoint<'static>,
    name: Arc<str>,
    takes_query: bool,
}

impl Endpoint for Named {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if let Some(context) = request.data::<Arc<RequestContext>>() {
            // Set once: a request is routed once, or once more as GET for a HEAD, to the same pattern.
            let _ = context.route.set(Arc::clone(&self.name));
            if !self.takes_query {
                let _ = context.without_query.set(());
            }
        }
        self.endpoint.call(request).await
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::OpenApiService;

    use super::*;

    struct Read;

    #[OpenApi]
    impl Read {
        #[oai(path = "/shared/:id", method = "get")]
        async fn read(&self) {}
    }

    struct Write;

    #[OpenApi]
    impl Write {
        #[oai(path = "/shared/:id", method = "put")]
        async fn write(&self) {}
    }

    #[test]
    fn a_path_that_two_apis_share_is_described_once_with_both_methods() {
        let text = OpenApiService::new(Routes((Read, Write)), "t", "1").spec();
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(text.matches("\"/shared/{id}\"").count(), 1);
        let methods = document["paths"]["/shared/{id}"].as_object().expect("methods");
        assert_eq!(methods.keys().collect::<Vec<_>>(), ["get", "put"]);
    }

    #[test]
    fn paths_are_spelled_as_the_route_table_has_them() {
        assert_eq!(key("/api/v1/tasks"), "/api/v1/tasks");
        assert_eq!(key("/a/{x}/versions/{y}/restore"), "/a/:param0/versions/:param1/restore");
    }

    #[test]
    fn head_is_allowed_where_get_is() {
        assert_eq!(allow([Method::PATCH, Method::GET].iter()), "GET, HEAD, PATCH");
        assert_eq!(allow([Method::POST].iter()), "POST");
    }
}

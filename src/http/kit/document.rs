//! The description as it is published: what poem-openapi writes, with what it has no word for.

mod schemas;

use std::{collections::BTreeMap, fmt};

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Number, Value};

use super::rights::Line;

/// The title of a schema that nothing fits: as `additionalProperties` it is written as `false`.
const NOTHING: &str = "@nothing";

/// See [`NOTHING`].
pub fn nothing() -> Box<MetaSchemaRef> {
    let nothing = MetaSchema { title: Some(NOTHING.to_owned()), ..MetaSchema::ANY };
    Box::new(MetaSchemaRef::Inline(Box::new(nothing)))
}

/// Headers of every answer: name, whether only answers to known keys and failed sign-ins have it, type, description.
const HEADERS: [(&str, bool, &str, &str); 4] = [
    ("X-Request-Id", false, "string", "The id of the request: the one that you sent, or a new one."),
    ("X-RateLimit-Limit", true, "integer", "Calls a minute in the class of this operation."),
    ("X-RateLimit-Remaining", true, "integer", "Calls that are left until the reset."),
    ("X-RateLimit-Reset", true, "integer", "When the whole budget is back, in Unix seconds."),
];

/// JSON whose members keep their order.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Leaf(Value),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        match self {
            Self::Object(members) => members.iter_mut().find(|(known, _)| known == name).map(|(_, node)| node),
            _ => None,
        }
    }

    fn set(&mut self, name: &str, node: Node) {
        match (self.get_mut(name).is_some(), &mut *self) {
            (true, _) => {
                if let Some(known) = self.get_mut(name) {
                    *known = node;
                }
            }
            (false, Self::Object(members)) => members.push((name.to_owned(), node)),
            (false, _) => {}
        }
    }

    /// Writes `false` where nothing fits.
    fn close(&mut self) {
        match self {
            Self::Leaf(_) => {}
            Self::List(items) => items.iter_mut().for_each(Self::close),
            Self::Object(members) => {
                for (name, node) in members {
                    let is_nothing = node.get_mut("title") == Some(&mut Self::Leaf(NOTHING.into()));
                    match name == "additionalProperties" && is_nothing {
                        true => *node = Self::Leaf(false.into()),
                        false => node.close(),
                    }
                }
            }
        }
    }
}

/// A stream of events that an operation answers with. The description has a text for it, with which no client could be
/// made; this says what stands in the text.
#[derive(Debug)]
pub struct Stream {
    pub path: &'static str,
    /// Each kind of event with the name of the schema of its `data`.
    pub payloads: Vec<(&'static str, String)>,
    /// Those schemas, and what they refer to.
    pub schemas: BTreeMap<String, MetaSchema>,
    /// Each kind with an event as it is sent.
    pub examples: Vec<(&'static str, String)>,
}

/// The document with the rights of its operations, `security: []` for what is public, closed objects, parameters that may
/// be empty, and the headers that every answer has.
pub fn complete(text: &str, rights: &[Line], streams: &[Stream]) -> Result<String, serde_json::Error> {
    let mut document: Node = serde_json::from_str(text)?;
    for stream in streams {
        describe(&mut document, stream)?;
    }
    document.close();
    schemas::mend(&mut document);
    declare_headers(&mut document);
    for line in rights {
        let operation = document
            .get_mut("paths")
            .and_then(|paths| paths.get_mut(&line.path))
            .and_then(|path| path.get_mut(&line.method.to_lowercase()));
        if let Some(operation) = operation {
            say_right(operation, line);
            say_empty(operation);
            say_headers(operation, line.needed.is_some());
        }
    }
    serde_json::to_string_pretty(&document)
}

fn describe(document: &mut Node, stream: &Stream) -> Result<(), serde_json::Error> {
    let mut node = Some(&mut *document);
    for name in ["paths", stream.path, "get", "responses", "200", "content", "text/event-stream"] {
        node = node.and_then(|node| node.get_mut(name));
    }
    if let Some(content) = node {
        let reference = |(kind, name): &(&str, String)| {
            ((*kind).to_owned(), object([("$ref", Node::Leaf(format!("#/components/schemas/{name}").into()))]))
        };
        let shown =
            |(name, text): &(&str, String)| ((*name).to_owned(), object([("value", Node::Leaf(text.as_str().into()))]));
        content.set("x-events", Node::Object(stream.payloads.iter().map(reference).collect()));
        content.set("examples", Node::Object(stream.examples.iter().map(shown).collect()));
    }
    let known = document.get_mut("components").and_then(|components| components.get_mut("schemas"));
    let Some(known) = known else { return Ok(()) };
    for (name, schema) in &stream.schemas {
        known.set(name, serde_json::from_str(&serde_json::to_string(schema)?)?);
    }
    if let Node::Object(schemas) = known {
        schemas.sort_by(|(one, _), (other, _)| one.cmp(other));
    }
    Ok(())
}

fn say_right(operation: &mut Node, line: &Line) {
    let Some(needed) = &line.needed else {
        // What may need something, as `/metrics` does, says so beside "nothing".
        let may_need = match operation.get_mut("security") {
            Some(Node::List(schemes)) => std::mem::take(schemes),
            _ => Vec::new(),
        };
        let nothing = (!may_need.is_empty()).then(|| Node::Object(Vec::new()));
        return operation.set("security", Node::List(nothing.into_iter().chain(may_need).collect()));
    };
    let leaf = |text: &str| Node::Leaf(text.into());
    let scopes = Node::List(needed.scopes.iter().map(|scope| leaf(scope)).collect());
    let members = [("permission", leaf(needed.permission)), ("scopes", scopes), ("class", leaf(needed.class))];
    let members = members.map(|(name, node)| (name.to_owned(), node));
    if let Some(Node::Leaf(Value::String(text))) = operation.get_mut("description") {
        let scopes = needed.scopes.join("` or `");
        let sentence = format!("Needs the permission `{}` and the scope `{scopes}`.", needed.permission);
        *text = format!("{text}\n\n{sentence}");
    }
    operation.set("x-galley-right", Node::Object(members.into()));
}

/// A parameter of a query that nothing stands behind counts as absent.
fn say_empty(operation: &mut Node) {
    let Some(Node::List(parameters)) = operation.get_mut("parameters") else { return };
    for parameter in parameters {
        let mut says = |name: &str, value: Value| parameter.get_mut(name) == Some(&mut Node::Leaf(value));
        if says("in", "query".into()) && says("required", false.into()) {
            parameter.set("allowEmptyValue", Node::Leaf(true.into()));
        }
    }
}

fn object<const N: usize>(members: [(&str, Node); N]) -> Node {
    Node::Object(members.map(|(name, node)| (name.to_owned(), node)).into())
}

/// Each is described once, and named by the answers that have it.
fn declare_headers(document: &mut Node) {
    let Some(components) = document.get_mut("components") else { return };
    let described = HEADERS.map(|(name, _, kind, about)| {
        let schema = object([("type", Node::Leaf(kind.into()))]);
        (name, object([("description", Node::Leaf(about.into())), ("schema", schema)]))
    });
    components.set("headers", object(described));
}

fn say_headers(operation: &mut Node, is_counted: bool) {
    let Some(Node::Object(responses)) = operation.get_mut("responses") else { return };
    for (_, response) in responses {
        if response.get_mut("headers").is_none() {
            response.set("headers", Node::Object(Vec::new()));
        }
        let Some(headers) = response.get_mut("headers") else { continue };
        for (name, ..) in HEADERS.into_iter().filter(|(_, needs_key, ..)| is_counted || !needs_key) {
            headers.set(name, object([("$ref", Node::Leaf(format!("#/components/headers/{name}").into()))]));
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(value) => value.serialize(to),
            Self::List(items) => to.collect_seq(items),
            Self::Object(members) => to.collect_map(members.iter().map(|(name, node)| (name, node))),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Leaf(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element()? {
            read.push(item);
        }
        Ok(Node::List(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut read = Vec::new();
        while let Some(member) = members.next_entry()? {
            read.push(member);
        }
        Ok(Node::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::rights::Needed, *};

    #[test]
    fn the_order_stays_and_what_was_missing_is_said() {
        let parameter = |kind: &str, required: bool| json!({ "in": kind, "required": required });
        let parameters = json!([parameter("query", false), parameter("query", true), parameter("header", false)]);
        let get = json!({ "description": "B.", "parameters": parameters, "responses": { "200": {} } });
        let post = json!({ "security": [{ "key": [] }], "responses": { "202": { "headers": { "Location": {} } } } });
        let text = json!({ "components": {}, "paths": { "/b": { "get": get, "post": post } } });
        let line = |method: &str, needed| Line { method: method.into(), path: "/b".into(), needed };
        let needed = Needed { permission: "write", scopes: vec!["projects", "content"], class: "ai" };
        let rights = [line("GET", None), line("POST", Some(needed))];
        let done: Value =
            serde_json::from_str(&complete(&text.to_string(), &rights, &[]).expect("JSON")).expect("JSON");
        let get = &done["paths"]["/b"]["get"];
        let id = json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } });
        assert_eq!(get["responses"]["200"]["headers"], id, "nothing is counted without a key");
        assert_eq!((&get["description"], &get["security"]), (&json!("B."), &json!([])));
        let empty = get["parameters"].as_array().expect("a list").iter().map(|p| p["allowEmptyValue"] == true);
        assert_eq!(empty.collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(
            done["paths"]["/b"]["post"]["x-galley-right"],
            json!({ "permission": "write", "scopes": ["projects", "content"], "class": "ai" })
        );
        let headers = done["paths"]["/b"]["post"]["responses"]["202"]["headers"].as_object().expect("headers");
        let mut names: Vec<&String> = headers.keys().collect();
        names.sort();
        assert_eq!(
            names,
            ["Location", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-Id"]
        );
        let reset = &done["components"]["headers"]["X-RateLimit-Reset"]["description"];
        assert!(reset.as_str().is_some_and(|text| text.contains("Unix")), "{reset}");
        let order = r#"{"z":1,"a":{"additionalProperties":{"title":"@nothing"}},"m":[1.5,null,true,-2]}"#;
        let done = complete(order, &[], &[]).expect("JSON");
        let done: String = done.split_whitespace().collect();
        assert_eq!(done, r#"{"z":1,"a":{"additionalProperties":false},"m":[1.5,null,true,-2]}"#);
    }
}

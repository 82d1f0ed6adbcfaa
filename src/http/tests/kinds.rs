//! What makers of clients trip over, as rules that walk the whole description. Each rule is also shown a description that
//! breaks it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{document, operations};

/// Says what is wrong, one sentence for each place.
type Rule = fn(&Value) -> Vec<String>;

/// The description keeps the rule, and does not with a member put where the pointer says.
fn kept(rule: Rule, broken: &[(&str, Value)]) {
    let description = document();
    assert_eq!(rule(&description), Vec::<String>::new());
    for (pointer, value) in broken {
        let mut description = description.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = description.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} leads somewhere"));
        match parent {
            Value::Object(members) => drop(members.insert(name.replace("~1", "/"), value.clone())),
            other => other[name.parse::<usize>().expect("a place in a list")] = value.clone(),
        }
        assert!(!rule(&description).is_empty(), "{value} at {pointer} is found");
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Every schema with its place: the named ones, those of parameters, bodies and headers, and what stands in them.
fn schemas(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (name, schema) in members(&document["components"]["schemas"]) {
        within(name.clone(), schema, &mut found);
    }
    for (name, header) in members(&document["components"]["headers"]) {
        within(name.clone(), &header["schema"], &mut found);
    }
    for (path, methods) in members(&document["paths"]) {
        for (method, operation) in members(methods) {
            let place = |more: &str| format!("{method} {path} {more}");
            for parameter in items(&operation["parameters"]) {
                within(place(&parameter["name"].to_string()), &parameter["schema"], &mut found);
            }
            for (kind, content) in members(&operation["requestBody"]["content"]) {
                within(place(kind), &content["schema"], &mut found);
            }
            for (status, response) in members(&operation["responses"]) {
                for (kind, content) in members(&response["content"]) {
                    within(place(&format!("{status} {kind}")), &content["schema"], &mut found);
                }
                for (name, header) in members(&response["headers"]).filter(|(_, header)| header["$ref"].is_null()) {
                    within(place(&format!("{status} {name}")), &header["schema"], &mut found);
                }
            }
        }
    }
    found
}

fn within<'a>(place: String, schema: &'a Value, found: &mut Vec<(String, &'a Value)>) {
    for (name, property) in members(&schema["properties"]) {
        within(format!("{place}.{name}"), property, found);
    }
    let others = &schema["additionalProperties"];
    if members(others).next().is_some() {
        within(format!("{place}.*"), others, found);
    }
    if schema["items"].is_object() {
        within(format!("{place}[]"), &schema["items"], found);
    }
    for several in ["allOf", "anyOf", "oneOf"] {
        for (at, part) in items(&schema[several]).enumerate() {
            within(format!("{place}.{several}.{at}"), part, found);
        }
    }
    found.push((place, schema));
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.and_then(|target| document.pointer(target)).unwrap_or(schema)
}

/// A type, a reference, or a choice with a name; nothing of several types.
fn every_schema_has_one_type(document: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (place, schema) in schemas(document) {
        let has = |name: &str| !schema[name].is_null();
        let is_reference = has("$ref") && schema.as_object().is_some_and(|members| members.len() == 1);
        let is_described_reference =
            items(&schema["allOf"]).count() == 1 && items(&schema["allOf"]).all(|part| part["$ref"].is_string());
        let is_named_choice = has("oneOf") && !place.contains(['.', '[', ' ']);
        if has("anyOf") || has("not") || (has("allOf") && !is_described_reference) || (has("oneOf") && !is_named_choice)
        {
            wrong.push(format!("{place} is put together of schemas"));
        }
        if !is_reference && !is_described_reference && !is_named_choice && !schema["type"].is_string() {
            wrong.push(format!("{place} has no type: {schema}"));
        }
        if has("nullable") && !schema["type"].is_string() {
            wrong.push(format!("{place} is nullable without a type"));
        }
        let fits = |word: &Value| match schema["type"].as_str() {
            Some("string") => word.is_string(),
            Some("integer") => word.is_i64(),
            _ => false,
        };
        let may_be = |word: &Value| fits(word) || (word.is_null() && schema["nullable"] == true);
        if !items(&schema["enum"]).all(may_be) {
            wrong.push(format!("{place} has words of another type"));
        }
    }
    wrong
}

#[test]
fn a_schema_has_one_type() {
    let task = "/components/schemas/Task/properties";
    let none_or_word = json!({ "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "string", "maxLength": 0 }] });
    let reference = json!({ "$ref": "#/components/schemas/Seo" });
    let broken = [
        ("/paths/~1api~1v1~1tasks/get/parameters/0/schema".to_owned(), none_or_word),
        (format!("{task}/kind"), json!({})),
        (format!("{task}/kind"), json!({ "type": ["string", "integer"] })),
        (format!("{task}/kind"), json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] })),
        (format!("{task}/kind"), json!({ "nullable": true, "allOf": [reference] })),
        (format!("{task}/kind"), json!({ "allOf": [reference, { "description": "" }] })),
        (format!("{task}/kind"), json!({ "type": "string", "enum": ["a", null] })),
    ];
    kept(every_schema_has_one_type, &broken.each_ref().map(|(pointer, value)| (pointer.as_str(), value.clone())));
}

/// The parts of a choice are told apart by their type, or by a member that only one of them requires and has.
fn every_choice_can_be_made(document: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (place, schema) in schemas(document) {
        let parts: Vec<&Value> = items(&schema["oneOf"]).map(|part| resolved(document, part)).collect();
        let tells = |one: &Value, other: &Value| {
            one["type"] != other["type"]
                || items(&one["required"]).any(|name| {
                    other["properties"][name.as_str().unwrap_or_default()].is_null()
                        && other["additionalProperties"] == false
                })
        };
        for (at, one) in parts.iter().enumerate() {
            if parts[at + 1..].iter().any(|other| !tells(one, other)) {
                wrong.push(format!("{place} has two forms that cannot be told apart"));
            }
        }
    }
    wrong
}

#[test]
fn the_forms_of_a_choice_can_be_told_apart() {
    let text = json!({ "type": "string" });
    kept(every_choice_can_be_made, &[("/components/schemas/FileReference/oneOf/1", text)]);
}

fn every_parameter_is_plain(document: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (method, path, operation) in operations(document) {
        for parameter in items(&operation["parameters"]) {
            let schema = &parameter["schema"];
            let one = if schema["type"] == "array" { &schema["items"] } else { schema };
            let is_plain = ["string", "integer", "boolean", "number"].iter().any(|kind| one["type"] == *kind);
            if !is_plain || !schema["nullable"].is_null() {
                wrong.push(format!("{method} {path}: {} is {schema}", parameter["name"]));
            }
        }
    }
    wrong
}

#[test]
fn parameters_are_plain() {
    let schema = "/paths/~1api~1v1~1tasks/get/parameters/0/schema";
    let reference = json!({ "$ref": "#/components/schemas/ErrorCode" });
    kept(every_parameter_is_plain, &[(schema, reference), (schema, json!({ "type": "string", "nullable": true }))]);
}

/// Classes get their names from here.
fn every_name_is_one_of_a_class(document: &Value) -> Vec<String> {
    // What a language or its library has already.
    let taken = ["File", "Error", "Object", "Date", "Exception", "Type", "List", "Map", "Set", "String", "Response"];
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for (name, _) in members(&document["components"]["schemas"]) {
        let is_plain = name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_plain || taken.contains(&name.as_str()) || !known.insert(name.to_ascii_lowercase()) {
            wrong.push(format!("{name} is no name for a class"));
        }
    }
    for (method, path, operation) in operations(document) {
        let answers = members(&operation["responses"]).flat_map(|(_, response)| members(&response["content"]));
        for (kind, content) in answers.chain(members(&operation["requestBody"]["content"])) {
            let one =
                if content["schema"]["type"] == "array" { &content["schema"]["items"] } else { &content["schema"] };
            if kind.contains("json") && one["$ref"].is_null() {
                wrong.push(format!("{method} {path} has {kind} without a name"));
            }
        }
    }
    wrong
}

#[test]
fn schemas_have_names_of_classes() {
    let (schemas, object) = ("/components/schemas", json!({ "type": "object" }));
    let name = |name: &str| format!("{schemas}/{name}");
    let names = ["Envelope_Task", "File", "task", "Nullable<Task>"].map(name);
    let mut broken: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), object.clone())).collect();
    let answer = "/paths/~1api~1v1~1tasks/post/responses/202/content/application~1json/schema";
    broken.push((answer, object));
    kept(every_name_is_one_of_a_class, &broken);
}

fn every_operation_is_named_alike(document: &Value) -> Vec<String> {
    let verbs: BTreeSet<&str> =
        "cancel check create decide delete generate get list pause preview publish purge receive \
                                 regenerate replay resend resolve restore resume retry rotate run schedule search stream sync test unpublish unschedule update upload"
            .split_whitespace()
            .collect();
    let mut known = BTreeSet::new();
    let mut wrong = Vec::new();
    for (method, path, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let (verb, noun) = id.split_once('_').unwrap_or((id, ""));
        let is_snake = !noun.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !verbs.contains(verb) || !is_snake || !known.insert(id.to_owned()) {
            wrong.push(format!("{method} {path} is called '{id}'; say verb_noun, once"));
        }
    }
    wrong
}

#[test]
fn operations_are_verb_and_noun() {
    let id = "/paths/~1healthz/get/operationId";
    let broken = ["healthz", "getHealth", "get_", "list_tasks", "health_get"].map(|name| (id, json!(name)));
    kept(every_operation_is_named_alike, &broken);
}

fn every_operation_has_a_described_tag(document: &Value) -> Vec<String> {
    let is_described = |tag: &Value| tag["description"].as_str().is_some_and(|text| !text.is_empty());
    let known: BTreeSet<&str> =
        items(&document["tags"]).filter(|tag| is_described(tag)).filter_map(|tag| tag["name"].as_str()).collect();
    let mut wrong = Vec::new();
    for (method, path, operation) in operations(document) {
        let tags: Vec<&str> = items(&operation["tags"]).filter_map(Value::as_str).collect();
        if tags.len() != 1 || !tags.iter().all(|tag| known.contains(tag)) {
            wrong.push(format!("{method} {path} has the tags {tags:?}"));
        }
    }
    wrong
}

#[test]
fn every_operation_stands_under_one_described_tag() {
    let tags = "/paths/~1healthz/get/tags";
    let broken = [(tags, json!([])), (tags, json!(["Health"])), ("/tags/0/description", json!(""))];
    kept(every_operation_has_a_described_tag, &broken);
}

fn every_security_is_said(document: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (method, path, operation) in operations(document) {
        let Some(schemes) = operation["security"].as_array() else {
            wrong.push(format!("{method} {path} says nothing about keys"));
            continue;
        };
        let names = schemes.iter().flat_map(|scheme| members(scheme).map(|(name, _)| name));
        for name in names.filter(|name| document["components"]["securitySchemes"][name.as_str()].is_null()) {
            wrong.push(format!("{method} {path} needs {name}, which is not described"));
        }
        let is_free = schemes.is_empty() || schemes.iter().any(|scheme| members(scheme).next().is_none());
        if is_free != operation["x-galley-right"].is_null() {
            wrong.push(format!("{method} {path} has another security than right"));
        }
    }
    wrong
}

#[test]
fn what_needs_no_key_says_so() {
    let [free, bound] = ["~1healthz", "~1api~1v1~1tasks"].map(|path| format!("/paths/{path}/get/security"));
    let broken = [
        (free.as_str(), json!(null)),
        (&free, json!([{ "bearer": [] }])),
        (&bound, json!([])),
        (&bound, json!([{ "basic": [] }])),
    ];
    kept(every_security_is_said, &broken);
}

fn every_error_is_a_problem(document: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (method, path, operation) in operations(document) {
        for (status, response) in members(&operation["responses"]) {
            let place = format!("{method} {path} {status}");
            if response["description"].as_str().is_none_or(str::is_empty) {
                wrong.push(format!("{place} has no description"));
            }
            if status.starts_with(['2', '3']) {
                continue;
            }
            let kinds: Vec<&String> = members(&response["content"]).map(|(kind, _)| kind).collect();
            let schema = resolved(document, &response["content"]["application/problem+json"]["schema"]);
            let has = |name: &str| items(&schema["required"]).any(|required| required == name);
            let parts = ["type", "title", "status", "detail", "code", "errors", "request_id"];
            if kinds != ["application/problem+json"] || !parts.into_iter().all(has) {
                wrong.push(format!("{place} is no problem"));
            }
            let waits = response["headers"]["Retry-After"]["required"] == true;
            if waits != ["429", "503"].contains(&status.as_str()) {
                wrong.push(format!("{place} says when to come back, or does not"));
            }
        }
    }
    wrong
}

#[test]
fn errors_are_problems_and_answers_are_described() {
    let responses = "/paths/~1api~1v1~1tasks/get/responses";
    let at = |rest: &str| format!("{responses}/{rest}");
    let (content, json_content) =
        (at("400/content"), json!({ "application/json": { "schema": { "type": "object" } } }));
    let (schema, wait) = (at("401/content/application~1problem+json/schema"), at("503/headers"));
    let task = json!({ "$ref": "#/components/schemas/Task" });
    let description = at("200/description");
    let broken = [(content.as_str(), json_content), (&schema, task), (&wait, json!({})), (&description, json!(""))];
    kept(every_error_is_a_problem, &broken);
}

/// As JSON Schema, which has no `nullable`.
fn as_json_schema(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(as_json_schema).collect(),
        Value::Object(members) => {
            let mut plain: Map<String, Value> =
                members.iter().map(|(name, value)| (name.clone(), as_json_schema(value))).collect();
            match plain.remove("nullable") {
                Some(Value::Bool(true)) => json!({ "anyOf": [plain, { "type": "null" }] }),
                _ => Value::Object(plain),
            }
        }
        other => other.clone(),
    }
}

/// The named schemas as JSON Schema, for [`unlike`].
fn components(document: &Value) -> Value {
    as_json_schema(&json!({ "schemas": document["components"]["schemas"] }))
}

/// What is wrong with a value, if anything.
fn unlike(components: &Value, schema: &Value, value: &Value) -> Option<String> {
    let whole = json!({ "components": components, "allOf": [as_json_schema(schema)] });
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft4).should_validate_formats(true);
    match options.build(&whole) {
        Ok(validator) => validator.validate(value).err().map(|error| error.to_string()),
        Err(error) => Some(format!("the schema is none: {error}")),
    }
}

fn every_example_fits(document: &Value) -> Vec<String> {
    let with_example = schemas(document).into_iter().filter(|(_, schema)| !schema["example"].is_null());
    let components = components(document);
    let wrong = |(place, schema): (String, &Value)| {
        unlike(&components, schema, &schema["example"]).map(|error| format!("the example of {place}: {error}"))
    };
    with_example.filter_map(wrong).collect()
}

#[test]
fn examples_fit_their_schemas() {
    let broken = [
        ("/components/schemas/FileReference/example", json!({ "id": 7 })),
        ("/components/schemas/FileReference/example", json!({ "id": "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e", "x": 1 })),
        ("/components/schemas/Task/properties/created_at/example", json!("yesterday")),
    ];
    kept(every_example_fits, &broken);
}

/// The kinds of events with their examples.
fn streams(document: &Value) -> BTreeMap<String, Value> {
    let answers = operations(document).into_iter().map(|(method, path, operation)| {
        (format!("{method} {path}"), operation["responses"]["200"]["content"]["text/event-stream"].clone())
    });
    answers.filter(|(_, stream)| !stream.is_null()).collect()
}

fn every_stream_is_text_with_described_events(document: &Value) -> Vec<String> {
    let (mut wrong, components) = (Vec::new(), components(document));
    for (place, stream) in streams(document) {
        if stream["schema"]["type"] != "string" {
            wrong.push(format!("{place} is no text"));
        }
        for (kind, schema) in members(&stream["x-events"]) {
            let text = stream["examples"][kind]["value"].as_str().unwrap_or_default();
            let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            let data: Value = serde_json::from_str(line("data: ")).unwrap_or_default();
            if line("event: ") != kind || !text.ends_with("\n\n") || line("id: ").parse::<u64>().is_err() {
                wrong.push(format!("{place} has no event {kind} in its examples"));
            }
            if let Some(error) = unlike(&components, schema, &data) {
                wrong.push(format!("{place}: {kind}: {error}"));
            }
        }
        if members(&stream["x-events"]).count() != members(&stream["examples"]).count() {
            wrong.push(format!("{place} has not one schema and one example for each event"));
        }
    }
    wrong
}

#[test]
fn streams_are_text_whose_events_are_described() {
    assert_eq!(streams(&document()).keys().collect::<Vec<_>>(), ["GET /api/v1/tasks/{task_id}/events"]);
    let stream = "/paths/~1api~1v1~1tasks~1{task_id}~1events/get/responses/200/content/text~1event-stream";
    let at = |rest: &str| format!("{stream}/{rest}");
    let (schema, events) = (at("schema"), at("x-events/task.started"));
    let example = at("examples/task.started/value");
    let broken = [
        (schema.as_str(), json!({ "$ref": "#/components/schemas/Task" })),
        (&events, json!({ "$ref": "#/components/schemas/StepEvent" })),
        (&example, json!("id: 1\nevent: task.started\ndata: {\"run\":\"first\"}\n\n")),
        (&example, json!("event: task.started\ndata: {\"run\":1}\n\n")),
        (&example, json!("id: 1\nevent: task.begun\ndata: {\"run\":1}\n\n")),
    ];
    kept(every_stream_is_text_with_described_events, &broken);
}

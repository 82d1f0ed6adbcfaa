//! Schemas as makers of clients can use them: poem-openapi says some things twice, and `null` without a type.

use std::collections::HashMap;

use serde_json::Value;

use super::Node;

/// Types of the named schemas that have one.
type Types = HashMap<String, Value>;

/// Leaves one reference where poem-openapi writes it together with a repetition of what stands beside it, and gives a
/// type to what may be null: without it, `nullable` means nothing (OpenAPI 3.0.3).
pub fn mend(document: &mut Node) {
    let types = types(document);
    walk(document, &types);
}

fn types(document: &mut Node) -> Types {
    let schemas = document.get_mut("components").and_then(|components| components.get_mut("schemas"));
    let Some(Node::Object(schemas)) = schemas else { return Types::new() };
    let of = |(name, schema): &mut (String, Node)| match schema.get_mut("type") {
        Some(Node::Leaf(kind)) => Some((format!("#/components/schemas/{name}"), kind.clone())),
        _ => None,
    };
    schemas.iter_mut().filter_map(of).collect()
}

fn walk(node: &mut Node, types: &Types) {
    mend_reference(node, types);
    match node {
        Node::Leaf(_) => {}
        Node::List(items) => items.iter_mut().for_each(|item| walk(item, types)),
        Node::Object(members) => members.iter_mut().for_each(|(_, member)| walk(member, types)),
    }
}

fn mend_reference(node: &mut Node, types: &Types) {
    let Some(Node::List(parts)) = node.get_mut("allOf") else { return };
    let Some(Node::Leaf(Value::String(target))) = parts.first_mut().and_then(|part| part.get_mut("$ref")) else {
        return;
    };
    let kind = types.get(target).cloned();
    parts.truncate(1);
    let is_typed = node.get_mut("type").is_some();
    let (Node::Object(members), Some(kind)) = (node, kind) else { return };
    if members.iter().any(|(name, _)| name == "nullable") && !is_typed {
        members.insert(0, ("type".to_owned(), Node::Leaf(kind)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::complete;

    #[test]
    fn a_reference_stands_once_and_null_has_a_type() {
        let reference = json!({ "$ref": "#/components/schemas/A" });
        let twice = json!({ "description": "x", "allOf": [reference, { "description": "x" }] });
        let nullable = json!({ "nullable": true, "allOf": [reference] });
        let b = json!({ "type": "object", "properties": { "twice": twice, "nullable": nullable } });
        let document = json!({ "components": { "schemas": { "A": { "type": "string" }, "B": b } }, "paths": {} });
        let text = complete(&document.to_string(), &[], &[]).expect("JSON");
        let done: Value = serde_json::from_str(&text).expect("JSON");
        let properties = &done["components"]["schemas"]["B"]["properties"];
        assert_eq!(properties["twice"], json!({ "description": "x", "allOf": [reference] }));
        assert_eq!(properties["nullable"], json!({ "type": "string", "nullable": true, "allOf": [reference] }));
    }
}

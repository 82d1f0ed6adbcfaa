//! Answers in JSON: asked for with a schema, read tolerantly, repaired once.

use galley_domain::{Fault, FaultCode, usage::Meter};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    chat::{CallError, ChatClient, ChatRequest, Completion, Finish, Message},
    clean::without_reasoning,
    prompts::REPAIR,
};

/// How much of a bad answer is shown to the model again.
const MOST_SHOWN: usize = 4_000;
/// How many opening braces are tried as the start of the object.
const MOST_STARTS: usize = 50;

/// The JSON schema of `T` in one piece: no references, no title, which small servers' grammars do not need.
pub fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.inline_subschemas = true;
        s.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
    }
    schema
}

/// The schema without the lengths of strings.
pub(crate) fn loosened(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => map
            .iter()
            // a property of such a name has an object behind it, the keyword a number
            .filter(|(name, value)| !(matches!(name.as_str(), "minLength" | "maxLength") && value.is_number()))
            .map(|(name, value)| (name.clone(), loosened(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(loosened).collect(),
        other => other.clone(),
    }
}

impl ChatClient {
    /// Asks for a `T`. `request.schema` is filled in where it is empty. When the answer cannot be read or `check` refuses
    /// it (its words go to the model), the model is shown its answer and the error once.
    ///
    /// At most two answers are paid for; they are booked as `operation` and `operation.repair`.
    ///
    /// # Errors
    /// Those of [`ChatClient::complete`], and a permanent fault when the second answer is no better.
    pub async fn complete_json<T: DeserializeOwned + JsonSchema>(
        &self,
        mut request: ChatRequest,
        operation: &str,
        meter: &Meter,
        check: impl Fn(&T) -> Result<(), String> + Send + Sync,
    ) -> Result<T, CallError> {
        if request.schema.is_none() {
            request.schema = Some(("answer", schema_of::<T>()));
        }
        let read = |completion: &Completion| {
            let value = read_object::<T>(completion)?;
            check(&value).map(|()| value)
        };
        let first = self.complete(&request, operation, meter).await?;
        let error = match read(&first) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        tracing::debug!(operation, "the answer is not in the required form; asking for a repair");
        let shown = &first.text[..first.text.floor_char_boundary(MOST_SHOWN)];
        let shown = if shown.trim().is_empty() { "(no answer)" } else { shown };
        request.messages.push(Message::Assistant(shown.to_owned()));
        request.messages.push(Message::User(REPAIR.user(&[("error", &error)])));
        let second = self.complete(&request, &format!("{operation}.repair"), meter).await?;
        read(&second).map_err(|_| {
            let fault = Fault::permanent(
                FaultCode::LlmError,
                format!(
                    "The model {} did not answer in the required form after one repair. Order again, or let the \
                     operator choose a model that is able to write JSON.",
                    self.endpoint().model
                ),
            );
            let finishes = format!("{operation}: finished by {:?}, repair by {:?}", first.finish, second.finish);
            fault.with_detail(finishes).into()
        })
    }
}

/// Reads the first JSON object of the answer that is a `T`, through whatever stands around it.
///
/// # Errors
/// Why there is none, in words for the model.
pub fn read_object<T: DeserializeOwned>(completion: &Completion) -> Result<T, String> {
    let text = without_reasoning(&completion.text);
    let mut error = None;
    let mut at = 0;
    for _ in 0..MOST_STARTS {
        let Some(start) = text[at..].find('{') else { break };
        at += start;
        // a stream of values reads the first one and leaves what follows, such as the end of a code fence
        match serde_json::Deserializer::from_str(&text[at..]).into_iter::<T>().next() {
            Some(Ok(value)) => return Ok(value),
            Some(Err(e)) => error.get_or_insert_with(|| e.to_string()),
            None => break,
        };
        at += 1;
    }
    Err(match (completion.finish, error) {
        (Finish::Length, _) => "it was cut off because it is too long; write less".to_owned(),
        (Finish::Stop, Some(error)) => error,
        (Finish::Stop, None) => "it holds no JSON object".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Tea {
        #[schemars(length(min = 2, max = 20))]
        name: String,
        #[schemars(length(min = 1, max = 3))]
        steps: Vec<Step>,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Step {
        degrees: u8,
    }

    fn read(text: &str) -> Result<Tea, String> {
        let completion =
            Completion { text: text.to_owned(), finish: Finish::Stop, prompt_tokens: 0, completion_tokens: 0 };
        read_object(&completion)
    }

    #[test]
    fn the_schema_stands_alone_and_is_bounded() {
        let mut schema = schema_of::<Tea>();
        let step = &schema["properties"]["steps"]["items"];
        assert_eq!(step["additionalProperties"], json!(false), "{schema}");
        assert_eq!(step["required"], json!(["degrees"]));
        assert_eq!(schema["properties"]["name"]["maxLength"], json!(20));
        assert_eq!(schema["properties"]["steps"]["maxItems"], json!(3));
        assert!(!schema.to_string().contains("$ref") && !schema.to_string().contains("$schema"));
        let loose = loosened(&schema);
        assert!(!loose.to_string().contains("Length"));
        assert_eq!(loose["properties"]["steps"]["maxItems"], json!(3));
        schema["properties"]["maxLength"] = json!({"type": "string"});
        assert_eq!(loosened(&schema)["properties"]["maxLength"], json!({"type": "string"}), "a property of that name");
    }

    #[test]
    fn answers_are_read_through_their_wrapping() {
        let tea = Tea { name: "Sencha".into(), steps: vec![Step { degrees: 70 }] };
        let text = r#"{"name":"Sencha","steps":[{"degrees":70}]}"#;
        for wrapped in [
            text.to_owned(),
            format!("```json\n{text}\n```"),
            format!("Here {{as asked}} is the JSON: {text} I hope it helps {{}}"),
            format!("<think>{{\"name\":1}}</think>{text}"),
        ] {
            assert_eq!(read(&wrapped).as_ref(), Ok(&tea), "{wrapped}");
        }
    }

    #[test]
    fn errors_speak_to_the_model() {
        assert_eq!(read("No."), Err("it holds no JSON object".to_owned()));
        assert!(read(r#"{"name":"S"}"#).unwrap_err().contains("missing field `steps`"));
        assert!(read(r#"{"name":"S","steps":[{"degr"#).unwrap_err().contains("EOF"));
        let cut = Completion { text: "{".into(), finish: Finish::Length, prompt_tokens: 0, completion_tokens: 0 };
        assert!(read_object::<Tea>(&cut).unwrap_err().contains("cut off"));
        assert!(read(&"{".repeat(100_000)).is_err());
    }
}

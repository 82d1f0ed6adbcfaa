//! Answers in JSON: asked for with a schema, read tolerantly, repaired once.

mod lenient;

use galley_domain::{
    Fault, FaultCode,
    usage::Meter,
    writing::{Unusable, UnusableAnswer},
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    chat::{CallError, ChatClient, ChatRequest, Completion, Finish, Message},
    prompts::REPAIR,
    reasoning::without_reasoning,
    unusable::{refuses_anywhere, words_for_the_model},
};

/// How much of a bad answer is shown to the model again.
const MOST_SHOWN: usize = 4_000;
/// How many opening braces are tried as the start of the object.
const MOST_STARTS: usize = 50;
/// The same for what is only nearly JSON.
const MOST_LENIENT: usize = 8;

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

/// Why an answer is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// What is wrong with it, in words for the model.
    pub words: String,
    /// Set where its form is right and what it says is not.
    pub reason: Option<Unusable>,
}

impl From<String> for Rejected {
    fn from(words: String) -> Self {
        Self { words, reason: None }
    }
}

impl ChatClient {
    /// Asks for a `T`. `request.schema` is filled in where it is empty. When the answer cannot be read or `check` refuses
    /// it (its words go to the model), the model is shown its answer and the error once.
    ///
    /// At most two answers are paid for; they are booked as `operation` and `operation.repair`.
    ///
    /// # Errors
    /// Those of [`ChatClient::complete`], and when the second answer is no better, [`CallError::Unusable`] or a permanent
    /// fault.
    pub async fn complete_json<T: DeserializeOwned + JsonSchema>(
        &self,
        mut request: ChatRequest,
        operation: &str,
        meter: &Meter,
        check: impl Fn(&T) -> Result<(), Rejected> + Send + Sync,
    ) -> Result<T, CallError> {
        if request.schema.is_none() {
            request.schema = Some(("answer", schema_of::<T>()));
        }
        let read = |completion: &Completion| {
            let value = read_object::<T>(completion).map_err(|words| not_read(completion, words))?;
            check(&value).map(|()| value)
        };
        let first = self.complete(&request, operation, meter).await?;
        let error = match read(&first) {
            Ok(value) => return Ok(value),
            Err(rejected) => rejected.words,
        };
        tracing::debug!(operation, "the answer is not usable; asking for a repair");
        let shown = &first.text[..first.text.floor_char_boundary(MOST_SHOWN)];
        let shown = if shown.trim().is_empty() { "(no answer)" } else { shown };
        request.messages.push(Message::Assistant(shown.to_owned()));
        request.messages.push(Message::User(REPAIR.user(&[("error", &error)])));
        let second = self.complete(&request, &format!("{operation}.repair"), meter).await?;
        read(&second).map_err(|rejected| {
            if let Some(reason) = rejected.reason {
                return UnusableAnswer { model: self.endpoint().model.clone(), reason }.into();
            }
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

/// The object that a text is, where it is nearly JSON.
pub(crate) fn lenient_object(text: &str) -> Option<Value> {
    lenient::object(text, false).ok()
}

/// A model that declines does so in prose.
fn not_read(completion: &Completion, words: String) -> Rejected {
    if refuses_anywhere(&without_reasoning(&completion.text)) {
        let reason = Unusable::Refusal;
        Rejected { words: words_for_the_model(reason, "the ordered language"), reason: Some(reason) }
    } else {
        words.into()
    }
}

/// Reads the first JSON object of the answer that is a `T`, through whatever stands around it. What is only nearly JSON is
/// read too, where it has one meaning.
///
/// # Errors
/// Why there is none, in words for the model.
pub fn read_object<T: DeserializeOwned>(completion: &Completion) -> Result<T, String> {
    let text = without_reasoning(&completion.text);
    // an object that was written as a string
    let text = serde_json::from_str::<String>(&text).unwrap_or(text);
    let cut = completion.finish == Finish::Length;
    let (mut error, mut almost) = (None, None);
    for (start, _) in text.match_indices('{').take(MOST_STARTS) {
        // a stream of values reads the first one and leaves what follows, such as the end of a code fence
        match serde_json::Deserializer::from_str(&text[start..]).into_iter::<T>().next() {
            Some(Ok(value)) => return Ok(value),
            Some(Err(e)) => error.get_or_insert_with(|| e.to_string()),
            None => break,
        };
    }
    for (start, _) in text.match_indices(['{', '｛']).take(MOST_LENIENT) {
        match lenient::object(&text[start..], !cut).map(serde_json::from_value::<T>) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(e)) => almost.get_or_insert_with(|| e.to_string()),
            Err(_) => continue,
        };
    }
    Err(match (cut, almost.or(error)) {
        (true, _) => "it was cut off because it is too long; write less".to_owned(),
        (false, Some(error)) => error,
        (false, None) => "it holds no JSON object".to_owned(),
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
    fn what_is_nearly_json_is_read() {
        let tea = Tea { name: "Sencha".into(), steps: vec![Step { degrees: 70 }] };
        for text in [
            r#"{"name":"Sencha","steps":[{"degrees":70},],}"#,
            r#"{"name":"Sencha","steps":[{"degrees":70,}]}"#,
            "{\"name\":\"Sencha\", // the tea\n \"steps\": /* all */ [{\"degrees\":70}]}",
            "{\n# the tea\n\"name\":\"Sencha\",\"steps\":[{\"degrees\":70}]}",
            "{'name':'Sencha','steps':[{'degrees':70}]}",
            "{“name”: “Sencha”, “steps”: [{“degrees”: 70}]}",
            "{„name“: „Sencha“, „steps“: [{„degrees“: 70}]}",
            "{«name»: «Sencha», «steps»: [{«degrees»: 70}]}",
            "{name: \"Sencha\", steps: [{degrees: 70}]}",
            "{\"name\" \n : `Sencha`, \"steps\": [{\"degrees\": +70}]}",
            "{\"name\":\"Sencha\"\n\"steps\":[{\"degrees\":70}]}",
            "{\"name\":\"Sencha\",\"steps\":[{\"degrees\":70}]",
            "{\"name\":\"Sencha\",\"steps\":[{\"degrees\":70}",
            "```json\n{\"name\":\"Sencha\",\"steps\":[{\"degrees\":70}]\n```\nThat is all!",
            "{\"name\":\"Sencha\",\"steps\":[{\"degrees\":70]}",
            "｛\"name\"：\"Sencha\"，\"steps\"：［{\"degrees\"：70}］｝",
            r#""{\"name\":\"Sencha\",\"steps\":[{\"degrees\":70}]}""#,
            "Here {as asked} it is:\n```\n{'name': 'Sencha', 'steps': [{'degrees': 70}]}\n```",
            "<think>{name}</think>{name: 'Sencha', steps: [{degrees: 70}]}",
        ] {
            assert_eq!(read(text).as_ref(), Ok(&tea), "{text}");
        }
    }

    #[test]
    fn strings_keep_what_stands_in_them() {
        let named = |name: &str| format!("{{\"name\":{name},\"steps\":[],}}");
        for (written, name) in [
            ("\"Green\ntea\"", "Green\ntea"),
            ("\"Green\ttea\"", "Green\ttea"),
            ("\"The \"best\" tea\"", "The \"best\" tea"),
            ("'It isn't cheap'", "It isn't cheap"),
            ("“It’s “green” tea”", "It’s “green” tea"),
            (r#""a \'b\' \_c\_ \u00e9\ud83c\udf75 \n d""#, "a 'b' _c_ é🍵 \n d"),
            ("\"see http://x.test // no comment # none\"", "see http://x.test // no comment # none"),
            ("\"a, b: {c} [d]\"", "a, b: {c} [d]"),
        ] {
            assert_eq!(read(&named(written)).map(|tea| tea.name), Ok(name.to_owned()), "{written}");
        }
    }

    #[test]
    fn what_breaks_off_is_not_guessed() {
        for text in [
            r#"{"name":"Sen"#,
            r#"{"name":"Sencha","steps":[{"degrees":7"#,
            r#"{"name":"Sencha","steps":"#,
            r#"{"name":"Sencha","#,
            r#"{"name":"Sencha","steps":[{"degrees""#,
            r#"{"name":"He said "yes", and left","steps":[]}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let text = r#"{"name":"Sencha","steps":[{"degrees":70}"#.to_owned();
        let cut = Completion { text, finish: Finish::Length, prompt_tokens: 0, completion_tokens: 0 };
        assert!(read_object::<Tea>(&cut).unwrap_err().contains("cut off"), "a list that hit the limit may go on");
        for hostile in ["[", "{a:", "{\"a\":[", "{'", "{\"\"", "{,", "{/*", "{//\n"] {
            assert!(read(&hostile.repeat(20_000)).is_err(), "{hostile}");
            assert!(read(&format!("{{{}", hostile.repeat(20_000))).is_err(), "{hostile}");
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

//! A toy resource, as small as a real one is meant to be: what it declares, and what comes of that over HTTP.

use std::{collections::BTreeMap, sync::Arc, sync::Mutex};

use poem::{Endpoint, EndpointExt, IntoEndpoint, Request, Response, http::Method};
use poem_openapi::{Object, OpenApi, OpenApiService, param::Path};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    body::Body,
    envelope::List,
    fields::{Patch, fields},
    middleware::Middleware,
    page::{ByNumber, Page},
    problem::{Code, Problem},
    query::Query,
    reply::{Created, NoContent, Outcome, Reply},
    routes::Routes,
    scalar::{Id, Nullable, Word, words},
    state::HttpLimits,
    values::{FreeObject, Text},
};
use crate::http::system::metrics::Metrics;

words! {
    /// What a tone is for.
    pub enum Use { Articles = "articles", Products = "products" }
}

fields! {
    /// Which tones to list.
    pub struct ToneQuery {
        /// Only tones for this.
        purpose as "use": Option<Word<Use>>,
        page: Page<ByNumber>,
    }
}

fields! {
    /// A tone to write in.
    pub struct CreateTone: takes_forms {
        /// 1 to 10 characters.
        name: Text<1, 10>,
        purpose as "use": Word<Use> = Word(Use::Articles),
        note: Option<Text<0, 20>>,
        settings: Option<FreeObject>,
    }
}

fields! {
    /// Changes to a tone; what is left out stays.
    pub struct UpdateTone: needs_a_field {
        name: Patch<Text<1, 10>>,
        note: Patch<Nullable<Text<0, 20>>>,
    }
}

/// A tone.
#[derive(Debug, Clone, Object)]
struct Tone {
    id: Uuid,
    name: String,
    #[oai(rename = "use")]
    purpose: Word<Use>,
    note: Nullable<String>,
}

/// Stands for the use cases.
#[derive(Default)]
struct Tones(Mutex<BTreeMap<Uuid, Tone>>);

impl Tones {
    fn rows(&self) -> std::sync::MutexGuard<'_, BTreeMap<Uuid, Tone>> {
        self.0.lock().expect("not poisoned")
    }
}

fn missing() -> Problem {
    Problem::new(poem::http::StatusCode::NOT_FOUND, Code::NotFound, "there is no such tone")
}

#[OpenApi(prefix_path = "/tones")]
impl Tones {
    /// List tones
    #[oai(path = "/", method = "get")]
    async fn list(&self, Query(query): Query<ToneQuery>) -> Outcome<List<Tone>> {
        let wanted = |tone: &Tone| query.purpose.is_none_or(|purpose| purpose == tone.purpose);
        let found: Vec<Tone> = self.rows().values().filter(|tone| wanted(tone)).cloned().collect();
        let (total, skip) = (found.len() as u64, query.page.offset as usize);
        let rows: Vec<Tone> = found.into_iter().skip(skip).take(query.page.limit as usize).collect();
        Ok(Reply::new(List::page(rows, total, &query.page)?))
    }

    /// Create a tone
    #[oai(path = "/", method = "post")]
    async fn create(&self, tone: Body<CreateTone>) -> Outcome<Tone, Created> {
        let tone = tone.value;
        assert!(tone.settings.is_none_or(|settings| !settings.0.is_empty()));
        let id = Uuid::from_u128(self.rows().len() as u128 + 1);
        let note = tone.note.map(|note| note.0).into();
        let tone = Tone { id, name: tone.name.0, purpose: tone.purpose, note };
        self.rows().insert(id, tone.clone());
        Ok(Reply::new(tone).at(&format!("/tones/{id}")))
    }

    /// Get a tone
    #[oai(path = "/:id", method = "get")]
    async fn get(&self, id: Path<Id>) -> Outcome<Tone> {
        Ok(Reply::new(self.rows().get(&id.0.0).cloned().ok_or_else(missing)?))
    }

    /// Change a tone
    #[oai(path = "/:id", method = "patch")]
    async fn update(&self, id: Path<Id>, change: Body<UpdateTone>) -> Outcome<Tone> {
        let mut rows = self.rows();
        let tone = rows.get_mut(&id.0.0).ok_or_else(missing)?;
        if let Some(name) = change.value.name.0 {
            tone.name = name.0;
        }
        if let Some(note) = change.value.note.0 {
            tone.note = note.0.map(|note| note.0).into();
        }
        Ok(Reply::new(tone.clone()))
    }

    /// Delete a tone
    #[oai(path = "/:id", method = "delete")]
    async fn delete(&self, id: Path<Id>) -> Result<NoContent, Problem> {
        self.rows().remove(&id.0.0).map(|_| NoContent).ok_or_else(missing)
    }
}

fn front() -> impl Endpoint<Output = Response> {
    let service = OpenApiService::new(Routes(Tones::default()), "t", "1");
    Middleware::new(service.into_endpoint().map_to_response(), &HttpLimits::default(), Arc::new(Metrics::new()))
}

async fn ask(front: &impl Endpoint<Output = Response>, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder().method(method).uri_str(path).content_type("application/json");
    answer(front, request.body(body.to_string())).await
}

async fn answer(front: &impl Endpoint<Output = Response>, request: Request) -> (u16, Value) {
    let mut response = front.call(request).await.expect("never an error");
    let text = response.take_body().into_string().await.expect("text");
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test]
async fn a_simple_resource_works_with_what_it_declares() {
    let front = front();
    let none = || Value::Null;
    let (status, green) = ask(&front, Method::POST, "/tones", json!({ "name": "Green", "note": "calm" })).await;
    assert_eq!((status, &green["use"], &green["note"]), (201, &json!("articles"), &json!("calm")), "{green}");
    let form =
        Request::builder().method(Method::POST).uri_str("/tones").content_type("application/x-www-form-urlencoded");
    let (status, red) = answer(&front, form.body("name=Red&use=products")).await;
    assert_eq!((status, &red["use"]), (201, &json!("products")), "{red}");
    let (_, wrong) = ask(&front, Method::POST, "/tones", json!({ "nam": "x", "use": "war" })).await;
    let fields: Vec<&str> =
        wrong["errors"].as_array().expect("errors").iter().filter_map(|e| e["field"].as_str()).collect();
    assert_eq!(fields, ["name", "use", "nam"]);

    let (_, list) = ask(&front, Method::GET, "/tones?use=products&page_size=1", none()).await;
    assert_eq!((&list["data"][0]["name"], &list["pagination"]["total"]), (&json!("Red"), &json!(1)), "{list}");
    let path = format!("/tones/{}", green["id"].as_str().expect("an id"));
    let (_, changed) = ask(&front, Method::PATCH, &path, json!({ "note": null })).await;
    assert_eq!((&changed["name"], &changed["note"]), (&json!("Green"), &none()));
    assert_eq!(ask(&front, Method::GET, &path, none()).await.0, 200);
    assert_eq!(ask(&front, Method::DELETE, &path, none()).await.0, 204);
    assert_eq!(ask(&front, Method::DELETE, &path, none()).await.0, 404);
}

#[test]
fn a_simple_resource_is_described_by_what_it_declares() {
    let text = OpenApiService::new(Routes(Tones::default()), "t", "1").spec();
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let create = &document["paths"]["/tones"]["post"];
    let types: Vec<&String> = create["requestBody"]["content"].as_object().expect("types").keys().collect();
    assert_eq!(types, ["application/json", "application/x-www-form-urlencoded"]);
    let statuses: Vec<&String> = create["responses"].as_object().expect("responses").keys().collect();
    assert_eq!(statuses, ["201", "400", "409", "413", "415", "500", "503"]);
    let names: Vec<&Value> = document["paths"]["/tones"]["get"]["parameters"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| &p["name"])
        .collect();
    assert_eq!(names, ["use", "page", "offset", "limit", "page_size"]);
    assert_eq!(document["components"]["schemas"]["UpdateTone"]["properties"]["note"]["nullable"], true);
    assert!(document["components"]["schemas"]["ToneList"].is_object());
}

//! Running an ended task again. What may be sent with it is for the task's pipeline to say.

use galley_services::RetryRequest;
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, OpenApi,
    param::Path,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
};
use serde_json::Value;

use super::TaskReceipt;
use crate::http::{
    Area, RETRY_FORMS,
    kit::{
        auth::{Ai, ArticlesWrite, Auth},
        body::{self, JSON, read_json},
        fields::{self, Fields},
        header::IdempotencyKey,
        problem::Problem,
        reply::{Accepted, Outcome},
        scalar::Id,
    },
};

pub struct Retries;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Tasks")]
impl Retries {
    /// Run an ended task again
    ///
    /// Starts the next run from a step of your choice, at the price of a new order; a task that has not ended is a
    /// CONFLICT. With an edited outline the article is written along it, from what was read before. An article that
    /// exists gets a new version, and its old ones stay.
    #[oai(path = "/tasks/:task_id/retry", method = "post", operation_id = "retry_task")]
    async fn retry(
        &self,
        auth: Auth<ArticlesWrite, Ai>,
        task_id: Path<Id>,
        /// The same key with the same request gives the first answer again instead of another run.
        key: IdempotencyKey,
        retry: RetryBody,
    ) -> Outcome<TaskReceipt, Accepted> {
        let (id, key) = (task_id.0.0, key.with(&retry.canonical)?);
        let kind = auth.services().task(auth.org(), id).await?.row.kind.clone();
        let request = retry.read(&kind)?;
        let answer = auth.services().retry(&auth.principal, id, request, auth.trace_id(), key.as_ref()).await?;
        Ok(TaskReceipt::reply(&kind, answer))
    }
}

/// What clients send to run tasks of one kind again. Each pipeline whose tasks may be run again declares one, in a line of
/// [`RETRY_FORMS`].
#[derive(Debug, Clone, Copy)]
pub struct RetryForm {
    pub kind: &'static str,
    name: &'static str,
    may_be_empty: bool,
    register: fn(&mut Registry),
    read: fn(Value) -> Result<RetryRequest, Problem>,
}

impl RetryForm {
    pub const fn of<T: Fields + Into<RetryRequest>>(kind: &'static str) -> Self {
        Self {
            kind,
            name: T::NAME,
            may_be_empty: T::RULES.may_be_empty,
            register: fields::register::<T>,
            read: |value| Ok(read_json::<T>(value)?.value.into()),
        }
    }

    fn schema(&self) -> MetaSchemaRef {
        MetaSchemaRef::Reference(self.name.to_owned())
    }
}

/// A body that is read once it is known of which kind the task is.
pub struct RetryBody {
    value: Value,
    /// The same bytes for all spellings of the same body.
    canonical: Vec<u8>,
}

impl RetryBody {
    /// A task that cannot be run again gets that for an answer, whatever was sent along.
    fn read(self, kind: &str) -> Result<RetryRequest, Problem> {
        match RETRY_FORMS.iter().find(|form| form.kind == kind) {
            Some(form) => (form.read)(self.value),
            None => Ok(RetryRequest::default()),
        }
    }
}

impl<'a> ApiExtractor<'a> for RetryBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        RETRY_FORMS.iter().for_each(|form| (form.register)(registry));
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema = match RETRY_FORMS {
            [form] => form.schema(),
            forms => {
                let any_of = forms.iter().map(RetryForm::schema).collect();
                MetaSchemaRef::Inline(Box::new(MetaSchema { any_of, ..MetaSchema::ANY }))
            }
        };
        let required = RETRY_FORMS.iter().all(|form| !form.may_be_empty);
        Some(MetaRequest { description: None, content: vec![MetaMediaType { content_type: JSON, schema }], required })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let value = body::read_any(request, body).await?;
        Ok(Self { canonical: body::canonical_bytes(value.clone()), value })
    }
}

#[cfg(test)]
mod tests {
    use galley_services::pipelines;

    use super::*;

    #[test]
    fn every_kind_that_can_be_run_again_has_one_form() {
        let mut forms: Vec<&str> = RETRY_FORMS.iter().map(|form| form.kind).collect();
        forms.sort_unstable();
        assert_eq!(forms, pipelines::restartable().collect::<Vec<_>>());
    }

    #[test]
    fn the_form_is_that_of_the_kind() {
        let body = || RetryBody { value: serde_json::json!({ "chapter": 3 }), canonical: Vec::new() };
        let refused = body().read("article").expect_err("no field of an article's form");
        assert_eq!(refused.errors[0].field, "chapter");
        assert!(body().read("digest").is_ok(), "whether it can be run again is for the use case to say");
    }
}

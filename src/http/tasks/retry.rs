//! Running an ended task again.

use galley_domain::{
    order::FieldError,
    writing::{Outline, SectionPlan, WordRange},
};
use galley_services::RetryRequest;
use poem_openapi::{Object, OpenApi, param::Path};

use crate::http::{
    Area,
    kit::{
        auth::{Ai, ArticlesWrite, Auth},
        body::{Body, Fields, FromBody},
        failure::Reordering,
        header::{Head, Once},
        reply::{Accepted, Outcome},
        scalar::{ArticleStep, Id, Word},
        shape::{Filled, Said},
    },
    tasks::TaskReceipt,
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
        #[oai(name = "Idempotency-Key")]
        once: Head<Once>,
        retry: Body<Retry>,
    ) -> Outcome<TaskReceipt, Reordering, Accepted> {
        let key = once.0.key(&retry.canonical)?;
        let (id, request) = (task_id.0.0, retry.value.0);
        let answer = auth.services().retry(&auth.caller, id, request, auth.trace_id(), key.as_ref()).await?;
        Ok(TaskReceipt::reply(answer))
    }
}

/// How to run a task again. All of it may be left out, the body too.
#[derive(Object)]
pub struct RetryTask {
    /// The first step to run again. When not given: drafting if there is an outline here, else the step that failed,
    /// else research.
    from: Option<Word<ArticleStep>>,
    /// An outline to write along; drafting starts from it.
    outline: Option<EditedOutline>,
}

/// An outline as a person wants it.
#[derive(Object)]
pub struct EditedOutline {
    /// 1 to 300 characters.
    title: Said<Filled<1, 300>>,
    /// 1 to 40.
    #[oai(validator(min_items = 1, max_items = 40))]
    sections: Vec<EditedSection>,
}

/// A section of an edited outline.
#[derive(Object)]
pub struct EditedSection {
    /// 1 to 200 characters; left out for the opening below the title.
    heading: Option<Said<Filled<1, 200>>>,
    /// What to say: at most 20 points of up to 500 characters.
    #[oai(validator(max_items = 20))]
    points: Option<Vec<Said<Filled<1, 500>>>>,
    /// When left out, the section gets an equal share of the words that are left.
    words: Option<EditedBudget>,
}

/// From how many to how many words.
#[derive(Object)]
pub struct EditedBudget {
    #[oai(validator(minimum(value = "1"), maximum(value = "10000")))]
    min: i64,
    #[oai(validator(minimum(value = "1"), maximum(value = "10000")))]
    max: i64,
}

/// A retry as it was read; the use case checks its texts.
#[derive(Debug)]
pub struct Retry(RetryRequest);

const MOST_WORDS: i64 = 10_000;

impl FromBody for Retry {
    type Shape = RetryTask;
    const OPTIONAL: bool = true;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Vec<FieldError>> {
        let from = fields.word::<ArticleStep>("from").map(|step| step.0.to_owned());
        let outline = fields.object("outline", |outline| Outline {
            title: outline.required_text("title"),
            sections: outline.objects("sections", section).unwrap_or_default(),
        });
        let edited = outline.as_ref().map(|outline| serde_json::json!(outline));
        Ok(Self(RetryRequest { from, edited }))
    }
}

fn section(fields: &mut Fields<'_>) -> SectionPlan {
    // No budget is written as 0: composing fills it in.
    let words = fields.object("words", budget).unwrap_or(WordRange { min: 0, max: 0 });
    SectionPlan {
        heading: fields.text("heading"),
        points: fields.texts("points").unwrap_or_default(),
        words,
        passages: Vec::new(),
    }
}

fn budget(fields: &mut Fields<'_>) -> WordRange {
    let mut end = |name| {
        let given = fields.required_integer(name, 1, MOST_WORDS);
        u32::try_from(given).unwrap_or(1)
    };
    let (min, max) = (end("min"), end("max"));
    if min > max {
        fields.refuse("min", format!("is {min}, more than max, which is {max}"));
    }
    WordRange { min, max }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::kit::body::testing::{read, reader_and_description_agree};

    #[test]
    fn an_edited_outline_is_read() {
        let retry: Retry = read(json!({
            "from": "drafting",
            "outline": { "title": "Tea", "sections": [
                { "points": ["why"] },
                { "heading": "Green", "words": { "min": 100, "max": 200 } },
            ] },
        }))
        .expect("right");
        assert_eq!(retry.0.from.as_deref(), Some("drafting"));
        let outline: Outline = serde_json::from_value(retry.0.edited.expect("an outline")).expect("readable");
        let sections = outline.sections;
        assert_eq!((sections[0].heading.as_deref(), sections[0].words.max), (None, 0));
        assert_eq!(sections[1].words, WordRange { min: 100, max: 200 });
    }

    #[test]
    fn wrong_parts_are_named_by_their_path() {
        let errors = read::<Retry>(json!({
            "from": "sweep",
            "outline": { "sections": [
                { "heading": 1, "points": [2] },
                { "words": { "min": 300, "max": 200 } },
                { "words": { "min": 0 } },
            ] },
        }))
        .expect_err("wrong");
        assert_eq!(
            errors,
            [
                "from must be one of research, outline, drafting, seo, image, sync",
                "outline.title is required",
                "outline.sections[0].heading must be a text, but is a number",
                "outline.sections[0].points[0] must be a text, but is a number",
                "outline.sections[1].words.min is 300, more than max, which is 200",
                "outline.sections[2].words.min must be from 1 to 10000",
                "outline.sections[2].words.max is required",
            ]
        );
    }

    #[test]
    fn nothing_is_required_and_everything_is_described() {
        let retry: Retry = read(json!({})).expect("right");
        assert!(retry.0.from.is_none() && retry.0.edited.is_none());
        reader_and_description_agree::<Retry>();
    }
}

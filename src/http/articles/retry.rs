//! What clients send to have an article written again.

use galley_domain::{
    article::TASK,
    order::Violations,
    writing::{Outline, SectionPlan, WordRange},
};
use galley_services::RetryRequest;

use crate::http::{
    kit::{
        fields::fields,
        scalar::{ArticleStep, Word},
        values::{Integer, List, Text},
    },
    tasks::retry::RetryForm,
};

pub const RETRY: RetryForm = RetryForm::of::<RetryTask>(TASK);

fields! {
    /// How to run a task again. All of it may be left out, the body too.
    pub struct RetryTask: may_be_empty {
        /// The first step to run again. When not given: drafting if there is an outline here, else the step that failed,
        /// else research.
        from: Option<Word<ArticleStep>>,
        /// An outline to write along; drafting starts from it.
        outline: Option<EditedOutline>,
    }
}

fields! {
    /// An outline as a person wants it.
    pub struct EditedOutline {
        /// 1 to 300 characters.
        title: Text<1, 300>,
        /// 1 to 40.
        sections: List<EditedSection, 40, 1>,
    }
}

fields! {
    /// A section of an edited outline.
    pub struct EditedSection {
        /// 1 to 200 characters; left out for the opening below the title.
        heading: Option<Text<1, 200>>,
        /// What to say: at most 20 points of up to 500 characters.
        points: Option<List<Text<1, 500>, 20>>,
        /// When left out, the section gets an equal share of the words that are left.
        words: Option<EditedBudget>,
    }
}

fields! {
    /// From how many to how many words.
    pub struct EditedBudget {
        min: Integer<1, 10_000>,
        max: Integer<1, 10_000>,
    }
    check |words: &EditedBudget, wrong: &mut Violations| {
        let (min, max) = (words.min.0, words.max.0);
        wrong.check(min > max, "min", format!("is {min}, more than max, which is {max}"));
    };
}

impl From<RetryTask> for RetryRequest {
    fn from(body: RetryTask) -> Self {
        let edited = body.outline.map(|outline| serde_json::json!(Outline::from(outline)));
        Self { from: body.from.map(|step| step.0.0.to_owned()), edited }
    }
}

impl From<EditedOutline> for Outline {
    fn from(outline: EditedOutline) -> Self {
        Self { title: outline.title.0, sections: outline.sections.0.into_iter().map(Into::into).collect() }
    }
}

impl From<EditedSection> for SectionPlan {
    fn from(section: EditedSection) -> Self {
        // No budget is written as 0: composing fills it in.
        let words = section.words.map_or(WordRange { min: 0, max: 0 }, |words| WordRange {
            min: u32::try_from(words.min.0).unwrap_or(1),
            max: u32::try_from(words.max.0).unwrap_or(1),
        });
        let points = section.points.into_iter().flat_map(|points| points.0).map(|point| point.0).collect();
        Self { heading: section.heading.map(|heading| heading.0), points, words, passages: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::kit::body::testing::read;

    #[test]
    fn an_edited_outline_is_read() {
        let retry: RetryTask = read(json!({
            "from": "drafting",
            "outline": { "title": "Tea", "sections": [
                { "points": ["why"] },
                { "heading": "Green", "words": { "min": 100, "max": 200 } },
            ] },
        }))
        .expect("right");
        let retry = RetryRequest::from(retry);
        assert_eq!(retry.from.as_deref(), Some("drafting"));
        let outline: Outline = serde_json::from_value(retry.edited.expect("an outline")).expect("readable");
        let sections = outline.sections;
        assert_eq!((sections[0].heading.as_deref(), sections[0].words.max), (None, 0));
        assert_eq!(sections[1].words, WordRange { min: 100, max: 200 });
    }

    #[test]
    fn wrong_parts_are_named_by_their_path() {
        let errors = read::<RetryTask>(json!({
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
                "outline.sections[2].words.min must be between 1 and 10000",
                "outline.sections[2].words.max is required",
            ]
        );
    }

    #[test]
    fn nothing_is_required_and_nothing_unknown_is_taken() {
        let retry: RetryTask = read(json!({})).expect("right");
        assert!(retry.from.is_none() && retry.outline.is_none());
        let unknown = read::<RetryTask>(json!({ "form": "draft" })).expect_err("a typing error");
        assert_eq!(unknown, ["form is not a field here; there are from, outline"]);
    }
}

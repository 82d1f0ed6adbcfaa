//! What a replay brought, beside what stands.

use galley_ai::Replayed;
use galley_domain::writing::Verdict;
use galley_services::{StandingText, WrittenArticle};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{diff::diff, writers::Question};
use crate::cli::output::table;

#[derive(Debug)]
pub struct Report {
    pub task: Uuid,
    /// How many answers were kept.
    pub kept: usize,
    pub standing: Option<StandingText>,
    pub article: WrittenArticle,
    pub questions: Vec<Question>,
    pub warnings: Vec<String>,
}

/// What can be compared in numbers.
struct Figures {
    words: u32,
    score: Json,
    verdicts: Vec<Verdict>,
}

impl Figures {
    fn count(&self, verdict: Verdict) -> usize {
        self.verdicts.iter().filter(|one| **one == verdict).count()
    }

    fn marked(&self) -> u32 {
        Verdict::marked_percent(self.verdicts.iter().copied())
    }

    fn json(&self) -> Json {
        let mut figures = json!({ "words": self.words, "score": self.score, "marked_percent": self.marked() });
        for verdict in Verdict::ALL {
            figures[verdict.as_str()] = json!(self.count(verdict));
        }
        figures
    }
}

impl Report {
    fn before(&self) -> Option<Figures> {
        let standing = self.standing.as_ref()?;
        let (words, score) = (standing.words, standing.seo_report["score"].clone());
        Some(Figures { words, score, verdicts: standing.verdicts.clone() })
    }

    fn after(&self) -> Figures {
        let verdicts = self.article.claims.iter().map(|claim| claim.verdict).collect();
        Figures { words: self.article.word_count, score: self.article.seo_report["score"].clone(), verdicts }
    }

    fn is_same(&self) -> bool {
        self.standing.as_ref().is_some_and(|standing| standing.markdown == self.article.markdown)
    }

    fn questions(&self, answered: Replayed) -> Vec<&Question> {
        self.questions.iter().filter(|question| question.answered == answered).collect()
    }

    pub fn json(&self) -> Json {
        let before = self.before().zip(self.standing.as_ref()).map(|(figures, standing)| {
            let mut before = figures.json();
            before["version"] = json!(standing.version);
            before["title"] = json!(standing.title);
            before["seo_title"] = json!(standing.seo_title);
            before["seo_description"] = json!(standing.seo_description);
            before
        });
        let places = |answered| -> Vec<Json> {
            let place = |question: &&Question| json!({ "step": question.step, "position": question.position, "operation": question.operation });
            self.questions(answered).iter().map(place).collect()
        };
        json!({
            "task_id": self.task,
            "same": self.is_same(),
            "before": before,
            "after": self.after().json(),
            "answers": {
                "kept": self.kept,
                "same": self.questions(Replayed::Same).len(),
                "by_place": places(Replayed::ByPlace),
                "missing": places(Replayed::Missing),
            },
            "warnings": self.warnings,
            "article": {
                "title": self.article.title,
                "markdown": self.article.markdown,
                "seo_title": self.article.seo_title,
                "seo_description": self.article.seo_description,
                "keywords": self.article.keywords,
            },
        })
    }

    /// Empty where nothing differs.
    pub fn diff(&self) -> String {
        let before = self.standing.as_ref().map_or("", |standing| standing.markdown.as_str());
        diff(before, &self.article.markdown)
    }

    /// For a person.
    pub fn summary(&self) -> String {
        let (before, after) = (self.before(), self.after());
        let cell =
            |value: fn(&Figures) -> String| [before.as_ref().map_or_else(|| "-".to_owned(), value), value(&after)];
        let row = |name: &str, [before, after]: [String; 2]| [name.to_owned(), before, after];
        let rows = [
            row("supported", cell(|figures| figures.count(Verdict::Supported).to_string())),
            row("partly", cell(|figures| figures.count(Verdict::Partly).to_string())),
            row("unsupported", cell(|figures| figures.count(Verdict::Unsupported).to_string())),
            row("no claim", cell(|figures| figures.count(Verdict::NoClaim).to_string())),
            row("marked", cell(|figures| format!("{} %", figures.marked()))),
            row("words", cell(|figures| figures.words.to_string())),
            row("SEO score", cell(|figures| figures.score.to_string())),
        ];
        let mut text = table(["", "BEFORE", "NOW"], &rows);
        let verdict = match (&self.standing, self.is_same()) {
            (None, _) => "the task has brought no text to compare with".to_owned(),
            (Some(standing), true) => format!("the text is that of version {}, byte for byte", standing.version),
            (Some(standing), false) => format!("the text differs from version {}", standing.version),
        };
        text += &format!("{verdict}\n");
        if !self.questions.is_empty() {
            let same = self.questions(Replayed::Same).len();
            text += &format!("{same} of {} questions were answered as they were then\n", self.questions.len());
        }
        for question in self.questions(Replayed::ByPlace) {
            text += &format!("{} has changed: the answer kept at its place was taken\n", place(question));
        }
        for question in self.questions(Replayed::Missing) {
            text += &format!("{} has no kept answer: the built-in writer or nothing in its place\n", place(question));
        }
        text
    }
}

fn place(question: &Question) -> String {
    format!("{} {}: the question for {}", question.step, question.position, question.operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(standing: Option<&str>) -> Report {
        let standing = standing.map(|markdown| StandingText {
            version: 3,
            title: "A".into(),
            markdown: markdown.into(),
            seo_title: "A".into(),
            seo_description: "B".into(),
            words: 10,
            seo_report: json!({ "score": 80 }),
            verdicts: vec![Verdict::Supported, Verdict::Unsupported],
        });
        let article = WrittenArticle {
            title: "A".into(),
            slug: "a".into(),
            markdown: "# A\n\nB.\n".into(),
            seo_title: "A".into(),
            seo_description: "B".into(),
            keywords: Vec::new(),
            word_count: 12,
            seo_report: json!({ "score": 82 }),
            writer: "m".into(),
            language: None,
            claims: Vec::new(),
            warnings: Vec::new(),
        };
        let question = |operation: &str, answered| Question {
            step: "draft".into(),
            position: 2,
            operation: operation.into(),
            answered,
        };
        let questions = vec![
            question("section", Replayed::Same),
            question("section.again", Replayed::ByPlace),
            question("correct", Replayed::Missing),
        ];
        Report { task: Uuid::nil(), kept: 2, standing, article, questions, warnings: Vec::new() }
    }

    #[test]
    fn figures_stand_beside_each_other_and_every_question_is_accounted_for() {
        let told = report(Some("# A\n\nC.\n")).summary();
        for line in [
            "unsupported  1       0",
            "marked       50 %    0 %",
            "words        10      12",
            "SEO score    80      82",
            "the text differs from version 3",
            "1 of 3 questions were answered as they were then",
            "draft 2: the question for section.again has changed: the answer kept at its place was taken",
            "draft 2: the question for correct has no kept answer: the built-in writer or nothing in its place",
        ] {
            assert!(told.lines().any(|one| one == line), "{line} in {told}");
        }
        let json = report(Some("# A\n\nB.\n")).json();
        assert_eq!(
            (&json["same"], &json["before"]["version"], &json["answers"]["same"]),
            (&json!(true), &json!(3), &json!(1))
        );
        assert_eq!(json["answers"]["missing"][0]["operation"], "correct");
        assert!(report(None).summary().contains("no text to compare with"));
        assert_eq!(report(Some("# A\n\nC.\n")).diff(), "  # A\n  \n- C.\n+ B.\n");
    }
}

//! The writer on top of a chat model.

mod correct;

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::{
    Fault, FaultCode, Hidden,
    usage::Meter,
    writing::{
        Brief, Keyed, Objection, Outline, SectionText, SeoProposal, Snapshot, Unusable, UnusableAnswer, WordRange,
        WriteError, Writer,
    },
};

use crate::{
    answers::{OutlineAnswer, SeoAnswer, outline_schema, planned, proposed, usable_outline, usable_seo},
    budget::section_count,
    chat::{CallError, ChatClient, ChatRequest, Completion, Finish, Message, Replay},
    clean,
    endpoint::{Endpoint, EndpointError, unusable_key},
    fence::{Excerpt, defuse, estimate_tokens, excerpts, fit, one_line},
    json::{Rejected, schema_of},
    prompts::{AGAIN, CONTINUE, OUTLINE, Prompt, SECTION, SEO},
    unusable::{Expected, words_for_the_model},
};

/// How often excerpts are halved when a server says that the prompt is too long.
const MOST_SHRINKS: u32 = 2;
/// How often a section that is too short is continued.
const MOST_CONTINUATIONS: usize = 2;
/// What a chat template and the wrapping of messages may take, in tokens.
const TEMPLATE_TOKENS: usize = 96;
/// Less room than this for sources makes no article.
const LEAST_ROOM: usize = 100;
/// Tokens that a word of prose takes at most, in most languages.
const TOKENS_OF_A_WORD: u32 = 3;
/// How much of an answer that cannot be used is shown to the model again, in bytes.
const MOST_SHOWN: usize = 600;
const MOST_ORDER: usize = 4_000;
const MOST_KEYWORDS: usize = 12;

/// Writes with a model behind an OpenAI-compatible address.
///
/// One `outline` or `seo` costs at most two answers, one `section` at most four. Prompts that turn out too long for
/// the model are shortened and sent again at most twice; the refused ones cost nothing.
#[derive(Debug)]
pub struct OpenAiWriter {
    client: ChatClient,
}

impl OpenAiWriter {
    /// # Errors
    /// When the endpoint's settings cannot work; the message names the setting.
    pub fn new(endpoint: Endpoint) -> Result<Self, EndpointError> {
        Ok(Self { client: ChatClient::new(endpoint)? })
    }

    /// The same writer with kept answers in the place of the model.
    #[must_use]
    pub fn replaying(&self, replay: Arc<Replay>) -> Self {
        Self { client: self.client.replaying(replay) }
    }

    /// The client below, e.g. to test the connection.
    pub fn client(&self) -> &ChatClient {
        &self.client
    }

    /// Fills a prompt with as much source text as fits beside an answer of `answer` tokens, halved `shrinks` times where there is more.
    /// `sources` gets its room in tokens and gives the value of `field`.
    fn messages(
        &self,
        prompt: &Prompt,
        values: &[(&str, &str)],
        field: &str,
        fitting: &Fitting,
        sources: impl Fn(usize) -> String,
    ) -> Result<Vec<Message>, Fault> {
        let system = prompt.system(values);
        let mut all: Vec<(&str, &str)> = values.to_vec();
        all.push((field, ""));
        let base = estimate_tokens(&system) + estimate_tokens(&prompt.user(&all)) + TEMPLATE_TOKENS;
        let context = usize::try_from(self.client.endpoint().context_tokens).unwrap_or(usize::MAX);
        let room = context.saturating_sub(base + fitting.answer);
        if room < LEAST_ROOM {
            return Err(Fault::permanent(
                FaultCode::LlmError,
                format!(
                    "The order leaves no room for sources in the context of {}. Shorten the order, or let the operator \
                     raise context_tokens or lower max_tokens of this model endpoint.",
                    self.client.endpoint().model
                ),
            ));
        }
        let mut text = sources(room);
        if fitting.shrinks > 0 {
            text = sources(estimate_tokens(&text) >> fitting.shrinks);
        }
        all.pop();
        all.push((field, &text));
        let mut messages = vec![Message::User(prompt.user(&all))];
        if !system.is_empty() {
            messages.insert(0, Message::System(system));
        }
        Ok(messages)
    }

    /// The room that answers in JSON get: as much as there is, for reasoning counts too.
    fn fitting(&self, shrinks: u32) -> Fitting {
        Fitting { answer: usize::try_from(self.client.endpoint().answer_tokens()).unwrap_or(usize::MAX), shrinks }
    }

    /// The first answer, or a second one where no article may print the first.
    async fn usable(
        &self,
        request: &ChatRequest,
        first: Completion,
        plan: &Section<'_>,
        meter: &Meter,
    ) -> Result<Completion, WriteError> {
        let Some(reason) = plan.judge(&first) else { return Ok(first) };
        tracing::debug!(?reason, "a section cannot be used; asking once more");
        let (error, words) = (words_for_the_model(reason, &plan.language), plan.words.target().to_string());
        let values = [("error", error.as_str()), ("words", &words), ("language", &plan.language)];
        let shown = &first.text[..first.text.floor_char_boundary(MOST_SHOWN)];
        let mut again = request.clone();
        again.messages.push(Message::Assistant(shown.to_owned()));
        again.messages.push(Message::User(AGAIN.user(&values)));
        let second = self.client.complete(&again, "section.again", meter).await?;
        match plan.judge(&second) {
            None => Ok(second),
            Some(reason) => Err(UnusableAnswer { model: self.client.endpoint().model.clone(), reason }.into()),
        }
    }

    async fn continued(
        &self,
        mut request: ChatRequest,
        first: Completion,
        plan: &Section<'_>,
        meter: &Meter,
    ) -> Result<Vec<String>, WriteError> {
        let mut written = plan.clean(&first.text, first.finish);
        let least = usize::try_from(plan.words.min).unwrap_or(usize::MAX);
        request.max_tokens = self.client.endpoint().answer_tokens();
        let conversation = request.messages.len();
        for _ in 0..MOST_CONTINUATIONS {
            let words = clean::count_words(&written);
            if words >= least {
                break;
            }
            request.messages.truncate(conversation);
            if !written.is_empty() {
                let missing = usize::try_from(plan.words.target()).unwrap_or(usize::MAX).saturating_sub(words).max(20);
                let values = [("words", missing.to_string()), ("language", plan.language.clone())];
                let values: Vec<(&str, &str)> = values.iter().map(|(k, v)| (*k, v.as_str())).collect();
                request.messages.push(Message::Assistant(written.join("\n\n")));
                request.messages.push(Message::User(CONTINUE.user(&values)));
            }
            let more = match self.client.complete(&request, "section.continue", meter).await {
                Ok(more) => more,
                // a short section is better than paying for the first answer again: what there is has to do
                Err(error) if !written.is_empty() => {
                    tracing::warn!(error = %Fault::from(error), "a section could not be continued");
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            if plan.judge(&more).is_some() {
                break;
            }
            let joined = format!("{}\n\n{}", written.join("\n\n"), plan.clean(&more.text, more.finish).join("\n\n"));
            let joined = plan.clean(&joined, Finish::Stop);
            let grown = clean::count_words(&joined) > words;
            written = joined;
            if !grown && !written.is_empty() {
                break;
            }
        }
        Ok(written)
    }
}

/// What an answer to this prompt is held against.
fn expected<'a>(prompt: &Prompt, brief: &'a Brief, sources: &[Snapshot]) -> Expected<'a> {
    let language = language_name(&brief.language);
    let ours = prompt.own_words(&[("language", &language), ("tone", brief.tone.as_str())]);
    let order = format!("{}\n{}", brief.prompt, brief.instructions);
    Expected::new(&brief.language, &ours, &order, sources.iter().map(|source| source.text.as_str()))
}

/// Holds the lines of an answer in JSON against what is expected of them.
fn said_well<'t>(
    expected: &Expected<'_>,
    language: &str,
    lines: impl Iterator<Item = &'t String> + Clone,
) -> Result<(), Rejected> {
    match expected.judge_lines(lines.map(String::as_str)) {
        None => Ok(()),
        Some(reason) => Err(Rejected { words: words_for_the_model(reason, language), reason: Some(reason) }),
    }
}

struct Fitting {
    answer: usize,
    shrinks: u32,
}

/// What is the same for all calls of one section.
struct Section<'a> {
    words: WordRange,
    language: String,
    headings: Vec<&'a str>,
    expected: Expected<'a>,
}

impl Section<'_> {
    fn clean(&self, text: &str, finish: Finish) -> Vec<String> {
        self.expected.without_remarks(clean::paragraphs(text, &self.headings, finish == Finish::Length))
    }

    /// What is wrong with an answer, if anything. One without text is asked for again in any case.
    fn judge(&self, answer: &Completion) -> Option<Unusable> {
        self.expected.judge(&self.clean(&answer.text, answer.finish))
    }
}

impl Keyed for OpenAiWriter {
    fn with_key(&self, key: Hidden) -> Result<Arc<dyn Writer>, Fault> {
        Ok(Arc::new(Self { client: self.client.with_key(key).map_err(unusable_key)? }))
    }
}

#[async_trait]
impl Writer for OpenAiWriter {
    fn name(&self) -> &str {
        &self.client.endpoint().provider
    }

    fn keyed(&self) -> Option<&dyn Keyed> {
        Some(self)
    }

    async fn outline(&self, brief: &Brief, sources: &[Snapshot], meter: &Meter) -> Result<Outline, WriteError> {
        let wanted = section_count(brief.words);
        let order = order_of(brief);
        let (language, keywords) = (language_name(&brief.language), keywords_line(brief));
        let (words, sections) = (brief.words.target().to_string(), wanted.to_string());
        let values = [
            ("prompt", order.as_str()),
            ("language", &language),
            ("tone", brief.tone.as_str()),
            ("words", &words),
            ("keywords", &keywords),
            ("sections", &sections),
        ];
        let all: Vec<Excerpt<'_>> =
            sources.iter().map(|s| Excerpt { number: s.number, title: &s.title, text: &s.text }).collect();
        let schema = outline_schema(wanted);
        let expected = expected(&OUTLINE, brief, sources);
        let check = |answer: &OutlineAnswer| {
            usable_outline(answer)?;
            let headings = answer.sections.iter().flat_map(|s| std::iter::once(&s.heading).chain(&s.points));
            said_well(&expected, &language, std::iter::once(&answer.title).chain(headings))
        };
        let mut shrinks = 0;
        loop {
            let fitting = self.fitting(shrinks);
            let messages = self.messages(&OUTLINE, &values, "excerpts", &fitting, |room| excerpts(&all, room))?;
            let max_tokens = self.client.endpoint().answer_tokens();
            let request = ChatRequest { messages, max_tokens, schema: Some(("outline", schema.clone())) };
            match self.client.complete_json(request, "outline", meter, &check).await {
                Err(CallError::ContextTooLong(_)) if shrinks < MOST_SHRINKS => shrinks += 1,
                Err(error) => return Err(error.into()),
                Ok(answer) => return Ok(planned(answer, brief.words, wanted)),
            }
        }
    }

    async fn section(
        &self,
        brief: &Brief,
        outline: &Outline,
        index: usize,
        sources: &[Snapshot],
        meter: &Meter,
    ) -> Result<SectionText, WriteError> {
        let Some(plan) = outline.sections.get(index) else {
            let message = format!("The outline has no section {index}. Order the article again.");
            return Err(Fault::permanent(FaultCode::WorkflowError, message).into());
        };
        let mut headings: Vec<&str> = outline.sections.iter().filter_map(|s| s.heading.as_deref()).collect();
        headings.push(&outline.title);
        let expected = expected(&SECTION, brief, sources);
        let section = Section { words: plan.words, language: language_name(&brief.language), headings, expected };
        let lines = Lines::of(brief, outline, index);
        let passages: Vec<Excerpt<'_>> = plan
            .passages
            .iter()
            .filter_map(|span| {
                let title = sources.iter().find(|s| s.number == span.source).map_or("", |s| s.title.as_str());
                Some(Excerpt { number: span.source, title, text: span.text_in(sources)? })
            })
            .collect();
        let most = self.client.endpoint().answer_tokens();
        let enough = plan.words.max.saturating_mul(TOKENS_OF_A_WORD).saturating_add(128);
        let mut max_tokens = if self.client.reasons() { most } else { most.min(enough) };
        let mut shrinks = 0;
        loop {
            let fitting = self.fitting(shrinks);
            let values = lines.values(&section.language, brief);
            let messages =
                self.messages(&SECTION, &values, "excerpts", &fitting, |room| match passages.as_slice() {
                    [] => "There are no excerpts for this section: lead the reader on, and state no facts.".to_owned(),
                    some => excerpts(some, room),
                })?;
            let request = ChatRequest { messages, max_tokens, schema: None };
            match self.client.complete(&request, "section", meter).await {
                Err(CallError::ContextTooLong(_)) if shrinks < MOST_SHRINKS => {
                    shrinks += 1;
                    max_tokens = max_tokens.min(most);
                }
                Err(error) => return Err(error.into()),
                Ok(first) => {
                    let first = self.usable(&request, first, &section, meter).await?;
                    let paragraphs = self.continued(request, first, &section, meter).await?;
                    return if paragraphs.is_empty() {
                        Err(self.wrote_nothing().into())
                    } else {
                        Ok(SectionText { paragraphs })
                    };
                }
            }
        }
    }

    fn corrects(&self) -> bool {
        true
    }

    async fn correct(
        &self,
        brief: &Brief,
        objections: &[Objection],
        sources: &[Snapshot],
        meter: &Meter,
    ) -> Result<Vec<Option<String>>, WriteError> {
        self.corrected(brief, objections, sources, meter).await
    }

    async fn seo(&self, brief: &Brief, title: &str, markdown: &str, meter: &Meter) -> Result<SeoProposal, WriteError> {
        let (title, keywords) = (one_line(title, 200), keywords_line(brief));
        let language = language_name(&brief.language);
        let values = [("title", title.as_str()), ("keywords", &keywords), ("language", &language)];
        let article = defuse(markdown);
        let expected = expected(&SEO, brief, &[]);
        let check = |answer: &SeoAnswer| {
            usable_seo(answer)?;
            said_well(&expected, &language, [&answer.title, &answer.description].into_iter().chain(&answer.keywords))
        };
        let mut shrinks = 0;
        loop {
            let fitting = self.fitting(shrinks);
            let messages = self.messages(&SEO, &values, "article", &fitting, |room| fit(&article, room).to_owned())?;
            let max_tokens = self.client.endpoint().answer_tokens();
            let request = ChatRequest { messages, max_tokens, schema: Some(("seo", schema_of::<SeoAnswer>())) };
            match self.client.complete_json(request, "seo", meter, &check).await {
                Err(CallError::ContextTooLong(_)) if shrinks < MOST_SHRINKS => shrinks += 1,
                Err(error) => return Err(error.into()),
                Ok(answer) => return Ok(proposed(answer)),
            }
        }
    }
}

impl OpenAiWriter {
    fn wrote_nothing(&self) -> Fault {
        Fault::permanent(
            FaultCode::LlmError,
            format!(
                "The model {} wrote no usable text for a section. Order again, or let the operator raise max_tokens of \
                 this model endpoint (a reasoning model needs several thousand) or choose another model.",
                self.client.endpoint().model
            ),
        )
    }
}

/// The lines of a section's prompt.
struct Lines {
    order: String,
    title: String,
    section: String,
    points: String,
    others: String,
    keywords: String,
    words: [String; 3],
}

impl Lines {
    fn of(brief: &Brief, outline: &Outline, index: usize) -> Self {
        let plan = &outline.sections[index];
        let section = match &plan.heading {
            Some(heading) => format!("Section to write: {}", one_line(heading, 120)),
            None => "Section to write: the opening paragraphs below the title, which lead into the subject.".to_owned(),
        };
        let points: Vec<String> = plan.points.iter().take(8).map(|p| one_line(p, 200)).collect();
        let others = outline.sections.iter().enumerate().filter(|(at, _)| *at != index);
        let others: Vec<String> =
            others.filter_map(|(_, s)| s.heading.as_deref()).map(|h| one_line(h, 80)).take(15).collect();
        Self {
            order: order_of(brief),
            title: one_line(&outline.title, 200),
            section,
            points: listed("What to say: ", &points, "; "),
            others: listed("Other sections, not to be written now: ", &others, "; "),
            keywords: keywords_line(brief),
            words: [plan.words.target(), plan.words.min, plan.words.max].map(|n| n.to_string()),
        }
    }

    fn values<'a>(&'a self, language: &'a str, brief: &Brief) -> Vec<(&'static str, &'a str)> {
        vec![
            ("language", language),
            ("tone", brief.tone.as_str()),
            ("title", &self.title),
            ("prompt", &self.order),
            ("section", &self.section),
            ("points", &self.points),
            ("others", &self.others),
            ("keywords", &self.keywords),
            ("words", &self.words[0]),
            ("least", &self.words[1]),
            ("most", &self.words[2]),
        ]
    }
}

fn listed(lead: &str, items: &[String], between: &str) -> String {
    if items.is_empty() { String::new() } else { format!("{lead}{}", items.join(between)) }
}

fn order_of(brief: &Brief) -> String {
    let wishes = [brief.prompt.trim(), brief.instructions.trim()].join("\n");
    defuse(wishes.trim()).chars().take(MOST_ORDER).collect()
}

fn keywords_line(brief: &Brief) -> String {
    let words: Vec<String> = brief.keywords.iter().take(MOST_KEYWORDS).map(|k| one_line(k, 60)).collect();
    listed("Use these search phrases where they fit naturally: ", &words, ", ")
}

/// `German (de)`: a model follows a name better than a code.
fn language_name(code: &str) -> String {
    const NAMES: [(&str, &str); 20] = [
        ("ar", "Arabic"),
        ("cs", "Czech"),
        ("da", "Danish"),
        ("de", "German"),
        ("en", "English"),
        ("es", "Spanish"),
        ("fi", "Finnish"),
        ("fr", "French"),
        ("it", "Italian"),
        ("ja", "Japanese"),
        ("ko", "Korean"),
        ("nl", "Dutch"),
        ("no", "Norwegian"),
        ("pl", "Polish"),
        ("pt", "Portuguese"),
        ("ru", "Russian"),
        ("sv", "Swedish"),
        ("tr", "Turkish"),
        ("uk", "Ukrainian"),
        ("zh", "Chinese"),
    ];
    let code = one_line(code, 12);
    match NAMES.iter().find(|(known, _)| code.eq_ignore_ascii_case(known)) {
        Some((_, name)) => format!("{name} ({code})"),
        None => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_names() {
        assert_eq!(language_name("de"), "German (de)");
        assert_eq!(language_name("rm"), "rm");
    }
}

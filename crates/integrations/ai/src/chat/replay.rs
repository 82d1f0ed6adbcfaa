//! Kept answers in the place of a model.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use galley_domain::{
    Fault, FaultCode,
    usage::{AnswerEnd, KeptAnswer},
    writing::{Unusable, UnusableAnswer},
};
use sha2::{Digest, Sha256};

use super::{CallError, ChatRequest, Completion, Finish, Message};
use crate::endpoint::Endpoint;

/// Their answers go by the numbers of the question, which are of no use to another question.
const NUMBERED: [&str; 2] = ["correct", "judge"];

/// A kept answer with its place in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Counts the attempts of the step, newest first, from 0.
    pub attempt: usize,
    /// What the call was for, as in its usage.
    pub operation: String,
    pub answer: KeptAnswer,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

/// How a question was answered in a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// The same question was kept with this answer.
    Same,
    /// The question has changed: the answer of the newest attempt to the question for the same operation at the same place.
    ByPlace,
    /// Nothing was kept for it.
    Missing,
}

/// The kept answers of one step.
#[derive(Debug)]
pub struct Replay {
    /// By attempt, in the order in which they were given.
    recorded: Vec<Recorded>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: Vec<bool>,
    /// Questions so far, by operation.
    asked: HashMap<String, usize>,
    told: Vec<(String, Replayed)>,
}

impl Replay {
    /// `recorded` stands in the order in which the answers were given.
    pub fn new(mut recorded: Vec<Recorded>) -> Self {
        recorded.sort_by_key(|one| one.attempt);
        let state = State { used: vec![false; recorded.len()], ..State::default() };
        Self { recorded, state: Mutex::new(state) }
    }

    /// How each question was answered, with its operation, in the order of asking.
    pub fn told(&self) -> Vec<(String, Replayed)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).told.clone()
    }

    pub(super) fn answer(&self, model: &str, question: [u8; 32], operation: &str) -> Result<Completion, CallError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = state.asked.entry(operation.to_owned()).or_default();
        let place = *asked;
        *asked += 1;
        let same = |at: &usize| self.recorded[*at].answer.question == question;
        let of_operation = |at: &usize| self.recorded[*at].attempt == 0 && self.recorded[*at].operation == operation;
        let all = 0..self.recorded.len();
        // a question that was asked twice has two answers; the second one comes second
        let found = all.clone().find(|at| same(at) && !state.used[*at]).or_else(|| all.clone().rev().find(same));
        let (found, how) = match found {
            Some(at) => (Some(at), Replayed::Same),
            None if is_numbered(operation) => (None, Replayed::Missing),
            None => match all.filter(of_operation).nth(place) {
                Some(at) => (Some(at), Replayed::ByPlace),
                None => (None, Replayed::Missing),
            },
        };
        state.told.push((operation.to_owned(), how));
        let Some(at) = found else {
            return Err(UnusableAnswer { model: model.to_owned(), reason: Unusable::NotKept }.into());
        };
        state.used[at] = true;
        completion(&self.recorded[at])
    }
}

fn is_numbered(operation: &str) -> bool {
    NUMBERED.contains(&operation.split('.').next().unwrap_or(operation))
}

fn completion(recorded: &Recorded) -> Result<Completion, CallError> {
    let finish = match recorded.answer.end {
        AnswerEnd::Stop => Finish::Stop,
        AnswerEnd::Length => Finish::Length,
        AnswerEnd::TooLong => {
            let message = "The model refused this question as too long when the task ran.";
            return Err(CallError::ContextTooLong(Fault::permanent(FaultCode::LlmError, message)));
        }
    };
    Ok(Completion {
        text: recorded.answer.text.clone(),
        finish,
        prompt_tokens: recorded.prompt_tokens,
        completion_tokens: recorded.completion_tokens,
    })
}

/// What tells questions apart. The room for the answer is not part of it: it follows what was learned about the server, so
/// that the same order may ask for more at another time.
pub(super) fn question(endpoint: &Endpoint, request: &ChatRequest) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    add(&endpoint.model);
    add(&endpoint.temperature.map_or_else(String::new, |degree| degree.to_string()));
    for message in &request.messages {
        add(match message {
            Message::System(_) => "system",
            Message::User(_) => "user",
            Message::Assistant(_) => "assistant",
        });
        add(message.text());
    }
    if let Some((name, schema)) = &request.schema {
        add(name);
        add(&schema.to_string());
    }
    hash.finalize().into()
}

pub(super) fn kept(endpoint: &Endpoint, request: &ChatRequest, text: &str, finish: Finish) -> KeptAnswer {
    let end = match finish {
        Finish::Stop => AnswerEnd::Stop,
        Finish::Length => AnswerEnd::Length,
    };
    // NUL is the one character that Postgres does not store
    KeptAnswer { question: question(endpoint, request), text: text.replace('\0', ""), end }
}

/// Without it a replay would ask the shorter question second, where the first one was refused.
pub(super) fn too_long(endpoint: &Endpoint, request: &ChatRequest) -> KeptAnswer {
    KeptAnswer { question: question(endpoint, request), text: String::new(), end: AnswerEnd::TooLong }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(attempt: usize, operation: &str, question: u8, text: &str) -> Recorded {
        let answer = KeptAnswer { question: [question; 32], text: text.into(), end: AnswerEnd::Stop };
        Recorded { attempt, operation: operation.into(), answer, prompt_tokens: 1, completion_tokens: 2 }
    }

    fn asked(replay: &Replay, question: u8, operation: &str) -> Option<String> {
        match replay.answer("m1", [question; 32], operation) {
            Ok(completion) => Some(completion.text),
            Err(CallError::Unusable(answer)) if answer.reason == Unusable::NotKept => None,
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_same_question_gets_its_answer_and_asked_twice_its_second_one() {
        let replay = Replay::new(vec![
            recorded(1, "section", 1, "of an older attempt"),
            recorded(0, "section", 1, "first"),
            recorded(0, "section.continue", 2, "second"),
            recorded(0, "section.continue", 2, "third"),
        ]);
        let texts = [1, 2, 2, 2].map(|question| asked(&replay, question, "section").expect("kept"));
        assert_eq!(texts, ["first", "second", "third", "third"]);
        assert!(replay.told().iter().all(|(_, how)| *how == Replayed::Same));
    }

    #[test]
    fn a_changed_question_gets_the_answer_at_its_place_or_none() {
        let replay = Replay::new(vec![
            recorded(0, "section", 1, "first"),
            recorded(0, "section.again", 2, "second"),
            recorded(0, "judge", 3, "{}"),
            recorded(1, "outline", 4, "older"),
        ]);
        assert_eq!(asked(&replay, 9, "section").as_deref(), Some("first"));
        assert_eq!(asked(&replay, 9, "section.again").as_deref(), Some("second"));
        assert_eq!(asked(&replay, 9, "section.again"), None, "there was no second one");
        assert_eq!(asked(&replay, 9, "judge"), None, "its numbers belong to other sentences");
        assert_eq!(asked(&replay, 9, "outline"), None, "an attempt that came to nothing has no say");
        assert_eq!(asked(&replay, 4, "outline").as_deref(), Some("older"), "unless it was asked the same");
        let told: Vec<Replayed> = replay.told().into_iter().map(|(_, how)| how).collect();
        use Replayed::{ByPlace, Missing, Same};
        assert_eq!(told, [ByPlace, ByPlace, Missing, Missing, Missing, Same]);
    }

    #[test]
    fn a_refused_question_is_refused_again() {
        let mut one = recorded(0, "outline", 1, "");
        one.answer.end = AnswerEnd::TooLong;
        let error = Replay::new(vec![one]).answer("m1", [1; 32], "outline").expect_err("too long");
        assert!(matches!(error, CallError::ContextTooLong(_)), "{error:?}");
    }

    #[test]
    fn whatever_changes_the_question_changes_its_hash() {
        let endpoint = Endpoint::new("peer", "https://host/v1", "m1").unwrap();
        let request = ChatRequest { messages: vec![Message::User("a".into())], max_tokens: 10, schema: None };
        let same = question(&endpoint, &ChatRequest { max_tokens: 99, ..request.clone() });
        assert_eq!(question(&endpoint, &request), same);
        let mut others = vec![
            question(&Endpoint { model: "m2".into(), ..endpoint.clone() }, &request),
            question(&Endpoint { temperature: None, ..endpoint.clone() }, &request),
        ];
        for messages in [
            vec![Message::User("b".into())],
            vec![Message::System("a".into())],
            vec![Message::User("a".into()), Message::User(String::new())],
        ] {
            others.push(question(&endpoint, &ChatRequest { messages, ..request.clone() }));
        }
        others.push(question(&endpoint, &ChatRequest { schema: Some(("a", serde_json::json!({}))), ..request }));
        others.push(same);
        let count = others.len();
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), count);
    }
}

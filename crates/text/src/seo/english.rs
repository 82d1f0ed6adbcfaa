//! English sentences: passive voice and transition words, by lists and a few rules.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use crate::word;

/// How many words may stand between a form of "be" and its participle.
const REACH: usize = 3;

const BE: &str = "am is are was were be been being isn't aren't wasn't weren't i'm you're we're they're it's he's she's
    that's get gets got gotten getting";

/// What may stand between: `was not yet fully tested`. Adverbs in `-ly` may too.
const BETWEEN: &str = "not never also often still then now been being already always just only even both all well
    sometimes usually soon once again ever rather quite very so too most more best better further thus therefore seldom
    hardly almost not yet first later long much";

const IRREGULAR: &str = "arisen awoken beaten become begun bent bet bitten bled blown born borne bought bound bred broken
    brought built burnt burst caught chosen clung cast cut dealt dealt done drawn dreamt driven drunk dug eaten fallen fed
    felt flung forbidden forecast forgiven forgotten fought found frozen given ground grown heard held hidden hit hung
    hurt kept knit known laid lain learnt led left lent let lit lost made meant met misled mistaken misunderstood mown
    outdone overcome overseen overtaken overthrown paid proven put quit read rebuilt redone remade rent rewritten rid
    ridden rung said sawn seen sent set sewn shaken shed shot shown shrunk shut slain slit slung sold sought sown spelt
    spent spilt split spoilt spoken spread spun stolen struck strung stuck stung sung sunk swept sworn swum swung taken
    taught thought thrown told torn trodden understood undertaken undone unwound upheld upset withdrawn withheld woken
    won worn wound woven written wrung";

/// Words in `-ed` that are no participles, or that after "be" nearly always describe a state.
const NOT_PARTICIPLES: &str =
    "red bed need indeed hundred speed feed seed weed greed breed creed deed heed reed exceed succeed proceed sacred
    naked wicked beloved rugged kindred infrared unprecedented talented gifted tired excited interested bored worried
    pleased scared surprised supposed";

const TRANSITIONS: &str =
    "accordingly additionally admittedly afterwards afterward albeit alternatively although because before
    besides but certainly consequently conversely despite e.g earlier equally especially eventually finally first firstly
    following fourthly further furthermore generally hence however i.e if indeed initially instead last lastly later
    likewise meanwhile moreover namely naturally nevertheless next nonetheless nor notably obviously occasionally once
    originally otherwise overall particularly presumably previously rather regardless second secondly similarly
    simultaneously since so specifically still subsequently than then therefore third thirdly though thus ultimately
    unless unlike until usually when whenever whereas whereby wherever whether while yet";

/// Separated by commas.
const TRANSITION_PHRASES: &str =
    "above all, after all, after that, all in all, apart from, as a consequence, as a result, as a rule,
    as for, as long as, as opposed to, as soon as, as well as, as you can see, at first, at last, at least, at that point,
    at the same time, aside from, because of, by comparison, by contrast, by the time, by the way, compared to,
    compared with, due to, even if, even so, even though, except for, for a start, for example, for instance,
    for now, for that reason, for the most part, for this purpose, for this reason, from now on, given that,
    in addition, in any case, in brief, in comparison, in conclusion, in contrast, in effect, in essence, in fact,
    in general, in many cases, in most cases, in order to, in other words, in part, in particular, in practice, in reality,
    in response, in short, in spite of, in summary, in that case, in the end, in the long run, in the meantime,
    in the same way, in theory, in this case, in this way, in turn, more importantly, most importantly, no matter,
    not only, now that, of course, on average, on balance, on the contrary, on the one hand, on the other hand,
    on the whole, on top of that, only then, other than, owing to, prior to, provided that, so far, so that,
    sooner or later, such as, thanks to, that is why, that means, that said, that way, the reason is, this is why,
    this means, this way, to be clear, to begin with, to put it simply, to start with, to sum up, to that end, to this end,
    together with, until then, up to now, what is more, with that in mind, with this in mind";

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

static BE_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(BE));
static BETWEEN_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(BETWEEN));
static IRREGULAR_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(IRREGULAR));
static NOT_PARTICIPLES_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(NOT_PARTICIPLES));
static TRANSITION_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(TRANSITIONS));

/// The phrases by their first word, as the words that follow it.
static PHRASES: LazyLock<HashMap<&str, Vec<Vec<&str>>>> = LazyLock::new(|| {
    let mut phrases: HashMap<&str, Vec<Vec<&str>>> = HashMap::new();
    for phrase in TRANSITION_PHRASES.split(',') {
        let mut words = phrase.split_whitespace();
        if let Some(first) = words.next() {
            phrases.entry(first).or_default().push(words.collect());
        }
    }
    phrases
});

fn lower_words(sentence: &str) -> Vec<String> {
    word::iter(sentence).map(word::normalise).collect()
}

/// Whether a form of "be" or "get" is followed by a participle, with only adverbs between.
pub(super) fn is_passive(sentence: &str) -> bool {
    let words = lower_words(sentence);
    words.iter().enumerate().filter(|(_, w)| BE_SET.contains(w.as_str())).any(|(at, _)| {
        for word in words[at + 1..].iter().take(REACH + 1) {
            if is_participle(word) {
                return true;
            }
            if !BETWEEN_SET.contains(word.as_str()) && !word.ends_with("ly") {
                return false;
            }
        }
        false
    })
}

fn is_participle(word: &str) -> bool {
    let last = word.rsplit('-').next().unwrap_or(word);
    let regular = last.len() > 3 && last.ends_with("ed") && !NOT_PARTICIPLES_SET.contains(last);
    regular || IRREGULAR_SET.contains(last)
}

/// Whether a transition word or phrase stands anywhere in the sentence.
pub(super) fn has_transition(sentence: &str) -> bool {
    let words = lower_words(sentence);
    words.iter().enumerate().any(|(at, word)| {
        let follows = |rest: &Vec<&str>| {
            let after = &words[at + 1..];
            after.len() >= rest.len() && rest.iter().zip(after).all(|(a, b)| a == b)
        };
        TRANSITION_SET.contains(word.as_str()) || PHRASES.get(word.as_str()).is_some_and(|p| p.iter().any(follows))
    })
}

/// Too common at the beginning of a sentence to be noticed there.
const DETERMINERS: [&str; 7] = ["a", "an", "the", "this", "that", "these", "those"];

/// The word that a sentence begins with, in lower case; with the next where it begins with a determiner.
pub(super) fn beginning(sentence: &str) -> String {
    let mut words = word::iter(sentence).map(word::normalise);
    let first = words.next().unwrap_or_default();
    match words.next().filter(|_| DETERMINERS.contains(&first.as_str())) {
        Some(second) => format!("{first} {second}"),
        None => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passive_voice_is_told_from_states() {
        for passive in [
            "The card was written by hand.",
            "It has been carefully tested.",
            "They weren't told.",
            "Errors are not always found.",
            "It’s made of steel.",
            "He got fired.",
            "The code is well-tested.",
        ] {
            assert!(is_passive(passive), "{passive}");
        }
        for active in [
            "She wrote the card.",
            "He is tired.",
            "There are hundred of them.",
            "He was a good man who worked.",
            "It is red.",
            "We tested it.",
            "They are reading.",
            "",
        ] {
            assert!(!is_passive(active), "{active}");
        }
    }

    #[test]
    fn transitions_are_found_anywhere() {
        for with in [
            "However, it works.",
            "It works, for example, here.",
            "We left because it rained.",
            "Use a pen, such as this.",
        ] {
            assert!(has_transition(with), "{with}");
        }
        for without in ["It works.", "For the example see below.", "The such.", ""] {
            assert!(!has_transition(without), "{without}");
        }
    }
}

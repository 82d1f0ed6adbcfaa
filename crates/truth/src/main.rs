//! `cargo run -p galley-truth`: the tables. `-- --list WHICH`: what fails. `-- --made KIND`: all of a kind.

use std::process::ExitCode;

use galley_truth::{Judged, Orders, Statements, held, of_orders, print, statements};

const GOALS: [(&str, &str); 6] = [
    ("topics", "≥ 90"),
    ("topics_in_order", "≥ 75"),
    ("orphans", "≤ 0.5"),
    ("refused", "0"),
    ("off_topic_unnoticed", "≤ 10"),
    ("on_topic_refused", "0"),
];

const HELP: &str = "usage: galley-truth [--list KIND|LANGUAGE|hand|all|topics|orders] [--made KIND|LANGUAGE|hand|all] [--large]
  without options   the tables
  --list WHICH      the falsehoods that pass and the rewrites that are not kept; the sections that topics got; the orders
                    that were refused or judged wrong, and the sentences without an antecedent
  --statements      the tables without the orders
  --large           an article of 8,000 words from 15 sources, for measuring its time
  --made WHICH      every statement, whatever became of it";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => tables(),
        ["--statements"] => all_statement_tables(),
        ["--large"] => large(),
        ["--list", "topics"] => list_topics(),
        ["--list", "orders"] => list_orders(),
        ["--list", which] => list(which, true),
        ["--made", which] => list(which, false),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn tables() {
    all_statement_tables();
    println!("Orders");
    for figure in of_orders(&Orders::written()) {
        let goal = GOALS.iter().find(|(name, _)| *name == figure.name).map_or("", |(_, goal)| goal);
        println!("{:<22}{:>7.1} %  {:<24} goal: {goal} %", figure.name, figure.percent, figure.of);
    }
}

fn all_statement_tables() {
    statement_tables(&statements());
    println!("Held back: nothing was tuned by these");
    statement_tables(&held());
}

fn statement_tables(all: &Statements) {
    for (title, judged, goal) in [
        ("Machine-made falsehoods that pass", &all.falsehoods, "goal: ≤ 10 %, no kind above 20 %"),
        ("Hand-made falsehoods that pass", &all.hand_falsehoods, "goal: ≤ 10 %"),
        ("Machine-made true rewrites kept", &all.rewrites, "goal: ≥ 90 %"),
        ("Hand-made true rewrites kept", &all.hand_rewrites, "goal: ≥ 75 %"),
    ] {
        println!("{}", print::table(title, judged, goal));
    }
}

/// Writes and checks the large article once, for whoever measures the time of it.
fn large() {
    match galley_truth::orders::large().write() {
        Ok(written) => println!("{} sentences", written.sentences.len()),
        Err(fault) => println!("refused: {fault}"),
    }
}

/// The topics without a section.
fn list_topics() {
    for (order, followed) in Orders::written().topics {
        let Some(followed) = followed else {
            println!("[{}] no article: {}\n", order.name, order.brief.prompt);
            continue;
        };
        let headings: Vec<String> = order
            .write()
            .map(|written| written.outline.sections.into_iter().map(|s| s.heading.unwrap_or_default()).collect())
            .unwrap_or_default();
        let in_order = if followed.in_order() { "in order" } else { "NOT in order" };
        println!("[{}] {in_order}: {}\n  headings  {}", order.name, order.brief.prompt, headings.join(" | "));
        for (topic, section) in order.topics.iter().zip(&followed.sections) {
            println!("  {}  {}", section.map_or_else(|| "–".to_owned(), |at| at.to_string()), topic.name);
        }
        println!();
    }
}

/// The orders that were refused or judged wrong, and the sentences without an antecedent.
fn list_orders() {
    let orders = Orders::written();
    for (name, reason) in &orders.refused {
        println!("refused [{name}] {reason}");
    }
    for (name, sentence) in &orders.orphans {
        println!("without antecedent [{name}] {sentence}");
    }
    for order in &orders.unnoticed {
        println!("about something else, unnoticed [{}] {}", order.name, order.brief.prompt);
    }
    for order in &orders.false_alarms {
        println!("false alarm [{}] {}", order.name, order.brief.prompt);
    }
}

/// The statements of a kind, of a language, of those written by hand, or all; `failing`: those alone that should have
/// been judged otherwise.
fn list(which: &str, failing: bool) {
    let all = statements();
    for (what, judged, hand, right) in [
        ("falsehood", &all.falsehoods, false, false),
        ("falsehood by hand", &all.hand_falsehoods, true, false),
        ("rewrite", &all.rewrites, false, true),
        ("rewrite by hand", &all.hand_rewrites, true, true),
    ] {
        let asked = |one: &&Judged| {
            which == "all" || which == "hand" && hand || one.made.kind == which || one.made.language == which
        };
        for one in judged.iter().filter(asked).filter(|one| !failing || one.is_supported() != right) {
            println!("{what} {}", print::statement(one));
        }
    }
}

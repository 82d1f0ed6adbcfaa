//! `cargo run -p galley-truth`: the tables. `-- --list WHICH`: what fails. `-- --made KIND`: all of a kind.

use std::process::ExitCode;

use galley_truth::{Judged, print, statements};

const HELP: &str = "usage: galley-truth [--list KIND|LANGUAGE|all] [--made KIND|LANGUAGE|all]
  without options   the tables
  --list WHICH      the falsehoods that pass and the rewrites that are not kept
  --made WHICH      every statement, whatever became of it";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => tables(),
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
    let statements = statements();
    println!(
        "{}",
        print::table("Machine-made falsehoods that pass", &statements.falsehoods, "goal: ≤ 10 %, no kind above 20 %")
    );
    println!("{}", print::table("Machine-made true rewrites kept", &statements.rewrites, "goal: ≥ 90 %"));
}

fn list(which: &str, failing: bool) {
    let statements = statements();
    let asked = |one: &&Judged| which == "all" || one.made.kind == which || one.made.language == which;
    for one in statements.falsehoods.iter().filter(asked).filter(|one| !failing || one.is_supported()) {
        println!("falsehood {}", print::statement(one));
    }
    for one in statements.rewrites.iter().filter(asked).filter(|one| !failing || !one.is_supported()) {
        println!("rewrite {}", print::statement(one));
    }
}

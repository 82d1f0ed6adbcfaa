//! Galley: the front, the command line, and what puts the parts together.

mod cli;
mod compose;
mod config;
mod data_folder;
mod envelope;
pub mod http;
mod presence;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

/// The program: what the command line asks for.
pub fn main() -> ExitCode {
    // A reader of a file has nothing to do with the rest: no settings, no runtime, no database.
    if std::env::args().nth(1).is_some_and(|command| command == compose::READ_FILE) {
        return galley_files::read_in_this_process();
    }
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("galley: the runtime cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli.run()) {
        Ok(code) => match cli::output_arrived() {
            Ok(()) => ExitCode::from(code),
            Err(error) => {
                eprintln!("galley: not all of the output could be written: {error}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            eprintln!("galley: {error:#}");
            ExitCode::FAILURE
        }
    }
}

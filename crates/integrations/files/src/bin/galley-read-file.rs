//! A reader process alone: what the tests of this crate start. The daemon starts itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    galley_files::read_in_this_process()
}

//! `galley`: the command line. All of it is in the library, where what front and commands share is compiled once.

fn main() -> std::process::ExitCode {
    galley::main()
}

//! Parse, dispatch, and the one place that turns a result into an exit code.

use std::process::ExitCode;

use botwarden::cli::{self, Args, Command};
use botwarden::core::code::Code;
use botwarden::core::protocol::KEEPER_ROLE;
use botwarden::keeper;
use clap::Parser;

fn main() -> ExitCode {
    // A keeper is launched in a hundred copies at once: it is told apart before anything is parsed or allocated.
    if std::env::args_os().nth(1).is_some_and(|first| first == KEEPER_ROLE) {
        return keeper::run();
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Code::Usage.number() } else { Code::Done.number() });
        }
    };
    let code = match &args.command {
        None | Some(Command::Demo) => Code::Failed,
        Some(command) => cli::run(&args, command),
    };
    ExitCode::from(code.number())
}

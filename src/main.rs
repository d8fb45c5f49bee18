//! Parse, dispatch, and the one place that turns a result into an exit code.

use std::io::Write;
use std::process::ExitCode;

use botwarden::cli::{self, Args, Command};
use botwarden::core::code::Code;
use botwarden::demo::{self, PaperDesk};
use botwarden::{keeper, launch};
use clap::Parser;

fn main() -> ExitCode {
    // A keeper is launched in a hundred copies at once: it is told apart before anything is parsed or allocated.
    if std::env::args_os().nth(1).is_some_and(|first| first == launch::ROLE) {
        return keeper::run();
    }
    if std::env::args_os().nth(1).is_some_and(|first| first == demo::ROLE) {
        return demo::role::run();
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Code::Usage.number() } else { Code::Done.number() });
        }
    };
    let code = match &args.command {
        None => Code::Failed,
        Some(Command::Demo) => paper_desk(),
        Some(command) => cli::run(&args, command),
    };
    ExitCode::from(code.number())
}

fn paper_desk() -> Code {
    match PaperDesk::open() {
        Ok(desk) => demo::plain(desk, demo::PLAIN_TIME),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "botwarden: {why}");
            Code::Failed
        }
    }
}

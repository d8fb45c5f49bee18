//! Parse, dispatch, and the one place that turns a result into an exit code.

use std::io::Write;
use std::process::ExitCode;

use botwarden::cli::{self, Args, Command, Desk};
use botwarden::core::code::Code;
use botwarden::core::protocol::KEEPER_ROLE;
use botwarden::{keeper, tui, who};
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
        None => screen(&args),
        Some(Command::Demo) => Code::Failed,
        Some(command) => cli::run(&args, command),
    };
    ExitCode::from(code.number())
}

/// The screen on the configured desk.
fn screen(args: &Args) -> Code {
    let desk = match cli::open_desk(args) {
        Ok(desk) => desk,
        Err(why) => return complain(&why, Code::Usage),
    };
    let Some(config) = &desk.config else {
        for mistake in &desk.mistakes {
            complain(&mistake.to_string(), Code::Usage);
        }
        return Code::Usage;
    };
    match tui::run(options(args, &desk, config.bots.clone())) {
        Ok(left) => complain(&left.sentence(), left.signal.map_or(Code::Done, |_| Code::StillWorking)),
        Err(why) => complain(&why, Code::Failed),
    }
}

fn options(args: &Args, desk: &Desk, specs: Vec<botwarden::core::bot::BotSpec>) -> tui::Options {
    tui::Options {
        home: desk.home.clone(),
        specs,
        host: who::host(),
        by: desk.by.clone(),
        ascii: args.ascii || cli::wants_ascii(),
        color: cli::wants_color(args),
        read_only: args.read_only,
        title_note: None,
        leave_note: None,
    }
}

/// Says something on standard error, which may be gone with its terminal.
fn complain(text: &str, code: Code) -> Code {
    let _ = writeln!(std::io::stderr(), "botwarden: {text}");
    code
}

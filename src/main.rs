//! Parse, dispatch, and the one place that turns a result into an exit code.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use botwarden::cli::{self, Args, Command, KeyTold};
use botwarden::core::bot::BotSpec;
use botwarden::core::code::Code;
use botwarden::core::protocol::{KEEPER_ROLE, READER_ROLE, STOPPER_ROLE};
use botwarden::demo::{self, PaperDesk};
use botwarden::paths::Home;
use botwarden::tui::keys::Group;
use botwarden::{config, keeper, reader, stopper, tui, who};
use clap::Parser;

fn main() -> ExitCode {
    // A keeper is launched in a hundred copies at once: it is told apart before anything is parsed or allocated.
    if std::env::args_os().nth(1).is_some_and(|first| first == KEEPER_ROLE) {
        return keeper::run();
    }
    if std::env::args_os().nth(1).is_some_and(|first| first == STOPPER_ROLE) {
        return stopper::run();
    }
    if std::env::args_os().nth(1).is_some_and(|first| first == READER_ROLE) {
        return reader::run();
    }
    if std::env::args_os().nth(1).is_some_and(|first| first == demo::ROLE) {
        return demo::role::run();
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return ExitCode::from(cli::misused(&error).number()),
    };
    let code = match &args.command {
        None => screen(&args),
        Some(Command::Demo) => paper_desk(&args),
        // The page has the keys of the screen, which the command line knows nothing of.
        Some(Command::Man) => cli::manual(&args, &keys_told()),
        Some(command) => cli::run(&args, command),
    };
    ExitCode::from(code.number())
}

/// Every key of the screen that there is, by its heading.
fn keys_told() -> Vec<KeyTold> {
    let of = |group: Group| tui::keys::TABLE.iter().filter(move |row| row.group == group && !row.keys.is_empty());
    Group::ALL
        .into_iter()
        .flat_map(|group| of(group).map(move |row| (group, row)))
        .map(|(group, row)| {
            let guard = if row.guard.is_empty() { String::new() } else { format!(" ({})", row.guard) };
            KeyTold { group: group.title(), key: row.label(), help: format!("{}{guard}", row.help) }
        })
        .collect()
}

/// The screen on the configured desk.
fn screen(args: &Args) -> Code {
    let desk = match cli::open_desk(args) {
        Ok(desk) => desk,
        Err(why) => return complain(&why, Code::Usage),
    };
    let ui = desk.config.as_ref().map(|config| config.ui);
    let (file, configured) = match desk.config {
        Some(config) => (Some(config.file), Ok(config.bots)),
        None if !on_a_terminal() => {
            for mistake in &desk.mistakes {
                complain(&mistake.to_string(), Code::Usage);
            }
            return Code::Usage;
        }
        // What runs can be seen and stopped whatever has become of the file.
        None => {
            let first = desk.mistakes.first().map(ToString::to_string).unwrap_or_default();
            (config::locate(args.config.as_deref()).ok(), Err(first))
        }
    };
    match tui::run(tui::Options { ui, ..options(args, desk.home, file, configured) }) {
        Ok(left) => complain(&left.sentence(), left.signal.map_or(Code::Done, |_| Code::StillWorking)),
        Err(why) => complain(&why, Code::Failed),
    }
}

/// The screen on a paper desk of its own, which goes when the screen is left.
fn paper_desk(args: &Args) -> Code {
    let mut desk = match PaperDesk::open() {
        Ok(desk) => desk,
        Err(why) => return complain(&why, Code::Failed),
    };
    if !on_a_terminal() {
        return demo::plain(desk, demo::PLAIN_TIME);
    }
    for note in desk.notes() {
        complain(note, Code::Done);
    }
    if !desk.interrupted() {
        let _ = desk.start(&who::asks());
    }
    // Whoever asked to leave before the screen was there does not want to see it.
    let shown = if desk.interrupted() { Ok(()) } else { show(args, &desk) };
    complain("leaving the paper desk: every bot is told to stop, which takes some seconds", Code::Done);
    let closing = desk.close();
    for line in &closing.lines {
        complain(line, Code::Done);
    }
    match shown {
        Ok(()) => closing.code(),
        Err(why) => Code::worst([complain(&why, Code::Failed), closing.code()]),
    }
}

fn show(args: &Args, desk: &PaperDesk) -> Result<(), String> {
    tui::run(tui::Options {
        title_note: Some("PAPER DESK: no order is real".into()),
        leave_note: Some(PaperDesk::LEAVE_NOTE.into()),
        ..options(args, desk.home().clone(), Some(desk.config_file().to_owned()), Ok(desk.specs().to_vec()))
    })
    .map(|_| ())
}

fn on_a_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

fn options(args: &Args, home: Home, config: Option<PathBuf>, configured: Result<Vec<BotSpec>, String>) -> tui::Options {
    tui::Options {
        home,
        config,
        configured,
        host: who::host(),
        by: who::asks(),
        ascii: args.ascii || cli::wants_ascii(),
        color: cli::wants_color(args),
        read_only: args.read_only,
        zone: jiff::tz::TimeZone::system(),
        ui: None,
        title_note: None,
        leave_note: None,
    }
}

/// Says something on standard error, which may be gone with its terminal.
fn complain(text: &str, code: Code) -> Code {
    let _ = writeln!(std::io::stderr(), "botwarden: {text}");
    code
}

//! The simulated bots: `botwarden paper-bot KIND`, a hidden role of this binary.
//!
//! Each is an ordinary bot as far as anybody outside can see: it logs like one, keeps orders in a file like one, and
//! dies like one. None of them opens a connection to anything but its own supervisor.

mod book;
mod bot;
mod cancel;
mod coordinator;
mod errand;
mod market;
mod order;
mod state_json;
mod sweep;
mod trades;
mod venue;
mod voice;
mod waiter;
mod worker;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::process::MARK;

use super::place::{LOCK, PREFIX};

/// The hidden command of a simulated bot: `botwarden paper-bot KIND`.
pub const ROLE: &str = "paper-bot";

/// The command that cancels a simulated bot's orders in its place: `botwarden paper-bot cancel`.
const CANCEL: &str = "cancel";

/// Those who work through the chunks of a simulated research cluster: `botwarden paper-bot coordinator` and `worker`.
const COORDINATOR: &str = "coordinator";
const WORKER: &str = "worker";

/// The whole life of a simulated bot.
pub fn run() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(2).map(|argument| argument.to_string_lossy().into_owned()).collect();
    if arguments.first().is_some_and(|first| first == CANCEL) {
        return match in_a_home().and_then(|()| cancel::run()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => complain(&format!("{CANCEL}: {why}"), 1),
        };
    }
    let result = on_a_desk().and_then(|()| match arguments.first().map(String::as_str) {
        Some(COORDINATOR) => coordinator::live(),
        Some(WORKER) => worker::live(),
        Some(_) | None => errand::Errand::read(&arguments).and_then(bot::Bot::new).map(bot::Bot::live),
    });
    result.unwrap_or_else(|why| complain(&why, 2))
}

fn complain(why: &str, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "botwarden {ROLE}: {why}");
    ExitCode::from(code)
}

/// A cancel command has no mark of its desk: it is no part of a bot's tree. The folder says where it is.
fn in_a_home() -> Result<(), String> {
    let folder = std::env::current_dir().map_err(|error| error.to_string())?;
    let is_home = |folder: &std::path::Path| {
        folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX))
            && folder.join(LOCK).is_file()
    };
    if folder.ancestors().any(is_home) {
        return Ok(());
    }
    Err("simulated orders are canceled only on a paper desk: 'botwarden demo' makes one".to_owned())
}

/// Its files have the names that real bots use: it must never come to run in the folder of one.
fn on_a_desk() -> Result<(), String> {
    let [home, ..] = MARK;
    let home = std::env::var_os(home);
    match (home, std::env::current_dir()) {
        (Some(home), Ok(folder)) if !home.is_empty() && folder.starts_with(&home) => Ok(()),
        (_, _) => Err("a simulated bot runs only on a paper desk: 'botwarden demo' makes one".to_owned()),
    }
}

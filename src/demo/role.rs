//! The simulated bots: `botwarden paper-bot KIND`, a hidden role of this binary.
//!
//! Each is an ordinary bot as far as anybody outside can see: it logs like one, keeps orders in a file like one, and
//! dies like one. None of them opens a connection to anything but its own supervisor.

mod book;
mod bot;
mod errand;
mod market;
mod order;
mod state_json;
mod trades;
mod voice;
mod waiter;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::process::MARK;

/// The hidden command of a simulated bot: `botwarden paper-bot KIND`.
pub const ROLE: &str = "paper-bot";

/// The whole life of a simulated bot.
pub fn run() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(2).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let result = on_a_desk().and_then(|()| errand::Errand::read(&arguments)).and_then(bot::Bot::new);
    match result {
        Ok(bot) => bot.live(),
        Err(why) => {
            let _ = writeln!(io::stderr(), "botwarden {ROLE}: {why}");
            ExitCode::from(2)
        }
    }
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
